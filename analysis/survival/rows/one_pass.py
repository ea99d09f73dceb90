"""Many rows counted straight from their columns, in one pass, without an array for checks, ranks or codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import IntArray
from analysis.cohort.columns import Endpoint, column_problems, holds_numbers, plain_numbers
from analysis.errors import dropped_warnings, raise_all
from analysis.kernels.counts import MANY_ROWS, Exits, counts_of
from analysis.survival.rows.groups import MOST_NUMERIC_GROUPS, Coded, Groups, coded, group_rows, labels_of
from analysis.survival.rows.survival_data import CohortCounts, check_roles, zero_time_warnings


def counts_in_one_pass(
    cohort: pd.DataFrame, endpoint: Endpoint, *, by: str | None, strata: tuple[str, ...], compared: bool
) -> CohortCounts | None:
    """The counts of columns as they stand, as `read_counts` arranges them; None where a row needs a closer look.

    That is where somebody enters late, a stratum is missing, or a value is one that `survival_data` refuses or reads in
    a way of its own.
    """
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
    from analysis.kernels.counts.one_pass import count_exits

    exits = count_exits(*outcome, codes, n_codes=n_segments * n_groups)
    if exits is None or not exits.time.any():
        return None
    names = [endpoint.duration, endpoint.event, by]
    dropped = {f"missing {name}": n for name, n in zip(names, exits.missing.tolist(), strict=True) if n}
    at_zero = int((exits.n_leave - exits.n_event)[exits.time == 0].sum())
    exits, n_segments, kept = _in_use(exits, n_segments, groups)
    sizes = exits.n_leave.reshape(-1, len(kept)).sum(axis=0)
    n_read, n_used = len(cohort), int(sizes.sum())
    if n_used < MANY_ROWS:
        return None
    return CohortCounts(
        counts=counts_of(exits, n_segments=n_segments if compared else len(kept)),
        labels=labels_of(by, [groups.values[code] for code in kept]),
        sizes=sizes,
        n_read=n_read,
        n_used=n_used,
        dropped=dropped,
        warnings=(*dropped_warnings(n_read, n_used, dropped), *zero_time_warnings(at_zero, endpoint)),
    )


def _outcome(cohort: pd.DataFrame, endpoint: Endpoint) -> tuple[NDArray[np.generic], NDArray[np.generic]] | None:
    """Times and events, when both are numbers and nobody enters late."""
    time, event = plain_numbers(cohort[endpoint.duration]), plain_numbers(cohort[endpoint.event])
    return None if endpoint.entry is not None or time is None or event is None else (time, event)


def _grouped(cohort: pd.DataFrame, by: str | None) -> Coded | None:
    """The groups as codes; None when their column is a measurement."""
    if by is None:
        return Coded(np.zeros(len(cohort), dtype=np.int8), ["all"], [0])
    known = coded(cohort[by])
    measured = len(known.values) > MOST_NUMERIC_GROUPS and holds_numbers(cohort[by])
    return None if measured else known


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
