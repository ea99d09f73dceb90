"""The search for a cut on many resamples of the rows at once."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cutpoints.scan import SAME
from analysis.kernels.times import dense_rank

MOST_CELLS = 2_000_000
"""Resamples times rows that are worked on at once."""


def cut_of_resamples(
    marker: FloatArray,
    time: FloatArray,
    event: BoolArray,
    counts: FloatArray,
    *,
    min_fraction: float,
    max_fraction: float,
) -> FloatArray:
    """The cut with the largest standardised log-rank statistic in each resample.

    Parameters
    ----------
    marker, time : ndarray, shape (n,)
        In the order of the marker.
    event : ndarray of bool, shape (n,)
    counts : ndarray, shape (r, n)
        How often each resample holds each row.
    min_fraction, max_fraction : float

    Returns
    -------
    ndarray, shape (r,)
        NaN for a resample without an admissible cut, or without events.
    """
    size = max(1, MOST_CELLS // len(marker))
    last = np.append(np.flatnonzero(marker[1:] != marker[:-1]), len(marker) - 1)
    rank = dense_rank(time)[1]
    cuts = np.full(len(counts), np.nan)
    for start in range(0, len(counts), size):
        statistic = _statistics(rank, event, counts[start : start + size], last, (min_fraction, max_fraction))
        best = statistic.max(axis=1, keepdims=True)
        place = np.argmax(statistic >= best * (1 - SAME), axis=1)
        cuts[start : start + size] = np.where(best[:, 0] > 0, marker[last][place], np.nan)
    return cuts


def _statistics(
    rank: IntArray, event: BoolArray, counts: FloatArray, last: IntArray, fractions: tuple[float, float]
) -> FloatArray:
    """The absolute statistic of each resample at each value of the marker, up to a factor; 0 where not admissible."""
    by_time = np.argsort(rank, kind="stable")
    starts = np.flatnonzero(np.diff(rank[by_time], prepend=-1))
    ordered = counts[:, by_time]
    leave = np.add.reduceat(ordered, starts, axis=1)
    failed = np.add.reduceat(ordered * event[by_time], starts, axis=1)
    n = leave.sum(axis=1, keepdims=True)
    hazard = np.cumsum(failed / (n - np.cumsum(leave, axis=1) + 1), axis=1)
    scores = event - hazard[:, rank]
    scores -= np.einsum("ij,ij->i", counts, scores)[:, None] / n
    sums = np.cumsum(counts * scores, axis=1)[:, last]
    n_low = np.cumsum(counts, axis=1)[:, last]
    low, high = np.maximum(1, np.floor(n * fractions[0])), np.minimum(n - 1, np.floor(n * fractions[1]))
    admissible = (n_low >= low) & (n_low <= high)
    spread = np.sqrt(np.where(admissible, n_low * (n - n_low), 1.0))
    return np.where(admissible, np.abs(sums) / spread, 0.0)
