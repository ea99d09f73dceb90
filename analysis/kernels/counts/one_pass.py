"""Who leaves when: many rows counted by time and group in one pass, with no array for times, ranks or checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.times import run_starts

MANY_ROWS = 100_000
"""From so many rows on, the compiled pass pays for importing numba."""
# The table of a pass holds at most so many distinct times, and cells in all; memory is touched only where rows fall.
_MOST_TIMES, _MOST_CELLS = 2**16, 2**22

Column = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Exits:
    """Rows that leave at each distinct time, by group.

    Attributes
    ----------
    time : ndarray, shape (m,)
        In ascending order, near-equal times merged.
    n_leave, n_event : ndarray of int, shape (m, n_codes)
        Rows of each group whose time it is, and those of them with an event.
    missing : ndarray of int, shape (3,)
        Rows left out for a missing time, else a missing event, else a missing group.
    """

    time: FloatArray
    n_leave: IntArray
    n_event: IntArray
    missing: IntArray


def count_exits(time: Column, event: Column, code: Column | None = None, *, n_codes: int = 1) -> Exits | None:
    """Count the rows that leave, with and without an event, at each time, by group.

    Parameters
    ----------
    time, event : ndarray, shape (n,)
        Numbers or booleans, NaN where missing.
    code : ndarray of int, shape (n,), optional
        The group of each row, below `n_codes`; negative where missing.
    n_codes : int

    Returns
    -------
    Exits or None
        None where the pass does not serve: a time is negative or infinite, an event neither 0 nor 1, no row complete,
        or the distinct times too many.

    Examples
    --------
    >>> found = count_exits(np.array([2, 1, 2]), np.array([1, 0, 0]))
    >>> found.time.tolist(), found.n_leave[:, 0].tolist(), found.n_event[:, 0].tolist()
    ([1.0, 2.0], [1, 2], [0, 1])
    """
    columns = (_of_few_types(time), _of_few_types(event), _codes(code, len(time)))
    found = _counted_whole(*columns, n_codes) or _counted_any(*columns, n_codes)
    if found is None:
        return None
    times, table, missing = found
    cells = table.astype(np.int64, copy=False)
    leave = cells[:, :, 0] + cells[:, :, 1]
    held = np.flatnonzero(leave.sum(axis=1))
    if not len(held):
        return None
    order = held[np.argsort(times[held])]
    times, leave, n_event = times[order], leave[order], cells[order, :, 1]
    starts = run_starts(times)
    if len(starts) < len(times):
        times, leave, n_event = times[starts], np.add.reduceat(leave, starts), np.add.reduceat(n_event, starts)
    return Exits(times, leave, n_event, missing)


def _of_few_types(column: Column) -> Column:
    """The column in one of the few types that are compiled for; as it is when it is of one of them."""
    if column.dtype == np.bool_:
        column = column.view(np.uint8)
    kept = column.dtype in (np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.uint8))
    return np.ascontiguousarray(column if kept else column.astype(np.float64))


def _codes(code: Column | None, n: int) -> Column:
    """Group codes as short or long integers; zeros without groups."""
    if code is None:
        return np.zeros(n, dtype=np.int8)
    return np.ascontiguousarray(code if code.dtype == np.int8 else code.astype(np.int64, copy=False))


Found = tuple[FloatArray, Column, IntArray]


def _table(n_codes: int, n: int) -> Column:
    """Zeros by time, group and event, in integers that hold n: the smaller they are, the nearer is their memory."""
    shape = (min(_MOST_TIMES, _MOST_CELLS // (2 * max(n_codes, 1))), n_codes, 2)
    return np.zeros(shape, dtype=np.int32 if n < 2**31 else np.int64)


def _counted_whole(time: Column, event: Column, code: Column, n_codes: int) -> Found | None:
    """Times, cells and missing rows when every time is a small whole number."""
    from analysis.kernels.counts.one_pass_loops import NOT_PLAIN, count_whole_times

    table, missing = _table(n_codes, len(time)), np.zeros(3, dtype=np.int64)
    n_times = count_whole_times(time, event, code, table, missing)
    if n_times == NOT_PLAIN:
        return None
    return np.arange(n_times, dtype=np.float64), table[:n_times], missing


def _counted_any(time: Column, event: Column, code: Column, n_codes: int) -> Found | None:
    """Times in order of appearance, cells and missing rows when the distinct times are few."""
    from analysis.kernels.counts.one_pass_loops import NOT_PLAIN, count_any_times

    table, missing = _table(n_codes, len(time)), np.zeros(3, dtype=np.int64)
    times, slots = np.empty(len(table)), np.zeros(4 * _MOST_TIMES, dtype=np.int32)
    n_times = count_any_times(time.astype(np.float64, copy=False), event, code, slots, times, table, missing)
    if n_times == NOT_PLAIN:
        return None
    return times[:n_times], table[:n_times], missing
