"""The scan beside a model: its scores are those of Cox models, and of the stratified log-rank test."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from analysis.kernels.counting import count
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoint_adjusted import ModelRows, cut_scores
from analysis.kernels.logrank import logrank_sums

N = 120
CUTS = np.array([-0.5, 0.0, 0.7])


def drawn(seed: int, p: int) -> ModelRows:
    rng = np.random.default_rng(seed)
    marker = np.sort(rng.normal(size=N))
    time = rng.exponential(np.exp(0.3 * marker))
    x = rng.normal(size=(N, p)) + 0.6 * marker[:, None]
    return ModelRows(marker, time, rng.random(N) < 0.8, np.full(N, -np.inf), rng.integers(0, 3, N), x)


def test_without_covariates_and_ties_it_is_the_stratified_logrank_test():
    rows = drawn(1, 0)
    statistic = cut_scores(rows, CUTS).statistic
    for place, cut in enumerate(CUTS):
        group = (rows.marker > cut).astype(np.int64)
        counts = count(rows.time, rows.event, segment=rows.strata, n_segments=3, group=group, n_groups=2)
        sums = logrank_sums(counts)
        expected = (sums.observed - sums.expected)[0] / sums.covariance[0, 0] ** 0.5
        assert_allclose(statistic[place], expected, rtol=1e-10)


def test_beside_covariates_it_agrees_with_the_likelihood():
    rows = drawn(2, 2)
    statistic = cut_scores(rows, CUTS).statistic
    _, _, without = fit_arrays(rows.x, rows.time, rows.event, strata=rows.strata)
    for place, cut in enumerate(CUTS):
        x = np.column_stack([rows.marker <= cut, rows.x]).astype(float)
        coef, _, log_likelihood = fit_arrays(x, rows.time, rows.event, strata=rows.strata)
        ratio = 2 * (log_likelihood - without)
        assert np.sign(statistic[place]) == np.sign(coef[0])
        assert abs(statistic[place] ** 2 - ratio) < 0.15 * (1 + ratio)


def test_contributions_sum_to_the_statistics():
    rows = drawn(3, 2)
    scores = cut_scores(rows, CUTS)
    contributions = scores.contributions(N)
    assert contributions.shape == (N, 3)
    assert_allclose(contributions.sum(axis=0), scores.statistic, rtol=1e-8)


def test_a_covariate_that_is_the_marker_leaves_a_step_its_own_part():
    rows = drawn(4, 1)
    same = ModelRows(rows.marker, rows.time, rows.event, rows.entry, rows.strata, rows.marker[:, None])
    assert np.abs(cut_scores(same, CUTS).statistic).max() < 3.5
    step = ModelRows(rows.marker, rows.time, rows.event, rows.entry, rows.strata, (rows.marker[:, None] <= 0) * 1.0)
    assert_allclose(cut_scores(step, np.array([0.0])).statistic, 0, atol=1e-6)


def test_no_events_have_no_scores():
    rows = drawn(5, 0)
    assert (
        cut_scores(ModelRows(rows.marker, rows.time, rows.event & False, rows.entry, rows.strata, rows.x), CUTS) is None
    )
