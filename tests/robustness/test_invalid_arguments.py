"""Invalid arguments of the functions of this room: each raises an error that says what to give instead."""

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Cutpoints,
    Endpoint,
    adjusted_logrank,
    balance_weights,
    covariate_balance,
    cutpoint_multiverse,
    e_value,
    fit_cox,
    impute_cohort,
    leave_one_out,
    max_combo,
    piecewise_effects,
    pool_cox,
    reclassification,
    start_stop,
    subgroup_effects,
)
from analysis.errors import CohortError, InputError, RowsDropped

DEATH = Endpoint("months", "died")

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def cohort_of(n=80):
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(n)],
            "months": rng.exponential(10, n).round(1) + 0.1,
            "died": rng.integers(0, 2, n),
            "mg": rng.normal(0.8, 0.1, n).round(2),
            "age": rng.normal(60, 9, n).round(),
            "arm": rng.choice(["a", "b"], n),
        }
    )


COHORT = cohort_of()
LABS = COHORT[["id"]].assign(month=0.0, value=0.8)
NAMES = "expected the name of a column or a list of names"

INVALID = {
    "weights, covariates": (lambda: balance_weights(COHORT, {"age": 1}, by="arm"), f"{NAMES}, got dict"),
    "weights, none": (lambda: balance_weights(COHORT, [None], by="arm"), f"{NAMES}, got list"),
    "log-rank, strata": (lambda: adjusted_logrank(COHORT, DEATH, "age", by="arm", strata=1.5), f"{NAMES}, got float"),
    "subgroups, frame": (lambda: subgroup_effects(COHORT, DEATH, "mg", subgroups=COHORT), f"{NAMES}, got DataFrame"),
    "subgroups, marker": (
        lambda: subgroup_effects(COHORT, DEATH, ["mg"], subgroups="arm"),
        r"\['mg'\]: name one column",
    ),
    "MaxCombo, strata": (lambda: max_combo(COHORT, DEATH, by="arm", strata=[None]), f"{NAMES}, got list"),
    "MaxCombo, weights": (lambda: max_combo(COHORT, DEATH, by="arm", rho_gamma=0), "give pairs"),
    "marker, list": (lambda: piecewise_effects(COHORT, DEATH, ["mg"], cuts=[5]), r"\['mg'\]: name one column"),
    "key, list": (
        lambda: start_stop(COHORT, LABS, DEATH, key=["id"], time="month", value="value"),
        r"\['id'\]: name one column",
    ),
    "one out, covariates": (lambda: leave_one_out(COHORT, DEATH, 3.0, by="arm"), f"{NAMES}, got float"),
    "imputation, path": (
        lambda: impute_cohort("cohort.csv", DEATH, "mg", predictors="age", seed=1),
        "expected a pandas DataFrame, got str; read files with read_cohort",
    ),
    "pooling, one model": (lambda: pool_cox(fit_cox(COHORT, DEATH, ["mg"])), "Rubin's rules need two or more"),
    "E-value, text": (lambda: e_value(1.4, conf_low="1.1", conf_high=1.8), "conf_low='1.1' must be a number"),
    "reclassification, edge": (
        lambda: reclassification(COHORT, 0.75, marker="mg", seed=1),
        r"expected Cutpoints\(edges, labels, ...\) or clinical_cutpoints\(name\), got 0.75",
    ),
    "multiverse, list": (
        lambda: cutpoint_multiverse(COHORT, DEATH, "mg", cutpoints=[0.75], seed=1),
        "cutpoints: expected a mapping from a name to each choice, got list",
    ),
    "multiverse, endpoint": (
        lambda: cutpoint_multiverse(COHORT, None, "mg", cutpoints={"a": 0.75}, seed=1),
        r"endpoints: expected Endpoint\(duration, event\), or several, got NoneType",
    ),
}


@pytest.mark.parametrize(("call", "words"), INVALID.values(), ids=INVALID)
def test_invalid_arguments_raise(call, words):
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize("name", ["a`ge", 5, "1", "log", "C", "Intercept", "a~b", "ph.ecog"])
def test_a_column_of_any_name_is_a_confounder(name):
    expected = balance_weights(COHORT, ["age"], by="arm").weights
    weights = balance_weights(COHORT.rename(columns={"age": name}), [name], by="arm").weights
    pd.testing.assert_series_equal(weights, expected)


def test_weights_fit_rows_whose_labels_come_twice():
    twice = COHORT.set_axis([*range(40), *range(40)], axis=0)
    weights = balance_weights(twice, "age", by="arm")
    expected = covariate_balance(COHORT, "age", by="arm", weights=balance_weights(COHORT, "age", by="arm"))
    pd.testing.assert_frame_equal(covariate_balance(twice, "age", by="arm", weights=weights), expected)


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "zero or negative in 1 row"), (np.inf, "infinite"), ("a", "not num")]
)
def test_weights_that_are_not_positive_numbers_raise(value, words):
    weights = pd.Series([value, *[1.0] * (len(COHORT) - 1)])
    with pytest.raises(InputError, match=words):
        covariate_balance(COHORT, "age", by="arm", weights=weights)


def test_follow_up_in_another_unit_than_the_samples_raises():
    seconds = COHORT.assign(months=COHORT["months"] * 1e-12)
    labs = pd.concat([LABS, LABS.assign(month=9.0)])
    with pytest.raises(CohortError, match="in the same unit"):
        start_stop(seconds, labs, DEATH, key="id", time="month", value="value")


def test_columns_may_be_named_in_any_kind_of_list():
    expected = balance_weights(COHORT, ["age", "mg"], by="arm").weights
    for names in (("age", "mg"), np.array(["age", "mg"]), pd.Index(["age", "mg"])):
        pd.testing.assert_series_equal(balance_weights(COHORT, names, by="arm").weights, expected)


def test_reclassification_takes_cut_points_of_our_own():
    cut = Cutpoints((0.8,), ("low", "high"), source="test")
    assert len(reclassification(COHORT, cut, marker="mg", n_draws=5, seed=1).table) == 4


def test_rows_without_a_weight_are_counted():
    gaps = COHORT.assign(age=COHORT["age"].where(COHORT.index > 4))
    weights = balance_weights(gaps, "age", by="arm")
    with pytest.warns(RowsDropped, match=r"5 of 80 rows dropped: 5 for missing age$"):
        covariate_balance(gaps, "age", by="arm", weights=weights)
    with pytest.warns(RowsDropped, match=r"5 of 80 rows dropped: 5 for missing weight$"):
        covariate_balance(COHORT, "age", by="arm", weights=weights.weights)
