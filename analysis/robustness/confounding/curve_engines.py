"""Adjusted curves on arrays: by standardisation and by weighting, for many resamples of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import NotEstimable, Separation
from analysis.kernels.cox import RiskSets, at_risk_sums, event_sums, fit_arrays, risk_sets
from analysis.kernels.cox_resamples import baseline_batch, fit_weighted_batch
from analysis.kernels.times import n_times_to
from analysis.robustness.confounding.exposure import ExposureRows
from analysis.robustness.confounding.propensity import fit_propensity, probabilities
from analysis.robustness.confounding.weights import Weighting
from analysis.survival.cox import CoxFit, CoxModel, fit_design

BATCH = 50
"""Resamples that are computed together, from one seed."""
NOBODY = 1e-12


class CurveEngine(Protocol):
    """From how often each resample holds each row to its adjusted curves."""

    def curves(self, counts: IntArray) -> tuple[FloatArray, BoolArray]:
        """Counts (b, n) to survival (b, k groups, m times), and in which resamples it could be computed."""


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Standardisation over a Cox model: S_a(t) is the mean over the rows i of exp(-H_s(t) exp(x_i'b + g_a)).

    Attributes
    ----------
    x : ndarray, shape (n, p)
        Covariates, centred, behind the q indicators of groups (none when each group has a baseline of its own).
    n_indicators : int
    time, event, entry : ndarray, shape (n,)
    stratum : ndarray of int, shape (n,)
        The baseline of each row.
    baselines : ndarray of int, shape (k, s)
        The baseline that holds for a group within each stratum of `within`.
    within : ndarray of int, shape (n,)
    times : ndarray, shape (m,)
        In ascending order, the first 0.
    start : ndarray, shape (p,)
        The coefficients of all rows.
    """

    x: FloatArray
    n_indicators: int
    time: FloatArray
    event: BoolArray
    entry: FloatArray
    stratum: IntArray
    baselines: IntArray
    within: IntArray
    times: FloatArray
    start: FloatArray

    def curves(self, counts: IntArray) -> tuple[FloatArray, BoolArray]:
        """Every resample's model, its baselines and its means."""
        outcome = (self.x, self.time, self.event, counts)
        coef, fitted = fit_weighted_batch(*outcome, strata=self.stratum, entry=self.entry, start=self.start)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            hazard = baseline_batch(*outcome, coef, self.times, strata=self.stratum, entry=self.entry)
            shift = np.zeros((len(counts), len(self.baselines)))
            shift[:, len(self.baselines) - self.n_indicators :] = coef[:, : self.n_indicators]
            ratio = np.exp(coef[:, self.n_indicators :] @ self.x[:, self.n_indicators :].T)
            survival = np.stack(
                [self._means(*resample) for resample in zip(counts, ratio, np.exp(shift), hazard, strict=True)]
            )
        return survival, fitted & np.isfinite(survival).all(axis=(1, 2))

    def _means(self, counts: IntArray, ratio: FloatArray, factors: FloatArray, hazard: FloatArray) -> FloatArray:
        """One resample's mean survival of each group at the times."""
        total = np.zeros((len(self.baselines), len(self.times)))
        for stratum in range(self.baselines.shape[1]):
            rows = np.flatnonzero((counts > 0) & (self.within == stratum))
            held = counts[rows].astype(np.float64)
            for group, baseline in enumerate(self.baselines[:, stratum]):
                level, place = np.unique(hazard[baseline], return_inverse=True)
                exposed = np.multiply.outer(-level * factors[group], ratio[rows])
                np.exp(exposed, out=exposed)
                total[group] += (exposed @ held)[place]
        return np.asarray(total / counts.sum(), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Reweighter:
    """Weighted Kaplan-Meier curves, the propensity model fitted anew in every resample.

    Attributes
    ----------
    basis : ndarray, shape (n, q)
        Of the propensity model.
    group : ndarray of int, shape (n,)
    n_groups : int
    sets : RiskSets
        Of the rows, by group.
    times : ndarray, shape (m,)
    start : ndarray, shape (k - 1, q)
        The propensity coefficients of all rows.
    limits : tuple of float
        Between which the stabilised weights of all rows were held; they hold in every resample.
    """

    basis: FloatArray
    group: IntArray
    n_groups: int
    sets: RiskSets
    times: FloatArray
    start: FloatArray
    limits: tuple[float, float]

    def curves(self, counts: IntArray) -> tuple[FloatArray, BoolArray]:
        """Every resample's weights and its weighted product-limit curves."""
        sizes = counts.astype(np.float64) @ np.eye(self.n_groups)[self.group]
        fitted = np.asarray((sizes > 0).all(axis=1), dtype=bool)
        coef = np.tile(self.start, (len(counts), 1, 1))
        held = counts[fitted].astype(np.float64)
        coef[fitted], fitted[fitted] = fit_propensity(self.basis, self.group, held, start=self.start)
        own = probabilities(self.basis, coef)[:, self.group, np.arange(len(self.group))]
        share = sizes / counts.sum(axis=1, keepdims=True)
        ratio = np.divide(share[:, self.group], own, out=np.zeros_like(own), where=counts > 0)  # else own may be 0
        weight = (counts * np.clip(ratio, *self.limits)).T[self.sets.rows]
        n_risk, n_event = at_risk_sums(self.sets, weight), event_sums(self.sets, weight[self.sets.events])
        left = 1 - np.divide(n_event, n_risk, out=np.zeros_like(n_event), where=n_event > 0)
        left[left < NOBODY] = 0.0
        survival = np.ones((len(counts), self.n_groups, len(self.times)))
        for group in range(self.n_groups):
            steps, place = steps_of(self.sets, group, self.times)
            curve = np.cumprod(left[steps], axis=0)
            survival[:, group] = np.concatenate([np.ones((1, len(counts))), curve])[place].T
        return survival, fitted


def steps_of(sets: RiskSets, stratum: int, times: FloatArray) -> tuple[slice, IntArray]:
    """Where a stratum's event times are among all, and how many of them come by each time: none at the first, 0."""
    low, high = np.searchsorted(sets.stratum, [stratum, stratum + 1])
    place = n_times_to(sets.times[low:high], times).astype(np.int64)
    place[0] = 0
    return slice(int(low), int(high)), place


def drawn_curves(engine: CurveEngine, n: int, n_bootstrap: int, seed: int) -> FloatArray:
    """The curves of resamples of the rows, each row as likely as another: those that could be computed, in order.

    Parameters
    ----------
    engine : CurveEngine
    n : int
        Rows.
    n_bootstrap, seed : int

    Returns
    -------
    ndarray, shape (b, k, m)

    Notes
    -----
    Every batch has a seed of its own, so that sharing them out (``joblib.parallel_config``) never changes a number.
    """
    sizes = [end - first for first, end in batch_bounds(n_bootstrap, BATCH)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    batches = list(zip(sizes, seeds, strict=True))
    found = in_batches(partial(_batch, engine, n), batches, sizes=sizes, label="adjusted curves")
    return np.concatenate([survival[fitted] for survival, fitted in found])


def _batch(engine: CurveEngine, n: int, batch: tuple[int, np.random.SeedSequence]) -> tuple[FloatArray, BoolArray]:
    """The curves of some resamples."""
    size, seed = batch
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=size)
    return engine.curves(counts)


MOST_TIMES = 500
"""Distinct event times above which the curves are computed at as many quantiles of them."""


def refuse_no_events(rows: ExposureRows, by: str) -> None:
    """Without an event there is nothing to adjust in a stratum."""
    labels = rows.exposure.labels
    n_event = np.bincount(rows.exposure.codes, rows.data.event, len(labels))
    without = [repr(label) for label, count in zip(labels, n_event, strict=True) if not count]
    if without:
        raise NotEstimable(
            f"column {by!r}: no events in {first_few(without)}; an adjusted curve needs some: join it with another"
        )


def outcome_model(rows: ExposureRows, endpoint: Endpoint, strata: tuple[str, ...]) -> CoxFit:
    """The Cox model of a standardisation; an error when it has no finite estimate."""
    model = CoxModel(endpoint, rows.formula, "efron", strata, None, None, robust=False, engine="kernel")
    fit = fit_design(rows.design, model)
    if fit.maximum.directions:
        words = "; ".join(str(one) for one in fit.warnings if isinstance(one, Separation))
        raise NotEstimable(f"the outcome model has no finite estimate, so nothing can be standardised: {words}")
    return fit


def _last_seen(time: FloatArray, codes: IntArray, n_groups: int) -> FloatArray:
    """The longest follow-up of each group."""
    return np.array([time[codes == code].max() for code in range(n_groups)], dtype=np.float64)


def curve_ends(rows: ExposureRows, model: CoxFit | None) -> FloatArray:
    """Where each stratum's curve ends: with its follow-up, and with that of the baselines it is made of."""
    data, labels = rows.data, rows.exposure.labels
    ends = _last_seen(data.time, rows.exposure.codes, len(labels))
    if model is None:
        return ends
    baselines = _last_seen(data.time, data.strata.codes, len(data.strata.labels))[_baselines(rows)]
    return np.asarray(np.minimum(ends, baselines.min(axis=1)), dtype=np.float64)


def _baselines(rows: ExposureRows) -> IntArray:
    """The baseline of each group within each of the other strata: its own where the groups are strata too."""
    n_groups, n_within = len(rows.exposure.labels), len(rows.within.labels)
    found = np.full((n_groups, n_within), -1)
    found[rows.exposure.codes, rows.within.codes] = rows.data.strata.codes
    if not _own_baselines(rows):
        found[:] = found.max(axis=0)
    empty = [
        f"{rows.exposure.labels[a]!r} within {rows.within.labels[s]!r}" for a, s in np.argwhere(found < 0).tolist()
    ]
    if empty:
        raise NotEstimable(f"no row to make a baseline of: {first_few(empty)}; leave a column out of strata")
    return found.astype(np.int64)


def _own_baselines(rows: ExposureRows) -> bool:
    """Whether the groups are strata of the outcome model as well."""
    return len(rows.design.terms) == len(rows.terms)


def curve_times(rows: ExposureRows, ends: FloatArray, asked: FloatArray | None) -> FloatArray:
    """The times at which the curves are computed: 0, the event times, the ends, the times asked for."""
    events = np.unique(rows.data.time[rows.data.event])
    if len(events) > MOST_TIMES:
        events = events[np.linspace(0, len(events) - 1, MOST_TIMES).round().astype(np.int64)]
    later = np.unique(np.concatenate([events, ends, np.empty(0) if asked is None else asked]))
    return np.concatenate([[0.0], later])


def standardiser(rows: ExposureRows, grid: FloatArray) -> CurveEngine:
    """The engine of a standardisation, its rows in canonical order."""
    order, data = rows.order, rows.data
    n_indicators = 0 if _own_baselines(rows) else len(rows.exposure.labels) - 1
    codes, labels = rows.exposure.codes[order], rows.exposure.labels
    indicators = np.eye(len(labels))[codes][:, len(labels) - n_indicators :]
    covariates = rows.x[order] - rows.x.mean(axis=0)
    time, event, entry, stratum = data.time[order], data.event[order], data.entry[order], data.strata.codes[order]
    x = np.column_stack([indicators, covariates])
    start = fit_arrays(x, time, event, entry=entry, strata=stratum)[0]
    return Standardiser(
        x=x, n_indicators=n_indicators, time=time, event=event, entry=entry, stratum=stratum,
        baselines=_baselines(rows), within=rows.within.codes[order], times=grid, start=start,
    )  # fmt: skip


def reweighter(rows: ExposureRows, found: Weighting, grid: FloatArray) -> CurveEngine:
    """The engine of a weighting, its rows in canonical order."""
    order, data, codes = rows.order, rows.data, rows.exposure.codes
    sets = risk_sets(data.time[order], data.event[order], entry=data.entry[order], strata=codes[order])
    return Reweighter(found.basis[order], codes[order], len(rows.exposure.labels), sets, grid, found.coef, found.limits)
