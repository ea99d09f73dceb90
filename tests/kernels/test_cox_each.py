"""Cox models of stacked cohorts: each as if it were fitted alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cox_each import fit_each


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_each_cohort_is_fitted_as_if_alone(ties):
    rng = np.random.default_rng(4)
    n, cohort = 600, rng.integers(0, 7, 600)
    x = rng.normal(size=(n, 3)) * [1, 20, 0.1] + cohort[:, None]
    time, event = np.ceil(rng.exponential(9, n)), rng.random(n) < 0.6
    event[cohort == 2] = False
    x[cohort == 4, 1] = 5.0
    coef, covariance = fit_each(x, time, event, cohort, ties=ties)
    assert np.isnan(coef[[2, 4]]).all()
    assert np.isnan(covariance[[2, 4]]).all()
    for place in (0, 1, 3, 5, 6):
        rows = cohort == place
        alone = fit_arrays(x[rows], time[rows], event[rows], ties=ties)
        assert_allclose(coef[place], alone[0], rtol=1e-9, atol=1e-11)
        assert_allclose(covariance[place], alone[1], rtol=1e-7, atol=1e-12)


def test_a_cohort_that_separates_is_not_estimable_and_the_others_are():
    time, event = np.array([1.0, 2, 3, 4] * 2), np.ones(8, dtype=bool)
    x = np.array([1.0, 1, 0, 0, 0, 1, 1, 0])[:, None]
    coef, _ = fit_each(x, time, event, np.array([0] * 4 + [1] * 4))
    assert np.isnan(coef[0]).all()
    assert_allclose(coef[1], fit_arrays(x[4:], time[4:], event[4:])[0], rtol=1e-9)


def test_no_events_anywhere():
    coef, covariance = fit_each(np.ones((3, 2)), np.ones(3), np.zeros(3, dtype=bool), np.array([0, 1, 1]))
    assert coef.shape == (2, 2)
    assert np.isnan(coef).all()
    assert np.isnan(covariance).all()
