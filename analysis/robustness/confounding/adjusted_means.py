"""Restricted means and differences read off adjusted curves, with errors from the same resamples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few
from analysis.errors import AnalysisWarning, InputError, NotEstimable, raise_all
from analysis.kernels.tails import normal_quantile
from analysis.kernels.times import n_times_to, reached
from analysis.robustness.confounding.adjusted_curves import AdjustedCurves
from analysis.survival.curves import difference_columns, pairs_of, with_pairs
from analysis.survival.rows import label_column, level_problems, number_problems

__all__ = ["AdjustedMeans", "adjusted_restricted_mean", "adjusted_survival_difference"]


@dataclass(frozen=True, eq=False)
class AdjustedMeans:
    """Adjusted restricted means.

    Attributes
    ----------
    means : DataFrame
        stratum, restricted_mean, std_error, conf_low, conf_high, in the unit of the follow-up.
    differences : DataFrame
        stratum_a, stratum_b, difference (b less a), std_error, conf_low, conf_high, statistic (z), p_value.
    horizon : float
    method : str
        That of the curves.
    n_bootstrap, n_failed, n_read, n_used, dropped, warnings
        Those of the curves.
    """

    means: pd.DataFrame
    differences: pd.DataFrame
    horizon: float
    method: str
    n_bootstrap: int
    n_failed: int
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


def adjusted_restricted_mean(adjusted: AdjustedCurves, horizon: float, *, conf_level: float = 0.95) -> AdjustedMeans:
    """Mean survival time up to a horizon were the strata alike: the area under each adjusted curve, and differences.

    Parameters
    ----------
    adjusted : AdjustedCurves
        As `adjusted_curves` returns them.
    horizon : float
        Positive, in the unit of the follow-up, fixed before looking.
    conf_level : float

    Returns
    -------
    AdjustedMeans
        Standard errors are standard deviations over the resamples; a difference takes both areas from the same
        resample. Intervals are normal.

    Raises
    ------
    InputError
        A horizon that is not positive, or beyond the end of a curve that has not fallen to 0.
    NotEstimable
        Curves without resamples.

    Notes
    -----
    Karrison (1987), J Am Stat Assoc 82:1169; Zucker (1998), J Am Stat Assoc 93:702.

    Examples
    --------
    >>> from analysis import Endpoint, adjusted_curves
    >>> rows = {"months": range(1, 41), "died": 1, "arm": ["a", "b"] * 20, "age": [60, 60, 70, 70] * 10}
    >>> patients = pd.DataFrame(rows)
    >>> found = adjusted_curves(patients, Endpoint("months", "died"), ["age"], by="arm", n_bootstrap=20, seed=1)
    >>> adjusted_restricted_mean(found, 12).means.columns.tolist()
    ['stratum', 'restricted_mean', 'std_error', 'conf_low', 'conf_high']
    """
    raise_all(number_problems("horizon", horizon, low=0, open_low=True) + level_problems(conf_level), InputError)
    _refuse_no_draws(adjusted)
    _refuse_beyond(adjusted, horizon)
    widths = np.diff(np.minimum(np.append(adjusted.times, horizon), horizon))
    means, drawn = adjusted.survival @ widths, adjusted.draws @ widths
    std_error = drawn.std(axis=0, ddof=1)
    half = normal_quantile(conf_level) * std_error
    labels = list(adjusted.labels)
    table = pd.DataFrame(
        {
            "stratum": label_column(labels, labels),
            "restricted_mean": means,
            "std_error": std_error,
            "conf_low": means - half,
            "conf_high": means + half,
        }
    )
    return AdjustedMeans(
        means=table,
        differences=_differences(means, drawn, labels, conf_level),
        horizon=float(horizon),
        method=adjusted.method,
        n_bootstrap=adjusted.n_bootstrap,
        n_failed=adjusted.n_failed,
        n_read=adjusted.n_read,
        n_used=adjusted.n_used,
        dropped=adjusted.dropped,
        warnings=adjusted.warnings,
    )


def adjusted_survival_difference(adjusted: AdjustedCurves, time: float, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Differences in adjusted survival at one time, b less a, for every pair of strata.

    Parameters
    ----------
    adjusted : AdjustedCurves
    time : float
        In the unit of the follow-up, fixed before looking.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, time, difference, std_error (over the resamples), conf_low, conf_high, statistic
        (z), p_value; pairs in stratum order.

    Raises
    ------
    InputError
        A time that is negative, or beyond the end of a curve.
    NotEstimable
        Curves without resamples.

    Examples
    --------
    >>> from analysis import Endpoint, adjusted_curves
    >>> rows = {"months": range(1, 41), "died": 1, "arm": ["a", "b"] * 20, "age": [60, 60, 70, 70] * 10}
    >>> patients = pd.DataFrame(rows)
    >>> found = adjusted_curves(patients, Endpoint("months", "died"), ["age"], by="arm", n_bootstrap=20, seed=1)
    >>> len(adjusted_survival_difference(found, 12))
    1
    """
    raise_all(number_problems("time", time, low=0) + level_problems(conf_level), InputError)
    _refuse_no_draws(adjusted)
    _refuse_beyond(adjusted, time, name="time")
    place = int(n_times_to(adjusted.times, np.array([float(time)]))[0]) - 1
    values, drawn = adjusted.survival[:, place], adjusted.draws[:, :, place]
    table = _differences(values, drawn, list(adjusted.labels), conf_level)
    table.insert(2, "time", float(time))
    return table


def _differences(values: FloatArray, drawn: FloatArray, labels: list[str], conf_level: float) -> pd.DataFrame:
    """Every pair, b less a, with the standard deviation of its difference over the resamples."""
    pairs = pairs_of(labels)
    a, b = ([labels.index(pair[side]) for pair in pairs] for side in (0, 1))
    std_error = (drawn[:, b] - drawn[:, a]).std(axis=0, ddof=1)
    return with_pairs(difference_columns(values[b] - values[a], std_error, conf_level), pairs, labels)


def _refuse_no_draws(adjusted: AdjustedCurves) -> None:
    """Without resamples there is no error."""
    if not isinstance(adjusted, AdjustedCurves):
        raise InputError(f"adjusted: expected what adjusted_curves returns, got {type(adjusted).__name__}")
    if not len(adjusted.draws):
        raise NotEstimable("the curves were computed without resamples; ask for n_bootstrap=500 or so")


def _refuse_beyond(adjusted: AdjustedCurves, time: float, *, name: str = "horizon") -> None:
    """A time beyond the end of a curve that has not fallen to 0."""
    last = adjusted.survival[np.arange(len(adjusted.labels)), n_times_to(adjusted.times, adjusted.ends) - 1]
    ends = {label: end for label, end, left in zip(adjusted.labels, adjusted.ends, last, strict=True) if left > 0}
    latest = min(ends.values(), default=np.inf)
    if not reached(np.array([float(time)]), latest).all():
        short = first_few(f"{label!r} ends at {end:g}" for label, end in ends.items() if end < time)
        raise InputError(f"{name}={time:g} lies beyond the adjusted curves: stratum {short}; choose at most {latest:g}")
