"""The Cox partial likelihood on arrays: value, gradient and information, exact ties too; its maximum, residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox.at_risk import Risks, RiskSets, event_sums, risk_sets, risks_of
from analysis.kernels.tolerances import CONSTANT_COLUMN, CONVERGED, FADED, NO_DIRECTION, SAME_LIKELIHOOD, SINGULAR


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


@dataclass(frozen=True, eq=False)
class CoxPoint:
    """The log partial likelihood, its gradient and its information at coefficients `beta` of the scaled covariates."""

    beta: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class CoxSolution:
    """The end of Newton's way: at the maximum (`converged`), or left because the information fades (`weak`)."""

    point: CoxPoint
    converged: bool
    weak: bool
    n_steps: int


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
    scale[scale <= CONSTANT_COLUMN * np.abs(centre).max(axis=0)] = np.inf
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


def expected_events(problem: CoxProblem, sums: RiskMoments, times: FloatArray | None = None) -> FloatArray:
    """Each row's weight times its hazard, cumulated over its time at risk: shape (k,).

    With `times`, a factor for each event time, the steps of the hazard are multiplied by it first.
    """
    return expected_sums(problem, sums, sums.hazard if times is None else sums.hazard * times[problem.sets.at])


def expected_sums(problem: CoxProblem, sums: RiskMoments, steps: FloatArray) -> FloatArray:
    """Each row's risk times the sum of the events' steps over its time at risk, in the units of the hazard.

    An event's own tie counts only as far as the event is in it.
    """
    return sums.risks.over_time(event_sums(problem.sets, steps), _own_tie(problem, steps))


def log_expected_events(problem: CoxProblem, sums: RiskMoments) -> FloatArray:
    """The logarithm of `expected_events`, of the events alone, even if that is too small for a number: shape (d,)."""
    return sums.risks.log_over_time_of_events(event_sums(problem.sets, sums.hazard), _own_tie(problem, sums.hazard))


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
    sums = moments(problem, beta)
    expected = expected_events(problem, sums)
    residual = -expected
    residual[problem.sets.events] += problem.weights[problem.sets.events]
    information = _information(problem, sums, expected, problem.event_weight)
    return CoxPoint(beta, sums.log_likelihood, problem.x.T @ residual, information)


def _information(problem: CoxProblem, sums: RiskMoments, expected: FloatArray, event_weight: FloatArray) -> FloatArray:
    """The covariates' variances over the risk sets, summed over the events."""
    outer = (problem.x * expected[:, None]).T @ problem.x
    inner = (sums.mean * event_weight[:, None]).T @ sums.mean
    information = outer - inner
    return np.asarray((information + information.T) / 2, dtype=np.float64)


def timed_information(problem: CoxProblem, sums: RiskMoments, times: FloatArray) -> FloatArray:
    """The information with a factor for each event time, as a test of time-varying effects needs it: shape (p, p)."""
    expected = expected_events(problem, sums, times)
    return _information(problem, sums, expected, problem.event_weight * times[problem.sets.at])


@dataclass(frozen=True, eq=False)
class SubsetSums:
    """Over all subsets of 0, 1, ..., d rows: the log of the sum of exp(sum of eta), and what their sums of x do.

    Attributes
    ----------
    log_sum : ndarray, shape (d + 1,)
    mean : ndarray, shape (d + 1, p)
    variance : ndarray, shape (d + 1, p, p)
    """

    log_sum: FloatArray
    mean: FloatArray
    variance: FloatArray


def no_rows(largest: int, p: int) -> SubsetSums:
    """The sums before any row has entered: the empty subset alone."""
    log_sum = np.full(largest + 1, -np.inf)
    log_sum[0] = 0.0
    return SubsetSums(log_sum, np.zeros((largest + 1, p)), np.zeros((largest + 1, p, p)))


def add_rows(sums: SubsetSums, x: FloatArray, eta: FloatArray) -> None:
    """Let rows enter one by one, in place: B(d) becomes B(d) + exp(eta) B(d - 1), its moments with it.

    The recursion of Gail, Lubin and Rubinstein (1981), Biometrika 68:703, on logarithms, so that nothing overflows.

    Parameters
    ----------
    sums : SubsetSums
    x : ndarray, shape (m, p)
    eta : ndarray, shape (m,)

    Examples
    --------
    >>> sums = no_rows(2, 1)
    >>> add_rows(sums, np.array([[0.0], [1.0], [2.0]]), np.zeros(3))
    >>> np.exp(sums.log_sum).round(6).tolist(), sums.mean[2].tolist()  # 1, 3 and 3 subsets
    ([1.0, 3.0, 3.0], [2.0])
    """
    log_sum, mean, variance = sums.log_sum, sums.mean, sums.variance
    for row, value in zip(x, eta, strict=True):
        joined = log_sum[:-1] + value
        total = np.logaddexp(log_sum[1:], joined)
        share = np.exp(joined - np.where(np.isneginf(total), 0.0, total))[:, None]
        step = mean[:-1] + row - mean[1:]
        between = (share * (1 - share) * step)[:, :, None] * step[:, None, :]
        variance[1:] += share[:, :, None] * (variance[:-1] - variance[1:]) + between
        mean[1:] += share * step
        log_sum[1:] = total


def evaluate_exact(problem: CoxProblem, beta: FloatArray) -> CoxPoint:
    """The log-likelihood of which d of those at risk had the event, with its derivatives.

    At each event time the likelihood is exp(sum of eta over the d events) over the sum of exp(sum of eta) over all
    subsets of d at risk. Without late entry the risk sets are nested, and one pass from the last time to the first
    serves them all.

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
    size = sets.n_tied[sets.event_starts]
    ends = np.append(sets.starts[1:], len(x))
    for start, end in zip(sets.strata[:-1].tolist(), sets.strata[1:].tolist(), strict=True):
        largest = int(size[start:end].max())
        sums = no_rows(largest, p)
        for at in range(end - 1, start - 1, -1):
            if len(sets.entering):
                sums = no_rows(int(size[at]), p)
                rows = np.arange(sets.starts[at], ends[end - 1])
                rows = rows[sets.first[rows] <= at]
            else:
                rows = np.arange(sets.starts[at], ends[at])
            add_rows(sums, x[rows], eta[rows])
            log_likelihood -= float(sums.log_sum[size[at]])
            gradient -= sums.mean[size[at]]
            information += sums.variance[size[at]]
    return CoxPoint(beta, log_likelihood, gradient, information)


def maximise(
    evaluate_at: Callable[[FloatArray], CoxPoint],
    start: CoxPoint,
    *,
    watch: bool = True,
    max_steps: int = 100,
    unit: float = 1.0,
    settled: float = 0.0,
) -> CoxSolution:
    """Newton's method with step halving.

    Parameters
    ----------
    evaluate_at : callable
        A log-likelihood with its derivatives, at coefficients of shape (p,).
    start : CoxPoint
    watch : bool
        Leave early when the information fades, as it does when a coefficient runs off to infinity.
    max_steps : int
    unit : float
        What an event weighs; with small weights all of the likelihood is small, and so must the last step be.
    settled : float
        When no coefficient moves more than this in a last step, the likelihood is not evaluated again after it.

    Returns
    -------
    CoxSolution
    """
    point = start
    for n_steps in range(1, max_steps + 1):
        if watch and n_steps > 3 and fades(point.information, start.information):
            return CoxSolution(point, False, True, n_steps)
        step = newton_step(point.information, point.gradient)
        decrement = float(point.gradient @ step)
        ends = decrement < CONVERGED * min(unit, 1.0)
        if ends and np.abs(step).max(initial=0.0) < settled:
            point = replace(point, beta=point.beta + step)
        else:
            point = _halving(evaluate_at, point, step)
        if ends:
            return CoxSolution(point, True, watch and fades(point.information, start.information), n_steps)
    return CoxSolution(point, False, watch, max_steps)


def _halving(evaluate_at: Callable[[FloatArray], CoxPoint], point: CoxPoint, step: FloatArray) -> CoxPoint:
    """The first of the step, its half, its quarter, ... that does not lose likelihood (but for rounding)."""
    floor = point.log_likelihood - SAME_LIKELIHOOD * (1 + abs(point.log_likelihood))
    for _ in range(30):
        with np.errstate(all="ignore"):
            tried = evaluate_at(point.beta + step)
        if _is_finite(tried) and tried.log_likelihood >= floor:
            return tried
        step = step / 2
    return point


def _is_finite(point: CoxPoint) -> bool:
    """Whether a point can be stepped on from; a step too far can overflow the derivatives before the likelihood."""
    return all(np.isfinite(part).all() for part in (point.log_likelihood, point.gradient, point.information))


def newton_step(information: FloatArray, gradient: FloatArray) -> FloatArray:
    """Solve for the step, in the directions in which there is information."""
    values, vectors = np.linalg.eigh(information)
    firm = values > NO_DIRECTION * values.max(initial=0.0)
    return np.asarray(vectors[:, firm] @ ((vectors[:, firm].T @ gradient) / values[firm]), dtype=np.float64)


def fades(information: FloatArray, at_start: FloatArray) -> bool:
    """Whether in some direction the information is far below what it was at the start."""
    return least_share(information, at_start) < FADED


def least_share(information: FloatArray, at_start: FloatArray) -> float:
    """The information as a share of what it was at the start, in the direction in which it is smallest.

    Examples
    --------
    >>> least_share(np.diag([1.0, 3.0]), np.diag([4.0, 4.0]))
    0.25
    """
    values, vectors = np.linalg.eigh(at_start)
    firm = values > SINGULAR * values.max(initial=0.0)
    if not firm.any():
        return np.inf
    root = vectors[:, firm] / np.sqrt(values[firm])
    return float(np.linalg.eigvalsh(root.T @ information @ root)[0])


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
    if solution.weak or values[0] <= SINGULAR * values[-1]:
        return np.full(p, np.nan), np.full((p, p), np.nan), solution.point.log_likelihood
    covariance = np.linalg.inv(solution.point.information) / np.outer(problem.scale, problem.scale)
    return solution.point.beta / problem.scale, covariance, solution.point.log_likelihood


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
    sums = moments(problem, beta)
    residual = -expected_events(problem, sums) / problem.weights
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
    sums, events = moments(problem, beta), problem.sets.events
    expected = expected_events(problem, sums) / problem.weights
    inside, sign = expected.copy(), -np.ones(len(expected))
    inside[events] -= 1 + log_expected_events(problem, sums) - np.log(problem.weights[events])
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
    sets, x, sums = problem.sets, problem.x, moments(problem, beta)
    expected = expected_sums(problem, sums, sums.hazard[:, None] * sums.mean)
    score = (expected - x * expected_events(problem, sums)[:, None]) / problem.weights[:, None]
    score[sets.events] += x[sets.events] - _tie_means(problem, sums)
    return _all_rows(problem, score, n)


def schoenfeld_residuals(problem: CoxProblem, beta: FloatArray) -> FloatArray:
    """Covariates of each event less their mean at risk (over the tie), in the scaled covariates: shape (d, p)."""
    return problem.x[problem.sets.events] - _tie_means(problem, moments(problem, beta))


def _tie_means(problem: CoxProblem, sums: RiskMoments) -> FloatArray:
    """The covariates' mean at risk at each event, averaged over its tie: shape (d, p)."""
    sets = problem.sets
    return np.asarray(event_sums(sets, sums.mean)[sets.at] / sets.n_tied[:, None], dtype=np.float64)


def _all_rows(problem: CoxProblem, values: FloatArray, n: int) -> FloatArray:
    """From the rows at risk to all rows, in their own order."""
    everyone = np.zeros((n, *values.shape[1:]))
    everyone[problem.sets.rows] = values
    return everyone
