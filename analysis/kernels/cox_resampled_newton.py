"""Newton's method over many resamples, as machine code; see `analysis.kernels.cox_resampled`."""

from __future__ import annotations

import numpy as np

from analysis.kernels.compiled import jit
from analysis.kernels.cox_newton import CONVERGED
from analysis.kernels.cox_resampled_loops import (
    SINGULAR,
    Layout,
    Resample,
    derivatives,
    expect,
    observed,
    room_for,
    set_risk,
    sum_at_risk,
    take,
    visit_times,
)
from analysis.kernels.cox_risk_sets import IntArray
from analysis.kernels.times import FloatArray

MOST_STEPS = 40
MOST_HALVINGS = 30


@jit
def evaluate_resample(
    layout: Layout, held: Resample, n: int, beta: FloatArray, gradient: FloatArray, information: FloatArray
) -> float:
    """The log partial likelihood; its derivatives are put into `gradient` and `information`."""
    set_risk(held, n, beta)
    sum_at_risk(layout, held)
    logarithm, columns = visit_times(layout, held)
    value: float = observed(held) - logarithm
    if np.isfinite(value):
        expect(layout, held, n)
        derivatives(held, n, columns, gradient, information)
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
    layout: Layout, held: Resample, n: int, beta: FloatArray, at_start: FloatArray, information: FloatArray
) -> tuple[bool, float]:
    """Newton's method with step halving from `beta`, which is moved; whether it ended, and how far information fell.

    The second is the determinant of the information at the end over that at the start.
    """
    p = len(beta)
    gradient, step, tried, root = np.empty(p), np.empty(p), np.empty(p), np.empty((p, p))
    value = evaluate_resample(layout, held, n, beta, gradient, information)
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
        if decrement < CONVERGED:
            beta += step
            return True, determinant / first
        lowest = value - 1e-12 * (1.0 + abs(value))
        for _ in range(MOST_HALVINGS):
            tried[:] = beta + step
            value = evaluate_resample(layout, held, n, tried, gradient, information)
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
    held = room_for(layout)
    for draw in range(len(weights)):
        n = take(layout, weights[draw], held)
        ended, share = newton(layout, held, n, coef[draw], at_start[draw], information[draw])
        fallen[draw] = share if ended else np.nan


@jit
def hazards_of_resamples(layout: Layout, weights: IntArray, coef: FloatArray, hazard: FloatArray) -> None:
    """Each resample's cumulative hazard at the event times, into `hazard`; NaN where its coefficients are."""
    held = room_for(layout)
    for draw in range(len(weights)):
        hazard[draw] = np.nan
        if np.isfinite(coef[draw]).all():
            set_risk(held, take(layout, weights[draw], held), coef[draw])
            sum_at_risk(layout, held)
            visit_times(layout, held)
            for k in range(len(layout.starts)):
                before = 0.0 if layout.opens[k] else hazard[draw, k - 1]
                hazard[draw, k] = before + held.hazard[k]
