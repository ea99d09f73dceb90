"""The Cox partial likelihood of many rows, in passes that read each row and keep nothing of it but sums.

Rows are neither sorted nor copied: the times are ranked once, a pass adds each row's risk and its covariates times that
to the sums of its event time, and a second pass, which knows the hazards, adds the events expected. The rows may come
in chunks, of which one at a time is in memory; beside it stand p + 1 sums an event time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.cox import CoxPoint, CoxSolution, fades, maximise
from analysis.kernels.times import dense_rank
from analysis.kernels.tolerances import CONSTANT_COLUMN, NO_OTHER, SETTLED

if TYPE_CHECKING:
    from analysis.kernels.cox_tiles import Rows

SAMPLE = 25_000
"""Rows of the systematic sample whose maximum is the start."""
CROWDED = 16
"""With fewer rows than this at an event time, rows are put in order first: sums all over the memory cost more."""


@dataclass(frozen=True, eq=False)
class Tally:
    """What happens at each distinct time of each stratum, in order.

    Attributes
    ----------
    stratum, time : ndarray, shape (k,)
    n_event : ndarray, shape (k,)
        Rows with an event.
    event_weight : ndarray, shape (k,)
        Their weights, added up.
    """

    stratum: IntArray
    time: FloatArray
    n_event: FloatArray
    event_weight: FloatArray


@dataclass(frozen=True, eq=False)
class EventTimes:
    """The event times of a cohort, stratum after stratum.

    Attributes
    ----------
    times, stratum : ndarray, shape (m,)
    opens : ndarray of bool, shape (m,)
        Which are the first of their stratum.
    n_tied : ndarray of int, shape (m,)
        Events; of replicated rows, as often as they are replicated.
    event_weight : ndarray, shape (m,)
        The mean weight of an event; of replicated rows 1.
    """

    times: FloatArray
    stratum: IntArray
    opens: BoolArray
    n_tied: IntArray
    event_weight: FloatArray


def tally_rows(
    time: FloatArray, event: BoolArray, *, strata: IntArray | None = None, weights: FloatArray | None = None
) -> tuple[Tally, IntArray]:
    """Count the events of each stratum and time.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Near-ties merged.
    event : ndarray of bool, shape (n,)
    strata : ndarray of int, shape (n,), optional
    weights : ndarray, shape (n,), optional

    Returns
    -------
    tally : Tally
    key : ndarray of int, shape (n,)
        Each row's position in it.

    Examples
    --------
    >>> tally, key = tally_rows(np.array([5.0, 2.0, 5.0]), np.array([True, False, True]))
    >>> tally.time.tolist(), tally.n_event.tolist(), key.tolist()
    ([2.0, 5.0], [0.0, 2.0], [1, 0, 1])
    """
    distinct, key = dense_rank(time)
    stratum, position = np.zeros(len(distinct), dtype=np.int64), np.arange(len(distinct))
    if strata is not None and strata.any():
        pairs, key = dense_rank(strata * len(distinct) + key)
        stratum, position = np.divmod(pairs.astype(np.int64), len(distinct))
    n_event = np.asarray(np.bincount(key, event, len(position)), dtype=np.float64)
    weight = n_event if weights is None else np.asarray(np.bincount(key, event * weights, len(position)), np.float64)
    return Tally(stratum, np.asarray(distinct[position], dtype=np.float64), n_event, weight), key


def add_tallies(tallies: Sequence[Tally]) -> Tally:
    """The tally of the rows of several tallies together."""
    time = np.concatenate([tally.time for tally in tallies])
    stratum = np.concatenate([tally.stratum for tally in tallies])
    n_event: FloatArray = np.concatenate([tally.n_event for tally in tallies])
    weight: FloatArray = np.concatenate([tally.event_weight for tally in tallies])
    order = np.lexsort((time, stratum))
    time, stratum = time[order], stratum[order]
    starts = np.flatnonzero(np.r_[True, (time[1:] != time[:-1]) | (stratum[1:] != stratum[:-1])])
    return Tally(
        stratum[starts], time[starts], np.add.reduceat(n_event[order], starts), np.add.reduceat(weight[order], starts)
    )


def event_times(tally: Tally, *, replicates: bool = False) -> tuple[EventTimes, IntArray]:
    """The times with events, and for each position of the tally the last of them at or before it.

    Parameters
    ----------
    tally : Tally
    replicates : bool
        Weights are whole numbers that say how often a row is there.

    Returns
    -------
    events : EventTimes
    position : ndarray of int, shape (k,)
        Positions count from 1; 0: none, within the stratum.

    Examples
    --------
    >>> tally, _ = tally_rows(np.array([5.0, 2.0, 7.0]), np.array([True, False, False]))
    >>> event_times(tally)[1].tolist()
    [0, 1, 1]
    """
    with_event = tally.n_event > 0
    n_tied = np.rint((tally.event_weight if replicates else tally.n_event)[with_event]).astype(np.int64)
    stratum = tally.stratum[with_event]
    events = EventTimes(
        times=tally.time[with_event],
        stratum=stratum,
        opens=np.diff(stratum, prepend=-1) > 0,
        n_tied=n_tied,
        event_weight=tally.event_weight[with_event] / n_tied,
    )
    position = np.asarray(np.cumsum(with_event), dtype=np.int64)
    position[position == np.searchsorted(stratum, tally.stratum)] = 0
    return events, position


def positions_in(tally: Tally, part: Tally) -> IntArray:
    """Where each time and stratum of a part stands in the tally of the whole."""
    distinct = np.unique(tally.time)
    whole, own = (each.stratum * len(distinct) + np.searchsorted(distinct, each.time) for each in (tally, part))
    return np.searchsorted(whole, own)


def positions_missed(events: EventTimes, entry: FloatArray, strata: IntArray | None = None) -> IntArray:
    """The position of the last event time at or before each row's entry, in its stratum; 0: it misses none.

    Examples
    --------
    >>> events, _ = event_times(tally_rows(np.array([2.0, 5.0]), np.array([True, True]))[0])
    >>> positions_missed(events, np.array([-np.inf, 2.0, 4.0, 9.0])).tolist()
    [0, 1, 1, 2]
    """
    codes = np.zeros(len(entry), dtype=np.int64) if strata is None else strata
    distinct = np.unique(events.times)
    whole = events.stratum * (len(distinct) + 1) + np.searchsorted(distinct, events.times, side="right")
    own = codes * (len(distinct) + 1) + np.searchsorted(distinct, entry, side="right")
    missed = np.searchsorted(whole, own, side="right")
    missed[missed == np.searchsorted(events.stratum, codes)] = 0
    return missed


@dataclass(frozen=True, eq=False)
class LargeRows:
    """Rows that come in chunks, and what is known of them.

    Attributes
    ----------
    chunks : callable
        Gives the rows anew, chunk after chunk, whenever it is called.
    events : EventTimes
    centre : ndarray, shape (s, p)
        Taken off the covariates, by stratum; the likelihood does not see it.
    scale : ndarray, shape (p,)
        What they are divided by; infinite for a constant column.
    efron : bool
    """

    chunks: Callable[[], Iterable[Rows]]
    events: EventTimes
    centre: FloatArray
    scale: FloatArray
    efron: bool


@dataclass(frozen=True, eq=False)
class LargeProblem:
    """A partial likelihood, evaluated at coefficients zero and at a start.

    Attributes
    ----------
    rows : LargeRows
    observed : ndarray, shape (p,)
        Weighted sum of the centred and scaled covariates of the events.
    null, begin : CoxPoint
        At coefficients zero, and at the start.
    compared : bool
        Whether at some event somebody is at risk who has none.
    """

    rows: LargeRows
    observed: FloatArray
    null: CoxPoint
    begin: CoxPoint
    compared: bool

    @property
    def scale(self) -> FloatArray:
        """What the covariates are divided by."""
        return self.rows.scale

    @property
    def events(self) -> EventTimes:
        """The event times."""
        return self.rows.events


def large_problem(rows: LargeRows, start: FloatArray) -> LargeProblem:
    """A partial likelihood with its values at coefficients zero and `start`, of the scaled covariates, in two passes.

    Parameters
    ----------
    rows : LargeRows
    start : ndarray, shape (p,)

    Returns
    -------
    LargeProblem
    """
    betas = np.array([np.zeros(len(start)), start][: 1 + start.any()])
    sums, entries = _risk_sums(rows, betas)
    observed = sums[0, 1::2, :-1].sum(axis=0)
    points = _points(rows, betas, observed, sums, entries)
    compared = bool((_at_risk(rows.events, sums[0], entries[0]) > sums[0, 3::2, -1] * (1 + NO_OTHER)).any())
    return LargeProblem(rows, observed, points[0], points[-1], compared)


def _at_risk(events: EventTimes, sums: FloatArray, entries: FloatArray) -> FloatArray:
    """The weight at risk at each event time."""
    weight = sums[2::2, -1] + sums[3::2, -1] - (entries[1:, -1] if len(entries) else 0.0)
    later = np.append(np.cumsum(weight[::-1])[::-1], 0.0)
    bounds = np.append(np.flatnonzero(events.opens), len(weight))
    return np.asarray(later[:-1] - np.repeat(later[bounds[1:]], np.diff(bounds)), dtype=np.float64)


def evaluate_large(problem: LargeProblem, beta: FloatArray) -> CoxPoint:
    """The log partial likelihood at coefficients of the scaled covariates, with its derivatives, in two passes."""
    betas = beta[None]
    return _points(problem.rows, betas, problem.observed, *_risk_sums(problem.rows, betas))[0]


def _risk_sums(rows: LargeRows, betas: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first pass: risks times covariates, and risks, summed by cell, and by the event time missed."""
    from analysis.kernels.cox_tiles import add_risks

    k, p = betas.shape
    m = len(rows.events.times)
    sums, entries = np.zeros((k, 2 * m + 2, p + 1)), np.zeros((k, 0, p + 1))
    for chunk in rows.chunks():
        if len(chunk.missed) and not entries.size:
            entries = np.zeros((k, m + 1, p + 1))
        add_risks(chunk, rows.centre, 1 / rows.scale, betas, sums, entries)
    return sums, entries


def _points(
    rows: LargeRows, betas: FloatArray, observed: FloatArray, sums: FloatArray, entries: FloatArray
) -> list[CoxPoint]:
    """The second pass."""
    from analysis.kernels.cox_tiles import add_expected, visit_event_times

    k, p = betas.shape
    events, m = rows.events, len(rows.events.times)
    seen, before = np.zeros((k, 2 * m + 2)), np.zeros((k, m + 1))
    expected, information = np.zeros((k, p)), np.zeros((k, p, p))
    logarithms = [
        visit_event_times(
            sums[one], entries[one], events.opens, events.n_tied, events.event_weight, rows.efron,
            seen[one], before[one], information[one],
        )
        for one in range(k)
    ]  # fmt: skip
    for chunk in rows.chunks():
        add_expected(chunk, rows.centre, 1 / rows.scale, betas, seen, before, expected, information)
    return [
        CoxPoint(beta, float(observed @ beta - logarithm), observed - had, half + np.tril(half, -1).T)
        for beta, logarithm, had, half in zip(betas, logarithms, expected, information, strict=True)
    ]


def maximise_large(problem: LargeProblem) -> CoxSolution:
    """The maximum, from the problem's start; `weak` when coefficients may be running off.

    Parameters
    ----------
    problem : LargeProblem

    Returns
    -------
    CoxSolution
    """
    unit = float(problem.events.event_weight.mean())
    solution = maximise(
        lambda beta: evaluate_large(problem, beta), problem.begin, watch=False, max_steps=25, unit=unit, settled=SETTLED
    )
    weak = not solution.converged or fades(solution.point.information, problem.null.information)
    return CoxSolution(solution.point, solution.converged, weak, solution.n_steps)


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
        return self._replace(**{name: values[rows] for name, values in self.columns().items()})

    def followed_by(self, other: CoxArrays) -> CoxArrays:
        """These rows and others that know the same of them."""
        both: dict[str, Any] = {
            name: np.concatenate([values, getattr(other, name)]) for name, values in self.columns().items()
        }
        return self._replace(**both)

    def columns(self) -> dict[str, Any]:
        """The arrays that are there."""
        names = ("x", "time", "event", "entry", "strata", "weights")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


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
    return problem, maximise_large(problem)


def sample_start(sample: CoxArrays, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """The coefficients of a sample's scaled covariates; zeros where it has no maximum."""
    zeros = np.zeros(sample.x.shape[1])
    if not sample.event.any():
        return zeros
    solution = maximise_large(large_problem(arrays_rows(sample, centre, scale), zeros))
    return zeros if solution.weak else solution.point.beta


def arrays_rows(arrays: CoxArrays, centre: FloatArray, scale: FloatArray) -> LargeRows:
    """Rows in memory: one chunk."""
    from analysis.kernels.cox_tiles import Rows

    tally, key = tally_rows(arrays.time, arrays.event, strata=arrays.strata, weights=arrays.weights)
    events, position = event_times(tally, replicates=arrays.replicates)
    cell = (2 * position)[key]
    cell += arrays.event
    if CROWDED * len(events.times) > len(cell):
        order = np.argsort(cell, kind="stable")
        arrays, cell = arrays.some(order), cell[order]
    nothing, nowhere = np.empty(0), np.empty(0, dtype=np.int64)
    late = arrays.entry is not None and not np.isneginf(arrays.entry).all()
    rows = Rows(
        x=arrays.x.T,
        cell=cell,
        missed=positions_missed(events, arrays.entry, arrays.strata) if late and arrays.entry is not None else nowhere,
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
    scale[scale <= CONSTANT_COLUMN * np.abs(centre).max(axis=0)] = np.inf
    return centre, scale
