"""Competing risks on arrays: cumulative incidence with its error, and the scores of Gray's test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.errors import NotSupported
from analysis.kernels.counts.life_table import Counts, count
from analysis.kernels.tolerances import NO_VARIANCE


def aalen_johansen(n_risk: FloatArray, n_leave: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Cumulative incidence of each cause, and its infinitesimal jackknife variance, in linear time.

    With S the chance of no event so far, F_k(t) sums S(s-) d_k(s) / n(s). The derivative of F_k(t) by the weight of a
    row at risk is B_k(t), the sum of S(s-) d_k(s) / n(s) (A(s-) - 1 / n(s)), where A sums d / (n (n - d)). After a row
    has left at T it is a + c F_k(t), with c = A(T) less 1 / (n - d) at an event, and a = B_k(T) - c F_k(T), more
    S(T-) / n(T) at an event of cause k. The variance is the sum of the squares.

    Parameters
    ----------
    n_risk : ndarray, shape (m,)
        At the distinct follow-up times.
    n_leave : ndarray, shape (m, 1 + n_causes)
        Rows that leave at each time: censored, then by cause.

    Returns
    -------
    incidence, variance : ndarray, shape (m, n_causes)

    Notes
    -----
    Equals pstate and std.err squared of ``survfit(Surv(time, factor(status)) ~ 1)`` in R.

    Examples
    --------
    >>> incidence, _ = aalen_johansen(np.array([4.0, 3.0, 1.0]), np.array([[0.0, 1, 0], [1, 0, 1], [1, 0, 0]]))
    >>> incidence.round(4).tolist()
    [[0.25, 0.0], [0.25, 0.25], [0.25, 0.25]]
    """
    n_cause = n_leave[:, 1:]
    d = n_cause.sum(axis=1)
    left = n_risk - d
    last = np.cumprod(left / n_risk)
    before = np.r_[1.0, last[:-1]]
    jump = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0)
    slope = np.cumsum(d / n_risk * jump)
    step = (before / n_risk)[:, None]
    incidence = np.cumsum(step * n_cause, axis=0)
    at_risk = np.cumsum(step * n_cause * (np.r_[0.0, slope[:-1]] - 1 / n_risk)[:, None], axis=0)

    # Rows that have left, by how they left (axis 1) and by the cause whose incidence it is (axis 2).
    c = slope[:, None] - jump[:, None] * (np.arange(n_leave.shape[1]) > 0)
    own = np.eye(n_leave.shape[1])[:, 1:]
    a = at_risk[:, None, :] - c[:, :, None] * incidence[:, None, :] + step[:, :, None] * own
    rows = n_leave[:, :, None]
    square, cross = (np.cumsum((rows * a * part).sum(axis=1), axis=0) for part in (a, c[:, :, None]))
    slopes = np.cumsum((n_leave * c**2).sum(axis=1))[:, None]
    staying = (n_risk - n_leave.sum(axis=1))[:, None]
    terms = (square, 2 * incidence * cross, incidence**2 * slopes, staying * at_risk**2)
    variance = sum(terms, start=np.zeros_like(square))
    noise = NO_VARIANCE * sum((np.abs(term) for term in terms), start=np.zeros_like(square))
    return incidence, np.where(variance > noise, variance, 0.0)


def gray_scores(counts: Counts, n_cause: FloatArray, n_other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scores of Gray's test of equal cumulative incidence in all groups, and their covariance.

    A group's risk set for the subdistribution is n (1 - F(t-)) / S(t-): its size had those with competing events
    stayed. The score compares the group's events with its share of those risk sets. The covariance adds, over the times
    and the groups, the variance of the increments of both causes times the square of the weight that they still carry.

    Parameters
    ----------
    counts : Counts
        One segment, groups as columns.
    n_cause, n_other : ndarray, shape (m, n_groups)
        Events of the cause and of the others.

    Returns
    -------
    score : ndarray, shape (n_groups,)
    covariance : ndarray, shape (n_groups, n_groups)

    Notes
    -----
    Gray, Ann Stat 16 (1988) 1141, with rho = 0 and the ties of ``cmprsk::cuminc`` in R.
    """
    used = (n_cause + n_other).sum(axis=1) > 0
    n, d1, d2 = counts.n_risk[used], n_cause[used], n_other[used]
    safe = np.maximum(n, 1)
    survival = np.cumprod(1 - (d1 + d2) / safe, axis=0)
    before = _before(survival, 1.0)
    incidence_before = _before(np.cumsum(before * d1 / safe, axis=0), 0.0)
    inflated = np.divide(n, before, out=np.zeros_like(n), where=(n > 0) & (before > 0))
    total, events = inflated.sum(axis=1), d1.sum(axis=1)
    pooled = np.cumsum(np.divide(events, total, out=np.zeros_like(total), where=total > 0))
    sub = inflated * (1 - incidence_before)
    score = (d1 - events[:, None] * sub / sub.sum(axis=1, keepdims=True)).sum(axis=0)

    own = np.eye(n.shape[1])[None] * inflated[:, :, None]
    shares = own - inflated[:, :, None] * inflated[:, None, :] / total[:, None, None]
    pace = events / (total * (1 - _before(pooled, 0.0)))
    to_come = np.cumsum((shares * pace[:, None, None])[::-1], axis=0)[::-1]
    to_come = np.concatenate([to_come[1:], np.zeros_like(to_come[:1])])
    reach = np.divide((1 - pooled)[:, None], survival, out=np.zeros_like(survival), where=survival > 0)

    tied = np.maximum(events - 1, 0)[:, None] / np.maximum(total[:, None] * before - 1, 1e-300)
    spread = (1 - tied) * before * events[:, None] / (total[:, None] * safe) * (n > 0)
    kept = np.where(survival > 0, 1 - reach, 1.0)
    weight = np.where((events > 0)[:, None, None], shares + kept[:, None, :] * to_come, 0.0)
    covariance = np.einsum("tik,tjk,tk->ij", weight, weight, spread)

    tied = np.maximum(d2 - 1, 0) / np.maximum(n - 1, 1)
    spread = (1 - tied) * before**2 * d2 / safe**2
    weight = reach[:, None, :] * to_come
    return score, covariance + np.einsum("tik,tjk,tk->ij", weight, weight, spread)


def _before(values: FloatArray, start: float) -> FloatArray:
    """The value just before each time."""
    shifted = np.empty_like(values)
    shifted[0], shifted[1:] = start, values[:-1]
    return shifted


MOST_SPELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Spells:
    """Rows of a weighted Cox model: `row` is the index of each in the cohort, the rest as in a counting process."""

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
    piece = np.repeat(first, pieces) + within
    entry = np.where(within == 0, time[row], ends[piece - 1])
    return Spells(
        row=np.concatenate([np.arange(n), row]),
        entry=np.concatenate([np.full(n, -np.inf), entry]),
        time=np.concatenate([time, ends[piece]]),
        event=np.concatenate([of_cause, np.zeros(len(row), dtype=bool)]),
        weights=np.concatenate([np.ones(n), end_weight[piece] / uncensored(time[row])]),
    )


def _uncensored(time: FloatArray, any_event: BoolArray) -> Callable[[FloatArray], FloatArray]:
    """The chance G(t-) of not yet being censored just before t, as a function of t."""
    counts = count(time, any_event)
    n_censor = counts.n_censor[:, 0]
    exposed = np.maximum(counts.n_risk[:, 0] - counts.n_event[:, 0], 1)
    steps = np.asarray(np.cumprod(np.r_[1.0, 1 - n_censor / exposed]), dtype=np.float64)
    return lambda at: steps[np.searchsorted(counts.time, at)]
