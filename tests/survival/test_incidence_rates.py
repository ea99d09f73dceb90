"""Incidence rates: equal to R's, and by their properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import poisson

from analysis import CohortError, Endpoint, InputError, RowsDropped, incidence_rates
from tests.reference import rows

OS = Endpoint("time", "event", time_unit="days")
COLUMNS = ["stratum", "n", "n_event", "person_time", "rate", "conf_low", "conf_high"]


def test_rates_of_lung_are_those_of_r():
    """R 4.2.2: poisson.test(sum(d$status == 2), sum(d$time)) times 365.25; pyears(..., scale = 1)."""
    found = incidence_rates(rows("lung"), OS, by="sex", per=365.25)
    assert found.columns.tolist() == COLUMNS
    assert found[["n", "n_event", "person_time"]].to_numpy().tolist() == [[138, 112, 39086], [90, 53, 30507]]
    expected = [
        [1.046615156322, 0.861779682054, 1.259349996865],
        [0.634551086636, 0.475322307652, 0.830008444796],
    ]
    assert_allclose(found[["rate", "conf_low", "conf_high"]], expected, rtol=1e-10)


def test_no_events_have_a_limit_of_zero_and_one_above_it():
    """R: poisson.test(0, 50, conf.level = 0.9)$conf.int."""
    cohort = pd.DataFrame({"time": [20.0, 30.0], "event": [0, 0]})
    found = incidence_rates(cohort, OS, conf_level=0.9)
    assert found["stratum"].tolist() == ["all"]
    assert_allclose(found[["rate", "conf_low", "conf_high"]].iloc[0], [0, 0, 0.0599146454711], rtol=1e-10)


def test_late_entry_is_no_time_at_risk_and_spells_add_up():
    whole = pd.DataFrame({"start": [0.0, 2.0, 1.0], "time": [5.0, 8.0, 3.0], "event": [1, 0, 1]})
    late = Endpoint("time", "event", entry="start")
    assert incidence_rates(whole, late)["person_time"].item() == 5 + 6 + 2
    split = pd.DataFrame({"start": [0.0, 3, 2, 1], "time": [3.0, 5, 8, 3], "event": [0, 1, 0, 1]})
    columns = ["n_event", "person_time", "rate", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(incidence_rates(split, late)[columns], incidence_rates(whole, late)[columns])


@settings(max_examples=30, deadline=None)
@given(n_event=st.integers(0, 40), level=st.floats(0.5, 0.99), per=st.floats(0.1, 1e4))
def test_limits_are_the_means_at_which_so_many_events_become_unlikely(n_event, level, per):
    cohort = pd.DataFrame({"time": 2.0, "event": np.r_[np.ones(n_event), 0.0]})
    row = incidence_rates(cohort, OS, per=per, conf_level=level).iloc[0]
    low, high = (row[name] * row["person_time"] / per for name in ("conf_low", "conf_high"))
    tail = (1 - level) / 2
    assert poisson.cdf(n_event, high) == pytest.approx(tail, rel=1e-7)
    if n_event:
        assert poisson.sf(n_event - 1, low) == pytest.approx(tail, rel=1e-7)
    assert low <= n_event <= high


def test_rows_order_strata_and_a_cohort_left_as_it_was():
    cohort = rows("lung").assign(sex=lambda held: held["sex"].map({1: "male", 2: "female"}))
    cohort["sex"] = pd.Categorical(cohort["sex"], categories=["male", "female"], ordered=True)
    before = cohort.copy()
    found = incidence_rates(cohort, OS, by="sex")
    assert found["stratum"].tolist() == ["male", "female"]
    pd.testing.assert_frame_equal(found, incidence_rates(cohort.sample(frac=1, random_state=1), OS, by="sex"))
    pd.testing.assert_frame_equal(cohort, before)
    cohort.loc[:3, "sex"] = np.nan
    with pytest.warns(RowsDropped, match="4 for missing sex"):
        assert incidence_rates(cohort, OS, by="sex")["n"].sum() == len(cohort) - 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"per": 0}, InputError, r"per=0 must be a finite number above 0"),
        ({"conf_level": 95}, InputError, r"did you mean 0.95"),
        ({"by": "sexe"}, CohortError, r"no column 'sexe'"),
        ({"by": "none"}, InputError, r"no time at risk in stratum 'z'"),
    ],
)
@pytest.mark.filterwarnings("ignore::analysis.errors.SuspiciousValues")
def test_what_cannot_be_says_so(options, error, message):
    cohort = pd.DataFrame({"time": [1.0, 2.0, 0.0], "event": [1, 0, 0], "none": list("aaz")})
    with pytest.raises(error, match=message):
        incidence_rates(cohort, OS, **options)
