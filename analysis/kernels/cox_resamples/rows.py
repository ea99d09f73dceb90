"""The rows that a resample holds at its event times, as compiled loops read them; see `cox_resamples.fits`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import jit

AT_ONCE = 4
"""Columns summed side by side: as many as there are additions on the way at any moment."""


class Layout(NamedTuple):
    """The rows of all resamples by stratum, last event time and event (first those that have it), and the event times.

    `rows` holds their places in the cohort, `x` their covariates (p, k), `first` the first event time they are at risk
    at. `starts` tells where the rows of each event time start, and the end; `tied` how many of them have the event;
    `opens` which event times are the first of their stratum; `entering` the places of the rows that come late, by
    `first`.
    """

    rows: IntArray
    x: FloatArray
    first: IntArray
    starts: IntArray
    tied: IntArray
    opens: BoolArray
    entering: IntArray
    efron: bool


class Resample(NamedTuple):
    """The rows that a resample holds at its event times, and room for what is computed from them.

    `size` is the number of rows, of event times, of late rows, and of event times with several events, `ties`. `x` is
    held column by column, after a column of ones, and filled up with zeros to a multiple of `AT_ONCE`; `weight` tells
    how often each row is held. The rows whose last event time is the k-th begin at ``begin[k]``, those with the event
    end before ``end[k]``; they are ``n_tied[k]`` events. `time` is the event time's place in the layout, `opens`
    whether it is the first of its stratum. `late` are rows that come late, by the first event time they are at risk at,
    `since`. `total` is the covariates' sum over the events. The rest is room.
    """

    size: IntArray
    row: IntArray
    x: FloatArray
    weight: FloatArray
    begin: IntArray
    end: IntArray
    n_tied: IntArray
    ties: IntArray
    time: IntArray
    opens: BoolArray
    late: IntArray
    since: IntArray
    total: FloatArray
    eta: FloatArray
    bits: IntArray
    risk: FloatArray
    weighted: FloatArray
    sums: FloatArray
    tied: FloatArray
    spread: FloatArray
    hazard: FloatArray
    own: FloatArray
    means: FloatArray
    lanes: FloatArray


@jit
def room_for(k: int, m: int, p: int, late: int) -> Resample:
    """Room for a resample of at most k rows, m event times, p covariates and some late rows."""
    width = (p + AT_ONCE) // AT_ONCE * AT_ONCE
    held = Resample(
        np.zeros(4, np.int64), np.empty(k + 1, np.int64), np.zeros((width, k)), np.empty(k + 1),
        np.empty(m + 1, np.int64), np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m, np.int64),
        np.empty(m, np.int64), np.empty(m, np.bool_), np.empty(late, np.int64), np.empty(late, np.int64), np.empty(p),
        np.empty(k), np.empty(k, np.int64), np.empty(k), np.empty(k), np.empty((width, m)), np.empty((width, m)),
        np.empty(m), np.empty(m), np.empty(m), np.empty((p, 2 * m)), np.empty((k + 2 * m) // 4 + 1),
    )  # fmt: skip
    held.x[0] = 1.0
    return held


@jit
def take(layout: Layout, weights: IntArray, held: Resample, before: IntArray, place: IntArray) -> None:
    """The rows with a weight that are at risk at an event of the resample; `before` and `place` are room to work in.

    An event time without events is none; who leaves between two event times was last at risk at the earlier one.
    """
    n, m, opened, held.size[3] = 0, 0, 0, 0
    for k in range(len(layout.tied)):
        start, events, end = layout.starts[k], layout.starts[k] + layout.tied[k], layout.starts[k + 1]
        if layout.opens[k]:
            opened = m
        before[k] = m
        held.begin[m], count = n, 0
        for i in range(start, events):
            weight = weights[layout.rows[i]]
            held.row[n], held.weight[n], place[i] = i, weight, n if weight else -1
            n += weight > 0
            count += weight
        if count:
            held.end[m], held.n_tied[m], held.time[m], held.opens[m] = n, count, k, m == opened
            held.ties[held.size[3]] = m
            held.size[3] += count > 1
            m += 1
        for i in range(events, end):
            weight = weights[layout.rows[i]]
            seen = (weight > 0) & (m > opened) & (before[layout.first[i]] < m)
            held.row[n], held.weight[n], place[i] = i, weight, n if seen else -1
            n += seen
    held.begin[m] = n
    held.size[0], held.size[1], held.size[2] = n, m, 0
    for j in range(len(layout.x)):
        column, own = layout.x[j], held.x[j + 1]
        for i in range(n):
            own[i] = column[held.row[i]]
    sum_events(held)
    if len(layout.entering):
        take_late(layout, held, before, place)


@jit
def take_late(layout: Layout, held: Resample, before: IntArray, place: IntArray) -> None:
    """The rows that come after the first event of their stratum."""
    found, opened, k = 0, 0, 0
    for entering in layout.entering:
        since = before[layout.first[entering]]
        while k < held.size[1] and k <= since:
            opened = k if held.opens[k] else opened
            k += 1
        if place[entering] >= 0 and since > opened:
            held.late[found], held.since[found] = place[entering], since
            found += 1
    held.size[2] = found


@jit
def sum_events(held: Resample) -> None:
    """The covariates of the events, summed."""
    for j in range(len(held.total)):
        x, total = held.x[j + 1], 0.0
        for k in range(held.size[1]):
            for i in range(held.begin[k], held.end[k]):
                total += held.weight[i] * x[i]
        held.total[j] = total
