"""The log-rank family on arrays: observed less expected events by group, their covariance, and the chi-square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels.counts.counting import Counts

Weighting = Literal["logrank", "gehan-breslow", "tarone-ware", "peto", "modified-peto", "fleming-harrington"]


@dataclass(frozen=True, eq=False)
class LogRankSums:
    """Sums over the event times of all strata.

    Attributes
    ----------
    observed, expected : ndarray, shape (n_groups,)
        Events of each group, and those it would have if its members were like the others at risk; weighted.
    covariance : ndarray, shape (n_groups, n_groups)
        Of observed less expected (hypergeometric).
    """

    observed: FloatArray
    expected: FloatArray
    covariance: FloatArray


def logrank_sums(counts: Counts, *, weighting: str = "logrank", rho: float = 0.0, gamma: float = 0.0) -> LogRankSums:
    """Observed and expected events of each group, and their covariance.

    At an event time with n at risk, n_k of them in group k, and d events, group k expects d p_k events, p_k = n_k / n,
    with covariance d (n - d) / (n - 1) (p_k [k = l] - p_k p_l); w(t) weights the events, its square the covariance.

    Parameters
    ----------
    counts : Counts
        Groups as columns, strata as segments, without weights.
    weighting : str
        One of `Weighting`: w is 1, n, sqrt(n), the survival estimate of Peto and Peto (product of 1 - d / (n + 1),
        at t), that times n / (n + 1), or S(t-)^rho (1 - S(t-))^gamma with the stratum's pooled Kaplan-Meier curve.
    rho, gamma : float
        Zero or more; of Fleming and Harrington's weights.

    Returns
    -------
    LogRankSums

    Examples
    --------
    >>> from analysis.kernels.counts.counting import count
    >>> time, event, group = np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.array([0, 1, 1])
    >>> sums = logrank_sums(count(time, event, group=group, n_groups=2))
    >>> sums.observed.tolist(), sums.expected.round(4).tolist()
    ([1.0, 1.0], [0.3333, 1.6667])
    """
    n, d = counts.n_risk.sum(axis=1), counts.n_event.sum(axis=1)
    weight = _weights(counts, n, d, weighting, rho, gamma)
    at = d > 0
    n, d, weight = n[at], d[at], weight[at]
    share = counts.n_risk[at] / n[:, None]
    spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
    return LogRankSums(
        observed=weight @ counts.n_event[at],
        expected=(weight * d) @ share,
        covariance=np.diag(spread @ share) - (share * spread[:, None]).T @ share,
    )


def fleming_harrington_scores(
    counts: Counts, rho_gamma: Sequence[tuple[float, float]]
) -> tuple[FloatArray, FloatArray]:
    """Scores of the second of two groups under several of Fleming and Harrington's weights, and their covariance.

    With w_j(t) = S(t-)^rho_j (1 - S(t-))^gamma_j the scores are the sums of w_j (d_2 - d n_2 / n), and two of them have
    the covariance of the sums of w_i w_j d (n - d) / (n - 1) (n_1 / n) (n_2 / n).

    Parameters
    ----------
    counts : Counts
        Two groups as columns, strata as segments, without weights.
    rho_gamma : sequence of (float, float)

    Returns
    -------
    scores : ndarray, shape (m,)
    covariance : ndarray, shape (m, m)

    Examples
    --------
    >>> from analysis.kernels.counts.counting import count
    >>> time, event, group = np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), np.array([0, 1, 1])
    >>> scores, covariance = fleming_harrington_scores(count(time, event, group=group, n_groups=2), [(0, 0), (0, 1)])
    >>> scores.round(4).tolist(), covariance.round(4).tolist()
    ([-0.6667, 0.0], [[0.2222, 0.0], [0.0, 0.0]])
    """
    n, d = counts.n_risk.sum(axis=1), counts.n_event.sum(axis=1)
    weight = np.column_stack([_weights(counts, n, d, "fleming-harrington", rho, gamma) for rho, gamma in rho_gamma])
    at = d > 0
    n, d, weight = n[at], d[at], weight[at]
    share = counts.n_risk[at, 1] / n
    spread = d * (n - d) / np.maximum(n - 1, 1) * share * (1 - share)
    return weight.T @ (counts.n_event[at, 1] - d * share), (weight * spread[:, None]).T @ weight


def _weights(counts: Counts, n: FloatArray, d: FloatArray, weighting: str, rho: float, gamma: float) -> FloatArray:
    """The weight of each time."""
    if weighting == "gehan-breslow":
        return n
    if weighting == "tarone-ware":
        return np.sqrt(n)
    if weighting in ("peto", "modified-peto"):
        survival = _product(counts, 1 - d / (n + 1))
        return survival * n / (n + 1) if weighting == "modified-peto" else survival
    if weighting == "fleming-harrington":
        before = np.ones(len(n))
        before[1:] = _product(counts, 1 - d / np.maximum(n, 1))[:-1]
        before[counts.start[:-1]] = 1.0
        return before**rho * (1 - before) ** gamma
    return np.ones(len(n))


def _product(counts: Counts, factors: FloatArray) -> FloatArray:
    """The running product in each stratum."""
    return np.concatenate([np.cumprod(factors[place]) for place in counts.segments])


def score_chi_square(score: FloatArray, covariance: FloatArray) -> tuple[float, int]:
    """Chi-square of scores that sum to zero within each set of groups that share risk sets, and its degrees of freedom.

    One group of each such set carries nothing of its own and is left out, so a group that was never at risk at an event
    costs no degree of freedom. No group shares a risk set: 0 degrees of freedom.

    Parameters
    ----------
    score : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)

    Returns
    -------
    statistic : float
    df : int

    Examples
    --------
    >>> score_chi_square(np.array([1.0, -1.0, 0.0]), np.array([[2.0, -2, 0], [-2, 2, 0], [0, 0, 0]]))
    (0.5, 1)
    """
    # Groups that were never at risk together have a covariance of exactly zero; the diagonal may hold rounding noise.
    connected = (covariance != 0) | np.eye(len(score), dtype=bool)
    for _ in range(len(score)):
        connected = connected @ connected
    first_of_set = np.array([not row[:k].any() for k, row in enumerate(connected)])
    kept = np.flatnonzero(~first_of_set)
    if not len(kept):
        return float("nan"), 0
    part = score[kept]
    return float(part @ np.linalg.solve(covariance[np.ix_(kept, kept)], part)), len(kept)
