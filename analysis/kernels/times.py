"""Times that differ only by rounding are one time: merged here, once, before any estimate."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


def merge_near_ties(*columns: FloatArray) -> tuple[FloatArray, ...]:
    """Replace near-equal times by the smallest of their run, over all columns together.

    Neighbours among the sorted distinct times are one time when their gap is at most 1.5e-8 of the mean absolute time:
    the relative rule of R's ``survival::aeqSurv`` (its absolute rule, which depends on the unit, is left out).

    Parameters
    ----------
    *columns : ndarray, shape (n,)
        Finite times, one unit (follow-up times, and entry times when there are any).

    Returns
    -------
    tuple of ndarray, shape (n,)
        New arrays, in the order given.

    Examples
    --------
    >>> merge_near_ties(np.array([0.1 + 0.2, 0.3, 1.0]))[0].tolist()
    [0.3, 0.3, 1.0]
    """
    distinct = np.unique(np.concatenate(columns))
    if len(distinct) < 2:
        return tuple(column.copy() for column in columns)
    starts_run = np.r_[True, np.diff(distinct) > TOLERANCE * np.abs(distinct).mean()]
    if starts_run.all():
        return tuple(column.copy() for column in columns)
    runs = distinct[starts_run]
    return tuple(runs[np.searchsorted(runs, column, side="right") - 1] for column in columns)


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
    room = TOLERANCE * np.abs(finite).mean() if len(finite) else 0.0
    return np.searchsorted(times, at + room if side == "right" else at - room, side=side)
