"""The permutation null of a maximally selected statistic: the same draws in numpy and compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.counting import IntArray
from analysis.kernels.cutpoint_compiled import compiled, exceedances_loop
from analysis.kernels.cutpoint_scan import SAME, deviation
from analysis.kernels.random_words import GOLDEN, random_words
from analysis.kernels.times import FloatArray

LARGE = 2_500_000
"""Above this many draws the compiled loop pays for importing numba."""
AT_ONCE = 1_000_000


def exceedances(scores: FloatArray, n_low: IntArray, observed: float, *, n_permutations: int, key: int) -> int:
    """How many random orders of the scores reach the observed maximum of the standardised statistic.

    Each permutation is a shuffle (Fisher and Yates) from the front as far as the last cut, whose sums are compared on
    the way. Its random numbers are a counter, from `key` on, hashed by splitmix64 (Steele, Lea and Flood, OOPSLA 2014):
    they depend on nothing but the key and their place, so that numpy and the compiled loop count the same.

    Parameters
    ----------
    scores : ndarray, shape (n,)
    n_low : ndarray of int, shape (k,)
        Increasing.
    observed : float
        The maximum of the absolute standardised statistics.
    n_permutations : int
    key : int
        64 random bits.

    Returns
    -------
    int
        Monte-Carlo p-value: (result + 1) / (n_permutations + 1).

    Examples
    --------
    >>> scores = np.array([1.0, 0.0, 0.0, -1.0])  # half of all orders begin with 1 or -1
    >>> round(exceedances(scores, np.array([1]), 1.0, n_permutations=3000, key=1) / 3000, 1)
    0.5
    """
    centred = scores - scores.mean()
    spread = deviation(centred, n_low)
    if observed <= 0:
        return n_permutations
    limit = np.full(int(n_low[-1]), np.inf)
    limit[n_low - 1] = observed * (1 - SAME) * spread
    if n_permutations * len(limit) > LARGE:
        loop = compiled(exceedances_loop)
        return int(loop(centred, limit, n_permutations, np.uint64(key)))
    size = max(1, AT_ONCE // len(centred))
    starts = range(0, n_permutations, size)
    return sum(
        _exceedances(centred, limit, np.arange(start, min(start + size, n_permutations)), key) for start in starts
    )


def _exceedances(scores: FloatArray, limit: FloatArray, which: NDArray[np.int64], key: int) -> int:
    """The count among some of the permutations, all shuffled in step."""
    n, depth = len(scores), len(limit)
    shuffled = np.tile(scores[:, None], len(which))
    column = np.arange(len(which))
    first = np.uint64(key) + which.astype(np.uint64) * np.uint64(depth) * GOLDEN
    total, reached = np.zeros(len(which)), np.zeros(len(which), dtype=bool)
    for i in range(depth):
        words = random_words(first + np.full(1, i + 1, dtype=np.uint64) * GOLDEN)
        j = i + ((words * np.uint64(n - i)) >> np.uint64(32)).astype(np.int64)
        chosen = shuffled[j, column]
        shuffled[j, column] = shuffled[i]
        total += chosen
        if np.isfinite(limit[i]):
            reached |= np.abs(total) >= limit[i]
    return int(reached.sum())
