"""How each public function that takes a cohort, a frame or curves is called with an odd input."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import analysis
from analysis import Column, Cutpoints, Schema
from benchmarks.fuzz_inputs import Draw

CUT = Cutpoints((0.75, 0.9), ("low", "mid", "high"), source="fuzz")
SCHEMA = Schema(
    "patients",
    (
        Column("time", "number", "Follow-up.", unit="months", low=0),
        Column("event", "indicator", "Event."),
        Column("arm", "category", "Arm.", levels=("low", "mid", "high")),
        Column("key", "identifier", "Patient."),
    ),
    key="key",
)


def _covariates(draw: Draw) -> Any:  # noqa: ANN401
    """A list of columns, or a formula."""
    listed = [draw.name["x"], draw.name["z"]]
    return draw.pick(listed, listed, "x + z", "x * arm", "x + s", "log2(x) + z", [draw.name["x"]])


def _adjust(draw: Draw) -> Any:  # noqa: ANN401
    """What is adjusted for in a comparison or beside a marker."""
    return draw.pick([draw.name["z"]], [draw.name["z"], draw.name["s"]], "z")


def _estimated(draw: Draw) -> pd.DataFrame:
    options = {"weights": draw.name["w"]} if draw.rng.random() < 0.3 else {}
    return analysis.kaplan_meier(draw.cohort, draw.endpoint, by=draw.pick(draw.by, draw.by, None), **options)


def _curves(draw: Draw) -> pd.DataFrame:
    return draw.changed(_estimated(draw))


def _counts(draw: Draw) -> pd.DataFrame:
    return draw.changed(analysis.event_counts(draw.cohort, draw.endpoint, by=draw.by))


def _fit(draw: Draw) -> analysis.CoxFit:
    return analysis.fit_cox(draw.cohort, draw.endpoint, _covariates(draw), strata=draw.strata)


def _adjusted(draw: Draw) -> Any:  # noqa: ANN401
    return analysis.adjusted_curves(
        draw.cohort, draw.endpoint, _adjust(draw), by=draw.by, seed=1, n_bootstrap=20,
        method=draw.pick("standardisation", "weighting"),
    )  # fmt: skip


def _in_folder(call: Callable[[Path], object]) -> object:
    with tempfile.TemporaryDirectory() as folder:
        return call(Path(folder))


def _through_file(draw: Draw, suffix: str) -> object:
    def written_and_read(folder: Path) -> object:
        path = folder / f"cohort{suffix}"
        analysis.write_cohort(draw.cohort, path)
        return analysis.read_cohort(path)

    return _in_folder(written_and_read)


def _fit_file(folder: Path, draw: Draw) -> object:
    analysis.write_cohort(draw.cohort, folder / "cohort.parquet")
    return analysis.fit_cox_file(folder / "cohort.parquet", draw.endpoint, [draw.name["x"]], strata=draw.strata)


def _labs(draw: Draw) -> dict[str, Any]:
    """Repeated values: the cohort itself stands for them."""
    return {"key": draw.name["key"], "time": draw.name["entry"], "value": draw.name["x"]}


def _multiverse(draw: Draw) -> Any:  # noqa: ANN401
    return analysis.cutpoint_multiverse(
        draw.cohort, draw.endpoint, draw.name["x"], cutpoints={"one": 0.8}, n_permutations=9, seed=1,
        adjustments={"none": [], "z": _adjust(draw)},
    )  # fmt: skip


def _scan(draw: Draw) -> Any:  # noqa: ANN401
    return analysis.search_cutpoint(
        draw.cohort, draw.endpoint, draw.name["x"], n_permutations=19, n_bootstrap=draw.pick(0, 5), seed=1,
        adjust=draw.pick((), [draw.name["z"]]), strata=draw.strata,
    )  # fmt: skip


def _extrapolated(draw: Draw) -> Any:  # noqa: ANN401
    return analysis.simulation_extrapolation(
        draw.cohort, draw.endpoint, draw.name["x"], adjust=draw.pick((), [draw.name["z"]]), n_simulations=5, seed=1
    )


def _plot_over_time(draw: Draw) -> object:
    fit = _fit(draw)
    term = fit.terms[0]
    smooth = analysis.coefficient_over_time(fit, term)
    residuals = analysis.cox_residuals(fit, "scaled-schoenfeld")[["time", term]].set_axis(["time", "residual"], axis=1)
    return analysis.plot_hazard_ratio_over_time(smooth, residuals, constant=float(fit.coef[0]))


def _plot_adjusted(draw: Draw) -> object:
    crude = analysis.kaplan_meier(draw.cohort, draw.endpoint, by=draw.by)
    return analysis.plot_adjusted(_adjusted(draw).curves, crude)


def _plot_difference(draw: Draw) -> object:
    curve = analysis.restricted_mean_curve(_estimated(draw), n_draws=100, seed=1)
    return analysis.plot_difference_curve(curve)


def _influence(draw: Draw) -> pd.DataFrame:
    fit = _fit(draw)
    return analysis.patient_influence(
        draw.cohort, fit, fit.terms[0], n_refitted=2, key=draw.pick(None, draw.name["key"])
    )


CALLS: dict[str, Callable[[Draw], object]] = {
    "added_value": lambda d: analysis.added_value(
        d.cohort, d.endpoint, [d.name["z"]], d.name["x"], times=d.pick(3, [2, 5]), n_bootstrap=d.pick(0, 5), seed=1,
        strata=d.strata, search_cut=d.pick(True, False),
    ),
    "add_counts": lambda d: analysis.add_counts(_counts(d), _counts(d)),
    "adjusted_curves": _adjusted,
    "adjusted_logrank": lambda d: analysis.adjusted_logrank(d.cohort, d.endpoint, _adjust(d), by=d.by),
    "adjusted_restricted_mean": lambda d: analysis.adjusted_restricted_mean(_adjusted(d), d.pick(1, 3.5, 99)),
    "adjusted_survival_difference": lambda d: analysis.adjusted_survival_difference(_adjusted(d), d.pick(1, 3.5, 99)),
    "attenuation": lambda d: analysis.attenuation(d.cohort, d.endpoint, d.name["x"], n_draws=20, seed=1),
    "balance_weights": lambda d: analysis.balance_weights(d.cohort, _adjust(d), by=d.by, truncate=d.pick(None, 0.05)),
    "baseline_display": lambda d: analysis.baseline_display(analysis.baseline_table(d.cohort, by=d.by)),
    "baseline_hazard": lambda d: analysis.baseline_hazard(_fit(d)),
    "baseline_table": lambda d: analysis.baseline_table(
        d.cohort, by=d.by, columns=d.pick(None, [d.name["x"], d.name["arm"], d.name["time"]])
    ),
    "baseline_value": lambda d: analysis.baseline_value(d.cohort, d.cohort, **_labs(d), up_to=d.pick(99, None)),
    "bootstrap_cox": lambda d: analysis.bootstrap_cox(
        d.cohort, d.endpoint, _covariates(d), n_bootstrap=39, seed=1, strata=d.strata, ties=d.pick("efron", "breslow")
    ),
    "check_start_stop": lambda d: analysis.check_start_stop(
        d.cohort, d.late, key=d.name[d.pick("key", "arm")]
    ),
    "coefficient_over_time": lambda d: (lambda fit: analysis.coefficient_over_time(fit, fit.terms[0]))(_fit(d)),
    "compare_models": lambda d: analysis.compare_models(
        analysis.fit_cox(d.cohort, d.endpoint, [d.name["z"]]), _fit(d), weighting=d.pick("harrell", "uno")
    ),
    "concordance": lambda d: analysis.concordance(
        d.cohort, d.endpoint, d.name["x"], weighting=d.pick("harrell", "uno"), weights=d.pick(None, d.name["w"])
    ),
    "convert_magnesium": lambda d: analysis.convert_magnesium(
        d.cohort.get(d.name["x"], []), unit="mg/dL"
    ),
    "covariate_balance": lambda d: analysis.covariate_balance(d.cohort, _adjust(d), by=d.by),
    "cox_residuals": lambda d: analysis.cox_residuals(
        _fit(d), d.pick("martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta")
    ),
    "csv_text": lambda d: analysis.csv_text(d.cohort),
    "cumulative_incidence": lambda d: analysis.cumulative_incidence(d.cohort, d.causes, by=d.pick(None, d.by)),
    "cutpoint_multiverse": _multiverse,
    "display_frame": lambda d: analysis.display_frame(d.pick(d.cohort, _estimated(d))),
    "dose_response": lambda d: analysis.dose_response(
        d.cohort, d.endpoint, d.name["x"], knots=d.pick(3, 4), adjust=d.pick((), _adjust(d)), strata=d.strata
    ),
    "endpoint_from_adtte": lambda d: analysis.endpoint_from_adtte(d.cohort, "OS"),
    "event_counts": _counts,
    "fit_cox": lambda d: analysis.fit_cox(
        d.cohort, d.endpoint, _covariates(d), strata=d.strata, ties=d.pick("efron", "breslow", "exact"),
        cluster=d.pick(None, None, d.name["key"]), weights=d.pick(None, None, d.name["w"]),
    ),
    "fit_cox_counts": lambda d: analysis.fit_cox_counts(
        d.cohort.assign(n=1 + np.arange(len(d.cohort)) % 3), d.endpoint, _covariates(d)
    ),
    "fit_cox_file": lambda d: _in_folder(lambda folder: _fit_file(folder, d)),
    "fit_fine_gray": lambda d: analysis.fit_fine_gray(d.cohort, d.causes, _covariates(d), cause="death"),
    "gray_test": lambda d: analysis.gray_test(d.cohort, d.causes, by=d.by, cause="death"),
    "hazard_ratios": lambda d: analysis.hazard_ratios(_fit(d)),
    "html_table": lambda d: analysis.html_table(d.cohort, caption="odd"),
    "impute_cohort": lambda d: analysis.impute_cohort(
        d.cohort, d.endpoint, [d.name["x"]], predictors=d.pick([d.name["z"]], [d.name["arm"], d.name["s"]]),
        n_imputations=2, seed=1,
    ),
    "join_cohorts": lambda d: analysis.join_cohorts(d.cohort, d.cohort, key=d.name["key"]),
    "kaplan_meier": lambda d: analysis.kaplan_meier(
        d.cohort, d.endpoint, by=d.by, weights=d.pick(None, d.name["w"]), engine=d.pick("auto", "kernel")
    ),
    "kaplan_meier_from_counts": lambda d: analysis.kaplan_meier_from_counts(_counts(d)),
    "landmark": lambda d: analysis.landmark(d.cohort, d.endpoint, d.pick(0, 3, 1e300)),
    "leave_one_out": lambda d: analysis.leave_one_out(d.cohort, d.endpoint, _covariates(d), by=d.by),
    "logrank_test": lambda d: analysis.logrank_test(
        d.cohort, d.endpoint, by=d.by, strata=d.strata, weighting=d.pick("logrank", "peto", "tarone-ware")
    ),
    "logrank_test_from_counts": lambda d: analysis.logrank_test_from_counts(_counts(d), _counts(d)),
    "logrank_trend": lambda d: analysis.logrank_trend(d.cohort, d.endpoint, by=d.by),
    "max_combo": lambda d: analysis.max_combo(d.cohort, d.endpoint, by=d.name[d.pick("s", "arm")]),
    "incidence_rates": lambda d: analysis.incidence_rates(d.cohort, d.endpoint, by=d.pick(None, d.by)),
    "median_follow_up": lambda d: analysis.median_follow_up(d.cohort, d.endpoint, by=d.pick(None, d.by)),
    "pairwise_logrank": lambda d: analysis.pairwise_logrank(d.cohort, d.endpoint, by=d.by),
    "patient_influence": _influence,
    "permutation_logrank": lambda d: analysis.permutation_logrank(
        d.cohort, d.endpoint, by=d.by, n_permutations=19, seed=1, strata=d.strata
    ),
    "piecewise_effects": lambda d: analysis.piecewise_effects(
        d.cohort, d.endpoint, d.name["x"], cuts=[5], adjust=d.pick((), _adjust(d)), strata=d.strata
    ),
    "pilot_assumptions": lambda d: analysis.pilot_assumptions(_fit(d), _curves(d)),
    "plot_adjusted": _plot_adjusted,
    "plot_balance": lambda d: analysis.plot_balance(

            analysis.covariate_balance(
                d.cohort, _adjust(d), by=d.by, weights=analysis.balance_weights(d.cohort, _adjust(d), by=d.by)
            )

    ),
    "plot_cumulative_incidence": lambda d: analysis.plot_cumulative_incidence(
        analysis.cumulative_incidence(d.cohort, d.causes, by=d.pick(None, d.by))
    ),
    "plot_cutpoint_scan": lambda d: (lambda s: analysis.plot_cutpoint_scan((s.scan), cut=s.cut))(_scan(d)),
    "plot_difference_curve": _plot_difference,
    "plot_dose_response": lambda d: analysis.plot_dose_response(
        analysis.dose_response(d.cohort, d.endpoint, d.name["x"], knots=3).curve
    ),
    "plot_follow_up": lambda d: analysis.plot_follow_up(_estimated(d)),
    "plot_hazard_ratio_over_time": _plot_over_time,
    "plot_influence": lambda d: analysis.plot_influence(_influence(d)),
    "plot_marker": lambda d: analysis.plot_marker(
        d.cohort, d.name["x"], analysis.cutpoint_table(CUT), hue=d.pick(None, d.name["arm"])
    ),
    "plot_overlap": lambda d: analysis.plot_overlap(
        analysis.balance_weights(d.cohort, _adjust(d), by=d.by).propensity
    ),
    "plot_relations": lambda d: analysis.plot_relations(d.cohort, d.name["x"], [d.name["z"], d.name["arm"]]),
    "plot_specification_curve": lambda d: (
        lambda m: analysis.plot_specification_curve((m.curve), m.grid, median=m.median_hazard_ratio)
    )(_multiverse(d)),
    "plot_survival": lambda d: analysis.plot_survival(_estimated(d)),
    "pool_cox": lambda d: analysis.pool_cox([_fit(d), _fit(d)]),
    "predict_quantile": lambda d: analysis.predict_quantile(_fit(d), d.changed(d.cohort)),
    "predict_survival": lambda d: analysis.predict_survival(_fit(d), d.changed(d.cohort), [0, 3.5, 99]),
    "proportional_hazards_test": lambda d: analysis.proportional_hazards_test(
        _fit(d), transform=d.pick("km", "identity", "rank", "log")
    ),
    "quantile_cutpoints": lambda d: analysis.quantile_cutpoints(
        d.pick(d.cohort.get(d.name["x"], []), d.cohort, d.cohort.to_numpy()), d.pick(2, 4)
    ),
    "read_cohort": lambda d: _through_file(d, d.pick(".csv", ".parquet", ".xlsx")),
    "reclassification": lambda d: analysis.reclassification(d.cohort, CUT, marker=d.name["x"], n_draws=20, seed=1),
    "restricted_mean": lambda d: analysis.restricted_mean(_curves(d), d.pick(1, 3.5, 99), extend=d.pick(True, False)),
    "restricted_mean_curve": lambda d: analysis.restricted_mean_curve(_curves(d), n_draws=100, seed=1),
    "restricted_mean_difference": lambda d: analysis.restricted_mean_difference(_curves(d), d.pick(1, 3.5)),
    "risk_table": lambda d: analysis.risk_table(d.cohort, d.endpoint, times=[0, 5, 1e9], by=d.pick(None, d.by)),
    "risk_table_from_counts": lambda d: analysis.risk_table_from_counts(_counts(d), times=[0, 5]),
    "search_cutpoint": _scan,
    "search_cutpoints": lambda d: analysis.search_cutpoints(
        d.cohort, d.endpoint, d.name["x"], n_permutations=19, seed=1
    ),
    "simulation_extrapolation": _extrapolated,
    "start_stop": lambda d: analysis.start_stop(d.cohort, d.cohort, d.endpoint, **_labs(d)),
    "stratify": lambda d: analysis.stratify(d.cohort, CUT, marker=d.name["x"]),
    "subgroup_effects": lambda d: analysis.subgroup_effects(
        d.cohort, d.endpoint, d.name["x"], subgroups=[d.name["arm"], d.name["s"]], adjust=d.pick((), _adjust(d))
    ),
    "proportional_hazards_verdict": lambda d: analysis.proportional_hazards_verdict(
        d.changed(analysis.piecewise_effects(d.cohort, d.endpoint, d.name["x"], cuts=[5]).periods),
        score_p_value=0.5, period_p_value=0.5,
    ),
    "survival_at": lambda d: analysis.survival_at(_curves(d), [0, 3.5, 99], extend=d.pick(True, False)),
    "survival_difference": lambda d: analysis.survival_difference(_curves(d), d.pick(0, 3.5, 99)),
    "survival_quantile": lambda d: analysis.survival_quantile(_curves(d), d.pick(0.1, 0.5, 0.9)),
    "time_from_dates": lambda d: analysis.time_from_dates(
        *(d.cohort.get(d.name[role], []) for role in ("entry", "time"))
    ),
    "validate_cohort": lambda d: analysis.validate_cohort(d.cohort, SCHEMA),
    "write_cohort": lambda d: _in_folder(
        lambda folder: analysis.write_cohort(d.cohort, folder / f"cohort{d.pick('.csv', '.parquet', '.xlsx')}")
    ),
}  # fmt: skip

NOT_CALLED = {
    "takes numbers, text or a design, no rows": (
        "breaks_for", "clinical_cutpoints", "confounder_bias", "cutpoint_table", "cutpoint_world", "e_value",
        "figure_style", "figure_svg", "format_count", "format_interval", "format_number", "format_p",
        "format_ratio", "format_share", "format_time", "inline", "load_cohort", "load_example", "load_labs",
        "load_truth", "marker_world", "plan_study", "read_benches", "run_bench", "save_figure",
        "simulate_cohort", "simulation_study", "synthetic_plan", "true_cutpoint_effects", "true_estimands",
        "write_word",
    ),
    "takes what a study or a bench made": (
        "bench_display", "bench_table", "continuous_marker", "explorer_display", "explorer_frames",
        "hazard_ratio_display", "median_split", "plot_bench", "plot_causes", "plot_confounder_bias",
        "plot_extrapolation", "plot_flow", "plot_forest", "plot_missing", "plot_shifts", "run_study",
        "searched_cut", "survival_display", "write_bench", "write_explorer", "write_outputs",
    ),
}  # fmt: skip
