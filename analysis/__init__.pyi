"""The public names, by room and by question: read by type checkers, by the documentation, and by ``__init__.py``, which
imports each when it is first asked for."""

# --- errors: What can be wrong ------------------------------------------------------------------------------

# Errors
from analysis.errors import (
    InputError as InputError,
    CohortError as CohortError,
    PlanError as PlanError,
    NotEstimable as NotEstimable,
    NotSupported as NotSupported,
    NotWritten as NotWritten,
    PackageFault as PackageFault,
)

# Warnings
from analysis.errors import (
    AnalysisWarning as AnalysisWarning,
    RowsDropped as RowsDropped,
    SuspiciousValues as SuspiciousValues,
    EmptyStratum as EmptyStratum,
    SmallStratum as SmallStratum,
    TiedEdges as TiedEdges,
    TiedKnots as TiedKnots,
    FewEvents as FewEvents,
    ManyTies as ManyTies,
    Separation as Separation,
    RobustErrors as RobustErrors,
    NotComputed as NotComputed,
    PartFailed as PartFailed,
    MuchMissing as MuchMissing,
    EarlyZero as EarlyZero,
    BeyondFollowUp as BeyondFollowUp,
    ExtremeWeights as ExtremeWeights,
    NoOverlap as NoOverlap,
    LowReliability as LowReliability,
    FailedDraws as FailedDraws,
    ValueUnknown as ValueUnknown,
    FollowUpGaps as FollowUpGaps,
)

# --- cohort: Rows to trusted rows, and the synthetic cohort -------------------------------------------------

# What is the outcome?
from analysis.cohort.columns import (
    Endpoint as Endpoint,
    CompetingEndpoint as CompetingEndpoint,
    OVERALL_SURVIVAL as OVERALL_SURVIVAL,
    PROGRESSION_FREE_SURVIVAL as PROGRESSION_FREE_SURVIVAL,
)

# How do I read, check and write a cohort?
from analysis.cohort.reading import read_cohort as read_cohort
from analysis.cohort.reading.writing import write_cohort as write_cohort
from analysis.cohort.schema import validate_cohort as validate_cohort
from analysis.cohort.schema import Column as Column, Schema as Schema
from analysis.cohort.units import convert_magnesium as convert_magnesium
from analysis.cohort.dates import time_from_dates as time_from_dates
from analysis.cohort.adtte import endpoint_from_adtte as endpoint_from_adtte
from analysis.cohort.joins import join_cohorts as join_cohorts
from analysis.cohort.reading.examples import load_example as load_example

# What is in the synthetic cohort?
from analysis.cohort.reading.examples import load_cohort as load_cohort, load_labs as load_labs
from analysis.cohort.synthetic import (
    CohortDesign as CohortDesign,
    SyntheticCohort as SyntheticCohort,
    simulate_cohort as simulate_cohort,
    ADJUSTMENT as ADJUSTMENT,
    COHORT_SCHEMA as COHORT_SCHEMA,
    LABS_SCHEMA as LABS_SCHEMA,
)

# --- survival: Groups to estimates --------------------------------------------------------------------------

# Who are the patients?
from analysis.survival.baseline_table import baseline_table as baseline_table

# How many are alive, and when?
from analysis.survival.curves import (
    kaplan_meier as kaplan_meier,
    risk_table as risk_table,
    survival_at as survival_at,
    survival_quantile as survival_quantile,
    survival_difference as survival_difference,
    median_follow_up as median_follow_up,
    restricted_mean as restricted_mean,
    restricted_mean_difference as restricted_mean_difference,
    landmark as landmark,
)
from analysis.survival.incidence_rates import incidence_rates as incidence_rates

# Do the groups differ?
from analysis.survival.group_tests import (
    logrank_test as logrank_test,
    pairwise_logrank as pairwise_logrank,
    LogRank as LogRank,
)
from analysis.survival.group_tests.logrank import logrank_trend as logrank_trend
from analysis.survival.group_tests.permutation import (
    permutation_logrank as permutation_logrank,
    PermutationLogRank as PermutationLogRank,
)

# How much does a covariate change the hazard?
from analysis.survival.cox import fit_cox as fit_cox, hazard_ratios as hazard_ratios, CoxFit as CoxFit
from analysis.survival.cox.diagnostics import baseline_hazard as baseline_hazard
from analysis.survival.cox.bootstrap import bootstrap_cox as bootstrap_cox, BootstrapCox as BootstrapCox

# Does the model hold, and how well does it rank patients?
from analysis.survival.cox import (
    proportional_hazards_test as proportional_hazards_test,
    coefficient_over_time as coefficient_over_time,
    cox_residuals as cox_residuals,
)
from analysis.survival.concordance import concordance as concordance, Concordance as Concordance

# What does the model say of another patient, and which of two models says more?
from analysis.survival.prediction import (
    predict_survival as predict_survival,
    predict_quantile as predict_quantile,
    compare_models as compare_models,
    ModelComparison as ModelComparison,
)

# How large must the next study be?
from analysis.survival.planning import (
    plan_study as plan_study,
    pilot_assumptions as pilot_assumptions,
    StudyDesign as StudyDesign,
    SimulatedPower as SimulatedPower,
)

# What if other events compete?
from analysis.survival.competing import (
    cumulative_incidence as cumulative_incidence,
    gray_test as gray_test,
    fit_fine_gray as fit_fine_gray,
)

# What if the rows do not fit in memory, or must not leave the hospital?
from analysis.survival.registry.event_counts import event_counts as event_counts, add_counts as add_counts
from analysis.survival.registry.event_counts import (
    kaplan_meier_from_counts as kaplan_meier_from_counts,
    logrank_test_from_counts as logrank_test_from_counts,
    risk_table_from_counts as risk_table_from_counts,
)
from analysis.survival.registry.cox import fit_cox_counts as fit_cox_counts
from analysis.survival.registry.cox import fit_cox_file as fit_cox_file

# --- strata: A continuous marker to groups ------------------------------------------------------------------

# What is the effect over the whole range of the marker?
from analysis.strata.dose_response import dose_response as dose_response, DoseResponse as DoseResponse

# How do I cut the marker?
from analysis.strata.cutpoints import (
    clinical_cutpoints as clinical_cutpoints,
    cutpoint_table as cutpoint_table,
    Cutpoints as Cutpoints,
)
from analysis.strata.cutpoints import quantile_cutpoints as quantile_cutpoints
from analysis.strata.cutpoints import stratify as stratify

# Can a searched cut-point be believed?
from analysis.strata.search import search_cutpoint as search_cutpoint, CutpointSearch as CutpointSearch
from analysis.strata.search.several_cuts import search_cutpoints as search_cutpoints, CutpointsSearch as CutpointsSearch

# --- robustness: What could fool us -------------------------------------------------------------------------

# Confounding
from analysis.robustness.confounding import (
    AdjustedMeans as AdjustedMeans,
    adjusted_curves as adjusted_curves,
    adjusted_restricted_mean as adjusted_restricted_mean,
    adjusted_survival_difference as adjusted_survival_difference,
    adjusted_logrank as adjusted_logrank,
    balance_weights as balance_weights,
    covariate_balance as covariate_balance,
    confounder_bias as confounder_bias,
    e_value as e_value,
    AdjustedCurves as AdjustedCurves,
    BalanceWeights as BalanceWeights,
    EValue as EValue,
)

# Does the marker add anything?
from analysis.robustness.added_value import added_value as added_value, AddedValue as AddedValue

# Missing values
from analysis.robustness.missing import (
    impute_cohort as impute_cohort,
    pool_cox as pool_cox,
    Imputations as Imputations,
    PooledCox as PooledCox,
)

# Measurement error
from analysis.robustness.measurement import (
    Reclassification as Reclassification,
    reclassification as reclassification,
    attenuation as attenuation,
    simulation_extrapolation as simulation_extrapolation,
    Attenuation as Attenuation,
    SimulationExtrapolation as SimulationExtrapolation,
)

# Values that change during follow-up
from analysis.robustness.time_varying import (
    baseline_value as baseline_value,
    start_stop as start_stop,
    check_start_stop as check_start_stop,
)

# Hazards that are not proportional
from analysis.robustness.hazards import (
    proportional_hazards_verdict as proportional_hazards_verdict,
    max_combo as max_combo,
    piecewise_effects as piecewise_effects,
    restricted_mean_curve as restricted_mean_curve,
    Verdict as Verdict,
    MaxCombo as MaxCombo,
    PiecewiseEffects as PiecewiseEffects,
)

# Choices of the analyst
from analysis.robustness.multiverse import cutpoint_multiverse as cutpoint_multiverse, Multiverse as Multiverse

# One site, patient or subgroup
from analysis.robustness.stability import (
    leave_one_out as leave_one_out,
    patient_influence as patient_influence,
    subgroup_effects as subgroup_effects,
)

# --- truth: What follows from the planted truth -------------------------------------------------------------

# What should the estimates be?
from analysis.truth.estimands import (
    true_estimands as true_estimands,
    true_cutpoint_effects as true_cutpoint_effects,
    TrueEstimands as TrueEstimands,
)

# How does a method do where the truth is known?
from analysis.truth.bench.scoring import (
    simulation_study as simulation_study,
    BenchAnswer as BenchAnswer,
    BenchWorld as BenchWorld,
)
from analysis.truth.bench.markers import (
    cutpoint_world as cutpoint_world,
    marker_world as marker_world,
    searched_cut as searched_cut,
    median_split as median_split,
    continuous_marker as continuous_marker,
)
from analysis.truth.bench import run_bench as run_bench, bench_table as bench_table, BENCHES as BENCHES
from analysis.truth.bench.benches import Bench as Bench

# --- present: Tidy frames to figures, tables and pages ------------------------------------------------------

# Figures of survival
from analysis.present.figures import plot_survival as plot_survival, plot_follow_up as plot_follow_up
from analysis.present.figures import plot_cumulative_incidence as plot_cumulative_incidence
from analysis.present.figures import plot_causes as plot_causes, plot_difference_curve as plot_difference_curve

# Figures of models and markers
from analysis.present.figures import (
    plot_forest as plot_forest,
    plot_dose_response as plot_dose_response,
    plot_marker as plot_marker,
    plot_relations as plot_relations,
    plot_cutpoint_scan as plot_cutpoint_scan,
    plot_hazard_ratio_over_time as plot_hazard_ratio_over_time,
)

# Figures of what could fool us
from analysis.present.figures import (
    plot_adjusted as plot_adjusted,
    plot_balance as plot_balance,
    plot_overlap as plot_overlap,
    plot_confounder_bias as plot_confounder_bias,
    plot_missing as plot_missing,
    plot_shifts as plot_shifts,
    plot_extrapolation as plot_extrapolation,
    plot_influence as plot_influence,
    plot_specification_curve as plot_specification_curve,
)

# Figures of a study
from analysis.present.figures import plot_flow as plot_flow, plot_bench as plot_bench

# Style, sizes, axes and files of figures
from analysis.present.canvas import (
    figure_style as figure_style,
    save_figure as save_figure,
    figure_svg as figure_svg,
    breaks_for as breaks_for,
    ONE_COLUMN as ONE_COLUMN,
    TWO_COLUMNS as TWO_COLUMNS,
)

# Tables and numbers as text
from analysis.present.text import (
    display_frame as display_frame,
    baseline_display as baseline_display,
    hazard_ratio_display as hazard_ratio_display,
    survival_display as survival_display,
    html_table as html_table,
    csv_text as csv_text,
    format_number as format_number,
    format_count as format_count,
    format_share as format_share,
    format_p as format_p,
    format_ratio as format_ratio,
    format_time as format_time,
    inline as inline,
)
from analysis.present.figures import bench_display as bench_display
from analysis.present.pages import write_word as write_word
from analysis.present.text.formatting import format_interval as format_interval

# --- study: A plan to results to files ----------------------------------------------------------------------

# How do I run a whole study?
from analysis.study.plan import StudyPlan as StudyPlan
from analysis.study.run import synthetic_plan as synthetic_plan, run_study as run_study, load_truth as load_truth
from analysis.study.report import StudyResults as StudyResults
from analysis.study.outputs import write_outputs as write_outputs

# The cut-point explorer, and the benches' files
from analysis.study.outputs import (
    explorer_frames as explorer_frames,
    explorer_display as explorer_display,
    write_explorer as write_explorer,
)
from analysis.study.report import read_benches as read_benches, write_bench as write_bench

__version__: str
