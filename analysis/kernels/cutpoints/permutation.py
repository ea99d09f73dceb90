"""The permutation null of a maximally selected statistic, the same draws in numpy and compiled, and what it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.cutpoints.scan import SAME, deviation
from analysis.kernels.random_draws import GOLDEN, random_words

LARGE = 2_500_000
"""Above this many draws the compiled loop pays for importing numba."""
AT_ONCE = 1_000_000


def permuted_maxima(scores: FloatArray, n_low: IntArray, *, n_permutations: int, key: int) -> FloatArray:
    """The maximum of the absolute standardised statistic in random orders of the scores.

    Each permutation is a shuffle (Fisher and Yates) from the front as far as the last cut, whose sums are taken on the
    way. Its random numbers are a counter, from `key` on, hashed by splitmix64 (Steele, Lea and Flood, OOPSLA 2014):
    they depend on nothing but the key and their place, so that numpy and the compiled loop draw the same.

    Parameters
    ----------
    scores : ndarray, shape (n,)
    n_low : ndarray of int, shape (k,)
        Increasing.
    n_permutations : int
    key : int
        64 random bits.

    Returns
    -------
    ndarray, shape (n_permutations,)
        Zeros where all scores are equal.

    Examples
    --------
    >>> scores = np.array([1.0, 0.0, 0.0, -1.0])  # half of all orders begin with 1 or -1
    >>> maxima = permuted_maxima(scores, np.array([1]), n_permutations=3000, key=1)
    >>> np.unique(maxima.round(3)).tolist(), round(float(np.mean(maxima > 1)), 1)
    ([0.0, 1.414], 0.5)
    """
    centred = scores - scores.mean()
    spread = deviation(centred, n_low)
    weight = np.zeros(int(n_low[-1]))
    weight[n_low - 1] = np.divide(1.0, spread, out=np.zeros(len(n_low)), where=spread > SAME * len(scores))
    if n_permutations * len(weight) > LARGE:
        from analysis.kernels.cutpoints.loops import permuted_maxima_loop

        return permuted_maxima_loop(centred, weight, n_permutations, np.uint64(key))
    size = max(1, AT_ONCE // len(centred))
    starts = range(0, n_permutations, size)
    parts = [_maxima(centred, weight, np.arange(start, min(start + size, n_permutations)), key) for start in starts]
    return np.concatenate(parts)


def _maxima(scores: FloatArray, weight: FloatArray, which: NDArray[np.int64], key: int) -> FloatArray:
    """Those of some of the permutations, all shuffled in step."""
    n, depth = len(scores), len(weight)
    shuffled = np.tile(scores[:, None], len(which))
    column = np.arange(len(which))
    first = np.uint64(key) + which.astype(np.uint64) * np.uint64(depth) * GOLDEN
    total, largest = np.zeros(len(which)), np.zeros(len(which))
    for i in range(depth):
        words = random_words(first + np.full(1, i + 1, dtype=np.uint64) * GOLDEN)
        j = i + ((words * np.uint64(n - i)) >> np.uint64(32)).astype(np.int64)
        chosen = shuffled[j, column]
        shuffled[j, column] = shuffled[i]
        total += chosen
        if weight[i]:
            np.maximum(largest, np.abs(total) * weight[i], out=largest)
    return largest


def corrected_p_values(statistic: FloatArray, maxima: FloatArray) -> FloatArray:
    """The chance that the largest statistic of a search reaches each of those seen: (1 + reached) / (1 + drawn).

    The single-step max-T adjustment of Westfall and Young (Resampling-Based Multiple Testing, 1993).

    Parameters
    ----------
    statistic : ndarray, shape (k,)
        Absolute.
    maxima : ndarray, shape (m,)
        The largest of each random data set without an effect.

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> corrected_p_values(np.array([0.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.75, 0.25]
    """
    reached = len(maxima) - np.searchsorted(np.sort(maxima), statistic * (1 - SAME))
    return np.asarray((1 + reached) / (1 + len(maxima)), dtype=np.float64)


def critical_value(maxima: FloatArray, level: float = 0.05) -> float:
    """The limit that a statistic must exceed for its corrected p-value to be at most `level`.

    Infinite where there are too few draws for any p-value to be as small.

    Examples
    --------
    >>> critical_value(np.arange(1.0, 100.0)), critical_value(np.arange(5.0))
    (95.0, inf)
    """
    allowed = int(level * (1 + len(maxima)) * (1 + SAME)) - 1
    return float(np.sort(maxima)[len(maxima) - 1 - allowed]) if allowed >= 0 else float("inf")
