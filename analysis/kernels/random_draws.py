"""Random draws that depend on a key and their number alone: the same in numpy, compiled, and however shared out."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import FloatArray, IntArray

Bits = TypeVar("Bits", NDArray[np.uint64], np.uint64)

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: the step from one counter to the next, and a multiplier that scatters bits."""
COMPILED_FROM = 2_500_000
"""Above this many draws the compiled loops of permutations pay for importing numba."""
AT_ONCE = 1_000_000
"""Scores that are shuffled in step without them."""


def random_bits(counter: Bits) -> Bits:
    """64 random bits for each counter: splitmix64 (Steele, Lea and Flood, OOPSLA 2014).

    Parameters
    ----------
    counter : ndarray of uint64, or one
        A key of 64 random bits plus whole multiples of `GOLDEN`, modulo 2**64.

    Returns
    -------
    ndarray of uint64, or one

    Examples
    --------
    >>> hex(random_bits(np.array([1234567], dtype=np.uint64) + GOLDEN)[0])  # splitmix64's first
    '0x599ed017fb08fc85'
    """
    z = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def random_halves(counter: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The upper and the lower 32 of the 64 random bits for each counter; see `random_bits`."""
    bits = random_bits(counter)
    return bits >> np.uint64(32), bits & np.uint64(0xFFFFFFFF)


def draw_in_step(shuffled: FloatArray, i: int, end: int, half: NDArray[np.uint64]) -> FloatArray:
    """One of the scores from i to the end in each of several shuffles, which changes places with the i-th.

    Parameters
    ----------
    shuffled : ndarray, shape (n, b)
        Changed in place.
    i, end : int
    half : ndarray of uint64, shape (b,)
        32 random bits each.

    Returns
    -------
    ndarray, shape (b,)
    """
    j = i + ((half * np.uint64(end - i)) >> np.uint64(32)).astype(np.int64)
    columns = np.arange(shuffled.shape[1])
    scores: FloatArray = shuffled[j, columns]
    shuffled[j, columns] = shuffled[i]
    return scores


def times_drawn(drawn: IntArray, n: int) -> IntArray:
    """How often each resample holds each of n rows.

    Parameters
    ----------
    drawn : ndarray of int, shape (b, m)
        The rows that each resample drew, from 0 to n - 1.
    n : int

    Returns
    -------
    ndarray of int, shape (b, n)

    Examples
    --------
    >>> times_drawn(np.array([[0, 2, 2], [1, 1, 1]]), 3).tolist()
    [[1, 0, 2], [0, 3, 0]]
    """
    size = len(drawn)
    cells = drawn + np.arange(size)[:, None] * n
    return np.bincount(cells.ravel(), minlength=size * n).reshape(size, n)
