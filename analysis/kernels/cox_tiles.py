"""Passes over many rows for a Cox model, as machine code: tiles of rows that stay in the fastest memory.

Both passes read each row once and keep nothing of it but what it adds to sums: the first to the risks at its event
time, the second to the events expected and to their products with the covariates. See `cox_registry`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.compiled import dot, exponentiate, jit, natural_log
from analysis.kernels.cox_resamples.likelihood import factors, tie

TILE = 256


class Rows(NamedTuple):
    """Rows of a Cox model.

    `x` holds the covariates (p, n), a row a covariate; `cell` is twice the position of the last event time at which a
    row is at risk (positions count from 1; 0: at risk at none), and one more when it has its event then; `missed` the
    position of the last event time before it comes under observation (empty: all come at the start); `weight` is empty
    when all weigh 1, and `stratum` when there is only one.
    """

    x: FloatArray
    cell: IntArray
    missed: IntArray
    weight: FloatArray
    stratum: IntArray


class Tile(NamedTuple):
    """Some rows, centred and scaled, column by column, and room for their risks and sums."""

    x: FloatArray
    bits: IntArray
    eta: FloatArray
    risk: FloatArray
    lanes: FloatArray


@jit
def new_tile(p: int) -> Tile:
    """Room for a tile."""
    return Tile(np.empty((p, TILE)), np.empty(TILE, np.int64), np.empty(TILE), np.empty(TILE), np.empty(TILE))


@jit
def load(rows: Rows, start: int, size: int, centre: FloatArray, factor: FloatArray, tile: Tile) -> None:
    """The covariates of some rows, less the centre of their stratum, times the factor of the column."""
    for j in range(len(factor)):
        column, scale = tile.x[j], factor[j]
        if len(rows.stratum):
            for i in range(size):
                column[i] = (rows.x[j, start + i] - centre[rows.stratum[start + i], j]) * scale
        else:
            middle = centre[0, j]
            for i in range(size):
                column[i] = (rows.x[j, start + i] - middle) * scale


@jit
def set_risks(rows: Rows, start: int, size: int, beta: FloatArray, tile: Tile) -> None:
    """Weight times exp(linear predictor) of the tile's rows."""
    if np.any(beta):
        tile.eta[:size] = 0.0
        for j in range(len(beta)):
            column, coef = tile.x[j], beta[j]
            for i in range(size):
                tile.eta[i] += coef * column[i]
        exponentiate(tile.eta[:size], tile.bits[:size], tile.risk[:size])
    else:
        tile.risk[:size] = 1.0
    if len(rows.weight):
        for i in range(size):
            tile.risk[i] *= rows.weight[start + i]


@jit
def add_risks(
    rows: Rows, centre: FloatArray, factor: FloatArray, betas: FloatArray, sums: FloatArray, entries: FloatArray
) -> None:
    """Each row's risk, and its risk times its covariates, added to the sums of its cell, and of the position it missed.

    For each of several coefficients (k, p), in one reading: `sums` is of shape (k, cells, p + 1), `entries`
    (k, positions, p + 1); the risk comes last, after the covariates.
    """
    p, n = rows.x.shape
    tile = new_tile(p)
    for start in range(0, n, TILE):
        size = min(TILE, n - start)
        load(rows, start, size, centre, factor, tile)
        for k in range(len(betas)):
            set_risks(rows, start, size, betas[k], tile)
            scatter(tile, size, rows.cell[start : start + size], sums[k])
            if len(rows.missed):
                scatter(tile, size, rows.missed[start : start + size], entries[k])


@jit
def scatter(tile: Tile, size: int, position: IntArray, sums: FloatArray) -> None:
    """The tile's risks, and risks times covariates, added up by position."""
    p = len(tile.x)
    for i in range(size):
        total, risk = sums[position[i]], tile.risk[i]
        for j in range(p):
            total[j] += risk * tile.x[j, i]
        total[p] += risk


@jit
def add_products(tile: Tile, size: int, gradient: FloatArray, information: FloatArray) -> None:
    """The covariates, and their products, times the events expected, which stand in `risk`; `eta` is overwritten."""
    expected, weighted = tile.risk[:size], tile.eta[:size]
    for a in range(len(gradient)):
        x = tile.x[a][:size]
        gradient[a] += dot(expected, x, tile.lanes)
        for i in range(size):
            weighted[i] = expected[i] * x[i]
        for b in range(a + 1):
            information[a, b] += dot(weighted, tile.x[b][:size], tile.lanes)


@jit
def add_expected(
    rows: Rows, centre: FloatArray, factor: FloatArray, betas: FloatArray,
    seen: FloatArray, before: FloatArray, gradients: FloatArray, informations: FloatArray,
) -> None:  # fmt: skip
    """The events expected of the rows, times the covariates and their products (lower triangle), added up.

    For each of several coefficients: `seen` (k, cells) is the hazard that a row of each cell has seen, `before`
    (k, positions) what of it came before a row's entry.
    """
    p, n = rows.x.shape
    tile = new_tile(p)
    for start in range(0, n, TILE):
        size = min(TILE, n - start)
        load(rows, start, size, centre, factor, tile)
        for k in range(len(betas)):
            set_risks(rows, start, size, betas[k], tile)
            for i in range(size):
                hazard = seen[k, rows.cell[start + i]]
                if len(rows.missed):
                    hazard -= before[k, rows.missed[start + i]]
                tile.risk[i] *= hazard
            add_products(tile, size, gradients[k], informations[k])


@jit
def put_column(
    tile: Tile, columns: int, at_risk: FloatArray, tied: FloatArray, weight: float,
    step: tuple[float, float, float, float, float],
) -> int:  # fmt: skip
    """The columns of `cox_resamples.likelihood.factors`, into a tile; returns how many it then holds."""
    root, share, spread = factors(step, weight)
    p = len(at_risk) - 1
    for j in range(p):
        tile.x[j, columns] = root * (at_risk[j] - share * tied[j])
    if step[3] == 0.0:  # no tie
        return columns + 1
    for j in range(p):
        tile.x[j, columns + 1] = spread * tied[j]
    return columns + 2


@jit
def visit_event_times(
    sums: FloatArray, entries: FloatArray, opens: BoolArray, n_tied: IntArray, event_weight: FloatArray, efron: bool,
    seen: FloatArray, before: FloatArray, information: FloatArray,
) -> float:  # fmt: skip
    """From the last event time to the first: the hazards, into `seen` and `before`, and the means' outer products.

    Returns the logarithms of the risk sums, times the events' weights, added up.
    """
    p, m = sums.shape[1] - 1, len(opens)
    at_risk, tile, no_gradient, columns = np.zeros(p + 1), new_tile(p), np.zeros(p), 0
    own, logarithms = np.zeros(m + 1), 0.0
    tile.risk[:] = -1.0
    for k in range(m, 0, -1):
        tied = sums[2 * k + 1]
        for j in range(p + 1):
            at_risk[j] += sums[2 * k, j] + tied[j] - (entries[k, j] if len(entries) else 0.0)
        weight = event_weight[k - 1]
        total, count = at_risk[p], n_tied[k - 1]
        if efron and count > 1:
            step, product, logarithm = tie(total, tied[p], count, 1.0, 0.0)
            logarithms += weight * (logarithm + natural_log(product))
        else:
            step = (count / total, 0.0, count / (total * total), 0.0, 0.0)
            logarithms += weight * count * natural_log(total)
        before[k], own[k] = weight * step[0], weight * step[1]
        columns = put_column(tile, columns, at_risk, tied, weight, step)
        if columns > TILE - 2 or k == 1:
            add_products(tile, columns, no_gradient, information)
            columns = 0
        if opens[k - 1]:
            at_risk[:] = 0.0
    for k in range(1, m + 1):
        before[k] += 0.0 if opens[k - 1] else before[k - 1]
        seen[2 * k], seen[2 * k + 1] = before[k], before[k] - own[k]
    return logarithms
