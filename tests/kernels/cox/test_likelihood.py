"""The partial likelihood and its residuals: by their definition, by finite differences, by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.cox.at_risk import at_risk_sums, over_time_at_risk, risk_sets
from analysis.kernels.cox.likelihood import (
    CoxPoint,
    cox_problem,
    deviance_residuals,
    evaluate,
    expected_events,
    fades,
    fit_arrays,
    martingale_residuals,
    maximise,
    moments,
    newton_step,
    schoenfeld_residuals,
    score_residuals,
    timed_information,
)
from analysis.kernels.cox.likelihood import moments as moments_at


def sample(seed: int, *, n: int = 30, late: bool = True) -> dict[str, Any]:
    """A small cohort with ties, late entry, strata and weights."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 4, n).astype(float) if late else np.full(n, -np.inf)
    start = np.where(np.isfinite(entry), entry, 0.0)
    return {
        "x": rng.normal(size=(n, 2)),
        "time": start + rng.integers(1, 7, n),
        "event": rng.random(n) < 0.7,
        "entry": entry,
        "strata": rng.integers(0, 3, n),
        "weights": rng.uniform(0.5, 2, n),
    }


def by_definition(data: dict[str, Any], beta: np.ndarray, ties: str) -> float:
    """The log partial likelihood, one event at a time."""
    risk = data["weights"] * np.exp(data["x"] @ beta)
    total = 0.0
    for stratum in np.unique(data["strata"]):
        of_stratum = data["strata"] == stratum
        for t in np.unique(data["time"][of_stratum & data["event"]]):
            at_risk = of_stratum & (data["entry"] < t) & (t <= data["time"])
            failed = of_stratum & data["event"] & (data["time"] == t)
            d = failed.sum()
            total += float(data["weights"][failed] @ (data["x"][failed] @ beta))
            for k in range(d):
                share = k / d if ties == "efron" else 0.0
                total -= data["weights"][failed].mean() * np.log(risk[at_risk].sum() - share * risk[failed].sum())
    return total


def problem_of(data: dict[str, Any], ties: str) -> Any:
    sets = risk_sets(data["time"], data["event"], entry=data["entry"], strata=data["strata"])
    return cox_problem(data["x"], sets, weights=data["weights"], ties=ties)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(["efron", "breslow"]))
def test_value_is_the_definition(seed: int, late: bool, ties: str) -> None:
    data, beta = sample(seed, late=late), np.array([0.4, -0.9])
    problem = problem_of(data, ties)
    result = evaluate(problem, beta * problem.scale)
    np.testing.assert_allclose(result.log_likelihood, by_definition(data, beta, ties), rtol=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [True, False])
def test_derivatives_are_finite_differences(ties: str, late: bool) -> None:
    problem = problem_of(sample(1, n=60, late=late), ties)
    beta, step = np.array([0.3, -0.5]), 1e-5
    result = evaluate(problem, beta)
    around = [[evaluate(problem, beta + sign * step * unit) for sign in (1, -1)] for unit in np.eye(2)]
    slope = [(up.log_likelihood - down.log_likelihood) / (2 * step) for up, down in around]
    bend = [-(up.gradient - down.gradient) / (2 * step) for up, down in around]
    np.testing.assert_allclose(result.gradient, slope, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(result.information, bend, rtol=1e-6, atol=1e-7)


def test_timed_information_is_the_information_where_all_times_count_once() -> None:
    problem, beta = problem_of(sample(2), "efron"), np.array([0.2, 0.1])
    result, ones = moments_at(problem, beta), np.ones(len(problem.sets.times))
    np.testing.assert_allclose(timed_information(problem, result, ones), evaluate(problem, beta).information)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_risk_sets_by_definition(seed: int, late: bool) -> None:
    data = sample(seed, late=late)
    sets = risk_sets(data["time"], data["event"], entry=data["entry"], strata=data["strata"])
    for index, (t, stratum) in enumerate(zip(sets.times, sets.stratum, strict=True)):
        at_risk = (data["strata"] == stratum) & (data["entry"] < t) & (t <= data["time"])
        assert at_risk_sums(sets, data["weights"][sets.rows])[index] == pytest.approx(data["weights"][at_risk].sum())
        seen = over_time_at_risk(sets, (np.arange(len(sets.times)) == index).astype(float))
        np.testing.assert_allclose(seen, at_risk[sets.rows])
    never = np.setdiff1d(np.arange(len(data["time"])), sets.rows)
    for row in never:
        inside = (sets.stratum == data["strata"][row]) & (data["entry"][row] < sets.times)
        assert not (inside & (sets.times <= data["time"][row])).any()


BOOK = {  # Therneau and Grambsch's first data set, rows out of order, the row with a missing status left out
    "x": np.array([[0.0], [1], [1], [1], [0], [0]]),
    "time": np.array([9.0, 1, 1, 6, 6, 8]),
    "event": np.array([1, 1, 0, 1, 1, 0], dtype=bool),
    "entry": np.full(6, -np.inf),
    "strata": np.zeros(6, dtype=int),
    "weights": np.ones(6),
}


def test_newton_steps_by_hand() -> None:
    problem = problem_of(BOOK, "breslow")
    first = evaluate(problem, np.zeros(1))
    assert first.log_likelihood == pytest.approx(-(np.log(6) + 2 * np.log(4)))
    step = newton_step(first.information, first.gradient)
    assert step / problem.scale == pytest.approx(8 / 5)
    second = evaluate(problem, step)
    step = step + newton_step(second.information, second.gradient)
    assert step[0] / problem.scale[0] == pytest.approx(1.472724, abs=5e-7)


@pytest.mark.parametrize(
    ("ties", "coef", "at_zero"),
    [
        ("breslow", np.log((3 + np.sqrt(33)) / 2), -(np.log(6) + 2 * np.log(4))),
        (
            "efron",
            np.log(2 * np.sqrt(23 / 3) * np.cos(np.arccos(45 / 23 * np.sqrt(3 / 23)) / 3)),
            -(np.log(6) + np.log(3) + np.log(4)),
        ),
    ],
)
def test_maximum_in_closed_form(ties: str, coef: float, at_zero: float) -> None:
    problem = problem_of(BOOK, ties)
    start = evaluate(problem, np.zeros(1))
    assert start.log_likelihood == pytest.approx(at_zero, rel=1e-14)
    solution = maximise(partial(evaluate, problem), start)
    assert solution.converged
    assert solution.point.beta[0] / problem.scale[0] == pytest.approx(coef, rel=1e-13)
    result, _, _ = fit_arrays(BOOK["x"], BOOK["time"], BOOK["event"], ties=ties)
    assert result[0] == pytest.approx(coef, rel=1e-13)


def test_a_row_that_spans_no_event_changes_nothing() -> None:
    data = sample(3)
    longer = {name: np.concatenate([values, values[:1]]) for name, values in data.items()}
    longer["x"][-1] = 500.0
    longer["time"][-1], longer["entry"][-1], longer["event"][-1] = 100.0, 99.0, False
    here, there = ({**rows, "strata": rows["strata"]} for rows in (data, longer))
    ours, theirs = (
        fit_arrays(rows["x"], rows["time"], rows["event"], entry=rows["entry"], strata=rows["strata"])
        for rows in (here, there)
    )
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])


def test_far_from_zero_and_in_odd_units_nothing_is_lost() -> None:
    data = sample(4, n=200)
    plain, _, _ = fit_arrays(data["x"], data["time"], data["event"], strata=data["strata"])
    moved, covariance, _ = fit_arrays(data["x"] * 1e-6 + 1, data["time"], data["event"], strata=data["strata"])
    np.testing.assert_allclose(moved * 1e-6, plain, rtol=1e-8)
    assert np.isfinite(covariance).all()


def test_fit_arrays_says_where_there_is_no_maximum() -> None:
    x, time = np.array([[0.0], [0], [1], [1]]), np.array([1.0, 2, 3, 4])
    assert np.isnan(fit_arrays(x, time, np.array([1, 1, 0, 0], dtype=bool))[0]).all()  # separation
    assert np.isnan(fit_arrays(x, time, np.zeros(4, dtype=bool))[0]).all()  # no events
    twice = np.hstack([x, x])
    assert np.isnan(fit_arrays(twice, time, np.ones(4, dtype=bool))[0]).all()  # collinear


def test_halving_keeps_newton_from_running_away() -> None:
    def steep(beta: np.ndarray) -> CoxPoint:
        """-log cosh: Newton's full step from 2 goes to -11, and further with every step."""
        return CoxPoint(beta, float(-np.log(np.cosh(beta[0]))), -np.tanh(beta), np.diag(1 / np.cosh(beta) ** 2))

    solution = maximise(steep, steep(np.array([2.0])), watch=False)
    assert solution.converged
    assert abs(solution.point.beta[0]) < 1e-12


def test_fading_information_is_noticed() -> None:
    start = np.diag([4.0, 1e-9])
    assert not fades(start * 0.5, start)
    assert fades(np.diag([4.0, 1e-15]), start)
    assert not fades(np.zeros((2, 2)), np.zeros((2, 2)))


X = np.array([[0.0], [1], [1], [1], [0], [0]])
TIME = np.array([9.0, 1, 1, 6, 6, 8])
EVENT = np.array([1, 1, 0, 1, 1, 0], dtype=bool)
ZERO = np.zeros(1)


def test_score_residuals_breslow() -> None:
    problem = cox_problem(X, risk_sets(TIME, EVENT), ties="breslow")
    result = score_residuals(problem, ZERO, 6) * problem.scale
    np.testing.assert_allclose(result[:, 0], [5 / 24, 5 / 12, -1 / 12, 7 / 24, -1 / 24, 5 / 24], atol=1e-15)


def test_martingale_residuals_efron() -> None:
    problem = cox_problem(X, risk_sets(TIME, EVENT), ties="efron")
    result = martingale_residuals(problem, ZERO, 6)
    np.testing.assert_allclose(result, [-3 / 4, 5 / 6, -1 / 6, 5 / 12, 5 / 12, -3 / 4], atol=1e-15)


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
    result = deviance_residuals(problem, beta, 5)
    np.testing.assert_allclose(result[0], np.sqrt(2 * (far + np.log(n_at_risk) - 1)), rtol=1e-12)
    np.testing.assert_allclose(result[1], -np.sqrt(2 * (1 / n_at_risk + 1 / 4)), rtol=1e-12)


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
    martingale, result = (kind(problem, beta, n) for kind in (martingale_residuals, deviance_residuals))
    known = np.flatnonzero(np.where(event, martingale < 1 - 1e-6, True))
    inside = martingale[known] + np.log1p(np.where(event[known], -martingale[known], 0.0))
    wanted = np.sign(martingale[known]) * np.sqrt(np.maximum(-2 * inside, 0))
    np.testing.assert_allclose(result[known], wanted, rtol=1e-7, atol=1e-6)
