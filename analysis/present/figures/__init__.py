"""The figures: curves of survival, estimates, a marker and its cuts, and what could fool us."""

from __future__ import annotations

from analysis.present.figures.bench import bench_display, plot_bench
from analysis.present.figures.confounding import plot_confounder_bias, plot_overlap
from analysis.present.figures.cutpoint_scan import plot_cutpoint_scan
from analysis.present.figures.diagrams import plot_causes, plot_flow
from analysis.present.figures.dose_response import plot_dose_response
from analysis.present.figures.forest import plot_balance, plot_forest
from analysis.present.figures.hazards import plot_difference_curve, plot_hazard_ratio_over_time
from analysis.present.figures.marker import plot_marker, plot_relations
from analysis.present.figures.missing import plot_missing, plot_shifts
from analysis.present.figures.sensitivity import plot_extrapolation, plot_influence
from analysis.present.figures.specification import plot_specification_curve
from analysis.present.figures.survival import (
    plot_adjusted,
    plot_cumulative_incidence,
    plot_follow_up,
    plot_survival,
)
