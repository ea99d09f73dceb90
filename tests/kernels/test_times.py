"""Ranking, merging and looking up times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.times import dense_rank, merge_near_ties, n_times_to, reached, run_starts

NUMBERS = st.lists(st.one_of(st.integers(-50, 50).map(float), st.floats(-1e9, 1e9)), min_size=1, max_size=40)


@given(NUMBERS)
@settings(deadline=None)
def test_ranks_rebuild_the_values(values):
    given_values = np.array(values)
    distinct, rank = dense_rank(given_values)
    assert distinct[rank].tolist() == given_values.tolist()
    assert (np.diff(distinct) > 0).all()
    assert len(distinct) == len(np.unique(given_values))


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.float64])
def test_whole_numbers_are_ranked_as_others_are(kind):
    values = np.array([5, 2, 2, 9], dtype=kind)
    distinct, rank = dense_rank(values)
    assert distinct.dtype == kind
    assert (distinct.tolist(), rank.tolist()) == ([2, 5, 9], [1, 0, 0, 2])


@given(st.lists(st.integers(1, 60), min_size=2, max_size=30), st.floats(1e-3, 1e6))
@settings(deadline=None)
def test_rounding_noise_is_merged_in_any_unit(whole, unit):
    exact = np.array(whole) * unit
    noisy = exact * (1 + 1e-13 * np.sin(np.arange(len(whole))))
    merged = merge_near_ties(noisy)[0]
    assert dense_rank(merged)[1].tolist() == dense_rank(exact)[1].tolist()
    np.testing.assert_allclose(merged, exact, rtol=1e-12)


def test_columns_are_merged_together_and_not_changed():
    entry, time = np.array([0.3, 0.0]), np.array([1.0, 0.1 + 0.2])
    before = entry.copy(), time.copy()
    merged_time, merged_entry = merge_near_ties(time, entry)
    assert merged_entry[0] == merged_time[1] == 0.3
    assert entry.tolist() == before[0].tolist()
    assert time.tolist() == before[1].tolist()


def test_look_up_allows_for_rounding_on_both_sides():
    times = np.array([-np.inf, 0.1, 0.3, 1.0])
    assert n_times_to(times, np.array([0.1 + 0.2, 0.29, 2.0])).tolist() == [3, 2, 4]
    assert n_times_to(np.array([0.1, 0.1 + 0.2, 1.0]), np.array([0.3, 0.31]), side="left").tolist() == [1, 2]


def test_whole_numbers_are_merged_only_where_they_are_huge():
    near = np.array([2.0**26 - 1, 2.0**26 - 2])
    assert merge_near_ties(near)[0].tolist() == near.tolist()
    assert merge_near_ties(np.array([2.0**40, 2.0**40 + 1]))[0].tolist() == [2.0**40, 2.0**40]


def test_nothing_is_merged_of_nothing():
    assert merge_near_ties(np.empty(0))[0].tolist() == run_starts(np.empty(0)).tolist() == []


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_times_are_one_when_their_gap_is_at_most_fifteen_billionths_of_the_mean(unit):
    inside, outside = np.array([1.0, 1.0 + 1.48e-8]) * unit, np.array([1.0, 1.0 + 1.5e-8]) * unit
    assert run_starts(inside).tolist() == [0]
    assert run_starts(outside).tolist() == [0, 1]
    assert merge_near_ties(inside)[0].tolist() == [unit, unit]
    assert merge_near_ties(outside)[0].tolist() == outside.tolist()
    assert reached(inside[1:], unit).tolist() == [True]
    assert reached(outside[1:], unit).tolist() == [False]


def test_the_mean_of_the_times_and_not_the_largest_says_what_is_near():
    times = np.array([1.0, 1.0 + 2.5e-8, 1.0 + 6.5e-8, 4.0])  # a mean of 7/4: gaps up to 2.6e-8 are none
    assert run_starts(times).tolist() == [0, 2, 3]
    assert merge_near_ties(times)[0].tolist() == [1.0, 1.0, 1.0 + 6.5e-8, 4.0]
    assert n_times_to(times, np.array([1.0 - 2.5e-8, 1.0 - 3e-8])).tolist() == [1, 0]
