"""The scan of a marker's cuts beside covariates, strata or late entry: score tests from one Cox model without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.kernels.counting import BoolArray, IntArray
from analysis.kernels.cox import CoxProblem, cox_problem, evaluate
from analysis.kernels.cox_newton import maximise
from analysis.kernels.cox_residuals import score_residuals
from analysis.kernels.cox_risk_sets import risk_sets
from analysis.kernels.cutpoint_scan import SAME
from analysis.kernels.times import FloatArray

AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class ModelRows:
    """Rows in the order of the marker, with all that the model without the marker knows of them.

    `x` has shape (n, p), p = 0 without covariates; `entry` is -inf without late entry.
    """

    marker: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray
    strata: IntArray
    x: FloatArray

    def take(self, rows: IntArray) -> ModelRows:
        """Some of the rows, in the order given."""
        time, event, entry = self.time[rows], self.event[rows], self.entry[rows]
        return ModelRows(self.marker[rows], time, event, entry, self.strata[rows], self.x[rows])


@dataclass(frozen=True, eq=False)
class CutScores:
    """The score test of the indicator of marker <= cut at every cut, in one Cox model without the marker.

    Attributes
    ----------
    statistic : ndarray, shape (k,)
        Standardised scores, positive where low markers have the higher hazard; 0 where a cut compares nobody.
    problem : CoxProblem
        Of the covariates and the indicators, at coefficients `beta`: those of the model, and zeros.
    explained : ndarray, shape (p, k)
        The regression of the indicators' scores on the covariates'.
    spread : ndarray, shape (k,)
        The standard deviation of what that leaves; infinite where a cut compares nobody.
    """

    statistic: FloatArray
    problem: CoxProblem
    beta: FloatArray
    explained: FloatArray
    spread: FloatArray

    def contributions(self, n: int) -> FloatArray:
        """What each of the n rows adds to the statistics: shape (n, k).

        The integral of the indicator, less its mean at risk, against the row's martingale residual, less what the
        covariates explain of it.
        """
        scores = score_residuals(self.problem, self.beta, n)
        p = len(self.explained)
        return np.asarray((scores[:, p:] - scores[:, :p] @ self.explained) / self.spread, dtype=np.float64)


def cut_scores(rows: ModelRows, cut: FloatArray) -> CutScores | None:
    """Fit the model without the marker (Cox, Efron), and test every cut in it.

    The variance of a score is its information given that of the covariates, Izz - Izx Ixx^-1 Ixz. Without covariates,
    late entry and ties the square of the statistic is the (stratified) log-rank chi-square.

    Parameters
    ----------
    rows : ModelRows
    cut : ndarray, shape (k,)

    Returns
    -------
    CutScores
        None where there are no events, or the model without the marker has no estimate.
    """
    p = rows.x.shape[1]
    if not rows.event.any():
        return None
    sets = risk_sets(rows.time, rows.event, entry=rows.entry, strata=rows.strata)
    beta = np.zeros(p + len(cut))
    if p:
        without = cox_problem(rows.x, sets)
        solution = maximise(partial(evaluate, without), evaluate(without, np.zeros(p)))
        if solution.weak or not solution.converged:
            return None
        beta[:p] = solution.point.beta
    low = (rows.marker[:, None] <= cut).astype(np.float64)
    problem = cox_problem(np.column_stack([rows.x, low]), sets)
    point = evaluate(problem, beta)
    across = point.information[:p, p:]
    explained = np.linalg.pinv(point.information[:p, :p], hermitian=True) @ across
    variance = np.diag(point.information)[p:] - np.einsum("ij,ij->j", across, explained)
    spread = np.sqrt(np.where(variance > SAME * len(sets.events), variance, np.inf))
    return CutScores(point.gradient[p:] / spread, problem, beta, explained, spread)


def flipped_maxima(contributions: FloatArray, *, n_permutations: int, rng: np.random.Generator) -> FloatArray:
    """The maximum of the absolute statistics under random flips of the signs of the rows' contributions.

    Without an effect of the marker, a row's contribution is as likely to be up as down, so flips of their signs show
    what maxima chance makes, with the correlation of the cuts kept (Hemerik, Goeman and Finos, J R Stat Soc B 82 (2020)
    841).

    Parameters
    ----------
    contributions : ndarray, shape (n, k)
    n_permutations : int
    rng : Generator

    Returns
    -------
    ndarray, shape (n_permutations,)
    """
    n, k = contributions.shape
    size = max(1, AT_ONCE // max(n, k))
    parts = []
    for start in range(0, n_permutations, size):
        signs = 2.0 * rng.integers(0, 2, (min(size, n_permutations - start), n)) - 1
        parts.append(np.abs(signs @ contributions).max(axis=1))
    return np.concatenate(parts)
