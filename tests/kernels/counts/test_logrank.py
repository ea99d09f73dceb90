"""The log-rank sums against their definition, one risk set after the other."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.counts.counting import count
from analysis.kernels.counts.logrank import Weighting, logrank_sums, score_chi_square


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
