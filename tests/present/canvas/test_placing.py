"""Words in free space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from analysis.present.canvas.placing import Space, spread


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
