"""Numbers read off curves: by hand, beyond follow-up, and on options that mean nothing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis import (
    BeyondFollowUp,
    Endpoint,
    InputError,
    NotEstimable,
    kaplan_meier,
    median_follow_up,
    survival_at,
    survival_difference,
    survival_quantile,
)

OS = Endpoint("time", "event")
# Events at 1, 6 (twice) and 9; censored at 2, 7 and 10: S is 6/7, 18/35, 9/35.
SEVEN = pd.DataFrame({"time": [1.0, 2, 6, 6, 7, 9, 10], "event": [1, 0, 1, 1, 0, 1, 0]})
# Two arms of four: S falls by quarters (a) and from 1/2 (b).
ARMS = pd.DataFrame({"time": [1.0, 2, 3, 4, 2, 2, 5, 8], "event": [1, 1, 1, 0, 1, 1, 0, 0], "arm": list("aaaabbbb")})


def test_survival_is_that_of_the_last_step_and_n_risk_that_of_the_next():
    table = survival_at(kaplan_meier(SEVEN, OS), [0, 1, 5.9, 6, 10])
    np.testing.assert_allclose(table["survival"], [1, 6 / 7, 6 / 7, 18 / 35, 9 / 35], rtol=1e-12)
    assert table["n_risk"].tolist() == [7, 7, 5, 5, 1]
    assert table["n_risk"].dtype == np.int64
    assert list(table.columns) == ["stratum", "time", "n_risk", "survival", "std_error", "conf_low", "conf_high"]


def test_beyond_follow_up_survival_is_undefined_unless_extended():
    curves = kaplan_meier(ARMS, OS, by="arm")
    with pytest.warns(BeyondFollowUp, match="stratum a ends at 4; undefined beyond it"):
        table = survival_at(curves, [6])
    assert table["survival"].isna().tolist() == [True, False]
    assert table["n_risk"].tolist() == [0, 1]
    assert survival_at(curves, 6, extend=True)["survival"].round(12).tolist() == [0.25, 0.5]


def test_after_everybody_has_died_survival_is_zero():
    """R 4.2.2: summary(survfit(Surv(t, e) ~ g, d), times = 24, extend = TRUE): a 0 (NaN), b 0.5."""
    rows = pd.DataFrame({"time": [1, 2, 3, 4, 5, 8.0], "event": [1, 1, 1, 1, 1, 0], "arm": list("aaaabb")})
    curves = kaplan_meier(rows, OS, by="arm")
    assert survival_at(curves[curves["stratum"] == "a"], [4, 24])["survival"].tolist() == [0, 0]
    with pytest.warns(BeyondFollowUp, match=r"24: stratum b ends at 8; undefined") as told:
        table = survival_at(curves, 24)
    assert len(told) == 1
    assert table["survival"].fillna(-1).tolist() == [0, -1]
    assert table[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    row = survival_difference(curves, 24, extend=True).iloc[0]
    assert row["difference"] == pytest.approx(0.5)
    assert np.isnan(row["std_error"])
    # Late in the follow-up of b nothing is unknown, so nothing is warned of.
    assert survival_difference(curves, 6)["difference"].tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.4375, 1e6])
def test_a_time_one_rounding_beyond_the_last_is_within_follow_up(scale):
    rows = pd.DataFrame({"time": np.array([0.1, 0.2, 0.3]) * scale, "event": [1, 0, 0]})
    curves, at = kaplan_meier(rows, OS), np.nextafter(0.3 * scale, np.inf)
    assert survival_at(curves, at)["survival"].tolist() == pytest.approx([2 / 3])
    with pytest.warns(BeyondFollowUp, match="undefined beyond it"):
        survival_at(curves, 0.3 * scale * 1.000001)


def test_times_keep_the_order_given():
    assert survival_at(kaplan_meier(SEVEN, OS), [6, 1])["time"].tolist() == [6, 1]


def test_a_time_that_differs_by_rounding_is_the_follow_up_time():
    curves = kaplan_meier(pd.DataFrame({"time": [0.3, 1.0], "event": [1, 0]}), OS)
    assert survival_at(curves, [0.1 + 0.2])["survival"].tolist() == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("probability", "expected"), [(1 / 14, 1), (1 / 7, 3.5), (1 / 3, 6), (0.5, 9), (26 / 35, 9.5), (0.9, np.nan)]
)
@pytest.mark.parametrize("engine", ["lifelines", "kernel"])
def test_quantiles_by_hand(probability, expected, engine):
    table = survival_quantile(kaplan_meier(SEVEN, OS, engine=engine), probability)
    np.testing.assert_allclose(table["time"], [expected])


def test_a_median_that_is_not_reached_is_nan_and_never_infinite():
    table = survival_quantile(kaplan_meier(pd.DataFrame({"time": [1.0, 2], "event": [0, 0]}), OS))
    assert table[["time", "conf_low", "conf_high"]].isna().all(axis=None)


def test_both_rules_at_one_half():
    """S is exactly 1/2 from 2 on: the first time is 2, the middle of the flat 3.5 (the rule here, as in R)."""
    cohort = pd.DataFrame({"time": [2.0, 5, 5, 2], "event": [1, 1, 0, 1]})
    curves = kaplan_meier(cohort, OS)
    assert curves.loc[curves["survival"] <= 0.5 + 1e-12, "time"].iloc[0] == 2
    assert survival_quantile(curves)["time"].tolist() == [3.5]


def test_plain_limits_of_a_weighted_curve_reach_zero_with_it():
    """As in R: the jackknife's error is zero where S is, so the upper limit has a quantile at the last event."""
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": 1, "w": [0.5, 1.5, 1, 1]})
    curves = kaplan_meier(cohort, OS, weights="w", conf_type="plain")
    assert survival_quantile(curves, 0.9)["conf_high"].tolist() == [4]
    assert survival_quantile(kaplan_meier(cohort, OS, conf_type="plain"), 0.9)["conf_high"].isna().all()


def test_a_difference_by_hand():
    """At 2: S is 1/2 in both; at 3: 1/4 against 1/2."""
    row = survival_difference(kaplan_meier(ARMS, OS, by="arm"), 3).iloc[0]
    error = np.sqrt(1 / 4 * 3 / 4 / 4 + 1 / 2 * 1 / 2 / 4)
    expected = [0.25, error, 0.25 - 1.959963984540054 * error, 0.25 + 1.959963984540054 * error, 0.25 / error]
    ours = row[["difference", "std_error", "conf_low", "conf_high", "statistic"]].to_numpy(dtype=float)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
    assert (row["stratum_a"], row["stratum_b"], row["time"]) == ("a", "b", 3)


def test_a_difference_beyond_follow_up_is_undefined_and_says_so():
    with pytest.warns(BeyondFollowUp, match="stratum a ends at 4"):
        assert np.isnan(survival_difference(kaplan_meier(ARMS, OS, by="arm"), 6)["difference"].iloc[0])


def test_one_stratum_has_nothing_to_differ_from():
    with pytest.raises(NotEstimable, match="need at least 2 strata to compare, the curves hold 1"):
        survival_difference(kaplan_meier(SEVEN, OS), 3)


def test_median_follow_up_by_hand():
    """Censored at 2, 7 and 10: the reverse curve is 5/6, then 5/6 * 2/3, then 0."""
    table = median_follow_up(SEVEN, OS)
    assert list(table.columns) == ["stratum", "median", "conf_low", "conf_high"]
    assert table["median"].tolist() == [10]


def test_median_follow_up_is_the_median_of_the_times_when_nobody_had_the_event():
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4, 5], "event": 0})
    assert median_follow_up(cohort, OS)["median"].tolist() == [3]


def test_curves_of_chosen_strata_can_be_read():
    curves = kaplan_meier(ARMS, OS, by="arm")
    assert survival_quantile(curves[curves["stratum"] == "b"])["stratum"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda curves: survival_at(curves, []), "times=[] must be one or more numbers"),
        (lambda curves: survival_at(curves, [-1]), "times: -1.0 must be finite and not negative"),
        (
            lambda curves: survival_at(curves.drop(columns="survival"), [1]),
            "curves: no columns survival; give the frame",
        ),
        (lambda curves: survival_at(curves.iloc[:0], [1]), "curves: the frame has no rows"),
        (lambda curves: survival_at({}, [1]), "expected the frame that kaplan_meier returns, got dict"),
        (lambda curves: survival_quantile(curves, 50), "probability=50 must lie between 0 and 1; did you mean 0.5?"),
        (lambda curves: survival_quantile(curves, -0.1), "probability=-0.1 must be a finite number of at least 0"),
        (lambda curves: survival_difference(curves, float("nan")), "time=nan must be a finite number"),
        (lambda curves: survival_difference(curves, 3, conf_level=95), "did you mean 0.95"),
        (lambda curves: median_follow_up(ARMS, OS, conf_type="probit"), "conf_type='probit'; choose"),
    ],
)
def test_what_means_nothing_is_refused(call, words):
    with pytest.raises(InputError, match=re.escape(words)):
        call(kaplan_meier(ARMS, OS, by="arm"))


CURVES = kaplan_meier(pd.DataFrame({"t": [1.0, 2, 3, 4], "e": 1, "g": list("aabb")}), Endpoint("t", "e"), by="g")


@pytest.mark.parametrize("dtype", [object, "Float64", "double[pyarrow]"])
def test_curves_read_back_in_another_dtype_give_the_same(dtype):
    columns = ["time", "n_risk", "survival", "std_error", "conf_low", "conf_high"]
    found = survival_at(CURVES.astype(dict.fromkeys(columns, dtype)), [1.5])
    pd.testing.assert_frame_equal(found, survival_at(CURVES, [1.5]), check_dtype=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.astype({"time": str}), "curves: column 'time': 6 values are not numbers"),
        (lambda rows: rows.iloc[::-1], r"curves: times fall within a stratum in 4 rows \(2, 3, 5, 6\); sort the rows"),
        (lambda rows: rows.assign(time=[0, np.nan, 2, 0, 3, 4]), r"curves: column 'time': missing in 1 row \(2\)"),
        (lambda rows: rows.assign(stratum=["a", None, "a", "b", "b", "b"]), "curves: column 'stratum': missing in 1"),
        (lambda rows: pd.concat([rows, rows[["time"]]], axis=1), "curves: column 'time' stands 2 times"),
    ],
)
def test_curves_that_cannot_be_read_are_refused(change, message):
    for read in (lambda rows: survival_at(rows, [1.5]), survival_quantile, lambda rows: survival_difference(rows, 1.5)):
        with pytest.raises(InputError, match=message):
            read(change(CURVES))
