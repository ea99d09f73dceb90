"""The log-rank family on arrays: observed less expected events by group, their covariance, chi-square, permutations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels import random_draws
from analysis.kernels.counts.life_table import Counts, count
from analysis.kernels.random_draws import GOLDEN, draw_in_step, random_halves
from analysis.kernels.tolerances import NO_PERMUTATION_VARIANCE

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
    return np.concatenate([np.cumprod(factors[segment]) for segment in counts.segments])


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
    # Groups that were never at risk together have a covariance of exactly zero.
    connected = covariance != 0
    for _ in range(len(score)):
        connected = connected @ connected
    first_of_set = np.array([not row[:k].any() for k, row in enumerate(connected)])
    kept = np.flatnonzero(~first_of_set)
    if not len(kept):
        return float("nan"), 0
    part = score[kept]
    return float(part @ np.linalg.solve(covariance[np.ix_(kept, kept)], part)), len(kept)


class Shuffles(NamedTuple):
    """What is drawn in each permutation: scores by block, and how many of each block's go to which group.

    Attributes
    ----------
    scores : ndarray, shape (n,)
        Block b holds ``scores[starts[b]:starts[b + 1]]``, ascending; they sum to zero.
    starts, parts : ndarray, shape (n_blocks + 1,)
        Parts ``parts[b]``, ..., ``parts[b + 1] - 1`` are drawn from block b.
    groups, sizes : ndarray, shape (n_parts,)
        The group that a part goes to, and how many scores it takes.
    rest : ndarray, shape (n_blocks,)
        The group that is given what is left of a block, its largest there.
    sums : ndarray, shape (k,)
        Of the scores of each group, as observed.
    covariance, inverse : ndarray, shape (k, k)
        Of the sums over all permutations, and its generalised inverse.
    df : int
        The rank of the covariance.
    """

    scores: FloatArray
    starts: IntArray
    parts: IntArray
    groups: IntArray
    sizes: IntArray
    rest: IntArray
    sums: FloatArray
    covariance: FloatArray
    inverse: FloatArray
    df: int


def logrank_scores(
    time: FloatArray, event: BoolArray, *, entry: FloatArray | None = None, strata: IntArray | None = None
) -> FloatArray:
    """Each row's event less the pooled Nelson-Aalen hazard over its time at risk; they sum to zero within a stratum.

    Summed over a group they are the observed less the expected events of the log-rank test.

    Parameters
    ----------
    time, entry : ndarray, shape (n,)
        Near-ties merged.
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> logrank_scores(np.array([1.0, 2.0, 4.0]), np.array([True, False, True])).round(4).tolist()
    [0.6667, -0.3333, -0.3333]
    """
    codes = np.zeros(len(time), dtype=np.int64) if strata is None else strata
    scores = event.astype(np.float64)
    for code in range(int(codes.max(initial=-1)) + 1):
        rows = codes == code
        since = None if entry is None else entry[rows]
        counts = count(time[rows], event[rows], entry=since)
        hazard = np.cumsum(np.r_[0.0, counts.n_event[:, 0] / np.maximum(counts.n_risk[:, 0], 1)])
        scores[rows] -= hazard[np.searchsorted(counts.time, time[rows], side="right")]
        if since is not None:
            scores[rows] += hazard[np.searchsorted(counts.time, since, side="right")]
    return scores


def shuffles(scores: FloatArray, group: IntArray, blocks: IntArray, n_groups: int) -> Shuffles:
    """The permutations of groups within blocks, whatever the order of the rows.

    With a the scores of a block of n rows, of which n_k are in group k, the sums of its groups have covariance
    sum((a - mean)^2) / (n - 1) (n_k [k = l] - n_k n_l / n) over all permutations (Strasser and Weber, Mathematical
    Methods of Statistics 8 (1999) 220).

    Parameters
    ----------
    scores : ndarray, shape (n,)
    group, blocks : ndarray of int, shape (n,)
        From 0; every block is in use.
    n_groups : int

    Returns
    -------
    Shuffles

    Examples
    --------
    >>> drawn = shuffles(np.array([0.6, -0.4, -0.2]), np.array([0, 1, 1]), np.zeros(3, dtype=int), 2)
    >>> drawn.groups.tolist(), drawn.sizes.tolist(), drawn.rest.tolist(), drawn.df
    ([0], [1], [1], 1)
    """
    n_blocks = int(blocks.max()) + 1
    order = np.lexsort((scores, blocks))
    starts = np.searchsorted(blocks[order], np.arange(n_blocks + 1))
    table = np.bincount(blocks * n_groups + group, minlength=n_blocks * n_groups).reshape(n_blocks, n_groups)
    rest = table.argmax(axis=1)
    parts = [np.flatnonzero((row > 0) & (np.arange(n_groups) != left)) for row, left in zip(table, rest, strict=True)]
    groups = np.concatenate(parts)
    block_of_part = np.repeat(np.arange(n_blocks), [len(names) for names in parts])
    drawn, covariance = scores[order], np.zeros((n_groups, n_groups))
    for first, last, row in zip(starts[:-1], starts[1:], table, strict=True):
        drawn[first:last] -= drawn[first:last].mean()
        size = last - first
        spread = (drawn[first:last] ** 2).sum() / max(size - 1, 1)
        covariance += spread * (np.diag(row) - np.outer(row, row) / size)
    inverse, df = generalised_inverse(covariance, NO_PERMUTATION_VARIANCE * len(scores))
    return Shuffles(
        scores=drawn,
        starts=starts,
        parts=np.searchsorted(block_of_part, np.arange(n_blocks + 1)),
        groups=groups,
        sizes=table[block_of_part, groups],
        rest=rest,
        sums=np.bincount(group[order], weights=drawn, minlength=n_groups).astype(np.float64),
        covariance=covariance,
        inverse=inverse,
        df=df,
    )


def generalised_inverse(covariance: FloatArray, smallest: float) -> tuple[FloatArray, int]:
    """A generalised inverse of a covariance, and its rank: of as many columns as are independent, zero elsewhere.

    The sweeps of Goodnight (The American Statistician 33 (1979) 149), one number after another, so that the last bits
    do not follow from the processor, as those of LAPACK do.

    Parameters
    ----------
    covariance : ndarray, shape (k, k)
    smallest : float
        A column's variance given the columns before it is zero when it is no larger than this.

    Examples
    --------
    >>> generalised_inverse(np.array([[2.0, -2.0], [-2.0, 2.0]]), 1e-9)[0].tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    swept, kept = covariance.copy(), np.zeros(len(covariance), dtype=bool)
    for k in range(len(covariance)):
        pivot, column = swept[k, k], swept[:, k].copy()
        if pivot > smallest:
            kept[k], row = True, swept[k] / pivot
            swept -= np.outer(column, row)
            swept[k], swept[:, k] = row, -column / pivot
            swept[k, k] = 1 / pivot
    return np.where(np.outer(kept, kept), swept, 0.0), int(kept.sum())


def statistic_of(drawn: Shuffles, sums: FloatArray) -> FloatArray:
    """The chi-square of group sums, shape (k, ...): products added up one by one, in the order of the compiled loop."""
    total = np.zeros(sums.shape[1:])
    for a, row in enumerate(drawn.inverse):
        for b, weight in enumerate(row):
            total = total + sums[a] * weight * sums[b]
    return total


def permuted_statistics(drawn: Shuffles, *, n_permutations: int, key: int, first: int = 0) -> FloatArray:
    """The chi-square of the groups' score sums in random permutations of the groups within blocks.

    Each permutation shuffles (Fisher and Yates) the scores of a block from the front as far as its parts go, with
    random numbers that follow from the key and the number of the permutation alone: any part of the permutations can be
    had by itself, compiled or not. A random word serves two draws, which are summed apart.

    Parameters
    ----------
    drawn : Shuffles
    n_permutations : int
    key : int
        64 random bits.
    first : int
        The number of the first permutation.

    Returns
    -------
    ndarray, shape (n_permutations,)

    Examples
    --------
    >>> drawn = shuffles(np.array([0.6, -0.4, -0.2]), np.array([0, 1, 1]), np.zeros(3, dtype=int), 2)
    >>> np.unique(permuted_statistics(drawn, n_permutations=50, key=1).round(3)).tolist()  # 3 a^2 / sum of a^2
    [0.214, 0.857, 1.929]
    """
    statistics = np.empty(n_permutations)
    if n_permutations * int(drawn.sizes.sum()) > random_draws.COMPILED_FROM:
        from analysis.kernels.permutation_loops import fill_statistics

        fill_statistics(drawn, first, statistics, np.uint64(key))
        return statistics
    size = max(1, random_draws.AT_ONCE // len(drawn.scores))
    for start in range(0, n_permutations, size):
        which = np.arange(start, min(start + size, n_permutations))
        statistics[which] = _in_step(drawn, first + which, key)
    return statistics


def _in_step(drawn: Shuffles, which: IntArray, key: int) -> FloatArray:
    """The statistics of some permutations, all shuffled in step."""
    shuffled = np.tile(drawn.scores[:, None], len(which))
    n_words = np.uint64(((drawn.sizes + 1) // 2).sum())
    counter = np.uint64(key) + which.astype(np.uint64) * n_words * GOLDEN
    sums = np.zeros((len(drawn.inverse), len(which)))
    for block, left in enumerate(drawn.rest):
        i, end = drawn.starts[block], drawn.starts[block + 1]
        for part in range(drawn.parts[block], drawn.parts[block + 1]):
            totals = np.zeros((2, len(which)))
            for drawn_before in range(drawn.sizes[part]):
                if drawn_before % 2 == 0:
                    counter += GOLDEN
                    halves = random_halves(counter)
                totals[drawn_before % 2] += draw_in_step(shuffled, i, end, halves[drawn_before % 2])
                i += 1
            total = totals[0] + totals[1]
            sums[drawn.groups[part]] += total
            sums[left] -= total
    return statistic_of(drawn, sums)
