"""Survival curves as they would be were the strata alike, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.kernels.counts import interval
from analysis.kernels.times import n_times_to, reached
from analysis.robustness.confounding import curve_engines
from analysis.robustness.confounding.exposure import ExposureRows, read_exposure
from analysis.robustness.confounding.weights import BalanceWeights, check_truncate, weigh
from analysis.survival.cox import CoxFit
from analysis.survival.curves import CHOSEN_TIMES, EVENT_TIMES, QUANTILES
from analysis.survival.rows import code_column, listed, spell_warnings, times_given

__all__ = ["AdjustedCurves", "adjusted_curves"]

AdjustmentMethod = Literal["standardisation", "weighting"]
FEWEST_DRAWS = 20
MANY_FAILED = 0.05
CONF_TYPE, BOOTSTRAP = "log-log", "bootstrap"


@dataclass(frozen=True, eq=False)
class AdjustedCurves(errors.RowAccount):
    """Adjusted survival curves with bootstrap intervals, what later functions need of them, and the row account.

    Attributes
    ----------
    curves : DataFrame
        stratum, time, n_risk, n_event, n_censor, survival, std_error, conf_low, conf_high, conf_type, conf_level,
        variance, method, rows_at ("event times", "quantiles of event times" or "chosen times": what happened between
        chosen times is not in the frame, so `survival_quantile` and figures refuse it). The counts are those of the
        cohort as it is, unweighted: n_risk just before the time, the others since the row above.
    method : str
    times : ndarray, shape (m,)
        Where the curves were computed.
    survival : ndarray, shape (k, m)
        Of every stratum at every time.
    draws : ndarray, shape (b, k, m)
        The same in every resample that could be computed.
    ends : ndarray, shape (k,)
        The time at which each stratum's curve ends.
    labels : tuple of str
        The strata.
    endpoint : Endpoint
    by : str
    covariates, strata : tuple of str
    model : CoxFit or None
        The outcome model of a standardisation.
    weights : BalanceWeights or None
        The weights of a weighting.
    n_bootstrap, n_failed, seed : int
        Resamples asked for, and those among them whose curves could not be computed.
    """

    curves: pd.DataFrame
    method: AdjustmentMethod
    times: FloatArray
    survival: FloatArray
    draws: FloatArray
    ends: FloatArray
    labels: tuple[str, ...]
    endpoint: Endpoint
    by: str
    covariates: tuple[str, ...]
    strata: tuple[str, ...]
    model: CoxFit | None
    weights: BalanceWeights | None
    n_bootstrap: int
    n_failed: int
    seed: int


def adjusted_curves(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    by: str,
    method: AdjustmentMethod = "standardisation",
    strata: str | Sequence[str] | None = None,
    times: ArrayLike | None = None,
    n_bootstrap: int = 500,
    seed: int,
    conf_level: float = 0.95,
    truncate: float | None = None,
) -> AdjustedCurves:
    """Survival by stratum as it would be had everybody been in each, with bootstrap intervals.

    "standardisation" (the g-formula) fits a Cox model with an indicator of each stratum but the first and the
    covariates, and averages what it predicts over the whole cohort, put in one stratum after the other:
    S_a(t) = mean over rows i of exp(-H_s(t) exp(x_i'b + g_a)), with H the baseline (Efron) of the row's stratum of
    `strata`. "weighting" is the Kaplan-Meier curve weighted by `balance_weights`.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
    covariates : str or sequence of str
        What to adjust for: columns, or terms of a formula as in `fit_cox`.
    by : str
        Column of the strata that are compared.
    method : {"standardisation", "weighting"}
    strata : str or sequence of str, optional
        Columns to adjust for as well: in a standardisation their combinations have baselines of their own, in a
        weighting they are further covariates. With `by` among them a standardisation gives each compared stratum a
        baseline of its own, so that hazards need not be proportional between them; that costs precision.
    times : numbers, optional
        The rows of the curves; every distinct event time by default.
    n_bootstrap : int
        Resamples of the rows, the models fitted anew in each; 0 for no intervals.
    seed : int
    conf_level : float
    truncate : float, optional
        As in `balance_weights`; the limits of the cohort apply in every resample.

    Returns
    -------
    AdjustedCurves

    Raises
    ------
    CohortError, InputError
        Faults of the columns, the terms and the options.
    NotEstimable
        Fewer than two strata, no events, a stratum without events, covariates that tell the strata apart, or curves
        that fail in more than half of the resamples.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, ManyTies
        As `fit_cox`.
    ExtremeWeights, NoOverlap
        As `balance_weights`.
    BeyondFollowUp
        A time asked for lies beyond the follow-up of a stratum.
    FailedDraws
        More than a twentieth of the resamples failed.
    SuspiciousValues
        Rows that look like several spells a patient, as `kaplan_meier` says: resamples draw rows.

    Notes
    -----
    The standard error is the standard deviation over the resamples; the interval is symmetric in log(-log S), as for
    `kaplan_meier`. Curves end where the follow-up of their stratum ends, and a standardised one also where that of a
    baseline ends. Above 500 distinct event times the curves are computed at 500 quantiles of them.

    Before the first event of its stratum a weighted curve is 1 and so is its interval, as for `kaplan_meier`; where a
    few rows carry a stratum (`ExtremeWeights`) its intervals are too narrow.

    Both answer a causal question only if all confounders are measured and every kind of patient occurs in every
    stratum. A model with one hazard ratio a stratum is an approximation where the hazard follows a continuous marker.

    A standardised curve is the mean of R's ``survfit(coxph(...), newdata = )``, a weighted one ``survfit(..., weights
    = )``. Robins (1986), Mathematical Modelling 7:1393; Makuch (1982), J Chronic Dis 35:437; Cole and Hernan (2004),
    Comput Methods Programs Biomed 75:45; bootstrap: Davison and Hinkley (1997), section 5.2.

    Examples
    --------
    >>> from analysis import Endpoint
    >>> rows = {"months": range(1, 41), "died": 1, "arm": ["a", "b"] * 20, "age": [60, 60, 70, 70] * 10}
    >>> patients = pd.DataFrame(rows)
    >>> result = adjusted_curves(patients, Endpoint("months", "died"), ["age"], by="arm", n_bootstrap=20, seed=1)
    >>> result.labels, len(result.draws), result.curves.columns[:6].tolist()
    (('a', 'b'), 20, ['stratum', 'time', 'n_risk', 'n_event', 'n_censor', 'survival'])
    """
    _check_options(method, n_bootstrap, seed, conf_level, truncate)
    chosen = None if times is None else np.unique(times_given(times))
    terms, strata_names, standardised = listed(covariates), listed(strata), method == "standardisation"
    if not standardised and by in strata_names:
        raise errors.InputError(f"strata: {by!r} is what is compared; it has no place among the strata of a weighting")
    rows = _with_events(read_exposure(cohort, endpoint, terms, by=by, strata=strata_names))
    model = curve_engines.outcome_model(rows, endpoint, terms, strata_names) if standardised else None
    weights, weighting = (None, None) if standardised else weigh(cohort, rows, terms, truncate=truncate)
    ends = curve_engines.curve_ends(rows, standardised=standardised)
    grid = curve_engines.curve_times(rows, ends, chosen)
    engine = curve_engines.reweighter(rows, weighting, grid) if weighting else curve_engines.standardiser(rows, grid)
    survival = engine.curves(np.ones((1, rows.data.n_used), dtype=np.int64))[0][0]
    draws = curve_engines.drawn_curves(engine, rows.data.n_used, n_bootstrap, seed, shape=survival.shape)
    carried = (
        *rows.data.warnings,
        *_spells(cohort, endpoint, rows),
        *_of_part(model or weights),
        *_failure_warnings(n_bootstrap, len(draws)),
        *_end_warnings(chosen, ends, rows.groups.labels),
    )
    errors.warn_all(carried)
    return AdjustedCurves(
        curves=_curve_frame(rows, grid, chosen, ends, survival, draws, method=method, conf_level=conf_level),
        method=method,
        times=grid,
        survival=survival,
        draws=draws,
        ends=ends,
        labels=rows.groups.labels,
        endpoint=endpoint,
        by=by,
        covariates=terms,
        strata=strata_names,
        model=model,
        weights=weights,
        n_bootstrap=n_bootstrap,
        n_failed=n_bootstrap - len(draws),
        seed=seed,
        **rows.data.account | {"warnings": carried},
    )


def _check_options(method: str, n_bootstrap: int, seed: int, conf_level: float, truncate: float | None) -> None:
    """Refuse options that mean nothing, all at once."""
    problems = errors.choice_problems("method", method, get_args(AdjustmentMethod)) + errors.level_problems(conf_level)
    problems += errors.count_problems("n_bootstrap", n_bootstrap, low=0) + errors.count_problems("seed", seed, low=0)
    problems += [f"n_bootstrap={n_bootstrap}: 0 for no intervals, else at least {FEWEST_DRAWS}"] * (
        not problems and 0 < n_bootstrap < FEWEST_DRAWS
    )
    if truncate is not None and method == "standardisation":
        problems.append("truncate belongs to method='weighting'; a standardisation has no weights")
    errors.raise_all(problems, errors.InputError)
    if truncate is not None:
        check_truncate(truncate)


def _with_events(rows: ExposureRows) -> ExposureRows:
    """The rows; an error when a stratum has no event, for then there is nothing to adjust in it."""
    n_event = np.bincount(rows.groups.codes, rows.data.event, len(rows.groups.labels))
    without = [repr(label) for label, count in zip(rows.groups.labels, n_event, strict=True) if not count]
    if without:
        raise errors.NotEstimable(
            f"column {rows.by!r}: no events in {first_few(without)}; an adjusted curve needs some: join it with another"
        )
    return rows


def _spells(cohort: pd.DataFrame, endpoint: Endpoint, rows: ExposureRows) -> tuple[errors.AnalysisWarning, ...]:
    """Warning of rows that look like several spells a patient, as those that enter late may be."""
    if endpoint.entry is None:
        return ()
    return spell_warnings(
        cohort, endpoint, rows.data, wrong="resamples draw rows, not patients", remedy="give one row a patient"
    )


def _of_part(part: errors.RowAccount | None) -> tuple[errors.AnalysisWarning, ...]:
    """The warnings of the outcome model or the weights that say more than those of the rows."""
    carried = errors.but_for_dropped(part.warnings if part is not None else ())
    return tuple(warning for warning in carried if not isinstance(warning, errors.SuspiciousValues))


def _failure_warnings(n_bootstrap: int, n_drawn: int) -> list[errors.AnalysisWarning]:
    """Warning when more than 5 % of the resamples failed; an error when most did."""
    n_failed = n_bootstrap - n_drawn
    text = f"{n_failed} of {n_bootstrap} resamples had no adjusted curves (a stratum empty, or no finite estimate)"
    if n_failed > n_bootstrap / 2:
        raise errors.NotEstimable(
            f"{text}: too few rows or events for these covariates; adjust for less, or join strata"
        )
    if n_failed <= MANY_FAILED * n_bootstrap:
        return []
    return [errors.FailedDraws(f"{text}; the intervals rest on the others and may be too narrow")]


def _end_warnings(chosen: FloatArray | None, ends: FloatArray, labels: Sequence[str]) -> list[errors.AnalysisWarning]:
    """Warning of times asked for beyond the end of a stratum's curve."""
    if chosen is None:
        return []
    short = [
        f"{label!r} ends at {end:g}" for label, end in zip(labels, ends, strict=True) if not reached(chosen, end).all()
    ]
    text = f"times up to {chosen[-1]:g}: stratum {first_few(short)}; its rows stop there"
    return [errors.BeyondFollowUp(text)] if short else []


def _curve_frame(
    rows: ExposureRows,
    grid: FloatArray,
    chosen: FloatArray | None,
    ends: FloatArray,
    survival: FloatArray,
    draws: FloatArray,
    *,
    method: AdjustmentMethod,
    conf_level: float,
) -> pd.DataFrame:
    """The tidy frame, each stratum from time 0 to its end, with the counts of the rows as they are."""
    error = draws.std(axis=0, ddof=1) if len(draws) else np.full(survival.shape, np.nan)
    low, high = interval(survival.ravel(), error.ravel(), conf_level=conf_level, conf_type=CONF_TYPE)
    limits = {"conf_low": low.reshape(survival.shape), "conf_high": high.reshape(survival.shape)}
    columns = {"survival": survival, "std_error": error, **limits}
    wanted = np.ones(len(grid), dtype=bool) if chosen is None else np.isin(grid, np.r_[0.0, chosen])
    parts = []
    for code, end in enumerate(ends):
        shown = np.flatnonzero(wanted & reached(grid, end))
        part = _counts(rows, code, grid[shown]).assign(
            **{name: values[code, shown] for name, values in columns.items()}
        )
        part.insert(0, "stratum", code_column(np.full(len(part), code), rows.groups.labels))
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    same = np.zeros(len(table), dtype=np.int64)
    text = {
        name: code_column(same, [value], ordered=False)
        for name, value in (("variance", BOOTSTRAP), ("method", method), ("rows_at", _rows_at(rows, grid, chosen)))
    }
    conf_type = code_column(same, [CONF_TYPE], ordered=False)
    return table.assign(conf_type=conf_type, conf_level=float(conf_level), **text)


def _rows_at(rows: ExposureRows, grid: FloatArray, chosen: FloatArray | None) -> str:
    """Whether the rows stand at every step of the curves, at most of them, or where they were asked for."""
    if chosen is not None:
        return CHOSEN_TIMES
    return EVENT_TIMES if np.isin(rows.data.time[rows.data.event], grid).all() else QUANTILES


def _counts(rows: ExposureRows, code: int, times: FloatArray) -> pd.DataFrame:
    """At risk just before each time (at the first: just after 0), events and censorings since the time before it."""
    mine = rows.groups.codes == code
    time, event, entry = rows.data.time[mine], rows.data.event[mine], rows.data.entry[mine]
    left, entered = n_times_to(np.sort(time), times, side="left"), n_times_to(np.sort(entry), times, side="left")
    left[0], entered[0] = 0, (entry <= 0).sum()
    n_event, n_censor = (n_times_to(np.sort(time[event == kind]), times) for kind in (True, False))
    n_event[0] = n_censor[0] = 0
    return pd.DataFrame(
        {
            "time": times,
            "n_risk": entered - left,
            "n_event": np.diff(n_event, prepend=0),
            "n_censor": np.diff(n_censor, prepend=0),
        }
    )
