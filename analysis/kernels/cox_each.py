"""The Cox models of many cohorts in one stack of rows, each by itself: one sort and one call for all of them."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox import fades
from analysis.kernels.cox_resamples import FALLEN


def fit_each(
    x: FloatArray, time: FloatArray, event: BoolArray, cohort: IntArray, *, ties: str = "efron"
) -> tuple[FloatArray, FloatArray]:
    """Coefficients and covariance of a Cox model in each of many cohorts.

    Parameters
    ----------
    x : ndarray, shape (n, p)
    time : ndarray, shape (n,)
        Near-ties merged.
    event : ndarray of bool, shape (n,)
    cohort : ndarray of int, shape (n,)
        0 to c - 1, in any order.
    ties : {"efron", "breslow"}

    Returns
    -------
    coef : ndarray, shape (c, p)
        NaN in a cohort without a maximum: no events, a constant column, separation.
    covariance : ndarray, shape (c, p, p)

    Examples
    --------
    >>> x, time = np.array([[0.0], [1.0], [1.0], [0.0]] * 2), np.array([3.0, 1.0, 4.0, 2.0] * 2)
    >>> coef, _ = fit_each(x, time, np.array([True] * 4 + [False] * 4), np.array([0] * 4 + [1] * 4))
    >>> np.exp(coef).round(6).ravel().tolist()  # by hand: (sqrt(5) - 1) / 2; no events
    [0.618034, nan]
    """
    n_cohorts, p = int(cohort.max(initial=-1)) + 1, x.shape[1]
    coef, covariance = np.full((n_cohorts, p), np.nan), np.full((n_cohorts, p, p), np.nan)
    if not event.any():
        return coef, covariance
    from analysis.kernels.cox_each_loops import by_cohort, fit_cohorts

    order, starts = by_cohort(np.argsort(time), cohort, n_cohorts)
    found, scales, fallen = np.empty((n_cohorts, p)), np.empty((n_cohorts, p)), np.empty(n_cohorts)
    at_start, information = np.empty((n_cohorts, p, p)), np.empty((n_cohorts, p, p))
    fit_cohorts(x, time, event, order, starts, ties == "efron", found, scales, at_start, information, fallen)
    for place in np.flatnonzero(fallen < FALLEN):
        fallen[place] = np.nan if fades(information[place], at_start[place]) else fallen[place]
    sound = np.flatnonzero(~np.isnan(fallen))
    coef[sound] = found[sound] / scales[sound]
    covariance[sound] = np.linalg.inv(information[sound]) / (scales[sound, :, None] * scales[sound, None, :])
    return coef, covariance
