"""How well a model predicts rows: discrimination, accuracy and calibration, each with the influence of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.kernels import accuracy
from analysis.kernels.cox import (
    RiskSets,
    concordance_influence,
    cox_problem,
    event_sums,
    fit_problem,
    moments,
    pair_influence,
    risk_sets,
    score_residuals,
)
from analysis.survival.cox import natural_spline
from analysis.survival.prediction import Predictor

OVERALL = ("concordance", "calibration_slope")
AT_A_TIME = ("auc", "brier", "ipa", "observed_over_expected", "ici")
KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the predicted risks at which the smooth calibration curve has its knots (Harrell's for four)."""
EXTREME_RISK = 1e-8
Key = tuple[str, int | None]
"""A measure and the number of its horizon; None where it holds for the whole follow-up."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What happened to rows, and how the censored ones are weighed at each horizon."""

    time: FloatArray
    event: BoolArray
    strata: IntArray
    horizons: FloatArray

    @cached_property
    def weights(self) -> tuple[accuracy.CensoringWeights, ...]:
        """The weights at each horizon."""
        return tuple(
            accuracy.censoring_weights(self.time, self.event, float(horizon), self.strata) for horizon in self.horizons
        )

    @cached_property
    def sets(self) -> RiskSets:
        """The risk sets of all rows together."""
        return risk_sets(self.time, self.event)

    @cached_property
    def shares(self) -> FloatArray:
        """The share with the event by each horizon, the risk that a model without covariates gives everybody."""
        return np.array([weights.case.mean() for weights in self.weights])


@dataclass(frozen=True, eq=False)
class Measures:
    """The measures of one model on one set of rows: values by (measure, horizon), and influences of the rows.

    The horizon of what holds for the whole follow-up is None. A smooth curve's `ici` has no influence.
    """

    values: dict[Key, float]
    influences: dict[Key, FloatArray]
    risk: FloatArray


def measure(outcome: Outcome, predicted: Predictor, null_shares: FloatArray) -> Measures:
    """Every measure of a model's predictions.

    Parameters
    ----------
    outcome : Outcome
        Of the n rows predicted, with m horizons.
    predicted : Predictor
    null_shares : ndarray, shape (m,)
        The risks of the model without covariates, from the rows that the model was fitted to.

    Returns
    -------
    Measures
    """
    risk = 1 - predicted.survival(outcome.horizons)
    measured: dict[Key, accuracy.Measured] = {
        ("concordance", None): _concordance(outcome, predicted.eta),
        ("calibration_slope", None): _slope(outcome, predicted.eta),
    }
    values: dict[Key, float] = {}
    for number, weights in enumerate(outcome.weights):
        own = risk[:, number]
        brier = accuracy.brier_score(weights, own)
        null = accuracy.brier_score(weights, np.full(len(own), null_shares[number]))
        measured["auc", number] = accuracy.area_under_curve(weights, own)
        measured["brier", number] = brier
        measured["ipa", number] = accuracy.prediction_accuracy_index(brier, null)
        measured["observed_over_expected", number] = accuracy.observed_over_expected(weights, own)
        values["ici", number] = _integrated_calibration_index(outcome, own, weights.horizon)
    values |= {key: value for key, (value, _) in measured.items()}
    return Measures(values, {key: influence for key, (_, influence) in measured.items()}, risk)


def _concordance(outcome: Outcome, eta: FloatArray) -> accuracy.Measured:
    """Harrell's, within strata."""
    counts = concordance_influence(eta, outcome.time, outcome.event, strata=outcome.strata)
    return pair_influence(counts, np.ones(len(eta)))


def _slope(outcome: Outcome, eta: FloatArray) -> accuracy.Measured:
    """The coefficient of the linear predictor in a Cox model of its own: below 1, the model is overfitted."""
    if np.ptp(eta) == 0:
        return float("nan"), np.full(len(eta), np.nan)
    problem = cox_problem(eta[:, None], risk_sets(outcome.time, outcome.event, strata=outcome.strata))
    coef, covariance, _ = fit_problem(problem)
    residuals = score_residuals(problem, coef * problem.scale, len(eta)) * problem.scale
    return float(coef[0]), residuals[:, 0] * float(covariance[0, 0])


@dataclass(frozen=True, eq=False)
class CalibrationScale:
    """The scale on which observed risks follow predicted ones smoothly: a spline of log(-log(1 - risk)).

    `knots` are few, or two where the risks take few values: a straight line then.
    """

    knots: FloatArray

    @classmethod
    def of(cls, risk: FloatArray) -> CalibrationScale:
        """With knots at quantiles of the risks."""
        scaled = _complementary_log_log(risk)
        knots = np.unique(np.quantile(scaled, KNOTS))
        return cls(knots if len(knots) == len(KNOTS) else np.array([scaled.min(), scaled.max()]))

    def basis(self, risk: FloatArray) -> FloatArray:
        """The columns of a Cox model: shape (n, knots - 1)."""
        return natural_spline(_complementary_log_log(risk), self.knots)[:, 1:]


def _complementary_log_log(risk: FloatArray) -> FloatArray:
    """log(-log(1 - risk)), of risks kept off 0 and 1."""
    return np.asarray(np.log(-np.log1p(-np.clip(risk, EXTREME_RISK, 1 - EXTREME_RISK))), dtype=np.float64)


def _integrated_calibration_index(outcome: Outcome, risk: FloatArray, horizon: float) -> float:
    """The mean distance of predicted risks from smoothly observed ones (Austin and Harrell's ICI)."""
    if np.ptp(risk) == 0:
        return float("nan")
    basis = CalibrationScale.of(risk).basis(risk)
    problem = cox_problem(basis, outcome.sets)
    beta = fit_problem(problem)[0] * problem.scale
    sums = moments(problem, beta)
    steps = event_sums(problem.sets, sums.hazard * np.exp(-sums.risks.log_scale[problem.sets.at]))
    hazard = steps[problem.sets.times <= horizon].sum()
    observed = 1 - np.exp(-hazard * np.exp((basis - problem.centre) / problem.scale @ beta))
    return float(np.abs(observed - risk).mean())
