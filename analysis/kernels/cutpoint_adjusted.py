"""The scan of a marker's cuts beside covariates, strata or late entry: score tests from one Cox model without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.kernels.counting import BoolArray, IntArray
from analysis.kernels.cox import cox_problem, evaluate
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


def score_contributions(rows: ModelRows, cut: FloatArray) -> FloatArray:
    """What each row adds to the standardised score of the indicator of marker <= cut, at every cut.

    The model without the marker is fitted once (Cox, Efron). The score of an indicator z in it is the sum over rows of
    the integral of z - mean(z at risk) against the row's martingale residual; from it is taken what the covariates
    explain, and it is divided by the root of its information given theirs: Izz - Izx Ixx^-1 Ixz. Without covariates,
    late entry and ties its square is the (stratified) log-rank chi-square.

    Parameters
    ----------
    rows : ModelRows
    cut : ndarray, shape (k,)

    Returns
    -------
    ndarray, shape (n, k)
        Columns sum to the standardised statistics, positive where low markers have the higher hazard; 0 where a cut
        compares nobody, NaN where the model without the marker has no estimate.
    """
    n, p = rows.x.shape
    if not rows.event.any():
        return np.full((n, len(cut)), np.nan)
    sets = risk_sets(rows.time, rows.event, entry=rows.entry, strata=rows.strata)
    low = (rows.marker[:, None] <= cut).astype(np.float64)
    problem = cox_problem(np.column_stack([rows.x, low]), sets)
    beta = np.zeros(p + len(cut))
    if p:
        without = cox_problem(rows.x, sets)
        solution = maximise(partial(evaluate, without), evaluate(without, np.zeros(p)))
        if solution.weak or not solution.converged:
            return np.full((n, len(cut)), np.nan)
        beta[:p] = solution.point.beta
    information = evaluate(problem, beta).information
    scores = score_residuals(problem, beta, n)
    explained = np.linalg.pinv(information[:p, :p], hermitian=True) @ information[:p, p:]
    variance = np.diag(information)[p:] - np.einsum("ij,ij->j", information[:p, p:], explained)
    known = variance > SAME * max(float(rows.event.sum()), 1.0)
    spread = np.sqrt(np.where(known, variance, 1.0))
    return np.where(known, (scores[:, p:] - scores[:, :p] @ explained) / spread, 0.0)


def flip_exceedances(
    contributions: FloatArray, observed: float, *, n_permutations: int, rng: np.random.Generator
) -> int:
    """How many random flips of the signs of the rows' contributions reach the observed maximum.

    Without an effect of the marker, a row's contribution is as likely to be up as down, so flips of their signs show
    what maxima chance makes, with the correlation of the cuts kept (Hemerik, Goeman and Finos, J R Stat Soc B 82 (2020)
    841).

    Parameters
    ----------
    contributions : ndarray, shape (n, k)
    observed : float
    n_permutations : int
    rng : Generator

    Returns
    -------
    int
    """
    n, k = contributions.shape
    size = max(1, AT_ONCE // max(n, k))
    reached = 0
    for start in range(0, n_permutations, size):
        signs = 2.0 * rng.integers(0, 2, (min(size, n_permutations - start), n)) - 1
        reached += int((np.abs(signs @ contributions).max(axis=1) >= observed * (1 - SAME)).sum())
    return reached
