"""Who is at risk at which event, sorted once; sums over risk sets and over rows' time at risk in linear time.

Risks, weight times exp(linear predictor), are summed on scales of their own, however far apart they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import dense_rank

NEAR = 500.0
"""Linear predictors of a stratum that span no more than this have exponentials in the range of numbers together."""
NEAR_LATE = 10.0
"""The same with late entry, where sums of rows not yet at risk are subtracted: a wider span may cost digits."""
MOST_LOST = 1e4
"""A wider span with late entry is near while what is subtracted from exceeds what is left by this factor on average."""


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The risk sets of a cohort: its distinct event times, stratum after stratum, and the rows at risk at them.

    Attributes
    ----------
    rows : ndarray, shape (k,)
        The rows at risk at one event time or more, by stratum and last event time; the arrays below follow this order.
    first, last : ndarray, shape (k,)
        A row is at risk at the event times first, ..., last (indices of `times`).
    times, stratum : ndarray, shape (m,)
        The distinct event times and their strata.
    strata : ndarray, shape (s + 1,)
        Where each stratum starts in `times`, and the end.
    events : ndarray, shape (d,)
        Indices in `rows` of the rows with an event, in order.
    at, tie, n_tied : ndarray, shape (d,)
        Of each event: its index in `times`, its number within the tie (from 0), the size of the tie.
    starts, event_starts : ndarray, shape (m,)
        Where each event time's block starts in `rows`, and in `events`.
    entering, entry_starts, entry_at : ndarray
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
    entry_at: IntArray

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
    last = _times_up_to(times, stratum, time, codes) - 1
    if entry is None or np.isneginf(entry).all():
        first = np.searchsorted(stratum, codes)
    else:
        first = _times_up_to(times, stratum, entry, codes)
    seen = np.flatnonzero((last >= first) & np.isin(codes, stratum))
    rows = seen[np.argsort(last[seen], kind="stable")]
    first, last = first[rows], last[rows]
    events = np.flatnonzero(event[rows])
    at = last[events]
    indices = np.arange(len(times))
    event_starts = np.searchsorted(at, indices)
    bounds = np.append(np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]]), len(times))
    origin = np.repeat(bounds[:-1], np.diff(bounds))
    late = np.flatnonzero(first > origin[last])
    entering = late[np.argsort(first[late], kind="stable")]
    entry_at, entry_starts = np.unique(first[entering] - 1, return_index=True)
    return RiskSets(
        rows=rows, first=first, last=last, times=times, stratum=stratum, strata=bounds, events=events, at=at,
        tie=np.arange(len(events)) - event_starts[at],
        n_tied=np.diff(np.append(event_starts, len(events)))[at],
        starts=np.searchsorted(last, indices), event_starts=event_starts,
        entering=entering, entry_starts=entry_starts, entry_at=entry_at,
    )  # fmt: skip


def _event_times(time: FloatArray, codes: IntArray) -> tuple[FloatArray, IntArray]:
    """The distinct event times of each stratum, strata in order."""
    order = np.lexsort((time, codes))
    time, codes = time[order], codes[order]
    new = np.r_[True, (time[1:] != time[:-1]) | (codes[1:] != codes[:-1])]
    return time[new], codes[new]


def _times_up_to(times: FloatArray, stratum: IntArray, values: FloatArray, codes: IntArray) -> IntArray:
    """How many event times, over all strata in order, lie in an earlier stratum or at or before the value."""
    if len(times) and stratum[0] == stratum[-1]:
        return np.searchsorted(times, values, side="right")
    distinct, rank = dense_rank(np.concatenate([times, values]))
    keys = stratum * len(distinct) + rank[: len(times)]
    return np.searchsorted(keys, codes * len(distinct) + rank[len(times) :], side="right")


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
        sums[sets.entry_at] -= np.add.reduceat(values[sets.entering], sets.entry_starts, axis=0)
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


@dataclass(frozen=True, eq=False)
class OneScale:
    """Risks on one scale a stratum: sums run through it once.

    Attributes
    ----------
    risk : ndarray, shape (k,)
        Over exp of the largest linear predictor of the stratum.
    log_scale : ndarray, shape (m,)
        That linear predictor, at each event time.
    """

    sets: RiskSets
    risk: FloatArray
    log_scale: FloatArray

    @property
    def of_events(self) -> FloatArray:
        """The risk of each event, over exp(`log_scale`) of its event time: shape (d,)."""
        return self.risk[self.sets.events]

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Risks times values of shape (k,) or (k, p), summed over the rows at risk, over exp(`log_scale`): (m, ...)."""
        return at_risk_sums(self.sets, _times(self.risk, values))

    def over_time(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """Each row's risk times the sum of the steps while it was at risk, shape (m,) or (m, p) to (k, ...).

        Steps are times exp(`log_scale`); an event's sum is less by `own` at its event time.
        """
        over = over_time_at_risk(self.sets, steps)
        if own is not None:
            over[self.sets.events] -= own[self.sets.at]
        return _times(self.risk, over)

    def log_over_time_of_events(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """The logarithm of `over_time`, of the events alone, even if that is too small for a number: (m,) to (d,)."""
        return np.asarray(np.log(self.over_time(steps, own)[self.sets.events]), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class OwnScales:
    """Risks on a scale of each event time's own: its largest linear predictor at risk.

    Event times are the leaves of a binary tree: node k has the children 2k and 2k + 1, the leaves start at `size`. A
    row is at risk at a run of event times, which a few whole nodes make up; no sum is ever subtracted from another.

    Attributes
    ----------
    row, node : ndarray, shape (q,)
        The nodes that make up each row's time at risk.
    upper : ndarray, shape (2 size,)
        The largest linear predictor that each node has from its rows and those of the nodes above it.
    """

    sets: RiskSets
    weights: FloatArray
    eta: FloatArray
    row: IntArray
    node: IntArray
    upper: FloatArray

    @property
    def log_scale(self) -> FloatArray:
        """The logarithm of the scale at each event time."""
        size = len(self.upper) // 2
        return self.upper[size : size + len(self.sets.times)]

    @property
    def of_events(self) -> FloatArray:
        """The risk of each event, on the scale of its time."""
        events = self.sets.events
        return self.weights[events] * np.exp(self.eta[events] - self.log_scale[self.sets.at])

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Risk times values, summed over the rows at risk at each event time."""
        risk = self.weights[self.row] * np.exp(self.eta[self.row] - self.upper[self.node])
        sums = np.zeros((len(self.upper), *values.shape[1:]))
        np.add.at(sums, self.node, _times(risk, values[self.row]))
        for children, parents in _levels(len(self.upper) // 2):
            sums[children] += _times(_ratio(self.upper[parents], self.upper[children]), sums[parents])
        size = len(self.upper) // 2
        return sums[size : size + len(self.sets.times)]

    def over_time(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """Each row's risk times the steps of the event times at which it is at risk, less its own."""
        sums, lower = self._steps_of_nodes(steps)
        over = np.zeros((len(self.eta), *steps.shape[1:]))
        risk = self.weights[self.row] * np.exp(self.eta[self.row] - lower[self.node])
        np.add.at(over, self.row, _times(risk, sums[self.node]))
        if own is not None:
            over[self.sets.events] -= _times(self.of_events, own[self.sets.at])
        return over

    def log_over_time_of_events(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """The logarithm of `over_time` for the rows with an event."""
        sums, lower = self._steps_of_nodes(steps)
        parts = self.eta[self.row] - lower[self.node] + np.log(sums[self.node])
        largest, over = np.full(len(self.eta), -np.inf), np.zeros(len(self.eta))
        np.maximum.at(largest, self.row, parts)
        np.add.at(over, self.row, np.exp(parts - largest[self.row]))
        events, at = self.sets.events, self.sets.at
        if own is not None:
            over[events] -= own[at] * np.exp(self.eta[events] - self.log_scale[at] - largest[events])
        return np.asarray((np.log(self.weights) + largest + np.log(over))[events], dtype=np.float64)

    def _steps_of_nodes(self, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The steps summed over the event times of each node, times exp(the second array): its smallest scale."""
        size, m = len(self.upper) // 2, len(self.sets.times)
        sums, lower = np.zeros((2 * size, *steps.shape[1:])), np.full(2 * size, np.inf)
        sums[size : size + m], lower[size : size + m] = steps, self.log_scale
        for children, parents in reversed(_levels(size)):
            np.minimum.at(lower, parents, lower[children])
            np.add.at(sums, parents, _times(_ratio(lower[parents], lower[children]), sums[children]))
        return sums, lower


Risks = OneScale | OwnScales


def risks_of(sets: RiskSets, weights: FloatArray, eta: FloatArray) -> Risks:
    """The risks of rows with these weights and linear predictors, on one scale a stratum where that serves.

    Parameters
    ----------
    sets : RiskSets
    weights, eta : ndarray, shape (k,)
        In the order of ``sets.rows``.

    Returns
    -------
    Risks

    Examples
    --------
    >>> sets = risk_sets(np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool))
    >>> risks = risks_of(sets, np.ones(3), np.array([800.0, 0.0, 0.0])[sets.rows])
    >>> (np.log(risks.at_risk(np.ones(3))) + risks.log_scale).round(6).tolist()
    [800.0, 0.693147, 0.0]
    """
    bounds = sets.row_strata
    highest = np.maximum.reduceat(eta, bounds[:-1])
    below = eta - np.repeat(highest, np.diff(bounds))
    if below.min() < -NEAR:
        return _on_own_scales(sets, weights, eta)
    risk = weights * np.exp(below)
    if len(sets.entering) and below.min() < -NEAR_LATE and _lost(sets, risk) > MOST_LOST:
        return _on_own_scales(sets, weights, eta)
    return OneScale(sets, risk, np.repeat(highest, np.diff(sets.strata)))


def _lost(sets: RiskSets, risk: FloatArray) -> float:
    """How many times larger than what it leaves a running sum is from which late rows are subtracted.

    The mean over the event times for risks, or over the late rows for the hazards they have seen: the larger of both.
    """
    at_risk, late = at_risk_sums(sets, risk), sets.entering
    if at_risk.min() <= 0:
        return np.inf
    largest = np.empty_like(at_risk)
    for start, end in zip(sets.strata[:-1], sets.strata[1:], strict=True):
        largest[start:end] = np.maximum.accumulate(at_risk[start:end][::-1])[::-1]
    hazard = cumulated(sets, 1 / at_risk)
    whole = hazard[sets.last[late]]
    seen = whole - hazard[sets.first[late] - 1]
    return np.inf if seen.min() <= 0 else float(max((largest / at_risk).mean(), (whole / seen).mean()))


def _on_own_scales(sets: RiskSets, weights: FloatArray, eta: FloatArray) -> OwnScales:
    """The tree over the event times, and the largest linear predictor at risk in each of its nodes."""
    size = 1 << (len(sets.times) - 1).bit_length()
    row, node = _nodes(sets.first + size, sets.last + size + 1)
    upper = np.full(2 * size, -np.inf)
    np.maximum.at(upper, node, eta[row])
    for children, parents in _levels(size):
        upper[children] = np.maximum(upper[children], upper[parents])
    return OwnScales(sets, weights, eta, row, node, upper)


def _nodes(first: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """The fewest whole nodes that make up each run of leaves from `first` to before `end`: rows, and nodes."""
    rows, nodes = [], []
    while (first < end).any():
        odd = (first < end) & (first % 2 == 1)
        rows.append(np.flatnonzero(odd))
        nodes.append(first[odd])
        first = first + odd
        odd = (first < end) & (end % 2 == 1)
        end = end - odd
        rows.append(np.flatnonzero(odd))
        nodes.append(end[odd])
        first, end = first // 2, end // 2
    return np.concatenate(rows), np.concatenate(nodes)


def _levels(size: int) -> list[tuple[IntArray, IntArray]]:
    """The nodes of each level below the root with their parents, from the top."""
    children = [np.arange(2**level, 2 ** (level + 1)) for level in range(1, size.bit_length())]
    return [(level, level // 2) for level in children]


def _ratio(scale: FloatArray, other: FloatArray) -> FloatArray:
    """exp(scale - other), 0 where either is infinite: nobody is at risk there."""
    known = np.isfinite(scale) & np.isfinite(other)
    gap = np.subtract(scale, other, out=np.full(len(scale), -np.inf), where=known)
    return np.asarray(np.exp(gap), dtype=np.float64)


def _times(factor: FloatArray, values: FloatArray) -> FloatArray:
    """A factor a row times values of shape (k,) or (k, p)."""
    return factor * values if values.ndim == 1 else factor[:, None] * values
