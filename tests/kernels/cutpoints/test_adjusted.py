"""The scan within strata and beside a model: row scores, and statistics of Cox models and log-rank tests."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from analysis.kernels.counts.counting import count
from analysis.kernels.counts.logrank import logrank_sums
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cutpoints.adjusted import ModelRows, cut_scores, model_scores, stratified_scores
from analysis.kernels.cutpoints.scan import logrank_scores, standardised

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
    for place, cut in enumerate(CUTS):
        group = (rows.marker > cut).astype(np.int64)
        counts = count(rows.time, rows.event, segment=rows.strata, n_segments=3, group=group, n_groups=2)
        sums = logrank_sums(counts)
        expected = (sums.observed - sums.expected)[0] / sums.covariance[0, 0] ** 0.5
        assert_allclose(statistic[place], expected, rtol=1e-10)


def test_beside_covariates_it_agrees_with_the_likelihood():
    rows = drawn(2, 2)
    statistic = model_scores(rows, low(rows)).statistic
    _, _, without = fit_arrays(rows.x, rows.time, rows.event, strata=rows.strata)
    for place, cut in enumerate(CUTS):
        x = np.column_stack([rows.marker <= cut, rows.x]).astype(float)
        coef, _, log_likelihood = fit_arrays(x, rows.time, rows.event, strata=rows.strata)
        ratio = 2 * (log_likelihood - without)
        assert np.sign(statistic[place]) == np.sign(coef[0])
        assert abs(statistic[place] ** 2 - ratio) < 0.15 * (1 + ratio)


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
    found = stratified_scores(rows, low(rows))
    variance = np.zeros(3)
    for code in range(3):
        here = rows.strata == code
        alone = logrank_scores(rows.time[here], rows.event[here])
        assert_allclose(found.row_scores[here], alone - alone.mean(), rtol=1e-12)
        n, n_low = here.sum(), np.cumsum(here)[low(rows) - 1]
        variance += n_low * (n - n_low) / n * alone.var(ddof=1)  # of a sample without replacement
    assert_allclose(found.spread, np.sqrt(variance), rtol=1e-12)


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
