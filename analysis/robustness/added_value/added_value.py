"""What a marker adds to what is known without it: two models' performance, corrected for optimism."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, with_columns
from analysis.errors import InputError, NotSupported, RowAccount, raise_all, warn_all
from analysis.kernels.tails import normal_quantile
from analysis.robustness.added_value.measures import (
    AT_A_TIME,
    OVERALL,
    CalibrationScale,
    Key,
    Measures,
    Outcome,
)
from analysis.robustness.added_value.models import ModelPair, as_formula
from analysis.robustness.added_value.optimism import (
    Draw,
    draw_optimism,
    failure_warnings,
    measured_pair,
    outcome_of,
    pair_benefits,
    refuse_empty,
)
from analysis.strata.marker_designs import adjust_problems
from analysis.survival.cox import CoxFit, fit_cox, read_design
from analysis.survival.prediction import predict_survival
from analysis.survival.rows import check_endpoint, late_entry, listed, times_given

MODELS = ("without_marker", "with_marker")
SIDES = (*MODELS, "difference")
STRATEGIES = (*MODELS, "treat all", "treat none")
THRESHOLDS = tuple(round(0.01 * percent, 2) for percent in range(1, 100))
CURVE_POINTS = 60
T = TypeVar("T", float, FloatArray)


@dataclass(frozen=True, eq=False)
class AddedValue(RowAccount):
    """The performance of the models without and with a marker.

    Attributes
    ----------
    performance : DataFrame
        A row a measure and time (NaN for the whole follow-up): measure, time, and for each of without_marker,
        with_marker and difference (with less without) the estimate corrected for optimism, then, with the name before
        them, _apparent (in the rows fitted), _optimism (apparent less corrected), _std_error, _conf_low, _conf_high.
    calibration : DataFrame
        model, time, predicted, observed, conf_low, conf_high: the smooth curve of observed on predicted risks of the
        rows that were fitted.
    net_benefit : DataFrame
        threshold, strategy ("without_marker", "with_marker", "treat all", "treat none"), time, net_benefit (corrected),
        apparent.
    risks : DataFrame
        A row a patient used: row (position in the cohort), and for each model and time the apparent risk, as
        model, time, risk.
    without_marker, with_marker : CoxFit
    cut : float
        The searched cut; NaN without a search.
    times, n_bootstrap, n_failed, seed, conf_level
        The options, and how many resamples could not be fitted; and the row account.
    """

    performance: pd.DataFrame
    calibration: pd.DataFrame
    net_benefit: pd.DataFrame
    risks: pd.DataFrame
    without_marker: CoxFit = field(repr=False)
    with_marker: CoxFit = field(repr=False)
    cut: float
    times: tuple[float, ...]
    n_bootstrap: int
    n_failed: int
    seed: int
    conf_level: float


def added_value(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    base: str | Sequence[str],
    marker: str,
    *,
    times: ArrayLike,
    seed: int,
    n_bootstrap: int = 200,
    strata: str | Sequence[str] | None = None,
    search_cut: bool = False,
    thresholds: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> AddedValue:
    """How much better outcomes are predicted with the marker than without it.

    Two Cox models, of `base` and of `base` and `marker`, predict the risk of the event by each time. What they predict
    of the rows that they were fitted to is too good; so both are fitted anew in resamples of the rows (a searched cut
    is searched anew, knots are placed anew), and what they lose from the resample to all rows, on average, is taken
    off.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
        Without entry times.
    base : str or sequence of str
        What is known without the marker: a formula's right-hand side, or columns and terms.
    marker : str
        A numeric or categorical column, or terms of a formula ("cr(magnesium, df=3)").
    times : number or sequence of numbers
        Horizons, beyond which somebody is followed in each stratum.
    seed : int
        The same rows, in any order, with the same seed give the same resamples, serial or in parallel.
    n_bootstrap : int
        Resamples; with 0, estimates are apparent ones.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard, and a distribution of censoring times, of their own.
    search_cut : bool
        Put in place of the marker whether it lies above the cut with the largest log-rank statistic.
    thresholds : sequence of float, optional
        Risks above which one would act; 0.01 to 0.99 by default.
    conf_level : float

    Returns
    -------
    AddedValue

    Raises
    ------
    CohortError, InputError
        Faults of columns, formulas and options.
    NotEstimable
        As `fit_cox`; no case or nobody followed beyond a time; more than half of the resamples without a model.
    NotSupported
        Entry times.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column of either model.
    FailedDraws
        When more than 5 % of the resamples have no model.

    Notes
    -----
    Measures: concordance (Harrell's, within strata) and calibration_slope over the whole follow-up; at each time auc
    (cases against those followed beyond it), brier, ipa (1 - brier over that of Kaplan-Meier's risk for everybody),
    observed_over_expected, and ici (mean distance of predicted from smoothly observed risks; no standard error but
    that of the resamples). Censored rows are weighed in by 1 / G, G the reverse Kaplan-Meier curve, cases at their own
    time. Standard errors are infinitesimal-jackknife ones of the apparent measure, the models taken as they are, G
    estimated; intervals lie around the corrected estimate.

    The estimates as R's ``riskRegression::Score(list(fit0, fit1), Surv(time, event) ~ 1, data, times =, cens.model =
    "km", summary = "ipa")``; its errors are the same to within a few parts in a thousand. Gerds and Schumacher (2006),
    Biometrical Journal 48:1029; Blanche et al. (2013), Statistics in Medicine 32:5381; Vickers et al. (2008), BMC
    Medical Informatics 8:53 for net benefit; Harrell et al. (1996), Statistics in Medicine 15:361 for the correction;
    Noma et al. (2021), Statistics in Medicine 40:5691 for its intervals; Austin et al. (2020), Statistics in Medicine
    39:2714 for the smooth calibration curve.

    Examples
    --------
    >>> from analysis import Endpoint, added_value, load_example
    >>> lung = load_example("lung").dropna(subset=["ecog"])
    >>> survival = Endpoint("os_days", "os_event")
    >>> added = added_value(lung, survival, "age + sex", "ecog", times=365, n_bootstrap=0, seed=1)
    >>> auc = added.performance.set_index("measure").loc["auc"]
    >>> auc[["without_marker", "with_marker", "difference"]].astype(float).round(4).tolist()
    [0.5981, 0.6474, 0.0493]
    """
    horizons = np.unique(times_given(times))
    chosen = _checked_thresholds(thresholds)
    _check_options(endpoint, n_bootstrap, seed, conf_level)
    rows, position, pair, account = _read(cohort, endpoint, base, marker, listed(strata), search_cut=search_cut)
    fitted = pair.fitted(rows)
    outcome = outcome_of(fitted, horizons)
    refuse_empty(outcome, fitted)
    apparent = measured_pair(fitted, outcome, rows, outcome.shares)
    benefit = pair_benefits(outcome, apparent, chosen)
    drawn = draw_optimism(pair, rows, outcome, chosen, n_bootstrap=n_bootstrap, seed=seed)
    warnings = (*account.warnings, *failure_warnings(n_bootstrap, n_bootstrap - len(drawn)))
    warn_all(warnings)
    return AddedValue(
        performance=_performance(apparent, drawn, horizons, conf_level),
        calibration=_calibration(outcome, apparent, conf_level),
        net_benefit=_benefit_frame(benefit, drawn, horizons, chosen),
        risks=_risk_frame(apparent, position, horizons),
        without_marker=fitted.fits[0],
        with_marker=fitted.fits[1],
        cut=fitted.cut,
        times=tuple(horizons.tolist()),
        n_bootstrap=n_bootstrap,
        n_failed=n_bootstrap - len(drawn),
        seed=seed,
        conf_level=conf_level,
        **{**account.account, "warnings": warnings},
    )


def _check_options(endpoint: Endpoint, n_bootstrap: int, seed: int, conf_level: float) -> None:
    """Errors on options, all at once."""
    check_endpoint(endpoint)
    problems = errors.count_problems("n_bootstrap", n_bootstrap, low=0) + errors.count_problems("seed", seed, low=0)
    raise_all(problems + errors.level_problems(conf_level), InputError)
    if endpoint.entry is not None:
        raise NotSupported("added_value: not defined with entry times; take rows that are followed from the start")


def _checked_thresholds(thresholds: ArrayLike | None) -> FloatArray:
    """Thresholds of risk in ascending order."""
    if thresholds is None:
        return np.array(THRESHOLDS)
    given = np.atleast_1d(np.asarray(thresholds))
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf" or not ((given > 0) & (given < 1)).all():
        raise InputError(f"thresholds={thresholds!r} must be risks between 0 and 1, as [0.1, 0.2]")
    return np.unique(given.astype(np.float64))


def _read(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    base: str | Sequence[str],
    marker: str,
    strata: tuple[str, ...],
    *,
    search_cut: bool,
) -> tuple[pd.DataFrame, IntArray, ModelPair, RowAccount]:
    """The rows complete in both models in an order that does not depend on theirs, their positions, the models."""
    if marker not in cohort.columns and (not isinstance(marker, str) or not marker):
        raise InputError(f"marker={marker!r}: give a column, or terms of a formula")
    terms = [base] if isinstance(base, (str, int)) else list(base)
    raise_all(adjust_problems(marker, terms, argument="base"), InputError)
    if search_cut and marker not in cohort.columns:
        raise InputError(f"search_cut: the marker {marker!r} is no column; a cut is searched in one")
    formula = as_formula(base, cohort)
    design = read_design(cohort, endpoint, f"{formula} + {as_formula(marker, cohort)}", strata=strata)
    data = design.data
    if late_entry(data) is not None:
        raise NotSupported("added_value: not defined with entry times; take rows that are followed from the start")
    order = np.lexsort((*design.x.T, data.strata.codes_as_text, data.event, data.time))
    position = data.position[order]
    outcome = {endpoint.duration: data.time[order], endpoint.event: data.event[order].astype(np.int64)}
    rows = with_columns(cohort.iloc[position], outcome)
    return rows, position, ModelPair(endpoint, formula, marker, strata, search_cut), data


def _performance(
    apparent: tuple[Measures, Measures], drawn: list[Draw], horizons: FloatArray, conf_level: float
) -> pd.DataFrame:
    """A row a measure and time."""
    keys: list[Key] = [(name, None) for name in OVERALL]
    keys += [(name, number) for name in AT_A_TIME for number in range(len(horizons))]
    records = []
    for key in keys:
        name, number = key
        record: dict[str, object] = {"measure": name, "time": float("nan") if number is None else horizons[number]}
        for side in SIDES:
            record |= {
                f"{side}{part}": value for part, value in _estimate(apparent, drawn, key, side, conf_level).items()
            }
        records.append(record)
    return pd.DataFrame(records)


def _estimate(
    apparent: tuple[Measures, Measures], drawn: list[Draw], key: Key, side: str, conf_level: float
) -> Mapping[str, float]:
    """One measure of one model, or of their difference: corrected, apparent, optimism, error, limits."""
    value = _of_side(side, *(one.values[key] for one in apparent))
    optimism = (
        float(np.mean([_of_side(side, *(part[key] for part in draw.optimism)) for draw in drawn])) if drawn else 0.0
    )
    corrected = value - optimism
    if key[0] == "ici":
        spread = [_of_side(side, *(part[key] for part in draw.apparent)) for draw in drawn]
        std_error = float(np.std(spread, ddof=1)) if len(spread) > 1 else float("nan")
    else:
        moved = _of_side(side, *(one.influences[key] for one in apparent))
        std_error = float(np.sqrt(moved @ moved))
    reach = normal_quantile(conf_level) * std_error
    least = 0.0 if key[0] == "ici" and side in MODELS else -np.inf
    return {
        "": corrected,
        "_apparent": value,
        "_optimism": optimism if drawn else float("nan"),
        "_std_error": std_error,
        "_conf_low": max(corrected - reach, least),
        "_conf_high": corrected + reach,
    }


def _of_side(side: str, without: T, with_marker: T) -> T:
    """What belongs to one model, or to the difference of both."""
    return {"without_marker": without, "with_marker": with_marker}.get(side, with_marker - without)


def _risk_frame(apparent: tuple[Measures, Measures], position: IntArray, horizons: FloatArray) -> pd.DataFrame:
    """A row a patient, model and time."""
    n, m = apparent[0].risk.shape
    parts = [
        pd.DataFrame(
            {
                "row": np.repeat(position, m),
                "model": model,
                "time": np.tile(horizons, n),
                "risk": measured.risk.ravel(),
            }
        )
        for model, measured in zip(MODELS, apparent, strict=True)
    ]
    return pd.concat(parts, ignore_index=True).sort_values(["row", "model", "time"], ignore_index=True)


def _benefit_frame(
    benefit: FloatArray, drawn: list[Draw], horizons: FloatArray, thresholds: FloatArray
) -> pd.DataFrame:
    """A row a threshold, strategy and time; nobody's treatment has no benefit."""
    gains = np.mean([draw.benefit for draw in drawn], axis=0) if drawn else np.zeros_like(benefit)
    gains[2] = 0.0  # everybody's treatment is fitted to nothing
    parts = []
    for strategy, apparent, gain in zip(
        STRATEGIES, [*benefit, np.zeros_like(benefit[0])], [*gains, np.zeros_like(benefit[0])], strict=True
    ):
        for number, horizon in enumerate(horizons):
            corrected = apparent[number] - gain[number]
            columns = {"net_benefit": corrected, "apparent": apparent[number]}
            parts.append(pd.DataFrame({"threshold": thresholds, "strategy": strategy, "time": horizon, **columns}))
    return pd.concat(parts, ignore_index=True)


def _calibration(outcome: Outcome, apparent: tuple[Measures, Measures], conf_level: float) -> pd.DataFrame:
    """The smooth curve of observed on predicted risks, of each model at each time, between its extreme percentiles."""
    parts = []
    for model, measured in zip(MODELS, apparent, strict=True):
        for number, horizon in enumerate(outcome.horizons):
            risk = measured.risk[:, number]
            if np.ptp(risk) == 0:
                continue
            low, high = np.quantile(risk, [0.01, 0.99]).tolist()
            grid = np.linspace(low, high, CURVE_POINTS)
            parts.append(_calibration_curve(outcome, risk, grid, float(horizon), conf_level).assign(model=model))
    columns = ["model", "time", "predicted", "observed", "conf_low", "conf_high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _calibration_curve(
    outcome: Outcome, risk: FloatArray, grid: FloatArray, horizon: float, conf_level: float
) -> pd.DataFrame:
    """One of them, from a Cox model of a spline of the risks."""
    scale = CalibrationScale.of(risk)
    basis, wanted = scale.basis(risk), scale.basis(grid)
    names = [f"spline {number}" for number in range(1, basis.shape[1] + 1)]
    rows = pd.DataFrame(basis, columns=names).assign(time=outcome.time, event=outcome.event.astype(np.int64))
    with errors.collected():
        fit = fit_cox(rows, Endpoint("time", "event"), names, engine="kernel")
        curve = predict_survival(fit, pd.DataFrame(wanted, columns=names), horizon, conf_level=conf_level)
    limits = {"conf_low": 1 - curve["conf_high"], "conf_high": 1 - curve["conf_low"]}
    return pd.DataFrame({"time": horizon, "predicted": grid, "observed": 1 - curve["survival"], **limits})
