"""Loops over cuts and permutations that numpy cannot make fast, as machine code."""

from __future__ import annotations

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import jit
from analysis.kernels.cox.exponentials import exponential


@jit
def permuted_maxima_loop(scores: FloatArray, weight: FloatArray, n_permutations: int, key: np.uint64) -> FloatArray:
    """The largest statistic of each permutation of the scores; see `cutpoint_permutation.permuted_maxima`.

    `weight[i]` is what the absolute sum of i + 1 scores is multiplied by: zero but at admissible cuts. A place that has
    been drawn is not looked at again, so nothing is put there.
    """
    n, depth = len(scores), len(weight)
    shuffled = scores.copy()
    maxima = np.zeros(n_permutations)
    for permutation in range(n_permutations):
        counter = key + np.uint64(permutation) * np.uint64(depth) * np.uint64(0x9E3779B97F4A7C15)
        total, largest = 0.0, 0.0
        for i in range(n):
            shuffled[i] = scores[i]
        for i in range(depth):
            counter += np.uint64(0x9E3779B97F4A7C15)
            word = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            word = (word ^ (word >> np.uint64(31))) >> np.uint64(32)
            j = i + np.int64((word * np.uint64(n - i)) >> np.uint64(32))
            chosen = shuffled[j]
            shuffled[j] = shuffled[i]
            total += chosen
            size = abs(total) * weight[i]
            if size > largest:
                largest = size
        maxima[permutation] = largest
    return maxima


@jit
def two_groups_loop(
    place: IntArray, event: BoolArray, n_low: IntArray, at: IntArray, fraction: FloatArray, n_times: int
) -> FloatArray:
    """The log hazard ratio above each cut, row by row and cut by cut; see `cutpoint_scan.log_hazard_ratios`.

    `place` is -1, the last place of an array, for a row that sees no event.
    """
    n_events = len(at)
    leave, low_leave = np.zeros(n_times + 1), np.zeros(n_times + 1)  # the last place is that of rows that see no event
    events, low_events = np.zeros(n_times + 1), np.zeros(n_times + 1)
    for i in range(len(place)):
        leave[place[i]] += 1
        events[place[i]] += event[i]
    low, high = np.zeros(n_events), np.zeros(n_events)
    coef = np.full(len(n_low), np.nan)
    row, observed_low, beta = 0, 0, 0.0
    for k in range(len(n_low)):
        while row < n_low[k]:
            observed_low += event[row]
            low_leave[place[row]] += 1
            low_events[place[row]] += event[row]
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


@jit
def newton_loop(
    n_low: FloatArray, n_high: FloatArray, n_events: IntArray, observed: FloatArray, beta: FloatArray
) -> FloatArray:
    """Newton's method for one coefficient after another, `beta` changed in place; see `cutpoint_groups.two_groups`.

    Returns the information at the last step.
    """
    information = np.ones(len(n_events))
    start = 0
    for k in range(len(n_events)):
        end = start + n_events[k]
        step = 1.0
        for _ in range(60):
            if abs(step) <= 1e-9:
                break
            ratio, expected, squares = exponential(beta[k]), 0.0, 0.0
            for i in range(start, end):
                share = n_high[i] * ratio / (n_high[i] * ratio + n_low[i])
                expected += share
                squares += share * share
            information[k] = expected - squares
            step = min(1.0, max(-1.0, (observed[k] - expected) / information[k]))
            beta[k] += step
        start = end
    return information
