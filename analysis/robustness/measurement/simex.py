"""Simulation-extrapolation: a hazard ratio as it would be without the marker's error of measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.robustness.measurement.attenuation import ErrorAnalysis, canonical_order, fit_measured, refitted
from analysis.robustness.measurement.error import MAGNESIUM_ERROR, ErrorScale, MeasurementError, checked_error
from analysis.survival import cox, rows

__all__ = ["SimulationExtrapolation", "simulation_extrapolation"]

DEGREE = 2
MOST_ADDED = 10.0
ENOUGH_RELIABILITY = 0.8
"""The reliability from which on a quadratic undoes nearly all of what the error takes."""
N_PATH = 61
"""Points of the quadratic that a figure draws."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulationExtrapolation(ErrorAnalysis):
    """A Cox model as without the marker's error of measurement; reliability, options and rows: `ErrorAnalysis`.

    Attributes
    ----------
    coefficients : DataFrame
        term, coef (extrapolated), std_error, statistic, p_value, coef_measured, std_error_measured (the model as
        measured), monte_carlo_error (of coef).
    hazard_ratios : DataFrame
        term, hazard_ratio, conf_low, conf_high, statistic, p_value, per unit of each term.
    curve : DataFrame
        Of the marker: error_variance (in multiples of one measurement's: 0 without error, 1 as measured),
        log_hazard_ratio (per unit of the marker; the mean over the simulations, extrapolated at 0), monte_carlo_error.
    path : DataFrame
        error_variance, log_hazard_ratio: the quadratic, finely spaced.
    n_simulations : int
    """

    coefficients: pd.DataFrame
    hazard_ratios: pd.DataFrame
    curve: pd.DataFrame
    path: pd.DataFrame
    n_simulations: int


def simulation_extrapolation(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    marker: str,
    *,
    measurement_error: float = MAGNESIUM_ERROR,
    error_scale: ErrorScale = "relative",
    adjust: str | Sequence[str] = (),
    strata: str | Sequence[str] | None = None,
    added: ArrayLike = (0.5, 1.0, 1.5, 2.0),
    n_simulations: int = 100,
    conf_level: float = 0.95,
    seed: int,
) -> SimulationExtrapolation:
    """Undo part of what the marker's error of measurement takes, by adding more of it and going back (SIMEX).

    Errors of variance l times that of one measurement are added, B times for each l > 0, and the model is fitted again:
    the mean coefficients b(l) are what they are with error variance 1 + l. A quadratic in l through them and b(0), the
    model as measured, is read at l = -1, where no error is left. The variance is the mean of the model's variances less
    the variance of the coefficients over the simulations, extrapolated in the same way.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
    marker : str
        A numeric column.
    measurement_error, error_scale
        As in `reclassification`: "absolute" is a standard deviation in the marker's unit.
    adjust : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`; taken to be free of error.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    added : array-like of float
        The multiples l of the error variance that are added; two or more.
    n_simulations : int
        B.
    conf_level : float
    seed : int

    Returns
    -------
    SimulationExtrapolation

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
    LowReliability
        A reliability below 0.8, at which the quadratic undoes only part of what the error takes.
    FailedDraws
        Simulations whose models could not be estimated, which are left out.
    AnalysisWarning
        A variance that is not positive once extrapolated.
    FewEvents, ManyTies, Separation
        As `fit_cox`.

    Notes
    -----
    The quadratic undoes part of the error's effect: nearly all of it where the reliability is 0.8 or more; at 0.5 about
    a quarter of the attenuation stays and 95 % intervals cover in about 80 %. There the coefficient over the
    reliability, as in `attenuation`, is the better guide. Errors must be independent of the outcome and of each other.
    Cook and Stefanski (1994), JASA 89:1314; Stefanski and Cook (1995), JASA 90:1247 (variance); Carroll et al. (2006),
    Measurement Error in Nonlinear Models, chapter 5. R's ``simex`` does the same for models of its own list.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort.dropna(subset=["magnesium"])
    >>> result = simulation_extrapolation(cohort, OVERALL_SURVIVAL, "magnesium", n_simulations=20, seed=1)
    >>> row = result.coefficients.iloc[0]
    >>> bool(row["coef"] < row["coef_measured"] < 0)  # error weakens, the correction strengthens
    True
    """
    error = checked_error(measurement_error, error_scale, n_draws=n_simulations, seed=seed)
    multiples = _checked_multiples(added)
    fit, index, common = fit_measured(
        cohort, endpoint, marker, error, adjust=adjust, strata=strata, conf_level=conf_level
    )
    order = canonical_order(fit.design)
    markers = _markers(fit.design.x[order, index], error, multiples, n_simulations, seed)
    drawn = refitted(fit.design, order, index, markers)
    shape = (n_simulations, len(multiples), len(fit.terms))
    coefs, variances = complete_draws(*(values.reshape(shape) for values in drawn))
    grid = np.concatenate([[0.0], multiples])
    table = _coefficient_table(fit, grid, coefs, variances)
    n_failed, measured = n_simulations - len(coefs), float(fit.coef[index])
    further = (*_reliability_warning(common["reliability"]), *_draw_warnings(table, n_failed, shape[0]))
    errors.warn_all(further)
    return SimulationExtrapolation(
        coefficients=table,
        hazard_ratios=_ratios(table, conf_level),
        curve=_curve(measured, grid, coefs[:, :, index]),
        path=_path(measured, grid, coefs[:, :, index]),
        n_simulations=n_simulations,
        n_failed=n_failed,
        seed=seed,
        **common | {"warnings": (*fit.warnings, *further)},
    )


def _checked_multiples(added: ArrayLike) -> FloatArray:
    """The multiples of the error variance, ascending; enough of them for a quadratic."""
    values = rows.times_given(added, name="added")
    problems, distinct = [], np.unique(values)
    if len(distinct) < max(DEGREE, len(values)):
        problems.append(f"added={values.tolist()}: give {DEGREE} or more multiples, each once")
    if not ((values > 0) & (values <= MOST_ADDED)).all():
        problems.append(
            f"added={values.tolist()}: multiples of the error variance lie above 0 and up to {MOST_ADDED:g}"
        )
    errors.raise_all(problems, errors.InputError)
    return distinct


def _markers(
    values: FloatArray, error: MeasurementError, multiples: FloatArray, n_simulations: int, seed: int
) -> Iterator[FloatArray]:
    """The marker with errors added; one set of errors a simulation, scaled to each multiple."""
    for child in np.random.SeedSequence(seed).spawn(n_simulations):
        for multiple in multiples:
            yield error.times(float(multiple)).added(values, np.random.default_rng(child))


def quadratic_weights(grid: FloatArray, at: float | FloatArray) -> FloatArray:
    """The weights of values at `grid` in the least-squares quadratic through them, read at other points.

    Examples
    --------
    >>> quadratic_weights(np.array([0.0, 1.0, 2.0]), -1.0).round(9).tolist()
    [[3.0, -3.0, 1.0]]
    """
    powers = np.vander(np.atleast_1d(at), DEGREE + 1) @ np.linalg.pinv(np.vander(grid, DEGREE + 1))
    return np.asarray(powers, dtype=np.float64)


def complete_draws(coefs: FloatArray, variances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The simulations in which every model could be estimated; coefficients and variances (b, multiples, p)."""
    complete = np.asarray(~np.isnan(coefs).any(axis=(1, 2)))
    if complete.sum() < 2:
        raise errors.NotEstimable(f"{complete.sum()} of {len(complete)} simulations could be fitted; two are the least")
    return coefs[complete], variances[complete]


def extrapolated(
    coef: FloatArray, variance: FloatArray, grid: FloatArray, coefs: FloatArray, variances: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients and variances where no error is left.

    Parameters
    ----------
    coef, variance : ndarray, shape (p,)
        As measured.
    grid : ndarray, shape (k + 1,)
        The multiples, 0 first.
    coefs, variances : ndarray, shape (b, k, p)
        With error added.

    Returns
    -------
    coef, variance : ndarray, shape (p,)
        The variance is that of the model less that of the coefficients over the simulations; NaN where what is
        extrapolated is not positive.
    """
    at_none = quadratic_weights(grid, -1.0)[0]
    means = np.vstack([coef, coefs.mean(axis=0)])
    less = at_none @ np.vstack([variance, variances.mean(axis=0) - coefs.var(axis=0, ddof=1)])
    return at_none @ means, np.where(less > 0, less, np.nan)


def _coefficient_table(fit: cox.CoxFit, grid: FloatArray, coefs: FloatArray, variances: FloatArray) -> pd.DataFrame:
    """A row a term: extrapolated, and as measured."""
    from scipy.special import erfc

    measured = np.diag(fit.covariance)
    coef, variance = extrapolated(fit.coef, measured, grid, coefs, variances)
    std_error = np.sqrt(variance)
    statistic = coef / std_error
    single = np.einsum("k,bkp->bp", quadratic_weights(grid, -1.0)[0, 1:], coefs)
    return pd.DataFrame(
        {
            "term": list(fit.terms),
            "coef": coef,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": erfc(np.abs(statistic) / np.sqrt(2)),
            "coef_measured": fit.coef,
            "std_error_measured": np.sqrt(measured),
            "monte_carlo_error": single.std(axis=0, ddof=1) / np.sqrt(len(coefs)),
        }
    )


def _curve(measured: float, grid: FloatArray, coefs: FloatArray) -> pd.DataFrame:
    """The marker's coefficient at each error variance; `coefs` has a row a simulation."""
    at_none = quadratic_weights(grid, -1.0)[0]
    means = np.concatenate([[measured], coefs.mean(axis=0)])
    spread = np.column_stack([coefs @ at_none[1:], coefs]).std(axis=0, ddof=1) / np.sqrt(len(coefs))
    return pd.DataFrame(
        {
            "error_variance": 1 + np.concatenate([[-1.0], grid]),
            "log_hazard_ratio": np.concatenate([[at_none @ means], means]),
            "monte_carlo_error": np.insert(spread, 1, 0.0),
        }
    )


def _path(measured: float, grid: FloatArray, coefs: FloatArray) -> pd.DataFrame:
    """The quadratic from no error to the most that was added."""
    at = np.linspace(-1.0, grid[-1], N_PATH)
    means = np.concatenate([[measured], coefs.mean(axis=0)])
    return pd.DataFrame({"error_variance": 1 + at, "log_hazard_ratio": quadratic_weights(grid, at) @ means})


def _ratios(table: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """The extrapolated coefficients as hazard ratios, with normal intervals."""
    from scipy.special import ndtri

    reach = float(ndtri((1 + conf_level) / 2)) * table["std_error"]
    ends = {"hazard_ratio": table["coef"], "conf_low": table["coef"] - reach, "conf_high": table["coef"] + reach}
    ratios = {name: np.exp(np.where(values > cox.LARGEST_LOGARITHM, np.nan, values)) for name, values in ends.items()}
    return pd.DataFrame({"term": table["term"], **ratios, "statistic": table["statistic"], "p_value": table["p_value"]})


def _reliability_warning(ratio: float) -> list[errors.AnalysisWarning]:
    """Warning when the quadratic falls short."""
    text = (
        f"reliability {ratio:.2f}, below {ENOUGH_RELIABILITY:g}: the extrapolation undoes only part of what the error"
        " takes from the coefficient, and its interval covers too rarely; see attenuation's coefficient over the"
        " reliability beside it"
    )
    return [errors.LowReliability(text)] if ratio < ENOUGH_RELIABILITY else []


def _draw_warnings(table: pd.DataFrame, n_failed: int, n_simulations: int) -> list[errors.AnalysisWarning]:
    """Warnings of simulations that failed, and of variances that are not positive."""
    warnings: list[errors.AnalysisWarning] = []
    if n_failed:
        text = f"{n_failed} of {n_simulations} simulations could not be fitted, and are left out"
        warnings.append(errors.FailedDraws(text))
    lost = table.loc[table["std_error"].isna(), "term"]
    if len(lost):
        text = f"no interval for {first_few(map(repr, lost))}: the extrapolated variance is not positive"
        warnings.append(errors.AnalysisWarning(f"{text}; take more simulations"))
    return warnings
