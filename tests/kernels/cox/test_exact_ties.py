"""The exact likelihood of ties against its definition: every subset, one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.cox.at_risk import risk_sets
from analysis.kernels.cox.likelihood import add_rows, cox_problem, evaluate, evaluate_exact, no_rows


def by_definition(x: np.ndarray, time: np.ndarray, event: np.ndarray, entry: np.ndarray, beta: np.ndarray) -> float:
    """The log-likelihood: at each time, the events against all subsets of their number at risk."""
    eta, total = x @ beta, 0.0
    for t in np.unique(time[event]):
        at_risk = np.flatnonzero((entry < t) & (t <= time))
        failed = np.flatnonzero(event & (time == t))
        sums = [eta[list(subset)].sum() for subset in combinations(at_risk, len(failed))]
        total += eta[failed].sum() - np.log(np.exp(sums).sum())
    return total


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_value_is_the_definition(seed: int, late: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 11
    x, event = rng.normal(size=(n, 2)), rng.random(n) < 0.7
    event[0] = True
    entry = rng.integers(0, 2, n).astype(float) if late else np.full(n, -np.inf)
    time = np.maximum(entry, 0) + rng.integers(1, 4, n)
    problem, beta = cox_problem(x, risk_sets(time, event, entry=entry)), np.array([0.5, -1.0])
    result = evaluate_exact(problem, beta * problem.scale)
    assert result.log_likelihood == pytest.approx(by_definition(x, time, event, entry, beta), rel=1e-11)


def test_derivatives_are_finite_differences() -> None:
    rng = np.random.default_rng(7)
    x, time, event = rng.normal(size=(40, 2)), rng.integers(1, 6, 40).astype(float), rng.random(40) < 0.8
    problem = cox_problem(x, risk_sets(time, event, strata=rng.integers(0, 2, 40)))
    beta, step = np.array([0.3, -0.5]), 1e-5
    result = evaluate_exact(problem, beta)
    around = [[evaluate_exact(problem, beta + sign * step * unit) for sign in (1, -1)] for unit in np.eye(2)]
    slope = [(up.log_likelihood - down.log_likelihood) / (2 * step) for up, down in around]
    bend = [-(up.gradient - down.gradient) / (2 * step) for up, down in around]
    np.testing.assert_allclose(result.gradient, slope, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(result.information, bend, rtol=1e-6, atol=1e-7)


def test_without_ties_it_is_the_partial_likelihood() -> None:
    rng = np.random.default_rng(8)
    x, time, event = rng.normal(size=(30, 3)), rng.permutation(30).astype(float), rng.random(30) < 0.6
    problem, beta = cox_problem(x, risk_sets(time, event)), np.array([0.1, 0.2, -0.3])
    ours, theirs = evaluate_exact(problem, beta), evaluate(problem, beta)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(ours.gradient, theirs.gradient, atol=1e-10)
    np.testing.assert_allclose(ours.information, theirs.information, atol=1e-10)


def test_large_predictors_do_not_overflow() -> None:
    sums = no_rows(2, 1)
    add_rows(sums, np.array([[0.0], [1.0], [2.0]]), np.array([800.0, 900.0, -900.0]))
    assert sums.log_sum[2] == pytest.approx(1700.0)
    assert sums.mean[2] == pytest.approx(1.0)
