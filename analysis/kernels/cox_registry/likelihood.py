"""The Cox partial likelihood of many rows, in passes that read each row and keep nothing of it but sums.

Rows are neither sorted nor copied: the times are ranked once, a pass adds each row's risk and its covariates times that
to the sums of its event time, and a second pass, which knows the hazards, adds the events expected. The rows may come
in chunks, of which one at a time is in memory; beside it stand p + 1 sums an event time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels.cox import CoxPoint, CoxSolution, fades, maximise
from analysis.kernels.cox_registry.event_times import EventTimes

if TYPE_CHECKING:
    from analysis.kernels.cox_registry.tiles import Rows

ROUNDING = 1e-11
"""A share that is nothing but rounding."""
SETTLED = 1e-10
"""When no coefficient of a scaled covariate moves more than this, the last step needs no evaluation of its own."""


@dataclass(frozen=True, eq=False)
class LargeRows:
    """Rows that come in chunks, and what is known of them.

    Attributes
    ----------
    chunks : callable
        Gives the rows anew, chunk after chunk, whenever it is called.
    events : EventTimes
    centre : ndarray, shape (s, p)
        Taken off the covariates, by stratum; the likelihood does not see it.
    scale : ndarray, shape (p,)
        What they are divided by; infinite for a constant column.
    efron : bool
    """

    chunks: Callable[[], Iterable[Rows]]
    events: EventTimes
    centre: FloatArray
    scale: FloatArray
    efron: bool


@dataclass(frozen=True, eq=False)
class LargeProblem:
    """A partial likelihood, evaluated at coefficients zero and at a start.

    Attributes
    ----------
    rows : LargeRows
    observed : ndarray, shape (p,)
        Weighted sum of the centred and scaled covariates of the events.
    null, begin : CoxPoint
        At coefficients zero, and at the start.
    compared : bool
        Whether at some event somebody is at risk who has none.
    """

    rows: LargeRows
    observed: FloatArray
    null: CoxPoint
    begin: CoxPoint
    compared: bool

    @property
    def scale(self) -> FloatArray:
        """What the covariates are divided by."""
        return self.rows.scale

    @property
    def events(self) -> EventTimes:
        """The event times."""
        return self.rows.events


def large_problem(rows: LargeRows, start: FloatArray) -> LargeProblem:
    """A partial likelihood with its values at coefficients zero and `start`, of the scaled covariates, in two passes.

    Parameters
    ----------
    rows : LargeRows
    start : ndarray, shape (p,)

    Returns
    -------
    LargeProblem
    """
    betas = np.array([np.zeros(len(start)), start][: 1 + start.any()])
    sums, entries = _risk_sums(rows, betas)
    observed = sums[0, 1::2, :-1].sum(axis=0)
    points = _points(rows, betas, observed, sums, entries)
    compared = bool((_at_risk(rows.events, sums[0], entries[0]) > sums[0, 3::2, -1] * (1 + ROUNDING)).any())
    return LargeProblem(rows, observed, points[0], points[-1], compared)


def _at_risk(events: EventTimes, sums: FloatArray, entries: FloatArray) -> FloatArray:
    """The weight at risk at each event time."""
    weight = sums[2::2, -1] + sums[3::2, -1] - (entries[1:, -1] if len(entries) else 0.0)
    later = np.append(np.cumsum(weight[::-1])[::-1], 0.0)
    bounds = np.append(np.flatnonzero(events.opens), len(weight))
    return np.asarray(later[:-1] - np.repeat(later[bounds[1:]], np.diff(bounds)), dtype=np.float64)


def evaluate_large(problem: LargeProblem, beta: FloatArray) -> CoxPoint:
    """The log partial likelihood at coefficients of the scaled covariates, with its derivatives, in two passes."""
    betas = beta[None]
    return _points(problem.rows, betas, problem.observed, *_risk_sums(problem.rows, betas))[0]


def _risk_sums(rows: LargeRows, betas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first pass: risks times covariates, and risks, summed by cell, and by the event time missed."""
    from analysis.kernels.cox_registry.tiles import add_risks

    k, p = betas.shape
    m = len(rows.events.times)
    sums, entries = np.zeros((k, 2 * m + 2, p + 1)), np.zeros((k, 0, p + 1))
    for chunk in rows.chunks():
        if len(chunk.missed) and not entries.size:
            entries = np.zeros((k, m + 1, p + 1))
        add_risks(chunk, rows.centre, 1 / rows.scale, betas, sums, entries)
    return sums, entries


def _points(
    rows: LargeRows, betas: FloatArray, observed: FloatArray, sums: FloatArray, entries: FloatArray
) -> list[CoxPoint]:
    """The second pass."""
    from analysis.kernels.cox_registry.tiles import add_expected, visit_event_times

    k, p = betas.shape
    events, m = rows.events, len(rows.events.times)
    seen, before = np.zeros((k, 2 * m + 2)), np.zeros((k, m + 1))
    expected, information = np.zeros((k, p)), np.zeros((k, p, p))
    logarithms = [
        visit_event_times(
            sums[one], entries[one], events.opens, events.n_tied, events.event_weight, rows.efron,
            seen[one], before[one], information[one],
        )
        for one in range(k)
    ]  # fmt: skip
    for chunk in rows.chunks():
        add_expected(chunk, rows.centre, 1 / rows.scale, betas, seen, before, expected, information)
    return [
        CoxPoint(beta, float(observed @ beta - logarithm), observed - had, half + np.tril(half, -1).T)
        for beta, logarithm, had, half in zip(betas, logarithms, expected, information, strict=True)
    ]


def climb_large(problem: LargeProblem) -> CoxSolution:
    """The maximum, from the problem's start; `weak` when coefficients may be running off.

    Parameters
    ----------
    problem : LargeProblem

    Returns
    -------
    CoxSolution
    """
    unit = float(problem.events.event_weight.mean())
    found = maximise(
        lambda beta: evaluate_large(problem, beta), problem.begin, watch=False, max_steps=25, unit=unit, settled=SETTLED
    )
    weak = not found.converged or fades(found.point.information, problem.null.information)
    return CoxSolution(found.point, found.converged, weak, found.n_steps)
