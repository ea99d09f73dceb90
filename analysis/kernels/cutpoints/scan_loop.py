"""The hazard ratio of every cut, as machine code: what numpy cannot make fast."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import exponential, jit
from analysis.kernels.tolerances import SETTLED_CUT

MOST_STEPS = 60


@jit
def two_groups_loop(
    at_time: IntArray, event: BoolArray, n_low: IntArray, at: IntArray, fraction: FloatArray, n_times: int
) -> FloatArray:
    """The log hazard ratio above each cut, row by row and cut by cut; see `cutpoints.scan.log_hazard_ratios`.

    `at_time` is -1, the last index of an array, for a row that sees no event.
    """
    n_events = len(at)
    leave, low_leave = np.zeros(n_times + 1), np.zeros(n_times + 1)  # the last is that of rows that see no event
    events, low_events = np.zeros(n_times + 1), np.zeros(n_times + 1)
    for i in range(len(at_time)):
        leave[at_time[i]] += 1
        events[at_time[i]] += event[i]
    low, high = np.zeros(n_events), np.zeros(n_events)
    coef = np.full(len(n_low), np.nan)
    row, observed_low, start = 0, 0, 0.0
    for k in range(len(n_low)):
        while row < n_low[k]:
            observed_low += event[row]
            low_leave[at_time[row]] += 1
            low_events[at_time[row]] += event[row]
            row += 1
        n_all, n_below, here = 0.0, 0.0, n_times
        for i in range(n_events - 1, -1, -1):
            while here > at[i]:
                here -= 1
                n_all += leave[here]
                n_below += low_leave[here]
            low[i] = n_below - fraction[i] * low_events[here]
            high[i] = n_all - fraction[i] * events[here] - low[i]
        coef[k] = log_hazard_ratio(low, high, n_events - observed_low, start)
        start = start if np.isnan(coef[k]) else coef[k]
    return coef


@jit
def log_hazard_ratio(low: FloatArray, high: FloatArray, observed: int, beta: float) -> float:
    """By Newton's method from `beta`, with those at risk at each event and the events of the high group.

    NaN where the likelihood has no maximum.
    """
    with_high, without_low = 0, 0
    for i in range(len(low)):
        with_high += high[i] > 0
        without_low += low[i] <= 0
    if observed >= with_high or observed <= without_low:
        return np.nan
    for _ in range(MOST_STEPS):
        ratio, expected, information = exponential(beta), 0.0, 0.0
        for i in range(len(low)):
            share = high[i] * ratio / (high[i] * ratio + low[i])
            expected += share
            information += share * (1.0 - share)
        step = min(1.0, max(-1.0, (observed - expected) / information))
        beta += step
        if abs(step) <= SETTLED_CUT:
            break
    return beta
