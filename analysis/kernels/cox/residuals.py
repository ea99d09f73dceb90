"""Residuals and baseline steps of a Cox model on arrays, from the risk sums at its coefficients."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels.cox.likelihood import (
    CoxProblem,
    RiskMoments,
    expected_events,
    expected_sums,
    log_expected_events,
    moments,
)
from analysis.kernels.cox.risk_sets import event_sums


def martingale_residuals(problem: CoxProblem, beta: FloatArray, n: int) -> FloatArray:
    """Events less expected events, d - exp(eta) H, of all n rows (0 for rows never at risk at an event).

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)
        Of the scaled covariates.
    n : int
        Rows of the cohort.

    Returns
    -------
    ndarray, shape (n,)
    """
    found = moments(problem, beta)
    residual = -expected_events(problem, found) / problem.weights
    residual[problem.sets.events] += 1
    return _all_rows(problem, residual, n)


def deviance_residuals(problem: CoxProblem, beta: FloatArray, n: int) -> FloatArray:
    """sign(M) sqrt(-2 (M + d log E)) of the martingale residuals M = d - E of all n rows (0 for rows never at risk).

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)
        Of the scaled covariates.
    n : int

    Returns
    -------
    ndarray, shape (n,)
    """
    found, events = moments(problem, beta), problem.sets.events
    expected = expected_events(problem, found) / problem.weights
    inside, sign = expected.copy(), -np.ones(len(expected))
    inside[events] -= 1 + log_expected_events(problem, found) - np.log(problem.weights[events])
    sign[events] = np.sign(1 - expected[events])
    return _all_rows(problem, sign * np.sqrt(2 * np.maximum(inside, 0.0)), n)


def score_residuals(problem: CoxProblem, beta: FloatArray, n: int) -> FloatArray:
    """Each row's part of the score: its covariates less their mean at risk, integrated over its martingale residual.

    U_i = d_i (x_i - mean(t_i)) - exp(eta_i) sum over events t at which i is at risk of (x_i - mean(t)) dH(t); with
    Efron's ties, averaged over the tie, in which a row's own hazard shrinks as the tie is counted down.

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)
        Of the scaled covariates.
    n : int

    Returns
    -------
    ndarray, shape (n, p)
        Unweighted, in the scaled covariates: multiply by ``problem.scale``.
    """
    sets, x, found = problem.sets, problem.x, moments(problem, beta)
    expected = expected_sums(problem, found, found.hazard[:, None] * found.mean)
    score = (expected - x * expected_events(problem, found)[:, None]) / problem.weights[:, None]
    score[sets.events] += x[sets.events] - _tie_means(problem, found)
    return _all_rows(problem, score, n)


def schoenfeld_residuals(problem: CoxProblem, beta: FloatArray) -> FloatArray:
    """Covariates of each event less their mean at risk (over the tie), in the scaled covariates: shape (d, p)."""
    return problem.x[problem.sets.events] - _tie_means(problem, moments(problem, beta))


def _tie_means(problem: CoxProblem, found: RiskMoments) -> FloatArray:
    """The covariates' mean at risk at each event, averaged over its tie: shape (d, p)."""
    sets = problem.sets
    return np.asarray(event_sums(sets, found.mean)[sets.at] / sets.n_tied[:, None], dtype=np.float64)


def _all_rows(problem: CoxProblem, values: FloatArray, n: int) -> FloatArray:
    """From the rows at risk to all rows, in their own order."""
    everyone = np.zeros((n, *values.shape[1:]))
    everyone[problem.sets.rows] = values
    return everyone
