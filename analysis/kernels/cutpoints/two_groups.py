"""The hazard ratio of a high group against the others, for many groupings and resamples of the same rows at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray

MOST_CELLS = 2_000_000
"""Groupings times rows that are worked on at once."""
LARGE = 100_000
"""Above this many events, over all groupings, the compiled loop pays for importing numba."""


def grouped_log_hazard_ratios(
    time: FloatArray, event: BoolArray, high: BoolArray, counts: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """The log hazard ratio (Cox, Efron's ties) of a high group against the others, for many groupings.

    Parameters
    ----------
    time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    high : ndarray of bool, shape (r, n)
    counts : ndarray, shape (r, n), optional
        How often a resample holds each row (whole numbers); once by default.

    Returns
    -------
    coef, std_error : ndarray, shape (r,)
        NaN where the likelihood has no maximum.

    Notes
    -----
    ``coxph(Surv(time, event) ~ high)`` of R, r times.

    Examples
    --------
    >>> time, high = np.array([3.0, 1.0, 4.0, 2.0]), np.array([[False, True, True, False]])
    >>> coef, _ = grouped_log_hazard_ratios(time, np.ones(4, dtype=bool), high)
    >>> round(float(np.exp(coef[0])), 6)  # by hand: (sqrt(5) - 1) / 2
    0.618034
    """
    size = max(1, MOST_CELLS // len(time))
    place = np.searchsorted(np.unique(time[event]), time, side="right") - 1
    order = np.argsort(place, kind="stable")
    order = order[place[order] >= 0]
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    parts = []
    for first in range(0, len(high), size):
        some = slice(first, first + size)
        group = high[some][:, order].astype(np.float64)
        held = np.ones_like(group) if counts is None else counts[some][:, order]
        parts.append(_fitted(held, held * group, event[order], starts))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _fitted(
    everyone: FloatArray, high: FloatArray, event: BoolArray, starts: IntArray
) -> tuple[FloatArray, FloatArray]:
    """The coefficients of some groupings, from their rows in the order of the event times they live to see."""
    if not len(starts):
        return np.full(len(high), np.nan), np.full(len(high), np.nan)
    n_all, n_high = _at_risk(everyone, starts), _at_risk(high, starts)
    failed, high_failed = (np.add.reduceat(rows * event, starts, axis=1).ravel() for rows in (everyone, high))
    tied = failed.astype(np.int64)
    cell = np.repeat(np.arange(len(tied)), tied)
    before = np.arange(len(cell)) - np.repeat(np.cumsum(tied) - tied, tied)
    fraction = before / failed[cell]
    n_high_then = n_high[cell] - fraction * high_failed[cell]
    n_low_then = n_all[cell] - fraction * failed[cell] - n_high_then
    shape = everyone.shape[0], len(starts)
    return two_groups(n_low_then, n_high_then, tied.reshape(shape).sum(axis=1), high_failed.reshape(shape).sum(axis=1))


def _at_risk(rows: FloatArray, starts: IntArray) -> FloatArray:
    """Those who live to see each event time, grouping after grouping."""
    return np.cumsum(np.add.reduceat(rows, starts, axis=1)[:, ::-1], axis=1)[:, ::-1].ravel()


def two_groups(
    n_low: FloatArray, n_high: FloatArray, n_events: IntArray, events_high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The coefficients of indicators of a high group and their standard errors, by Newton's method on counts at risk.

    Parameters
    ----------
    n_low, n_high : ndarray, shape (sum of n_events,)
        Of either group at risk at each event, the events of one grouping after those of another; of a tie, those are
        taken off that failed before the event.
    n_events : ndarray of int, shape (k,)
    events_high : ndarray, shape (k,)

    Returns
    -------
    coef, std_error : ndarray, shape (k,)
        NaN where the likelihood has no maximum.
    """
    coef, std_error = np.full(len(n_events), np.nan), np.full(len(n_events), np.nan)
    owner = np.repeat(np.arange(len(n_events)), n_events)
    with_high = np.bincount(owner, n_high > 0, len(n_events))
    without_low = np.bincount(owner, n_low <= 0, len(n_events))
    finite = np.flatnonzero((events_high < with_high) & (events_high > without_low))
    if not len(finite):
        return coef, std_error
    if len(finite) < len(n_events):
        kept = np.isin(np.arange(len(n_events)), finite)[owner]
        n_low, n_high = n_low[kept], n_high[kept]
    observed = events_high[finite]
    sizes = n_events[finite]
    beta = np.zeros(len(finite))
    information = _loop(len(n_low))(n_low, n_high, sizes, observed, beta)
    coef[finite], std_error[finite] = beta, 1 / np.sqrt(information)
    return coef, std_error


def _loop(n_events: int) -> Callable[[FloatArray, FloatArray, IntArray, FloatArray, FloatArray], FloatArray]:
    """The way to all coefficients that is faster for so many events."""
    if n_events <= LARGE:
        return _newton
    from analysis.kernels.cutpoints.loops import newton_loop

    return newton_loop


def _newton(
    n_low: FloatArray, n_high: FloatArray, n_events: IntArray, observed: FloatArray, beta: FloatArray
) -> FloatArray:
    """All coefficients in step, `beta` changed in place; the information at the last step."""
    starts = np.cumsum(n_events) - n_events
    information, step = np.ones(len(beta)), np.ones(len(beta))
    for _ in range(60):
        if not (np.abs(step) > 1e-9).any():
            break
        risk = n_high * np.repeat(np.exp(beta), n_events)
        share = risk / (risk + n_low)
        expected = np.add.reduceat(share, starts)
        information = expected - np.add.reduceat(share * share, starts)
        step = np.clip((observed - expected) / information, -1.0, 1.0)
        beta += step
    return information
