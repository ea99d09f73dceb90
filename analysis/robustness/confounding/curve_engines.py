"""Adjusted curves on arrays: by standardisation and by weighting, for many resamples of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import BoolArray, FloatArray, IntArray
from analysis.kernels.cox.risk_sets import RiskSets, at_risk_sums, event_sums
from analysis.kernels.cox_resamples.fits import baseline_batch, fit_weighted_batch
from analysis.kernels.times import n_times_to
from analysis.robustness.confounding.propensity import fit_propensity, probabilities

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
