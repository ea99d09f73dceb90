"""Words in free space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis.present.canvas.placing import BAND, Space, name_ends, name_line, spread
from analysis.present.canvas.style import SMALL, figure_style


@pytest.fixture(autouse=True)
def _house_style():
    """Lengths are points in the house style."""
    with figure_style():
        yield


def test_blocks_that_are_apart_stay():
    assert spread([10, 30, 50], [10, 10, 10], low=0, high=100).tolist() == [10, 30, 50]


def test_blocks_at_one_place_part_evenly_around_it():
    assert spread([50, 50, 50], [10, 10, 10], low=0, high=100).tolist() == [40, 50, 60]


def test_blocks_stay_between_the_ends():
    assert spread([0, 0], [10, 10], low=0, high=100).tolist() == [5, 15]
    assert spread([100, 100], [10, 10], low=0, high=100).tolist() == [85, 95]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 200), st.floats(1, 20)), min_size=1, max_size=8))
def test_no_block_overlaps_and_order_is_kept(blocks):
    centres, heights = (np.array(part) for part in zip(*blocks, strict=True))
    placed = spread(centres, heights, low=0, high=200)
    order = np.argsort(centres, kind="stable")
    tops, bottoms = (placed + heights / 2)[order], (placed - heights / 2)[order]
    assert (bottoms[1:] >= tops[:-1] - 1e-9).all()
    assert bottoms[0] >= -1e-9
    assert tops[-1] <= 200 + 1e-9


def axes():
    figure = Figure(figsize=(4, 3), dpi=72)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, 288)
    ax.set_ylim(0, 216)
    return ax


def test_an_empty_space_gives_the_wanted_place():
    spot = Space(axes()).place(30, 10, near=(100, 100))
    assert (spot.left, spot.bottom, spot.free) == (100, 100, True)


def test_two_words_for_one_place_do_not_overlap():
    space = Space(axes())
    first, second = (space.place(30, 10, near=(100, 100)) for _ in range(2))
    apart = abs(first.left - second.left) >= 30 or abs(first.bottom - second.bottom) >= 10
    assert apart
    assert second.free


def test_a_line_is_kept_free_and_a_full_space_says_so():
    space = Space(axes())
    space.take_line([0, 288], [100, 100])
    spot = space.place(30, 10, near=(100, 97))
    assert spot.bottom >= 102 or spot.bottom + 10 <= 98
    space.take_box((0, 0, 288, 216))
    assert not space.find(30, 10, near=(0, 0)).free


def test_undefined_parts_of_a_curve_take_no_room():
    space = Space(axes())
    space.take_band([0, 100, 200], [np.nan, 10, np.nan], [np.nan, 20, np.nan])
    space.take_line([0, 100, np.nan], [5, np.nan, 5])
    assert space.find(200, 100, near=(0, 0)).free


@pytest.mark.parametrize("size", [(400, 10), (10, 400)])
def test_what_is_larger_than_the_space_is_never_free(size):
    assert not Space(axes()).find(*size, near=(0, 0)).free


@pytest.mark.parametrize(("size", "free"), [((288, 216), True), ((289, 10), False), ((10, 217), False)])
def test_a_box_as_large_as_the_axes_is_free_and_no_larger_one(size, free):
    assert Space(axes()).find(*size, near=(0, 0)).free is free


def test_a_band_may_be_covered_and_not_a_single_point_of_a_line():
    band, line = Space(axes()), Space(axes())
    band.take_box((0, 0, 288, 216), BAND)
    assert band.find(280, 30, near=(0, 0)).free
    line.take_box((144, 108, 144, 108))
    assert not line.find(287, 215, near=(0, 0)).free
    assert line.find(30, 30, near=(0, 0)).free


def test_bars_are_blocked_and_what_is_shaded_behind_them_is_not():
    ax = axes()
    ax.axvspan(0, 288, zorder=0)
    ax.bar([100], [50], width=40)
    space = Space(ax)
    space.take_bars()
    assert space.find(30, 100, near=(200, 0)).left == 200
    assert space.find(30, 30, near=(90, 0)).bottom > 50 or space.find(30, 30, near=(90, 0)).left > 120
    assert space.find(287, 30, near=(0, 0)).bottom > 50


def test_names_at_the_ends_stand_at_their_levels_and_apart():
    ax = axes()
    names = [("high", 200.0, "black"), ("low", 50.0, "black"), ("beside low", 51.0, "black")]
    name_ends(ax, names, 216.0)
    heights = {text.get_text(): text.xy[1] * 216 for text in ax.texts}
    assert heights["high"] == pytest.approx(200)
    assert heights["beside low"] - heights["low"] == pytest.approx(1.25 * SMALL)
    assert heights["beside low"] + heights["low"] == pytest.approx(101)


def test_a_name_stands_beside_its_line_and_covers_no_other():
    ax = axes()
    ax.plot([0, 288], [20, 20])
    space = Space(ax)
    space.take_line([0, 288], [20, 20])
    name_line(ax, "low", [0, 288], [20, 20], space)
    (name,) = [text for text in ax.texts if text.get_text()]
    box = name.get_window_extent()
    assert box.y0 > 22 or box.y1 < 18
    assert abs((box.y0 + box.y1) / 2 - 20) < 20
    before = len(ax.texts)
    name_line(ax, "off the axes", [400, 500], [20, 20], space)
    assert len(ax.texts) == before
