"""The log-rank statistic under permutations of the groups: fixed scores, shuffled among the rows of a block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.counts.counting import count
from analysis.kernels.random_draws import GOLDEN, random_halves

LARGE = 2_000_000
"""Above this many draws the compiled loop pays for importing numba."""
AT_ONCE = 1_000_000
"""Scores that are shuffled in step without it."""
ROUNDING = 1e-14
"""A variance below this, times the number of rows, is none: scores are of the order of one."""


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
    held = [np.flatnonzero((row > 0) & (np.arange(n_groups) != left)) for row, left in zip(table, rest, strict=True)]
    groups = np.concatenate(held)
    block_of_part = np.repeat(np.arange(n_blocks), [len(names) for names in held])
    drawn, covariance = scores[order], np.zeros((n_groups, n_groups))
    for first, last, row in zip(starts[:-1], starts[1:], table, strict=True):
        drawn[first:last] -= drawn[first:last].mean()
        size = last - first
        spread = (drawn[first:last] ** 2).sum() / max(size - 1, 1)
        covariance += spread * (np.diag(row) - np.outer(row, row) / size)
    inverse, df = generalised_inverse(covariance, ROUNDING * len(scores))
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
    if n_permutations * int(drawn.sizes.sum()) > LARGE:
        from analysis.kernels.counts.permutation_loops import fill_statistics

        fill_statistics(drawn, first, statistics, np.uint64(key))
        return statistics
    size = max(1, AT_ONCE // len(drawn.scores))
    for start in range(0, n_permutations, size):
        which = np.arange(start, min(start + size, n_permutations))
        statistics[which] = _in_step(drawn, first + which, key)
    return statistics


def _in_step(drawn: Shuffles, which: IntArray, key: int) -> FloatArray:
    """The statistics of some permutations, all shuffled in step."""
    shuffled, column = np.tile(drawn.scores[:, None], len(which)), np.arange(len(which))
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
                j = i + ((halves[drawn_before % 2] * np.uint64(end - i)) >> np.uint64(32)).astype(np.int64)
                totals[drawn_before % 2] += shuffled[j, column]
                shuffled[j, column] = shuffled[i]
                i += 1
            total = totals[0] + totals[1]
            sums[drawn.groups[part]] += total
            sums[left] -= total
    return statistic_of(drawn, sums)
