"""Risk tables and landmark subsets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CohortError, Endpoint, InputError, NotEstimable, RowsDropped, kaplan_meier, landmark, risk_table

OS = Endpoint("time", "event")
LATE = Endpoint("time", "event", entry="entry")


@st.composite
def cohorts(draw):
    n = draw(st.integers(1, 25))
    column = lambda held: np.array(draw(st.lists(held, min_size=n, max_size=n)))  # noqa: E731
    time = column(st.integers(1, 12)).astype(float)
    entry = np.floor(time * column(st.sampled_from([0.0, 0.5])))
    return pd.DataFrame(
        {"time": time, "event": column(st.booleans()), "entry": entry, "arm": column(st.sampled_from("ab"))}
    )


@given(cohorts(), st.lists(st.sampled_from([0.5, 1, 2, 3.5, 6, 12, 40]), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_counts_follow_their_definition(cohort, times):
    table = risk_table(cohort, LATE, times=times, by="arm")
    for row in table.itertuples():
        mine = cohort[cohort["arm"] == row.stratum]
        assert row.n_risk == ((mine["entry"] < row.time) & (row.time <= mine["time"])).sum()
        assert row.n_event == (mine["event"] & (mine["time"] <= row.time)).sum()
        assert row.n_censor == (~mine["event"] & (mine["time"] <= row.time)).sum()
    assert table["time"].tolist() == times * table["stratum"].nunique()


@pytest.mark.filterwarnings("ignore::analysis.errors.EarlyZero")
@given(cohorts())
@settings(deadline=None, max_examples=30)
def test_at_follow_up_times_the_table_counts_as_the_curve(cohort):
    curves = kaplan_meier(cohort, LATE, engine="kernel")
    table = risk_table(cohort, LATE, times=curves["time"])
    assert table["n_risk"].tolist() == curves["n_risk"].tolist()
    assert table["n_event"].tolist() == curves["n_event"].cumsum().tolist()
    assert table["n_censor"].tolist() == curves["n_censor"].cumsum().tolist()


def test_before_the_first_at_the_last_and_past_the_last():
    cohort = pd.DataFrame({"time": [2.0, 5.0], "event": [1, 0]})
    table = risk_table(cohort, OS, times=[0, 5, 6])
    assert list(table.columns) == ["stratum", "time", "n_risk", "n_event", "n_censor"]
    assert table.iloc[:, 2:].to_numpy().tolist() == [[2, 0, 0], [1, 1, 1], [0, 1, 1]]


def test_a_tick_that_differs_by_rounding_is_the_follow_up_time():
    cohort = pd.DataFrame({"time": [0.3, 1.0], "event": [1, 0]})
    table = risk_table(cohort, OS, times=[0.1 + 0.2])
    assert table.iloc[0, 2:].tolist() == [2, 1, 0]


def test_rows_dropped_are_told():
    cohort = pd.DataFrame({"time": [1.0, np.nan], "event": [1, 0]})
    with pytest.warns(RowsDropped, match="1 of 2 rows dropped"):
        assert risk_table(cohort, OS, times=[0])["n_risk"].tolist() == [1]


@pytest.mark.parametrize("times", [[], [-1.0], [np.nan], ["6"], [[1, 2]], [True], None])
def test_times_that_mean_nothing_are_refused(times):
    with pytest.raises(InputError, match="times"):
        risk_table(pd.DataFrame({"time": [1.0], "event": [1]}), OS, times=times)


def test_rows_that_cannot_be_used_are_named():
    with pytest.raises(CohortError, match="negative values"):
        risk_table(pd.DataFrame({"time": [-1.0], "event": [1]}), OS, times=[0])


COHORT = pd.DataFrame(
    {"time": [2.0, 3, 3, 5, 8], "event": [1, 1, 0, 1, 0], "mg": [0.7, 0.8, 0.9, 0.7, 0.8]}, index=list("edcba")
)


def test_only_those_followed_beyond_the_landmark_are_kept():
    """An event, or a censoring, at the landmark itself is past."""
    later = landmark(COHORT, OS, 3)
    assert later.index.tolist() == ["b", "a"]
    assert later["time"].tolist() == [2, 5]
    assert later["mg"].tolist() == [0.7, 0.8]


def test_near_the_landmark_by_rounding_is_at_it():
    cohort = pd.DataFrame({"time": [0.1 + 0.2, 1.0], "event": 1})
    assert len(landmark(cohort, OS, 0.3)) == 1


def test_a_landmark_at_zero_leaves_out_those_never_followed():
    cohort = pd.DataFrame({"time": [0.0, 1.0], "event": 1})
    assert landmark(cohort, OS, 0)["time"].tolist() == [1]


def test_entry_is_counted_from_the_landmark_too():
    cohort = COHORT.assign(entry=[0.0, 1, 2, 1, 6])
    later = landmark(cohort, Endpoint("time", "event", entry="entry"), 3)
    assert later["entry"].tolist() == [0, 3]


def test_nobody_left_is_an_error_with_the_end_of_follow_up():
    with pytest.raises(NotEstimable, match="0 at risk at 24: follow-up in 'time' ends at 8"):
        landmark(COHORT, OS, 24)


def test_incomplete_rows_are_dropped_and_told():
    cohort = COHORT.assign(event=pd.array([1, 1, 0, None, 0], dtype="Int64"))
    with pytest.warns(RowsDropped, match="1 for missing event"):
        assert landmark(cohort, OS, 3).index.tolist() == ["a"]


def test_the_cohort_is_not_changed():
    before = COHORT.copy(deep=True)
    landmark(COHORT, OS, 3)
    pd.testing.assert_frame_equal(COHORT, before)


@pytest.mark.parametrize("at", [-1, np.nan, np.inf, "3", None, True])
def test_a_landmark_must_be_a_time(at):
    with pytest.raises(InputError, match="must be a finite number of at least 0"):
        landmark(COHORT, OS, at)


def test_rows_that_a_landmark_cannot_use_are_named():
    with pytest.raises(CohortError, match="no column 'months'"):
        landmark(COHORT, Endpoint("months", "event"), 3)
