"""The event times of many rows, counted once; chunks of rows add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import dense_rank


@dataclass(frozen=True, eq=False)
class Tally:
    """What happens at each distinct time of each stratum, in order.

    Attributes
    ----------
    stratum, time : ndarray, shape (k,)
    n_event : ndarray, shape (k,)
        Rows with an event.
    event_weight : ndarray, shape (k,)
        Their weights, added up.
    """

    stratum: IntArray
    time: FloatArray
    n_event: FloatArray
    event_weight: FloatArray


@dataclass(frozen=True, eq=False)
class EventTimes:
    """The event times of a cohort, stratum after stratum.

    Attributes
    ----------
    times, stratum : ndarray, shape (m,)
    opens : ndarray of bool, shape (m,)
        Which are the first of their stratum.
    n_tied : ndarray of int, shape (m,)
        Events; of replicated rows, as often as they are replicated.
    event_weight : ndarray, shape (m,)
        The mean weight of an event; of replicated rows 1.
    """

    times: FloatArray
    stratum: IntArray
    opens: BoolArray
    n_tied: IntArray
    event_weight: FloatArray


def tally_rows(
    time: FloatArray, event: BoolArray, *, strata: IntArray | None = None, weights: FloatArray | None = None
) -> tuple[Tally, IntArray]:
    """Count the events of each stratum and time.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Near-ties merged.
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional
    weights : ndarray, shape (n,), optional

    Returns
    -------
    tally : Tally
    key : ndarray of int, shape (n,)
        Each row's position in it.

    Examples
    --------
    >>> tally, key = tally_rows(np.array([5.0, 2.0, 5.0]), np.array([True, False, True]))
    >>> tally.time.tolist(), tally.n_event.tolist(), key.tolist()
    ([2.0, 5.0], [0.0, 2.0], [1, 0, 1])
    """
    distinct, key = dense_rank(time)
    stratum, position = np.zeros(len(distinct), dtype=np.int64), np.arange(len(distinct))
    if strata is not None and strata.any():
        pairs, key = dense_rank(strata * len(distinct) + key)
        stratum, position = np.divmod(pairs.astype(np.int64), len(distinct))
    n_event = np.asarray(np.bincount(key, event, len(position)), dtype=np.float64)
    weight = n_event if weights is None else np.asarray(np.bincount(key, event * weights, len(position)), np.float64)
    return Tally(stratum, np.asarray(distinct[position], dtype=np.float64), n_event, weight), key


def add_tallies(tallies: Sequence[Tally]) -> Tally:
    """The tally of the rows of several tallies together."""
    time = np.concatenate([tally.time for tally in tallies])
    stratum = np.concatenate([tally.stratum for tally in tallies])
    n_event: FloatArray = np.concatenate([tally.n_event for tally in tallies])
    weight: FloatArray = np.concatenate([tally.event_weight for tally in tallies])
    order = np.lexsort((time, stratum))
    time, stratum = time[order], stratum[order]
    starts = np.flatnonzero(np.r_[True, (time[1:] != time[:-1]) | (stratum[1:] != stratum[:-1])])
    return Tally(
        stratum[starts], time[starts], np.add.reduceat(n_event[order], starts), np.add.reduceat(weight[order], starts)
    )


def event_times(tally: Tally, *, replicates: bool = False) -> tuple[EventTimes, IntArray]:
    """The times with events, and for each position of the tally the last of them at or before it.

    Parameters
    ----------
    tally : Tally
    replicates : bool
        Weights are whole numbers that say how often a row is there.

    Returns
    -------
    events : EventTimes
    position : ndarray of int, shape (k,)
        Positions count from 1; 0: none, within the stratum.

    Examples
    --------
    >>> tally, _ = tally_rows(np.array([5.0, 2.0, 7.0]), np.array([True, False, False]))
    >>> event_times(tally)[1].tolist()
    [0, 1, 1]
    """
    with_event = tally.n_event > 0
    n_tied = np.rint((tally.event_weight if replicates else tally.n_event)[with_event]).astype(np.int64)
    stratum = tally.stratum[with_event]
    events = EventTimes(
        times=tally.time[with_event],
        stratum=stratum,
        opens=np.diff(stratum, prepend=-1) > 0,
        n_tied=n_tied,
        event_weight=tally.event_weight[with_event] / n_tied,
    )
    position = np.asarray(np.cumsum(with_event), dtype=np.int64)
    position[position == np.searchsorted(stratum, tally.stratum)] = 0
    return events, position


def positions_in(tally: Tally, part: Tally) -> IntArray:
    """Where each time and stratum of a part stands in the tally of the whole."""
    distinct = np.unique(tally.time)
    whole, own = (each.stratum * len(distinct) + np.searchsorted(distinct, each.time) for each in (tally, part))
    return np.searchsorted(whole, own)


def positions_missed(events: EventTimes, entry: FloatArray, strata: IntArray | None = None) -> IntArray:
    """The position of the last event time at or before each row's entry, in its stratum; 0: it misses none.

    Examples
    --------
    >>> events, _ = event_times(tally_rows(np.array([2.0, 5.0]), np.array([True, True]))[0])
    >>> positions_missed(events, np.array([-np.inf, 2.0, 4.0, 9.0])).tolist()
    [0, 1, 1, 2]
    """
    codes = np.zeros(len(entry), dtype=np.int64) if strata is None else strata
    distinct = np.unique(events.times)
    whole = events.stratum * (len(distinct) + 1) + np.searchsorted(distinct, events.times, side="right")
    own = codes * (len(distinct) + 1) + np.searchsorted(distinct, entry, side="right")
    missed = np.searchsorted(whole, own, side="right")
    missed[missed == np.searchsorted(events.stratum, codes)] = 0
    return missed
