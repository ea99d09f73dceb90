"""The compiled likelihood of a resample against the one in numpy, of its rows written out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox import cox_problem, evaluate, risk_sets
from analysis.kernels.cox_resamples.fits import read_layout
from analysis.kernels.cox_resamples.likelihood import evaluate_resample, solve
from analysis.kernels.cox_resamples.resample import room_for, take


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [False, True])
def test_value_and_derivatives_are_those_of_the_rows_written_out(late, ties):
    rng = np.random.default_rng(3)
    n, p = 60, 5  # five covariates and a column of ones: two sets of columns side by side
    time, event, strata = rng.integers(1, 12, n) + 0.0, rng.random(n) < 0.6, rng.integers(0, 2, n)
    entry = np.where(rng.random(n) < 0.4, np.floor(time * rng.random(n)), -np.inf) if late else np.full(n, -np.inf)
    weights, beta = rng.multinomial(n, np.full(n, 1 / n)), np.linspace(-0.6, 0.4, p)
    problem = cox_problem(rng.normal(size=(n, p)), risk_sets(time, event, entry=entry, strata=strata), ties=ties)
    layout = read_layout(problem, efron=ties == "efron")
    rows = room_for(layout.x.shape[1], len(layout.tied), p, len(layout.entering))
    take(layout, weights, rows)
    gradient, information = np.empty(p), np.empty((p, p))
    value = evaluate_resample(rows, ties == "efron", beta, gradient, information)

    again = np.repeat(np.arange(n), weights)
    x = np.zeros((n, p))
    x[problem.sets.rows] = problem.x
    sets = risk_sets(time[again], event[again], entry=entry[again], strata=strata[again])
    alone = cox_problem(x[again], sets, ties=ties)
    expected = evaluate(alone, beta * alone.scale)
    assert_allclose(value, expected.log_likelihood, rtol=1e-10)
    assert_allclose(gradient, expected.gradient * alone.scale, rtol=1e-8, atol=1e-9)
    assert_allclose(information, expected.information * np.outer(alone.scale, alone.scale), rtol=1e-8, atol=1e-9)


def test_newtons_step_solves_and_a_column_that_follows_from_others_has_none():
    root = np.random.default_rng(1).normal(size=(3, 3))
    information, gradient = root @ root.T, np.array([1.0, -2.0, 0.5])
    step = np.empty(3)
    determinant = solve(information, gradient, np.empty((3, 3)), step)
    assert_allclose(step, np.linalg.solve(information, gradient), rtol=1e-9)
    assert_allclose(determinant, np.linalg.det(information), rtol=1e-9)
    flat = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert solve(flat, np.ones(2), np.empty((2, 2)), np.empty(2)) == 0.0
