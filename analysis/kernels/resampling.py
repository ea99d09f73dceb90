"""Resamples as counts: how often each holds each row."""

from __future__ import annotations

import numpy as np

from analysis.kernels.counts.counting import IntArray


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
