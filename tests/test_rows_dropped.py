"""Rows left out are said once, by every public function that takes a cohort, and at the line that called it."""

from __future__ import annotations

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import (
    CompetingEndpoint,
    Cutpoints,
    Endpoint,
    RowsDropped,
    added_value,
    adjusted_curves,
    adjusted_logrank,
    attenuation,
    balance_weights,
    baseline_table,
    baseline_value,
    bootstrap_cox,
    concordance,
    covariate_balance,
    cumulative_incidence,
    cutpoint_multiverse,
    dose_response,
    event_counts,
    fit_cox,
    fit_cox_counts,
    fit_cox_file,
    fit_fine_gray,
    gray_test,
    hazard_ratios,
    impute_cohort,
    incidence_rates,
    kaplan_meier,
    landmark,
    leave_one_out,
    logrank_test,
    logrank_trend,
    max_combo,
    median_follow_up,
    pairwise_logrank,
    permutation_logrank,
    piecewise_effects,
    reclassification,
    risk_table,
    search_cutpoint,
    search_cutpoints,
    simulation_extrapolation,
    start_stop,
    stratify,
    subgroup_effects,
)

OS, CAUSES = Endpoint("time", "event"), CompetingEndpoint("time", "status")
CUTS = Cutpoints([1.0], ["low", "high"], source="test")
N, ABSENT = 120, [3, 17, 18, 40, 99, 100, 101, 102, 103, 119]
LABS = {"key": "patient", "time": "month", "value": "lab"}


def cohort_without(name):
    """A cohort in which one column is missing in 10 of 120 rows."""
    rng = np.random.default_rng(7)
    time = rng.exponential(12, N) + 0.1
    status = rng.integers(0, 3, N)
    cohort = pd.DataFrame(
        {
            "patient": np.arange(N),
            "time": time,
            "status": status.astype(float),
            "event": (status > 0).astype(float),
            "arm": rng.choice(["a", "b", "c"], N).astype(object),
            "site": rng.choice(["north", "south"], N),
            "age": rng.normal(60, 8, N),
            "mg": rng.normal(1.0, 0.2, N).clip(0.4),
        }
    )
    cohort.loc[ABSENT, name] = None
    return cohort


def samples(cohort):
    """A sample of each patient at the start, and one later."""
    start = pd.DataFrame({"patient": cohort["patient"], "month": 0.0, "lab": cohort["mg"]})
    return pd.concat([start, start.assign(month=0.05, lab=1.0)], ignore_index=True)


def in_a_file(cohort, folder):
    """The cohort as a Parquet file."""
    path = folder / "cohort.parquet"
    cohort.to_parquet(path)
    return path


# By name: the column that is missing, and the call.
CALLS = {
    "kaplan_meier": ("arm", lambda c: kaplan_meier(c, OS, by="arm")),
    "risk_table": ("arm", lambda c: risk_table(c, OS, times=[6], by="arm")),
    "incidence_rates": ("arm", lambda c: incidence_rates(c, OS, by="arm")),
    "median_follow_up": ("arm", lambda c: median_follow_up(c, OS, by="arm")),
    "logrank_test": ("arm", lambda c: logrank_test(c, OS, by="arm")),
    "pairwise_logrank": ("arm", lambda c: pairwise_logrank(c, OS, by="arm")),
    "logrank_trend": ("arm", lambda c: logrank_trend(c, OS, by="arm")),
    "permutation_logrank": ("arm", lambda c: permutation_logrank(c, OS, by="arm", n_permutations=9, seed=1)),
    "max_combo": ("arm", lambda c: max_combo(c[c["arm"] != "c"], OS, by="arm")),
    "landmark": ("event", lambda c: landmark(c, OS, 3)),
    "event_counts": ("arm", lambda c: event_counts(c, OS, by="arm")),
    "added_value": ("mg", lambda c: added_value(c, OS, ["age"], "mg", times=6, n_bootstrap=0, seed=1)),
    "fit_cox": ("age", lambda c: fit_cox(c, OS, "age + arm")),
    "fit_cox_counts": ("site", lambda c: fit_cox_counts(c.assign(n=1, old=c["age"] > 60), OS, ["old"], strata="site")),
    "bootstrap_cox": ("age", lambda c: bootstrap_cox(c, OS, ["age", "mg"], n_bootstrap=39, seed=1)),
    "concordance": ("age", lambda c: concordance(c, OS, "age")),
    "cumulative_incidence": ("arm", lambda c: cumulative_incidence(c, CAUSES, by="arm")),
    "gray_test": ("arm", lambda c: gray_test(c, CAUSES, by="arm", cause="death")),
    "fit_fine_gray": ("age", lambda c: fit_fine_gray(c, CAUSES, ["age"], cause="death")),
    "baseline_table": ("arm", lambda c: baseline_table(c, by="arm", columns=["age", "site"])),
    "baseline_value": ("mg", lambda c: baseline_value(c, samples(c).head(len(c)), **LABS)),
    "start_stop": ("event", lambda c: start_stop(c, samples(c.dropna()), OS, **LABS)),
    "stratify": ("mg", lambda c: stratify(c, CUTS, marker="mg")),
    "search_cutpoint": ("mg", lambda c: search_cutpoint(c, OS, "mg", n_permutations=19, n_bootstrap=20, seed=1)),
    "search_cutpoints": ("mg", lambda c: search_cutpoints(c, OS, "mg", n_permutations=19, seed=1)),
    "dose_response": ("mg", lambda c: dose_response(c, OS, "mg", knots=3, adjust=["age"])),
    "balance_weights": ("age", lambda c: balance_weights(c, ["age"], by="arm")),
    "covariate_balance": ("age", lambda c: covariate_balance(c, ["age"], by="arm")),
    "adjusted_logrank": ("age", lambda c: adjusted_logrank(c, OS, ["age"], by="arm")),
    "adjusted_curves": ("age", lambda c: adjusted_curves(c, OS, ["age"], by="arm", n_bootstrap=0, seed=1)),
    "subgroup_effects": ("mg", lambda c: subgroup_effects(c, OS, "mg", subgroups=["arm", "site"], adjust=["age"])),
    "leave_one_out": ("age", lambda c: leave_one_out(c, OS, ["age"], by="site")),
    "piecewise_effects": ("mg", lambda c: piecewise_effects(c, OS, "mg", cuts=[6], adjust=["age"])),
    "attenuation": ("mg", lambda c: attenuation(c, OS, "mg", n_draws=20, seed=1)),
    "simulation_extrapolation": ("mg", lambda c: simulation_extrapolation(c, OS, "mg", n_simulations=20, seed=1)),
    "reclassification": ("mg", lambda c: reclassification(c, CUTS, marker="mg", n_draws=20, seed=1)),
    "impute_cohort": ("event", lambda c: impute_cohort(
        c.assign(mg=c["mg"].mask(c["patient"] < 3)), OS, "mg", predictors=["age"], n_imputations=20, seed=1)),
    "cutpoint_multiverse": ("mg", lambda c: cutpoint_multiverse(
        c, OS, "mg", cutpoints={"1": 1.0}, n_permutations=9, seed=1)),
}  # fmt: skip
# Calls of further ways through the same functions.
WAYS = {
    "adjusted_curves by weighting": ("age", lambda c: adjusted_curves(
        c, OS, ["age"], by="arm", method="weighting", n_bootstrap=0, seed=1)),
    "covariate_balance of weights": ("age", lambda c: covariate_balance(
        c, ["age"], by="arm", weights=quietly(balance_weights, c, ["age"], by="arm"))),
    "fit_cox by list, read as hazard ratios": ("age", lambda c: hazard_ratios(fit_cox(c, OS, ["age", "mg"]))),
    "kaplan_meier by patient": ("arm", lambda c: kaplan_meier(c, OS, by="arm", cluster="patient")),
    "kaplan_meier weighted": ("mg", lambda c: kaplan_meier(c, OS, weights="mg")),
    "logrank_test in strata": ("site", lambda c: logrank_test(c, OS, by="arm", strata="site")),
    "search_cutpoint adjusted": ("mg", lambda c: search_cutpoint(
        c, OS, "mg", adjust=["age"], n_permutations=19, n_bootstrap=0, seed=1)),
}  # fmt: skip
ELSEWHERE = {
    "join_cohorts": "leaves out no row",
    "continuous_marker": "a method of the benches, on complete simulated rows",
    "median_split": "a method of the benches",
    "searched_cut": "a method of the benches",
    "patient_influence": "the rows of a model, which has said what it left out",
    "plot_marker": "a figure",
    "plot_relations": "a figure",
    "validate_cohort": "leaves out no row",
    "write_cohort": "leaves out no row",
}


def quietly(function, *given, **options):
    """What a function returns, its warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*given, **options)


def rows_dropped(call, *given):
    """The warnings of rows dropped in one call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*given)
    return [one for one in caught if isinstance(one.message, RowsDropped)]


def test_every_function_that_takes_a_cohort_is_here():
    functions = {name: getattr(analysis, name) for name in analysis.__all__}
    taking = {
        name
        for name, function in functions.items()
        if inspect.isfunction(function) and next(iter(inspect.signature(function).parameters), "") == "cohort"
    }
    assert taking - set(CALLS) - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= taking


@pytest.mark.parametrize("name", [*CALLS, *WAYS])
def test_rows_left_out_are_said_once_at_the_callers_line(name):
    column, call = (CALLS | WAYS)[name]
    told = rows_dropped(call, cohort_without(column))
    assert len(told) == 1
    assert told[0].message.n_read - told[0].message.n_used == len(ABSENT)
    assert str(len(ABSENT)) in str(told[0].message)
    assert told[0].filename == __file__


def test_a_file_says_what_was_left_out(tmp_path):
    path = in_a_file(cohort_without("age"), tmp_path)
    (told,) = rows_dropped(lambda: fit_cox_file(path, OS, ["age", "mg"]))
    assert str(told.message) == "10 of 120 rows dropped: 10 for missing age"
    assert told.filename == __file__


@pytest.mark.parametrize("name", list(CALLS))
def test_complete_rows_are_not_spoken_of(name):
    column, call = CALLS[name]
    complete = cohort_without(column).drop(index=ABSENT).reset_index(drop=True)
    assert rows_dropped(call, complete) == []


def test_results_carry_the_warning():
    cohort = cohort_without("age")
    for result in (
        quietly(fit_cox, cohort, OS, ["age"]),
        quietly(balance_weights, cohort, ["age"], by="arm"),
        quietly(adjusted_curves, cohort, OS, ["age"], by="arm", n_bootstrap=0, seed=1),
    ):
        (said,) = (one for one in result.warnings if isinstance(one, RowsDropped))
        for one in (said, pickle.loads(pickle.dumps(said))):
            assert (one.n_read, one.n_used, one.dropped) == (result.n_read, result.n_used, result.dropped)
            assert str(one) == str(said)
