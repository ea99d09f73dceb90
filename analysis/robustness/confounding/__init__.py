"""Confounding: the model of exposure, weights, balance, adjusted curves, means and tests, E-values."""

from analysis.robustness.confounding.adjusted_comparisons import (
    AdjustedMeans,
    adjusted_logrank,
    adjusted_restricted_mean,
    adjusted_survival_difference,
)
from analysis.robustness.confounding.adjusted_curves import AdjustedCurves, AdjustmentMethod, adjusted_curves
from analysis.robustness.confounding.e_value import EValue, confounder_bias, e_value
from analysis.robustness.confounding.exposure import fit_propensity, information, probabilities
from analysis.robustness.confounding.weights import BalanceWeights, balance_weights, covariate_balance
