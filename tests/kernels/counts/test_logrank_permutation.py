"""The permuted log-rank statistic: scores by hand, moments and shares against every permutation there is."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis.kernels.counts import logrank_permutation
from analysis.kernels.counts.counting import count
from analysis.kernels.counts.logrank import logrank_sums
from analysis.kernels.counts.logrank_permutation import (
    logrank_scores,
    permuted_statistics,
    shuffles,
    statistic_of,
)

TIME = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
EVENT = np.array([1, 1, 0, 1, 1, 0, 1], dtype=bool)
GROUP = np.array([0, 0, 1, 1, 2, 2, 2])
BLOCK = np.array([0, 0, 0, 0, 0, 1, 1])


def everywhere(scores, group, blocks) -> np.ndarray:
    """The group sums of every permutation within blocks."""
    rows = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    found = []
    for orders in product(*(permutations(held) for held in rows)):
        moved = scores.copy()
        for held, order in zip(rows, orders, strict=True):
            moved[held] = scores[list(order)]
        found.append(np.bincount(group, weights=moved, minlength=group.max() + 1))
    return np.array(found)


def test_scores_by_hand():
    # two of seven at 1, one of five at 2, one of four at 3, one of two at 5
    steps = np.cumsum([2 / 7, 1 / 5, 1 / 4, 1 / 2])
    by_hand = EVENT - steps[[2, 0, 2, 0, 3, 3, 1]]
    assert_allclose(logrank_scores(TIME, EVENT), by_hand, atol=1e-15)


def test_scores_with_late_entry_by_hand():
    entry = np.array([0.0, 0, 1, 0, 2, 0, 0])
    steps = np.cumsum([2 / 5, 1 / 4, 1 / 4, 1 / 2])  # at 1: rows 0 1 3 5 6; at 2: 0 2 5 6; at 3: 0 2 4 5; at 5: 4 5
    seen = steps[[2, 0, 2, 0, 3, 3, 1]] - [0, 0, steps[0], 0, steps[1], 0, 0]
    assert_allclose(logrank_scores(TIME, EVENT, entry=entry), EVENT - seen, atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.booleans())
def test_group_sums_are_observed_less_expected_of_the_logrank_test(seed, n, late):
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 4, n).astype(float) if late else None
    time = rng.integers(1, 9, n) + (0.0 if entry is None else entry)
    event, group = rng.random(n) < 0.7, rng.integers(0, 3, n)
    strata = np.unique(rng.integers(0, 2, n), return_inverse=True)[1].astype(np.int64)
    n_strata = int(strata.max()) + 1
    counts = count(time, event, entry=entry, segment=strata, group=group, n_segments=n_strata, n_groups=3)
    sums = logrank_sums(counts)
    scores = logrank_scores(time, event, entry=entry, strata=strata)
    assert_allclose(np.bincount(group, scores, 3), sums.observed - sums.expected, atol=1e-12)
    assert_allclose(np.bincount(strata, scores), 0, atol=1e-12)


@pytest.mark.parametrize("blocks", [np.zeros(7, dtype=np.int64), BLOCK], ids=["one block", "two blocks"])
def test_the_covariance_is_that_over_all_permutations(blocks):
    scores = logrank_scores(TIME, EVENT, strata=blocks)
    drawn = shuffles(scores, GROUP, blocks, 3)
    sums = everywhere(scores, GROUP, blocks)
    assert_allclose(drawn.covariance, np.cov(sums.T, bias=True), atol=1e-12)
    assert_allclose(drawn.sums, np.bincount(GROUP, scores), atol=1e-12)
    assert_allclose(sums.mean(axis=0), 0, atol=1e-12)
    assert drawn.df == np.linalg.matrix_rank(drawn.covariance, tol=1e-9)


@pytest.mark.parametrize("blocks", [np.zeros(7, dtype=np.int64), BLOCK], ids=["one block", "two blocks"])
def test_shares_are_those_among_all_permutations(blocks):
    scores = logrank_scores(TIME, EVENT, strata=blocks)
    drawn = shuffles(scores, GROUP, blocks, 3)
    exact = statistic_of(drawn, everywhere(scores, GROUP, blocks).T)
    found = permuted_statistics(drawn, n_permutations=20_000, key=2**63 + 11)
    values, counts = np.unique(exact.round(9), return_counts=True)
    assert set(found.round(9)) <= set(values)
    for value, share in zip(values, counts / len(exact), strict=True):
        assert abs((found.round(9) == value).mean() - share) < 4.5 * np.sqrt(share * (1 - share) / 20_000) + 1e-12


def case(n: int = 60) -> logrank_permutation.Shuffles:
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 3, n)
    scores = logrank_scores(rng.integers(1, 30, n).astype(float), rng.random(n) < 0.6, strata=blocks)
    return shuffles(scores, rng.integers(0, 4, n), blocks, 4)


def test_the_compiled_loop_draws_the_same_permutations_to_the_last_bit(monkeypatch):
    expected = permuted_statistics(case(), n_permutations=300, key=2**64 - 5)
    monkeypatch.setattr(logrank_permutation, "LARGE", 0)
    assert permuted_statistics(case(), n_permutations=300, key=2**64 - 5).tolist() == expected.tolist()


def test_the_loop_is_plain_python_too(monkeypatch):
    from analysis.kernels.counts.permutation_loops import fill_statistics

    expected, found = permuted_statistics(case(12), n_permutations=5, key=9), np.empty(5)
    with np.errstate(over="ignore"):  # its random numbers wrap round, as they must
        fill_statistics.py_func(case(12), 0, found, np.uint64(9))
    assert found.tolist() == expected.tolist()


def test_any_part_of_the_permutations_can_be_had_by_itself(monkeypatch):
    whole = permuted_statistics(case(), n_permutations=100, key=5)
    monkeypatch.setattr(logrank_permutation, "AT_ONCE", 700)
    parts = [permuted_statistics(case(), n_permutations=50, key=5, first=first) for first in (0, 50)]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_another_key_is_another_draw_and_another_order_of_the_rows_is_not():
    assert len({permuted_statistics(case(), n_permutations=4, key=key).sum() for key in range(5)}) == 5
    rng = np.random.default_rng(8)
    order = rng.permutation(7)
    scores = logrank_scores(TIME, EVENT)
    zeros = np.zeros(7, dtype=np.int64)
    one, other = shuffles(scores, GROUP, zeros, 3), shuffles(scores[order], GROUP[order], zeros, 3)
    same = [permuted_statistics(drawn, n_permutations=20, key=1).tolist() for drawn in (one, other)]
    assert same[0] == same[1]


def test_scores_that_are_all_equal_leave_no_degree_of_freedom():
    drawn = shuffles(np.zeros(6), np.array([0, 1] * 3), np.zeros(6, dtype=np.int64), 2)
    assert drawn.df == 0
    alone = shuffles(np.array([0.5, -0.5, 0.1, -0.1]), np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 2)
    assert alone.df == 0
