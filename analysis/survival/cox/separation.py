"""Separation: directions along which a Cox partial likelihood is monotone, its supremum there, and profile limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.errors import NotEstimable
from analysis.kernels import tolerances
from analysis.kernels.cox import CoxPoint, CoxProblem, CoxSolution, RiskSets, at_risk_sums, maximise
from analysis.survival.cox.model import CoxRows, Maximum, evaluator, linear_predictor

MOST_ROUNDS, MOST_DOUBLINGS = 200, 60


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
    return monotone_direction(problem, gain, exact=exact)


def monotone_direction(problem: CoxProblem, gain: FloatArray, *, exact: bool = False) -> FloatArray | None:
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
        if gain @ direction <= tolerances.SAME_PREDICTOR:
            return None
        above = highest_at_risk(sets, x @ direction, without_events=exact)[sets.at]
        apart = _unit(np.where(above[:, None] >= 0, events - x[above], 0.0), x)
        excess = -apart @ direction
        wrong = np.flatnonzero(excess > tolerances.SAME_PREDICTOR)
        if not len(wrong):
            return direction
        worst = wrong[np.argsort(-excess[wrong])[:500]]
        rows = np.vstack([rows, np.unique(apart[worst], axis=0)])
    return None


def _unit(differences: FloatArray, x: FloatArray) -> FloatArray:
    """Differences of rows of x, divided by their length: one far row must not make the others look equal."""
    length = np.linalg.norm(differences, axis=1)
    differs = length > tolerances.SAME_ROW * np.abs(x).max(initial=0.0)
    return np.where(differs[:, None], differences / np.where(differs, length, 1.0)[:, None], 0.0)


def highest_at_risk(sets: RiskSets, score: FloatArray, *, without_events: bool = False) -> IntArray:
    """The index in ``sets.rows`` of the row with the highest score at each event time; -1 where there is none.

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
        index, end = _next_free(free, int(sets.first[row])), int(last[row])
        while index <= end:
            owner[index], free[index] = row, index + 1
            n_left -= 1
            index = _next_free(free, index)
        if not n_left:
            break
    return owner


def _next_free(free: list[int], index: int) -> int:
    """The first index at or after this one that is still free."""
    while free[index] != index:
        free[index] = free[free[index]]
        index = free[index]
    return index


def levels(x: FloatArray, direction: FloatArray) -> IntArray:
    """The values of x'd, equal ones under one number, in ascending order."""
    scores = np.zeros(len(x))
    for column, value in zip(x.T, direction, strict=True):
        scores += column * value
    order = np.argsort(scores, kind="stable")
    level = np.empty(len(x), dtype=np.int64)
    level[order] = np.cumsum(np.r_[False, np.diff(scores[order]) > tolerances.SAME_PREDICTOR])
    return level


def split_strata(x: FloatArray, strata: IntArray, direction: FloatArray) -> IntArray:
    """Strata split by the value of x'd."""
    level = levels(x, direction)
    _, codes = np.unique(strata * (level.max() + 1) + level, return_inverse=True)
    return np.asarray(codes, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Supremum:
    """The largest likelihood: of the problem, or of its limit along the directions in which it is monotone."""

    problem: CoxProblem
    solution: CoxSolution
    directions: tuple[FloatArray, ...]

    def in_units(self, rows: CoxRows, null: CoxPoint) -> Maximum:
        """From scaled covariates to the covariates' own units; NaN where there is no information."""
        problem, point, directions = self.problem, self.solution.point, self.directions
        coef = point.beta / problem.scale
        score = linear_predictor(rows.x, coef)
        spread = rows.x.std(axis=0)
        units = np.where(np.isinf(problem.scale), 0.0, problem.scale / spread)
        values, vectors = np.linalg.eigh(point.information * np.outer(units, units))
        void = values <= tolerances.NO_INFORMATION * np.linalg.eigvalsh(null.information)[-1]
        lost = (np.abs(vectors[:, void]) > tolerances.IN_COMBINATION).any(axis=1)
        firm = vectors[:, ~void]
        covariance = (firm / values[~void]) @ firm.T / np.outer(spread, spread)
        covariance[lost, :] = covariance[:, lost] = np.nan
        ranks = [levels(rows.x, direction) for direction in directions]
        _, order = np.unique(np.column_stack([*ranks, score]), axis=0, return_inverse=True)
        limit = (problem, point.beta, np.asarray(order, dtype=np.float64).ravel())
        return Maximum(np.where(lost, np.nan, coef), covariance, point.log_likelihood, rows, directions, limit)


def supremum(rows: CoxRows, problem: CoxProblem, solution: CoxSolution) -> Supremum:
    """Where the likelihood is monotone along a direction, go to its limit there and maximise the rest.

    In the limit along a direction d, a row counts in an event's risk set only if its x'd equals the event's: the limit
    is again a partial likelihood, stratified by x'd as well.

    Parameters
    ----------
    rows : CoxRows
    problem : CoxProblem
        Of the rows.
    solution : CoxSolution
        Where Newton's method came to from coefficients zero.

    Returns
    -------
    Supremum

    Raises
    ------
    NotEstimable
        When Newton's method finds neither a maximum nor a direction without one.
    """
    unit = float(problem.event_weight.mean())
    directions: list[FloatArray] = []
    limit = rows
    while solution.weak:
        direction = separating_direction(problem, exact=rows.ties == "exact")
        if direction is None or len(directions) > 10 * rows.x.shape[1]:
            solution = maximise(evaluator(problem, rows.ties), solution.point, watch=False, unit=unit)
            break
        directions.append(direction / problem.scale)
        limit = replace(limit, strata=split_strata(limit.x, limit.strata, directions[-1]))
        problem = limit.problem()
        at = evaluator(problem, rows.ties)
        solution = maximise(at, at(np.zeros(rows.x.shape[1])), unit=unit)
    if not solution.converged:
        raise NotEstimable("the model did not converge; look for covariates that almost separate or almost coincide")
    return Supremum(problem, solution, tuple(directions))


def profile_limits(rows: CoxRows, maximum: Maximum, term: int, *, conf_level: float) -> tuple[float, float]:
    """Where twice the profile log-likelihood of a coefficient lies a chi-square quantile below its supremum.

    Parameters
    ----------
    rows : CoxRows
    maximum : Maximum
        Of these rows, with `term` not estimable.
    term : int
        The column of ``rows.x``.
    conf_level : float

    Returns
    -------
    low, high : float
        NaN on the side on which the likelihood is monotone; on both when it is so on both, as other coefficients
        follow.
    """
    from scipy.special import chdtri

    nowhere = (float("nan"), float("nan"))
    for direction in maximum.directions:
        side = float(np.sign(direction[term]))
        if side:
            break
        rows = replace(rows, strata=split_strata(rows.x, rows.strata, direction))
    else:
        return nowhere
    back = np.zeros(rows.x.shape[1])
    back[term] = -side
    if monotone_direction(rows.problem(), back, exact=rows.ties == "exact") is not None:
        return nowhere
    drop, scale = float(chdtri(1, 1 - conf_level)), float(rows.x[:, term].std())

    def excess(units: float) -> float:
        """How far the likelihood at this many units towards infinity lies below the limit's level."""
        return 2 * (maximum.log_likelihood - _profile(rows, term, side * units / scale)) - drop

    limit = side * _crossing(excess) / scale
    return (limit, float("nan")) if side > 0 else (float("nan"), limit)


def _crossing(excess: Callable[[float], float]) -> float:
    """Where a falling function crosses zero."""
    from scipy.optimize import brentq

    step = 1.0 if excess(0.0) > 0 else -1.0
    near, far = 0.0, step
    for _ in range(MOST_DOUBLINGS):
        if excess(far) * step < 0:
            return float(brentq(excess, min(near, far), max(near, far), xtol=1e-12, rtol=1e-12))
        near, far = far, 2 * far
    return float("nan")


def _profile(rows: CoxRows, term: int, coef: float) -> float:
    """The largest log-likelihood with one coefficient fixed."""
    others = np.delete(rows.x, term, axis=1)
    constrained = replace(rows, x=others, offset=rows.x[:, term] * coef)
    problem = constrained.problem()
    at = evaluator(problem, rows.ties)
    null = at(np.zeros(others.shape[1]))
    if not others.shape[1]:
        return null.log_likelihood
    solution = maximise(at, null, unit=float(problem.event_weight.mean()))
    return supremum(constrained, problem, solution).solution.point.log_likelihood
