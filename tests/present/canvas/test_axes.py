"""Ticks of time, and ratios on a logarithmic axis."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InputError, breaks_for
from analysis.present.canvas.axes import ratio_limits, set_ratio_axis
from analysis.present.canvas.layout import new_figure


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


@pytest.mark.parametrize(
    ("last", "ticks"), [(2.0, (0, 1, 2)), (9.0, tuple(range(10))), (9.1, (0, 3, 6, 9)), (1.9, (0, 0.5, 1, 1.5))]
)
def test_a_step_of_the_unit_is_taken_when_it_gives_two_to_nine_ticks(last, ticks):
    assert breaks_for(last) == pytest.approx(ticks)


def test_limits_hold_one_whatever_is_given():
    low, high = ratio_limits([2.0, 3.0], [np.nan, np.inf])
    assert low < 1
    assert high > 3
    assert ratio_limits([])[0] < 1 < ratio_limits([])[1]


@pytest.mark.parametrize("reference", [1.0, 4.0])
def test_ratios_up_to_fifty_fold_are_on_the_axis_and_no_others(reference):
    low, high = ratio_limits(np.array([1 / 49.9, 6.0, 49.9]) * reference, reference=reference)
    assert low < reference / 49.9
    assert high > 49.9 * reference
    low, high = ratio_limits(np.array([1 / 50.1, 6.0, 50.1]) * reference, reference=reference)
    assert reference / 50 < low < reference
    assert 6 * reference < high < 7 * reference


@pytest.mark.parametrize("upright", [True, False])
def test_ticks_of_a_ratio_axis_are_the_finest_that_keep_apart(upright):
    (ax,) = new_figure(90.0).axes
    axis = ax.yaxis if upright else ax.xaxis
    for room, expected in ((300, 13), (60, 5)):
        set_ratio_axis(ax, 0.5, 2.0, room=room, upright=upright)
        ticks = axis.get_ticklocs()
        spots = room * np.log(ticks / 0.5) / np.log(4)
        assert len(ticks) == expected
        assert np.diff(spots).min() >= 12 or room == 300
    assert axis.get_scale() == "log"
    assert [text.get_text() for text in axis.get_ticklabels()][:2] == ["0.5", "0.67"]
