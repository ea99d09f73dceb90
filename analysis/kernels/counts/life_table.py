"""The life table on arrays: rows at risk, with an event and censored at each time, and the product-limit curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import dense_rank
from analysis.kernels.tolerances import NOBODY_LEFT, SAME_PROBABILITY

MANY_ROWS = 100_000
"""From so many rows on, counting in one compiled pass pays for importing numba."""
ConfType = Literal["log-log", "log", "plain"]


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
        """The rows of each segment."""
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
        from analysis.kernels.counts.one_pass import count_exits

        both = group if segment is None else segment if group is None else np.int64(n_groups) * segment + group
        exits = count_exits(time, event, both, n_codes=n_segments * n_groups)
        if exits is not None and exits.n_leave.sum() == len(time):
            return counts_of(exits, n_segments=n_segments)
    distinct, rank = dense_rank(time)
    code = rank if segment is None else np.int64(len(distinct)) * segment + rank
    cells, row = (np.arange(len(distinct)), rank) if segment is None else dense_rank(code)
    column = np.zeros(1, dtype=np.int64) if group is None else group
    cell = row * n_groups + column
    shape = (len(cells), n_groups)
    start = np.searchsorted(cells, np.arange(n_segments + 1) * len(distinct))

    leave = _sums(cell, weights, shape)
    n_event = _sums(cell[event], None if weights is None else weights[event], shape)
    n_entry = None
    if entry is not None:
        later = np.searchsorted(cells, code - rank + np.searchsorted(distinct, entry, side="right"))
        n_entry = _sums(later * n_groups + column, weights, shape)
    return _counts(np.asarray(distinct, dtype=np.float64)[cells % len(distinct)], start, leave, n_event, n_entry)


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
    by_segment, events = (table.reshape(shape).transpose(1, 0, 2) for table in (exits.n_leave, exits.n_event))
    used = by_segment.any(axis=2)
    start = np.r_[0, np.cumsum(used.sum(axis=1))]
    times = np.broadcast_to(exits.time, used.shape)[used]
    return _counts(times, start, by_segment[used].astype(np.float64), events[used].astype(np.float64))


def _counts(
    time: FloatArray, start: IntArray, leave: FloatArray, n_event: FloatArray, n_entry: FloatArray | None = None
) -> Counts:
    """Those at risk, from who leaves and who enters: by default all of a segment at its first time."""
    if n_entry is None:
        n_entry = np.zeros_like(leave)
        n_entry[start[:-1]] = np.add.reduceat(leave, start[:-1], axis=0)
    return Counts(time, start, _at_risk(leave, n_entry), n_event, leave - n_event, n_entry)


def _sums(cell: IntArray, weights: FloatArray | None, shape: tuple[int, int]) -> FloatArray:
    """Weights (or ones) summed into the cells of a table."""
    sums = np.bincount(cell, weights=weights, minlength=shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)


def _at_risk(leave: FloatArray, n_entry: FloatArray) -> FloatArray:
    """Those who leave here or later, less those who enter later; summed from the end, where few remain.

    Nobody is at risk between two segments: what the later one entered with cancels what it summed to.
    """
    change = leave.copy()
    change[:-1] -= n_entry[1:]
    n_risk = np.cumsum(change[::-1], axis=0)[::-1]
    return np.maximum(n_risk, leave)  # sums of fractions may fall short by a rounding error


def survival_curve(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """S(t) just after each time: the running product of (n_risk - n_event) / n_risk.

    Parameters
    ----------
    n_risk, n_event : ndarray, shape (m,)
        In order of time, n_risk positive.

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> survival_curve(np.array([4.0, 2.0]), np.array([1.0, 1.0])).tolist()
    [0.75, 0.375]
    """
    return np.asarray(np.cumprod(_left(n_risk, n_event) / n_risk), dtype=np.float64)


def greenwood(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """Greenwood's sum of d / (n (n - d)): the variance of log S(t); infinite from where S is zero.

    Parameters
    ----------
    n_risk, n_event : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> greenwood(np.array([4.0, 2.0]), np.array([1.0, 2.0])).round(6).tolist()
    [0.083333, inf]
    """
    with np.errstate(divide="ignore"):
        return np.cumsum(n_event / (n_risk * _left(n_risk, n_event)))


def _left(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """Those left after the events; nobody when only a rounding error of the weighted sums is."""
    left = n_risk - n_event
    return np.where(left > NOBODY_LEFT * n_risk, left, 0.0)


def jackknife_variance(
    time: FloatArray,
    n_risk: FloatArray,
    n_event: FloatArray,
    *,
    row_time: FloatArray,
    row_event: BoolArray,
    row_entry: FloatArray,
    row_weight: FloatArray,
) -> FloatArray:
    """Infinitesimal jackknife variance of log S(t), for weights that are no counts, in linear time.

    With A(t) the sum of d / (n (n - d)), the derivative of log S(t) by the weight of row i is A(min(t, T)) - A(E), less
    1 / (n - d) at T once its event has come. The variance is the sum of squared weights times squared derivatives: a
    constant for each row that has left, and for those at risk a square in A(t) whose coefficients are running sums.

    Parameters
    ----------
    time, n_risk, n_event : ndarray, shape (m,)
        One curve (weighted sums).
    row_time, row_event, row_entry, row_weight : ndarray, shape (n,)
        Its rows; entry -inf without late entry.

    Returns
    -------
    ndarray, shape (m,)
        NaN from where S is zero.

    Notes
    -----
    Equals ``survfit(..., weights = )$std.err`` of R, squared and over S squared, when a weight is fractional.
    """
    left = _left(n_risk, n_event)
    alive = np.cumprod(left > 0).astype(bool)
    jump = np.divide(1.0, left, out=np.zeros_like(left), where=alive)
    slope = np.cumsum(n_event / n_risk * jump)

    ends = np.searchsorted(time, row_time)
    starts = np.searchsorted(time, row_entry, side="right")
    before = np.r_[0.0, slope][starts]
    squared = row_weight**2
    settled = squared * (slope[ends] - before - row_event * jump[ends]) ** 2
    gone = np.cumsum(np.bincount(ends, settled, len(time)))

    def present(values: FloatArray) -> FloatArray:
        """Sums over the rows at risk at each time that have not left at it."""
        moves = np.bincount(starts, values, len(time) + 1)[:-1] - np.bincount(ends, values, len(time))
        return np.cumsum(moves)

    here = present(squared) * slope**2 - 2 * slope * present(squared * before) + present(squared * before**2)
    variance = np.where(alive, gone + np.maximum(here, 0.0), np.nan)
    # Between events nothing changes but rounding noise, which would break a flat stretch of a limit.
    last_event = np.maximum.accumulate(np.where(n_event > 0, np.arange(len(time)), -1))
    return np.where(last_event < 0, 0.0, variance[last_event])


def interval(
    survival: FloatArray, std_error: FloatArray, *, conf_level: float, conf_type: str
) -> tuple[FloatArray, FloatArray]:
    """Pointwise limits of a probability: normal on the scale of log(-log S), of log S, or of S itself.

    Parameters
    ----------
    survival, std_error : ndarray, shape (m,)
        Probabilities and the standard errors of them (not of their logarithms).
    conf_level : float
    conf_type : {"log-log", "log", "plain"}

    Returns
    -------
    conf_low, conf_high : ndarray, shape (m,)
        Within [0, 1]; NaN where S is zero, [1, 1] where it is one.

    Examples
    --------
    >>> low, high = interval(np.array([0.5]), np.array([0.1]), conf_level=0.95, conf_type="plain")
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.304], [0.696])
    """
    half = -ndtri((1 - conf_level) / 2)
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    error = np.where(inside, std_error, np.nan)
    with np.errstate(over="ignore"):  # beside an error that large the limits are 0 and 1, which is what follows
        if conf_type == "plain":
            low, high = s - half * error, s + half * error
        elif conf_type == "log":
            low, high = s * np.exp(-half * error / s), s * np.exp(half * error / s)
        else:
            spread = half * error / (s * -np.log(s))
            low, high = s ** np.exp(spread), s ** np.exp(-spread)
    one = survival == 1
    return np.where(one, 1.0, np.clip(low, 0, 1)), np.where(one, 1.0, np.clip(high, 0, 1))


def quantile(time: FloatArray, values: FloatArray, probability: float) -> float:
    """The first time at which a curve is at or below 1 - probability; where it is flat there, the middle of the flat.

    Parameters
    ----------
    time, values : ndarray, shape (m,)
        From the start (time 0, value 1) on; a curve, or one of its limits, NaN where that is undefined.
    probability : float

    Returns
    -------
    float
        NaN when the curve does not fall so far.

    Notes
    -----
    The rule of ``quantile.survfit`` in R, also for a limit that is not monotone: its largest value at or below
    1 - probability counts.

    Examples
    --------
    >>> quantile(np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.5, 0.2]), 0.5)
    2.0
    """
    if probability == 0:
        return float(time[0])
    known = ~np.isnan(values)
    fallen, first = np.unique(1 - values[known], return_index=True)
    times = time[known][first]
    at, past = np.searchsorted(fallen, [probability - SAME_PROBABILITY, probability + SAME_PROBABILITY])
    if past < len(fallen):
        return float(times[at] + times[past]) / 2
    if at < len(fallen) and abs(1 - values[-1] - probability) < SAME_PROBABILITY:
        return float(times[at] + time[-1]) / 2
    return float("nan")


def areas(time: FloatArray, values: FloatArray, horizon: float) -> FloatArray:
    """Area under a right-continuous step curve from each of its times to the horizon.

    Parameters
    ----------
    time, values : ndarray, shape (m,)
        From the start (time 0, value 1) on.
    horizon : float

    Returns
    -------
    ndarray, shape (m,)
        Zero from the horizon on; the last value is carried flat to it.

    Examples
    --------
    >>> areas(np.array([0.0, 2.0]), np.array([1.0, 0.5]), 3.0).tolist()
    [2.5, 0.5]
    """
    widths = np.diff(np.minimum(np.r_[time, horizon], horizon))
    return np.cumsum((widths * values)[::-1])[::-1]
