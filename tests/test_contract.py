"""The public interface: names, parameters, columns, and the conventions that every function keeps."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import CompetingEndpoint, Endpoint, RowsDropped

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

# The least that each takes: further parameters are by name only and have defaults.
SIGNATURES = {
    "Endpoint": "duration, event, *, entry=None, label='', time_unit='months'",
    "CompetingEndpoint": "duration, status, *, causes, label='', time_unit='months'",
    "convert_magnesium": "values, *, unit, to='mmol/L'",
    "simulate_cohort": "design=CohortDesign(), *, seed",
    "true_estimands": "design, *, n=1_000_000, seed",
    "load_cohort": "",
    "load_example": "name",
    "read_cohort": "path, *, schema=None, sep=None, decimal='.', encoding=None, sheet=None, event_codes=None,"
    " units=None",
    "time_from_dates": "start, end, *, unit='months'",
    "write_cohort": "cohort, path",
    "validate_cohort": "cohort, schema",
    "Cutpoints": "edges, labels, *, unit='', source, rule='clinical', closed='left'",
    "clinical_cutpoints": "name='nhanes-1'",
    "quantile_cutpoints": "values, n_groups",
    "stratify": "cohort, cutpoints, *, marker, into='stratum'",
    "kaplan_meier": "cohort, endpoint, *, by=None, weights=None, conf_level=0.95, conf_type='log-log', engine='auto'",
    "risk_table": "cohort, endpoint, *, times, by=None",
    "event_counts": "source, endpoint, *, by=None",
    "kaplan_meier_from_counts": "counts, *, conf_level=0.95, conf_type='log-log'",
    "risk_table_from_counts": "counts, *, times",
    "survival_at": "curves, times, *, extend=False",
    "survival_quantile": "curves, probability=0.5",
    "survival_difference": "curves, time, *, conf_level=0.95",
    "incidence_rates": "cohort, endpoint, *, by=None, per=1.0, conf_level=0.95",
    "median_follow_up": "cohort, endpoint, *, by=None, conf_level=0.95, conf_type='log-log'",
    "restricted_mean": "curves, horizon, *, extend=False, conf_level=0.95",
    "restricted_mean_difference": "curves, horizon, *, extend=False, conf_level=0.95",
    "logrank_test": "cohort, endpoint, *, by, strata=None, weighting='logrank', rho=0.0, gamma=0.0",
    "pairwise_logrank": "cohort, endpoint, *, by, adjust='holm'",
    "bootstrap_cox": "cohort, endpoint, covariates, *, n_bootstrap, seed, strata=None, cluster=None, ties='efron',"
    " conf_level=0.95",
    "permutation_logrank": "cohort, endpoint, *, by, n_permutations, seed, strata=None",
    "logrank_trend": "cohort, endpoint, *, by, scores=None",
    "landmark": "cohort, endpoint, at",
    "start_stop": "cohort, labs, endpoint, *, key, time, value",
    "check_start_stop": "rows, endpoint, *, key",
    "baseline_value": "cohort, labs, *, key, time, value, up_to=None",
    "restricted_mean_curve": "curves, *, horizons=None, n_draws=10_000, seed, conf_level=0.95",
    "max_combo": "cohort, endpoint, *, by, strata=None",
    "piecewise_effects": "cohort, endpoint, marker, *, cuts, adjust=(), strata=None, conf_level=0.95",
    "subgroup_effects": "cohort, endpoint, marker, *, subgroups, adjust=(), strata=None, conf_level=0.95",
    "fit_cox": "cohort, endpoint, covariates, *, ties='efron', strata=None, cluster=None, weights=None, robust=False,"
    " engine='auto'",
    "fit_cox_counts": "counts, endpoint, covariates, *, count='n', strata=None, ties='efron'",
    "fit_cox_file": "path, endpoint, covariates, *, strata=None, ties='efron', chunk_rows=500_000",
    "hazard_ratios": "fit, *, conf_level=0.95",
    "baseline_hazard": "fit",
    "proportional_hazards_test": "fit, *, transform='km'",
    "cox_residuals": "fit, kind",
    "concordance": "cohort, endpoint, score, *, weighting='harrell'",
    "cumulative_incidence": "cohort, endpoint, *, by=None, conf_level=0.95, conf_type='log-log'",
    "gray_test": "cohort, endpoint, *, by, cause",
    "fit_fine_gray": "cohort, endpoint, covariates, *, cause",
    "baseline_table": "cohort, *, by, columns=None",
    "impute_cohort": "cohort, endpoint, columns, *, predictors, strata=None, n_imputations=20, delta=0.0, seed",
    "pool_cox": "fits, *, conf_level=0.95",
    "leave_one_out": "cohort, endpoint, covariates, *, by, strata=None",
    "patient_influence": "cohort, fit, term, *, key=None",
    "simulation_extrapolation": "cohort, endpoint, marker, *, adjust=(), strata=None, n_simulations=100, seed",
    "balance_weights": "cohort, covariates, *, by, stabilised=True, truncate=None",
    "covariate_balance": "cohort, covariates, *, by, weights=None",
    "adjusted_curves": "cohort, endpoint, covariates, *, by, method='standardisation', strata=None, times=None,"
    " n_bootstrap=500, seed, conf_level=0.95, truncate=None",
    "adjusted_restricted_mean": "adjusted, horizon, *, conf_level=0.95",
    "adjusted_survival_difference": "adjusted, time, *, conf_level=0.95",
    "adjusted_logrank": "cohort, endpoint, covariates, *, by, strata=None, truncate=None",
    "e_value": "hazard_ratio, *, conf_low=None, conf_high=None, outcome='common'",
    "confounder_bias": "hazard_ratio, *, outcome='common'",
    "plot_survival": "curves, *, risk=None, ax=None",
    "run_study": "plan",
    "simulation_study": "worlds, methods, *, n_replicates, seed",
    "run_bench": "name, *, n_replicates=None, seed=None, progress=None",
    "bench_table": "scores",
    "plot_bench": "table",
    "write_bench": "scores, directory, *, name, n_replicates=None, seed=None",
    "marker_world": "name, design, *, seed",
    "write_outputs": "results, directory",
    "write_word": "tables, path, *, title, banner=''",
    "survival_display": "table, *, time_unit",
    "hazard_ratio_display": "table, *, conf_level=0.95",
    "explorer_frames": "study",
    "write_explorer": "study, path, *, report=''",
    "explorer_display": "study, *, height=900",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name: str) -> None:
    wanted = inspect.signature(
        eval(f"lambda {SIGNATURES[name]}: None", vars(analysis) | {"CohortDesign": analysis.CohortDesign})
    )
    found = inspect.signature(getattr(analysis, name)).parameters
    by_place = [item.name for item in found.values() if item.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert by_place == [
        item.name for item in wanted.parameters.values() if item.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    for item in wanted.parameters.values():
        assert found[item.name].kind is item.kind, item
        if (name, item.name) != ("CompetingEndpoint", "causes"):
            assert found[item.name].default == item.default, item
    for extra in set(found) - set(wanted.parameters):
        assert found[extra].default is not inspect.Parameter.empty, extra


def test_defaults_that_are_made_anew() -> None:
    assert dict(CompetingEndpoint("t", "s").causes) == {1: "progression", 2: "death"}
    assert callable(analysis.StudyPlan.from_toml)


PLAIN, LATE = Endpoint("time", "event"), Endpoint("time", "event", entry="entry")
CAUSES = CompetingEndpoint("time", "status")
CURVE = "stratum time n_risk n_event n_censor survival std_error conf_low conf_high"
PAIR = "stratum_a stratum_b"
NORMAL = "difference std_error conf_low conf_high statistic p_value"


def sample(n: int = 80) -> pd.DataFrame:
    """A cohort with ties, late entry, three groups in an order of their own, and nothing missing."""
    rng = np.random.default_rng(7)
    entry = rng.integers(0, 3, n).astype(float)
    event = rng.random(n) < 0.7
    return pd.DataFrame(
        {
            "time": entry + rng.integers(1, 20, n),
            "event": event.astype(int),
            "entry": entry,
            "status": np.where(event, rng.integers(1, 3, n), 0),
            "arm": pd.Categorical(rng.choice(["low", "mid", "high"], n), categories=["low", "mid", "high"]),
            "s": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "z": rng.integers(0, 2, n).astype(float),
            "w": rng.uniform(0.3, 3, n).round(2),
        }
    )


def curves(rows: pd.DataFrame, **options) -> pd.DataFrame:
    return analysis.kaplan_meier(rows, PLAIN, by="arm", **options)


def fit(rows: pd.DataFrame, **options) -> analysis.CoxFit:
    return analysis.fit_cox(rows, PLAIN, ["x", "z"], **options)


# What returns a frame straight from a cohort, with its columns.
FROM_COHORT: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "kaplan_meier": (curves, f"{CURVE} conf_type conf_level"),
    "kaplan_meier weighted": (lambda rows: curves(rows, weights="w"), f"{CURVE} conf_type conf_level"),
    "kaplan_meier late": (lambda rows: analysis.kaplan_meier(rows, LATE), f"{CURVE} conf_type conf_level"),
    "risk_table": (
        lambda rows: analysis.risk_table(rows, PLAIN, times=[0, 5, 99], by="arm"),
        "stratum time n_risk n_event n_censor",
    ),
    "event_counts": (
        lambda rows: analysis.event_counts(rows, LATE, by="arm"),
        "stratum time n_entry n_event n_censor",
    ),
    "kaplan_meier_from_counts": (
        lambda rows: analysis.kaplan_meier_from_counts(analysis.event_counts(rows, LATE, by="arm")),
        f"{CURVE} conf_type conf_level",
    ),
    "risk_table_from_counts": (
        lambda rows: analysis.risk_table_from_counts(analysis.event_counts(rows, LATE, by="arm"), times=[0, 5, 99]),
        "stratum time n_risk n_event n_censor",
    ),
    "median_follow_up": (
        lambda rows: analysis.median_follow_up(rows, PLAIN, by="arm"),
        "stratum median conf_low conf_high",
    ),
    "pairwise_logrank": (
        lambda rows: analysis.pairwise_logrank(rows, PLAIN, by="arm"),
        f"{PAIR} statistic p_value p_adjusted",
    ),
    "cumulative_incidence": (
        lambda rows: analysis.cumulative_incidence(rows, CAUSES, by="arm"),
        "stratum cause time incidence std_error conf_low conf_high",
    ),
    "baseline_table": (
        lambda rows: analysis.baseline_table(rows, by="arm", columns=["x", "z"]),
        "variable level stratum",
    ),
    "landmark": (lambda rows: analysis.landmark(rows, PLAIN, 3), " ".join(sample().columns)),
}
# What returns a frame from curves or from a fit.
FROM_RESULT: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "survival_at": (
        lambda rows: analysis.survival_at(curves(rows), [0, 0.5, 8, 99]),
        "stratum time n_risk survival std_error conf_low conf_high",
    ),
    "survival_quantile": (
        lambda rows: analysis.survival_quantile(curves(rows)),
        "stratum probability time conf_low conf_high",
    ),
    "survival_difference": (lambda rows: analysis.survival_difference(curves(rows), 8), f"{PAIR} time {NORMAL}"),
    "restricted_mean": (
        lambda rows: analysis.restricted_mean(curves(rows), 8),
        "stratum restricted_mean std_error conf_low conf_high",
    ),
    "restricted_mean_difference": (
        lambda rows: analysis.restricted_mean_difference(curves(rows), 8),
        f"{PAIR} {NORMAL} ratio ratio_conf_low ratio_conf_high",
    ),
    "coefficients": (
        lambda rows: fit(rows).coefficients,
        "term coef std_error robust_std_error statistic p_value",
    ),
    "hazard_ratios": (
        lambda rows: analysis.hazard_ratios(fit(rows)),
        "term hazard_ratio conf_low conf_high statistic p_value",
    ),
    "baseline_hazard": (lambda rows: analysis.baseline_hazard(fit(rows)), "time cumulative_hazard"),
    "proportional_hazards_test": (
        lambda rows: analysis.proportional_hazards_test(fit(rows)),
        "term statistic df p_value",
    ),
    "groups": (
        lambda rows: analysis.logrank_test(rows, PLAIN, by="arm").groups,
        "stratum n observed expected",
    ),
} | {
    f"cox_residuals {kind}": (lambda rows, kind=kind: analysis.cox_residuals(fit(rows), kind), columns)
    for kind, columns in {
        "martingale": "residual", "deviance": "residual", "score": "x z", "dfbeta": "x z",
        "schoenfeld": "time x z", "scaled-schoenfeld": "time x z",
    }.items()
}  # fmt: skip
FRAMES = FROM_COHORT | FROM_RESULT


@quiet
@pytest.mark.parametrize("name", FRAMES)
def test_columns_in_order_no_infinity_and_inputs_as_they_were(name: str) -> None:
    make, columns = FRAMES[name]
    rows = sample()
    frame = make(rows)
    assert list(frame.columns[: len(columns.split())]) == columns.split()
    assert not np.isinf(frame.select_dtypes("number").to_numpy(float)).any()
    pd.testing.assert_frame_equal(rows, sample())


def with_gaps() -> pd.DataFrame:
    """The cohort with a missing value in five rows, each in another column."""
    rows = sample().astype({"event": "Int64", "status": "Int64"})
    for place, name in enumerate(["time", "event", "status", "arm", "entry", "w"]):
        rows.loc[place, name] = None
    return rows


@pytest.mark.parametrize("name", FROM_COHORT)
def test_a_frame_says_once_what_was_dropped(name: str) -> None:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        FROM_COHORT[name][0](with_gaps())
    (dropped,) = (warning.message for warning in found if issubclass(warning.category, RowsDropped))
    assert dropped.n_read == 80
    assert dropped.n_used == 80 - sum(dropped.dropped.values()) < 80
    assert all(reason.startswith("missing ") for reason in dropped.dropped)


RESULTS: dict[str, Callable[[pd.DataFrame], object]] = {
    "LogRank": lambda rows: analysis.logrank_test(rows, PLAIN, by="arm"),
    "LogRank trend": lambda rows: analysis.logrank_trend(rows, PLAIN, by="arm"),
    "LogRank gray": lambda rows: analysis.gray_test(rows, CAUSES, by="arm", cause="death"),
    "CoxFit": lambda rows: analysis.fit_cox(rows, PLAIN, "x + arm"),
    "CoxFit fine-gray": lambda rows: analysis.fit_fine_gray(rows, CAUSES, "x + arm", cause="death"),
    "Concordance": lambda rows: analysis.concordance(rows, PLAIN, "x"),
}


@quiet
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_frozen_and_carries_its_account(name: str) -> None:
    rows = with_gaps()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = RESULTS[name](rows)
    (said,) = (warning.message for warning in found if issubclass(warning.category, RowsDropped))
    assert (said.n_read, said.n_used, said.dropped) == (80, result.n_used, result.dropped)
    assert result.n_read == 80
    assert result.n_used == 80 - sum(result.dropped.values()) < 80
    assert isinstance(result.warnings, tuple)
    assert [str(warning.message) for warning in found] == [str(warning) for warning in result.warnings]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'n_used'"):
        result.n_used = 0
    pd.testing.assert_frame_equal(rows, with_gaps())


@quiet
def test_fields_of_results() -> None:
    rows = sample()
    test, model = analysis.logrank_test(rows, PLAIN, by="arm"), fit(rows)
    assert test.df == 2
    assert test.log10_p == pytest.approx(np.log10(test.p_value))
    assert (model.n, model.n_event) == (80, rows["event"].sum())
    for name in ("likelihood_ratio_test", "wald_test", "score_test"):
        found = getattr(model, name)
        assert found.df == 2
        assert 0 <= found.p_value <= 1
        assert found.statistic >= 0
    assert model.covariance.shape == (2, 2)
    assert 0 < model.concordance < 1
    assert model.concordance_std_error > 0
    assert model.log_likelihood > model.log_likelihood_null


LIMITED = {
    "kaplan_meier": lambda rows, level: curves(rows, conf_level=level),
    "survival_at": lambda rows, level: analysis.survival_at(curves(rows, conf_level=level), 8),
    "survival_quantile": lambda rows, level: analysis.survival_quantile(curves(rows, conf_level=level)),
    "survival_difference": lambda rows, level: analysis.survival_difference(curves(rows), 8, conf_level=level),
    "incidence_rates": lambda rows, level: analysis.incidence_rates(rows, PLAIN, by="arm", conf_level=level),
    "median_follow_up": lambda rows, level: analysis.median_follow_up(rows, PLAIN, by="arm", conf_level=level),
    "restricted_mean": lambda rows, level: analysis.restricted_mean(curves(rows), 8, conf_level=level),
    "restricted_mean_difference": lambda rows, level: analysis.restricted_mean_difference(
        curves(rows), 8, conf_level=level
    ),
    "hazard_ratios": lambda rows, level: analysis.hazard_ratios(fit(rows), conf_level=level),
    "cumulative_incidence": lambda rows, level: analysis.cumulative_incidence(rows, CAUSES, conf_level=level),
}


@quiet
@pytest.mark.parametrize("name", LIMITED)
def test_limits_widen_with_their_level(name: str) -> None:
    narrow, usual, wide = (LIMITED[name](sample(), level) for level in (0.8, 0.95, 0.999))
    pd.testing.assert_frame_equal(usual, LIMITED[name](sample(), 0.95))
    for inner, outer in ((narrow, usual), (usual, wide)):
        assert not (outer["conf_low"] > inner["conf_low"]).any()
        assert not (outer["conf_high"] < inner["conf_high"]).any()
    assert (wide["conf_low"] < narrow["conf_low"]).any()


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([10, 9, 2.0, 10], ["2", "9", "10"]),
        ([1.5, 1, 1.5, 1], ["1", "1.5"]),
        ([True, False, True, True], ["False", "True"]),
        (["b", "a", "C", "a"], ["C", "a", "b"]),
        (["all", "GLOBAL", "all", ""], ["", "GLOBAL", "all"]),
        (pd.Categorical(["x", "a", "x", "a"], categories=["unused", "x", "a"]), ["x", "a"]),
    ],
)
def test_labels_are_strings_in_stratum_order(values: object, labels: list[str]) -> None:
    table = analysis.kaplan_meier(pd.DataFrame({"time": [1.0, 2, 3, 4], "event": 1, "arm": values}), PLAIN, by="arm")
    assert list(table["stratum"].cat.categories) == list(dict.fromkeys(table["stratum"])) == labels
    assert table["stratum"].cat.ordered


def test_without_groups_the_stratum_is_all() -> None:
    assert set(analysis.kaplan_meier(sample(), PLAIN)["stratum"]) == {"all"}


@quiet
def test_endpoints_and_results_can_be_copied_and_sent_to_other_processes() -> None:
    for endpoint in (LATE, CAUSES):
        again = pickle.loads(pickle.dumps(endpoint))
        assert again == copy.deepcopy(endpoint) == endpoint
        assert hash(again) == hash(endpoint)
    for make in RESULTS.values():
        result = make(with_gaps())
        assert pickle.loads(pickle.dumps(result)).dropped == result.dropped
