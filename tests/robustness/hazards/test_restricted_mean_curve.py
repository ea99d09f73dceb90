"""The curve of restricted mean differences: equal to its points, and a band that covers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    InputError,
    NotEstimable,
    kaplan_meier,
    restricted_mean_curve,
    restricted_mean_difference,
)
from tests.reference import rows

VETERAN = Endpoint("time", "status", time_unit="days")


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return kaplan_meier(rows("veteran"), VETERAN, by="celltype")


@pytest.mark.parametrize("horizon", [30.0, 100.0, 180.0])
def test_each_point_is_the_difference_at_its_horizon(curves, horizon):
    curve = restricted_mean_curve(curves, horizons=[60.0, horizon], seed=1)
    point = restricted_mean_difference(curves, horizon)
    mine = curve[curve["horizon"] == horizon].reset_index(drop=True)
    columns = ["difference", "std_error", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(mine[columns], point[columns], rtol=1e-12)
    assert mine["stratum_b"].tolist() == point["stratum_b"].tolist()


def test_the_band_holds_the_pointwise_limits_and_little_more(curves):
    curve = restricted_mean_curve(curves, seed=1)
    wide = (curve["band_high"] - curve["band_low"]) / (curve["conf_high"] - curve["conf_low"])
    assert len(curve) == 6 * 40
    assert wide.between(1, 1.6).all()  # Bonferroni over 40 horizons would be 1.65


def test_each_pair_ends_where_fewer_than_ten_are_at_risk_in_either_stratum(curves):
    curve = restricted_mean_curve(curves, seed=1)
    times = rows("veteran").groupby("celltype")["time"].apply(lambda held: held.sort_values().iloc[-10])
    for (a, b), mine in curve.groupby(["stratum_a", "stratum_b"], observed=True):
        assert mine["horizon"].max() == min(times[a], times[b])  # the tenth longest time: ten are at risk, not nine
        assert len(mine) == 40


def test_strata_too_small_for_a_band_are_named_and_have_one_where_horizons_are_given():
    cohort = pd.DataFrame({"time": np.arange(1.0, 25), "event": 1, "arm": ["a"] * 9 + ["b"] * 15})
    curves = kaplan_meier(cohort, Endpoint("time", "event"), by="arm")
    with pytest.raises(NotEstimable, match=r"fewer than 10 at risk throughout: 'a'; .* \(give horizons"):
        restricted_mean_curve(curves, seed=1)
    assert len(restricted_mean_curve(curves, horizons=[5.0], seed=1)) == 1


def test_one_horizon_has_the_pointwise_band_up_to_the_draws(curves):
    curve = restricted_mean_curve(curves, horizons=100.0, n_draws=200_000, seed=1)
    np.testing.assert_allclose(curve["band_low"], curve["conf_low"], rtol=0.02, atol=0.5)


def test_the_band_is_never_narrower_than_the_pointwise_limits_however_few_the_draws(curves):
    # of 100 draws the 95th largest lies below 1.96 about as often as above
    tables = [restricted_mean_curve(curves, horizons=100.0, n_draws=100, seed=seed) for seed in range(6)]
    found = pd.concat(tables)
    assert (found["band_low"] <= found["conf_low"]).all()
    assert (found["band_high"] >= found["conf_high"]).all()
    assert 0.2 < (found["band_low"] == found["conf_low"]).mean() < 0.8


def test_the_band_covers_the_whole_true_curve_as_often_as_it_says():
    # two exponential groups with hazards 1 and 1/2: true restricted means (1 - exp(-h rate)) / rate
    horizons, covered, pointwise = np.linspace(0.2, 1.5, 12), 0, 0
    truth = (1 - np.exp(-horizons / 2)) * 2 - (1 - np.exp(-horizons))
    rng = np.random.default_rng(20)
    n_worlds = 200
    for _ in range(n_worlds):
        time = np.concatenate([rng.exponential(1, 80), rng.exponential(2, 80)])
        censored = rng.uniform(1.5, 4, 160)
        cohort = pd.DataFrame(
            {"time": np.minimum(time, censored), "event": time <= censored, "arm": ["a"] * 80 + ["b"] * 80}
        )
        curve = restricted_mean_curve(
            kaplan_meier(cohort, Endpoint("time", "event"), by="arm", engine="kernel"),
            horizons=horizons, n_draws=1000, seed=1,
        )  # fmt: skip
        covered += ((curve["band_low"] <= truth) & (truth <= curve["band_high"])).all()
        pointwise += ((curve["conf_low"] <= truth) & (truth <= curve["conf_high"])).all()
    assert 0.90 <= covered / n_worlds <= 0.99  # 95 % give or take three standard errors of 200 worlds
    assert pointwise < covered


def test_the_seed_repeats_and_horizons_are_put_in_order(curves):
    first = restricted_mean_curve(curves, horizons=[100, 50, 100], seed=7)
    pd.testing.assert_frame_equal(first, restricted_mean_curve(curves, horizons=[50, 100], seed=7))
    assert first["horizon"].tolist() == [50.0, 100.0] * 6


def test_before_the_first_event_nothing_is_gained_and_nothing_varies():
    cohort = pd.DataFrame({"time": [5.0, 6, 7, 8], "event": [1, 1, 0, 1], "arm": ["a", "a", "b", "b"]})
    curve = restricted_mean_curve(
        kaplan_meier(cohort, Endpoint("time", "event"), by="arm"), horizons=[2.0, 4.0], seed=1
    )
    assert (curve[["difference", "std_error", "band_low", "band_high"]] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizons": [0.0, 10.0]}, "above 0"),
        ({"horizons": [-1.0]}, "not negative"),
        ({"horizons": []}, "one or more numbers"),
        ({"horizons": [1e6]}, "beyond the follow-up|lies beyond"),
        ({"seed": None}, "seed"),
        ({"n_draws": 10}, "n_draws"),
        ({"conf_level": 95}, "did you mean 0.95"),
    ],
)
def test_invalid_arguments_raise(options, words):
    cohort = pd.DataFrame({"time": [5.0, 6, 7, 8], "event": [1, 0, 1, 0], "arm": ["a", "a", "b", "b"]})
    curves = kaplan_meier(cohort, Endpoint("time", "event"), by="arm")
    with pytest.raises(InputError, match=words):
        restricted_mean_curve(curves, **{"seed": 1, **options})


def test_one_stratum_has_nothing_to_be_compared_with():
    with pytest.raises(NotEstimable, match="at least 2 strata"):
        restricted_mean_curve(kaplan_meier(rows("veteran"), VETERAN), seed=1)
