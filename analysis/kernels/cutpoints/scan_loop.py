"""The hazard ratio of every cut, as machine code: what numpy cannot make fast."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import exponential, jit


@jit
def two_groups_loop(
    at_time: IntArray, event: BoolArray, n_low: IntArray, at: IntArray, fraction: FloatArray, n_times: int
) -> FloatArray:
    """The log hazard ratio above each cut, row by row and cut by cut; see `cutpoint_scan.log_hazard_ratios`.

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
    row, observed_low, beta = 0, 0, 0.0
    for k in range(len(n_low)):
        while row < n_low[k]:
            observed_low += event[row]
            low_leave[at_time[row]] += 1
            low_events[at_time[row]] += event[row]
            row += 1
        n_all, n_below, here = 0.0, 0.0, n_times
        with_high, without_low = 0, 0
        for i in range(n_events - 1, -1, -1):
            while here > at[i]:
                here -= 1
                n_all += leave[here]
                n_below += low_leave[here]
            low[i] = n_below - fraction[i] * low_events[here]
            high[i] = n_all - fraction[i] * events[here] - low[i]
            with_high += high[i] > 0
            without_low += low[i] <= 0
        observed = n_events - observed_low
        if observed >= with_high or observed <= without_low:
            continue
        step = 1.0
        for _ in range(60):
            if abs(step) <= 1e-9:
                break
            ratio, expected, information = exponential(beta), 0.0, 0.0
            for i in range(n_events):
                share = high[i] * ratio / (high[i] * ratio + low[i])
                expected += share
                information += share * (1.0 - share)
            step = min(1.0, max(-1.0, (observed - expected) / information))
            beta += step
        coef[k] = beta
    return coef
