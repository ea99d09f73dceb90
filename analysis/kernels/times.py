"""Times: those that differ only by rounding merged, once, before any estimate; ranked; looked up."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.tolerances import SAME_TIME

# A range of whole numbers up to this many times as wide as they are many is counted rather than sorted.
_SPARSEST = 8


def dense_rank(values: NDArray[np.generic]) -> tuple[NDArray[np.generic], IntArray]:
    """Distinct values in ascending order, and the index of each value among them.

    Whole numbers in a range not much wider than their number are counted, in linear time; other values are sorted once.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite numbers.

    Returns
    -------
    distinct : ndarray, shape (m,)
    rank : ndarray of int, shape (n,)

    Examples
    --------
    >>> distinct, rank = dense_rank(np.array([7.0, 3.0, 7.0]))
    >>> distinct.tolist(), rank.tolist()
    ([3.0, 7.0], [1, 0, 1])
    """
    if len(values):
        low, high = values.min(), values.max()
        if abs(low) < 2**52 and high - low <= _SPARSEST * len(values):
            offset = (values - low).astype(np.int64)
            if values.dtype.kind in "iu" or (offset + low == values).all():
                present = np.bincount(offset) > 0
                return (np.flatnonzero(present) + low).astype(values.dtype), (np.cumsum(present) - 1)[offset]
    distinct, rank = np.unique(values, return_inverse=True)
    return distinct, rank.astype(np.int64, copy=False)


def run_starts(distinct: FloatArray) -> IntArray:
    """Where each run of near-equal times starts.

    Neighbours are one time when their gap is at most 1.5e-8 of the mean absolute time: the relative rule of R's
    ``survival::aeqSurv`` (its absolute rule, which depends on the unit, is left out).

    Parameters
    ----------
    distinct : ndarray, shape (m,)
        Distinct times in ascending order.

    Returns
    -------
    ndarray of int, shape (n_runs,)

    Examples
    --------
    >>> run_starts(np.array([0.3, 0.1 + 0.2, 1.0])).tolist()
    [0, 2]
    """
    if not len(distinct):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.r_[True, np.diff(distinct) > SAME_TIME * np.abs(distinct).mean()])


def merge_near_ties(*columns: FloatArray) -> tuple[FloatArray, ...]:
    """Replace near-equal times by the smallest of their run, over all columns together.

    `run_starts` has the rule.

    Parameters
    ----------
    *columns : ndarray, shape (n,)
        Finite times, one unit (follow-up times, and entry times when there are any).

    Returns
    -------
    tuple of ndarray, shape (n,)
        In the order given; the arrays themselves where nothing is merged.

    Examples
    --------
    >>> merge_near_ties(np.array([0.1 + 0.2, 0.3, 1.0]))[0].tolist()
    [0.3, 0.3, 1.0]
    """
    together = columns[0] if len(columns) == 1 else np.concatenate(columns)
    if not len(together) or _far_apart(together):
        return columns
    ordered = np.sort(together)
    distinct = ordered[np.r_[True, ordered[1:] != ordered[:-1]]]
    starts = run_starts(distinct)
    if len(starts) == len(distinct):
        return columns
    run = np.cumsum(np.bincount(starts, minlength=len(distinct))) - 1
    merged = distinct[starts][run[dense_rank(together)[1]]]
    return tuple(np.split(merged, np.cumsum([len(column) for column in columns])[:-1]))


def _far_apart(times: FloatArray) -> bool:
    """Whether all are whole numbers below 2**26: their gaps, of 1 at least, exceed 2**-26 of the mean."""
    return bool(np.abs(times).max() < 2**26) and bool((times == np.rint(times)).all())


def reached(at: FloatArray, end: FloatArray | float) -> NDArray[np.bool_]:
    """Whether times come at or before an end, near-ties being equal.

    Parameters
    ----------
    at : ndarray, shape (k,)
    end : number, or ndarray of shape (k,)

    Examples
    --------
    >>> reached(np.array([0.2, 0.1 + 0.2, 0.31]), 0.3).tolist()
    [True, True, False]
    """
    return np.asarray(at <= end + SAME_TIME * np.abs(end))


def n_times_to(times: FloatArray, at: FloatArray, *, side: Literal["left", "right"] = "right") -> NDArray[np.intp]:
    """How many of the sorted times come at or before (side "left": before) each given time, near-ties being equal.

    Parameters
    ----------
    times : ndarray, shape (m,)
        In ascending order; -inf (entry from the start) comes before everything.
    at : ndarray, shape (k,)
    side : {"right", "left"}

    Returns
    -------
    ndarray of int, shape (k,)

    Examples
    --------
    >>> n_times_to(np.array([0.1, 0.3, 1.0]), np.array([0.1 + 0.2])).tolist()
    [2]
    """
    finite = times[np.isfinite(times)]
    room = SAME_TIME * np.abs(finite).mean() if len(finite) else 0.0
    return np.searchsorted(times, at + room if side == "right" else at - room, side=side)
