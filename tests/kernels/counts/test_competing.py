"""Cumulative incidence by hand, its variance by its definition, and the weighted rows that give the same curve."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import NotSupported
from analysis.kernels.counts import competing
from analysis.kernels.counts.competing import aalen_johansen, gray_scores, subdistribution_spells
from analysis.kernels.counts.life_table import count, survival_curve
from analysis.kernels.counts.logrank import logrank_sums, score_chi_square


def leaving(time, status, weights=None, n_causes=2):
    """n_risk and the table of who leaves how."""
    counts = count(time, status > 0, group=status, n_groups=n_causes + 1, weights=weights)
    return counts.n_risk.sum(axis=1), np.column_stack([counts.n_censor[:, 0], counts.n_event[:, 1:]])


def test_eight_rows_in_fractions():
    """Censored at 1, 2, 3 and 5; cause 1 at 2; cause 2 twice at 3 and once at 6."""
    time, status = np.array([1.0, 2, 2, 3, 3, 3, 5, 6]), np.array([0, 1, 0, 2, 2, 0, 0, 2])
    n_risk, leave = leaving(time, status)
    incidence, _ = aalen_johansen(n_risk, leave)
    assert n_risk.tolist() == [8, 7, 5, 2, 1]
    expected = [
        [0, 0],
        [Fraction(1, 7), 0],
        [Fraction(1, 7), Fraction(12, 35)],
        [Fraction(1, 7), Fraction(12, 35)],
        [Fraction(1, 7), Fraction(6, 7)],
    ]
    np.testing.assert_allclose(incidence, np.array(expected, dtype=float), atol=1e-15)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=2, max_size=14))
@settings(deadline=None, max_examples=60)
def test_the_variance_is_the_sum_of_squared_derivatives(rows):
    """Each derivative of the incidence by the weight of a row, by central differences."""
    time, status = np.array(rows, dtype=float).T
    status = status.astype(int)
    incidence, variance = aalen_johansen(*leaving(time, status))
    step, total = 1e-6, np.zeros_like(incidence)
    for row in range(len(time)):
        moved = np.ones(len(time))
        values = []
        for sign in (1, -1):
            moved[row] = 1 + sign * step
            values.append(aalen_johansen(*leaving(time, status, moved))[0])
        total += ((values[0] - values[1]) / (2 * step)) ** 2
    np.testing.assert_allclose(variance, total, rtol=1e-5, atol=1e-9)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=2, max_size=14))
@settings(deadline=None, max_examples=40)
def test_one_cause_alone_is_one_minus_the_curve(rows):
    time, event = np.array(rows, dtype=float).T
    n_risk, leave = leaving(time, event.astype(int), n_causes=1)
    incidence, _ = aalen_johansen(n_risk, leave)
    np.testing.assert_allclose(1 - incidence[:, 0], np.cumprod(1 - leave[:, 1] / n_risk), atol=1e-13)


def test_without_competing_events_the_scores_are_those_of_the_logrank_test():
    rng = np.random.default_rng(4)
    time, event = rng.permutation(60) + 1.0, rng.random(60) < 0.7
    counts = count(time, event, group=np.arange(60) % 3, n_groups=3)
    score, _ = gray_scores(counts, counts.n_event, np.zeros_like(counts.n_event))
    sums = logrank_sums(counts)
    np.testing.assert_allclose(score, sums.observed - sums.expected, atol=1e-12)


@pytest.mark.parametrize(
    ("n_groups", "statistics"), [(2, [0.217744386292, 0.204685361821]), (3, [0.758454211325, 0.214916293264])]
)
def test_grays_test_of_tied_events_of_both_causes_is_that_of_r(n_groups, statistics):
    # R 4.2.2, cmprsk 2.2-11: cuminc(time, status, group)$Tests[, "stat"]
    i = np.arange(90)
    time, status = ((7 * i) % 13 + 1).astype(float), np.array([0, 1, 2, 2, 1])[(i * i + 3 * i) % 5]
    by_cause = [count(time, status == cause, group=(5 * i) // 4 % n_groups, n_groups=n_groups) for cause in (1, 2)]
    for cause, other, expected in zip(by_cause, by_cause[::-1], statistics, strict=True):
        score, covariance = gray_scores(cause, cause.n_event, other.n_event)
        np.testing.assert_allclose(score_chi_square(score, covariance), (expected, n_groups - 1), rtol=1e-10)


def test_what_is_certain_has_no_error():
    """Everybody had the event of the cause: the incidence is one, whatever the weights of the rows."""
    incidence, variance = aalen_johansen(*leaving(np.arange(1.0, 31.0), np.ones(30, dtype=int)))
    np.testing.assert_allclose(incidence[-1], [1, 0], atol=1e-14)
    assert variance[-1].tolist() == [0, 0]


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 2)), min_size=1, max_size=25))
@settings(deadline=None, max_examples=100)
def test_the_weighted_curve_is_one_minus_the_cumulative_incidence(rows):
    """Geskus (2011): the product-limit estimate on the weighted rows is the Aalen-Johansen estimate."""
    time, status = np.array(rows, dtype=float).T
    spells = subdistribution_spells(time, status == 1, status == 2)
    counts = count(spells.time, spells.event, entry=spells.entry, weights=spells.weights)
    plain = count(time, status > 0, group=status.astype(int), n_groups=3)
    leave = np.column_stack([plain.n_censor[:, 0], plain.n_event[:, 1:]])
    incidence, _ = aalen_johansen(plain.n_risk.sum(axis=1), leave)
    at = np.searchsorted(plain.time, counts.time)
    seen = counts.n_event[:, 0] > 0
    curve = survival_curve(counts.n_risk[:, 0], counts.n_event[:, 0])
    np.testing.assert_allclose(1 - curve[seen], incidence[at[seen], 0], atol=1e-12)


def test_weights_by_hand():
    """One of six is censored at 2, one of two at 4 (after an event): the competing row weighs 5/6, then 5/12."""
    time, status = np.array([1.0, 2, 3, 4, 4, 5, 3]), np.array([2, 0, 1, 1, 0, 1, 1])
    spells = subdistribution_spells(time, status == 1, status == 2)
    added = slice(len(time), None)
    assert spells.row[added].tolist() == [0, 0]
    assert spells.entry[added].tolist() == [1, 4]
    assert spells.time[added].tolist() == [4, 5]
    np.testing.assert_allclose(spells.weights[added], [5 / 6, 5 / 12], rtol=1e-15)


def test_without_competing_events_the_rows_are_as_they_were():
    time, event = np.array([3.0, 1, 2]), np.array([True, False, True])
    spells = subdistribution_spells(time, event, np.zeros(3, dtype=bool))
    assert spells.time.tolist() == time.tolist()
    assert (spells.weights == 1).all()


def test_too_many_spells_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(competing, "MOST_SPELLS", 1)
    time, status = np.array([1.0, 2, 3, 4, 5]), np.array([2, 0, 1, 0, 1])
    with pytest.raises(NotSupported, match="1 competing events with 2 different weights make 2 rows"):
        subdistribution_spells(time, status == 1, status == 2)


def test_an_incidence_of_one_has_no_variance():
    """Weights that are no whole numbers leave sums of squares that only rounding keeps from zero."""
    weights = np.array([0.1, 1.1, 0.1, 0.7])
    time, status = np.arange(1.0, 5.0), np.ones(4, dtype=int)
    incidence, variance = aalen_johansen(*leaving(time, status, weights))
    np.testing.assert_allclose(incidence[-1], [1, 0], atol=1e-15)
    assert variance[-1].tolist() == [0, 0]


@pytest.mark.parametrize("n", [10.0, 1e3, 1e5])
def test_the_variance_of_nearly_everybody_is_binomial(n):
    share = (n - 1) / n
    incidence, variance = aalen_johansen(np.array([n]), np.array([[1.0, n - 1, 0.0]]))
    np.testing.assert_allclose([incidence[0, 0], variance[0, 0]], [share, share * (1 - share) / n], rtol=1e-6)
