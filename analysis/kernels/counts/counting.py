"""Rows at risk, with an event and censored at each follow-up time: the counts that every estimate shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.counts.one_pass import MANY_ROWS, Exits, count_exits
from analysis.kernels.times import dense_rank


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts at the distinct follow-up times of each segment, in the order of segment and time.

    Attributes
    ----------
    time : ndarray, shape (m,)
        The distinct follow-up times of segment 0, then those of segment 1, and so on.
    start : ndarray, shape (n_segments + 1,)
        Segment s holds ``time[start[s]:start[s + 1]]``.
    n_risk, n_event, n_censor, n_entry : ndarray, shape (m, n_groups)
        Weighted sums of the rows with entry < t <= time, with an event at t, censored at t, and come under observation
        since the time before (all of them at the first time, without late entry).
    """

    time: FloatArray
    start: IntArray
    n_risk: FloatArray
    n_event: FloatArray
    n_censor: FloatArray
    n_entry: FloatArray

    @property
    def segments(self) -> list[slice]:
        """The place of each segment."""
        return [slice(int(first), int(last)) for first, last in zip(self.start[:-1], self.start[1:], strict=True)]


def count(
    time: FloatArray,
    event: BoolArray,
    *,
    entry: FloatArray | None = None,
    weights: FloatArray | None = None,
    segment: IntArray | None = None,
    group: IntArray | None = None,
    n_segments: int = 1,
    n_groups: int = 1,
) -> Counts:
    """Count the rows at risk, with an event and censored, by segment, time and group, after one ranking of the times.

    A segment has risk sets of its own (the strata of a test, the curves of a figure); groups share the times of their
    segment (the columns of a log-rank table). At risk at t: entry < t <= time; events come before censorings.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Follow-up times, equal times equal to the last bit.
    event : ndarray of bool, shape (n,)
    entry : ndarray, shape (n,), optional
        Times of coming under observation, each before `time`.
    weights : ndarray, shape (n,), optional
        Positive; 1 by default.
    segment, group : ndarray of int, shape (n,), optional
        Codes below `n_segments` and `n_groups`.
    n_segments, n_groups : int

    Returns
    -------
    Counts

    Examples
    --------
    >>> counts = count(np.array([2.0, 1.0, 2.0]), np.array([True, False, False]))
    >>> counts.time.tolist(), counts.n_risk[:, 0].tolist(), counts.n_censor[:, 0].tolist()
    ([1.0, 2.0], [3.0, 2.0], [1.0, 1.0])
    """
    if entry is None and weights is None and len(time) >= MANY_ROWS:
        code = group if segment is None else segment if group is None else np.int64(n_groups) * segment + group
        found = count_exits(time, event, code, n_codes=n_segments * n_groups)
        if found is not None and found.n_leave.sum() == len(time):
            return counts_of(found, n_segments=n_segments)
        return _count_in_order(time, event, code, n_segments, n_groups)
    distinct, rank = dense_rank(time)
    code = rank if segment is None else np.int64(len(distinct)) * segment + rank
    cells, cell = (np.arange(len(distinct)), rank) if segment is None else dense_rank(code)
    column = np.zeros(1, dtype=np.int64) if group is None else group
    shape = (len(cells), n_groups)
    place = cell * n_groups + column
    start = np.searchsorted(cells, np.arange(n_segments + 1) * len(distinct))

    leave = _sums(place, weights, shape)
    n_event = _sums(place[event], None if weights is None else weights[event], shape)
    if entry is None:
        n_entry = np.zeros(shape)
        n_entry[start[:-1]] = np.add.reduceat(leave, start[:-1], axis=0)
    else:
        later = np.searchsorted(cells, code - rank + np.searchsorted(distinct, entry, side="right"))
        n_entry = _sums(later * n_groups + column, weights, shape)
    return Counts(
        time=np.asarray(distinct, dtype=np.float64)[cells % len(distinct)],
        start=start,
        n_risk=_at_risk(leave, n_entry),
        n_event=n_event,
        n_censor=leave - n_event,
        n_entry=n_entry,
    )


def counts_of(exits: Exits, *, n_segments: int = 1) -> Counts:
    """The counts of rows whose exits are counted, nobody having entered late.

    Parameters
    ----------
    exits : Exits
        Its codes are those of (segment, group): segment * n_groups + group.
    n_segments : int

    Returns
    -------
    Counts
    """
    n_times, n_codes = exits.n_leave.shape
    shape = (n_times, n_segments, n_codes // n_segments)
    by_segment = exits.n_leave.reshape(shape).transpose(1, 0, 2)
    held = by_segment.any(axis=2)
    leave = np.asarray(by_segment[held], dtype=np.float64)
    n_event = np.asarray(exits.n_event.reshape(shape).transpose(1, 0, 2)[held], dtype=np.float64)
    start = np.r_[0, np.cumsum(held.sum(axis=1))]
    return _counts_from_start(np.broadcast_to(exits.time, held.shape)[held], start, leave, n_event)


def _count_in_order(
    time: FloatArray, event: BoolArray, code: IntArray | None, n_segments: int, n_groups: int
) -> Counts:
    """The counts of many rows of which most have a time of their own, nobody having entered late: sorted once."""
    from analysis.kernels.counts.one_pass_loops import count_in_order

    kind = np.int8 if 2 * n_segments * n_groups < 128 else np.int64
    codes = event.astype(kind) if code is None else 2 * code.astype(kind) + event
    order = np.argsort(time)
    return _counts_from_start(*count_in_order(time[order], codes[order], n_segments, n_groups))


def _counts_from_start(time: FloatArray, start: IntArray, leave: FloatArray, n_event: FloatArray) -> Counts:
    """The counts when everybody is under observation from the start."""
    n_entry = np.zeros_like(leave)
    n_entry[start[:-1]] = np.add.reduceat(leave, start[:-1], axis=0)
    n_risk = _at_risk(leave, n_entry)
    return Counts(time=time, start=start, n_risk=n_risk, n_event=n_event, n_censor=leave - n_event, n_entry=n_entry)


def _sums(place: IntArray, weights: FloatArray | None, shape: tuple[int, int]) -> FloatArray:
    """Weights (or ones) summed into the places of a table."""
    sums = np.bincount(place, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)


def _at_risk(leave: FloatArray, n_entry: FloatArray) -> FloatArray:
    """Those who leave here or later, less those who enter later; summed from the end, where few remain.

    Nobody is at risk between two segments: what the later one entered with cancels what it summed to.
    """
    change = leave.copy()
    change[:-1] -= n_entry[1:]
    n_risk = np.cumsum(change[::-1], axis=0)[::-1]
    return np.maximum(n_risk, leave)  # sums of fractions may fall short by a rounding error
