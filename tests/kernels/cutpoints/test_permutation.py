"""The permutation null: against every order there is, compiled and not, and its numbers used once."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from analysis.kernels.cutpoints import permutation
from analysis.kernels.cutpoints.permutation import corrected_p_values, critical_value, permuted_maxima
from analysis.kernels.cutpoints.scan import standardised

SCORES = np.array([0.9, 0.6, -0.1, -0.5, -0.7, -0.2])
N_LOW = np.array([1, 2, 4])


def largest(order) -> float:
    return float(np.abs(standardised(np.asarray(order), N_LOW)).max())


@pytest.mark.parametrize("observed", [1.2, 1.6, 1.9])
def test_the_share_is_that_among_all_orders(observed):
    exact = np.mean([largest(order) >= observed for order in permutations(SCORES)])
    found = np.mean(permuted_maxima(SCORES, N_LOW, n_permutations=20_000, key=11) >= observed)
    assert abs(found - exact) < 4 * sqrt(exact * (1 - exact) / 20_000) + 1e-9


def test_every_maximum_is_that_of_some_order():
    every = np.unique([largest(order) for order in permutations(SCORES)])
    found = permuted_maxima(SCORES, N_LOW, n_permutations=500, key=4)
    assert np.abs(found[:, None] - every).min(axis=1).max() < 1e-12


def test_equal_scores_have_maxima_of_zero():
    assert (permuted_maxima(np.full(4, 0.25), np.array([1, 2]), n_permutations=50, key=1) == 0).all()


def test_an_order_that_ties_with_the_observed_one_reaches_it():
    scores, n_low = np.array([1.0, -1.0]), np.array([1])
    maxima = permuted_maxima(scores, n_low, n_permutations=64, key=3)
    assert corrected_p_values(np.abs(standardised(scores, n_low)), maxima) == 1


def test_the_compiled_loop_draws_the_same_permutations(monkeypatch):
    scores = np.random.default_rng(2).normal(size=40)
    n_low = np.arange(4, 37)
    expected = permuted_maxima(scores, n_low, n_permutations=500, key=2**63 + 5)
    monkeypatch.setattr(permutation, "LARGE", 0)
    assert_allclose(permuted_maxima(scores, n_low, n_permutations=500, key=2**63 + 5), expected, rtol=1e-13)


def test_batches_do_not_change_the_draws(monkeypatch):
    expected = permuted_maxima(SCORES, N_LOW, n_permutations=300, key=9)
    monkeypatch.setattr(permutation, "AT_ONCE", 60)
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
