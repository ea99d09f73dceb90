"""The Cox likelihood in numpy, the reference: risk sets, Newton's steps, residuals, exact ties, concordance."""

from __future__ import annotations

from analysis.kernels.cox.concordance import concordance_influence, jackknife_error
from analysis.kernels.cox.contrasts import fit_contrasts
from analysis.kernels.cox.exact_ties import evaluate_exact
from analysis.kernels.cox.likelihood import (
    ROUNDING,
    CoxProblem,
    cox_problem,
    evaluate,
    fit_arrays,
    fit_problem,
    moments,
    timed_information,
)
from analysis.kernels.cox.newton import CoxPoint, CoxSolution, fades, least_share, maximise, newton_step
from analysis.kernels.cox.residuals import (
    deviance_residuals,
    martingale_residuals,
    schoenfeld_residuals,
    score_residuals,
)
from analysis.kernels.cox.risk_sets import RiskSets, at_risk_sums, cumulated, event_sums, risk_sets
