"""The permutation null: against every order there is, compiled and not, and its numbers used once."""

from __future__ import annotations

from itertools import permutations
from math import sqrt

import numpy as np
import pytest

from analysis.kernels import cutpoint_permutation
from analysis.kernels.cutpoint_adjusted import flip_exceedances
from analysis.kernels.cutpoint_compiled import exceedances_loop
from analysis.kernels.cutpoint_permutation import exceedances
from analysis.kernels.cutpoint_scan import standardised

SCORES = np.array([0.9, 0.6, -0.1, -0.5, -0.7, -0.2])
N_LOW = np.array([1, 2, 4])


def largest(order) -> float:
    return float(np.abs(standardised(np.asarray(order), N_LOW)).max())


@pytest.mark.parametrize("observed", [1.2, 1.6, 1.9])
def test_the_share_is_that_among_all_orders(observed):
    exact = np.mean([largest(order) >= observed for order in permutations(SCORES)])
    found = exceedances(SCORES, N_LOW, observed, n_permutations=20_000, key=11) / 20_000
    assert abs(found - exact) < 4 * sqrt(exact * (1 - exact) / 20_000) + 1e-9


def test_every_order_of_equal_scores_reaches_a_statistic_of_zero():
    assert exceedances(np.full(4, 0.25), np.array([1, 2]), 0.0, n_permutations=50, key=1) == 50


def test_an_order_that_ties_with_the_observed_one_reaches_it():
    scores = np.array([1.0, -1.0])
    assert exceedances(scores, np.array([1]), largest_of_two(scores), n_permutations=64, key=3) == 64


def largest_of_two(scores) -> float:
    return float(np.abs(standardised(scores, np.array([1]))).max())


def test_the_compiled_loop_draws_the_same_permutations(monkeypatch):
    scores = np.random.default_rng(2).normal(size=40)
    n_low = np.arange(4, 37)
    expected = exceedances(scores, n_low, 1.8, n_permutations=500, key=2**63 + 5)
    assert 0 < expected < 500
    monkeypatch.setattr(cutpoint_permutation, "LARGE", 0)
    assert exceedances(scores, n_low, 1.8, n_permutations=500, key=2**63 + 5) == expected


def test_the_loop_is_plain_python_too():
    with np.errstate(over="ignore"):  # its random numbers wrap round, as they must
        found = exceedances_loop(SCORES - SCORES.mean(), np.array([0.8, np.inf, 0.8]), 40, np.uint64(7))
    assert 0 < found <= 40


def test_batches_do_not_change_the_count(monkeypatch):
    expected = exceedances(SCORES, N_LOW, 1.5, n_permutations=300, key=9)
    monkeypatch.setattr(cutpoint_permutation, "AT_ONCE", 60)
    assert exceedances(SCORES, N_LOW, 1.5, n_permutations=300, key=9) == expected


def test_another_key_is_another_draw():
    counts = {exceedances(SCORES, N_LOW, 1.6, n_permutations=500, key=key) for key in range(6)}
    assert len(counts) > 1


def test_flips_of_one_row_reach_always_and_of_many_as_often_as_a_normal():
    rng = np.random.default_rng(1)
    assert flip_exceedances(np.array([[1.0]]), 1.0, n_permutations=20, rng=rng) == 20
    many = np.full((400, 1), 1 / 20)  # a sum of 400 signs over 20: about standard normal
    found = flip_exceedances(many, 1.96, n_permutations=4000, rng=rng) / 4000
    assert abs(found - 0.05) < 0.02
