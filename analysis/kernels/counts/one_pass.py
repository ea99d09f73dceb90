"""Who leaves when: many rows counted by time and group in one compiled pass, with no array for ranks or checks.

A pass gives up at the first value that is not plain (negative, infinite, an event other than 0 and 1): who called looks
again, slowly, and says what is wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.compiled import jit
from analysis.kernels.counts.life_table import Exits
from analysis.kernels.random_draws import GOLDEN
from analysis.kernels.times import run_starts

# The table of a pass holds at most so many distinct times, and cells in all; memory is touched only where rows fall.
MOST_TIMES, MOST_CELLS = 2**16, 2**22

Column = NDArray[np.generic]
NOT_PLAIN = -1


@jit
def missing_first(time_known: bool, time_plain: bool, event_known: bool, event_plain: bool) -> int:
    """Which of time (0), event (1) and group (2) a row is counted to miss, or `NOT_PLAIN`."""
    if (event_known and not event_plain) or (time_known and not time_plain):
        return NOT_PLAIN
    return 2 if time_known and event_known else 1 if time_known else 0


@jit
def count_whole_times(time: Column, event: Column, code: Column, table: Column, missing: NDArray[np.int64]) -> int:
    """Add 1 to ``table[time, code, event]`` for each row, and give the number of times up to the largest.

    A row in which something is missing is counted in `missing`, under the first of time, event and group.
    """
    width = len(table)
    n_times = 0
    for i in range(len(time)):
        t, d, c = time[i], event[i], code[i]
        plain = (d == 0) | (d == 1)
        if 0 <= t < width and plain & (c >= 0) and np.int64(t) == t:
            table[np.int64(t), c, np.int64(d)] += 1
            n_times = max(n_times, int(t) + 1)
            continue
        first = missing_first(t == t, 0 <= t < width and np.int64(t) == t, d == d, plain)  # NaN is unlike itself
        if first == NOT_PLAIN:
            return NOT_PLAIN
        missing[first] += 1
    return n_times


@jit
def count_any_times(
    time: NDArray[np.float64], event: Column, code: Column,
    slots: NDArray[np.int32], times: NDArray[np.float64], table: Column, missing: NDArray[np.int64],
) -> int:  # fmt: skip
    """The same for times of any kind: each distinct one is numbered as it first appears, and noted in `times`.

    `slots` is a hash table, a power of two of zeros; it holds numbers, counted from 1. More distinct times than `times`
    has room for are not plain.
    """
    bits, mask = time.view(np.uint64), len(slots) - 1
    shift = np.uint64(64 - np.int64(np.log2(len(slots)) + 0.5))
    n_times = 0
    for i in range(len(time)):
        t, d, c = time[i], event[i], code[i]
        plain = (d == 0) | (d == 1)
        if 0 <= t < np.inf and plain & (c >= 0):
            pattern = bits[i] if t != 0 else np.uint64(0)  # 0 and -0 are one time
            slot = np.int64((pattern * GOLDEN) >> shift)
            while slots[slot] and times[slots[slot] - 1] != t:
                slot = (slot + 1) & mask
            if not slots[slot]:
                if n_times == len(times):
                    return NOT_PLAIN
                times[n_times] = t
                n_times += 1
                slots[slot] = n_times
            table[slots[slot] - 1, c, np.int64(d)] += 1
            continue
        first = missing_first(t == t, 0 <= t < np.inf, d == d, plain)
        if first == NOT_PLAIN:
            return NOT_PLAIN
        missing[first] += 1
    return n_times


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
    >>> exits = count_exits(np.array([2, 1, 2]), np.array([1, 0, 0]))
    >>> exits.time.tolist(), exits.n_leave[:, 0].tolist(), exits.n_event[:, 0].tolist()
    ([1.0, 2.0], [1, 2], [0, 1])
    """
    columns = (_of_few_types(time), _of_few_types(event), _codes(code, len(time)))
    # In integers that hold n: the smaller they are, the nearer is their memory.
    kind = np.int32 if len(time) < 2**31 else np.int64
    shape = (min(MOST_TIMES, MOST_CELLS // (2 * max(n_codes, 1))), n_codes, 2)
    table, missing = np.zeros(shape, kind), np.zeros(3, dtype=np.int64)
    times, n_times = np.arange(len(table), dtype=np.float64), count_whole_times(*columns, table, missing)
    if n_times == NOT_PLAIN:
        table, missing = np.zeros(shape, kind), np.zeros(3, dtype=np.int64)
        times, slots = np.empty(len(table)), np.zeros(4 * MOST_TIMES, dtype=np.int32)
        n_times = count_any_times(columns[0].astype(np.float64, copy=False), *columns[1:], slots, times, table, missing)
    cells = table[: max(n_times, 0)].astype(np.int64, copy=False)
    leave = cells[:, :, 0] + cells[:, :, 1]
    used = np.flatnonzero(leave.sum(axis=1))
    if not len(used):
        return None
    order = used[np.argsort(times[used])]
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
