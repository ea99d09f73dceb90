"""How near predicted risks come to what happened, censored patients weighed in by those who were followed on.

Every measure comes with the influence of each row on it: the derivative by the row's weight, the estimated
distribution of the censoring times included. The sum of its squares is the measure's variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels.times import n_times_to

Measured = tuple[float, FloatArray]
"""A measure, and the influence of each row on it."""


@dataclass(frozen=True, eq=False)
class _Censoring:
    """The censoring times of one stratum: its rows, distinct times, and by time the hazard and what a jump divides."""

    rows: IntArray
    times: FloatArray
    at: IntArray
    hazard: FloatArray
    left: FloatArray


@dataclass(frozen=True, eq=False)
class CensoringWeights:
    """Rows by what is known of them at a horizon, weighted by the inverse probability of being known.

    Attributes
    ----------
    horizon : float
    case : ndarray, shape (n,)
        1 / G(t-) of rows with the event at t, at or before the horizon; 0 of others. G is the product-limit curve of
        the censoring times of the row's stratum, in which events leave before censorings.
    control : ndarray, shape (n,)
        1 / G(horizon) of rows followed beyond the horizon; 0 of others.
    """

    horizon: float
    case: FloatArray
    control: FloatArray
    time: FloatArray
    event: BoolArray
    curves: tuple[_Censoring, ...]

    def through_censoring(self, terms: FloatArray) -> FloatArray:
        """The influence of each row through G on the sum of `terms`, each of which is proportional to a weight."""
        influence = np.zeros(len(terms))
        for curve in self.curves:
            rows, at = curve.rows, curve.at
            known = np.where(self.control[rows] > 0, n_times_to(curve.times, np.array([self.horizon]))[0], at)
            after = np.zeros(len(curve.times) + 1)
            np.add.at(after, known, terms[rows])  # times before this index lie in the row's G
            later = np.cumsum(after[::-1])[::-1][1:]
            jump = np.divide(later, curve.left, out=np.zeros(len(later)), where=(curve.left > 0) & (curve.hazard > 0))
            seen = np.concatenate([[0.0], np.cumsum(jump * curve.hazard)])
            event = self.event[rows]
            influence[rows] = np.where(event, 0.0, jump[at]) - np.where(event, seen[at], seen[at + 1])
        return influence


def censoring_weights(
    time: FloatArray, event: BoolArray, horizon: float, strata: IntArray | None = None
) -> CensoringWeights:
    """The weights of rows at a horizon.

    Parameters
    ----------
    time : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    horizon : float
        Somebody of every stratum is followed beyond it.
    strata : ndarray of int, shape (n,), optional
        Codes from 0, each in use; censoring times are those of the row's stratum.

    Returns
    -------
    CensoringWeights

    Examples
    --------
    >>> weights = censoring_weights(np.array([1.0, 2, 3, 4]), np.array([True, False, True, True]), 3)
    >>> weights.case.round(6).tolist(), weights.control.round(6).tolist()
    ([1.0, 0.0, 1.5, 0.0], [0.0, 0.0, 0.0, 1.5])
    """
    codes = np.zeros(len(time), dtype=np.int64) if strata is None else strata
    case, control = np.zeros(len(time)), np.zeros(len(time))
    curves = []
    for code in range(int(codes.max()) + 1):
        rows = np.flatnonzero(codes == code)
        times, at = np.unique(time[rows], return_inverse=True)
        n_event = np.bincount(at, event[rows], len(times))
        n_censor = np.bincount(at, ~event[rows], len(times))
        at_risk = np.cumsum((n_event + n_censor)[::-1])[::-1] - n_event
        hazard = np.divide(n_censor, at_risk, out=np.zeros(len(times)), where=n_censor > 0)
        staying = np.concatenate([[1.0], np.cumprod(1 - hazard)])
        known = event[rows] & (time[rows] <= horizon)
        case[rows[known]] = 1 / staying[at[known]]
        beyond = time[rows] > horizon
        control[rows[beyond]] = 1 / staying[n_times_to(times, np.array([horizon]))[0]]
        curves.append(_Censoring(rows, times, at, hazard, (at_risk - n_censor).astype(np.float64)))
    return CensoringWeights(float(horizon), case, control, time, event, tuple(curves))


def area_under_curve(weights: CensoringWeights, score: FloatArray) -> Measured:
    """The share of pairs of a case and a control in which the case scores higher, ties counting half.

    Examples
    --------
    >>> weights = censoring_weights(np.array([1.0, 2, 3, 4]), np.array([True, False, True, True]), 3)
    >>> area_under_curve(weights, np.array([0.9, 0.4, 0.2, 0.5]))[0]
    0.4
    """
    case, control = weights.case, weights.control
    above = _mass_below(score, score, control) / control.sum()  # of each row, the share of controls below it
    below = _mass_below(-score, -score, case) / case.sum()  # the share of cases above it
    value = float(case @ above / case.sum())
    own = case * (above - value) / case.sum() + control * (below - value) / control.sum()
    return value, own + weights.through_censoring(own)


def _mass_below(score: FloatArray, others: FloatArray, mass: FloatArray) -> FloatArray:
    """The mass of others below each score, half of that of its equals."""
    order = np.argsort(others, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(mass[order])])
    ordered = others[order]
    low, high = np.searchsorted(ordered, score), np.searchsorted(ordered, score, side="right")
    return np.asarray((total[low] + total[high]) / 2, dtype=np.float64)


def brier_score(weights: CensoringWeights, risk: FloatArray) -> Measured:
    """The mean squared distance of risks from what happened.

    Examples
    --------
    >>> weights = censoring_weights(np.array([1.0, 2, 3, 4]), np.array([True, False, True, True]), 3)
    >>> round(brier_score(weights, np.array([0.9, 0.4, 0.2, 0.5]))[0], 6)
    0.33625
    """
    terms = (weights.case * (1 - risk) ** 2 + weights.control * risk**2) / len(risk)
    value = float(terms.sum())
    return value, terms - value / len(risk) + weights.through_censoring(terms)


def prediction_accuracy_index(model: Measured, null: Measured) -> Measured:
    """1 - Brier score of the model over that of a model without covariates (Kattan and Gerds' IPA)."""
    ratio = model[0] / null[0]
    return 1 - ratio, -(model[1] - ratio * null[1]) / null[0]


def observed_over_expected(weights: CensoringWeights, risk: FloatArray) -> Measured:
    """The share with the event by the horizon, as Kaplan-Meier has it (within strata), over the mean of the risks."""
    expected = float(risk.sum())
    value = float(weights.case.sum()) / expected
    own = weights.case / expected
    return value, own - value * risk / expected + weights.through_censoring(own)


def net_benefits(
    time: FloatArray, event: BoolArray, risk: FloatArray, horizon: float, thresholds: FloatArray
) -> FloatArray:
    """Share treated who would have the event, less those who would not times threshold / (1 - threshold).

    Patients with a risk above the threshold are treated; among them the share with the event is Kaplan-Meier's.

    Parameters
    ----------
    time, risk : ndarray, shape (n,)
    event : ndarray of bool, shape (n,)
    horizon : float
    thresholds : ndarray, shape (k,)

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> time, event = np.array([1.0, 2, 3, 4]), np.array([True, False, True, True])
    >>> net_benefits(time, event, np.array([0.9, 0.4, 0.2, 0.5]), 3, np.array([0.45])).round(4).tolist()
    [0.0455]
    """
    treated = risk > thresholds[:, None]
    order = np.argsort(time, kind="stable")
    times, first = np.unique(time[order], return_index=True)
    ended = np.add.reduceat(treated[:, order].astype(np.float64), first, axis=1)
    at_risk = np.cumsum(ended[:, ::-1], axis=1)[:, ::-1]
    n_event = np.add.reduceat((treated & event)[:, order].astype(np.float64), first, axis=1)
    hazard = np.divide(n_event, at_risk, out=np.zeros_like(n_event), where=n_event > 0)[:, times <= horizon]
    share, survival = treated.mean(axis=1), np.prod(1 - hazard, axis=1)
    return np.asarray(share * ((1 - survival) - survival * thresholds / (1 - thresholds)), dtype=np.float64)
