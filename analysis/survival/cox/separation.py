"""Directions in which a Cox partial likelihood rises for ever, found exactly by linear programming."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.cox import CoxProblem, RiskSets, at_risk_sums

TOLERANCE = 1e-6
"""Sums of covariates (in standard deviations) closer than this are equal."""
ROUNDING = 1e-14
"""Rows that differ by less than this, beside the largest covariate, differ by rounding."""
MOST_ROUNDS = 200


def separating_direction(problem: CoxProblem, *, exact: bool = False) -> FloatArray | None:
    """A direction d with x'd at every event the largest in its risk set, and not always equal; None when there is none.

    The likelihood has no maximum if and only if there is such a direction (Bryson and Johnson, 1981): it is found by
    maximising the sum of x'd of events less that of everybody at risk with them.

    Parameters
    ----------
    problem : CoxProblem
    exact : bool
        Compare events with those at risk who had no event then, as the exact likelihood of ties does.

    Returns
    -------
    ndarray, shape (p,), or None
        In the scaled covariates of the problem.
    """
    sets, x = problem.sets, problem.x
    everyone = at_risk_sums(sets, np.column_stack([np.ones(len(x)), x]))[sets.at]
    gain = (everyone[:, :1] * x[sets.events] - everyone[:, 1:]).sum(axis=0)
    return rising_direction(problem, gain, exact=exact)


def rising_direction(problem: CoxProblem, gain: FloatArray, *, exact: bool = False) -> FloatArray | None:
    """The direction of largest `gain` along which the likelihood never falls; None when there is none of positive gain.

    A linear program whose constraints, x'd of an event at least that of a row at risk with it, are added as they are
    violated.

    Parameters
    ----------
    problem : CoxProblem
    gain : ndarray, shape (p,)
    exact : bool
        As in `separating_direction`.

    Returns
    -------
    ndarray, shape (p,), or None
    """
    from scipy.optimize import linprog

    sets, x = problem.sets, problem.x
    gain = gain / max(float(np.abs(gain).max(initial=0.0)), 1e-300)
    events, rows = x[sets.events], np.empty((0, x.shape[1]))
    for _ in range(MOST_ROUNDS):
        program = linprog(-gain, A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
        direction = np.asarray(program.x, dtype=np.float64)
        if gain @ direction <= TOLERANCE:
            return None
        above = highest_at_risk(sets, x @ direction, without_events=exact)[sets.at]
        apart = _unit(np.where(above[:, None] >= 0, events - x[above], 0.0), x)
        excess = -apart @ direction
        wrong = np.flatnonzero(excess > TOLERANCE)
        if not len(wrong):
            return direction
        worst = wrong[np.argsort(-excess[wrong])[:500]]
        rows = np.vstack([rows, np.unique(apart[worst], axis=0)])
    return None


def _unit(differences: FloatArray, x: FloatArray) -> FloatArray:
    """Differences of rows of x, divided by their length: one far row must not make the others look equal."""
    length = np.linalg.norm(differences, axis=1)
    differs = length > ROUNDING * np.abs(x).max(initial=0.0)
    return np.where(differs[:, None], differences / np.where(differs, length, 1.0)[:, None], 0.0)


def highest_at_risk(sets: RiskSets, score: FloatArray, *, without_events: bool = False) -> IntArray:
    """The place in ``sets.rows`` of the row with the highest score at each event time; -1 where there is none.

    Rows are laid over the event times they are at risk at, the highest first; each event time keeps its first.
    """
    last = sets.last.copy()
    if without_events:
        last[sets.events] -= 1
    n_times = len(sets.times)
    owner = np.full(n_times, -1, dtype=np.int64)
    free = list(range(n_times + 1))  # the next event time without an owner, by path halving
    n_left = n_times
    for row in np.argsort(-score, kind="stable").tolist():
        place, end = _next_free(free, int(sets.first[row])), int(last[row])
        while place <= end:
            owner[place], free[place] = row, place + 1
            n_left -= 1
            place = _next_free(free, place)
        if not n_left:
            break
    return owner


def _next_free(free: list[int], place: int) -> int:
    """The first place at or after this one that is still free."""
    while free[place] != place:
        free[place] = free[free[place]]
        place = free[place]
    return place


def levels(x: FloatArray, direction: FloatArray) -> IntArray:
    """The values of x'd, equal ones under one number, in ascending order."""
    scores = np.zeros(len(x))
    for column, value in zip(x.T, direction, strict=True):
        scores += column * value
    order = np.argsort(scores, kind="stable")
    level = np.empty(len(x), dtype=np.int64)
    level[order] = np.cumsum(np.r_[False, np.diff(scores[order]) > TOLERANCE])
    return level


def split_strata(x: FloatArray, strata: IntArray, direction: FloatArray) -> IntArray:
    """Strata split by the value of x'd."""
    level = levels(x, direction)
    _, codes = np.unique(strata * (level.max() + 1) + level, return_inverse=True)
    return np.asarray(codes, dtype=np.int64)
