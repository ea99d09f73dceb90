"""Whether one site, patient or subgroup makes the result: influence, leaving out, subgroups."""

from analysis.robustness.stability.influence import NOBODY, leave_one_out, patient_influence
from analysis.robustness.stability.subgroups import ALL, difference_test, subgroup_effects, with_slopes
