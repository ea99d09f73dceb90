"""Influence: groups left out by hand, dfbeta as R's, and the refit without each row."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    InputError,
    NotComputed,
    NotEstimable,
    NotSupported,
    RowsDropped,
    cox_residuals,
    fit_cox,
    hazard_ratios,
    leave_one_out,
    patient_influence,
)

OS = Endpoint("time", "event")


def cohort_of(n=200, seed=1):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    time, end = rng.exponential(np.exp(-0.5 * x + 0.3 * z) * 5), rng.uniform(1, 12, n)
    return pd.DataFrame(
        {
            "id": [f"P{k:03d}" for k in range(n)],
            "x": x,
            "z": z,
            "arm": rng.integers(0, 2, n),
            "site": pd.Categorical(rng.choice(["north", "south", "east"], n), categories=["north", "south", "east"]),
            "time": np.minimum(time, end),
            "event": (time <= end) * 1,
        }
    )


def test_each_group_left_out_is_the_model_of_the_rest():
    cohort = cohort_of()
    found = leave_one_out(cohort, OS, "x + z", by="site", strata="arm")
    assert found.columns.tolist() == [
        "left_out", "term", "n", "n_event", "coef", "std_error", "hazard_ratio", "conf_low", "conf_high", "change",
    ]  # fmt: skip
    assert found["left_out"].drop_duplicates().tolist() == ["nobody", "north", "south", "east"]
    whole = fit_cox(cohort, OS, "x + z", strata="arm")
    for label, mine in found.groupby("left_out"):
        fit = fit_cox(cohort[cohort["site"] != label], OS, "x + z", strata="arm")
        assert_allclose(mine["coef"], fit.coef, rtol=1e-7)
        assert_allclose(mine["conf_high"], hazard_ratios(fit)["conf_high"], rtol=1e-7)
        assert_allclose(mine["change"], (fit.coef - whole.coef) / whole.coefficients["std_error"], atol=1e-7)
        assert set(zip(mine["n"], mine["n_event"], strict=True)) == {(fit.n, fit.n_event)}


def test_missing_groups_and_covariates_are_left_out_and_counted_once():
    cohort = cohort_of()
    cohort.loc[:3, "site"], cohort.loc[3:5, "x"] = np.nan, np.nan
    with pytest.warns(RowsDropped, match=r"6 of 200 rows dropped: 4 for missing site, 2 for missing x") as caught:
        found = leave_one_out(cohort, OS, ["x", "z"], by="site")
    assert len(caught) == 1
    assert found["n"].iloc[0] == 194


@pytest.mark.parametrize(("holder", "other"), [("east", "north"), ("north", "east")])
def test_a_group_that_holds_all_events_leaves_a_row_without_numbers(holder, other):
    cohort = cohort_of()
    cohort["event"] = cohort["event"].where(cohort["site"] == holder, 0)
    with pytest.warns(NotComputed, match=rf"without {holder}: no events among \d+ rows"):
        found = leave_one_out(cohort, OS, "x", by="site").set_index("left_out")
    assert found.loc[holder, ["coef", "hazard_ratio", "conf_low", "conf_high", "change"]].isna().all()
    assert found.loc[holder, "n_event"] == 0
    assert found.loc[other, "hazard_ratio"] > 0


def test_a_term_that_goes_with_its_group_is_nan():
    found = leave_one_out(cohort_of(), OS, "x + site", by="site").set_index(["left_out", "term"])
    assert found["coef"].isna().to_dict()[("south", "site[south]")]
    assert np.isfinite(found.loc[("south", "x"), "coef"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "sight"}, CohortError, r"no column 'sight'; did you mean 'site'"),
        ({"by": "x"}, CohortError, r"'x' holds 200 different numbers: a measurement"),
        ({"by": "one"}, NotEstimable, r"'one': one group only \(a\); nothing is left without it"),
        ({"by": "none"}, CohortError, r"no rows left: 200 dropped for missing none"),
        ({"by": "site", "conf_level": 95}, InputError, r"did you mean 0.95"),
    ],
)
def test_groups_that_cannot_be_left_out(options, error, message):
    cohort = cohort_of().assign(one="a", none=None)
    with pytest.raises(error, match=message):
        leave_one_out(cohort, OS, "x", **options)


@pytest.mark.parametrize("robust", [False, True])
def test_the_largest_come_first_and_the_refit_is_without_them(robust):
    cohort = cohort_of()
    fit = fit_cox(cohort, OS, "x + z", strata="arm", robust=robust)
    found = patient_influence(cohort, fit, "x", key="id", n_refitted=200)
    assert (found["dfbeta"].abs().diff().dropna() <= 0).all()
    assert_allclose(found.set_index("row")["dfbeta"].sort_index(), cox_residuals(fit, "dfbeta")["x"])
    for row in found.iloc[[0, 1, 77]].to_dict("records"):
        rest = fit_cox(cohort.drop(index=row["row"]), OS, "x + z", strata="arm")
        assert row["change"] == pytest.approx(fit.coef[0] - rest.coef[0], rel=1e-5)
        assert row["name"] == cohort["id"][row["row"]]
        assert (row["time"], row["event"], row["value"]) == tuple(cohort.loc[row["row"], ["time", "event", "x"]])
    error = fit.coefficients["std_error"][0]
    assert_allclose(found["standardised"], found["dfbeta"] / error)
    assert np.corrcoef(found["dfbeta"], found["change"])[0, 1] > 0.99


def test_one_outlier_is_found_and_named_by_its_row():
    cohort = cohort_of()
    cohort.loc[17, ["x", "time", "event"]] = [-9.0, 0.01, 1]
    cohort.loc[3, "z"] = np.nan
    with warnings.catch_warnings(action="ignore"):
        found = patient_influence(cohort, fit_cox(cohort, OS, "x + z"), "x", n_refitted=1)
    assert found.loc[0, ["name", "row"]].tolist() == ["row 18", 17]
    assert len(found) == 199
    assert found["change"].notna().tolist() == [True] + [False] * 198


def test_invalid_arguments_raise():
    cohort = cohort_of()
    fit = fit_cox(cohort, OS, "x + z")
    with pytest.raises(InputError, match=r"no term 'zz'; did you mean 'z'"):
        patient_influence(cohort, fit, "zz")
    with pytest.raises(InputError, match=r"the cohort has 199 rows, the model was fitted to 200; give the same rows"):
        patient_influence(cohort.iloc[1:], fit, "x")
    with pytest.raises(InputError, match=r"no column 'name'"):
        patient_influence(cohort, fit, "x", key="name")
    with pytest.raises(InputError, match=r"expected a model of fit_cox, got DataFrame"):
        patient_influence(cohort, fit.coefficients, "x")
    with pytest.raises(InputError, match=r"n_refitted=-1 must be a whole number of at least 0"):
        patient_influence(cohort, fit, "x", n_refitted=-1)
    rounded = cohort.round({"time": 1})
    with pytest.raises(NotSupported, match=r"not defined for ties='exact'"):
        patient_influence(rounded, fit_cox(rounded, OS, "x", ties="exact"), "x")
