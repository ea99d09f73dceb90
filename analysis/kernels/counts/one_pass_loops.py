"""Rows counted by time, group and event in one pass over columns as they come, compiled by numba.

Imported inside functions, and only where the rows are many. A pass gives up at the first value that is not plain
(negative, infinite, an event other than 0 and 1): who called looks again, slowly, and says what is wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.compiled import jit

Column = NDArray[np.generic]
NOT_PLAIN = -1
GOLDEN = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: the leading bits of its products set neighbouring patterns far apart."""


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
        known_time, known_event = t == t, d == d  # NaN is unlike itself
        if (known_event and not plain) or (known_time and not (0 <= t < width and np.int64(t) == t)):
            return NOT_PLAIN
        missing[2 if known_time and known_event else 1 if known_time else 0] += 1
    return n_times


@jit
def count_any_times(
    time: NDArray[np.float64],
    event: Column,
    code: Column,
    slots: NDArray[np.int32],
    times: NDArray[np.float64],
    table: Column,
    missing: NDArray[np.int64],
) -> int:
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
            slot = np.int64((pattern * np.uint64(GOLDEN)) >> shift)
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
        known_time, known_event = t == t, d == d
        if (known_event and not plain) or (known_time and not 0 <= t < np.inf):
            return NOT_PLAIN
        missing[2 if known_time and known_event else 1 if known_time else 0] += 1
    return n_times


@jit
def count_in_order(
    time: NDArray[np.float64], code: Column, n_segments: int, n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The distinct times of each segment, where each segment starts, and who leaves and has the event, by group.

    The rows come in the order of their times; `code` is 2 (segment n_groups + group), and one more with the event.
    """
    last, place = np.full(n_segments, np.nan), np.zeros(n_segments + 1, np.int64)
    for i in range(len(time)):
        segment = code[i] // (2 * n_groups)
        place[segment + 1] += time[i] != last[segment]
        last[segment] = time[i]
    start = np.cumsum(place)
    times = np.empty(start[-1])
    leave, n_event = np.zeros((start[-1], n_groups)), np.zeros((start[-1], n_groups))
    last[:], place = np.nan, start - 1
    for i in range(len(time)):
        segment, group = code[i] // (2 * n_groups), code[i] // 2 % n_groups
        if time[i] != last[segment]:
            last[segment] = time[i]
            place[segment] += 1
            times[place[segment]] = time[i]
        leave[place[segment], group] += 1
        n_event[place[segment], group] += code[i] % 2
    return times, start, leave, n_event
