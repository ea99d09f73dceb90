"""A cohort as counts, which is all that curves and log-rank tests need: many rows straight from their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import IntArray
from analysis.cohort.columns import Endpoint, column_problems, holds_numbers, plain_numbers
from analysis.errors import RowAccount, dropped_warnings, raise_all
from analysis.kernels.counts import MANY_ROWS, Counts, Exits, count, count_exits, counts_of
from analysis.survival.rows.arguments import check_roles, listed
from analysis.survival.rows.groups import MOST_NUMERIC_GROUPS, Coded, Groups, coded, group_rows, labels_of
from analysis.survival.rows.survival_data import SurvivalData, late_entry, survival_data, zero_time_warnings


@dataclass(frozen=True, eq=False)
class Compared(RowAccount):
    """The groups of counted rows, and the account of the rows."""

    labels: tuple[str, ...]
    sizes: IntArray


def compared(data: SurvivalData) -> Compared:
    """The groups of checked data."""
    sizes = np.bincount(data.by.codes, minlength=len(data.by.labels))
    return Compared(data.by.labels, sizes, **data.account)


def counted_groups(
    cohort: pd.DataFrame, endpoint: Endpoint, *, by: str, strata: str | Sequence[str] | None = None
) -> tuple[Counts, Compared]:
    """The counts of a test, groups as columns and strata as segments, and the groups; columns are checked."""
    found = _pass(cohort, endpoint, by, listed(strata))
    if found is not None:
        return counts_of(found.exits, n_segments=found.n_segments), found.groups
    data = survival_data(cohort, endpoint, by=by, strata=strata)
    return group_counts(data), compared(data)


def counted_curves(cohort: pd.DataFrame, endpoint: Endpoint, *, by: str | None) -> tuple[Counts, Compared] | None:
    """The counts of curves, strata as segments, and the strata; None where the rows themselves must be looked at."""
    found = _pass(cohort, endpoint, by, ())
    if found is None:
        return None
    return counts_of(found.exits, n_segments=len(found.groups.labels)), found.groups


def group_counts(data: SurvivalData) -> Counts:
    """The counts of a test of checked data: groups as columns, strata as segments."""
    return count(
        data.time,
        data.event,
        entry=late_entry(data),
        segment=data.strata.codes if len(data.strata.labels) > 1 else None,
        group=data.by.codes,
        n_segments=len(data.strata.labels),
        n_groups=len(data.by.labels),
    )


@dataclass(frozen=True, eq=False)
class _Pass:
    """What one pass over many rows found: exits by stratum and group, and the groups."""

    exits: Exits
    n_segments: int
    groups: Compared


def _pass(cohort: pd.DataFrame, endpoint: Endpoint, by: str | None, strata: tuple[str, ...]) -> _Pass | None:
    """One pass over columns as they stand; None where rows are few, or something about them needs a closer look."""
    if not (isinstance(cohort, pd.DataFrame) and isinstance(endpoint, Endpoint)) or len(cohort) < MANY_ROWS:
        return None
    check_roles(endpoint, strata, by=by)
    raise_all(column_problems(cohort, [*endpoint.columns, *([by] if by is not None else []), *strata]))
    outcome = _outcome(cohort, endpoint)
    groups, within = _grouped(cohort, by), _within(cohort, strata)
    if outcome is None or groups is None or within is None:
        return None
    n_segments, n_groups = len(within.labels), len(groups.values)
    codes = groups.codes
    if n_segments > 1:
        codes = np.where(codes < 0, -1, within.codes * n_groups + codes)
    exits = count_exits(*outcome, codes, n_codes=n_segments * n_groups)
    if exits is None or not exits.time.any():
        return None
    names = [endpoint.duration, endpoint.event, by]
    dropped = {f"missing {name}": n for name, n in zip(names, exits.missing.tolist(), strict=True) if n}
    at_zero = int((exits.n_leave - exits.n_event)[exits.time == 0].sum())
    exits, n_segments, kept = _in_use(exits, n_segments, groups)
    labels = labels_of(by, [groups.values[code] for code in kept])
    sizes = exits.n_leave.reshape(-1, len(kept)).sum(axis=0)
    n_read, n_used = len(cohort), int(sizes.sum())
    warnings = (*dropped_warnings(n_read, n_used, dropped), *zero_time_warnings(at_zero, endpoint))
    rows = Compared(labels, sizes, n_read=n_read, n_used=n_used, dropped=dropped, warnings=warnings)
    return _Pass(exits, n_segments, rows)


def _outcome(cohort: pd.DataFrame, endpoint: Endpoint) -> tuple[NDArray[np.generic], NDArray[np.generic]] | None:
    """Times and events, when both are numbers and nobody enters late."""
    time, event = plain_numbers(cohort[endpoint.duration]), plain_numbers(cohort[endpoint.event])
    return None if endpoint.entry is not None or time is None or event is None else (time, event)


def _grouped(cohort: pd.DataFrame, by: str | None) -> Coded | None:
    """The groups as codes; None when their column is a measurement."""
    if by is None:
        return Coded(np.zeros(len(cohort), dtype=np.int8), ["all"], [0])
    found = coded(cohort[by])
    measured = len(found.values) > MOST_NUMERIC_GROUPS and holds_numbers(cohort[by])
    return None if measured else found


def _within(cohort: pd.DataFrame, strata: tuple[str, ...]) -> Groups | None:
    """The strata of the rows; None when a row misses one."""
    if any(cohort[name].isna().any() for name in strata):
        return None
    return group_rows(cohort, strata) if strata else Groups(np.empty(0, dtype=np.int64), ("all",))


def _in_use(exits: Exits, n_segments: int, groups: Coded) -> tuple[Exits, int, list[int]]:
    """The exits of strata and groups that hold a row, groups in their order: their number of strata, and the groups."""
    shape = (len(exits.time), n_segments, len(groups.values))
    sizes = exits.n_leave.sum(axis=0).reshape(shape[1:])
    segments = np.flatnonzero(sizes.sum(axis=1))
    kept = [code for code in groups.order if sizes[:, code].sum()]

    def of_those(table: IntArray) -> IntArray:
        """The counts of the segments and groups that hold rows."""
        return table.reshape(shape)[:, segments][:, :, kept].reshape(len(exits.time), -1)

    return replace(exits, n_leave=of_those(exits.n_leave), n_event=of_those(exits.n_event)), len(segments), kept
