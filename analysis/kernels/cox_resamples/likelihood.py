"""The partial likelihoods of resamples and their maxima, as machine code; see `analysis.kernels.cox_resamples.fits`."""

from __future__ import annotations

import numpy as np

from analysis.arrays import FloatArray, IntArray
from analysis.kernels.compiled import dot, exponentiate, jit, natural_log
from analysis.kernels.cox_resamples import resample
from analysis.kernels.cox_resamples.resample import Layout, Resample
from analysis.kernels.tolerances import CONVERGED_RESAMPLE, SAME_LIKELIHOOD, SINGULAR

MOST_STEPS = 40
MOST_HALVINGS = 30


@jit
def set_risk(rows: Resample, beta: FloatArray) -> None:
    """Weight times exp(linear predictor) of each row."""
    n = rows.size[resample.N_ROWS]
    eta, risk, weight = rows.eta[:n], rows.risk[:n], rows.weight[:n]
    eta[:] = 0.0
    for j in range(len(beta)):
        column, coef = rows.x[j + 1][:n], beta[j]
        for i in range(n):
            eta[i] += coef * column[i]
    exponentiate(eta, rows.bits[:n], risk)
    for i in range(n):
        risk[i] *= weight[i]


@jit
def sum_at_risk(rows: Resample) -> None:
    """The risks, and the risks times the covariates, summed over those at risk at each event time, and over its events.

    Each event time's rows are summed by themselves, so that few additions wait for one another.
    """
    begin, end, risk = rows.begin, rows.end, rows.risk
    for a in range(0, len(rows.x), resample.AT_ONCE):
        x, x1, x2, x3 = rows.x[a], rows.x[a + 1], rows.x[a + 2], rows.x[a + 3]
        sums, tied = rows.sums[a : a + resample.AT_ONCE], rows.tied[a : a + resample.AT_ONCE]
        total, total1, total2, total3 = 0.0, 0.0, 0.0, 0.0
        for k in range(rows.size[resample.N_TIMES] - 1, -1, -1):
            own, own1, own2, own3 = 0.0, 0.0, 0.0, 0.0
            for i in range(begin[k], end[k]):
                own += risk[i] * x[i]
                own1 += risk[i] * x1[i]
                own2 += risk[i] * x2[i]
                own3 += risk[i] * x3[i]
            tied[0, k], tied[1, k], tied[2, k], tied[3, k] = own, own1, own2, own3
            for i in range(end[k], begin[k + 1]):
                own += risk[i] * x[i]
                own1 += risk[i] * x1[i]
                own2 += risk[i] * x2[i]
                own3 += risk[i] * x3[i]
            total, total1, total2, total3 = total + own, total1 + own1, total2 + own2, total3 + own3
            sums[0, k], sums[1, k], sums[2, k], sums[3, k] = total, total1, total2, total3
            if rows.opens[k]:
                total, total1, total2, total3 = 0.0, 0.0, 0.0, 0.0
    if rows.size[resample.N_LATE]:
        leave_late(rows)


@jit
def leave_late(rows: Resample) -> None:
    """Take off the sums what those rows hold that come under observation only after the event time."""
    for j in range(len(rows.means) + 1):
        index, left = rows.size[resample.N_LATE] - 1, 0.0
        for k in range(rows.size[resample.N_TIMES] - 1, -1, -1):
            while index >= 0 and rows.since[index] > k:
                left += rows.risk[rows.late[index]] * rows.x[j, rows.late[index]]
                index -= 1
            rows.sums[j, k] -= left
            if rows.opens[k]:
                left = 0.0


@jit
def visit_times(rows: Resample, efron: bool) -> tuple[float, int]:
    """The hazard's step at each event time, and the means over the risk sets as columns of `means`.

    Returns the sum of the logarithms of the risk sums, and how many columns there are.
    """
    m, n_ties, root, share, spread = (
        rows.size[resample.N_TIMES],
        rows.size[resample.N_TIES],
        rows.eta,
        rows.weighted,
        rows.spread,
    )
    total, n_tied, ties, logarithm, product = rows.sums[0][:m], rows.n_tied[:m], rows.ties, 0.0, 1.0
    for k in range(m):
        rows.hazard[k], rows.own[k] = n_tied[k] / total[k], 0.0
        root[k], share[k] = np.sqrt(n_tied[k]) / total[k], 0.0
    for k in range(m):
        product, logarithm = times(product, logarithm, total[k] if n_tied[k] == 1 else 1.0)
    for index in range(n_ties):
        k = ties[index]
        if efron:
            step, product, logarithm = tie(total[k], rows.tied[0, k], n_tied[k], product, logarithm)
            rows.hazard[k], rows.own[k] = step[0], step[1]
            root[k], share[k], spread[index] = factors(step)
        else:
            for _ in range(n_tied[k]):
                product, logarithm = times(product, logarithm, total[k])
    for j in range(len(rows.means)):
        mean, at_risk, tied = rows.means[j], rows.sums[j + 1], rows.tied[j + 1]
        for k in range(m):
            mean[k] = root[k] * (at_risk[k] - share[k] * tied[k])
        for index in range(n_ties if efron else 0):
            mean[m + index] = spread[index] * tied[ties[index]]
    return logarithm + natural_log(product), m + (n_ties if efron else 0)


@jit
def times(product: float, logarithm: float, factor: float) -> tuple[float, float]:
    """The product with one more factor, turned into a logarithm before it leaves the range of numbers."""
    product *= factor
    if 1e-100 < product < 1e100:
        return product, logarithm
    return 1.0, logarithm + natural_log(product)


@jit
def tie(
    total: float, tied: float, count: int, product: float, logarithm: float
) -> tuple[tuple[float, float, float, float, float], float, float]:
    """The events of one time, of which the j-th sees the risk sum s = total - f tied, f = j / count (Efron).

    Returns the sums of 1/s, f/s, 1/s^2, f/s^2 and f^2/s^2, and the logarithms of s, kept as a product while that is in
    range.
    """
    plain, own, plain2, own2, both2 = 0.0, 0.0, 0.0, 0.0, 0.0
    share = 1.0 / count
    for j in range(count):
        fraction = j * share
        risk = total - fraction * tied
        inverse = 1.0 / risk
        plain += inverse
        own += fraction * inverse
        plain2 += inverse * inverse
        own2 += fraction * inverse * inverse
        both2 += fraction * fraction * inverse * inverse
        product, logarithm = times(product, logarithm, risk)
    return (plain, own, plain2, own2, both2), product, logarithm


@jit
def factors(step: tuple[float, float, float, float, float], weight: float = 1.0) -> tuple[float, float, float]:
    """How to write the outer products of the covariates' means over the risk sets of one time's events as two columns.

    With S and D the covariate sums at risk and over the tie, the sum of (S - f D)(S - f D)' / s^2, times the events'
    weight, is u u' + v v', with u = root (S - share D), the share being the mean of f (weighted by 1/s^2), and
    v = spread D.
    """
    _, _, plain2, own2, both2 = step
    share = own2 / plain2
    return np.sqrt(weight * plain2), share, np.sqrt(weight * max(both2 - own2 * share, 0.0))


@jit
def expect(rows: Resample) -> None:
    """The events expected of each row, its risk times the hazard that it has seen, into `eta`."""
    seen, expected, risk = 0.0, rows.eta, rows.risk
    for k in range(rows.size[resample.N_TIMES]):
        seen = rows.hazard[k] + (0.0 if rows.opens[k] else seen)
        at_event = seen - rows.own[k]
        for i in range(rows.begin[k], rows.end[k]):
            expected[i] = risk[i] * at_event
        for i in range(rows.end[k], rows.begin[k + 1]):
            expected[i] = risk[i] * seen
        rows.hazard[k] = seen
    for index in range(rows.size[resample.N_LATE]):
        i = rows.late[index]
        expected[i] -= risk[i] * rows.hazard[rows.since[index] - 1]


@jit
def derivatives(rows: Resample, columns: int, gradient: FloatArray, information: FloatArray) -> None:
    """The gradient and the information, from the events expected and the means."""
    n = rows.size[resample.N_ROWS]
    expected, weighted = rows.eta[:n], rows.weighted[:n]
    for a in range(len(gradient)):
        x, mean = rows.x[a + 1][:n], rows.means[a][:columns]
        gradient[a] = rows.total[a] - dot(expected, x, rows.lanes)
        for i in range(n):
            weighted[i] = expected[i] * x[i]
        for b in range(a + 1):
            whole = dot(weighted, rows.x[b + 1][:n], rows.lanes)
            square = whole - dot(mean, rows.means[b][:columns], rows.lanes)
            if a == b and square <= SINGULAR * whole:
                square = 0.0
            information[a, b] = information[b, a] = square


@jit
def evaluate_resample(
    rows: Resample, efron: bool, beta: FloatArray, gradient: FloatArray, information: FloatArray
) -> float:
    """The log partial likelihood; its derivatives are put into `gradient` and `information`."""
    set_risk(rows, beta)
    sum_at_risk(rows)
    logarithm, columns = visit_times(rows, efron)
    value = -logarithm
    for j in range(len(beta)):
        value += beta[j] * rows.total[j]
    if np.isfinite(value):
        expect(rows)
        derivatives(rows, columns, gradient, information)
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
    rows: Resample, efron: bool, beta: FloatArray, at_start: FloatArray, information: FloatArray
) -> tuple[bool, float]:
    """Newton's method with step halving from `beta`, which is moved; whether it ended, and how far information fell.

    The second is the determinant of the information at the end over that at the start.
    """
    p = len(beta)
    gradient, step, tried, root = np.empty(p), np.empty(p), np.empty(p), np.empty((p, p))
    value = evaluate_resample(rows, efron, beta, gradient, information)
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
        if decrement < CONVERGED_RESAMPLE:
            beta += step
            return True, determinant / first
        lowest = value - SAME_LIKELIHOOD * (1.0 + abs(value))
        for _ in range(MOST_HALVINGS):
            tried[:] = beta + step
            value = evaluate_resample(rows, efron, tried, gradient, information)
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
    rows = resample.room_for(k, m, p, len(layout.entering))
    for draw in range(len(weights)):
        resample.take(layout, weights[draw], rows)
        ended, share = newton(rows, layout.efron, coef[draw], at_start[draw], information[draw])
        fallen[draw] = share if ended else np.nan


@jit
def hazards_of_resamples(layout: Layout, weights: IntArray, coef: FloatArray, hazard: FloatArray) -> None:
    """Each resample's cumulative hazard at the event times, into `hazard`; NaN where its coefficients are."""
    p, k, m = layout.x.shape[0], layout.x.shape[1], len(layout.tied)
    rows = resample.room_for(k, m, p, len(layout.entering))
    for draw in range(len(weights)):
        hazard[draw] = np.nan
        if np.isfinite(coef[draw]).all():
            resample.take(layout, weights[draw], rows)
            set_risk(rows, coef[draw])
            sum_at_risk(rows)
            visit_times(rows, layout.efron)
            hazard[draw] = 0.0
            for at in range(rows.size[resample.N_TIMES]):
                hazard[draw, rows.time[at]] = rows.hazard[at]
            for at in range(1, m):
                hazard[draw, at] += 0.0 if layout.opens[at] else hazard[draw, at - 1]
