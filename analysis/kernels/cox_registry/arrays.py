"""The Cox partial likelihood of many rows held in arrays, maximised from the maximum of a sample of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox import CoxSolution
from analysis.kernels.cox_registry.event_times import event_times, places_missed, tally_rows
from analysis.kernels.cox_registry.likelihood import ROUNDING, LargeProblem, LargeRows, climb_large, large_problem

SAMPLE = 25_000
"""Rows of the systematic sample whose maximum is the start."""
CROWDED = 16
"""With fewer rows than this at an event time, rows are put in order first: sums all over the memory cost more."""


class CoxArrays(NamedTuple):
    """Rows of a Cox model: `x` (n, p), the others (n,); None where all are alike (entry: from the start).

    With `replicates`, weights are whole numbers that say how often a row is there.
    """

    x: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray | None = None
    strata: IntArray | None = None
    weights: FloatArray | None = None
    ties: str = "efron"
    replicates: bool = False

    def some(self, rows: slice | IntArray) -> CoxArrays:
        """Some of the rows."""
        return self._replace(
            x=self.x[rows],
            time=self.time[rows],
            event=self.event[rows],
            entry=None if self.entry is None else self.entry[rows],
            strata=None if self.strata is None else self.strata[rows],
            weights=None if self.weights is None else self.weights[rows],
        )

    def followed_by(self, other: CoxArrays) -> CoxArrays:
        """These rows and others that know the same of them."""

        def both(one: Any, two: Any) -> Any:  # noqa: ANN401
            """One after the other, or None."""
            return None if one is None else np.concatenate([one, two])

        return self._replace(
            x=both(self.x, other.x),
            time=both(self.time, other.time),
            event=both(self.event, other.event),
            entry=both(self.entry, other.entry),
            strata=both(self.strata, other.strata),
            weights=both(self.weights, other.weights),
        )


def fit_large(arrays: CoxArrays) -> tuple[LargeProblem, CoxSolution]:
    """Maximise the partial likelihood of many rows.

    Newton's method from the maximum of a systematic sample, which saves two passes or three over all rows.

    Parameters
    ----------
    arrays : CoxArrays

    Returns
    -------
    problem : LargeProblem
    solution : CoxSolution
        `weak` when coefficients may be running off to infinity, or nobody can be compared.

    Examples
    --------
    >>> x, time = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([3.0, 1.0, 4.0, 2.0])
    >>> problem, solution = fit_large(CoxArrays(x, time, np.ones(4, dtype=bool)))
    >>> round(float(np.exp(solution.point.beta / problem.scale)[0]), 6)  # by hand: (sqrt(5) - 1) / 2
    0.618034
    """
    n, p = arrays.x.shape
    step = max(1, n // SAMPLE)
    sample = arrays.some(np.arange(0, n, step)) if step > 1 else arrays
    centre, scale = _spread(arrays, sample)
    start = sample_start(sample, centre, scale) if step > 1 else np.zeros(p)
    problem = large_problem(arrays_rows(arrays, centre, scale), start)
    return problem, climb_large(problem)


def sample_start(sample: CoxArrays, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """The coefficients of a sample's scaled covariates; zeros where it has no maximum."""
    zeros = np.zeros(sample.x.shape[1])
    if not sample.event.any():
        return zeros
    found = climb_large(large_problem(arrays_rows(sample, centre, scale), zeros))
    return zeros if found.weak else found.point.beta


def arrays_rows(arrays: CoxArrays, centre: FloatArray, scale: FloatArray) -> LargeRows:
    """Rows in memory: one chunk."""
    from analysis.kernels.cox_registry.tiles import Rows

    tally, key = tally_rows(arrays.time, arrays.event, strata=arrays.strata, weights=arrays.weights)
    events, place = event_times(tally, replicates=arrays.replicates)
    cell = (2 * place)[key]
    cell += arrays.event
    if CROWDED * len(events.times) > len(cell):
        order = np.argsort(cell, kind="stable")
        arrays, cell = arrays.some(order), cell[order]
    nothing, nowhere = np.empty(0), np.empty(0, dtype=np.int64)
    late = arrays.entry is not None and not np.isneginf(arrays.entry).all()
    rows = Rows(
        x=arrays.x.T,
        cell=cell,
        missed=places_missed(events, arrays.entry, arrays.strata) if late and arrays.entry is not None else nowhere,
        weight=nothing if arrays.weights is None else arrays.weights,
        stratum=nowhere if arrays.strata is None or len(centre) == 1 else arrays.strata,
    )
    return LargeRows(lambda: (rows,), events, centre, scale, arrays.ties == "efron")


def _spread(arrays: CoxArrays, sample: CoxArrays) -> tuple[FloatArray, FloatArray]:
    """Means by stratum and standard deviations within strata: of the sample, and of all rows where it has none."""
    n_strata = 1 if arrays.strata is None else int(arrays.strata.max()) + 1
    centre, scale = moments_within(sample.x, sample.strata, n_strata)
    flat = np.isinf(scale)
    if flat.any():
        centre[:, flat], scale[flat] = moments_within(arrays.x[:, flat], arrays.strata, n_strata)
    return centre, scale


def moments_within(x: FloatArray, strata: IntArray | None, n_strata: int) -> tuple[FloatArray, FloatArray]:
    """Means by stratum (of all rows for one without rows) and standard deviations, infinite for constant columns.

    Shapes (n_strata, p) and (p,), of covariates of shape (n, p).
    """
    codes = np.zeros(len(x), dtype=np.int64) if strata is None else strata
    size = np.bincount(codes, minlength=n_strata)
    centre = np.empty((n_strata, x.shape[1]))
    scale = np.empty(x.shape[1])
    for j, column in enumerate(x.T):
        sums = np.bincount(codes, column, n_strata)
        centre[:, j] = np.where(size > 0, sums / np.maximum(size, 1), column.mean())
        scale[j] = np.sqrt(np.mean((column - centre[codes, j]) ** 2))
    scale[scale <= ROUNDING * np.abs(centre).max(axis=0)] = np.inf
    return centre, scale
