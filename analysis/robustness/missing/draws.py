"""One imputation: chained equations, a regression of its own for numbers and for labels, its coefficients drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.robustness.confounding import fit_propensity, information, probabilities

COLLINEAR = 1e-7
"""A predictor of which less is left beside those before it, in standard deviations, is left out of a regression."""


def draw_imputation(
    columns: Sequence[FloatArray], labels: Sequence[bool], x: FloatArray, *, n_rounds: int, seed: np.random.SeedSequence
) -> list[FloatArray]:
    """The columns with their missing values drawn, each given all others and the predictors.

    The chain starts from values drawn among those known of each column (as mice does).

    Parameters
    ----------
    columns : sequence of ndarray, shape (n, k)
        A number (k = 1), or an indicator for each label but the first; NaN where missing.
    labels : sequence of bool
        Which of them are labels.
    x : ndarray, shape (n, p)
        Predictors without missing values.
    n_rounds : int
        Rounds of the chain.
    seed : SeedSequence

    Returns
    -------
    list of ndarray, shape (n, k)

    Examples
    --------
    >>> column, x = np.array([[0.1], [0.2], [0.35], [np.nan]]), np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> (filled,) = draw_imputation([column], [False], x, n_rounds=1, seed=np.random.SeedSequence(1))
    >>> bool(np.isnan(filled).any()), filled[:3, 0].tolist()
    (False, [0.1, 0.2, 0.35])
    """
    rng = np.random.default_rng(seed)
    gaps, filled = [np.isnan(column[:, 0]) for column in columns], [column.copy() for column in columns]
    for column, gap in zip(filled, gaps, strict=True):
        column[gap] = column[rng.choice(np.flatnonzero(~gap), int(gap.sum()))]
    for _ in range(n_rounds):
        for index, gap in enumerate(gaps):
            if not gap.any():
                continue
            known, missing = _predictors(np.column_stack([*filled[:index], *filled[index + 1 :], x]), gap)
            draw = draw_labels if labels[index] else draw_numbers
            filled[index][gap] = draw(filled[index][~gap], known, missing, rng)
    return filled


def _predictors(x: FloatArray, gap: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The predictors of rows with and without a value, standardised; constant and collinear ones are left out."""
    known = x[~gap]
    centre, spread = known.mean(axis=0), known.std(axis=0)
    varies = spread > COLLINEAR * (np.abs(known).max(axis=0, initial=0.0) + COLLINEAR)
    scaled = (x[:, varies] - centre[varies]) / spread[varies]
    left = np.abs(np.diag(np.linalg.qr(scaled[~gap], mode="r"))) / np.sqrt(len(known))
    scaled = scaled[:, : len(left)][:, left > COLLINEAR]
    return scaled[~gap], scaled[gap]


def draw_numbers(y: FloatArray, x: FloatArray, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Numbers drawn from a linear regression whose variance and coefficients were drawn first (mice's norm).

    With m rows and p predictors, the residual variance is drawn as RSS over a chi-square of m - p - 1 degrees of
    freedom, the coefficients given it from their normal distribution: the posterior under a flat prior. Values are
    drawn between the smallest and the largest known.

    Parameters
    ----------
    y : ndarray, shape (m, 1)
    x : ndarray, shape (m, p)
        Centred, of full rank.
    at : ndarray, shape (g, p)
    rng : Generator

    Returns
    -------
    ndarray, shape (g, 1)
    """
    m, p = x.shape
    middle = y[:, 0].mean()
    q, r = np.linalg.qr(x)
    turn = np.where(np.diag(r) < 0, -1.0, 1.0)  # one factor, whatever the sign convention of the library
    q, r = q * turn, r * turn[:, None]
    along = q.T @ (y[:, 0] - middle)
    rest = y[:, 0] - middle - q @ along
    deviation = np.sqrt(rest @ rest / rng.chisquare(max(m - p - 1, 1)))
    coef = np.linalg.solve(r, along + deviation * rng.standard_normal(p))
    mean = middle + deviation / np.sqrt(m) * rng.standard_normal() + at @ coef
    return _truncated(mean, deviation, (float(y.min()), float(y.max())), rng)[:, None]


def _truncated(mean: FloatArray, deviation: float, limits: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """Normal draws between limits, by the inverse of the distribution function in the tail that is exact."""
    from scipy.special import ndtr, ndtri

    uniform = rng.random(len(mean))
    if deviation == 0:
        return np.clip(mean, *limits)
    low, high = ((limit - mean) / deviation for limit in limits)
    turned = low > 0  # the upper tail is drawn as the lower one
    low, high = np.where(turned, -high, low), np.where(turned, -low, high)
    drawn = ndtri(ndtr(low) + uniform * (ndtr(high) - ndtr(low)))
    return np.asarray(np.clip(mean + deviation * np.where(turned, -drawn, drawn), *limits), dtype=np.float64)


def draw_labels(y: FloatArray, x: FloatArray, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Labels drawn from a logistic regression, multinomial for more than two (mice's logreg and polyreg).

    The coefficients are drawn first, from the normal distribution about their maximum. So that there is a maximum where
    a predictor separates the labels, rows of small weight are added (`augmented`).

    Parameters
    ----------
    y : ndarray, shape (m, k - 1)
        Indicators of labels 1, ..., k - 1.
    x : ndarray, shape (m, p)
        Standardised, of full rank.
    at : ndarray, shape (g, p)
    rng : Generator

    Returns
    -------
    ndarray, shape (g, k - 1)
    """
    levels, codes = np.unique(y @ np.arange(1.0, y.shape[1] + 1), return_inverse=True)
    uniform = rng.random(len(at))
    drawn = np.zeros(len(at), dtype=np.int64)
    if len(levels) > 1:
        rows, members, weights = augmented(x, codes)
        coef = fit_propensity(rows, members, weights[None])[0]
        factor = np.linalg.cholesky(information(rows, probabilities(rows, coef), weights[None])[0])
        coef = coef + np.linalg.solve(factor.T, rng.standard_normal(len(factor))).reshape(coef.shape)
        shares = probabilities(np.column_stack([np.ones(len(at)), at]), coef)[0]
        drawn = (uniform >= np.cumsum(shares, axis=0)[:-1]).sum(axis=0)
    return np.asarray(levels[drawn][:, None] == np.arange(1, y.shape[1] + 1), dtype=np.float64)


def augmented(x: FloatArray, codes: IntArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Rows that keep a logistic regression from separation: a constant and predictors, labels, and weights.

    For each of p predictors and k labels two rows are added, half a standard deviation above and below the mean (within
    the predictor's range), the other predictors at their means; together they weigh p + 1 rows.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Standardised.
    codes : ndarray of int, shape (m,)
        Labels 0, ..., k - 1.

    Returns
    -------
    rows : ndarray, shape (m + 2 p k, p + 1)
    codes : ndarray of int, shape (m + 2 p k,)
    weights : ndarray, shape (m + 2 p k,)

    Notes
    -----
    White, Daniel and Royston, Computational Statistics and Data Analysis 54 (2010) 2267; `augment` of R's mice.
    """
    (m, p), k = x.shape, int(codes.max()) + 1
    added = np.zeros((p, k, 2, p))
    for column in range(p):
        added[column, :, :, column] = np.clip([0.5, -0.5], x[:, column].min(), x[:, column].max())
    rows = np.vstack([x, added.reshape(2 * p * k, p)])
    weights = np.concatenate([np.ones(m), np.full(2 * p * k, (p + 1) / max(2 * p * k, 1))])
    labels = np.concatenate([codes, np.tile(np.repeat(np.arange(k), 2), p)])
    return np.column_stack([np.ones(len(rows)), rows]), labels, weights
