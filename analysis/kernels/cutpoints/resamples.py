"""Many groupings and resamples of the same rows at once: the hazard ratio of a high group, the best cut."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import dense_rank
from analysis.kernels.tolerances import SAME_STATISTIC, SETTLED_CUT

MOST_STEPS, MOST_CELLS = 60, 2_000_000
"""Newton's steps; groupings or resamples times rows that are worked on at once."""


def grouped_log_hazard_ratios(
    time: FloatArray, event: BoolArray, high: BoolArray, counts: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """The log hazard ratio (Cox, Efron's ties) of a high group against the others, for many groupings.

    Parameters
    ----------
    time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    high : ndarray of bool, shape (r, n)
    counts : ndarray, shape (r, n), optional
        How often each row is in a resample (whole numbers); once by default.

    Returns
    -------
    coef, std_error : ndarray, shape (r,)
        NaN where the likelihood has no maximum.

    Notes
    -----
    ``coxph(Surv(time, event) ~ high)`` of R, r times.

    Examples
    --------
    >>> time, high = np.array([3.0, 1.0, 4.0, 2.0]), np.array([[False, True, True, False]])
    >>> coef, _ = grouped_log_hazard_ratios(time, np.ones(4, dtype=bool), high)
    >>> round(float(np.exp(coef[0])), 6)  # by hand: (sqrt(5) - 1) / 2
    0.618034
    """
    size = max(1, MOST_CELLS // len(time))
    at_time = np.searchsorted(np.unique(time[event]), time, side="right") - 1
    order = np.argsort(at_time, kind="stable")
    order = order[at_time[order] >= 0]
    starts = np.flatnonzero(np.diff(at_time[order], prepend=-1))
    parts = []
    for first in range(0, len(high), size):
        some = slice(first, first + size)
        group = high[some][:, order].astype(np.float64)
        everyone = np.ones_like(group) if counts is None else counts[some][:, order]
        parts.append(_fitted(everyone, everyone * group, event[order], starts))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _fitted(
    everyone: FloatArray, high: FloatArray, event: BoolArray, starts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The coefficients of some groupings, from their rows in the order of the event times they live to see."""
    if not len(starts):
        return np.full(len(high), np.nan), np.full(len(high), np.nan)
    n_all, n_high = _at_risk(everyone, starts), _at_risk(high, starts)
    failed, high_failed = (np.add.reduceat(rows * event, starts, axis=1).ravel() for rows in (everyone, high))
    tied = failed.astype(np.int64)
    cell = np.repeat(np.arange(len(tied)), tied)
    before = np.arange(len(cell)) - np.repeat(np.cumsum(tied) - tied, tied)
    fraction = before / failed[cell]
    n_high_then = n_high[cell] - fraction * high_failed[cell]
    n_low_then = n_all[cell] - fraction * failed[cell] - n_high_then
    shape = everyone.shape[0], len(starts)
    return two_groups(n_low_then, n_high_then, tied.reshape(shape).sum(axis=1), high_failed.reshape(shape).sum(axis=1))


def _at_risk(rows: FloatArray, starts: IntArray) -> FloatArray:
    """Those who live to see each event time, grouping after grouping."""
    return np.cumsum(np.add.reduceat(rows, starts, axis=1)[:, ::-1], axis=1)[:, ::-1].ravel()


def two_groups(
    n_low: FloatArray, n_high: FloatArray, n_events: IntArray, events_high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The coefficients of indicators of a high group and their standard errors, by Newton's method on counts at risk.

    Parameters
    ----------
    n_low, n_high : ndarray, shape (sum of n_events,)
        Of either group at risk at each event, the events of one grouping after those of another; of a tie, those are
        taken off that failed before the event.
    n_events : ndarray of int, shape (k,)
    events_high : ndarray, shape (k,)

    Returns
    -------
    coef, std_error : ndarray, shape (k,)
        NaN where the likelihood has no maximum.
    """
    coef, std_error = np.full(len(n_events), np.nan), np.full(len(n_events), np.nan)
    owner = np.repeat(np.arange(len(n_events)), n_events)
    with_high = np.bincount(owner, n_high > 0, len(n_events))
    without_low = np.bincount(owner, n_low <= 0, len(n_events))
    finite = np.flatnonzero((events_high < with_high) & (events_high > without_low))
    if not len(finite):
        return coef, std_error
    if len(finite) < len(n_events):
        kept = np.isin(np.arange(len(n_events)), finite)[owner]
        n_low, n_high = n_low[kept], n_high[kept]
    observed = events_high[finite]
    sizes = n_events[finite]
    beta = np.zeros(len(finite))
    information = _newton(n_low, n_high, sizes, observed, beta)
    coef[finite], std_error[finite] = beta, 1 / np.sqrt(information)
    return coef, std_error


def _newton(
    n_low: FloatArray, n_high: FloatArray, n_events: IntArray, observed: FloatArray, beta: FloatArray
) -> FloatArray:
    """All coefficients in step, `beta` changed in place; the information at the last step."""
    starts = np.cumsum(n_events) - n_events
    for _ in range(MOST_STEPS):
        risk = n_high * np.repeat(np.exp(beta), n_events)
        share = risk / (risk + n_low)
        expected = np.add.reduceat(share, starts)
        information: FloatArray = expected - np.add.reduceat(share * share, starts)
        step = np.clip((observed - expected) / information, -1.0, 1.0)
        beta += step
        if not (np.abs(step) > SETTLED_CUT).any():
            break
    return information


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
        How often each row is in each resample.
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
        first = np.argmax(statistic >= best * (1 - SAME_STATISTIC), axis=1)
        cuts[start : start + size] = np.where(best[:, 0] > 0, marker[last][first], np.nan)
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
