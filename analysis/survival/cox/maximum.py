"""The maximum of a Cox partial likelihood, finite or, under separation, at infinity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.errors import NotEstimable
from analysis.kernels.cox import CoxPoint, CoxProblem, cox_problem, evaluate, least_share, maximise, risk_sets
from analysis.kernels.cox_registry import CoxArrays
from analysis.survival.cox.separation import levels, separating_direction, split_strata

NO_INFORMATION = 1e-9
"""A direction with less information than this, beside the best at zero, has none."""
HIDDEN = 1e-12
"""Information of a finite coefficient that is less than this share of that at zero lies below rounding."""


@dataclass(frozen=True, eq=False)
class CoxRows:
    """The rows of a Cox model as arrays: `x` has a column a term, `strata` and the rest an element a row."""

    x: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray
    strata: IntArray
    weights: FloatArray
    ties: str
    offset: FloatArray | None = None

    def problem(self) -> CoxProblem:
        """The partial likelihood of these rows."""
        sets = risk_sets(self.time, self.event, entry=self.entry, strata=self.strata)
        return cox_problem(self.x, sets, weights=self.weights, offset=self.offset, ties=self.ties)

    def arrays(self) -> CoxArrays:
        """These rows for the passes over many, without the columns that are alike in every row."""
        return CoxArrays(
            self.x,
            self.time,
            self.event,
            entry=None if np.isneginf(self.entry).all() else self.entry,
            strata=self.strata if self.strata.any() else None,
            weights=None if (self.weights == 1).all() else self.weights,
            ties=self.ties,
        )


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the partial likelihood is largest, in the units of the covariates.

    Attributes
    ----------
    coef : ndarray, shape (p,)
        NaN for terms that are not estimable.
    covariance : ndarray, shape (p, p)
    log_likelihood : float
        The supremum when it is not attained.
    rows : CoxRows
        Those it was fitted to.
    directions : tuple of ndarray, shape (p,)
        The directions in which the likelihood rises for ever, the first before all others.
    limit : tuple
        With directions: the partial likelihood in the limit along them, where it is largest in its scaled covariates,
        and the order of the rows' linear predictors.
    """

    coef: FloatArray
    covariance: FloatArray
    log_likelihood: float
    rows: CoxRows = field(repr=False)
    directions: tuple[FloatArray, ...] = ()
    limit: tuple[CoxProblem, FloatArray, FloatArray] | None = field(default=None, repr=False)

    @cached_property
    def problem(self) -> CoxProblem:
        """The partial likelihood, or its limit along the directions; built when first asked for."""
        return self.rows.problem() if self.limit is None else self.limit[0]

    @property
    def beta(self) -> FloatArray:
        """Where it is largest, in its scaled covariates."""
        return self.coef * self.problem.scale if self.limit is None else self.limit[1]

    @cached_property
    def score(self) -> FloatArray:
        """The linear predictor, row by row; only its order when `directions` is not empty."""
        return linear_predictor(self.rows.x, self.coef) if self.limit is None else self.limit[2]


def evaluator(problem: CoxProblem, ties: str) -> Callable[[FloatArray], CoxPoint]:
    """The log-likelihood of a problem as a function of the coefficients."""
    if ties == "exact":
        from analysis.kernels.cox import evaluate_exact

        return lambda beta: evaluate_exact(problem, beta)
    return lambda beta: evaluate(problem, beta)


def find_maximum(rows: CoxRows, problem: CoxProblem, null: CoxPoint) -> Maximum:
    """Maximise, and read the coefficients and their covariance at the maximum.

    Parameters
    ----------
    rows : CoxRows
    problem : CoxProblem
        Of the rows.
    null : CoxPoint
        At coefficients zero.

    Returns
    -------
    Maximum

    Raises
    ------
    NotEstimable
        When Newton's method finds neither a maximum nor a direction without one, or rounding hides the maximum.
    """
    summit = climb(rows, problem, null)
    if not summit.directions and least_share(summit.point.information, null.information) < HIDDEN:
        raise NotEstimable(
            "a covariate has a value so far from the others that rounding hides them: look at its largest and smallest"
            " (a wrong unit, a code for missing), or take its logarithm"
        )
    return _in_units(rows, summit, null)


@dataclass(frozen=True, eq=False)
class Summit:
    """The highest point, of the problem or of its limit along the directions in which it rises for ever."""

    problem: CoxProblem
    point: CoxPoint
    directions: tuple[FloatArray, ...]


def climb(rows: CoxRows, problem: CoxProblem, null: CoxPoint) -> Summit:
    """Maximise; where the likelihood rises for ever in a direction, go to its limit there and maximise the rest.

    In the limit along a direction d, a row counts in an event's risk set only if its x'd equals the event's: the limit
    is again a partial likelihood, stratified by x'd as well.

    Parameters
    ----------
    rows : CoxRows
    problem : CoxProblem
        Of the rows.
    null : CoxPoint
        At coefficients zero.

    Returns
    -------
    Summit

    Raises
    ------
    NotEstimable
        When Newton's method finds neither a maximum nor a direction without one.
    """
    unit = float(problem.event_weight.mean())
    solution = maximise(evaluator(problem, rows.ties), null, unit=unit)
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
    return Summit(problem, solution.point, tuple(directions))


def _in_units(rows: CoxRows, summit: Summit, null: CoxPoint) -> Maximum:
    """From scaled covariates to the covariates' own units; NaN where there is no information."""
    problem, point, directions = summit.problem, summit.point, summit.directions
    if not directions:
        return attained(rows, point, problem.scale)
    coef = point.beta / problem.scale
    score = linear_predictor(rows.x, coef)
    spread = rows.x.std(axis=0)
    units = np.where(np.isinf(problem.scale), 0.0, problem.scale / spread)
    values, vectors = np.linalg.eigh(point.information * np.outer(units, units))
    void = values <= NO_INFORMATION * np.linalg.eigvalsh(null.information)[-1]
    lost = (np.abs(vectors[:, void]) > 1e-6).any(axis=1)
    firm = vectors[:, ~void]
    covariance = (firm / values[~void]) @ firm.T / np.outer(spread, spread)
    covariance[lost, :] = covariance[:, lost] = np.nan
    ranks = [levels(rows.x, direction) for direction in directions]
    _, order = np.unique(np.column_stack([*ranks, score]), axis=0, return_inverse=True)
    limit = (problem, point.beta, np.asarray(order, dtype=np.float64).ravel())
    return Maximum(np.where(lost, np.nan, coef), covariance, point.log_likelihood, rows, directions, limit)


def attained(rows: CoxRows, point: CoxPoint, scale: FloatArray) -> Maximum:
    """A maximum at finite coefficients, from the point of the scaled covariates."""
    covariance = np.linalg.inv(point.information) / np.outer(scale, scale)
    return Maximum(point.beta / scale, covariance, point.log_likelihood, rows)


def linear_predictor(x: FloatArray, coef: FloatArray) -> FloatArray:
    """The sum of covariates times coefficients, column after column: equal rows get equal sums, to the last bit."""
    total = np.zeros(len(x))
    for column, value in zip(x.T, coef, strict=True):
        total += column * value
    return total
