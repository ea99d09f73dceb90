"""The scan within strata and beside a model, against Cox models and log-rank tests, and its null of redrawn markers."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis.kernels.counts.life_table import count
from analysis.kernels.counts.logrank import logrank_sums
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cutpoints import adjusted
from analysis.kernels.cutpoints.adjusted import (
    CutScores,
    ModelRows,
    cut_scores,
    marker_model,
    model_scores,
    redrawn_maxima,
    stratified_scores,
)
from analysis.kernels.cutpoints.scan import corrected_p_values, logrank_scores, standardised

N = 120
CUTS = np.array([-0.5, 0.0, 0.7])


def drawn(seed: int, p: int) -> ModelRows:
    rng = np.random.default_rng(seed)
    marker = np.sort(rng.normal(size=N))
    time = rng.exponential(np.exp(0.3 * marker))
    x = rng.normal(size=(N, p)) + 0.6 * marker[:, None]
    return ModelRows(marker, time, rng.random(N) < 0.8, np.full(N, -np.inf), rng.integers(0, 3, N), x)


def low(rows: ModelRows, cuts=CUTS):
    return np.searchsorted(rows.marker, cuts, side="right")


def test_without_covariates_and_ties_it_is_the_stratified_logrank_test():
    rows = drawn(1, 0)
    statistic = model_scores(rows, low(rows)).statistic
    for index, cut in enumerate(CUTS):
        group = (rows.marker > cut).astype(np.int64)
        counts = count(rows.time, rows.event, segment=rows.strata, n_segments=3, group=group, n_groups=2)
        sums = logrank_sums(counts)
        expected = (sums.observed - sums.expected)[0] / sums.covariance[0, 0] ** 0.5
        assert_allclose(statistic[index], expected, rtol=1e-10)


def test_beside_covariates_it_agrees_with_the_likelihood():
    rows = drawn(2, 2)
    statistic = model_scores(rows, low(rows)).statistic
    _, _, without = fit_arrays(rows.x, rows.time, rows.event, strata=rows.strata)
    for index, cut in enumerate(CUTS):
        x = np.column_stack([rows.marker <= cut, rows.x]).astype(float)
        coef, _, log_likelihood = fit_arrays(x, rows.time, rows.event, strata=rows.strata)
        ratio = 2 * (log_likelihood - without)
        assert np.sign(statistic[index]) == np.sign(coef[0])
        assert abs(statistic[index] ** 2 - ratio) < 0.15 * (1 + ratio)


def test_row_scores_sum_to_zero_within_strata_and_to_the_gradient_over_a_low_group():
    rows = drawn(3, 2)
    scores = cut_scores(rows, low(rows))
    assert_allclose(np.bincount(rows.strata, scores.row_scores), 0, atol=1e-9)
    groups = np.column_stack([rows.marker <= cut for cut in CUTS]).astype(float)
    assert_allclose(scores.row_scores @ groups / scores.spread, scores.statistic, rtol=1e-9)
    assert_allclose(scores.row_scores @ rows.x, 0, atol=1e-7)  # the covariates' own scores, zero at the maximum


def test_in_one_stratum_it_is_the_statistic_of_maxstat():
    rows = drawn(6, 0)
    tied = ModelRows(rows.marker, np.ceil(rows.time * 8), rows.event, rows.entry, rows.strata * 0, rows.x)
    expected = standardised(logrank_scores(tied.time, tied.event), low(rows))
    assert_allclose(stratified_scores(tied, low(rows)).statistic, expected, rtol=1e-12)


def test_each_stratum_has_scores_of_its_own():
    rows = drawn(7, 0)
    result = stratified_scores(rows, low(rows))
    variance = np.zeros(3)
    for code in range(3):
        here = rows.strata == code
        alone = logrank_scores(rows.time[here], rows.event[here])
        assert_allclose(result.row_scores[here], alone - alone.mean(), rtol=1e-12)
        n, n_low = here.sum(), np.cumsum(here)[low(rows) - 1]
        variance += n_low * (n - n_low) / n * alone.var(ddof=1)  # of a sample without replacement
    assert_allclose(result.spread, np.sqrt(variance), rtol=1e-12)


def test_late_entry_by_hand():
    time, entry = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.5, 0.0])
    rows = ModelRows(time, time, np.ones(3, dtype=bool), entry, np.zeros(3, dtype=int), np.empty((3, 0)))
    # at risk after the event at 1: one row; at 2: one; at 3: none, so that the hazard steps are 1/2, 1/2 and 1
    expected = np.array([1 - 1 / 2, 1 - 1 / 2, 1 - (1 / 2 + 1 / 2 + 1)])
    assert_allclose(stratified_scores(rows, np.array([1])).row_scores, expected - expected.mean())


def test_a_covariate_that_is_the_marker_leaves_a_step_its_own_part():
    rows = drawn(4, 1)
    same = ModelRows(rows.marker, rows.time, rows.event, rows.entry, rows.strata, rows.marker[:, None])
    assert np.abs(cut_scores(same, low(same)).statistic).max() < 3.5
    step = ModelRows(rows.marker, rows.time, rows.event, rows.entry, rows.strata, (rows.marker[:, None] <= 0) * 1.0)
    assert_allclose(cut_scores(step, low(step, np.array([0.0]))).statistic, 0, atol=1e-6)


def test_no_events_have_no_scores():
    for p in (0, 2):
        rows = drawn(5, p)
        none = ModelRows(rows.marker, rows.time, rows.event & False, rows.entry, rows.strata, rows.x)
        assert cut_scores(none, low(rows)) is None


STRATA = np.array([0, 1, 0, 1, 1, 0, 1])
N_LOW = np.array([2, 3, 5])


def tiny() -> tuple[ModelRows, CutScores]:
    """Seven rows in two strata, two of them tied in the marker; the search knows three cuts."""
    marker = np.array([1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0])
    time = np.array([2.0, 1.0, 5.0, 6.0, 3.0, 4.0, 8.0])
    event = np.array([1, 1, 0, 1, 1, 1, 1]) == 1
    rows = ModelRows(marker, time, event, np.full(7, -np.inf), STRATA, np.empty((7, 0)))
    return rows, cut_scores(rows, N_LOW)


def every_order(scores: np.ndarray) -> np.ndarray:
    """The scores in all 3! 4! orders that leave each in its stratum: shape (144, 7)."""
    first, second = (list(permutations(scores[code == STRATA])) for code in (0, 1))
    orders = np.empty((len(first) * len(second), 7))
    for index, (some, others) in enumerate(product(first, second)):
        orders[index, STRATA == 0], orders[index, STRATA == 1] = some, others
    return orders


def test_the_spread_is_that_over_all_orders_within_strata():
    _, scores = tiny()
    sums = np.cumsum(every_order(scores.row_scores), axis=1)[:, N_LOW - 1]
    assert_allclose(sums.mean(axis=0), 0, atol=1e-12)
    assert_allclose(scores.spread, sums.std(axis=0), rtol=1e-12)


def test_every_maximum_within_strata_comes_as_often_as_among_all_orders():
    rows, scores = tiny()
    sums = np.cumsum(every_order(scores.row_scores), axis=1)[:, N_LOW - 1]
    every = np.abs(sums / scores.spread).max(axis=1).round(9)
    result = redrawn_maxima(rows, scores, n_permutations=20_000, rng=np.random.default_rng(3)).round(9)
    assert set(result) == set(every)
    for value in np.unique(every):
        share = np.mean(every == value)
        assert abs(np.mean(result == value) - share) < 4.5 * sqrt(share * (1 - share) / 20_000)


@pytest.mark.parametrize("level", [0.05, 0.25])
def test_the_level_is_exact_over_all_orders(level):
    _, scores = tiny()
    sums = np.cumsum(every_order(scores.row_scores), axis=1)[:, N_LOW - 1]
    every = np.abs(sums / scores.spread).max(axis=1)
    p_values = [np.mean(every >= value * (1 - 1e-10)) for value in every]
    assert np.mean(np.array(p_values) <= level) <= level


def beside(seed: int, n: int, p: int, *, effect: float = 0.0) -> ModelRows:
    """A marker that goes with covariates that act on the hazard, in two strata; it has an effect of its own or none."""
    rng = np.random.default_rng(seed)
    x, strata = rng.normal(size=(n, p)), rng.integers(0, 2, n)
    marker = (0.5 * x.sum(axis=1) / sqrt(max(p, 1)) + 0.4 * strata + rng.normal(size=n)).round(1)
    order = np.argsort(marker, kind="stable")
    died = rng.exponential(np.exp(-0.4 * x[:, :3].sum(axis=1) - effect * (marker > 0) + 0.8 * strata))
    followed = rng.exponential(1.5, n)
    time, event = np.minimum(died, followed), died <= followed
    return ModelRows(marker[order], time[order], event[order], np.full(n, -np.inf), strata[order], x[order])


def p_value(rows: ModelRows, seed: int) -> float:
    last = np.flatnonzero(rows.marker[1:] != rows.marker[:-1]) + 1
    n_low = last[(last >= len(rows.marker) // 10) & (last <= 9 * len(rows.marker) // 10)]
    scores = cut_scores(rows, n_low)
    maxima = redrawn_maxima(rows, scores, n_permutations=79, rng=np.random.default_rng(seed))
    return float(corrected_p_values(np.abs(scores.statistic), maxima).min())


@pytest.mark.parametrize(("n", "p"), [(60, 0), (90, 10)], ids=["within strata", "ten covariates"])
def test_it_rejects_in_a_twentieth_of_small_samples_without_an_effect(n, p):
    n_samples = 400
    rejected = sum(p_value(beside(seed, n, p), seed) <= 0.05 for seed in range(n_samples))
    assert abs(rejected - 0.05 * n_samples) < 3 * sqrt(0.05 * 0.95 * n_samples)  # signs flipped: about 12 % beside ten


def test_an_effect_beside_covariates_is_seen():
    assert np.mean([p_value(beside(seed, 200, 3, effect=1.2), seed) <= 0.05 for seed in range(20)]) > 0.6


def test_the_marker_model_leaves_what_the_covariates_do_not_say():
    rows = beside(1, 120, 3)
    fitted, residual = marker_model(rows)
    assert_allclose(np.bincount(rows.strata, residual), 0, atol=1e-9)
    assert_allclose(residual @ rows.x, 0, atol=1e-8)
    order = np.argsort(fitted + residual, kind="stable")
    assert (np.diff(rows.marker[order]) >= 0).all()  # unpermuted it is the marker's order
    assert not np.isclose(marker_model(beside(1, 120, 0))[1], 0).any()


@given(st.floats(0.1, 3.0))
@settings(max_examples=10, deadline=None)
def test_only_the_order_of_the_marker_counts(power):
    rows = beside(2, 60, 2)
    scores = cut_scores(rows, np.array([10, 30, 50]))
    moved = ModelRows(np.exp(power * rows.marker), rows.time, rows.event, rows.entry, rows.strata, rows.x)
    result, again = (
        redrawn_maxima(one, scores, n_permutations=20, rng=np.random.default_rng(5)) for one in (rows, moved)
    )
    assert_allclose(result, again)


def test_no_permutation_leaves_its_stratum(monkeypatch):
    rows, scores = tiny()
    own = CutScores((rows.strata == 1) * 1.0, scores.n_low, np.ones(3))
    expected = np.cumsum(STRATA == 1)[N_LOW - 1].max()  # as many of the stratum are low in every permutation
    monkeypatch.setattr(adjusted, "AT_ONCE", 30)  # in several batches
    assert (redrawn_maxima(rows, own, n_permutations=50, rng=np.random.default_rng(1)) == expected).all()


def test_a_marker_that_the_covariates_explain_is_redrawn_where_it_was():
    rng, n = np.random.default_rng(6), 100
    x = np.sort(rng.normal(size=n))[:, None]
    time, event = rng.exponential(np.exp(0.5 * (x[:, 0] ** 2))), rng.random(n) < 0.8
    rows = ModelRows(np.arange(n) + 0.0, time, event, np.full(n, -np.inf), np.zeros(n, dtype=int), x)
    n_low = np.arange(10, 90)
    scores = cut_scores(rows, n_low)
    assert np.abs(scores.statistic).max() > 3  # the model of the covariate lacks its square
    maxima = redrawn_maxima(rows, scores, n_permutations=60, rng=rng)
    assert np.median(maxima) == pytest.approx(np.abs(scores.statistic).max(), rel=0.1)


def test_a_cut_that_the_covariates_repeat_compares_nobody_and_one_row_more_is_a_comparison():
    rows = drawn(4, 1)
    step = replace(rows, x=(rows.marker[:, None] <= 0) * 1.0)
    n_low = low(rows, np.array([0.0]))[0] + np.array([-1, 0, 1])
    scores = cut_scores(step, n_low)
    assert np.isinf(scores.spread).tolist() == [False, True, False]
    assert scores.statistic[1] == 0
