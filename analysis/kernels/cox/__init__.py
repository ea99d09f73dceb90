"""The Cox likelihood in numpy, the reference: risk sets, Newton's steps, residuals, exact ties, concordance."""

from analysis.kernels.cox.at_risk import RiskSets, at_risk_sums, cumulated, event_sums, risk_sets
from analysis.kernels.cox.concordance import concordance_influence, jackknife_error, pair_influence
from analysis.kernels.cox.likelihood import (
    CoxPoint,
    CoxProblem,
    CoxSolution,
    cox_problem,
    deviance_residuals,
    evaluate,
    evaluate_exact,
    fades,
    fit_arrays,
    fit_problem,
    least_share,
    martingale_residuals,
    maximise,
    moments,
    newton_step,
    schoenfeld_residuals,
    score_residuals,
    timed_information,
)
