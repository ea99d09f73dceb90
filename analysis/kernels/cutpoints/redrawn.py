"""The null of a search within strata or beside covariates: markers redrawn given the covariates, scores left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels.cutpoints.adjusted import CutScores, ModelRows

AT_ONCE = 1_000_000
DECIMALS = 9
"""Redrawn markers that differ by less are tied, and ties fall in random order: rounding must not choose it."""


@dataclass(frozen=True, eq=False)
class MarkerModel:
    """What the covariates say of a marker's place among the rows: `fitted` plus `residual`, shape (n,) each."""

    fitted: FloatArray
    residual: FloatArray


def marker_model(rows: ModelRows) -> MarkerModel:
    """The regression of the marker's normal scores on the covariates within strata; without covariates, ranks alone.

    A search knows the marker by its order only, so the order is what is modelled, by normal scores: the quantile of the
    normal distribution at (r - 3/8) / (n + 1/4), r the rank, the mean of the ranks in a tie (Blom).

    Parameters
    ----------
    rows : ModelRows

    Returns
    -------
    MarkerModel
        Residuals sum to zero within strata where there are covariates.
    """
    n, p = rows.x.shape
    _, place, tied = np.unique(rows.marker, return_inverse=True, return_counts=True)
    rank = (np.cumsum(tied) - (tied - 1) / 2)[place]
    if not p:
        return MarkerModel(np.zeros(n), rank)
    from scipy.special import ndtri

    score, codes = ndtri((rank - 0.375) / (n + 0.25)), np.unique(rows.strata, return_inverse=True)[1]
    centred = np.column_stack([score, rows.x])
    centred -= np.array([centred[codes == code].mean(axis=0) for code in range(codes.max() + 1)])[codes]
    y, x = centred[:, 0], centred[:, 1:]
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return MarkerModel(score - residual, residual)


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
    model, n = marker_model(rows), len(rows.marker)
    strata = [np.flatnonzero(rows.strata == code) for code in np.unique(rows.strata)]
    size = max(1, AT_ONCE // n)
    parts = []
    for start in range(0, n_permutations, size):
        drawn = np.tile(model.residual, (min(size, n_permutations - start), 1))
        for places in strata:
            drawn[:, places] = rng.permuted(drawn[:, places], axis=1)
        drawn = np.round(model.fitted + drawn, DECIMALS) + 10.0**-DECIMALS * rng.random(drawn.shape)
        order = np.argsort(drawn, axis=1, kind="stable")
        sums = np.cumsum(scores.row_scores[order], axis=1)[:, scores.n_low - 1]
        parts.append(np.abs(sums / scores.spread).max(axis=1))
    return np.concatenate(parts)
