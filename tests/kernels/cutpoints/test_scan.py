"""Every cut at once: against one test and one model a cut, by hand, and the compiled loops against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis.kernels.counts.counting import count
from analysis.kernels.counts.logrank import logrank_sums
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cutpoints import scan, two_groups
from analysis.kernels.cutpoints.scan import (
    chi_squares,
    cut_rows,
    deviation,
    first_maximum,
    log_hazard_ratios,
    logrank_scores,
    standardised,
)
from analysis.kernels.cutpoints.two_groups import grouped_log_hazard_ratios


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
    for place, cut in enumerate(rows.cut):
        high = (marker > cut).astype(np.int64)
        sums = logrank_sums(count(time, event, group=high, n_groups=2))
        assert rows.n_low[place] == (1 - high).sum()
        expected = (sums.observed - sums.expected)[0] ** 2 / sums.covariance[0, 0] if sums.covariance[0, 0] else np.nan
        assert_allclose(chi_square[place], expected, rtol=1e-10, atol=1e-12)
        coef, _, _ = fit_arrays(high[:, None].astype(float), time, event)
        if not np.isnan(coef[0]):
            assert_allclose(log_ratio[place], coef[0], rtol=1e-7, atol=1e-9)


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


@pytest.mark.parametrize("ties", [False, True])
def test_the_compiled_loop_finds_what_numpy_finds(ties, monkeypatch):
    rows = scanned(*drawn(60, 3, ties=ties))
    expected = log_hazard_ratios(rows)
    monkeypatch.setattr(scan, "LARGE", 0)
    assert_allclose(log_hazard_ratios(rows), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_resampled_groupings_are_those_of_repeated_rows(ties, monkeypatch):
    _, time, event = drawn(40, 5, ties=ties)
    rng = np.random.default_rng(1)
    counts = rng.multinomial(40, np.full(40, 1 / 40), size=6).astype(float)
    high = rng.random((6, 40)) < 0.4
    coef, std_error = grouped_log_hazard_ratios(time, event, high, counts)
    for place in range(6):
        again = np.repeat(np.arange(40), counts[place].astype(int))
        x = high[place][again][:, None].astype(float)
        expected, covariance, _ = fit_arrays(x, time[again], event[again])
        assert_allclose([coef[place], std_error[place]], [expected[0], covariance[0, 0] ** 0.5], rtol=1e-7)
    monkeypatch.setattr(two_groups, "LARGE", 0)
    assert_allclose(grouped_log_hazard_ratios(time, event, high, counts), (coef, std_error), rtol=1e-9)


def test_groupings_without_events_have_no_hazard_ratio():
    coef, std_error = grouped_log_hazard_ratios(np.arange(1.0, 5), np.zeros(4, dtype=bool), np.eye(4, dtype=bool))
    assert np.isnan(coef).all()
    assert np.isnan(std_error).all()
