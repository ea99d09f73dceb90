"""Whether one site, patient or subgroup makes the result: influence, leaving out, subgroups."""

from __future__ import annotations

from analysis.robustness.stability.influence import NOBODY, leave_one_out, patient_influence
from analysis.robustness.stability.slopes import difference_test, fitted, with_slopes
from analysis.robustness.stability.subgroups import ALL, subgroup_effects
