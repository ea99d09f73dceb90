"""The exact partial likelihood of tied events: conditional logistic regression within each risk set."""

from __future__ import annotations

import numpy as np

from analysis.kernels.cox import CoxProblem
from analysis.kernels.cox_newton import CoxPoint
from analysis.kernels.cox_risk_sets import IntArray
from analysis.kernels.times import FloatArray


def evaluate_exact(problem: CoxProblem, beta: FloatArray) -> CoxPoint:
    """The log-likelihood of which d of those at risk had the event, with its derivatives.

    At each event time the likelihood is exp(sum of eta over the d events) over the sum of exp(sum of eta) over all
    subsets of d at risk.

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)

    Returns
    -------
    CoxPoint
    """
    sets, x, p = problem.sets, problem.x, problem.x.shape[1]
    eta = x @ beta + problem.offset
    log_likelihood = float(eta[sets.events].sum())
    gradient, information = x[sets.events].sum(axis=0), np.zeros((p, p))
    for place in range(len(sets.times)):
        at_risk = _at_risk(problem, place)
        n_events = int(sets.n_tied[sets.event_starts[place]])
        value, mean, variance = subset_moments(x[at_risk], eta[at_risk], n_events)
        log_likelihood -= value
        gradient -= mean
        information += variance
    return CoxPoint(beta, log_likelihood, gradient, information)


def _at_risk(problem: CoxProblem, place: int) -> IntArray:
    """The places of the rows at risk at one event time."""
    sets = problem.sets
    stratum = int(np.searchsorted(sets.strata, place, side="right"))
    end = sets.row_strata[stratum]
    later = np.arange(sets.starts[place], end)
    return later[sets.first[later] <= place]


def subset_moments(x: FloatArray, eta: FloatArray, size: int) -> tuple[float, FloatArray, FloatArray]:
    """The log of the sum of exp(sum of eta) over all subsets of a size, and the mean and variance of their sums of x.

    Rows enter one by one: B(d, m) = B(d, m-1) + exp(eta_m) B(d-1, m-1), with the first two moments carried along
    (Gail, Lubin and Rubinstein, 1981, Biometrika 68:703), each B kept to scale as it grows.

    Parameters
    ----------
    x : ndarray, shape (m, p)
    eta : ndarray, shape (m,)
    size : int

    Returns
    -------
    value : float
    mean : ndarray, shape (p,)
    variance : ndarray, shape (p, p)

    Examples
    --------
    >>> value, mean, _ = subset_moments(np.array([[0.0], [1.0], [2.0]]), np.zeros(3), 2)
    >>> round(float(np.exp(value)), 6), round(float(mean[0]), 6)
    (3.0, 2.0)
    """
    p = x.shape[1]
    log_sum = np.full(size + 1, -np.inf)
    log_sum[0] = 0.0
    mean, square = np.zeros((size + 1, p)), np.zeros((size + 1, p, p))
    for row, value in zip(x, eta, strict=True):
        joined = log_sum[:-1] + value
        total = np.logaddexp(log_sum[1:], joined)
        share = np.exp(joined - np.where(np.isneginf(total), 0.0, total))
        with_row = mean[:-1] + row
        step = with_row - mean[1:]
        fresh = square[1:] + share[:, None, None] * (square[:-1] - square[1:])
        fresh += (share * (1 - share))[:, None, None] * step[:, :, None] * step[:, None, :]
        mean[1:] += share[:, None] * step
        square[1:], log_sum[1:] = fresh, total
    return float(log_sum[size]), mean[size], square[size]
