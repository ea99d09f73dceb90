"""Scans over every cut of a marker: statistics, permutations, resamples."""

from __future__ import annotations

from analysis.kernels.cutpoints.adjusted import CutScores, ModelRows, cut_scores, model_scores
from analysis.kernels.cutpoints.permutation import corrected_p_values, critical_value, permuted_maxima
from analysis.kernels.cutpoints.redrawn import redrawn_maxima
from analysis.kernels.cutpoints.resampling import cut_of_resamples
from analysis.kernels.cutpoints.scan import (
    SAME,
    CutRows,
    chi_squares,
    cut_rows,
    first_maximum,
    log_hazard_ratios,
    logrank_scores,
    standardised,
)
from analysis.kernels.cutpoints.two_groups import grouped_log_hazard_ratios
