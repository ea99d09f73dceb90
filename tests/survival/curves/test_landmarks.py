"""Landmark subsets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, Endpoint, InputError, NotEstimable, RowsDropped, landmark

OS = Endpoint("time", "event")
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


def test_rows_that_cannot_be_used_are_named():
    with pytest.raises(CohortError, match="no column 'months'"):
        landmark(COHORT, Endpoint("months", "event"), 3)
