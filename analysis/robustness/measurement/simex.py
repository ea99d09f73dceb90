"""Simulation-extrapolation: a hazard ratio as it would be without the marker's error of measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, FailedDraws, InputError, LowReliability, raise_all, warn_all
from analysis.robustness.measurement.attenuation import conditional_variance, residual_df
from analysis.robustness.measurement.error import (
    MAGNESIUM_ERROR,
    ErrorScale,
    checked_error,
    refuse_nonpositive,
    reliability,
    reliability_limits,
)
from analysis.robustness.measurement.simex_draws import DEGREE, ErrorDraws, Quadratic, draw_errors
from analysis.strata.marker_designs import adjust_problems, listed, read_marker_design
from analysis.survival.cox import LARGEST_LOGARITHM, CoxFit, CoxModel, fit_design
from analysis.survival.rows import level_problems, times_given

__all__ = ["SimulationExtrapolation", "simulation_extrapolation"]

MOST_ADDED = 10.0
ENOUGH_RELIABILITY = 0.8
"""The reliability from which on a quadratic undoes nearly all of what the error takes."""
PATH = 61


@dataclass(frozen=True, eq=False)
class SimulationExtrapolation:
    """A Cox model as it would be without the marker's error of measurement.

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
    reliability, reliability_low, reliability_high : float
        The share of the marker's variance, given the adjustment, that is not error, with limits for a normal marker.
    endpoint, marker, adjust, strata, measurement_error, error_scale, conf_level
        What was asked for.
    n_simulations, n_failed, seed : int
        Simulations, and those among them in which a model could not be estimated.
    n_event, n_read, n_used, dropped, warnings
        Events and rows analysed, rows given, rows left out by reason, and what is worth a word.
    """

    coefficients: pd.DataFrame
    hazard_ratios: pd.DataFrame
    curve: pd.DataFrame
    path: pd.DataFrame
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
    n_simulations: int
    n_failed: int
    seed: int
    n_event: int
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


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
    >>> found = simulation_extrapolation(cohort, OVERALL_SURVIVAL, "magnesium", n_simulations=20, seed=1)
    >>> row = found.coefficients.iloc[0]
    >>> bool(row["coef"] < row["coef_measured"] < 0)  # error weakens, the correction strengthens
    True
    """
    terms, strata_names = listed(adjust), listed(strata)
    error = checked_error(measurement_error, error_scale, n_draws=n_simulations, seed=seed)
    multiples = _checked_multiples(added)
    raise_all(adjust_problems(marker, terms) + level_problems(conf_level), InputError)
    design = read_marker_design(cohort, endpoint, marker, terms, strata_names)
    place = design.columns[str(marker)][0]
    refuse_nonpositive(design.x[:, place], error, marker)
    model = CoxModel(endpoint, (marker, *terms), "efron", strata_names, None, None, robust=False, engine="kernel")
    fit = fit_design(design, model)
    extra = error.variance_added(design.x[:, place])
    ratio = reliability(conditional_variance(design, place), extra, marker) if extra else 1.0
    drawn = draw_errors(design, place, error, multiples, n_simulations, seed)
    draws = drawn.sound()
    quadratic = Quadratic(np.concatenate([[0.0], multiples]))
    measured = float(fit.coef[place])
    coefficients = _coefficient_table(fit, quadratic, draws)
    n_failed = n_simulations - len(draws.coefs)
    low, high = reliability_limits(ratio, residual_df(design), conf_level)
    found = (*fit.warnings, *_low_reliability(ratio), *_told(coefficients, n_failed, n_simulations))
    warn_all(found)
    return SimulationExtrapolation(
        coefficients=coefficients,
        hazard_ratios=_ratios(coefficients, conf_level),
        curve=_curve(measured, quadratic, draws.coefs[:, :, place]),
        path=_path(measured, quadratic, draws.coefs[:, :, place]),
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
        n_simulations=n_simulations,
        n_failed=n_failed,
        seed=seed,
        n_event=fit.n_event,
        n_read=fit.n_read,
        n_used=fit.n_used,
        dropped=fit.dropped,
        warnings=found,
    )


def _checked_multiples(added: ArrayLike) -> FloatArray:
    """The multiples of the error variance, ascending; enough of them for a quadratic."""
    values = times_given(added, name="added")
    problems = []
    if len(np.unique(values)) < DEGREE or len(np.unique(values)) < len(values):
        problems.append(f"added={values.tolist()}: give {DEGREE} or more multiples, each once")
    if not ((values > 0) & (values <= MOST_ADDED)).all():
        problems.append(
            f"added={values.tolist()}: multiples of the error variance lie above 0 and up to {MOST_ADDED:g}"
        )
    raise_all(problems, InputError)
    return np.sort(values)


def _coefficient_table(fit: CoxFit, quadratic: Quadratic, draws: ErrorDraws) -> pd.DataFrame:
    """A row a term: extrapolated, and as measured."""
    from scipy.special import erfc

    coef, variance = draws.extrapolated(fit.coef, np.diag(fit.covariance), quadratic)
    std_error = np.sqrt(variance)
    statistic = coef / std_error
    lone = np.einsum("k,bkp->bp", quadratic.at_none[1:], draws.coefs)
    return pd.DataFrame(
        {
            "term": list(fit.terms),
            "coef": coef,
            "std_error": std_error,
            "statistic": statistic,
            "p_value": erfc(np.abs(statistic) / np.sqrt(2)),
            "coef_measured": fit.coef,
            "std_error_measured": np.sqrt(np.diag(fit.covariance)),
            "monte_carlo_error": lone.std(axis=0, ddof=1) / np.sqrt(len(draws.coefs)),
        }
    )


def _curve(measured: float, quadratic: Quadratic, coefs: FloatArray) -> pd.DataFrame:
    """The marker's coefficient at each error variance; `coefs` has a row a simulation."""
    means = np.concatenate([[measured], coefs.mean(axis=0)])
    lone = coefs @ quadratic.at_none[1:]
    errors = np.column_stack([lone, coefs]).std(axis=0, ddof=1) / np.sqrt(len(coefs))
    places = np.concatenate([[-1.0], quadratic.grid])
    return pd.DataFrame(
        {
            "error_variance": 1 + places,
            "log_hazard_ratio": np.concatenate([[quadratic.at_none @ means], means]),
            "monte_carlo_error": np.insert(errors, 1, 0.0),
        }
    )


def _path(measured: float, quadratic: Quadratic, coefs: FloatArray) -> pd.DataFrame:
    """The quadratic from no error to the most that was added."""
    means = np.concatenate([[measured], coefs.mean(axis=0)])
    places = np.linspace(-1.0, quadratic.grid[-1], PATH)
    return pd.DataFrame({"error_variance": 1 + places, "log_hazard_ratio": quadratic.read(means, places)})


def _ratios(table: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """The extrapolated coefficients as hazard ratios, with normal intervals."""
    from scipy.special import ndtri

    reach = float(ndtri((1 + conf_level) / 2)) * table["std_error"]
    ends = {"hazard_ratio": table["coef"], "conf_low": table["coef"] - reach, "conf_high": table["coef"] + reach}
    ratios = {name: np.exp(np.where(values > LARGEST_LOGARITHM, np.nan, values)) for name, values in ends.items()}
    return pd.DataFrame({"term": table["term"], **ratios, "statistic": table["statistic"], "p_value": table["p_value"]})


def _low_reliability(ratio: float) -> list[AnalysisWarning]:
    """A warning where the quadratic falls short."""
    if ratio >= ENOUGH_RELIABILITY:
        return []
    text = (
        f"reliability {ratio:.2f}, below {ENOUGH_RELIABILITY:g}: the extrapolation undoes only part of what the error"
        " takes from the coefficient, and its interval covers too rarely; see attenuation's coefficient over the"
        " reliability beside it"
    )
    return [LowReliability(text)]


def _told(table: pd.DataFrame, n_failed: int, n_simulations: int) -> list[AnalysisWarning]:
    """What is worth a word about the simulations."""
    found: list[AnalysisWarning] = []
    if n_failed:
        found.append(FailedDraws(f"{n_failed} of {n_simulations} simulations could not be fitted, and are left out"))
    lost = table.loc[table["std_error"].isna(), "term"]
    if len(lost):
        found.append(
            AnalysisWarning(
                f"no interval for {first_few(map(repr, lost))}: the extrapolated variance is not positive;"
                " take more simulations"
            )
        )
    return found
