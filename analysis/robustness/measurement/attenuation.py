"""How far a hazard ratio is weakened by an error of measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import AnalysisWarning, InputError, raise_all, warn_all
from analysis.kernels.cox import fit_arrays
from analysis.kernels.tails import normal_quantile
from analysis.robustness.measurement.error import (
    MAGNESIUM_ERROR,
    ErrorScale,
    MeasurementError,
    checked_error,
    mean_error,
    refuse_nonpositive,
    reliability,
    reliability_limits,
)
from analysis.strata.marker_designs import adjust_problems, listed, read_marker_design
from analysis.survival.cox import CoxModel, Design, fit_design
from analysis.survival.rows import level_problems

__all__ = ["Attenuation", "attenuation"]


@dataclass(frozen=True, eq=False)
class Attenuation:
    """What an error of measurement takes from a log hazard ratio.

    Attributes
    ----------
    table : DataFrame
        measurement, log_hazard_ratio (per unit of the marker), monte_carlo_error (0 where nothing was drawn), share (of
        the log hazard ratio as measured), std_error, conf_low, conf_high (of the log hazard ratio, the error's size and
        the shares taken as known). Rows: "without error, expected"; "as measured"; "one more error, expected";
        "one more error, drawn".
    std_error : float
        Of the log hazard ratio as measured.
    reliability, reliability_low, reliability_high : float
        The share of the marker's variance, given the adjustment, that is not error, with limits for a normal marker.
    endpoint : Endpoint
    marker : str
    adjust, strata : tuple of str
    measurement_error : float
    error_scale : str
    conf_level : float
    n_draws, n_failed, seed : int
        Draws, and those among them whose model could not be estimated.
    n_event, n_read, n_used, dropped, warnings
        Events and rows analysed, rows given, rows left out by reason, and what is worth a word.
    """

    table: pd.DataFrame
    std_error: float
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
    n_draws: int
    n_failed: int
    seed: int
    n_event: int
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


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
    >>> found = attenuation(cohort, OVERALL_SURVIVAL, "magnesium", n_draws=20, seed=1)
    >>> found.table["measurement"].tolist()[-2:]
    ['one more error, expected', 'one more error, drawn']
    """
    terms, strata_names = listed(adjust), listed(strata)
    error = checked_error(measurement_error, error_scale, n_draws=n_draws, seed=seed)
    raise_all(adjust_problems(marker, terms) + level_problems(conf_level), InputError)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    place = design.columns[str(marker)][0]
    refuse_nonpositive(design.x[:, place], error, marker)
    model = CoxModel(endpoint, (marker, *terms), "efron", strata_names, None, None, robust=False, engine="kernel")
    fit = fit_design(design, model)
    warn_all(fit.warnings)
    variance, extra = conditional_variance(design, place), error.variance_added(design.x[:, place])
    ratio = reliability(variance, extra, marker) if extra else 1.0
    low, high = reliability_limits(ratio, residual_df(design), conf_level)
    drawn = _drawn(design, place, error, n_draws, seed)
    std_error = float(np.sqrt(fit.covariance[place, place]))
    known = drawn[~np.isnan(drawn).any(axis=1)]
    return Attenuation(
        table=_table(float(fit.coef[place]), std_error, (ratio, variance / (variance + extra)), known, conf_level),
        std_error=std_error,
        reliability=ratio,
        reliability_low=low,
        reliability_high=high,
        endpoint=endpoint,
        marker=marker,
        adjust=terms,
        strata=strata_names,
        measurement_error=error.size,
        error_scale=error.scale,
        conf_level=conf_level,
        n_draws=n_draws,
        n_failed=n_draws - len(known),
        seed=seed,
        n_event=fit.n_event,
        n_read=fit.n_read,
        n_used=fit.n_used,
        dropped=fit.dropped,
        warnings=fit.warnings,
    )


def conditional_variance(design: Design, place: int) -> float:
    """The variance of the marker that the adjustment terms and the strata do not explain linearly.

    Parameters
    ----------
    design : Design
    place : int
        The marker's column of ``design.x``.

    Returns
    -------
    float
    """
    others, values = _others(design, place), design.x[:, place]
    fitted = others @ np.linalg.lstsq(others, values, rcond=None)[0]
    return float(((values - fitted) ** 2).sum() / residual_df(design))


def residual_df(design: Design) -> int:
    """The degrees of freedom of that variance: rows less the strata and the other columns."""
    n, p = design.x.shape
    return int(n - len(design.data.strata.labels) - (p - 1))


def _others(design: Design, place: int) -> FloatArray:
    """An indicator of each stratum, and the columns other than the marker's."""
    levels = np.eye(len(design.data.strata.labels))[design.data.strata.codes]
    return np.column_stack([levels, np.delete(design.x, place, axis=1)])


def _drawn(design: Design, place: int, error: MeasurementError, n_draws: int, seed: int) -> FloatArray:
    """The marker's coefficient and its variance with one more error, draw by draw; rows in a canonical order first."""
    data = design.data
    columns = (data.time, data.event, data.entry, data.strata.codes, *design.x.T)
    order = np.lexsort(columns)
    time, event, entry, strata = (column[order] for column in columns[:4])
    x = design.x[order]
    rng, found = np.random.default_rng(np.random.SeedSequence(seed)), []
    values = x[:, place].copy()
    for _ in range(n_draws):
        x[:, place] = error.added(values, rng)
        coef, covariance, _ = fit_arrays(x, time, event, entry=entry, strata=strata)
        found.append((coef[place], covariance[place, place]))
    return np.asarray(found, dtype=np.float64)


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
        ("one more error, drawn", mean, mean_error(drawn[:, 0]), error),
    ]
    table = pd.DataFrame(rows, columns=["measurement", "log_hazard_ratio", "monte_carlo_error", "std_error"])
    table.insert(3, "share", table["log_hazard_ratio"] / coef)
    reach = normal_quantile(conf_level) * table["std_error"]
    value = table["log_hazard_ratio"]
    return table.assign(conf_low=value - reach, conf_high=value + reach)
