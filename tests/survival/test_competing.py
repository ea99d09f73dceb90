"""Competing risks: incidence, Gray's test, the model of Fine and Gray; against R, by recovery, on bad input."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    CompetingEndpoint,
    Endpoint,
    InputError,
    NotEstimable,
    RowsDropped,
    cumulative_incidence,
    fit_cox,
    fit_fine_gray,
    gray_test,
    hazard_ratios,
    kaplan_meier,
)
from tests.reference import cases
from tests.reference import cohort as published

FIRST = CompetingEndpoint("time", "status")
COLUMNS = ["stratum", "cause", "time", "incidence", "std_error", "conf_low", "conf_high"]
# One cause at 2, the other twice at 3 and once at 6; censored at 1, 2, 3 and 5.
EIGHT = pd.DataFrame({"time": [1.0, 2, 2, 3, 3, 3, 5, 6], "status": [0, 1, 0, 2, 2, 0, 0, 2]})


def cohort(n: int = 90, seed: int = 5) -> pd.DataFrame:
    """Two arms with ties, different hazards, three ways to leave."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    return pd.DataFrame(
        {
            "time": np.ceil(rng.exponential(10 / (1 + arm))),
            "status": rng.choice([0, 1, 2], n, p=[0.3, 0.4, 0.3]),
            "arm": np.array(["a", "b"])[arm],
        }
    )


def test_eight_rows_by_hand():
    table = cumulative_incidence(EIGHT, FIRST)
    assert list(table.columns) == [*COLUMNS, "n_risk", "n_event", "conf_type", "conf_level"]
    first, second = (table[table["cause"] == cause] for cause in ("progression", "death"))
    np.testing.assert_allclose(first["incidence"], [0, 0, 1 / 7, 1 / 7, 1 / 7, 1 / 7], atol=1e-15)
    np.testing.assert_allclose(second["incidence"], [0, 0, 0, 12 / 35, 12 / 35, 6 / 7], atol=1e-15)
    assert first["n_risk"].tolist() == [8, 8, 7, 5, 2, 1]
    assert first["n_event"].tolist() == [0, 0, 1, 0, 0, 0]
    assert first.iloc[0][["conf_low", "conf_high"]].tolist() == [0, 0]


def test_the_causes_and_the_event_free_add_up():
    table = cumulative_incidence(cohort(), FIRST, by="arm")
    any_event = cohort().assign(any=cohort()["status"] > 0)
    curves = kaplan_meier(any_event, Endpoint("time", "any"), by="arm")
    total = table.groupby(["stratum", "time"], observed=True)["incidence"].sum()
    np.testing.assert_allclose(1 - total.to_numpy(), curves["survival"], atol=1e-12)


def test_one_cause_alone_has_the_error_of_greenwood():
    """The infinitesimal jackknife of a Kaplan-Meier curve without weights is Greenwood's formula."""
    held = cohort().assign(status=lambda rows: (rows["status"] == 1).astype(int))
    table = cumulative_incidence(held, CompetingEndpoint("time", "status", causes={1: "death"}))
    curves = kaplan_meier(held, Endpoint("time", "status"))
    np.testing.assert_allclose(table["incidence"], 1 - curves["survival"], atol=1e-12)
    seen = (curves["survival"] > 0).to_numpy()
    np.testing.assert_allclose(table["std_error"][seen], curves["std_error"][seen], rtol=1e-10)


def test_the_order_of_the_rows_and_the_unit_of_time_do_not_matter():
    held = cohort()
    ours = cumulative_incidence(held, FIRST, by="arm")
    other = cumulative_incidence(held.iloc[::-1].assign(time=held["time"] * 30.4375), FIRST, by="arm")
    pd.testing.assert_frame_equal(ours.assign(time=ours["time"] * 30.4375), other, rtol=1e-10)
    test, other_test = (gray_test(rows, FIRST, by="arm", cause="death") for rows in (held, held.iloc[::-1]))
    assert test.statistic == pytest.approx(other_test.statistic, rel=1e-12)


def test_a_missing_middle_code_and_any_labels_are_right():
    endpoint = CompetingEndpoint("time", "status", causes={7: "tod", 2: "R\u00fcckfall"})
    held = EIGHT.assign(status=EIGHT["status"].map({0: 0, 1: 7, 2: 2}))
    ours, plain = cumulative_incidence(held, endpoint), cumulative_incidence(EIGHT, FIRST)
    assert ours["cause"].cat.categories.tolist() == ["tod", "R\u00fcckfall"]
    np.testing.assert_array_equal(ours["incidence"], plain["incidence"])


def test_limits_are_nan_only_where_everybody_had_the_event_of_the_cause():
    held = pd.DataFrame({"time": [1.0, 2, 3, 4], "status": [1, 1, 1, 1]})
    table = cumulative_incidence(held, CompetingEndpoint("time", "status", causes={1: "death"}))
    np.testing.assert_allclose(table["incidence"], [0, 1 / 4, 1 / 2, 3 / 4, 1], atol=1e-15)
    limits = table[["conf_low", "conf_high"]]
    assert limits.isna().all(axis=1).tolist() == limits.isna().any(axis=1).tolist() == [False] * 4 + [True]
    between = table.iloc[1:4]
    assert (between["conf_low"] < between["incidence"]).all()
    assert (between["incidence"] < between["conf_high"]).all()


def test_a_cause_that_never_came_stays_at_zero():
    table = cumulative_incidence(EIGHT.assign(status=EIGHT["status"].replace(1, 0)), FIRST)
    assert (table.loc[table["cause"] == "progression", ["incidence", "std_error", "conf_high"]] == 0).all(axis=None)


def test_missing_codes_are_dropped_and_told():
    held = EIGHT.assign(status=EIGHT["status"].astype("Int64").where(EIGHT["time"] > 1))
    with pytest.warns(RowsDropped, match="1 of 8 rows dropped: 1 for missing status"):
        assert cumulative_incidence(held, FIRST)["n_risk"].max() == 7


def test_gray_names_groups_and_cause():
    test = gray_test(cohort(), FIRST, by="arm", cause="progression")
    assert (test.df, test.test) == (1, "gray (progression)")
    assert test.groups["observed"].sum() == (cohort()["status"] == 1).sum()
    assert test.groups["expected"].sum() == pytest.approx(test.groups["observed"].sum())


def test_gray_does_not_see_the_names_of_the_groups():
    held = cohort()
    swapped = held.assign(arm=held["arm"].map({"a": "b", "b": "a"}))
    ours, theirs = (gray_test(rows, FIRST, by="arm", cause="death").statistic for rows in (held, swapped))
    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"status": [0, 1, 3, 2, 2, 0, 0, 3]},
            "codes 3 (2 rows) have no cause; name them in CompetingEndpoint(causes=...)",
        ),
        ({"status": ["death"] * 8}, "status column 'status': 8 values are not numbers ('death')"),
        ({"time": [-1.0, *range(7)]}, "negative values (-1) in 1 row (1)"),
    ],
)
def test_rows_that_cannot_be_used_are_named(change, words):
    with pytest.raises(CohortError, match=re.escape(words)):
        cumulative_incidence(EIGHT.assign(**change), FIRST)


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="cause='relapse'; choose 'progression' or 'death'"):
        gray_test(cohort(), FIRST, by="arm", cause="relapse")
    with pytest.raises(InputError, match=r"did you mean 0\.9"):
        cumulative_incidence(EIGHT, FIRST, conf_level=90)
    with pytest.raises(CohortError, match="no column 'amr'; did you mean 'arm'"):
        gray_test(cohort(), FIRST, by="amr", cause="death")


def test_nothing_to_compare_is_an_error_in_words():
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        gray_test(cohort().assign(arm="a"), FIRST, by="arm", cause="death")
    with pytest.raises(NotEstimable, match="no events"):
        gray_test(cohort().assign(status=1), FIRST, by="arm", cause="death")


def test_the_cohort_is_not_changed():
    held = cohort()
    before = held.copy(deep=True)
    cumulative_incidence(held, FIRST, by="arm")
    gray_test(held, FIRST, by="arm", cause="death")
    pd.testing.assert_frame_equal(held, before)


def simulated(n: int = 200, seed: int = 6, effect: float = 0.0) -> pd.DataFrame:
    """Cumulative incidence 1 - (1 - p (1 - exp(-t)))^exp(effect x) of the first cause, after Fine and Gray (1999)."""
    rng = np.random.default_rng(seed)
    x, p = rng.integers(0, 2, n).astype(float), 0.6
    risk = np.exp(effect * x)
    first = rng.random(n) < 1 - (1 - p) ** risk
    u = rng.random(n) * (1 - (1 - p) ** risk)
    time = np.where(first, -np.log(1 - (1 - (1 - u) ** (1 / risk)) / p), rng.exponential(1.0, n))
    censored = rng.uniform(0.5, 3.0, n)
    status = np.where(censored < time, 0, np.where(first, 1, 2))
    return pd.DataFrame({"time": np.minimum(time, censored), "status": status, "x": x, "z": rng.normal(size=n)})


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", cases("finegray"), ids=str)
def test_coefficients_and_sandwich_are_those_of_r(case):
    args, expected = case.args, case.expected
    held = published(case, args["time"], args["status"], args["covariates"])
    held[args["status"]] = held[args["status"]].astype(int)
    endpoint = CompetingEndpoint(args["time"], args["status"], causes={1: "one", 2: "two"})
    fit = fit_fine_gray(held, endpoint, args["covariates"], cause={1: "one", 2: "two"}[args["cause"]])
    table = fit.coefficients.set_index("term")
    np.testing.assert_allclose(table["coef"], list(expected["coxph_finegray_coef"].values()), rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], list(expected["coxph_finegray_robust_se"].values()), rtol=1e-6)
    np.testing.assert_array_equal(table["std_error"], table["robust_std_error"])
    assert (fit.n, fit.n_event) == (expected["n"], expected["n_event"])


def test_without_competing_events_it_is_a_cox_model():
    held = simulated().assign(status=lambda rows: (rows["status"] == 1).astype(int))
    ours = fit_fine_gray(held, CompetingEndpoint("time", "status", causes={1: "death"}), ["x", "z"], cause="death")
    theirs = fit_cox(held, Endpoint("time", "status"), ["x", "z"], ties="breslow", robust=True)
    np.testing.assert_allclose(ours.coefficients["coef"], theirs.coefficients["coef"], rtol=1e-10)
    np.testing.assert_allclose(ours.coefficients["std_error"], theirs.coefficients["robust_std_error"], rtol=1e-10)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-12)


def test_the_planted_effect_is_recovered():
    """One large cohort: within three standard errors of the planted log subdistribution hazard ratio."""
    fit = fit_fine_gray(simulated(4000, effect=0.5), FIRST, ["x", "z"], cause="progression")
    x, z = fit.coefficients.itertuples()
    assert abs(x.coef - 0.5) < 3 * x.std_error
    assert abs(z.coef) < 3 * z.std_error


def test_the_order_of_the_rows_and_the_unit_of_time_do_not_matter_to_fine_and_gray():
    held = simulated()
    ours = fit_fine_gray(held, FIRST, ["x", "z"], cause="death")
    other = fit_fine_gray(held.iloc[::-1].assign(time=held["time"] * 365.25), FIRST, ["x", "z"], cause="death")
    pd.testing.assert_frame_equal(ours.coefficients, other.coefficients, rtol=1e-9)


def test_a_formula_is_read_and_ratios_follow():
    fit = fit_fine_gray(simulated(), FIRST, "x + z", cause="death")
    assert hazard_ratios(fit)["term"].tolist() == ["x", "z"]
    assert fit.model.endpoint.label == "death"


def test_rows_are_counted_as_in_the_cohort():
    held = simulated()
    held.loc[3, "x"] = np.nan
    with pytest.warns(RowsDropped, match="1 of 200 rows dropped: 1 for missing x"):
        fit = fit_fine_gray(held, FIRST, ["x"], cause="death")
    assert (fit.n_read, fit.n_used, fit.n, fit.dropped) == (200, 199, 199, {"missing x": 1})


def test_fine_and_gray_leave_the_cohort_as_it_is():
    held = simulated()
    before = held.copy(deep=True)
    fit_fine_gray(held, FIRST, ["x"], cause="death")
    pd.testing.assert_frame_equal(held, before)


def test_what_means_nothing_is_refused():
    held = simulated()
    with pytest.raises(InputError, match="cause='relapse'; choose 'progression' or 'death'"):
        fit_fine_gray(held, FIRST, ["x"], cause="relapse")
    with pytest.raises(CohortError, match=r"codes 3 .* have no cause"):
        fit_fine_gray(held.assign(status=held["status"].replace(2, 3)), FIRST, ["x"], cause="death")
    with pytest.raises(CohortError, match="no column 'status'"):
        fit_fine_gray(held.drop(columns="status"), FIRST, ["x"], cause="death")
    with pytest.raises(NotEstimable, match="no events"):
        fit_fine_gray(held.assign(status=held["status"].replace(2, 0)), FIRST, ["x"], cause="death")
    with pytest.raises(NotEstimable, match="'x' is constant"):
        fit_fine_gray(held.assign(x=1.0), FIRST, ["x"], cause="death")
