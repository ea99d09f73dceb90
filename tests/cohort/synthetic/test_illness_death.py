"""The parts of an illness-death course: fading hazards, scans, rounding, and the end of follow-up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortDesign
from analysis.cohort.synthetic.illness_death import Course, draw_follow_up, magnesium_log_ratio, next_scan, round_up

POSITIVE = st.floats(0.01, 50)


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
