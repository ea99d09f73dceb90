"""Fine and Gray's risk sets: rows with a competing event stay at risk, with the weight of not yet being censored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.errors import NotSupported
from analysis.kernels.counts.counting import BoolArray, count
from analysis.kernels.times import FloatArray, IntArray

MOST_SPELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Spells:
    """Rows of a weighted Cox model: `row` is the place of each in the cohort, the rest as in a counting process."""

    row: IntArray
    entry: FloatArray
    time: FloatArray
    event: BoolArray
    weights: FloatArray


def subdistribution_spells(time: FloatArray, of_cause: BoolArray, competing: BoolArray) -> Spells:
    """The rows of a Cox model of the subdistribution hazard.

    A row with a competing event at T is at risk ever after, at an event time t > T with weight G(t-) / G(T-). G is the
    product-limit estimate of remaining uncensored; at a tie, events come before censorings, and who has the event is
    not at risk of being censored. Spells are as long as the weight does not change.

    Parameters
    ----------
    time : ndarray, shape (n,)
    of_cause, competing : ndarray of bool, shape (n,)

    Returns
    -------
    Spells
        The n rows themselves, then those that the competing events add.

    Raises
    ------
    NotSupported
        When there would be more than 20 million of them.

    Notes
    -----
    Equals ``finegray(Surv(time, factor(status)) ~ .)`` of R, but for where spells of one weight are cut.

    Examples
    --------
    >>> time, status = np.array([1.0, 2, 3, 4]), np.array([2, 0, 1, 1])
    >>> spells = subdistribution_spells(time, status == 1, status == 2)
    >>> [values[4:].round(4).tolist() for values in (spells.row, spells.entry, spells.time, spells.weights)]
    [[0], [1.0], [4.0], [0.6667]]
    """
    n = len(time)
    event_times = np.unique(time[of_cause])
    uncensored = _uncensored(time, of_cause | competing)
    at_event = uncensored(event_times)
    last_of_weight = np.flatnonzero(np.diff(at_event, append=-1.0))
    ends, end_weight = event_times[last_of_weight], at_event[last_of_weight]

    rows = np.flatnonzero(competing)
    first = np.searchsorted(ends, time[rows], side="right")
    pieces = len(ends) - first
    if pieces.sum() > MOST_SPELLS:
        raise NotSupported(
            f"{len(rows)} competing events with {len(ends)} different weights make {pieces.sum()} rows, more than"
            f" {MOST_SPELLS}; round the times (days to weeks) or take a sample"
        )
    row = np.repeat(rows, pieces)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    place = np.repeat(first, pieces) + within
    entry = np.where(within == 0, time[row], ends[place - 1])
    return Spells(
        row=np.concatenate([np.arange(n), row]),
        entry=np.concatenate([np.full(n, -np.inf), entry]),
        time=np.concatenate([time, ends[place]]),
        event=np.concatenate([of_cause, np.zeros(len(row), dtype=bool)]),
        weights=np.concatenate([np.ones(n), end_weight[place] / uncensored(time[row])]),
    )


def _uncensored(time: FloatArray, any_event: BoolArray) -> Callable[[FloatArray], FloatArray]:
    """The chance G(t-) of not yet being censored just before t, as a function of t."""
    counts = count(time, any_event)
    n_censor = counts.n_censor[:, 0]
    exposed = np.maximum(counts.n_risk[:, 0] - counts.n_event[:, 0], 1)
    steps = np.asarray(np.cumprod(np.r_[1.0, 1 - n_censor / exposed]), dtype=np.float64)
    return lambda at: steps[np.searchsorted(counts.time, at)]
