"""Risks, weight times exp(linear predictor), summed over risk sets and over rows' time at risk, however far apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.cox.risk_sets import RiskSets, at_risk_sums, cumulated, over_time_at_risk

NEAR = 500.0
"""Linear predictors of a stratum that span no more than this have exponentials in the range of numbers together."""
NEAR_LATE = 10.0
"""The same with late entry, where sums of rows not yet at risk are subtracted: a wider span may cost digits."""
MOST_LOST = 1e4
"""A wider span with late entry is near while what is subtracted from exceeds what is left by this factor on average."""


class Risks(Protocol):
    """The risks of rows, their sum at each event time on a logarithmic scale of its own."""

    @property
    def log_scale(self) -> FloatArray:
        """At least the largest linear predictor at risk at each event time: shape (m,)."""

    @property
    def of_events(self) -> FloatArray:
        """The risk of each event, over exp(`log_scale`) of its event time: shape (d,)."""

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Risks times values of shape (k,) or (k, p), summed over the rows at risk, over exp(`log_scale`): (m, ...)."""

    def over_time(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """Each row's risk times the sum of the steps while it was at risk, shape (m,) or (m, p) to (k, ...).

        Steps are times exp(`log_scale`); an event's sum is less by `own` at its event time.
        """

    def log_over_time_of_events(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """The logarithm of `over_time`, of the events alone, even if that is too small for a number: (m,) to (d,)."""


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
    >>> from analysis.kernels.cox.risk_sets import risk_sets
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
    return _OneScale(sets, risk, np.repeat(highest, np.diff(sets.strata)))


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


@dataclass(frozen=True, eq=False)
class _OneScale:
    """Risks on one scale a stratum: sums run through it once."""

    sets: RiskSets
    risk: FloatArray
    log_scale: FloatArray

    @property
    def of_events(self) -> FloatArray:
        """The risk of each event, on the scale of its time."""
        return self.risk[self.sets.events]

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Risk times values, summed over the rows at risk at each event time."""
        return at_risk_sums(self.sets, _times(self.risk, values))

    def over_time(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """Each row's risk times the steps of the event times at which it is at risk, less its own."""
        over = over_time_at_risk(self.sets, steps)
        if own is not None:
            over[self.sets.events] -= own[self.sets.at]
        return _times(self.risk, over)

    def log_over_time_of_events(self, steps: FloatArray, own: FloatArray | None = None) -> FloatArray:
        """The logarithm of `over_time` for the rows with an event."""
        return np.asarray(np.log(self.over_time(steps, own)[self.sets.events]), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _OwnScales:
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


def _on_own_scales(sets: RiskSets, weights: FloatArray, eta: FloatArray) -> _OwnScales:
    """The tree over the event times, and the largest linear predictor at risk in each of its nodes."""
    size = 1 << (len(sets.times) - 1).bit_length()
    row, node = _nodes(sets.first + size, sets.last + size + 1)
    upper = np.full(2 * size, -np.inf)
    np.maximum.at(upper, node, eta[row])
    for children, parents in _levels(size):
        upper[children] = np.maximum(upper[children], upper[parents])
    return _OwnScales(sets, weights, eta, row, node, upper)


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
