"""Hazards that are not proportional: MaxCombo, effects by period, restricted means by horizon."""

from analysis.robustness.hazards.max_combo import MaxCombo, max_combo
from analysis.robustness.hazards.piecewise import (
    PiecewiseEffects,
    Verdict,
    piecewise_effects,
    proportional_hazards_verdict,
)
from analysis.robustness.hazards.restricted_mean_curve import FEWEST_AT_RISK, restricted_mean_curve
