"""The probability of each group given covariates: a multinomial logistic model, also in many weightings at once."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray

MOST_STEPS = 40
CONVERGED = 1e-9
"""Newton's decrement, in units of the log-likelihood, below which a model has converged."""
ROUNDING = 1e-9
SMALL_PRODUCT = 250_000
"""Multiplications up to which the usual libraries take one thread."""


def propensity_basis(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of a constant and the columns, whatever their units; collinear ones cost nothing.

    Parameters
    ----------
    columns : ndarray, shape (n, p)

    Returns
    -------
    ndarray, shape (n, q)
        Columns of length sqrt(n).

    Examples
    --------
    >>> propensity_basis(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]])).shape
    (4, 2)
    """
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    varies = spread > ROUNDING * (np.abs(columns).max(axis=0, initial=0.0) + ROUNDING)
    scaled = np.column_stack([np.ones(len(columns)), centred[:, varies] / spread[varies]])
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, values > ROUNDING * values[0]] * np.sqrt(len(columns)), dtype=np.float64)


def fit_propensity(
    basis: FloatArray, codes: IntArray, weights: FloatArray, *, start: FloatArray | None = None
) -> tuple[FloatArray, BoolArray]:
    """Maximum-likelihood coefficients of a multinomial logistic model in many weightings of the same rows.

    log(P(group k) / P(group 0)) = basis @ coef[k - 1]. Newton's method for all weightings in step; a step after which
    the likelihood fell is halved.

    Parameters
    ----------
    basis : ndarray, shape (n, q)
    codes : ndarray of int, shape (n,)
        Groups 0, ..., k - 1.
    weights : ndarray, shape (b, n)
        Zero or more.
    start : ndarray, shape (k - 1, q), optional

    Returns
    -------
    coef : ndarray, shape (b, k - 1, q)
    converged : ndarray of bool, shape (b,)

    Examples
    --------
    >>> codes = np.array([0, 0, 0, 1])
    >>> coef, converged = fit_propensity(np.ones((4, 1)), codes, np.ones((1, 4)))
    >>> round(float(coef[0, 0, 0]), 6), converged.tolist()  # log(1 / 3)
    (-1.098612, [True])
    """
    b, q, k = len(weights), basis.shape[1], int(codes.max()) + 1
    upper = np.triu_indices(q)
    products = basis[:, upper[0]] * basis[:, upper[1]]
    members = np.eye(k)[1:, codes]
    coef = np.zeros((b, k - 1, q)) if start is None else np.tile(start, (b, 1, 1))
    before, step, highest = coef.copy(), np.zeros_like(coef), np.full(b, -np.inf)
    active, converged = np.arange(b), np.zeros(b, dtype=bool)
    for _ in range(MOST_STEPS):
        held = weights[active]
        probability = probabilities(basis, coef[active])
        value = _log_likelihood(probability, codes, held)
        fell = value < highest[active] - ROUNDING * (1 + np.abs(value))
        gradient = (held[:, None, :] * (members - probability[:, 1:])) @ basis
        information = _information(held, probability[:, 1:], products, upper, q)
        newton = np.linalg.solve(information, gradient.reshape(len(active), -1, 1)).reshape(gradient.shape)
        good = active[~fell]
        before[good], highest[good], step[good] = coef[good], value[~fell], newton[~fell]
        step[active[fell]] /= 2
        done = ~fell & ((gradient * newton).sum(axis=(1, 2)) < CONVERGED)
        converged[active[done]] = True
        coef[active] = before[active] + step[active]
        active = active[~done]
        if not len(active):
            break
    return coef, converged


def probabilities(basis: FloatArray, coef: FloatArray) -> FloatArray:
    """The probability of every group for every row: coef (b, k - 1, q) to (b, k, n)."""
    b, others, q = coef.shape
    eta = np.zeros((b, others + 1, len(basis)))
    eta[:, 1:] = _product(coef.reshape(-1, q), basis.T).reshape(b, others, len(basis))
    eta -= eta.max(axis=1, keepdims=True)
    np.exp(eta, out=eta)
    eta /= eta.sum(axis=1, keepdims=True)
    return eta


def information(basis: FloatArray, coef: FloatArray, weights: FloatArray) -> FloatArray:
    """The information on the coefficients (k - 1, q) of one weighting, groups outermost: ((k - 1) q, (k - 1) q)."""
    q = basis.shape[1]
    upper = np.triu_indices(q)
    products = basis[:, upper[0]] * basis[:, upper[1]]
    found = _information(weights[None], probabilities(basis, coef[None])[:, 1:], products, upper, q)
    return np.asarray(found[0], dtype=np.float64)


def _log_likelihood(probability: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """The log-likelihood of each weighting; -inf where a row that counts is impossible."""
    own = probability[:, codes, np.arange(len(codes))]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(weights > 0, weights * np.log(own), 0.0).sum(axis=1), dtype=np.float64)


def _information(
    weights: FloatArray, probability: FloatArray, products: FloatArray, upper: tuple[IntArray, IntArray], q: int
) -> FloatArray:
    """Minus the second derivatives, as square matrices: shape (b, (k - 1) q, (k - 1) q).

    A ridge far below rounding of the sums keeps directions without information (a level that a resample lacks, a group
    told apart completely) from stopping the others; it does not move the maximum, for the gradient knows nothing of it.
    """
    b, k, n = probability.shape
    found = np.empty((b, k, q, k, q))
    for i in range(k):
        for j in range(i, k):
            share = weights * probability[:, i] * ((i == j) - probability[:, j])
            block = np.empty((b, q, q))
            block[:, upper[0], upper[1]] = block[:, upper[1], upper[0]] = _product(share, products)
            found[:, i, :, j, :] = found[:, j, :, i, :] = block
    information = found.reshape(b, k * q, k * q)
    information[:, np.arange(k * q), np.arange(k * q)] += ROUNDING * n
    return information


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """A matrix product in pieces too small for threads, whose start costs more, most of all on a busy machine."""
    rows = max(1, SMALL_PRODUCT // right.size)
    pieces = [left[place : place + rows] @ right for place in range(0, len(left), rows)]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
