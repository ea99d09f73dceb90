"""Confounding: propensities, weights, balance, adjusted curves, means and tests, E-values."""

from __future__ import annotations

from analysis.robustness.confounding.adjusted_curves import AdjustedCurves, AdjustmentMethod, adjusted_curves
from analysis.robustness.confounding.adjusted_logrank import adjusted_logrank
from analysis.robustness.confounding.adjusted_means import adjusted_restricted_mean, adjusted_survival_difference
from analysis.robustness.confounding.balance import covariate_balance
from analysis.robustness.confounding.e_value import EValue, confounder_bias, e_value
from analysis.robustness.confounding.propensity import fit_propensity, information, probabilities
from analysis.robustness.confounding.weights import BalanceWeights, balance_weights
