"""The imputation model: the columns to impute on the scale on which they are drawn, and what predicts them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, holds_numbers, numbers, rows_where
from analysis.errors import CohortError, InputError, NotEstimable, raise_all
from analysis.kernels.counts import count
from analysis.kernels.cox import cox_problem, fit_problem, martingale_residuals, risk_sets
from analysis.robustness.time_varying import counted
from analysis.survival.cox import formula_columns, read_term_design
from analysis.survival.rows import SurvivalData, group_rows, late_entry, survival_data

NUMBER, LOGARITHM, INDICATOR, CATEGORY = "number", "logarithm", "0/1", "category"
_LOGARITHM = re.compile(r"(?:np\.)?log(?:2|10)?\((\w+|`[^`]+`)\)")


@dataclass(frozen=True, eq=False)
class ImputedColumn:
    """One column to impute, on the scale on which it is drawn.

    Attributes
    ----------
    term : str
        As asked for: a column, or its logarithm.
    name : str
        The column.
    kind : str
        "number", "logarithm", "0/1" or "category".
    drawn : ndarray, shape (n, k)
        The values as they are drawn, NaN where missing: the number, its logarithm, an indicator, or one indicator for
        each label but the first.
    missing : ndarray of bool, shape (n,)
    labels : tuple of str
        Of a category, in stratum order.
    """

    term: str
    name: str
    kind: str
    drawn: FloatArray
    missing: BoolArray
    labels: tuple[str, ...] = ()

    @property
    def is_label(self) -> bool:
        """Whether it is drawn by a logistic regression: 0/1, or labels."""
        return self.kind in (INDICATOR, CATEGORY)

    def completed(self, column: pd.Series, draws: FloatArray, position: IntArray, delta: float = 0.0) -> pd.Series:
        """The column with its missing values filled from the draws, plus `delta` in its own unit.

        Parameters
        ----------
        column : Series
            As in the cohort.
        draws : ndarray, shape (m, k)
            On the scale of `drawn`; known values among them.
        position : ndarray of int, shape (m,)
            The positions of the rows in the cohort; others stay missing.
        delta : float

        Returns
        -------
        Series
            Known values as they were.
        """
        wanted = self.missing[position]
        if not wanted.any():
            return column
        filled, values, position = column.copy(), draws[wanted], position[wanted]
        if self.labels:
            known = column.dropna()
            value_of = dict(zip(group_rows(known.to_frame(), [self.name]).codes.tolist(), known, strict=True))
            codes = values @ np.arange(1.0, values.shape[1] + 1)
            filled.iloc[position] = [value_of[code] for code in codes.astype(np.int64).tolist()]
            return filled
        drawn = values[:, 0]
        if not self.is_label:
            drawn = (np.exp(drawn) if self.kind == LOGARITHM else drawn) + delta
        numeric = numbers(column.to_frame(), self.name, [])
        numeric[position] = drawn
        return pd.Series(numeric, column.index, name=self.name)


def column_of(term: str) -> str:
    """The column that a term to impute names: itself, or what its logarithm is taken of.

    Examples
    --------
    >>> column_of("log2(crp)"), column_of("crp")
    ('crp', 'crp')
    """
    logarithm = _LOGARITHM.fullmatch(str(term).strip())
    return logarithm[1].strip("`") if logarithm else term


def read_columns(cohort: pd.DataFrame, terms: Sequence[str]) -> list[ImputedColumn]:
    """Every column to impute on its scale.

    Raises
    ------
    CohortError
        Missing columns, columns without any value, infinite values, logarithms of zero or less.
    NotEstimable
        Columns whose known values are all the same, so that nothing can be learnt of them.
    """
    raise_all(column_problems(cohort, []))
    names = [term if term in cohort else column_of(term) for term in terms]
    raise_all(column_problems(cohort, names))
    problems: list[str] = []
    columns = [_read_one(cohort, term, name, problems) for term, name in zip(terms, names, strict=True)]
    raise_all(problems, CohortError)
    flat = [column.name for column in columns if (np.nanmin(column.drawn, 0) == np.nanmax(column.drawn, 0)).any()]
    raise_all([f"column {name!r}: every known value is the same; leave it out" for name in flat], NotEstimable)
    return columns


def _read_one(cohort: pd.DataFrame, term: str, name: str, problems: list[str]) -> ImputedColumn:
    """One column on its scale; adds to `problems` why it cannot be."""
    column = cohort[name]
    missing = column.isna().to_numpy(dtype=bool)
    if missing.all():
        problems.append(f"column {name!r}: no value is known; a column missing throughout cannot be imputed")
        return ImputedColumn(term, name, NUMBER, np.zeros((len(column), 1)), missing)
    if name == term and not holds_numbers(column):
        return _read_labels(column, name, missing)
    values = numbers(cohort, name, problems)
    if name != term:
        unfit = values <= 0
        if unfit.any():
            problems.append(f"column {name!r}: zero or negative in {rows_where(unfit)}, and {term} was asked for")
        return ImputedColumn(term, name, LOGARITHM, np.log(np.where(unfit, 1.0, values))[:, None], missing)
    kind = INDICATOR if np.isin(values[~missing], (0, 1)).all() else NUMBER
    return ImputedColumn(term, name, kind, values[:, None], missing)


def _read_labels(column: pd.Series, name: str, missing: BoolArray) -> ImputedColumn:
    """A column of labels: one indicator for each but the first."""
    groups = group_rows(column[~missing].to_frame(), [name])
    drawn = np.full((len(column), max(len(groups.labels) - 1, 1)), np.nan)
    drawn[~missing] = groups.codes[:, None] == np.arange(1, drawn.shape[1] + 1)
    return ImputedColumn(name, name, CATEGORY if len(groups.labels) > 2 else INDICATOR, drawn, missing, groups.labels)


@dataclass(frozen=True, eq=False)
class ImputationRows:
    """The columns to impute, the rows with a known outcome, and the imputation model's predictors in canonical order.

    `position` has the positions of the rows in the cohort, in the order of `drawn` (one array a column to impute) and
    of `x`.
    """

    columns: list[ImputedColumn]
    data: SurvivalData
    drawn: list[FloatArray]
    x: FloatArray
    position: IntArray


def read_rows(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    columns: list[ImputedColumn],
    predictors: Sequence[str],
    strata: Sequence[str] = (),
    others: Sequence[Endpoint] = (),
) -> ImputationRows:
    """Check the outcomes and the predictors, and build the imputation model's predictors.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    columns : list of ImputedColumn
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
    imputed = [name for name in strata if name in {column.name for column in columns}]
    raise_all([f"strata: {name!r} is imputed; name it among the predictors instead" for name in imputed], InputError)
    kept = _complete_predictors(cohort, columns, tuple(dict.fromkeys([*predictors, *strata])))
    design = read_term_design(cohort, endpoint, kept, strata=strata) if kept else None
    data = design.data if design else survival_data(cohort, endpoint)
    x = design.x if design else np.empty((data.n_used, 0))
    if not data.event.any():
        raise NotEstimable(
            f"no events among {data.n_used} rows: the event is part of the imputation model, and there is none"
        )
    outcomes = [_outcome(data, x)]
    outcomes += [_further_outcome(cohort.iloc[data.position], other, endpoint, strata, x) for other in others]
    drawn = [column.drawn[data.position] for column in columns]
    predicting = np.column_stack([x, *outcomes])
    n_known = min(int((~column.missing[data.position]).sum()) for column in columns)
    n_coefficients = predicting.shape[1] + sum(column.shape[1] for column in drawn)
    if n_known <= n_coefficients + 1:
        raise NotEstimable(
            f"{n_known} known values for an imputation model of {n_coefficients} coefficients; take fewer predictors"
        )
    order = np.lexsort([data.time, *np.column_stack([*drawn, predicting]).T])
    return ImputationRows(columns, data, [column[order] for column in drawn], predicting[order], data.position[order])


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


def _complete_predictors(cohort: pd.DataFrame, columns: list[ImputedColumn], predictors: Sequence[str]) -> list[str]:
    """The predictors that are not imputed themselves; errors on incomplete ones, and on terms made of imputed ones."""
    imputed, problems = {column.name for column in columns}, []
    kept = [term for term in predictors if term not in imputed | {column.term for column in columns}]
    for term in kept:
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
    codes, n_strata = data.strata.codes, len(data.strata.labels)
    counts = count(data.time, data.event, entry=late_entry(data), segment=codes, n_segments=n_strata)
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
