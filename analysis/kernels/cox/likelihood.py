"""The Cox partial likelihood on arrays: value, gradient and information in linear time, and its maximum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox.newton import CoxPoint, maximise
from analysis.kernels.cox.risk_sets import RiskSets, event_sums, over_time_at_risk, risk_sets
from analysis.kernels.cox.risk_sums import Risks, risks_of

ROUNDING = 1e-11
"""A column that varies less than this, beside its mean, is constant."""


@dataclass(frozen=True, eq=False)
class CoxProblem:
    """A partial likelihood, ready to be evaluated: rows sorted, covariates centred within strata and scaled.

    Attributes
    ----------
    sets : RiskSets
    x : ndarray, shape (k, p)
        Covariates of ``sets.rows``, less `centre` of their stratum, over `scale`.
    centre : ndarray, shape (s, p)
    scale : ndarray, shape (p,)
        The standard deviation within strata, infinite for a column that is constant there.
    weights, offset : ndarray, shape (k,)
    fraction : ndarray, shape (d,)
        Efron: the share of its tie that has already failed when an event is counted; zeros for Breslow.
    event_weight : ndarray, shape (d,)
        The mean weight of the event's tie.
    """

    sets: RiskSets
    x: FloatArray
    centre: FloatArray
    scale: FloatArray
    weights: FloatArray
    offset: FloatArray
    fraction: FloatArray
    event_weight: FloatArray


@dataclass(frozen=True, eq=False)
class RiskMoments:
    """What a partial likelihood knows at given coefficients.

    Attributes
    ----------
    log_likelihood : float
    risks : Risks
        Weight times exp(linear predictor of the centred covariates), on scales of their own.
    hazard : ndarray, shape (d,)
        The step of the cumulative hazard at each event, times exp(``risks.log_scale``) of its event time.
    mean : ndarray, shape (d, p)
        The mean of the covariates over those at risk at each event.
    """

    log_likelihood: float
    risks: Risks
    hazard: FloatArray
    mean: FloatArray


def cox_problem(
    x: FloatArray,
    sets: RiskSets,
    *,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
    ties: str = "efron",
) -> CoxProblem:
    """Sort, centre (within strata, which the likelihood does not see) and scale the covariates.

    Parameters
    ----------
    x : ndarray, shape (n, p)
    sets : RiskSets
        Of the same n rows.
    weights, offset : ndarray, shape (n,), optional
    ties : {"efron", "breslow"}

    Returns
    -------
    CoxProblem
    """
    rows = sets.rows
    weight = np.ones(len(rows)) if weights is None else weights[rows]
    centred = x[rows]
    bounds = sets.row_strata
    sizes = np.diff(bounds)
    centre = np.add.reduceat(centred, bounds[:-1], axis=0) / sizes[:, None]
    if len(sizes) == 1:
        centred -= centre
    else:
        centred -= np.repeat(centre, sizes, axis=0)
    scale = np.sqrt(np.einsum("ij,ij->j", centred, centred) / len(rows))
    scale[scale <= ROUNDING * np.abs(centre).max(axis=0)] = np.inf
    centred /= scale
    tied = event_sums(sets, weight[sets.events])[sets.at] / sets.n_tied
    fraction = sets.tie / sets.n_tied if ties == "efron" else np.zeros(len(sets.events))
    start = np.zeros(len(rows)) if offset is None else offset[rows]
    return CoxProblem(sets, centred, centre, scale, weight, start, fraction, tied)


def moments(problem: CoxProblem, beta: FloatArray) -> RiskMoments:
    """Risk sums at each event, at coefficients `beta` of the scaled covariates.

    With r = w exp(eta), the k-th of d events tied at t sees the risk sum S0 - (k/d) D0 and the covariate sum
    S1 - (k/d) D1, where S sums over all at risk at t and D over the d events (Efron, 1977; Breslow: without D).

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)

    Returns
    -------
    RiskMoments
    """
    sets, at, fraction = problem.sets, problem.sets.at, problem.fraction
    eta = problem.x @ beta + problem.offset
    risks = risks_of(sets, problem.weights, eta)
    own = risks.of_events
    total, mean = risks.at_risk(np.ones(len(eta)))[at], risks.at_risk(problem.x)[at]
    if fraction.any():
        total -= fraction * event_sums(sets, own)[at]
        mean -= fraction[:, None] * event_sums(sets, own[:, None] * problem.x[sets.events])[at]
    mean /= total[:, None]
    relative = eta[sets.events] - risks.log_scale[at]
    value = problem.weights[sets.events] @ relative - problem.event_weight @ np.log(total)
    return RiskMoments(float(value), risks, problem.event_weight / total, mean)


def expected_events(problem: CoxProblem, found: RiskMoments, times: FloatArray | None = None) -> FloatArray:
    """Each row's weight times its hazard, cumulated over its time at risk: shape (k,).

    With `times`, a factor for each event time, the steps of the hazard are multiplied by it first.
    """
    return expected_sums(problem, found, found.hazard if times is None else found.hazard * times[problem.sets.at])


def expected_sums(problem: CoxProblem, found: RiskMoments, steps: FloatArray) -> FloatArray:
    """Each row's risk times the sum of the events' steps over its time at risk, in the units of the hazard.

    An event's own tie counts only as far as the event is in it.
    """
    return found.risks.over_time(event_sums(problem.sets, steps), _own_tie(problem, steps))


def log_expected_events(problem: CoxProblem, found: RiskMoments) -> FloatArray:
    """The logarithm of `expected_events`, of the events alone, even if that is too small for a number: shape (d,)."""
    return found.risks.log_over_time_of_events(event_sums(problem.sets, found.hazard), _own_tie(problem, found.hazard))


def hazard_seen(problem: CoxProblem, steps: FloatArray) -> FloatArray:
    """Steps of the events summed over each row's time at risk, where all risks of a stratum are on one scale."""
    sets, own = problem.sets, _own_tie(problem, steps)
    seen = over_time_at_risk(sets, event_sums(sets, steps))
    if own is not None:
        seen[sets.events] -= own[sets.at]
    return seen


def _own_tie(problem: CoxProblem, steps: FloatArray) -> FloatArray | None:
    """The part of a tie's steps at which its events have already failed; None without ties."""
    if not problem.fraction.any():
        return None
    return event_sums(problem.sets, steps * (problem.fraction if steps.ndim == 1 else problem.fraction[:, None]))


def evaluate(problem: CoxProblem, beta: FloatArray) -> CoxPoint:
    """The log partial likelihood with its first and (negative) second derivatives.

    Both are sums over rows, with H the hazard that a row has seen: the gradient X'(w d - r H), the information
    X' diag(r H) X - sum over events of weight times mean mean'. No sum of products over risk sets is needed.

    Parameters
    ----------
    problem : CoxProblem
    beta : ndarray, shape (p,)

    Returns
    -------
    CoxPoint
    """
    found = moments(problem, beta)
    expected = expected_events(problem, found)
    residual = -expected
    residual[problem.sets.events] += problem.weights[problem.sets.events]
    information = _information(problem, found, expected, problem.event_weight)
    return CoxPoint(beta, found.log_likelihood, problem.x.T @ residual, information)


def _information(problem: CoxProblem, found: RiskMoments, expected: FloatArray, event_weight: FloatArray) -> FloatArray:
    """The covariates' variances over the risk sets, summed over the events."""
    outer = (problem.x * expected[:, None]).T @ problem.x
    inner = (found.mean * event_weight[:, None]).T @ found.mean
    information = outer - inner
    return np.asarray((information + information.T) / 2, dtype=np.float64)


def timed_information(problem: CoxProblem, found: RiskMoments, times: FloatArray) -> FloatArray:
    """The information with a factor for each event time, as a test of time-varying effects needs it: shape (p, p)."""
    expected = expected_events(problem, found, times)
    return _information(problem, found, expected, problem.event_weight * times[problem.sets.at])


def fit_arrays(
    x: FloatArray,
    time: FloatArray,
    event: BoolArray,
    *,
    entry: FloatArray | None = None,
    strata: IntArray | None = None,
    weights: FloatArray | None = None,
    ties: str = "efron",
) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients, their covariance and the log-likelihood of an estimable Cox model, for resampling.

    Parameters
    ----------
    x : ndarray, shape (n, p)
    time, entry, weights : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional
    ties : {"efron", "breslow"}

    Returns
    -------
    coef : ndarray, shape (p,)
        NaN where the maximum was not reached (no events, separation, collinear columns).
    covariance : ndarray, shape (p, p)
    log_likelihood : float

    Examples
    --------
    >>> x, time = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([3.0, 1.0, 4.0, 2.0])
    >>> coef, _, _ = fit_arrays(x, time, np.ones(4, dtype=bool))
    >>> round(float(np.exp(coef[0])), 6)  # by hand: (sqrt(5) - 1) / 2
    0.618034
    """
    p = x.shape[1]
    if not event.any():
        return np.full(p, np.nan), np.full((p, p), np.nan), float("nan")
    return fit_problem(cox_problem(x, risk_sets(time, event, entry=entry, strata=strata), weights=weights, ties=ties))


def fit_problem(problem: CoxProblem) -> tuple[FloatArray, FloatArray, float]:
    """What `fit_arrays` returns, of a partial likelihood whose risk sets are known."""
    p = problem.x.shape[1]
    solution = maximise(partial(evaluate, problem), evaluate(problem, np.zeros(p)))
    values = np.linalg.eigvalsh(solution.point.information)
    if solution.weak or values[0] <= 1e-12 * values[-1]:
        return np.full(p, np.nan), np.full((p, p), np.nan), solution.point.log_likelihood
    covariance = np.linalg.inv(solution.point.information) / np.outer(problem.scale, problem.scale)
    return solution.point.beta / problem.scale, covariance, solution.point.log_likelihood
