"""The figures, one a file."""

from __future__ import annotations

from analysis.present.figures.adjusted import plot_adjusted
from analysis.present.figures.bench import bench_display, plot_bench
from analysis.present.figures.bias import plot_confounder_bias
from analysis.present.figures.causes import plot_causes
from analysis.present.figures.cutpoint_scan import plot_cutpoint_scan
from analysis.present.figures.difference_curve import plot_difference_curve
from analysis.present.figures.dose_response import plot_dose_response
from analysis.present.figures.extrapolation import plot_extrapolation
from analysis.present.figures.flow import plot_flow
from analysis.present.figures.forest import plot_forest
from analysis.present.figures.hazards import plot_hazard_ratio_over_time
from analysis.present.figures.incidence import plot_incidence
from analysis.present.figures.influence import plot_influence
from analysis.present.figures.love import plot_balance
from analysis.present.figures.marker import plot_marker
from analysis.present.figures.missing import plot_missing
from analysis.present.figures.overlap import plot_overlap
from analysis.present.figures.relations import plot_relations
from analysis.present.figures.shifts import plot_shifts
from analysis.present.figures.specification import plot_specification_curve
