"""Hazard ratios by period against R's survSplit, and by properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, InputError, NotEstimable, RowsDropped, fit_cox, piecewise_effects
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
def test_bad_inputs_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        piecewise_effects(rows("veteran"), VETERAN, "karno", **options)
