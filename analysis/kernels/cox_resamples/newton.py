"""Newton's method over many resamples, as machine code; see `analysis.kernels.cox_resamples.fits`."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.compiled import jit
from analysis.kernels.cox_resamples.likelihood import (
    SINGULAR,
    derivatives,
    expect,
    set_risk,
    sum_at_risk,
    visit_times,
)
from analysis.kernels.cox_resamples.rows import Layout, Resample, room_for, take

SETTLED = 1e-10
"""Newton's last step, squared and in standard errors; what is left after it is of the order of its square."""
MOST_STEPS = 40
MOST_HALVINGS = 30


@jit
def evaluate_resample(
    held: Resample, efron: bool, beta: FloatArray, gradient: FloatArray, information: FloatArray
) -> float:
    """The log partial likelihood; its derivatives are put into `gradient` and `information`."""
    set_risk(held, beta)
    sum_at_risk(held)
    logarithm, columns = visit_times(held, efron)
    value = -logarithm
    for j in range(len(beta)):
        value += beta[j] * held.total[j]
    if np.isfinite(value):
        expect(held)
        derivatives(held, columns, gradient, information)
    return value


@jit
def solve(information: FloatArray, gradient: FloatArray, root: FloatArray, step: FloatArray) -> float:
    """Newton's step by Cholesky's way, into `step`; returns the determinant, 0 when a column follows from others."""
    p, determinant = len(gradient), 1.0
    for a in range(p):
        for b in range(a + 1):
            rest = information[a, b]
            for c in range(b):
                rest -= root[a, c] * root[b, c]
            if a > b:
                root[a, b] = rest / root[b, b]
            elif rest > SINGULAR * information[a, a]:
                root[a, a] = np.sqrt(rest)
                determinant *= rest
            else:
                return 0.0
    for a in range(p):
        step[a] = gradient[a]
        for c in range(a):
            step[a] -= root[a, c] * step[c]
        step[a] /= root[a, a]
    for a in range(p - 1, -1, -1):
        for c in range(a + 1, p):
            step[a] -= root[c, a] * step[c]
        step[a] /= root[a, a]
    return determinant


@jit
def newton(
    held: Resample, efron: bool, beta: FloatArray, at_start: FloatArray, information: FloatArray
) -> tuple[bool, float]:
    """Newton's method with step halving from `beta`, which is moved; whether it ended, and how far information fell.

    The second is the determinant of the information at the end over that at the start.
    """
    p = len(beta)
    gradient, step, tried, root = np.empty(p), np.empty(p), np.empty(p), np.empty((p, p))
    value = evaluate_resample(held, efron, beta, gradient, information)
    at_start[:] = information
    first = 0.0
    for turn in range(MOST_STEPS):
        determinant = solve(information, gradient, root, step) if np.isfinite(value) else 0.0
        if not determinant > 0.0:
            return False, 0.0
        first = determinant if turn == 0 else first
        decrement = 0.0
        for j in range(p):
            decrement += gradient[j] * step[j]
        if decrement < SETTLED:
            beta += step
            return True, determinant / first
        lowest = value - 1e-12 * (1.0 + abs(value))
        for _ in range(MOST_HALVINGS):
            tried[:] = beta + step
            value = evaluate_resample(held, efron, tried, gradient, information)
            if value >= lowest and np.isfinite(information).all():
                break
            step *= 0.5
        beta[:] = tried
    return False, 0.0


@jit
def fit_resamples(
    layout: Layout, weights: IntArray,
    coef: FloatArray, at_start: FloatArray, information: FloatArray, fallen: FloatArray,
) -> None:  # fmt: skip
    """The model of each resample, sought from `coef`; `fallen` is NaN where Newton's method did not end."""
    p, k, m = layout.x.shape[0], layout.x.shape[1], len(layout.tied)
    held, before, place = room_for(k, m, p, len(layout.entering)), np.empty(m, np.int64), np.empty(k, np.int64)
    for draw in range(len(weights)):
        take(layout, weights[draw], held, before, place)
        ended, share = newton(held, layout.efron, coef[draw], at_start[draw], information[draw])
        fallen[draw] = share if ended else np.nan


@jit
def hazards_of_resamples(layout: Layout, weights: IntArray, coef: FloatArray, hazard: FloatArray) -> None:
    """Each resample's cumulative hazard at the event times, into `hazard`; NaN where its coefficients are."""
    p, k, m = layout.x.shape[0], layout.x.shape[1], len(layout.tied)
    held, before, place = room_for(k, m, p, len(layout.entering)), np.empty(m, np.int64), np.empty(k, np.int64)
    for draw in range(len(weights)):
        hazard[draw] = np.nan
        if np.isfinite(coef[draw]).all():
            take(layout, weights[draw], held, before, place)
            set_risk(held, coef[draw])
            sum_at_risk(held)
            visit_times(held, layout.efron)
            hazard[draw] = 0.0
            for at in range(held.size[1]):
                hazard[draw, held.time[at]] = held.hazard[at]
            for at in range(1, m):
                hazard[draw, at] += 0.0 if layout.opens[at] else hazard[draw, at - 1]
