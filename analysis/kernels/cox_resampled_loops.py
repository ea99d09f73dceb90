"""The partial likelihood of a resample, as machine code; see `analysis.kernels.cox_resampled`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.kernels.compiled import jit, jit_sums
from analysis.kernels.cox_risk_sets import BoolArray, IntArray
from analysis.kernels.times import FloatArray

SINGULAR = 1e-12
"""A column that keeps this little of its variance, given what it is set beside, has none."""


class Layout(NamedTuple):
    """The rows of all resamples by stratum, last event time and event (first those that have it), and the event times.

    `rows` holds their places in the cohort, `x` their covariates (k, p), `first` and `last` the event times they are
    at risk at. `strata` tells where each stratum starts in the rows, and the end; `starts` and `tied` where those of
    each event time start, and how many of them have the event; `opens` which event times are the first of their
    stratum; `entering` the places of the rows that come late, by `first`.
    """

    rows: IntArray
    x: FloatArray
    first: IntArray
    last: IntArray
    strata: IntArray
    starts: IntArray
    tied: IntArray
    opens: BoolArray
    entering: IntArray
    efron: bool


class Resample(NamedTuple):
    """The rows that a resample holds, how often, and room for what is computed from them.

    `x` is held column by column (p, k); `place` is where each row of the layout is, or would be; those of the event
    time k begin at `begin[k]`, and those with the event end before `end[k]`.
    """

    x: FloatArray
    weight: FloatArray
    last: IntArray
    place: IntArray
    begin: IntArray
    end: IntArray
    eta: FloatArray
    risk: FloatArray
    sums: FloatArray
    residual: FloatArray
    expected: FloatArray
    hazard: FloatArray
    own: FloatArray
    means: FloatArray
    left: FloatArray
    tied: FloatArray


@jit
def room_for(layout: Layout) -> Resample:
    """Arrays of the right sizes, filled anew by each resample."""
    k, p = layout.x.shape
    m = len(layout.starts)
    return Resample(
        np.empty((p, k)), np.empty(k), np.empty(k, np.int64), np.empty(k + 1, np.int64),
        np.empty(m, np.int64), np.empty(m, np.int64),
        np.empty(k), np.empty(k), np.empty((k, p + 1)), np.empty(k), np.empty(k),
        np.empty(m), np.empty(m), np.empty((p, 2 * m)), np.empty(p + 1), np.empty(p + 1),
    )  # fmt: skip


@jit
def take(layout: Layout, weights: IntArray, held: Resample) -> int:
    """The rows with a weight, in order; returns how many they are."""
    n, p = 0, layout.x.shape[1]
    for i in range(len(layout.rows)):
        weight = weights[layout.rows[i]]
        held.place[i] = n
        held.weight[n] = weight
        held.last[n] = layout.last[i]
        for j in range(p):
            held.x[j, n] = layout.x[i, j]
        n += weight > 0
    held.place[len(layout.rows)] = n
    for k in range(len(layout.starts)):
        held.begin[k] = held.place[layout.starts[k]]
        held.end[k] = held.place[layout.starts[k] + layout.tied[k]]
    return n


@jit
def set_risk(held: Resample, n: int, beta: FloatArray) -> None:
    """Weight times exp(linear predictor) of each row."""
    eta = held.eta[:n]
    eta[:] = 0.0
    for j in range(len(beta)):
        column, coef = held.x[j][:n], beta[j]
        for i in range(n):
            eta[i] += coef * column[i]
    for i in range(n):
        held.risk[i] = held.weight[i] * np.exp(eta[i])


@jit
def sum_at_risk(layout: Layout, held: Resample) -> None:
    """The risks, and the risks times the covariates, summed from each row to the end of its stratum."""
    p = layout.x.shape[1]
    for s in range(len(layout.strata) - 1):
        start, end = held.place[layout.strata[s]], held.place[layout.strata[s + 1]]
        for i in range(end - 1, start - 1, -1):
            risk = held.risk[i]
            held.sums[i, 0] = risk + (held.sums[i + 1, 0] if i + 1 < end else 0.0)
            for j in range(p):
                held.sums[i, j + 1] = risk * held.x[j, i] + (held.sums[i + 1, j + 1] if i + 1 < end else 0.0)


@jit
def visit_times(layout: Layout, held: Resample) -> tuple[float, int]:
    """From the last event time to the first: hazard steps, and the means over the risk sets as columns of `means`.

    Returns the sum of the logarithms of the risk sums, and how many columns there are.
    """
    late, columns = len(layout.entering) - 1, 0
    logarithm, product = 0.0, 1.0
    held.left[:] = 0.0
    for k in range(len(layout.starts) - 1, -1, -1):
        late = leave(layout, held, late, k)
        begin, end = held.begin[k], held.end[k]
        held.hazard[k] = held.own[k] = 0.0
        count = sum_weights(held, begin, end)
        if count == 1 or (count > 1 and not layout.efron):
            total = held.sums[begin, 0] - held.left[0]
            held.hazard[k] = count / total
            for _ in range(count):
                product, logarithm = times(product, logarithm, total)
            put_mean(held, begin, columns, (1.0 if count == 1 else np.sqrt(count)) / total)
            columns += 1
        elif count > 1:
            sum_tied(held, begin, end)
            total = held.sums[begin, 0] - held.left[0]
            step, product, logarithm = tie(total, held.tied[0], count, product, logarithm)
            held.hazard[k], held.own[k] = step[0], step[1]
            columns = put_means(held, begin, columns, step)
        if layout.opens[k]:
            held.left[:] = 0.0
    return logarithm + np.log(product), columns


@jit
def leave(layout: Layout, held: Resample, late: int, k: int) -> int:
    """Add to `left` what the rows hold that come under observation only after the event time; returns who is next."""
    while late >= 0 and layout.first[layout.entering[late]] > k:
        i = held.place[layout.entering[late]]
        if held.place[layout.entering[late] + 1] > i:
            held.left[0] += held.risk[i]
            for j in range(len(held.left) - 1):
                held.left[j + 1] += held.risk[i] * held.x[j, i]
        late -= 1
    return late


@jit
def sum_weights(held: Resample, begin: int, end: int) -> int:
    """How many events some rows stand for."""
    total = 0.0
    for i in range(begin, end):
        total += held.weight[i]
    return int(total)


@jit
def sum_tied(held: Resample, begin: int, end: int) -> None:
    """The risks, and the risks times the covariates, summed over the events of one time."""
    held.tied[:] = 0.0
    for i in range(begin, end):
        held.tied[0] += held.risk[i]
        for j in range(len(held.tied) - 1):
            held.tied[j + 1] += held.risk[i] * held.x[j, i]


@jit
def times(product: float, logarithm: float, factor: float) -> tuple[float, float]:
    """The product with one more factor, turned into a logarithm before it leaves the range of numbers."""
    product *= factor
    if 1e-100 < product < 1e100:
        return product, logarithm
    return 1.0, logarithm + np.log(product)


@jit
def put_mean(held: Resample, begin: int, column: int, inverse: float) -> None:
    """The covariates' means over the risk set of events that all see the same, times `inverse` and the risk sum."""
    for j in range(len(held.means)):
        held.means[j, column] = inverse * (held.sums[begin, j + 1] - held.left[j + 1])


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
def put_means(held: Resample, begin: int, columns: int, step: tuple[float, float, float, float, float]) -> int:
    """Columns whose outer products are those of the covariates' means over the risk sets of one time's events.

    With S and D the covariate sums at risk and over the tie, the sum of (S - f D)(S - f D)' / s^2 is u u' + v v', where
    u is S less the mean f (weighted by 1/s^2) times D, and v is D; each with its factor.
    """
    _, _, plain2, own2, both2 = step
    root, share = np.sqrt(plain2), own2 / plain2
    for j in range(len(held.means)):
        held.means[j, columns] = root * (held.sums[begin, j + 1] - held.left[j + 1] - share * held.tied[j + 1])
    if own2 == 0.0:
        return columns + 1
    spread = np.sqrt(max(both2 - own2 * share, 0.0))
    for j in range(len(held.means)):
        held.means[j, columns + 1] = spread * held.tied[j + 1]
    return columns + 2


@jit
def expect(layout: Layout, held: Resample, n: int) -> None:
    """The events expected of each row, its risk times the hazard that it has seen, and what is left of those it had."""
    seen = 0.0
    for k in range(len(layout.starts)):
        seen = held.hazard[k] + (0.0 if layout.opens[k] else seen)
        held.hazard[k] = seen
    for i in range(n):
        held.expected[i] = held.risk[i] * held.hazard[held.last[i]]
    for place in layout.entering:
        i = held.place[place]
        if held.place[place + 1] > i:
            held.expected[i] -= held.risk[i] * held.hazard[layout.first[place] - 1]
    for i in range(n):
        held.residual[i] = -held.expected[i]
    for k in range(len(layout.starts)):
        for i in range(held.begin[k], held.end[k]):
            held.expected[i] -= held.risk[i] * held.own[k]
            held.residual[i] = held.weight[i] - held.expected[i]


@jit
def observed(held: Resample) -> float:
    """The linear predictors of the events, summed."""
    total = 0.0
    for k in range(len(held.begin)):
        for i in range(held.begin[k], held.end[k]):
            total += held.weight[i] * held.eta[i]
    return total


@jit_sums
def derivatives(held: Resample, n: int, columns: int, gradient: FloatArray, information: FloatArray) -> None:
    """The gradient and the information, from the events expected and the means."""
    residual, expected = held.residual[:n], held.expected[:n]
    for a in range(len(gradient)):
        x, mean, total = held.x[a][:n], held.means[a][:columns], 0.0
        for i in range(n):
            total += residual[i] * x[i]
        gradient[a] = total
        for b in range(a + 1):
            other, other_mean, square = held.x[b][:n], held.means[b][:columns], 0.0
            for i in range(n):
                square += expected[i] * x[i] * other[i]
            whole = square
            for i in range(columns):
                square -= mean[i] * other_mean[i]
            if a == b and square <= SINGULAR * whole:
                square = 0.0
            information[a, b] = information[b, a] = square
