"""The scan of a marker's cuts within strata, with late entry, or beside covariates, and its null: markers redrawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox import cox_problem, evaluate, martingale_residuals, maximise, risk_sets
from analysis.kernels.cutpoints.scan import logrank_scores
from analysis.kernels.tolerances import SAME_STATISTIC

AT_ONCE = 1_000_000
"""Redrawn markers that are sorted at once."""
DECIMALS = 9
"""Redrawn markers that differ by less are tied, and ties fall in random order: rounding must not choose it."""


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
    """The statistic of every cut as a sum of row scores over its low group, divided by a standard deviation.

    Attributes
    ----------
    row_scores : ndarray, shape (n,)
        They sum to zero within each stratum.
    n_low : ndarray of int, shape (k,)
        Rows at or below each cut: the first `n_low` of the rows.
    spread : ndarray, shape (k,)
        The standard deviation of the sum; infinite where a cut compares nobody.
    """

    row_scores: FloatArray
    n_low: IntArray
    spread: FloatArray

    @property
    def statistic(self) -> FloatArray:
        """Standardised sums, positive where low markers have the higher hazard; 0 where a cut compares nobody."""
        return np.asarray(np.cumsum(self.row_scores)[self.n_low - 1] / self.spread, dtype=np.float64)


def cut_scores(rows: ModelRows, n_low: IntArray) -> CutScores | None:
    """The scores that a search maximises: log-rank scores within strata, or beside covariates those of a Cox model.

    Parameters
    ----------
    rows : ModelRows
    n_low : ndarray of int, shape (k,)
        Rows at or below each cut, increasing.

    Returns
    -------
    CutScores
        None where there are no events, or the model without the marker has no estimate.
    """
    return model_scores(rows, n_low) if rows.x.shape[1] else stratified_scores(rows, n_low)


def stratified_scores(rows: ModelRows, n_low: IntArray) -> CutScores | None:
    """Log-rank scores of each stratum by itself, with the spread of their sums over all orders within strata.

    They are those of `logrank_scores`, centred. With n_s rows in stratum s, l of them low, the variance of a sum is the
    sum over strata of Q_s l (n_s - l) / (n_s (n_s - 1)), Q_s the sum of the stratum's squared scores.

    Parameters
    ----------
    rows : ModelRows
    n_low : ndarray of int, shape (k,)

    Returns
    -------
    CutScores
        None where there are no events.
    """
    if not rows.event.any():
        return None
    scores, variance, late = np.empty(len(rows.time)), np.zeros(len(n_low)), bool(np.isfinite(rows.entry).any())
    for code in np.unique(rows.strata):
        here = rows.strata == code
        own = logrank_scores(rows.time[here], rows.event[here], rows.entry[here] if late else None)
        scores[here] = own - own.mean()
        n, low = int(here.sum()), np.cumsum(here)[n_low - 1]
        variance += low * (n - low) / (n * max(n - 1.0, 1.0)) * (scores[here] @ scores[here])
    spread = np.sqrt(variance)
    return CutScores(scores, n_low, np.where(spread > SAME_STATISTIC * len(scores), spread, np.inf))


def model_scores(rows: ModelRows, n_low: IntArray) -> CutScores | None:
    """The score test of the indicator of the low group at every cut, in one Cox model (Efron) without the marker.

    The row scores are the model's martingale residuals. The variance of a sum is its information given that of the
    covariates, Izz - Izx Ixx^-1 Ixz. Without covariates, late entry and ties the square of the statistic is the
    (stratified) log-rank chi-square.

    Parameters
    ----------
    rows : ModelRows
    n_low : ndarray of int, shape (k,)

    Returns
    -------
    CutScores
        None where there are no events, or the model without the marker has no estimate.
    """
    n, p = rows.x.shape
    if not rows.event.any():
        return None
    sets = risk_sets(rows.time, rows.event, entry=rows.entry, strata=rows.strata)
    beta = np.zeros(p + len(n_low))
    if p:
        without = cox_problem(rows.x, sets)
        solution = maximise(partial(evaluate, without), evaluate(without, np.zeros(p)))
        if solution.weak or not solution.converged:
            return None
        beta[:p] = solution.point.beta
    low = (np.arange(n)[:, None] < n_low).astype(np.float64)
    problem = cox_problem(np.column_stack([rows.x, low]), sets)
    information = evaluate(problem, beta).information
    across = information[:p, p:]
    explained = np.linalg.pinv(information[:p, :p], hermitian=True) @ across
    variance = np.diag(information)[p:] - np.einsum("ij,ij->j", across, explained)
    spread = np.sqrt(np.where(variance > SAME_STATISTIC * len(sets.events), variance, np.inf)) * problem.scale[p:]
    return CutScores(martingale_residuals(problem, beta, n), n_low, spread)


def marker_model(rows: ModelRows) -> tuple[FloatArray, FloatArray]:
    """The regression of the marker's normal scores on the covariates within strata; without covariates, ranks alone.

    A search knows the marker by its order only, so the order is what is modelled, by normal scores: the quantile of the
    normal distribution at (r - 3/8) / (n + 1/4), r the rank, the mean of the ranks in a tie (Blom).

    Parameters
    ----------
    rows : ModelRows

    Returns
    -------
    fitted, residual : ndarray, shape (n,)
        What the covariates say of a marker's rank among the rows, and the rest: it sums to zero within strata where
        there are covariates.
    """
    n, p = rows.x.shape
    _, level, tied = np.unique(rows.marker, return_inverse=True, return_counts=True)
    rank = (np.cumsum(tied) - (tied - 1) / 2)[level]
    if not p:
        return np.zeros(n), rank
    from scipy.special import ndtri

    score, codes = ndtri((rank - 0.375) / (n + 0.25)), np.unique(rows.strata, return_inverse=True)[1]
    centred = np.column_stack([score, rows.x])
    centred -= np.array([centred[codes == code].mean(axis=0) for code in range(codes.max() + 1)])[codes]
    y, x = centred[:, 0], centred[:, 1:]
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return score - residual, residual


def redrawn_maxima(rows: ModelRows, scores: CutScores, *, n_permutations: int, rng: np.random.Generator) -> FloatArray:
    """The maximum of the absolute statistic over the cuts of redrawn markers.

    The residuals of the marker given the covariates are permuted within strata and added to what the covariates say of
    it; the rows are put in the order of that marker, and their scores, which belong to outcome and covariates, are
    summed anew over as many low rows as before.

    Without covariates the marker itself is permuted within strata. The spread of each sum is the same in every
    permutation then, so that the p-value is exact in level, whatever the numbers of rows, events and strata.

    Parameters
    ----------
    rows : ModelRows
    scores : CutScores
        Of these rows.
    n_permutations : int
    rng : Generator

    Returns
    -------
    ndarray, shape (n_permutations,)

    Notes
    -----
    Permuted residuals of the variable tested: Dekker, Krackhardt and Snijders, Psychometrika 72 (2007) 563. A marker
    redrawn given the covariates: Candes, Fan, Janson and Lv, J R Stat Soc B 80 (2018) 551. The scores are uncorrelated
    with the covariates, so that an error of either model alone matters little: Niu, Chakraborty, Dukes and Katsevich,
    Biometrika 111 (2024) 895.
    """
    (fitted, residual), n = marker_model(rows), len(rows.marker)
    strata = [np.flatnonzero(rows.strata == code) for code in np.unique(rows.strata)]
    size = max(1, AT_ONCE // n)
    parts = []
    for start in range(0, n_permutations, size):
        drawn = np.tile(residual, (min(size, n_permutations - start), 1))
        for members in strata:
            drawn[:, members] = rng.permuted(drawn[:, members], axis=1)
        drawn = np.round(fitted + drawn, DECIMALS) + 10.0**-DECIMALS * rng.random(drawn.shape)
        order = np.argsort(drawn, axis=1, kind="stable")
        sums = np.cumsum(scores.row_scores[order], axis=1)[:, scores.n_low - 1]
        parts.append(np.abs(sums / scores.spread).max(axis=1))
    return np.concatenate(parts)
