"""The coefficients of a Cox model in resamples of its rows, or of whole clusters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import BoolArray, FloatArray, IntArray
from analysis.kernels.cox.likelihood import cox_problem, fit_problem
from analysis.kernels.cox.residuals import score_residuals
from analysis.kernels.cox.risk_sets import risk_sets
from analysis.kernels.cox_resamples.fits import fit_weighted_batch
from analysis.kernels.resampling import times_drawn
from analysis.survival.cox.design import Design

BATCH, BATCH_CELLS = 100, 4_000_000
"""Resamples drawn and fitted together; fewer where resamples times rows would exceed the second."""
WORTH_SHARING = 200
"""Up to this many fits, sharing them out costs more than it saves."""


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """The rows of a model in an order that follows from what they hold, and what is drawn of them.

    Attributes
    ----------
    x : ndarray, shape (n, p)
    time, event, entry, strata : ndarray, shape (n,)
        `entry` and `strata` are None where there is no late entry, and one stratum.
    unit : ndarray of int, shape (n,)
        Rows of the same unit are drawn together.
    start : ndarray, shape (p,)
        The coefficients of all rows.
    influence : ndarray, shape (n, p)
        By how much a row moves them, to first order (dfbeta residuals): with it, each resample's are nearly known.
    ties : str
    """

    x: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray | None
    strata: IntArray | None
    unit: IntArray
    start: FloatArray
    influence: FloatArray
    ties: str


def drawn_rows(design: Design, *, ties: str, clustered: bool) -> DrawnRows:
    """The rows in canonical order, to be drawn one by one or by cluster."""
    data = design.data
    cluster = data.cluster.codes
    order = np.lexsort((*design.x.T, cluster, data.strata.codes, data.entry, data.event, data.time))
    x, time, event = np.ascontiguousarray(design.x[order]), data.time[order], data.event[order]
    entry = None if np.isneginf(data.entry).all() else data.entry[order]
    strata = data.strata.codes[order] if len(data.strata.labels) > 1 else None
    unit = cluster[order] if clustered else np.arange(len(order))
    problem = cox_problem(x, risk_sets(time, event, entry=entry, strata=strata), ties=ties)
    start, covariance, _ = fit_problem(problem)
    influence = (score_residuals(problem, start * problem.scale, len(x)) * problem.scale) @ covariance
    return DrawnRows(x, time, event, entry, strata, unit, start, influence, ties)


def resampled_coefficients(rows: DrawnRows, *, n_bootstrap: int, seed: int) -> FloatArray:
    """The coefficients in every resample.

    Each batch of resamples has a seed of its own, and its size depends on nothing but the number of rows.

    Returns
    -------
    ndarray, shape (n_bootstrap, p)
        NaN where a resample has no maximum.
    """
    bounds = batch_bounds(n_bootstrap, max(1, min(BATCH, BATCH_CELLS // len(rows.time))))
    streams = np.random.SeedSequence(seed).spawn(len(bounds))
    sizes = [end - first for first, end in bounds]
    batches = list(zip(streams, sizes, strict=True))
    share = n_bootstrap > WORTH_SHARING
    return np.concatenate(in_batches(partial(_batch, rows), batches, sizes=sizes, label="resamples", share=share))


def _batch(rows: DrawnRows, batch: tuple[np.random.SeedSequence, int]) -> FloatArray:
    """The coefficients in some resamples."""
    stream, n_draws = batch
    n_units = int(rows.unit.max()) + 1
    drawn = np.random.default_rng(stream).integers(0, n_units, size=(n_draws, n_units))
    weights = times_drawn(drawn, n_units)
    if n_units < len(rows.unit):
        weights = weights[:, rows.unit]
    # einsum, not a matrix product, whose last bits may change with the number of threads
    start = rows.start + np.einsum("bn,np->bp", weights - 1.0, rows.influence)
    return fit_weighted_batch(
        rows.x, rows.time, rows.event, weights, strata=rows.strata, entry=rows.entry, start=start, ties=rows.ties
    )[0]
