"""The Cox models of many resamples of the same rows, each given by how often each row is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox import CoxProblem, cox_problem, fades, fit_problem, risk_sets
from analysis.kernels.times import n_times_to
from analysis.kernels.tolerances import FALLEN

if TYPE_CHECKING:
    from analysis.kernels.cox_resamples.resample import Layout

START_DIGITS = 6
"""Decimals of the coefficients of scaled covariates that Newton's method starts from.

Their last bits come from matrix products and so from the processor; without them each resample's coefficients are the
same bits everywhere.
"""


def fit_weighted_batch(
    x: FloatArray,
    time: FloatArray,
    event: BoolArray,
    weights: IntArray,
    *,
    strata: IntArray | None = None,
    entry: FloatArray | None = None,
    start: FloatArray | None = None,
    ties: str = "efron",
) -> tuple[FloatArray, BoolArray]:
    """The coefficients of a Cox model in many resamples of its rows.

    Whole-number weights are replicates: each model equals, ties included, the one fitted to its rows written out. The
    rows are sorted once for all resamples, and Newton's method starts from the model of all rows.

    Parameters
    ----------
    x : ndarray, shape (n, p)
    time, entry : ndarray, shape (n,)
        Near-ties merged; an entry of -inf, or none given: at risk from the start.
    event : ndarray of bool, shape (n,)
    weights : ndarray of int, shape (b, n)
        How often each resample holds each row, zero for not at all.
    strata : ndarray of int, shape (n,), optional
    start : ndarray, shape (p,) or (b, p), optional
        Coefficients to start from, common or each resample's own; by default those of all rows.
    ties : {"efron", "breslow"}

    Returns
    -------
    coef : ndarray, shape (b, p)
        NaN where a resample has no maximum.
    converged : ndarray of bool, shape (b,)
        False where there is none: no events, a constant column, separation.

    Examples
    --------
    >>> x, time = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([3.0, 1.0, 4.0, 2.0])
    >>> weights = np.array([[1, 1, 1, 1], [2, 0, 0, 2]])  # the second holds nobody with x = 1
    >>> coef, converged = fit_weighted_batch(x, time, np.ones(4, dtype=bool), weights)
    >>> np.exp(coef).round(6).ravel().tolist(), converged.tolist()  # by hand: (sqrt(5) - 1) / 2
    ([0.618034, nan], [True, False])
    """
    n_draws, p = len(weights), x.shape[1]
    coef = np.full((n_draws, p), np.nan)
    if not event.any() or not n_draws or not p:
        return coef, np.zeros(n_draws, dtype=bool)
    from analysis.kernels.cox_resamples.likelihood import fit_resamples

    problem = cox_problem(x, risk_sets(time, event, entry=entry, strata=strata), ties=ties)
    begin = fit_problem(problem)[0] if start is None else start
    at_start, information = np.empty((n_draws, p, p)), np.empty((n_draws, p, p))
    fallen = np.empty(n_draws)
    coef[:] = np.round(np.where(np.isfinite(begin), begin, 0.0) * _known_scale(problem), START_DIGITS)
    counts = np.ascontiguousarray(weights, dtype=np.int64)
    fit_resamples(read_layout(problem, efron=ties == "efron"), counts, coef, at_start, information, fallen)
    converged = ~np.isnan(fallen)
    for draw in np.flatnonzero(converged & (fallen < FALLEN)):
        converged[draw] = not fades(information[draw], at_start[draw])
    coef[~converged] = np.nan
    return coef / problem.scale, converged


def fit_groupings(
    groups: IntArray,
    columns: FloatArray,
    x: FloatArray,
    time: FloatArray,
    event: BoolArray,
    *,
    strata: IntArray | None = None,
    entry: FloatArray | None = None,
) -> FloatArray:
    """The coefficients of a Cox model (ties by Efron) in many groupings of its rows, as under permutations of a marker.

    Each row is written out once for each group, and a grouping is a resample that holds it where it belongs: b g n
    whole numbers of 8 bytes at once, so many groupings are best given in batches (the multiverse gives 25).

    Parameters
    ----------
    groups : ndarray of int, shape (b, n)
        The group of each row, 0 to g - 1, in each grouping.
    columns : ndarray, shape (g, q)
        The covariates of a group's members.
    x : ndarray, shape (n, p)
        The covariates that all groupings share; p may be 0.
    time, event, strata, entry
        As for `fit_weighted_batch`.

    Returns
    -------
    ndarray, shape (b, q + p)
        NaN where a grouping has no maximum: separation, collinear or constant columns.

    Examples
    --------
    >>> groups, columns = np.array([[0, 1, 1, 0], [1, 0, 0, 1]]), np.array([[0.0], [1.0]])
    >>> time = np.array([3.0, 1.0, 4.0, 2.0])
    >>> coef = fit_groupings(groups, columns, np.empty((4, 0)), time, np.ones(4, dtype=bool))
    >>> np.exp(coef).round(6).ravel().tolist()  # by hand: (sqrt(5) -+ 1) / 2
    [0.618034, 1.618034]
    """
    g, n = len(columns), len(time)
    weights = np.concatenate([groups == group for group in range(g)], axis=1).astype(np.int64)
    coef, _ = fit_weighted_batch(
        np.column_stack([np.repeat(columns, n, axis=0), np.tile(x, (g, 1))]),
        np.tile(time, g),
        np.tile(event, g),
        weights,
        strata=None if strata is None else np.tile(strata, g),
        entry=None if entry is None else np.tile(entry, g),
    )
    return coef


def baseline_batch(
    x: FloatArray,
    time: FloatArray,
    event: BoolArray,
    weights: IntArray,
    coef: FloatArray,
    times: FloatArray,
    *,
    strata: IntArray | None = None,
    entry: FloatArray | None = None,
    ties: str = "efron",
) -> FloatArray:
    """The baseline cumulative hazards of many resamples' Cox models, at given times.

    As `analysis.baseline_hazard` of each resample written out: of somebody whose covariates are all zero, a
    right-continuous step function that is 0 before the first event and level after the last.

    Parameters
    ----------
    x, time, event, weights, strata, entry, ties
        As given to `fit_weighted_batch`.
    coef : ndarray, shape (b, p)
        As returned by it; a resample with NaN has NaN hazards.
    times : ndarray, shape (t,)

    Returns
    -------
    ndarray, shape (b, s, t)
        Strata in the order of their codes, 0 to the largest.

    Examples
    --------
    >>> x, time = np.zeros((3, 1)), np.array([1.0, 2.0, 3.0])
    >>> weights, times = np.array([[1, 1, 1], [2, 0, 1]]), np.array([0.5, 1.0, 9.0])
    >>> baseline_batch(x, time, np.array([True, False, True]), weights, np.zeros((2, 1)), times)[:, 0].round(6).tolist()
    [[0.0, 0.333333, 1.333333], [0.0, 0.833333, 1.833333]]
    """
    n_strata = 1 if strata is None else int(strata.max()) + 1
    hazards = np.zeros((len(weights), n_strata, len(times)))
    hazards[~np.isfinite(coef).all(axis=1)] = np.nan
    if not event.any() or not len(weights):
        return hazards
    from analysis.kernels.cox_resamples.likelihood import hazards_of_resamples

    sets = risk_sets(time, event, entry=entry, strata=strata)
    problem = cox_problem(x, sets, ties=ties)
    cumulative = np.empty((len(weights), len(sets.times)))
    counts = np.ascontiguousarray(weights, dtype=np.int64)
    scaled = np.ascontiguousarray(coef * _known_scale(problem))
    hazards_of_resamples(read_layout(problem, efron=ties == "efron"), counts, scaled, cumulative)
    for start, end, centre in zip(sets.strata[:-1], sets.strata[1:], problem.centre, strict=True):
        n_before = n_times_to(sets.times[start:end], times)
        reached = np.flatnonzero(n_before)
        steps = cumulative[:, start + n_before[reached] - 1] * np.exp(-(coef @ centre))[:, None]
        hazards[:, sets.stratum[start], reached] += steps
    return hazards


def _known_scale(problem: CoxProblem) -> FloatArray:
    """The scale of the covariates, zero for a constant one."""
    return np.where(np.isinf(problem.scale), 0.0, problem.scale)


def read_layout(problem: CoxProblem, *, efron: bool) -> Layout:
    """The risk sets as the compiled loops read them."""
    from analysis.kernels.cox_resamples.resample import Layout

    sets = problem.sets
    has_event = np.zeros(len(sets.rows), dtype=bool)
    has_event[sets.events] = True
    order = np.lexsort((~has_event, sets.last))
    position = np.argsort(order)
    opens = np.zeros(len(sets.times), dtype=bool)
    opens[sets.strata[:-1]] = True
    return Layout(
        rows=sets.rows[order], x=np.ascontiguousarray(problem.x[order].T), first=sets.first[order],
        starts=np.append(sets.starts, len(order)), tied=np.bincount(sets.at, minlength=len(sets.times)),
        opens=opens, entering=position[sets.entering], efron=efron,
    )  # fmt: skip
