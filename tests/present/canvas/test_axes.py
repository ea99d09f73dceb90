"""Ticks of time axes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InputError, breaks_for


@pytest.mark.parametrize(
    ("last", "unit", "step"),
    [(10, "months", 3), (24, "months", 3), (41.2, "months", 6), (60, "months", 12), (130, "months", 24),
     (1022, "days", 180), (2659, "days", 365), (5, "years", 1), (100, "weeks", 13),
     (35, "cycles", 5), (0.9, "years", 0.1)],
)  # fmt: skip
def test_steps_are_those_of_the_unit(last, unit, step):
    ticks = breaks_for(last, unit)
    assert ticks[0] == 0
    assert ticks[1] == pytest.approx(step)


def test_the_axis_reaches_the_next_step_only_when_it_all_but_does():
    assert breaks_for(41.2)[-1] == 42
    assert breaks_for(40.0)[-1] == 36


@given(st.floats(1e-3, 1e6), st.sampled_from(["months", "days", "weeks", "years", "hours", "visits"]))
def test_ticks_are_few_even_and_within_reach(last, unit):
    ticks = breaks_for(last, unit)
    assert 2 <= len(ticks) <= 11
    assert ticks[-1] <= 1.021 * last
    steps = [later - earlier for earlier, later in itertools.pairwise(ticks)]
    assert max(steps) == pytest.approx(min(steps))


@pytest.mark.parametrize("last", [0, -1, float("nan"), float("inf")])
def test_an_axis_without_length_is_refused(last):
    with pytest.raises(InputError, match="give a positive time"):
        breaks_for(last)
