"""How strong a confounder that nobody measured would have to be to explain a hazard ratio away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.errors import InputError, raise_all
from analysis.survival.rows import choice_problems, number_problems

__all__ = ["EValue", "confounder_bias", "e_value"]

OutcomeFrequency = Literal["common", "rare"]


@dataclass(frozen=True)
class EValue:
    """The E-values of a hazard ratio and of the limit of its interval nearer to 1.

    Attributes
    ----------
    estimate : float
        The least risk ratio that an unmeasured confounder would need with both the exposure and the outcome, beyond
        the measured covariates, to move the hazard ratio to 1.
    limit : float
        The same for the nearer limit: 1 when the interval holds 1, NaN when none was given.
    hazard_ratio, conf_low, conf_high : float
        As given.
    risk_ratio, risk_ratio_limit : float
        The risk ratios that they stand for.
    outcome : str
    """

    estimate: float
    limit: float
    hazard_ratio: float
    conf_low: float
    conf_high: float
    risk_ratio: float
    risk_ratio_limit: float
    outcome: OutcomeFrequency


def e_value(
    hazard_ratio: float,
    *,
    conf_low: float | None = None,
    conf_high: float | None = None,
    outcome: OutcomeFrequency = "common",
) -> EValue:
    """The E-value of a hazard ratio: RR + sqrt(RR (RR - 1)), with RR or its inverse, whichever is above 1.

    For a rare outcome RR is the hazard ratio itself; for a common one RR = (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1 / HR)).

    Parameters
    ----------
    hazard_ratio : float
        Positive.
    conf_low, conf_high : float, optional
        The limits of its interval, both or neither; an open limit may be 0 or infinite, or NaN.
    outcome : {"common", "rare"}
        Rare: fewer than about 15 % have the event by the end of follow-up.

    Returns
    -------
    EValue

    Raises
    ------
    InputError
        Ratios that are not positive, one limit alone, or limits that do not hold the hazard ratio.

    Notes
    -----
    It says how strong a confounder would have to be, not whether there is one, and nothing of other biases.
    VanderWeele and Ding (2017), Ann Intern Med 167:268; the common outcome: VanderWeele (2017), Biometrics 73:1032,
    and R's ``EValue::evalues.HR(est, lo, hi, rare = )``.

    Examples
    --------
    >>> result = e_value(2.0, conf_low=1.25, conf_high=3.2, outcome="rare")  # 2 + sqrt(2), 1.25 + sqrt(1.25 / 4)
    >>> round(result.estimate, 4), round(result.limit, 4)
    (3.4142, 1.809)
    """
    _check(hazard_ratio, conf_low, conf_high, outcome)
    low, high = (float("nan") if limit is None else float(limit) for limit in (conf_low, conf_high))
    nearer = low if hazard_ratio >= 1 else high
    risk_ratio = _risk_ratio(float(hazard_ratio), outcome)
    across = (hazard_ratio >= 1 and low <= 1) or (hazard_ratio <= 1 and high >= 1)
    limit = 1.0 if across else _risk_ratio(nearer, outcome)
    return EValue(
        estimate=_needed(risk_ratio),
        limit=_needed(limit),
        hazard_ratio=float(hazard_ratio),
        conf_low=low,
        conf_high=high,
        risk_ratio=risk_ratio,
        risk_ratio_limit=limit,
        outcome=outcome,
    )


def confounder_bias(
    hazard_ratio: float,
    *,
    strengths: ArrayLike | Sequence[float] = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0),
    outcome: OutcomeFrequency = "common",
) -> pd.DataFrame:
    """What an unmeasured confounder of each strength could at most have made of a hazard ratio of one.

    A confounder that is related to the exposure by the risk ratio a and to the outcome by b biases a risk ratio by at
    most a b / (a + b - 1): the ratio divided by it (multiplied, below 1) is the least that could be true.

    Parameters
    ----------
    hazard_ratio : float
        Positive.
    strengths : numbers
        Risk ratios of at least 1, for both axes.
    outcome : {"common", "rare"}
        As in `e_value`.

    Returns
    -------
    DataFrame
        with_exposure, with_outcome, bias_factor, risk_ratio (what would be left), explained (nothing would be left),
        a row for each pair of strengths.

    Raises
    ------
    InputError
        A ratio that is not positive, strengths below 1.

    Notes
    -----
    Ding and VanderWeele (2016), Epidemiology 27:368.

    Examples
    --------
    >>> confounder_bias(1.5, strengths=[1, 2], outcome="rare")["risk_ratio"].tolist()  # 1.5 / (4 / 3)
    [1.5, 1.5, 1.5, 1.125]
    """
    _check(hazard_ratio, None, None, outcome)
    given = np.atleast_1d(np.asarray(strengths))
    if (
        given.ndim != 1
        or given.dtype.kind not in "iuf"
        or not len(given)
        or not (np.isfinite(given) & (given >= 1)).all()
    ):
        raise InputError(f"strengths={strengths!r} must be risk ratios of at least 1")
    a, b = (side.ravel() for side in np.meshgrid(given.astype(np.float64), given.astype(np.float64), indexing="ij"))
    factor = bias_factor(a, b)
    ratio = _risk_ratio(float(hazard_ratio), outcome)
    left = ratio / factor if ratio >= 1 else ratio * factor
    explained = left <= 1 if ratio >= 1 else left >= 1
    return pd.DataFrame(
        {"with_exposure": a, "with_outcome": b, "bias_factor": factor, "risk_ratio": left, "explained": explained}
    )


def bias_factor(with_exposure: FloatArray, with_outcome: FloatArray) -> FloatArray:
    """The most that a confounder of these strengths can multiply a risk ratio by.

    Examples
    --------
    >>> bias_factor(np.array([3.0]), np.array([1.5])).round(4).tolist()  # 4.5 / 3.5
    [1.2857]
    """
    return np.asarray(with_exposure * with_outcome / (with_exposure + with_outcome - 1), dtype=np.float64)


def _check(hazard_ratio: float, conf_low: float | None, conf_high: float | None, outcome: str) -> None:
    """Refuse what is no ratio with its limits."""
    problems = choice_problems("outcome", outcome, get_args(OutcomeFrequency))
    problems += number_problems("hazard_ratio", hazard_ratio, low=0, open_low=True)
    if (conf_low is None) != (conf_high is None):
        problems.append("conf_low, conf_high: give both limits or neither")
    for name, limit in (("conf_low", conf_low), ("conf_high", conf_high)):
        if limit is not None and (isinstance(limit, (bool, np.bool_)) or not isinstance(limit, (Real, np.number))):
            problems.append(f"{name}={limit!r} must be a number; an open limit is 0, infinite or NaN")
    if not problems and conf_low is not None and conf_high is not None:
        if conf_low < 0:
            problems.append(f"conf_low={conf_low!r}: limits of a hazard ratio are not negative")
        if conf_low > hazard_ratio or conf_high < hazard_ratio:
            problems.append(
                f"the interval {conf_low:g} to {conf_high:g} does not hold the hazard ratio {hazard_ratio:g}"
            )
    raise_all(problems, InputError)


def _risk_ratio(hazard_ratio: float, outcome: str) -> float:
    """The risk ratio that a hazard ratio stands for."""
    if outcome == "rare" or np.isnan(hazard_ratio):
        return hazard_ratio
    root = np.sqrt(hazard_ratio)
    # expm1 keeps the digits of ratios near 0
    return float(np.expm1(-np.log(2) * root) / np.expm1(-np.log(2) / root))


def _needed(risk_ratio: float) -> float:
    """The E-value of a risk ratio."""
    if np.isnan(risk_ratio):
        return float("nan")
    ratio = risk_ratio if risk_ratio >= 1 else 1 / risk_ratio
    return float(ratio + np.sqrt(ratio * (ratio - 1)))
