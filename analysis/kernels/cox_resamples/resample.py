"""The rows that a resample holds at its event times, as compiled loops read them; see `cox_resamples.fits`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import jit

AT_ONCE = 4
"""Columns summed side by side: as many as there are additions on the way at any moment."""
N_ROWS, N_TIMES, N_LATE, N_TIES = 0, 1, 2, 3
"""What the elements of a resample's `size` are."""


class Layout(NamedTuple):
    """The rows of all resamples by stratum, last event time and event (first those that have it), and the event times.

    `rows` holds their indices in the cohort, `x` their covariates (p, k), `first` the first event time they are at risk
    at. `starts` tells where the rows of each event time start, and the end; `tied` how many of them have the event;
    `opens` which event times are the first of their stratum; `entering` the indices of the rows that come late, by
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
    stored column by column, after a column of ones, and filled up with zeros to a multiple of `AT_ONCE`; `weight` is
    how often each row is there. The rows whose last event time is the k-th begin at ``begin[k]``, those with the event
    end before ``end[k]``; they are ``n_tied[k]`` events. `time` is the event time's index in the layout, `opens`
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
    before: IntArray
    kept: IntArray


@jit
def room_for(k: int, m: int, p: int, late: int) -> Resample:
    """Room for a resample of at most k rows, m event times, p covariates and some late rows."""
    width = (p + AT_ONCE) // AT_ONCE * AT_ONCE
    rows = Resample(
        np.zeros(4, np.int64), np.empty(k + 1, np.int64), np.zeros((width, k)), np.empty(k + 1),
        np.empty(m + 1, np.int64), np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m, np.int64),
        np.empty(m, np.int64), np.empty(m, np.bool_), np.empty(late, np.int64), np.empty(late, np.int64), np.empty(p),
        np.empty(k), np.empty(k, np.int64), np.empty(k), np.empty(k), np.empty((width, m)), np.empty((width, m)),
        np.empty(m), np.empty(m), np.empty(m), np.empty((p, 2 * m)), np.empty((k + 2 * m) // 4 + 1),
        np.empty(m, np.int64), np.empty(k, np.int64),
    )  # fmt: skip
    rows.x[0] = 1.0
    return rows


@jit
def take(layout: Layout, weights: IntArray, rows: Resample) -> None:
    """The rows with a weight that are at risk at an event of the resample.

    An event time without events is none; who leaves between two event times was last at risk at the earlier one.
    """
    before, kept, n, m, opened, rows.size[N_TIES] = rows.before, rows.kept, 0, 0, 0, 0
    for k in range(len(layout.tied)):
        start, events, end = layout.starts[k], layout.starts[k] + layout.tied[k], layout.starts[k + 1]
        if layout.opens[k]:
            opened = m
        before[k] = m
        rows.begin[m], count = n, 0
        for i in range(start, events):
            weight = weights[layout.rows[i]]
            rows.row[n], rows.weight[n], kept[i] = i, weight, n if weight else -1
            n += weight > 0
            count += weight
        if count:
            rows.end[m], rows.n_tied[m], rows.time[m], rows.opens[m] = n, count, k, m == opened
            rows.ties[rows.size[N_TIES]] = m
            rows.size[N_TIES] += count > 1
            m += 1
        for i in range(events, end):
            weight = weights[layout.rows[i]]
            seen = (weight > 0) & (m > opened) & (before[layout.first[i]] < m)
            rows.row[n], rows.weight[n], kept[i] = i, weight, n if seen else -1
            n += seen
    rows.begin[m] = n
    rows.size[N_ROWS], rows.size[N_TIMES], rows.size[N_LATE] = n, m, 0
    for j in range(len(layout.x)):
        column, own = layout.x[j], rows.x[j + 1]
        for i in range(n):
            own[i] = column[rows.row[i]]
    sum_events(rows)
    if len(layout.entering):
        take_late(layout, rows)


@jit
def take_late(layout: Layout, rows: Resample) -> None:
    """The rows that come after the first event of their stratum."""
    n_late, opened, k = 0, 0, 0
    for entering in layout.entering:
        since = rows.before[layout.first[entering]]
        while k < rows.size[N_TIMES] and k <= since:
            opened = k if rows.opens[k] else opened
            k += 1
        if rows.kept[entering] >= 0 and since > opened:
            rows.late[n_late], rows.since[n_late] = rows.kept[entering], since
            n_late += 1
    rows.size[N_LATE] = n_late


@jit
def sum_events(rows: Resample) -> None:
    """The covariates of the events, summed."""
    for j in range(len(rows.total)):
        x, total = rows.x[j + 1], 0.0
        for k in range(rows.size[N_TIMES]):
            for i in range(rows.begin[k], rows.end[k]):
                total += rows.weight[i] * x[i]
        rows.total[j] = total
