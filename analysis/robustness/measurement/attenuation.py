"""How far a hazard ratio is weakened by an error of measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.kernels import cox, tails
from analysis.robustness.measurement import error as measurement
from analysis.robustness.measurement.error import MAGNESIUM_ERROR, ErrorScale, MeasurementError
from analysis.strata.marker_designs import adjust_problems, read_marker_design
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design
from analysis.survival.rows import listed

__all__ = ["Attenuation", "attenuation"]


@dataclass(frozen=True, eq=False, kw_only=True)
class ErrorAnalysis(errors.RowAccount):
    """What the analyses of a marker's error of measurement have in common, and the row account.

    Attributes
    ----------
    reliability, reliability_low, reliability_high : float
        The share of the marker's variance, given the adjustment, that is not error, with limits for a normal marker.
    endpoint : Endpoint
    marker : str
    adjust, strata : tuple of str
    measurement_error : float
    error_scale : str
    conf_level : float
    n_failed, seed : int
        Draws whose model could not be estimated.
    n_event : int
    """

    reliability: float
    reliability_low: float
    reliability_high: float
    endpoint: Endpoint
    marker: str
    adjust: tuple[str, ...]
    strata: tuple[str, ...]
    measurement_error: float
    error_scale: ErrorScale
    conf_level: float
    n_failed: int
    seed: int
    n_event: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Attenuation(ErrorAnalysis):
    """What an error of measurement takes from a log hazard ratio; its reliability, options and rows: `ErrorAnalysis`.

    Attributes
    ----------
    table : DataFrame
        measurement, log_hazard_ratio (per unit of the marker), monte_carlo_error (0 where nothing was drawn), share (of
        the log hazard ratio as measured), std_error, conf_low, conf_high (of the log hazard ratio, the error's size and
        the shares taken as known). Rows: "without error, expected"; "as measured"; "one more error, expected";
        "one more error, drawn".
    std_error : float
        Of the log hazard ratio as measured.
    n_draws : int
    """

    table: pd.DataFrame
    std_error: float
    n_draws: int


def attenuation(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    measurement_error: float = MAGNESIUM_ERROR,
    error_scale: ErrorScale = "relative",
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    n_draws: int = 200,
    conf_level: float = 0.95,
    seed: int,
) -> Attenuation:
    """Weaken a marker's log hazard ratio by one more error of measurement, on paper and by drawing.

    With v the variance of the measured marker given the adjustment, and s2 that of one error (within v already once),
    the coefficient as measured is 1 - s2/v, the reliability, of what the marker without error would show, and one more
    error leaves v / (v + s2) of it. The drawn row adds errors to the marker and fits the model again; the variance of
    its mean is the mean of the models' variances less the variance of the coefficients over the draws.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
    marker : str
        A numeric column.
    measurement_error, error_scale
        As in `reclassification`.
    adjust : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    n_draws : int
    conf_level : float
    seed : int

    Returns
    -------
    Attenuation

    Raises
    ------
    CohortError
        Faults of the columns, all at once.
    InputError
        Options that cannot be; relative errors of values that are not positive.
    NotEstimable
        As `fit_cox`; when the error is as large as the spread of the marker given the adjustment.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, ManyTies, Separation
        As `fit_cox`.

    Notes
    -----
    Both shares are those of a linear model, an approximation in a Cox model that is close where the marker's effect
    over its spread is small or events are rare: Prentice (1982), Biometrika 69:331; Hughes (1993), Biometrics 49:1056.
    Reliability given other covariates: Carroll et al. (2006), Measurement Error in Nonlinear Models, section 3.3.
    Variance of the mean over draws: Stefanski and Cook (1995), JASA 90:1247.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort.dropna(subset=["magnesium"])
    >>> result = attenuation(cohort, OVERALL_SURVIVAL, "magnesium", n_draws=20, seed=1)
    >>> result.table["measurement"].tolist()[-2:]
    ['one more error, expected', 'one more error, drawn']
    """
    error = measurement.checked_error(measurement_error, error_scale, n_draws=n_draws, seed=seed)
    fit, index, common = fit_measured(
        cohort, endpoint, marker, error, adjust=adjust, strata=strata, conf_level=conf_level
    )
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    order = canonical_order(fit.design)
    values = fit.design.x[order, index]
    coefs, variances = refitted(fit.design, order, index, (error.added(values, rng) for _ in range(n_draws)))
    drawn = np.column_stack([coefs[:, index], variances[:, index]])
    known = drawn[~np.isnan(drawn).any(axis=1)]
    variance, extra = conditional_variance(fit.design, index), error.variance_added(fit.design.x[:, index])
    shares = common["reliability"], variance / (variance + extra)
    std_error = float(np.sqrt(fit.covariance[index, index]))
    table = _table(float(fit.coef[index]), std_error, shares, known, conf_level)
    return Attenuation(
        table=table, std_error=std_error, n_draws=n_draws, n_failed=n_draws - len(known), seed=seed, **common
    )


def fit_measured(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    error: MeasurementError,
    *,
    adjust: str | Sequence[str],
    strata: str | Sequence[str] | None,
    conf_level: float,
) -> tuple[CoxFit, int, dict[str, Any]]:
    """The model as measured; what is to be said of its rows is warned of before an error of the marker's reliability.

    Returns
    -------
    CoxFit
    int
        The marker's column of its design.
    dict
        The parts of an `ErrorAnalysis` but for the draws' `n_failed` and `seed`.
    """
    terms, strata_names = listed(adjust), listed(strata)
    errors.raise_all(adjust_problems(marker, terms) + errors.level_problems(conf_level), errors.InputError)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    index = design.columns[str(marker)][0]
    values = design.x[:, index]
    measurement.refuse_nonpositive(values, error, marker)
    model = CoxModel(endpoint, (marker, *terms), strata=strata_names)
    fit = fit_design(design, model)
    errors.warn_all(fit.warnings, stacklevel=4)
    extra = error.variance_added(values)
    ratio = measurement.reliability(conditional_variance(design, index), extra, marker) if extra else 1.0
    low, high = measurement.reliability_limits(ratio, residual_df(design), conf_level)
    common = {
        "reliability": ratio,
        "reliability_low": low,
        "reliability_high": high,
        "endpoint": endpoint,
        "marker": marker,
        "adjust": terms,
        "strata": strata_names,
        "measurement_error": error.size,
        "error_scale": error.scale,
        "conf_level": conf_level,
        "n_event": fit.n_event,
    }
    return fit, index, common | fit.account


def conditional_variance(design: Design, index: int) -> float:
    """The variance of the column `index` of ``design.x`` that the other columns and the strata do not explain."""
    levels = np.eye(len(design.data.strata.labels))[design.data.strata.codes]
    others, values = np.column_stack([levels, np.delete(design.x, index, axis=1)]), design.x[:, index]
    fitted = others @ np.linalg.lstsq(others, values, rcond=None)[0]
    return float(((values - fitted) ** 2).sum() / residual_df(design))


def residual_df(design: Design) -> int:
    """The degrees of freedom of that variance: rows less the strata and the other columns."""
    n, p = design.x.shape
    return int(n - len(design.data.strata.labels) - (p - 1))


def canonical_order(design: Design) -> IntArray:
    """An order of the rows that does not depend on the one they came in."""
    data = design.data
    return np.lexsort((data.time, data.event, data.entry, data.strata.codes, *design.x.T))


def refitted(
    design: Design, order: IntArray, index: int, markers: Iterable[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Coefficients and variances, each of shape (b, p), with other values for the marker; NaN where not estimable.

    Parameters
    ----------
    design : Design
    order : ndarray of int, shape (n,)
    index : int
        The marker's column of ``design.x``.
    markers : iterable of ndarray, shape (n,)
        The marker's values, rows in `order`.
    """
    data, x = design.data, design.x[order]
    sets = cox.risk_sets(data.time[order], data.event[order], entry=data.entry[order], strata=data.strata.codes[order])
    coefs, variances = [], []
    for values in markers:
        x[:, index] = values
        coef, covariance, _ = cox.fit_problem(cox.cox_problem(x, sets))
        coefs.append(coef)
        variances.append(np.diag(covariance))
    return np.array(coefs), np.array(variances)


def _table(
    coef: float, std_error: float, shares: tuple[float, float], drawn: FloatArray, conf_level: float
) -> pd.DataFrame:
    """The log hazard ratio without error, as measured, and with one more error, expected and drawn."""
    ratio, left = shares
    mean, variance = drawn.mean(axis=0) if len(drawn) else (np.nan, np.nan)
    between = float(drawn[:, 0].var(ddof=1)) if len(drawn) > 1 else np.nan
    error = np.sqrt(variance - between) if variance > between else np.nan
    rows = [
        ("without error, expected", coef / ratio, 0.0, std_error / ratio),
        ("as measured", coef, 0.0, std_error),
        ("one more error, expected", coef * left, 0.0, std_error * left),
        ("one more error, drawn", mean, measurement.mean_error(drawn[:, 0]), error),
    ]
    table = pd.DataFrame(rows, columns=["measurement", "log_hazard_ratio", "monte_carlo_error", "std_error"])
    table.insert(3, "share", table["log_hazard_ratio"] / coef)
    reach = tails.normal_quantile(conf_level) * table["std_error"]
    value = table["log_hazard_ratio"]
    return table.assign(conf_low=value - reach, conf_high=value + reach)
