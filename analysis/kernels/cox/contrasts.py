"""Many Cox models at once that share their rows and all covariates but a few, as under permutations of a marker."""

from __future__ import annotations

from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray
from analysis.kernels.cox.likelihood import CoxProblem, cox_problem, evaluate, hazard_seen
from analysis.kernels.cox.newton import CONVERGED, maximise
from analysis.kernels.cox.risk_sets import RiskSets, at_risk_sums, event_sums

AT_ONCE = 2_000_000
"""Numbers in the covariates of the models that are fitted together."""
MOST_STEPS = 12
SINGULAR = 1e-12


def fit_contrasts(contrasts: FloatArray, x: FloatArray, sets: RiskSets) -> FloatArray:
    """The first coefficient of each of many Cox models (ties by Efron) of a contrast and the covariates they share.

    Newton's method from the model of the shared covariates, all models in step.

    Parameters
    ----------
    contrasts : ndarray, shape (n, b, q)
        The columns of each of the b models that are its own.
    x : ndarray, shape (n, p)
        The covariates of all models; p may be 0.
    sets : RiskSets
        Of the same n rows.

    Returns
    -------
    ndarray, shape (b,)
        NaN where Newton's plain way does not end at a maximum: separation, collinear or constant columns.

    Examples
    --------
    >>> from analysis.kernels.cox.risk_sets import risk_sets
    >>> sets = risk_sets(np.array([3.0, 1.0, 4.0, 2.0]), np.ones(4, dtype=bool))
    >>> contrasts = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]).T[:, :, None]
    >>> np.exp(fit_contrasts(contrasts, np.empty((4, 0)), sets)).round(6).tolist()  # by hand: (sqrt(5) -+ 1) / 2
    [0.618034, 1.618034]
    """
    shared = cox_problem(x, sets)
    start = np.zeros(x.shape[1])
    if len(start):
        start = maximise(partial(evaluate, shared), evaluate(shared, start)).point.beta
    n, b, q = contrasts.shape
    size = max(1, AT_ONCE // (n * (q + len(start))))
    blocks = [contrasts[sets.rows, place : place + size] for place in range(0, b, size)]
    return np.concatenate([np.empty(0), *(_fitted(block, shared, start) for block in blocks)])


def _fitted(own: FloatArray, shared: CoxProblem, start: FloatArray) -> FloatArray:
    """The first coefficients of some of the models; `own` follows the rows of the risk sets."""
    k, b, q = own.shape
    x = np.concatenate([own - own.mean(axis=0), np.broadcast_to(shared.x[:, None, :], (k, b, len(start)))], axis=2)
    beta = np.tile(np.concatenate([np.zeros(q), start]), (b, 1))
    sound, highest = np.ones(b, dtype=bool), np.full(b, -np.inf)
    for _ in range(MOST_STEPS):
        with np.errstate(all="ignore"):
            value, gradient, information = _evaluated(x, beta, shared)
        sound &= np.isfinite(value) & (value >= highest - 1e-9 * (1 + np.abs(value)))
        sound &= _regular(information, sound)
        information[~sound], gradient[~sound] = np.eye(q + len(start)), 0.0
        step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
        beta, highest = beta + step, value
        decrement = (gradient * step).sum(axis=1)
        if (decrement < CONVERGED).all():
            break
    return np.where(sound & (decrement < CONVERGED), beta[:, 0], np.nan)


def _regular(information: FloatArray, sound: BoolArray) -> BoolArray:
    """Whether the information can be inverted."""
    held = np.where(sound[:, None, None], information, np.eye(information.shape[1]))
    values = np.linalg.eigvalsh(held)
    return np.asarray(values[:, 0] > SINGULAR * values[:, -1], dtype=bool)


def _evaluated(x: FloatArray, beta: FloatArray, shared: CoxProblem) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The log partial likelihoods, their gradients and informations: shapes (b,), (b, p), (b, p, p).

    As `analysis.kernels.cox.likelihood.evaluate`, with the models along one more axis.
    """
    sets, fraction = shared.sets, shared.fraction[:, None]
    eta = np.einsum("kbp,bp->kb", x, beta)
    bounds = sets.row_strata
    eta -= np.repeat(np.maximum.reduceat(eta, bounds[:-1], axis=0), np.diff(bounds), axis=0)
    risk = np.exp(eta)
    weighted = x * risk[:, :, None]
    total, mean = at_risk_sums(sets, risk)[sets.at], at_risk_sums(sets, weighted)[sets.at]
    if shared.fraction.any():
        total -= fraction * event_sums(sets, risk[sets.events])[sets.at]
        mean -= fraction[:, :, None] * event_sums(sets, weighted[sets.events])[sets.at]
    mean /= total[:, :, None]
    value = eta[sets.events].sum(axis=0) - np.log(total).sum(axis=0)
    expected = risk * hazard_seen(shared, 1 / total)
    residual = -expected
    residual[sets.events] += 1
    gradient = np.einsum("kbp,kb->bp", x, residual)
    by_model, means = x.transpose(1, 2, 0), mean.transpose(1, 2, 0)
    information = (by_model * expected.T[:, None, :]) @ by_model.transpose(0, 2, 1) - means @ means.transpose(0, 2, 1)
    return value, gradient, information
