"""The parts of an illness-death course: fading hazards, scans, rounding, and the end of follow-up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortDesign
from analysis.cohort.synthetic.causes import Hazard
from analysis.cohort.synthetic.illness_death import Course, draw_follow_up, magnesium_log_ratio, next_scan, round_up

POSITIVE = st.floats(0.01, 50)


@given(st.floats(0.01, 1), st.floats(0.5, 100), st.floats(0, 20), st.floats(-3, 3))
def test_event_times_invert_the_cumulative_hazard(rate, fade, exponential, log_ratio):
    time = Hazard(rate, fade).times(np.array([exponential]), np.array([log_ratio]))[0]
    whole = rate * fade * np.exp(log_ratio)
    if np.isinf(time):
        assert exponential >= whole * (1 - 1e-12)
    else:
        assert whole * -np.expm1(-time / fade) == pytest.approx(exponential, rel=1e-9, abs=1e-12)


@given(st.floats(0.01, 1), st.floats(0.5, 100), st.floats(0, 20), st.floats(-3, 3))
def test_periods_of_one_log_ratio_are_no_periods(rate, fade, exponential, log_ratio):
    hazard, one = Hazard(rate, fade), np.array([exponential])
    starts = np.array([[0.0, 0.0, 0.7, 3.0, 50.0]])
    found = hazard.times_by_period(one, starts, np.full(starts.shape, log_ratio))
    assert found == pytest.approx(hazard.times(one, np.array([log_ratio])), rel=1e-6)


def test_event_times_by_period_by_hand():
    """A hazard of nearly 1 a month, doubled in the second month and gone after it: at 0.5, 1 + 0.5 / 2, never."""
    found = Hazard(1.0, 1e9).times_by_period(
        np.array([0.5, 1.5, 3.5]), np.tile([0.0, 1.0, 2.0], (3, 1)), np.tile([0.0, np.log(2), -60.0], (3, 1))
    )
    assert found[:2] == pytest.approx([0.5, 1.25], rel=1e-6)
    assert np.isinf(found[2])


def test_a_fading_hazard_leaves_its_plateau():
    times = Hazard(0.1, 10.0).times(np.random.default_rng(1).standard_exponential(100_000), np.zeros(100_000))
    assert np.isinf(times).mean() == pytest.approx(np.exp(-1), abs=4 * 0.5 / np.sqrt(100_000))


@given(st.lists(POSITIVE, min_size=2, max_size=20))
def test_rounding_up_keeps_order_and_adds_less_than_a_hundredth(months):
    exact = np.sort(months)
    rounded = round_up(exact)
    assert (np.diff(rounded) >= 0).all()
    assert ((rounded - exact > -1e-7) & (rounded - exact < 0.01 + 1e-9)).all()


@given(POSITIVE, st.floats(0.25, 6))
def test_the_next_scan_is_the_first_one_at_or_after_progression(progression, interval):
    scan = next_scan(np.array([progression]), CohortDesign(scan_interval=interval), np.random.default_rng(1))[0]
    assert progression <= scan * (1 + 1e-12)
    assert scan - progression < 1.25 * interval * (1 + 1e-12)


@pytest.mark.parametrize(
    ("follow_up", "status"),
    [(1.0, [0, 0, 0]), (3.0, [1, 0, 2]), (9.0, [1, 2, 2])],
)
def test_status_is_what_is_seen_first(follow_up, status):
    """Seen before death; begun but not seen before death; death without progression."""
    course = Course(
        progression=np.array([1.5, 4.0, np.inf]),
        seen=np.array([2.0, 6.0, np.inf]),
        death=np.array([5.0, 5.0, 2.5]),
    )
    assert course.status(np.full(3, follow_up)).tolist() == status
    assert course.pfs.tolist() == [2.0, 5.0, 2.5]


def test_follow_up_lies_between_the_last_and_the_first_entry_but_for_those_lost():
    kept = draw_follow_up(CohortDesign(drop_out_share=0.0).of_size(10_000), np.random.default_rng(1))
    assert kept.min() >= 12
    assert kept.max() <= 54 + 0.01
    lost = draw_follow_up(CohortDesign(drop_out_share=0.05).of_size(10_000), np.random.default_rng(1))
    assert (lost != kept).mean() == pytest.approx(0.05, abs=0.01)
    assert (lost <= kept).all()


@pytest.mark.parametrize(
    ("world", "transition", "expected"),
    [
        ("planted", "progression", [np.log(1.24), 0.0]),
        ("planted", "death_without_progression", [np.log(1.30), 0.0]),
        ("planted", "death_after_progression", [np.log(1.30), 0.0]),
        ("threshold", "progression", [0.0, 0.0]),
        ("null", "progression", [0.0, 0.0]),
        ("independent", "death_after_progression", [0.0, 0.0]),
    ],
)
def test_the_planted_effect_is_per_tenth_of_a_millimole_lower(world, transition, expected):
    found = magnesium_log_ratio(np.array([0.70, 0.80]), CohortDesign(world=world), transition)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_threshold_is_a_step_below():
    design = CohortDesign(world="threshold")
    found = magnesium_log_ratio(np.array([0.699, 0.5]), design, "death_without_progression")
    assert np.exp(found) == pytest.approx([2.2, 2.2])


class FixedShift:
    """Uniform numbers that are all the same."""

    def __init__(self, value):
        self.value = value

    def uniform(self, low, high, size):
        assert low <= self.value <= high
        return np.full(size, self.value)


@pytest.mark.parametrize(
    ("progression", "shift", "scan"),
    [
        (0.1, 0.3, 2.3),  # before the first scan of a patient whose scans come late: that scan, not one at 0.3
        (0.1, -0.3, 1.7),
        (2.3, 0.3, 2.3),  # on the day of a scan
        (2.31, 0.3, 4.3),
    ],
)
def test_scans_begin_an_interval_after_the_infusion(progression, shift, scan):
    found = next_scan(np.array([progression]), CohortDesign(scan_interval=2.0), FixedShift(shift / 2.0))
    assert found == pytest.approx([scan])


def test_progression_seen_on_the_day_of_death_is_progression():
    course = Course(progression=np.array([1.0]), seen=np.array([2.0]), death=np.array([2.0]))
    assert course.status(np.array([9.0])).tolist() == [1]
    assert course.status(np.array([2.0])).tolist() == [1]


def test_times_of_whole_hundredths_are_not_rounded_up_by_a_rounding_error():
    hundredths = np.arange(1, 2000)
    assert 1.1 * 100 > 110  # as floats: without rounding first it would become 1.11
    assert round_up(hundredths / 100).tolist() == (hundredths / 100).tolist()


def test_a_course_of_some_patients_keeps_their_times():
    course = Course(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])).take(np.array([False, True]))
    assert (course.progression, course.seen, course.death) == ([2.0], [4.0], [6.0])
