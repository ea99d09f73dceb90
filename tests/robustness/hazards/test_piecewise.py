"""Hazard ratios by period against R's survSplit, and by properties; the verdict case by case, and how often it errs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    InputError,
    NotEstimable,
    RowsDropped,
    fit_cox,
    piecewise_effects,
    proportional_hazards_test,
    proportional_hazards_verdict,
)
from tests.reference import rows

VETERAN, HEART = Endpoint("time", "status"), Endpoint("stop", "event", entry="start")


def logs(found) -> np.ndarray:
    return np.log(found.periods["hazard_ratio"].to_numpy())


def errors(found) -> np.ndarray:
    return (np.log(found.periods["conf_high"]) - np.log(found.periods["conf_low"])).to_numpy() / (2 * 1.959963984540054)


def test_veteran_as_r_splits_it():
    # R 4.2.2, survival 3.5-3: coxph(Surv(tstart, time, status) ~ karno:strata(p) + age + strata(celltype),
    # survSplit(Surv(time, status) ~ ., veteran, cut = c(30, 90), episode = "p")), and the constant model
    found = piecewise_effects(rows("veteran"), VETERAN, "karno", cuts=[30, 90], adjust="age", strata="celltype")
    np.testing.assert_allclose(logs(found), [-0.05271199822603, -0.04238328515014, 0.00013763207433], atol=1e-9)
    np.testing.assert_allclose(errors(found), [0.0086785861601, 0.0102867116030, 0.0117342833585], rtol=1e-7)
    assert found.test.statistic == pytest.approx(14.004394507, rel=1e-8)
    assert found.test.df == 2
    assert found.fit.coefficients["coef"].iloc[-1] == pytest.approx(-0.01066322421382, rel=1e-7)


def test_late_entry_as_r_splits_it():
    # R: the same for heart, coxph(Surv(start, stop, event) ~ tr:strata(p) + age), cut = c(50, 200)
    found = piecewise_effects(rows("heart"), HEART, "transplant", cuts=[200, 50], adjust="age")
    np.testing.assert_allclose(logs(found), [-0.141835743543, 0.375550897240, -0.516594815345], rtol=1e-7)
    np.testing.assert_allclose(errors(found), [0.443538739398, 0.552971043227, 0.776203524178], rtol=1e-7)
    assert found.test.statistic == pytest.approx(1.0134955536, rel=1e-7)


def test_periods_share_the_events_and_count_those_at_risk():
    found = piecewise_effects(rows("veteran"), VETERAN, "karno", cuts=[30, 90])
    veteran = rows("veteran")
    assert found.periods["n_event"].sum() == found.n_event == veteran["status"].sum()
    assert found.periods["n_risk"].tolist() == [(veteran["time"] > start).sum() for start in (0, 30, 90)]
    assert found.periods["stop"].isna().tolist() == [False, False, True]


def test_the_fit_counts_the_rows_that_it_was_fitted_to_and_the_result_those_of_the_cohort():
    # As n of R's coxph on survSplit: a row of the cohort gives one to each period that its time reaches.
    found = piecewise_effects(rows("veteran"), VETERAN, "karno", cuts=[30, 90])
    time = rows("veteran")["time"]
    assert found.fit.n == len(time) + (time > 30).sum() + (time > 90).sum() == len(found.fit.linear_predictor)
    assert (found.n_used, found.n_event) == (len(time), found.fit.n_event)


def test_an_event_at_a_cut_belongs_to_the_period_that_it_ends():
    cohort = pd.DataFrame({"time": np.arange(1.0, 13), "event": 1, "x": [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0]})
    found = piecewise_effects(cohort, Endpoint("time", "event"), "x", cuts=[6.0])
    assert found.periods["n_event"].tolist() == [6, 6]
    nearly = piecewise_effects(cohort, Endpoint("time", "event"), "x", cuts=[6.0 - 1e-9])
    pd.testing.assert_frame_equal(
        nearly.periods.drop(columns=["start", "stop"]), found.periods.drop(columns=["start", "stop"])
    )


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")  # early times are few whole days
def test_a_period_is_its_own_model_where_nothing_is_shared():
    # with the marker alone the partial likelihood factors by period: each equals a fit of that period's rows
    veteran = rows("veteran")
    found = piecewise_effects(veteran, VETERAN, "karno", cuts=[90])
    early = veteran.assign(status=veteran["status"] * (veteran["time"] <= 90), time=veteran["time"].clip(upper=90))
    late = veteran[veteran["time"] > 90].assign(start=90.0)
    separate = [
        fit_cox(early, VETERAN, ["karno"]).coef[0],
        fit_cox(late, Endpoint("time", "status", entry="start"), ["karno"]).coef[0],
    ]
    np.testing.assert_allclose(logs(found), separate, rtol=1e-8)


def test_the_constant_ratio_is_the_model_without_periods():
    found = piecewise_effects(rows("veteran"), VETERAN, "karno", cuts=[90], adjust=["age", "celltype"])
    fit = fit_cox(rows("veteran"), VETERAN, "karno + age + celltype")
    assert np.log(found.constant["hazard_ratio"].item()) == pytest.approx(fit.coef[0], rel=1e-7)


def test_a_name_that_is_no_name_and_a_missing_marker():
    veteran = rows("veteran").rename(columns={"karno": "Karnofsky (%)"})
    veteran.loc[[3, 5], "Karnofsky (%)"] = np.nan
    before = veteran.copy()
    with pytest.warns(RowsDropped, match="2 of 137 rows dropped: 2 for missing Karnofsky \\(%\\)"):
        found = piecewise_effects(veteran, VETERAN, "Karnofsky (%)", cuts=[90], adjust=["age"])
    assert found.dropped == {"missing Karnofsky (%)": 2}
    assert (found.n_read, found.n_used) == (137, 135)
    pd.testing.assert_frame_equal(veteran, before)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"cuts": []}, InputError, "cuts"),
        ({"cuts": [0, 30]}, InputError, "must be above 0"),
        ({"cuts": [30, 30]}, InputError, "each given once"),
        ({"cuts": [30, np.nan]}, InputError, "finite"),
        ({"cuts": [5000]}, NotEstimable, "no events of 'status' after 5000"),
        ({"cuts": [0.5, 30]}, NotEstimable, "after 0 up to 0.5"),
        ({"cuts": [30], "adjust": "log(karno)"}, InputError, "holds the marker itself"),
        ({"cuts": [30], "conf_level": 95}, InputError, "did you mean 0.95"),
    ],
)
def test_invalid_arguments_raise(options, error, words):
    with pytest.raises(error, match=words):
        piecewise_effects(rows("veteran"), VETERAN, "karno", **options)


# --- The verdict on proportional hazards ------------------------------------------------------------


def periods(*limits: tuple[float, float], n_event: int = 40) -> pd.DataFrame:
    low, high = (np.array(side) for side in zip(*limits, strict=True))
    return pd.DataFrame({"hazard_ratio": np.sqrt(low * high), "conf_low": low, "conf_high": high, "n_event": n_event})


STEADY = periods((1.1, 1.8), (0.82, 1.92))
ACROSS = periods((1.1, 2.0), (0.5, 0.9))


@pytest.mark.parametrize(
    ("frame", "score", "period", "departure"),
    [
        (STEADY, 0.4, 0.6, "not shown"),
        (STEADY, 0.025, 0.9, "not shown"),  # two tests: 0.025 each
        (STEADY, 0.024, 0.9, "shown"),
        (STEADY, 0.9, 0.024, "shown"),
        (ACROSS, 0.01, 0.01, "opposite sides"),
        (ACROSS, 0.4, 0.4, "not shown"),
        (periods((1.1, 2.0), (0.5, 1.01)), 0.01, 0.01, "shown"),  # estimates on both sides, one interval holds 1
        (periods((0.99, 2.0), (0.5, 0.9)), 0.01, 0.01, "shown"),
        (periods((0.5, 0.9), (0.9, 1.2), (1.1, 1.4)), 0.04, 0.01, "opposite sides"),
        (periods((1.1, 1.8), (0.9, 1.9), n_event=24), 0.001, 0.001, "undecided"),
        (periods((1.1, 1.8), (0.9, float("nan"))), 0.4, 0.4, "undecided"),
    ],
)
def test_each_case_of_the_rule_of_the_verdict(frame, score, period, departure):
    verdict = proportional_hazards_verdict(frame, score_p_value=score, period_p_value=period)
    assert verdict.departure == departure
    assert verdict.sentence.endswith(".")


def test_no_departure_comes_with_its_events_and_what_the_ratios_are_compatible_with():
    sentence = proportional_hazards_verdict(STEADY, score_p_value=0.4, period_p_value=0.6).sentence
    assert "could be shown with 80 events" in sentence
    assert "compatible with values from 0.82 to 1.92" in sentence
    assert "describes this follow-up" not in sentence


@pytest.mark.parametrize("column", ["hazard_ratio", "conf_low", "conf_high", "n_event"])
def test_a_frame_that_is_not_of_periods_is_refused(column):
    with pytest.raises(InputError, match="piecewise_effects"):
        proportional_hazards_verdict(STEADY.drop(columns=column), score_p_value=0.5, period_p_value=0.5)


def verdicts(late: float, n: int = 80, *, n_cohorts: int = 40) -> list[str]:
    """The verdicts on cohorts whose log hazard ratio is 0.5 up to month 6 and `late` after it."""
    found = []
    for seed in range(n_cohorts):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=n)
        early = rng.exponential(8 / np.exp(0.5 * x))
        time = np.where(early <= 6, early, 6 + rng.exponential(8 / np.exp(late * x)))
        cohort = pd.DataFrame({"t": np.minimum(time, 24), "e": (time <= 24) * 1, "x": x})
        endpoint = Endpoint("t", "e")
        effects = piecewise_effects(cohort, endpoint, "x", cuts=[6])
        score = proportional_hazards_test(fit_cox(cohort, endpoint, ["x"], engine="kernel"))["p_value"].iloc[0]
        verdict = proportional_hazards_verdict(
            effects.periods, score_p_value=float(score), period_p_value=effects.test.p_value
        )
        found.append(verdict.departure)
    return found


def test_proportional_hazards_are_seldom_doubted_and_a_fading_effect_is_seldom_said_to_turn():
    proportional = verdicts(0.5)
    # at most 5 % asked for: 7 or more of 40 have probability 0.003
    assert sum(departure in {"shown", "opposite sides"} for departure in proportional) <= 6
    fading = verdicts(0.0)
    assert fading.count("opposite sides") <= 4  # one interval in forty lies below 1: 5 or more have probability 0.003
    assert fading.count("shown") > 5
