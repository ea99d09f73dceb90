"""The log-rank family against its definition, and its permutations against all permutations."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis.kernels import random_draws
from analysis.kernels.counts.life_table import count
from analysis.kernels.counts.logrank import (
    Shuffles,
    Weighting,
    logrank_scores,
    logrank_sums,
    permuted_statistics,
    score_chi_square,
    shuffles,
    statistic_of,
)


@st.composite
def cohorts(draw):
    n = draw(st.integers(2, 25))
    column = lambda values: np.array(draw(st.lists(values, min_size=n, max_size=n)))  # noqa: E731
    time = column(st.integers(1, 9)).astype(float)
    entry = np.floor(time * column(st.sampled_from([0.0, 0.5])))
    dense = lambda values: np.unique(values, return_inverse=True)[1]  # noqa: E731
    return time, column(st.booleans()), entry, dense(column(st.integers(0, 2))), dense(column(st.integers(0, 1)))


def weight(name, n, peto, before, rho, gamma):
    """The weight of one time by its formula."""
    return {
        "logrank": 1.0,
        "gehan-breslow": n,
        "tarone-ware": n**0.5,
        "peto": peto,
        "modified-peto": peto * n / (n + 1),
        "fleming-harrington": before**rho * (1 - before) ** gamma,
    }[name]


@given(cohorts(), st.sampled_from(get_args(Weighting)), st.sampled_from([(0.0, 0.0), (1.0, 0.5), (0.0, 2.0)]))
@settings(deadline=None, max_examples=120)
def test_sums_follow_their_definition(cohort, weighting, powers):
    time, event, entry, group, stratum = cohort
    k = group.max() + 1
    observed, expected, covariance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for level in range(stratum.max() + 1):
        before = peto = 1.0
        for t in np.unique(time[stratum == level]):
            at_risk = (stratum == level) & (entry < t) & (t <= time)
            n_k = np.array([(at_risk & (group == g)).sum() for g in range(k)])
            d_k = np.array([(at_risk & event & (time == t) & (group == g)).sum() for g in range(k)])
            n, d = n_k.sum(), d_k.sum()
            peto *= 1 - d / (n + 1)
            w = weight(weighting, n, peto, before, *powers)
            before *= 1 - d / n
            observed += w * d_k
            expected += w * d * n_k / n
            if n > 1:
                p = n_k / n
                covariance += w**2 * d * (n - d) / (n - 1) * (np.diag(p) - np.outer(p, p))
    counts = count(
        time, event, entry=entry, segment=stratum, group=group, n_segments=stratum.max() + 1, n_groups=k
    )  # fmt: skip
    sums = logrank_sums(counts, weighting=weighting, rho=powers[0], gamma=powers[1])
    np.testing.assert_allclose(sums.observed, observed, atol=1e-10)
    np.testing.assert_allclose(sums.expected, expected, atol=1e-10)
    np.testing.assert_allclose(sums.covariance, covariance, atol=1e-8)


def test_six_rows_in_fractions():
    """Group a: events at 1 and 3, censored at 5; group b: events at 2 and 6, censored at 4."""
    time, event = np.array([1.0, 3, 5, 2, 4, 6]), np.array([1, 1, 0, 1, 0, 1], dtype=bool)
    sums = logrank_sums(count(time, event, group=np.array([0, 0, 0, 1, 1, 1]), n_groups=2))
    expected = Fraction(3, 6) + Fraction(2, 5) + Fraction(2, 4) + Fraction(0, 1)
    variance = Fraction(1, 4) + Fraction(6, 25) + Fraction(1, 4)
    np.testing.assert_allclose(sums.expected[0], float(expected), rtol=1e-15)
    np.testing.assert_allclose(sums.covariance[0, 0], float(variance), rtol=1e-15)
    statistic, df = score_chi_square(sums.observed - sums.expected, sums.covariance)
    assert (statistic, df) == (pytest.approx(float((2 - expected) ** 2 / variance), rel=1e-14), 1)


def test_groups_that_never_meet_cost_a_degree_of_freedom():
    """a meets b and c meets d, in strata of their own: two comparisons."""
    covariance = np.kron(np.eye(2), np.array([[2.0, -2.0], [-2.0, 2.0]]))
    assert score_chi_square(np.array([1.0, -1.0, 2.0, -2.0]), covariance) == (0.5 + 2.0, 2)


def test_nothing_to_compare_has_no_degree_of_freedom():
    statistic, df = score_chi_square(np.zeros(2), np.zeros((2, 2)))
    assert np.isnan(statistic)
    assert df == 0


TIME = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0])
EVENT = np.array([1, 1, 0, 1, 1, 0, 1], dtype=bool)
GROUP = np.array([0, 0, 1, 1, 2, 2, 2])
BLOCK = np.array([0, 0, 0, 0, 0, 1, 1])


def everywhere(scores, group, blocks) -> np.ndarray:
    """The group sums of every permutation within blocks."""
    rows = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    result = []
    for orders in product(*(permutations(held) for held in rows)):
        moved = scores.copy()
        for held, order in zip(rows, orders, strict=True):
            moved[held] = scores[list(order)]
        result.append(np.bincount(group, weights=moved, minlength=group.max() + 1))
    return np.array(result)


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
    result = permuted_statistics(drawn, n_permutations=20_000, key=2**63 + 11)
    values, counts = np.unique(exact.round(9), return_counts=True)
    assert set(result.round(9)) <= set(values)
    for value, share in zip(values, counts / len(exact), strict=True):
        assert abs((result.round(9) == value).mean() - share) < 4.5 * np.sqrt(share * (1 - share) / 20_000) + 1e-12


def case(n: int = 60) -> Shuffles:
    rng = np.random.default_rng(3)
    blocks = rng.integers(0, 3, n)
    scores = logrank_scores(rng.integers(1, 30, n).astype(float), rng.random(n) < 0.6, strata=blocks)
    return shuffles(scores, rng.integers(0, 4, n), blocks, 4)


def test_any_part_of_the_permutations_can_be_had_by_itself(monkeypatch):
    whole = permuted_statistics(case(), n_permutations=100, key=5)
    monkeypatch.setattr(random_draws, "AT_ONCE", 700)
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
