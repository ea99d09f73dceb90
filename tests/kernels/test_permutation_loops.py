"""Compiled permutations against those in numpy: the same draws, to the last bit."""

from __future__ import annotations

import numpy as np

from analysis.kernels import random_draws
from analysis.kernels.counts import Shuffles, logrank_scores, permuted_statistics, shuffles
from analysis.kernels.cutpoints import permuted_maxima
from analysis.kernels.permutation_loops import fill_statistics


def case(n: int = 60) -> Shuffles:
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 3, n)
    scores = logrank_scores(rng.integers(1, 30, n).astype(float), rng.random(n) < 0.6, strata=blocks)
    return shuffles(scores, rng.integers(0, 4, n), blocks, 4)


def test_the_loop_of_group_sums_draws_the_same_permutations_to_the_last_bit(monkeypatch):
    expected = permuted_statistics(case(), n_permutations=300, key=2**64 - 5)
    monkeypatch.setattr(random_draws, "COMPILED_FROM", 0)
    assert permuted_statistics(case(), n_permutations=300, key=2**64 - 5).tolist() == expected.tolist()


def test_the_loop_is_plain_python_too(monkeypatch):
    expected, result = permuted_statistics(case(12), n_permutations=5, key=9), np.empty(5)
    with np.errstate(over="ignore"):  # its random numbers wrap round, as they must
        fill_statistics.py_func(case(12), 0, result, np.uint64(9))
    assert result.tolist() == expected.tolist()


def test_the_loop_of_maxima_draws_the_same_permutations(monkeypatch):
    scores = np.random.default_rng(2).normal(size=40)
    n_low = np.arange(4, 37)
    expected = permuted_maxima(scores, n_low, n_permutations=500, key=2**63 + 5)
    monkeypatch.setattr(random_draws, "COMPILED_FROM", 0)
    assert permuted_maxima(scores, n_low, n_permutations=500, key=2**63 + 5).tolist() == expected.tolist()
