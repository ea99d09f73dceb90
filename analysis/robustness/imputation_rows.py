"""The rows of an imputation model: what is to be imputed, the predictors, the events and their cumulative hazards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cohort.columns import FloatArray, IntArray, column_problems
from analysis.cohort.endpoints import Endpoint
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.kernels.counts.counting import count
from analysis.kernels.cox.likelihood import cox_problem, fit_problem
from analysis.kernels.cox.residuals import martingale_residuals
from analysis.kernels.cox.risk_sets import risk_sets
from analysis.robustness.missing.columns import ImputedColumn
from analysis.robustness.time_varying.samples import counted
from analysis.survival.cox.design import formula_columns, read_term_design
from analysis.survival.rows.survival_data import SurvivalData, survival_data


@dataclass(frozen=True, eq=False)
class ImputationRows:
    """The columns to impute, the rows with a known outcome, and the imputation model's predictors in canonical order.

    `place` has the rows' places in the cohort, in the order of `drawn` (one array a column to impute) and `x`.
    """

    held: list[ImputedColumn]
    data: SurvivalData
    drawn: list[FloatArray]
    x: FloatArray
    place: IntArray


def read_rows(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    held: list[ImputedColumn],
    predictors: Sequence[str],
    strata: Sequence[str] = (),
    others: Sequence[Endpoint] = (),
) -> ImputationRows:
    """Check the outcomes and the predictors, and build the imputation model's predictors.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    held : list of ImputedColumn
    predictors : sequence of str
        Columns or formula terms.
    strata : sequence of str
        Columns whose combinations have a baseline hazard of their own.
    others : sequence of Endpoint
        Further outcomes, known in every row whose `endpoint` is.

    Returns
    -------
    ImputationRows

    Raises
    ------
    CohortError, InputError
        Faults of the outcomes' columns; predictors, strata or further outcomes that are incomplete, or made from a
        column that is imputed.
    NotEstimable
        No events; fewer known values than coefficients.
    """
    imputed = [name for name in strata if name in {column.name for column in held}]
    raise_all([f"strata: {name!r} is imputed; name it among the predictors instead" for name in imputed], InputError)
    kept = _complete_predictors(cohort, held, tuple(dict.fromkeys([*predictors, *strata])))
    data, x = _design(cohort, endpoint, kept, strata)
    if not data.event.any():
        raise NotEstimable(
            f"no events among {data.n_used} rows: the event is part of the imputation model, and there is none"
        )
    outcomes = [_outcome(data, x)]
    outcomes += [_further_outcome(cohort.iloc[data.position], other, endpoint, strata, x) for other in others]
    drawn = [column.drawn[data.position] for column in held]
    predicting = np.column_stack([x, *outcomes])
    n_known = min(int((~column.missing[data.position]).sum()) for column in held)
    n_coefficients = predicting.shape[1] + sum(column.shape[1] for column in drawn)
    if n_known <= n_coefficients + 1:
        raise NotEstimable(
            f"{n_known} known values for an imputation model of {n_coefficients} coefficients; take fewer predictors"
        )
    order = np.lexsort([data.time, *np.column_stack([*drawn, predicting]).T])
    return ImputationRows(held, data, [column[order] for column in drawn], predicting[order], data.position[order])


def _design(
    cohort: pd.DataFrame, endpoint: Endpoint, terms: Sequence[str], strata: Sequence[str]
) -> tuple[SurvivalData, FloatArray]:
    """The outcome of every row with one, and the columns of the predictors."""
    if terms:
        design = read_term_design(cohort, endpoint, terms, strata=strata)
        return design.data, design.x
    data = survival_data(cohort, endpoint)
    return data, np.empty((data.n_used, 0))


def _further_outcome(
    rows: pd.DataFrame, other: Endpoint, endpoint: Endpoint, strata: Sequence[str], x: FloatArray
) -> FloatArray:
    """What a further outcome tells; an error where it is not known in all rows."""
    data = survival_data(rows, other, strata=list(strata) or None)
    n_missing = len(rows) - data.n_used
    if n_missing:
        raise InputError(
            f"other_endpoints: {other.name!r} is missing in {counted(n_missing, 'row')} with a known {endpoint.name!r};"
            " leave out the endpoint, or these rows"
        )
    return _outcome(data, x)


def _outcome(data: SurvivalData, x: FloatArray) -> FloatArray:
    """What an outcome tells of a missing value: the event and two cumulative hazards."""
    return np.column_stack([data.event, hazard_at(data), expected_events(data, x)])


def _complete_predictors(cohort: pd.DataFrame, held: list[ImputedColumn], predictors: Sequence[str]) -> list[str]:
    """The predictors that are not imputed themselves; errors on incomplete ones, and on terms made of imputed ones."""
    imputed, as_given = {column.name for column in held}, {column.term for column in held}
    kept, problems = [], []
    for term in predictors:
        if term in as_given or term in imputed:
            continue
        names = formula_columns([term], cohort)
        wrong = column_problems(cohort, names)
        problems += wrong
        for name in () if wrong else names:
            n_missing = int(cohort[name].isna().sum())
            if name in imputed:
                problems.append(
                    f"predictors: {term!r} is made from {name!r}, which is imputed; name {term!r} in columns where it"
                    " is a logarithm, else leave it out"
                )
            elif n_missing:
                problems.append(
                    f"predictors: {name!r} has {counted(n_missing, 'missing value')}; name {term!r} in columns, to"
                    " impute it too"
                )
        kept.append(term)
    raise_all(list(dict.fromkeys(problems)), InputError)
    return kept


def hazard_at(data: SurvivalData) -> FloatArray:
    """The Nelson-Aalen cumulative hazard at each row's time, less that at its entry, within its stratum.

    Parameters
    ----------
    data : SurvivalData

    Returns
    -------
    ndarray, shape (n,)
        The sum of events over numbers at risk at times after entry and up to the row's own.
    """
    entry = data.entry if np.isfinite(data.entry).any() else None
    codes, n_strata = data.strata.codes, len(data.strata.labels)
    counts = count(data.time, data.event, entry=entry, segment=codes, n_segments=n_strata)
    hazard = np.empty(data.n_used)
    for code, part in enumerate(counts.segments):
        here = codes == code
        steps = counts.n_event[part, 0] / np.maximum(counts.n_risk[part, 0], 1)
        so_far = np.concatenate([[0.0], np.cumsum(steps)])
        until, before = (
            np.searchsorted(counts.time[part], times[here], side="right") for times in (data.time, data.entry)
        )
        hazard[here] = so_far[until] - so_far[before]
    return hazard


def expected_events(data: SurvivalData, x: FloatArray) -> FloatArray:
    """The cumulative hazard of each row by a Cox model of the predictors: events expected of it until its time.

    Parameters
    ----------
    data : SurvivalData
    x : ndarray, shape (n, p)

    Returns
    -------
    ndarray, shape (n, 1) or (n, 0)
        No column where there is no such model: no predictors, or none that can be estimated.
    """
    sets = risk_sets(data.time, data.event, entry=data.entry, strata=data.strata.codes)
    varying = np.isfinite(cox_problem(x, sets).scale) if x.shape[1] else np.zeros(0, dtype=bool)
    problem = cox_problem(x[:, varying], sets)
    coef = fit_problem(problem)[0] if varying.any() else np.full(1, np.nan)
    if np.isnan(coef).any():
        return np.empty((data.n_used, 0))
    return (data.event - martingale_residuals(problem, coef * problem.scale, data.n_used))[:, None]
