"""The scan of every cut and its permutation null: against definitions, cut by cut and order by order."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from analysis.kernels import random_draws
from analysis.kernels.counts.life_table import count
from analysis.kernels.counts.logrank import logrank_sums
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cutpoints.scan import (
    chi_squares,
    corrected_p_values,
    critical_value,
    cut_rows,
    deviation,
    first_maximum,
    log_hazard_ratios,
    logrank_scores,
    permuted_maxima,
    standardised,
)


def drawn(n: int, seed: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    time = rng.exponential(10.0, n)
    marker = rng.normal(size=n).round(1 if ties else 12)
    return marker, np.ceil(time) if ties else time, rng.random(n) < 0.7


def scanned(marker, time, event, low=0.1, high=0.9):
    return cut_rows(marker, time, event, min_fraction=low, max_fraction=high)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [7, 33, 150])
def test_every_cut_has_its_logrank_test_and_its_cox_model(n, ties):
    marker, time, event = drawn(n, n, ties=ties)
    rows = scanned(marker, time, event)
    chi_square, log_ratio = chi_squares(rows), log_hazard_ratios(rows)
    assert len(rows.cut) > 3
    for index, cut in enumerate(rows.cut):
        high = (marker > cut).astype(np.int64)
        sums = logrank_sums(count(time, event, group=high, n_groups=2))
        assert rows.n_low[index] == (1 - high).sum()
        expected = (sums.observed - sums.expected)[0] ** 2 / sums.covariance[0, 0] if sums.covariance[0, 0] else np.nan
        assert_allclose(chi_square[index], expected, rtol=1e-10, atol=1e-12)
        coef, _, _ = fit_arrays(high[:, None].astype(float), time, event)
        if not np.isnan(coef[0]):
            assert_allclose(log_ratio[index], coef[0], rtol=1e-7, atol=1e-9)


def test_scores_by_hand_with_a_tie():
    # times 1, 2, 2, 3: after them 3, 1 and 0 rows remain, so events add 1/4, 2/2 and 1/1
    scores = logrank_scores(np.array([2.0, 1.0, 3.0, 2.0]), np.array([True, True, False, True]))
    assert_allclose(scores, [1 - 1.25, 1 - 0.25, -1.25, 1 - 1.25])


def test_the_deviation_is_that_of_a_sum_drawn_without_replacement():
    scores = np.array([3.0, -1.0, -2.0, 0.0])
    pairs = [scores[i] + scores[j] for i in range(4) for j in range(4) if i != j]
    assert_allclose(deviation(scores, np.array([2])), np.std(pairs))


def test_equal_scores_have_no_statistic():
    assert standardised(np.full(5, 0.2), np.array([1, 2, 3])).tolist() == [0, 0, 0]


def test_admissible_cuts_leave_enough_rows_on_either_side():
    rows = scanned(np.array([1.0, 1, 2, 3, 3, 3, 4, 5, 5, 6]), np.arange(1.0, 11), np.ones(10, dtype=bool), 0.25, 0.7)
    assert rows.cut.tolist() == [1, 2, 3, 4]
    assert rows.n_low.tolist() == [2, 3, 6, 7]


def test_a_cut_that_leaves_nobody_above_is_not_one():
    assert scanned(np.array([1.0, 2.0, 2.0]), np.arange(3.0), np.ones(3, dtype=bool), 0.01, 0.99).cut.tolist() == [1]


def test_rounding_does_not_choose_the_cut():
    assert first_maximum(np.array([1.0, 2.0, -2.0 * (1 + 1e-14), 1.9])) == 1


def test_a_separated_cut_has_no_hazard_ratio():
    rows = scanned(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 3, 4]), np.ones(4, dtype=bool))
    assert np.isnan(log_hazard_ratios(rows)).all()  # all low rows fail before any high one


@given(st.integers(5, 60), st.integers(0, 10**6), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_rows_does_not_matter(n, seed, ties):
    marker, time, event = drawn(n, seed, ties=ties)
    shuffled = np.random.default_rng(seed).permutation(n)
    first, second = scanned(marker, time, event), scanned(marker[shuffled], time[shuffled], event[shuffled])
    assert first.cut.tolist() == second.cut.tolist()
    assert chi_squares(first).tolist() == pytest.approx(chi_squares(second).tolist(), nan_ok=True, rel=1e-12)


@given(st.integers(5, 60), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_turning_the_marker_round_turns_the_hazard_ratio_round(n, seed):
    marker, time, event = drawn(n, seed, ties=False)
    there, back = scanned(marker, time, event, 0.01, 0.999), scanned(-marker, time, event, 0.01, 0.999)
    assert_allclose(log_hazard_ratios(there), -log_hazard_ratios(back)[::-1], rtol=1e-7, atol=1e-9)
    assert_allclose(chi_squares(there), chi_squares(back)[::-1], rtol=1e-8, atol=1e-10)


SCORES = np.array([0.9, 0.6, -0.1, -0.5, -0.7, -0.2])
N_LOW = np.array([1, 2, 4])


def largest(order) -> float:
    return float(np.abs(standardised(np.asarray(order), N_LOW)).max())


@pytest.mark.parametrize("observed", [1.2, 1.6, 1.9])
def test_the_share_is_that_among_all_orders(observed):
    exact = np.mean([largest(order) >= observed for order in permutations(SCORES)])
    result = np.mean(permuted_maxima(SCORES, N_LOW, n_permutations=20_000, key=11) >= observed)
    assert abs(result - exact) < 4 * sqrt(exact * (1 - exact) / 20_000) + 1e-9


def test_every_maximum_is_that_of_some_order():
    every = np.unique([largest(order) for order in permutations(SCORES)])
    result = permuted_maxima(SCORES, N_LOW, n_permutations=500, key=4)
    assert np.abs(result[:, None] - every).min(axis=1).max() < 1e-12


def test_equal_scores_have_maxima_of_zero():
    assert (permuted_maxima(np.full(4, 0.25), np.array([1, 2]), n_permutations=50, key=1) == 0).all()


def test_an_order_that_ties_with_the_observed_one_reaches_it():
    scores, n_low = np.array([1.0, -1.0]), np.array([1])
    maxima = permuted_maxima(scores, n_low, n_permutations=64, key=3)
    assert corrected_p_values(np.abs(standardised(scores, n_low)), maxima) == 1


def test_batches_do_not_change_the_draws(monkeypatch):
    expected = permuted_maxima(SCORES, N_LOW, n_permutations=300, key=9)
    monkeypatch.setattr(random_draws, "AT_ONCE", 60)
    assert (permuted_maxima(SCORES, N_LOW, n_permutations=300, key=9) == expected).all()


def test_another_key_is_another_draw():
    totals = {permuted_maxima(SCORES, N_LOW, n_permutations=100, key=key).sum() for key in range(6)}
    assert len(totals) == 6


@given(
    arrays(float, st.integers(1, 120), elements=st.integers(0, 40).map(float)),
    arrays(float, 7, elements=st.integers(0, 40).map(float)),
)
@settings(max_examples=60, deadline=None)
def test_a_statistic_exceeds_the_critical_value_just_when_its_p_value_is_at_most_a_twentieth(maxima, statistic):
    p_values = corrected_p_values(statistic, maxima)
    counted = [(1 + sum(maxima >= value)) / (1 + len(maxima)) for value in statistic]
    assert_allclose(p_values, counted, rtol=1e-12)
    assert ((statistic > critical_value(maxima)) == (p_values <= 0.05 + 1e-12)).all()


@pytest.mark.parametrize("n_low", [3, 7, 30])
def test_a_cut_that_no_event_compares_has_no_chi_square(n_low):
    """All high rows are gone before the first event: the variance is zero, but for the rounding of its sums."""
    marker = np.arange(n_low + 2.0)
    time, event = np.r_[np.arange(1.0, n_low + 1), 0.5, 0.5], np.r_[np.ones(n_low), 0, 0] == 1
    rows = scanned(marker, time, event, 0.01, 0.999)
    assert np.isnan(chi_squares(rows)[rows.n_low >= n_low]).all()
    assert not np.isnan(chi_squares(rows)[rows.n_low < n_low]).any()
