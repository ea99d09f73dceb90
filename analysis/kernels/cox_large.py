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

from analysis.kernels.cox_event_times import EventTimes
from analysis.kernels.cox_newton import CoxPoint, CoxSolution, fades, maximise
from analysis.kernels.times import FloatArray

if TYPE_CHECKING:
    from analysis.kernels.cox_tiles import Rows

ROUNDING = 1e-11
"""A share that is nothing but rounding."""
SETTLED = 1e-10
"""When no coefficient of a scaled covariate moves more than this, the last step needs no evaluation of its own."""


@dataclass(frozen=True, eq=False)
class LargeProblem:
    """A partial likelihood whose rows come in chunks.

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
    observed : ndarray, shape (p,)
        Weighted sum of the centred and scaled covariates of the events.
    null : CoxPoint
        At coefficients zero.
    compared : bool
        Whether at some event somebody is at risk who has none.
    """

    chunks: Callable[[], Iterable[Rows]]
    events: EventTimes
    centre: FloatArray
    scale: FloatArray
    efron: bool
    observed: FloatArray
    null: CoxPoint
    compared: bool


def large_problem(
    chunks: Callable[[], Iterable[Rows]], events: EventTimes, *, centre: FloatArray, scale: FloatArray, ties: str
) -> LargeProblem:
    """A partial likelihood with its value at coefficients zero, after two passes.

    Parameters
    ----------
    chunks, events, centre, scale
        As in `LargeProblem`.
    ties : {"efron", "breslow"}

    Returns
    -------
    LargeProblem
    """
    efron, zero = ties == "efron", np.zeros(len(scale))
    sums, entries = _risk_sums(chunks, events, centre, scale, zero)
    observed = sums[1::2, :-1].sum(axis=0)
    point = _point(chunks, events, centre, scale, efron, observed, zero, sums, entries)
    compared = bool((_at_risk(events, sums, entries) > sums[3::2, -1] * (1 + ROUNDING)).any())
    return LargeProblem(chunks, events, centre, scale, efron, observed, point, compared)


def _at_risk(events: EventTimes, sums: FloatArray, entries: FloatArray) -> FloatArray:
    """The weight at risk at each event time."""
    weight = sums[2::2, -1] + sums[3::2, -1] - (entries[1:, -1] if len(entries) else 0.0)
    later = np.append(np.cumsum(weight[::-1])[::-1], 0.0)
    bounds = np.append(np.flatnonzero(events.opens), len(weight))
    return np.asarray(later[:-1] - np.repeat(later[bounds[1:]], np.diff(bounds)), dtype=np.float64)


def evaluate_large(problem: LargeProblem, beta: FloatArray) -> CoxPoint:
    """The log partial likelihood at coefficients of the scaled covariates, with its derivatives, in two passes."""
    held = (problem.chunks, problem.events, problem.centre, problem.scale)
    sums, entries = _risk_sums(*held, beta)
    return _point(*held, problem.efron, problem.observed, beta, sums, entries)


def _risk_sums(
    chunks: Callable[[], Iterable[Rows]], events: EventTimes, centre: FloatArray, scale: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The first pass: risks times covariates, and risks, summed by cell, and by the event time missed."""
    from analysis.kernels.cox_tiles import add_risks

    m, p = len(events.times), len(beta)
    sums, entries = np.zeros((2 * m + 2, p + 1)), np.zeros((0, p + 1))
    for rows in chunks():
        if len(rows.missed) and not len(entries):
            entries = np.zeros((m + 1, p + 1))
        add_risks(rows, centre, 1 / scale, beta, sums, entries)
    return sums, entries


def _point(
    chunks: Callable[[], Iterable[Rows]], events: EventTimes, centre: FloatArray, scale: FloatArray, efron: bool,
    observed: FloatArray, beta: FloatArray, sums: FloatArray, entries: FloatArray,
) -> CoxPoint:  # fmt: skip
    """The second pass."""
    from analysis.kernels.cox_tiles import add_expected, visit_event_times

    m, p = len(events.times), len(beta)
    seen, before = np.zeros(2 * m + 2), np.zeros(m + 1)
    expected, information = np.zeros(p), np.zeros((p, p))
    logarithms = visit_event_times(
        sums, entries, events.opens, events.n_tied, events.event_weight, efron, seen, before, information
    )
    for rows in chunks():
        add_expected(rows, centre, 1 / scale, beta, seen, before, expected, information)
    information += np.tril(information, -1).T
    return CoxPoint(beta, float(observed @ beta - logarithms), observed - expected, information)


def climb_large(problem: LargeProblem, start: FloatArray) -> CoxSolution:
    """The maximum, from coefficients `start` of the scaled covariates; `weak` when some may be running off.

    Parameters
    ----------
    problem : LargeProblem
    start : ndarray, shape (p,)

    Returns
    -------
    CoxSolution
    """
    begin = evaluate_large(problem, start) if start.any() else problem.null
    unit = float(problem.events.event_weight.mean())
    found = maximise(
        lambda beta: evaluate_large(problem, beta), begin, watch=False, max_steps=25, unit=unit, settled=SETTLED
    )
    weak = not found.converged or fades(found.point.information, problem.null.information)
    return CoxSolution(found.point, found.converged, weak, found.n_steps)
