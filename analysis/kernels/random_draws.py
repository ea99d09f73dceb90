"""Random bits that depend on nothing but a key and their place: the same in numpy, compiled, and however shared out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import IntArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The step from one counter to the next."""


def random_words(counter: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """32 random bits for each counter: the upper half of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).

    Parameters
    ----------
    counter : ndarray of uint64
        A key of 64 random bits plus whole multiples of `GOLDEN`, modulo 2**64.

    Returns
    -------
    ndarray of uint64
        Below 2**32.

    Examples
    --------
    >>> random_words(np.array([1234567], dtype=np.uint64) + GOLDEN).tolist()  # splitmix64's first: 0x599ed017fb08fc85
    [1503580183]
    """
    return random_halves(counter)[0]


def random_halves(counter: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The upper and the lower 32 of the 64 random bits for each counter; see `random_words`."""
    z = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return z >> np.uint64(32), z & np.uint64(0xFFFFFFFF)


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
    places = drawn + np.arange(size)[:, None] * n
    return np.bincount(places.ravel(), minlength=size * n).reshape(size, n)
