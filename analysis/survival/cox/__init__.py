"""Cox models: rows and covariates, fit, separation, results, diagnostics, bootstrap."""

from analysis.survival.cox.diagnostics import (
    coefficient_over_time,
    cox_residuals,
    natural_spline,
    proportional_hazards_test,
)
from analysis.survival.cox.fit import EXACT, assembled, fit_cox, fit_design
from analysis.survival.cox.model import (
    EVENTS_PER_PARAMETER,
    ChiSquare,
    Design,
    attained,
    chi_square,
    linear_predictor,
    list_problems,
    read_design,
    refuse_collinear,
    refuse_constant,
    refuse_no_events,
)
from analysis.survival.cox.result import LARGEST_LOGARITHM, CoxFit, CoxModel, fitted_problem, hazard_ratios
from analysis.survival.cox.terms import formula_columns, level_columns, matrix_of_rows, read_term_design
