"""Scans over every cut of a marker: statistics, permutations, resamples."""

from analysis.kernels.cutpoints.adjusted import CutScores, ModelRows, cut_scores, model_scores, redrawn_maxima
from analysis.kernels.cutpoints.resamples import cut_of_resamples, grouped_log_hazard_ratios
from analysis.kernels.cutpoints.scan import (
    CutRows,
    chi_squares,
    corrected_p_values,
    critical_value,
    cut_rows,
    first_maximum,
    log_hazard_ratios,
    logrank_scores,
    permuted_maxima,
    standardised,
)
