"""Who is at risk at which event, sorted once; sums over risk sets and over a row's time at risk in linear time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import dense_rank


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The risk sets of a cohort: its distinct event times, stratum after stratum, and the rows at risk at them.

    Attributes
    ----------
    rows : ndarray, shape (k,)
        The rows at risk at one event time or more, by stratum and last event time; the arrays below follow this order.
    first, last : ndarray, shape (k,)
        A row is at risk at the event times first, ..., last (places in `times`).
    times, stratum : ndarray, shape (m,)
        The distinct event times and their strata.
    strata : ndarray, shape (s + 1,)
        Where each stratum starts in `times`, and the end.
    events : ndarray, shape (d,)
        Places in `rows` of the rows with an event, in order.
    at, tie, n_tied : ndarray, shape (d,)
        Of each event: its place in `times`, its number within the tie (from 0), the size of the tie.
    starts, event_starts : ndarray, shape (m,)
        Where each event time's block starts in `rows`, and in `events`.
    entering, entry_starts, entry_place : ndarray
        Rows that come under observation after their stratum's first event time: by the event time they missed last.
    """

    rows: IntArray
    first: IntArray
    last: IntArray
    times: FloatArray
    stratum: IntArray
    strata: IntArray
    events: IntArray
    at: IntArray
    tie: IntArray
    n_tied: IntArray
    starts: IntArray
    event_starts: IntArray
    entering: IntArray
    entry_starts: IntArray
    entry_place: IntArray

    @property
    def row_strata(self) -> IntArray:
        """Where each stratum starts in `rows`, and the end."""
        return np.append(self.starts, len(self.rows))[self.strata]


def risk_sets(
    time: FloatArray, event: BoolArray, *, entry: FloatArray | None = None, strata: IntArray | None = None
) -> RiskSets:
    """Sort a cohort into its risk sets: at risk at t is a row with entry < t <= time, in its own stratum.

    Parameters
    ----------
    time, entry : ndarray, shape (n,)
        Follow-up times and times of coming under observation (-inf: from the start), near-ties merged.
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional

    Returns
    -------
    RiskSets
        Rows at risk at no event time are left out: they carry no information.

    Examples
    --------
    >>> sets = risk_sets(np.array([4.0, 2.0, 2.0, 1.0]), np.array([True, True, True, False]))
    >>> sets.times.tolist(), at_risk_sums(sets, np.ones(3)).tolist()
    ([2.0, 4.0], [3.0, 1.0])
    """
    codes = np.zeros(len(time), dtype=np.int64) if strata is None else strata
    times, stratum = _event_times(time[event], codes[event])
    last = _place(times, stratum, time, codes) - 1
    first = _first_place(times, stratum, entry, codes)
    seen = np.flatnonzero((last >= first) & np.isin(codes, stratum))
    rows = seen[np.argsort(last[seen], kind="stable")]
    first, last = first[rows], last[rows]
    events = np.flatnonzero(event[rows])
    at = last[events]
    places = np.arange(len(times))
    event_starts = np.searchsorted(at, places)
    bounds = np.append(np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]]), len(times))
    origin = np.repeat(bounds[:-1], np.diff(bounds))
    late = np.flatnonzero(first > origin[last])
    entering = late[np.argsort(first[late], kind="stable")]
    entry_place, entry_starts = np.unique(first[entering] - 1, return_index=True)
    return RiskSets(
        rows=rows, first=first, last=last, times=times, stratum=stratum, strata=bounds, events=events, at=at,
        tie=np.arange(len(events)) - event_starts[at],
        n_tied=np.diff(np.append(event_starts, len(events)))[at],
        starts=np.searchsorted(last, places), event_starts=event_starts,
        entering=entering, entry_starts=entry_starts, entry_place=entry_place,
    )  # fmt: skip


def _event_times(time: FloatArray, codes: IntArray) -> tuple[FloatArray, IntArray]:
    """The distinct event times of each stratum, strata in order."""
    order = np.lexsort((time, codes))
    time, codes = time[order], codes[order]
    new = np.r_[True, (time[1:] != time[:-1]) | (codes[1:] != codes[:-1])]
    return time[new], codes[new]


def _place(times: FloatArray, stratum: IntArray, values: FloatArray, codes: IntArray) -> IntArray:
    """How many event times, over all strata in order, lie in an earlier stratum or at or before the value."""
    if len(times) and stratum[0] == stratum[-1]:
        return np.searchsorted(times, values, side="right")
    distinct, rank = dense_rank(np.concatenate([times, values]))
    keys = stratum * len(distinct) + rank[: len(times)]
    return np.searchsorted(keys, codes * len(distinct) + rank[len(times) :], side="right")


def _first_place(times: FloatArray, stratum: IntArray, entry: FloatArray | None, codes: IntArray) -> IntArray:
    """The first event time after entry: the stratum's first when observed from the start."""
    if entry is None or np.isneginf(entry).all():
        return np.searchsorted(stratum, codes)
    return _place(times, stratum, entry, codes)


def at_risk_sums(sets: RiskSets, values: FloatArray) -> FloatArray:
    """Sum over the rows at risk at each event time.

    Parameters
    ----------
    sets : RiskSets
    values : ndarray, shape (k,) or (k, p)
        In the order of ``sets.rows``.

    Returns
    -------
    ndarray, shape (m,) or (m, p)
    """
    sums = np.add.reduceat(values, sets.starts, axis=0)
    if len(sets.entering):
        sums[sets.entry_place] -= np.add.reduceat(values[sets.entering], sets.entry_starts, axis=0)
    for start, end in zip(sets.strata[:-1], sets.strata[1:], strict=True):
        stratum = sums[start:end][::-1]
        np.cumsum(stratum, axis=0, out=stratum)
    return sums


def event_sums(sets: RiskSets, values: FloatArray) -> FloatArray:
    """Sum over the events at each event time of values given event by event: shape (d,) or (d, p) to (m,) or (m, p)."""
    return np.add.reduceat(values, sets.event_starts, axis=0)


def cumulated(sets: RiskSets, steps: FloatArray) -> FloatArray:
    """Running sums of steps at the event times, each stratum from its start: shape (m,) or (m, p)."""
    sums = np.empty_like(steps)
    for start, end in zip(sets.strata[:-1], sets.strata[1:], strict=True):
        np.cumsum(steps[start:end], axis=0, out=sums[start:end])
    return sums


def over_time_at_risk(sets: RiskSets, steps: FloatArray) -> FloatArray:
    """Sum, for each row, of the steps at the event times at which it was at risk.

    Parameters
    ----------
    sets : RiskSets
    steps : ndarray, shape (m,) or (m, p)

    Returns
    -------
    ndarray, shape (k,) or (k, p)
    """
    sums = cumulated(sets, steps)
    over = sums[sets.last]
    if len(sets.entering):
        over[sets.entering] -= sums[sets.first[sets.entering] - 1]
    return over
