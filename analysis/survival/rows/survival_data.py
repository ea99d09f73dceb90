"""From a frame and an endpoint to arrays that an estimator can trust: the one gate of this room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import SMALLEST, Endpoint, column_problems, first_few, indicator, numbers, rows_where
from analysis.errors import AnalysisWarning, CohortError, RowAccount, SuspiciousValues, dropped_warnings, raise_all
from analysis.kernels.times import merge_near_ties
from analysis.survival.rows.arguments import check_roles, listed
from analysis.survival.rows.groups import Groups, group_rows, grouping_problems, label_problems

__all__ = [
    "Groups",
    "SurvivalData",
    "group_rows",
    "grouping_problems",
    "late_entry",
    "survival_data",
    "zero_time_warnings",
]


NOBODY_FOLLOWED = "every follow-up time is 0; nobody was followed"


@dataclass(frozen=True, eq=False)
class SurvivalData(RowAccount):
    """The complete rows of a cohort in the columns an analysis uses, in input order, near-tied times merged.

    `position` holds each row's place in the cohort; `entry` is -inf without late entry, `weights` 1 without weights;
    `warnings` begin with one `RowsDropped` when rows were dropped.
    """

    time: FloatArray
    event: BoolArray
    entry: FloatArray
    weights: FloatArray
    covariates: FloatArray
    by: Groups
    strata: Groups
    cluster: Groups
    position: IntArray


def survival_data(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    covariates: Sequence[str] = (),
    complete: Sequence[str] = (),
) -> SurvivalData:
    """Check the columns of an analysis, drop its incomplete rows and merge near-tied times.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient (or a row a spell, with entry times); never changed.
    endpoint : Endpoint
        Where the outcome is.
    by, cluster, weights : str, optional
        Columns of group labels, of cluster labels, of positive numbers.
    strata : str or sequence of str, optional
        Columns whose combinations are the strata.
    covariates : sequence of str
        Numeric columns, taken as they are.
    complete : sequence of str
        Further columns of any type that must not be missing (a formula reads them itself).

    Returns
    -------
    SurvivalData

    Raises
    ------
    CohortError
        With every fault at once: missing columns, negative or infinite times, events that are not 0/1, entry at or
        after the time, weights of zero or less, no rows left.
    InputError
        When the endpoint is none, or a role is given several columns or the outcome itself.
    """
    strata_names = listed(strata)
    check_roles(endpoint, strata_names, by=by, cluster=cluster, weights=weights)
    label_names = [name for name in (by, *strata_names, cluster) if name is not None]
    number_names = [*([weights] if weights is not None else []), *covariates]
    raise_all(column_problems(cohort, [*endpoint.columns, *label_names, *number_names, *complete]))

    columns = _numeric_columns(cohort, endpoint, number_names, by, label_names)
    kept, dropped = _complete(cohort, columns, [*label_names, *complete])
    position, used = np.flatnonzero(kept), cohort
    if len(position) < len(cohort):
        columns = {name: values[kept] for name, values in columns.items()}
        used = cohort[list(dict.fromkeys(label_names))].iloc[position]
    problems: list[str] = []
    time, entry = _times(columns, endpoint, position, problems)
    weight = _weights(columns, weights, position, problems)
    raise_all(problems)
    return SurvivalData(
        time=time,
        event=columns[endpoint.event] == 1,
        entry=entry,
        weights=weight,
        covariates=np.array([columns[name] for name in covariates]).T if covariates else np.empty((len(time), 0)),
        by=group_rows(used, [by] if by is not None else []),
        strata=group_rows(used, strata_names),
        cluster=group_rows(used, [cluster] if cluster is not None else []),
        position=position,
        n_read=len(cohort),
        n_used=len(time),
        dropped=dropped,
        warnings=(
            *dropped_warnings(len(cohort), len(time), dropped),
            *zero_time_warnings(int(((time == 0) & (columns[endpoint.event] == 0)).sum()), endpoint),
        ),
    )


def _numeric_columns(
    cohort: pd.DataFrame, endpoint: Endpoint, number_names: Sequence[str], by: str | None, label_names: Sequence[str]
) -> dict[str, FloatArray]:
    """The columns of the outcome and of numbers as arrays; raises with every fault of theirs, and of the labels."""
    problems: list[str] = []
    columns = _outcome_columns(cohort, endpoint, problems)
    columns |= {name: numbers(cohort, name, problems) for name in number_names}
    for name in dict.fromkeys(label_names):
        problems += grouping_problems(cohort[name]) if name == by else label_problems(cohort[name])
    raise_all(problems)
    return columns


def _outcome_columns(cohort: pd.DataFrame, endpoint: Endpoint, problems: list[str]) -> dict[str, FloatArray]:
    """The outcome's columns as arrays, their faults added to `problems`."""
    columns = {endpoint.duration: numbers(cohort, endpoint.duration, problems, role="time column")}
    columns[endpoint.event] = indicator(cohort, endpoint.event, problems)
    if endpoint.entry is not None:
        columns[endpoint.entry] = numbers(cohort, endpoint.entry, problems, role="entry column")
    for name, role in ((endpoint.duration, "time"), (endpoint.entry, "entry")):
        if name is not None:
            negative = columns[name] < 0
            if negative.any():
                values = first_few(f"{value:g}" for value in columns[name][negative])
                problems.append(f"{role} column {name!r}: negative values ({values}) in {rows_where(negative)}")
    return columns


def _complete(
    cohort: pd.DataFrame, columns: dict[str, FloatArray], label_names: Sequence[str]
) -> tuple[BoolArray, dict[str, int]]:
    """Which rows miss nothing, and how many of the others miss what (a row counts once); raises when none is left."""
    missing = {name: np.isnan(values) for name, values in columns.items()}
    missing |= {name: cohort[name].isna().to_numpy(dtype=bool) for name in label_names}
    kept = np.ones(len(cohort), dtype=bool)
    dropped = {}
    for name, absent in missing.items():
        newly = int((absent & kept).sum())
        if newly:
            dropped[f"missing {name}"] = newly
        kept &= ~absent
    if not kept.any():
        reasons = ", ".join(f"{count} dropped for {reason}" for reason, count in dropped.items())
        raise CohortError(f"no rows left: {reasons}")
    return kept, dropped


def _times(
    columns: dict[str, FloatArray], endpoint: Endpoint, position: IntArray, problems: list[str]
) -> tuple[FloatArray, FloatArray]:
    """Follow-up and entry times with near-ties merged; somebody was followed, and entry comes before the end."""
    time = columns[endpoint.duration]
    if not time.any():
        problems.append(f"time column {endpoint.duration!r}: {NOBODY_FOLLOWED}")
    if endpoint.entry is None:
        return merge_near_ties(time)[0], np.full(len(time), -np.inf)
    time, entry = merge_near_ties(time, columns[endpoint.entry])
    late = entry >= time
    if late.any():
        problems.append(
            f"entry column {endpoint.entry!r}: entry is at or after {endpoint.duration!r}"
            f" in {_rows_of(position[late])}; a row must come under observation before it ends"
        )
    return time, entry


def _weights(
    columns: dict[str, FloatArray], weights: str | None, position: IntArray, problems: list[str]
) -> FloatArray:
    """Positive weights; 1 for every row without them."""
    if weights is None:
        return np.ones(len(position))
    unfit, tiny = columns[weights] <= 0, (columns[weights] > 0) & (columns[weights] < SMALLEST)
    if unfit.any():
        problems.append(
            f"weights column {weights!r}: zero or negative in {_rows_of(position[unfit])}; weights must be positive"
        )
    if tiny.any():
        problems.append(
            f"weights column {weights!r}: below {SMALLEST:g} in {_rows_of(position[tiny])}, too small to compute with;"
            " leave such rows out"
        )
    return columns[weights]


def _rows_of(position: IntArray) -> str:
    """How many rows are wrong and which, from their places in the cohort."""
    return rows_where(np.isin(np.arange(position.max() + 1), position))


def late_entry(data: SurvivalData) -> FloatArray | None:
    """Entry times, or None when everybody is under observation from the start."""
    return None if np.isneginf(data.entry).all() else data.entry


def zero_time_warnings(count: int, endpoint: Endpoint) -> tuple[AnalysisWarning, ...]:
    """A word on rows whose follow-up ended at time 0 without an event: they are kept and at risk at 0 only."""
    if not count:
        return ()
    text = f"time column {endpoint.duration!r}: {count} row{'s' if count > 1 else ''} censored at time 0, kept"
    return (SuspiciousValues(text),)
