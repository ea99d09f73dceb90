"""One Cox model a cohort, as machine code; see `analysis.kernels.cox_each`."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import jit
from analysis.kernels.cox_resamples.newton import evaluate_resample, newton
from analysis.kernels.cox_resamples.rows import room_for, scale, sum_events, take_cohort


@jit
def by_cohort(order: IntArray, cohort: IntArray, n_cohorts: int) -> tuple[IntArray, IntArray]:
    """The rows cohort by cohort, in the order given, and where each cohort starts, and the end."""
    starts = np.zeros(n_cohorts + 1, np.int64)
    for code in cohort:
        starts[code + 1] += 1
    starts = np.cumsum(starts)
    place, sorted_rows = starts.copy(), np.empty_like(order)
    for i in order:
        sorted_rows[place[cohort[i]]] = i
        place[cohort[i]] += 1
    return sorted_rows, starts


@jit
def fit_cohorts(
    x: FloatArray, time: FloatArray, event: BoolArray, order: IntArray, starts: IntArray, efron: bool,
    coef: FloatArray, scales: FloatArray, at_start: FloatArray, information: FloatArray, fallen: FloatArray,
) -> None:  # fmt: skip
    """The model of each cohort, of covariates over `scales`; `order` has its rows by time, from its place in `starts`.

    `fallen` is NaN where Newton's method did not end.
    """
    p, most = x.shape[1], np.diff(starts).max()
    held = room_for(most, most, p, 0)
    for c in range(len(starts) - 1):
        take_cohort(x, time, event, order[starts[c] : starts[c + 1]], held)
        fallen[c], coef[c] = np.nan, 0.0
        if not held.size[1]:
            continue
        scale(held, scales[c])
        sum_events(held)
        ended, share = newton(held, efron, coef[c], at_start[c], information[c])
        if ended:  # Newton's way ends a step after the information was last worked out
            fallen[c] = share
            evaluate_resample(held, efron, coef[c], np.empty(p), information[c])
