"""Cox models: design, fit, separation, results, residuals, proportional hazards, bootstrap."""

from __future__ import annotations

from analysis.survival.cox.assembly import assembled_without_rows
from analysis.survival.cox.design import (
    Design,
    formula_columns,
    level_columns,
    list_problems,
    read_design,
    read_term_design,
)
from analysis.survival.cox.estimability import EVENTS_PER_PARAMETER, refuse_constant, refuse_no_events
from analysis.survival.cox.fit import fit_cox, fit_design
from analysis.survival.cox.maximum import CoxRows
from analysis.survival.cox.proportional_hazards import coefficient_over_time, proportional_hazards_test
from analysis.survival.cox.residuals import cox_residuals
from analysis.survival.cox.result import LARGEST_LOGARITHM, ChiSquare, CoxFit, CoxModel, chi_square, hazard_ratios
