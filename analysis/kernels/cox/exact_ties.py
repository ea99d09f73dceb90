"""The exact partial likelihood of tied events: conditional logistic regression within each risk set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels.cox.likelihood import CoxPoint, CoxProblem


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
