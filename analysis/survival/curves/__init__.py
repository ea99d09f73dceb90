"""Kaplan-Meier curves and what is read off them: milestones, restricted means, risk tables, landmarks."""

from analysis.survival.curves.kaplan_meier import check_curve_options, curves_of_counts, kaplan_meier
from analysis.survival.curves.milestones import (
    CHOSEN_TIMES,
    EVENT_TIMES,
    QUANTILES,
    check_horizon,
    difference_columns,
    median_follow_up,
    pairs_of,
    restricted_mean,
    restricted_mean_difference,
    strata_of,
    survival_at,
    survival_difference,
    survival_quantile,
    with_pairs,
)
from analysis.survival.curves.risk_table import joined, landmark, risk_of_counts, risk_table, so_far
