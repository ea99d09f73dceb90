"""Restricted means by hand, in any unit of time, and beyond follow-up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, InputError, NotEstimable, kaplan_meier, restricted_mean, restricted_mean_difference

OS = Endpoint("time", "event")
# Events at 1, 6 (twice) and 9; censored at 2, 7 and 10: S is 6/7, 18/35, 9/35.
SEVEN = pd.DataFrame({"time": [1.0, 2, 6, 6, 7, 9, 10], "event": [1, 0, 1, 1, 0, 1, 0]})
ARMS = pd.DataFrame({"time": [1.0, 2, 3, 4, 2, 2, 5, 8], "event": [1, 1, 1, 0, 1, 1, 0, 0], "arm": list("aaaabbbb")})


def test_seven_rows_in_fractions():
    row = restricted_mean(kaplan_meier(SEVEN, OS), 9).iloc[0]
    after_one, after_six = 6 / 7 * 5 + 18 / 35 * 3, 18 / 35 * 3
    np.testing.assert_allclose(row["restricted_mean"], 1 + after_one, rtol=1e-12)
    np.testing.assert_allclose(row["std_error"], np.sqrt(after_one**2 / 42 + after_six**2 * 2 / 15), rtol=1e-12)


def test_without_censoring_it_is_the_mean_of_the_times_cut_at_the_horizon():
    time = np.random.default_rng(2).exponential(10, 80)
    row = restricted_mean(kaplan_meier(pd.DataFrame({"time": time, "event": 1}), OS), 12).iloc[0]
    cut = np.minimum(time, 12)
    np.testing.assert_allclose(row["restricted_mean"], cut.mean(), rtol=1e-12)
    np.testing.assert_allclose(row["std_error"], cut.std() / np.sqrt(80), rtol=1e-10)


def test_a_curve_at_zero_may_end_before_the_horizon():
    curves = kaplan_meier(pd.DataFrame({"time": [2.0, 4], "event": [1, 1]}), OS)
    assert restricted_mean(curves, 10)["restricted_mean"].tolist() == pytest.approx([3])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.4375, 1e6])
def test_a_horizon_that_differs_from_the_last_time_by_rounding(scale):
    rows = pd.DataFrame({"time": np.array([0.1, 0.2, 0.3]) * scale, "event": [1, 0, 0]})
    curves = kaplan_meier(rows, OS)
    # 0.1 at 1, then 0.2 at 2/3
    expected = pytest.approx([(0.1 + 0.2 * 2 / 3) * scale])
    assert restricted_mean(curves, np.nextafter(0.3 * scale, np.inf))["restricted_mean"].tolist() == expected
    with pytest.raises(InputError, match="lies beyond the follow-up"):
        restricted_mean(curves, 0.3 * scale * 1.000001)


def test_a_horizon_beyond_follow_up_is_refused_with_the_limit_unless_extended():
    curves = kaplan_meier(ARMS, OS, by="arm")
    with pytest.raises(
        InputError, match=r"horizon=6 lies beyond the follow-up: stratum 'a' ends at 4; choose at most 4"
    ):
        restricted_mean(curves, 6)
    assert restricted_mean(curves, 6, extend=True)["restricted_mean"].tolist() == pytest.approx(
        [1 + 0.75 + 0.5 + 3 * 0.25, 2 + 4 * 0.5]
    )


def test_difference_and_ratio_by_hand():
    """To 4: a has 1 + 3/4 + 1/2 + 1/4 = 5/2, b has 2 + 2 / 2 = 3."""
    row = restricted_mean_difference(kaplan_meier(ARMS, OS, by="arm"), 4).iloc[0]
    errors = restricted_mean(kaplan_meier(ARMS, OS, by="arm"), 4)["std_error"].to_numpy()
    error, spread = np.hypot(*errors), np.exp(1.959963984540054 * np.hypot(errors[0] / 2.5, errors[1] / 3))
    ours = row.drop(["stratum_a", "stratum_b", "p_value"]).to_numpy(dtype=float)
    reach = 1.959963984540054 * error
    expected = [0.5, error, 0.5 - reach, 0.5 + reach, 0.5 / error, 1.2, 1.2 / spread, 1.2 * spread]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-3, 30.4375, 1e6])
def test_it_scales_with_the_unit_of_time(unit):
    ours = restricted_mean(kaplan_meier(ARMS, OS, by="arm"), 4)
    scaled = restricted_mean(kaplan_meier(ARMS.assign(time=ARMS["time"] * unit), OS, by="arm"), 4 * unit)
    np.testing.assert_allclose(scaled.iloc[:, 1:], ours.iloc[:, 1:] * unit, rtol=1e-10)


def test_whole_number_weights_are_replicates():
    weighted = kaplan_meier(ARMS.assign(w=2), OS, weights="w")
    replicated = kaplan_meier(pd.concat([ARMS, ARMS]), OS)
    pd.testing.assert_frame_equal(restricted_mean(weighted, 4), restricted_mean(replicated, 4), rtol=1e-12)


def test_fractional_weights_are_refused():
    curves = kaplan_meier(ARMS.assign(w=0.5), OS, weights="w")
    with pytest.raises(InputError, match="the standard error of a restricted mean needs the rows"):
        restricted_mean(curves, 3)


@pytest.mark.parametrize("horizon", [0, -3, float("nan"), float("inf"), "12", None, True])
def test_a_horizon_must_be_positive(horizon):
    with pytest.raises(InputError, match="must be a finite number above 0"):
        restricted_mean(kaplan_meier(ARMS, OS), horizon)


def test_one_stratum_has_nothing_to_differ_from():
    with pytest.raises(NotEstimable, match="need at least 2 strata"):
        restricted_mean_difference(kaplan_meier(ARMS, OS), 3)


def test_a_mean_of_zero_has_no_ratio():
    """Everybody in the first arm has the event at time 0."""
    cohort = pd.DataFrame({"time": [0.0, 0, 1, 2, 3], "event": [1, 1, 1, 0, 1], "arm": list("aabbb")})
    table = restricted_mean_difference(kaplan_meier(cohort, OS, by="arm"), 2)
    assert table["difference"].tolist() == pytest.approx([5 / 3])
    assert table[["ratio", "ratio_conf_low", "ratio_conf_high"]].isna().all(axis=None)


def test_a_numpy_number_reads_as_a_number():
    with pytest.raises(InputError, match=r"^horizon=0\.0 must be a finite number above 0$"):
        restricted_mean(kaplan_meier(ARMS, OS), np.float64(0))
