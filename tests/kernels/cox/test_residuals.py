"""Residuals at coefficients zero, in the fractions of Therneau and Grambsch's appendix."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.kernels.cox.likelihood import cox_problem, evaluate, expected_events, moments
from analysis.kernels.cox.residuals import martingale_residuals, schoenfeld_residuals, score_residuals
from analysis.kernels.cox.risk_sets import risk_sets

X = np.array([[0.0], [1], [1], [1], [0], [0]])
TIME = np.array([9.0, 1, 1, 6, 6, 8])
EVENT = np.array([1, 1, 0, 1, 1, 0], dtype=bool)
ZERO = np.zeros(1)


def test_score_residuals_breslow() -> None:
    problem = cox_problem(X, risk_sets(TIME, EVENT), ties="breslow")
    found = score_residuals(problem, ZERO, 6) * problem.scale
    np.testing.assert_allclose(found[:, 0], [5 / 24, 5 / 12, -1 / 12, 7 / 24, -1 / 24, 5 / 24], atol=1e-15)


def test_martingale_residuals_efron() -> None:
    problem = cox_problem(X, risk_sets(TIME, EVENT), ties="efron")
    found = martingale_residuals(problem, ZERO, 6)
    np.testing.assert_allclose(found, [-3 / 4, 5 / 6, -1 / 6, 5 / 12, 5 / 12, -3 / 4], atol=1e-15)


def test_expected_events_of_the_weighted_set_breslow() -> None:
    time, event = np.array([1.0, 1, 2, 2, 2, 2, 3, 4, 5]), np.array([1, 0, 1, 1, 1, 0, 0, 1, 0], dtype=bool)
    x, weights = np.array([[2.0], [0], [1], [1], [0], [1], [0], [1], [0]]), np.array([1.0, 2, 3, 4, 3, 2, 1, 2, 1])
    problem = cox_problem(x, risk_sets(time, event), weights=weights, ties="breslow")
    expected = expected_events(problem, moments(problem, ZERO)) / problem.weights
    np.testing.assert_allclose(expected, [1 / 19] * 2 + [103 / 152] * 5 + [613 / 456] * 2)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_residuals_sum_to_the_gradient(ties: str) -> None:
    rng = np.random.default_rng(3)
    n = 80
    x, event, weights = rng.normal(size=(n, 2)), rng.random(n) < 0.6, rng.uniform(0.5, 3, n)
    entry = rng.integers(0, 3, n).astype(float)
    time = entry + rng.integers(1, 8, n)
    sets = risk_sets(time, event, entry=entry, strata=rng.integers(0, 2, n))
    problem, beta = cox_problem(x, sets, weights=weights, ties=ties), np.array([0.4, -0.2])
    gradient = evaluate(problem, beta).gradient
    scores = score_residuals(problem, beta, n)
    np.testing.assert_allclose(weights @ scores, gradient, atol=1e-11)
    by_event = schoenfeld_residuals(problem, beta) * problem.weights[sets.events][:, None]
    np.testing.assert_allclose(by_event.sum(axis=0), gradient, atol=1e-11)
    assert weights @ martingale_residuals(problem, beta, n) == pytest.approx(0, abs=1e-11)
