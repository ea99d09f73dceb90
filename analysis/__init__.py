"""Magnesium & Immunotherapy Survival: an illustrative survival-analysis lab on a synthetic cohort.

Every public function is importable from here; the module that holds it is imported when it is first asked for, so that
``import analysis`` itself imports no third-party package.

Examples
--------
>>> from analysis import clinical_cutpoints
>>> clinical_cutpoints("nhanes-1").edges
(0.75, 0.95)
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_MODULES: dict[str, tuple[str, ...]] = {
    "errors": (
        "InputError", "CohortError", "PlanError", "NotEstimable", "NotSupported", "AnalysisWarning", "RowsDropped",
        "SuspiciousValues", "EmptyStratum", "SmallStratum", "TiedEdges", "TiedKnots", "FewEvents", "NotComputed",
        "ManyTies", "Separation", "RobustErrors", "EarlyZero", "BeyondFollowUp", "ValueUnknown", "FollowUpGaps",
        "NotWritten", "PackageFault", "PartFailed",
        "MuchMissing", "ExtremeWeights", "NoOverlap", "FailedDraws", "LowReliability",
    ),
    "cohort.columns": ("Endpoint", "CompetingEndpoint", "OVERALL_SURVIVAL", "PROGRESSION_FREE_SURVIVAL"),
    "cohort.units": ("convert_magnesium",),
    "cohort.rules.schema": ("Column", "Schema"),
    "cohort.synthetic.dictionary": ("ADJUSTMENT", "COHORT_SCHEMA", "LABS_SCHEMA"),
    "cohort.reading.files": ("read_cohort", "write_cohort"),
    "cohort.dates": ("time_from_dates",),
    "cohort.reading.validation": ("validate_cohort",),
    "cohort.reading.examples": ("load_cohort", "load_labs", "load_example"),
    "cohort.synthetic.design": ("CohortDesign",),
    "cohort.synthetic.simulation": ("SyntheticCohort", "simulate_cohort"),
    "strata.cutpoints": ("Cutpoints", "clinical_cutpoints", "cutpoint_table"),
    "strata.quantiles": ("quantile_cutpoints",),
    "strata.groups": ("stratify",),
    "strata.dose_response": ("DoseResponse", "dose_response"),
    "strata.search.one_cut": ("CutpointSearch", "search_cutpoint"),
    "strata.search.several_cuts": ("CutpointsSearch", "search_cutpoints"),
    "survival.incidence_rates": ("incidence_rates",),
    "survival.curves.kaplan_meier": ("kaplan_meier",),
    "survival.curves.risk_table": ("risk_table",),
    "survival.registry.event_counts": ("add_counts", "event_counts"),
    "survival.registry.from_counts": ("kaplan_meier_from_counts", "logrank_test_from_counts", "risk_table_from_counts"),
    "survival.curves.milestones": ("survival_at", "survival_quantile", "survival_difference", "median_follow_up"),
    "survival.curves.restricted_means": ("restricted_mean", "restricted_mean_difference"),
    "survival.group_tests.logrank": ("LogRank", "logrank_test", "logrank_trend"),
    "survival.group_tests.pairwise": ("pairwise_logrank",),
    "survival.cox.bootstrap": ("BootstrapCox", "bootstrap_cox"),
    "survival.group_tests.permutation": ("PermutationLogRank", "permutation_logrank"),
    "survival.curves.landmarks": ("landmark",),
    "survival.competing.incidence_and_gray": ("cumulative_incidence", "gray_test"),
    "survival.competing.fine_gray": ("fit_fine_gray",),
    "survival.cox.fit": ("CoxFit", "fit_cox", "hazard_ratios"),
    "survival.registry.cox_counts": ("fit_cox_counts",),
    "survival.registry.cox_file": ("fit_cox_file",),
    "survival.cox.baseline": ("baseline_hazard",),
    "survival.cox.residuals": ("cox_residuals",),
    "survival.cox.proportional_hazards": ("proportional_hazards_test", "coefficient_over_time"),
    "survival.concordance": ("Concordance", "concordance"),
    "survival.baseline_table": ("baseline_table",),
    "robustness.measurement.reclassification": ("Reclassification", "reclassification"),
    "robustness.measurement.attenuation": ("Attenuation", "attenuation"),
    "robustness.measurement.simex": ("SimulationExtrapolation", "simulation_extrapolation"),
    "robustness.missing.imputation": ("Imputations", "impute_cohort"),
    "robustness.stability.influence": ("leave_one_out", "patient_influence"),
    "robustness.missing.pooling": ("PooledCox", "pool_cox"),
    "robustness.multiverse.multiverse": ("Multiverse", "cutpoint_multiverse"),
    "robustness.confounding.weights": ("BalanceWeights", "balance_weights"),
    "robustness.confounding.balance": ("covariate_balance",),
    "robustness.confounding.adjusted_curves": ("AdjustedCurves", "adjusted_curves"),
    "robustness.confounding.adjusted_means": (
        "AdjustedMeans", "adjusted_restricted_mean", "adjusted_survival_difference",
    ),
    "robustness.confounding.adjusted_logrank": ("adjusted_logrank",),
    "robustness.confounding.e_value": ("EValue", "confounder_bias", "e_value"),
    "robustness.time_varying.samples": ("baseline_value",),
    "robustness.hazards.restricted_mean_curve": ("restricted_mean_curve",),
    "robustness.hazards.max_combo": ("MaxCombo", "max_combo"),
    "robustness.hazards.verdict": ("Verdict", "proportional_hazards_verdict"),
    "robustness.hazards.piecewise": ("PiecewiseEffects", "piecewise_effects"),
    "robustness.stability.subgroups": ("subgroup_effects",),
    "robustness.time_varying.start_stop": ("check_start_stop", "start_stop"),
    "truth.estimands": ("TrueEstimands", "true_cutpoint_effects", "true_estimands"),
    "present.canvas.style": ("ONE_COLUMN", "TWO_COLUMNS"),
    "present.canvas.files": ("save_figure", "figure_svg"),
    "present.canvas.axes": ("breaks_for",),
    "present.figures.survival.curves": ("plot_survival", "plot_follow_up"),
    "present.figures.causes": ("plot_causes",),
    "present.figures.flow": ("plot_flow",),
    "present.figures.forest": ("plot_forest",),
    "present.figures.marker": ("plot_marker",),
    "present.figures.dose_response": ("plot_dose_response",),
    "present.figures.cutpoint_scan": ("plot_cutpoint_scan",),
    "present.figures.specification": ("plot_specification_curve",),
    "present.figures.relations": ("plot_relations",),
    "present.figures.difference_curve": ("plot_difference_curve",),
    "present.figures.hazards": ("plot_hazard_ratio_over_time",),
    "present.growth": ("plot_growth",),
    "present.figures.missing": ("plot_missing",),
    "present.figures.love": ("plot_balance",),
    "present.figures.overlap": ("plot_overlap",),
    "present.figures.adjusted": ("plot_adjusted",),
    "present.figures.bias": ("plot_confounder_bias",),
    "present.figures.shifts": ("plot_shifts",),
    "present.figures.extrapolation": ("plot_extrapolation",),
    "present.figures.influence": ("plot_influence",),
    "present.text.words": (
        "format_number", "format_count", "format_share", "format_p", "format_interval", "format_ratio", "format_time",
        "inline",
    ),
    "present.text.tables": ("display_frame", "baseline_display", "html_table", "csv_text"),
    "present.text.journal": ("hazard_ratio_display", "survival_display"),
    "present.pages.word": ("write_word",),
    "truth.bench.scoring": ("BenchAnswer", "BenchWorld", "simulation_study"),
    "truth.bench.benches": ("BENCHES", "Bench", "run_bench"),
    "truth.bench.worlds": ("marker_world",),
    "truth.bench.table": ("bench_table",),
    "present.figures.bench": ("bench_display", "plot_bench"),
    "study.report.bench_files": ("read_benches", "write_bench"),
    "truth.bench.cutpoints": ("cutpoint_world", "searched_cut", "median_split", "continuous_marker"),
    "study.plan.plan": ("StudyPlan",),
    "study.report.results": ("StudyResults",),
    "study.run": ("run_study", "synthetic_plan", "load_truth"),
    "study.outputs.write": ("write_outputs",),
    "study.explorer.explorer": ("explorer_display", "explorer_frames", "write_explorer"),
}  # fmt: skip

_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    """The public name, from the module that holds it."""
    if name not in _HOME:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    value = getattr(import_module(f"analysis.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name."""
    return sorted({*globals(), *__all__})
