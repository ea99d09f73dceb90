"""Adjusted curves on arrays: by standardisation and by weighting, for many resamples of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import NotEstimable, Separation
from analysis.kernels import cox, cox_resamples, tolerances
from analysis.kernels.times import n_times_to
from analysis.robustness.confounding import exposure, weights
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design
from analysis.survival.rows import SurvivalData

BATCH = 50
"""Resamples that are computed together, from one seed."""
MOST_TIMES = 500
"""Distinct event times above which the curves are computed at as many quantiles of them."""


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Standardisation over a Cox model: S_a(t) is the mean over the rows i of exp(-H_s(t) exp(x_i'b + g_a)).

    Attributes
    ----------
    x : ndarray, shape (n, p)
        Covariates, centred, behind the q indicators of groups (none when each group has a baseline of its own).
    n_indicators : int
    data : SurvivalData
        The outcome; ``strata`` are the baselines.
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
    data: SurvivalData
    baselines: IntArray
    within: IntArray
    times: FloatArray
    start: FloatArray

    def curves(self, counts: IntArray) -> tuple[FloatArray, BoolArray]:
        """Counts (b, n) of the rows to survival (b, k groups, m times), and where it could be computed."""
        outcome = (self.x, self.data.time, self.data.event, counts)
        stratum, entry = self.data.strata.codes, self.data.entry
        coef, fitted = cox_resamples.fit_weighted_batch(*outcome, strata=stratum, entry=entry, start=self.start)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            hazard = cox_resamples.baseline_batch(*outcome, coef, self.times, strata=stratum, entry=entry)
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
            weight = counts[rows].astype(np.float64)
            for group, baseline in enumerate(self.baselines[:, stratum]):
                level, index = np.unique(hazard[baseline], return_inverse=True)
                exposed = np.multiply.outer(-level * factors[group], ratio[rows])
                np.exp(exposed, out=exposed)
                total[group] += (exposed @ weight)[index]
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
        Of the stabilised weights of all rows; they apply in every resample.
    """

    basis: FloatArray
    group: IntArray
    n_groups: int
    sets: cox.RiskSets
    times: FloatArray
    start: FloatArray
    limits: tuple[float, float]

    def curves(self, counts: IntArray) -> tuple[FloatArray, BoolArray]:
        """Counts (b, n) of the rows to survival (b, k groups, m times), and where it could be computed."""
        sizes = counts.astype(np.float64) @ np.eye(self.n_groups)[self.group]
        fitted = np.asarray((sizes > 0).all(axis=1), dtype=bool)
        coef = np.tile(self.start, (len(counts), 1, 1))
        complete = counts[fitted].astype(np.float64)
        coef[fitted], fitted[fitted] = exposure.fit_propensity(self.basis, self.group, complete, start=self.start)
        own = exposure.probabilities(self.basis, coef)[:, self.group, np.arange(len(self.group))]
        share = sizes / counts.sum(axis=1, keepdims=True)
        ratio = np.divide(share[:, self.group], own, out=np.zeros_like(own), where=counts > 0)  # else own may be 0
        weight = (counts * np.clip(ratio, *self.limits)).T[self.sets.rows]
        n_risk, n_event = cox.at_risk_sums(self.sets, weight), cox.event_sums(self.sets, weight[self.sets.events])
        left = 1 - np.divide(n_event, n_risk, out=np.zeros_like(n_event), where=n_event > 0)
        left[left < tolerances.NOBODY_LEFT] = 0.0
        survival = np.ones((len(counts), self.n_groups, len(self.times)))
        for group in range(self.n_groups):
            low, high = np.searchsorted(self.sets.stratum, [group, group + 1])
            n_steps = n_times_to(self.sets.times[low:high], self.times)
            n_steps[0] = 0  # the first time is 0, where the curve is 1
            curve = np.cumprod(left[low:high], axis=0)
            survival[:, group] = np.concatenate([np.ones((1, len(counts))), curve])[n_steps].T
        return survival, fitted


CurveEngine = Standardiser | Reweighter


def drawn_curves(engine: CurveEngine, n: int, n_bootstrap: int, seed: int, *, shape: tuple[int, ...]) -> FloatArray:
    """The curves of resamples of the rows, each row as likely as another: those that could be computed, in order.

    Parameters
    ----------
    engine : Standardiser or Reweighter
    n : int
        Rows.
    n_bootstrap, seed : int
    shape : tuple of int
        Groups and times, (k, m).

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
    parts = in_batches(partial(_batch, engine, n), batches, sizes=sizes, label="adjusted curves")
    return np.concatenate([np.empty((0, *shape)), *(survival[fitted] for survival, fitted in parts)])


def _batch(engine: CurveEngine, n: int, batch: tuple[int, np.random.SeedSequence]) -> tuple[FloatArray, BoolArray]:
    """The curves of some resamples."""
    size, seed = batch
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=size)
    return engine.curves(counts)


def outcome_model(
    rows: exposure.ExposureRows, endpoint: Endpoint, covariates: tuple[str, ...], strata: tuple[str, ...]
) -> CoxFit:
    """The Cox model of a standardisation; an error when it has no finite estimate."""
    design, by, (first, *others) = rows.design, str(rows.by), rows.groups.labels
    if not rows.own_baselines:
        columns = {term: tuple(column + len(others) for column in index) for term, index in design.columns.items()}
        design = Design(
            design.data,
            np.column_stack([_indicators(rows), design.x]),
            (*(f"{by}[{label}]" for label in others), *design.terms),
            {by: tuple(range(len(others))), **columns},
            {by: f"{by}[{first}]", **design.coded_against},
        )
        covariates = (rows.by, *covariates)
    fit = fit_design(design, CoxModel(endpoint, covariates, strata=strata))
    if fit.maximum.directions:
        reasons = "; ".join(str(warning) for warning in fit.warnings if isinstance(warning, Separation))
        raise NotEstimable(f"the outcome model has no finite estimate, so nothing can be standardised: {reasons}")
    return fit


def _indicators(rows: exposure.ExposureRows) -> FloatArray:
    """Indicators of the groups but the first; none where the groups have baselines of their own."""
    k = len(rows.groups.labels)
    return np.eye(k)[rows.groups.codes][:, k if rows.own_baselines else 1 :]


def curve_ends(rows: exposure.ExposureRows, *, standardised: bool) -> FloatArray:
    """Where each stratum's curve ends: with its follow-up, and with that of the baselines it is made of."""
    data = rows.data
    ends = _last_times(data.time, rows.groups.codes)
    if not standardised:
        return ends
    baselines = _last_times(data.time, data.strata.codes)[_baselines(rows)]
    return np.asarray(np.minimum(ends, baselines.min(axis=1)), dtype=np.float64)


def _last_times(time: FloatArray, codes: IntArray) -> FloatArray:
    """The longest follow-up of each group."""
    return np.array([time[codes == code].max() for code in range(codes.max() + 1)], dtype=np.float64)


def _baselines(rows: exposure.ExposureRows) -> IntArray:
    """The baseline of each group within each of the other strata: its own where the groups are strata too."""
    labels, within = rows.groups.labels, rows.within.labels
    baseline = np.full((len(labels), len(within)), -1)
    baseline[rows.groups.codes, rows.within.codes] = rows.data.strata.codes
    if not rows.own_baselines:
        baseline[:] = baseline.max(axis=0)
    empty = [f"{labels[a]!r} within {within[s]!r}" for a, s in np.argwhere(baseline < 0).tolist()]
    if empty:
        raise NotEstimable(f"no row to make a baseline of: {first_few(empty)}; leave a column out of strata")
    return baseline.astype(np.int64)


def curve_times(rows: exposure.ExposureRows, ends: FloatArray, chosen: FloatArray | None) -> FloatArray:
    """The times at which the curves are computed: 0, the event times, the ends, the times asked for."""
    events = np.unique(rows.data.time[rows.data.event])
    if len(events) > MOST_TIMES:
        events = events[np.linspace(0, len(events) - 1, MOST_TIMES).round().astype(np.int64)]
    later = np.unique(np.concatenate([events, ends, np.empty(0) if chosen is None else chosen]))
    return np.concatenate([[0.0], later])


def standardiser(rows: exposure.ExposureRows, grid: FloatArray) -> Standardiser:
    """The engine of a standardisation, its rows in canonical order."""
    order, data, covariates, indicators = rows.order, rows.data.take(rows.order), rows.x, _indicators(rows)
    x = np.column_stack([indicators[order], covariates[order] - covariates.mean(axis=0)])
    start, _, _ = cox.fit_arrays(x, data.time, data.event, entry=data.entry, strata=data.strata.codes)
    within = rows.within.codes[order]
    return Standardiser(x, indicators.shape[1], data, _baselines(rows), within, grid, start)


def reweighter(rows: exposure.ExposureRows, weighting: weights.Weighting, grid: FloatArray) -> Reweighter:
    """The engine of a weighting, its rows in canonical order."""
    order, data, codes = rows.order, rows.data.take(rows.order), rows.groups.codes[rows.order]
    sets = cox.risk_sets(data.time, data.event, entry=data.entry, strata=codes)
    return Reweighter(
        weighting.basis[order], codes, len(rows.groups.labels), sets, grid, weighting.coef, weighting.limits
    )
