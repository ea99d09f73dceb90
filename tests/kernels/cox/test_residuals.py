"""Residuals at coefficients zero, in the fractions of Therneau and Grambsch's appendix."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.kernels.cox.likelihood import cox_problem, evaluate, expected_events, moments
from analysis.kernels.cox.residuals import (
    deviance_residuals,
    martingale_residuals,
    schoenfeld_residuals,
    score_residuals,
)
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


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("far", [40.0, 400.0, 900.0, 1e5])
def test_deviance_of_an_event_that_nobody_expected(ties: str, late: bool, far: float) -> None:
    """With E = exp(-far) / n, n others at risk at exp(far) each, the deviance is sqrt(2 (far + log n - 1)), by hand."""
    time, event = np.array([1.0, 2, 2, 3, 3]), np.array([1, 0, 1, 0, 1], dtype=bool)
    entry = np.array([-np.inf, -np.inf, -np.inf, 0.5 if late else -np.inf, 1.5 if late else -np.inf])
    x = np.array([[-1.0], [0], [0], [0], [0]])
    problem = cox_problem(x, risk_sets(time, event, entry=entry), ties=ties)
    beta = far * problem.scale
    n_at_risk = 4 if not late else 3  # at time 1, beside the event itself
    found = deviance_residuals(problem, beta, 5)
    np.testing.assert_allclose(found[0], np.sqrt(2 * (far + np.log(n_at_risk) - 1)), rtol=1e-12)
    np.testing.assert_allclose(found[1], -np.sqrt(2 * (1 / n_at_risk + 1 / 4)), rtol=1e-12)


@pytest.mark.parametrize("spread", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_deviance_is_that_of_the_martingale_residuals(spread: float, ties: str) -> None:
    rng = np.random.default_rng(8)
    n = 60
    x, event, weights = rng.normal(size=(n, 2)), rng.random(n) < 0.6, rng.uniform(0.5, 3, n)
    entry = rng.integers(0, 3, n).astype(float)
    time = entry + rng.integers(1, 8, n)
    problem = cox_problem(x, risk_sets(time, event, entry=entry), weights=weights, ties=ties)
    beta = np.array([spread, -spread])
    martingale, found = (kind(problem, beta, n) for kind in (martingale_residuals, deviance_residuals))
    known = np.flatnonzero(np.where(event, martingale < 1 - 1e-6, True))
    inside = martingale[known] + np.log1p(np.where(event[known], -martingale[known], 0.0))
    wanted = np.sign(martingale[known]) * np.sqrt(np.maximum(-2 * inside, 0))
    np.testing.assert_allclose(found[known], wanted, rtol=1e-7, atol=1e-6)
