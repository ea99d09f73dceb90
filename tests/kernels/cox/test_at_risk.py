"""Risk sets and sums over them, by their definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from analysis.kernels.cox import at_risk as module
from analysis.kernels.cox.at_risk import risk_sets, risks_of
from analysis.kernels.cox.likelihood import (
    cox_problem,
    evaluate,
    martingale_residuals,
    moments,
    score_residuals,
    timed_information,
)


def far_apart(seed: int, *, late: bool, spread: float) -> dict[str, Any]:
    """A cohort with ties, strata and weights whose linear predictors span `spread` or so."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 40))
    entry = rng.integers(0, 4, n).astype(float) if late else np.full(n, -np.inf)
    event = rng.random(n) < 0.7
    event[0] = True
    return {
        "time": np.where(late, entry, 0.0) + rng.integers(1, 9, n), "event": event, "entry": entry,
        "strata": rng.integers(0, 3, n), "weights": rng.uniform(0.5, 2, n), "eta": rng.normal(size=n) ** 3 * spread,
    }  # fmt: skip


def sets_of(data: dict[str, Any]) -> Any:
    return risk_sets(data["time"], data["event"], entry=data["entry"], strata=data["strata"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from([0.1, 10.0, 1000.0, 1e6]))
def test_sums_at_risk_and_over_time_at_risk_by_definition(seed: int, late: bool, spread: float) -> None:
    data = far_apart(seed, late=late, spread=spread)
    sets = sets_of(data)
    if not len(sets.times):
        return
    eta, weights = data["eta"][sets.rows], data["weights"][sets.rows]
    risks = risks_of(sets, weights, eta)
    indices = np.arange(len(sets.times))
    at_risk = (sets.first <= indices[:, None]) & (indices[:, None] <= sets.last)
    total = np.log(risks.at_risk(np.ones(len(eta)))) + risks.log_scale
    np.testing.assert_allclose(total, [logsumexp(eta[who], b=weights[who]) for who in at_risk], rtol=1e-10, atol=1e-10)
    seen = risks.over_time(np.exp(risks.log_scale - total))  # the expected events of a row, Breslow's
    wanted = (np.exp(np.where(at_risk, eta - total[:, None], -np.inf)) * weights).sum(axis=0)
    np.testing.assert_allclose(seen, wanted, rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("late", [False, True])
def test_one_scale_and_many_give_the_same_likelihood_and_residuals(
    ties: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = far_apart(5, late=late, spread=0.5)
    x = np.column_stack([data["eta"], np.cos(np.arange(len(data["eta"])))])
    problem = cox_problem(x, sets_of(data), weights=data["weights"], ties=ties)
    beta = np.array([0.4, -0.7])

    def everything() -> list[Any]:
        point, at = evaluate(problem, beta), moments(problem, beta)
        return [
            point.log_likelihood, point.gradient, point.information, at.mean,
            timed_information(problem, at, problem.sets.times),
            score_residuals(problem, beta, len(x)), martingale_residuals(problem, beta, len(x)),
        ]  # fmt: skip

    one = everything()
    monkeypatch.setattr(module, "NEAR", -1.0)
    monkeypatch.setattr(module, "NEAR_LATE", -1.0)
    for left, right in zip(one, everything(), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-12)


def test_a_row_far_above_the_others_that_enters_late_costs_the_earlier_risk_sets_no_digit() -> None:
    time, entry = np.array([1.0, 2.0, 3.0, 9.0]), np.array([-np.inf, -np.inf, -np.inf, 2.5])
    sets = risk_sets(time, np.ones(4, dtype=bool), entry=entry)
    eta = np.array([0.0, 0.0, 0.0, 40.0])[sets.rows]
    risks = risks_of(sets, np.ones(4), eta)
    total = np.log(risks.at_risk(np.ones(4))) + risks.log_scale
    np.testing.assert_allclose(total, [np.log(3), np.log(2), 40.0, 40.0], rtol=1e-15)


def spread_and_late(n: int, *, span: float) -> tuple[Any, np.ndarray]:
    """Risk sets of a cohort that enters late throughout, and normal linear predictors of about this span."""
    rng = np.random.default_rng(n)
    entry = rng.uniform(-2, 6, n)
    sets = risk_sets(np.maximum(entry, 0) + rng.exponential(4, n), rng.random(n) < 0.6,
                     entry=np.where(entry > 0, entry, -np.inf))  # fmt: skip
    eta = rng.normal(size=n)
    return sets, (eta / np.ptp(eta) * span)[sets.rows]


@pytest.mark.parametrize("n", [300, 2000])
@pytest.mark.parametrize(("span", "one_scale"), [(9.0, True), (12.0, True), (16.0, True), (200.0, False)])
def test_late_entry_is_summed_on_one_scale_where_that_costs_no_digits(n: int, span: float, one_scale: bool) -> None:
    sets, eta = spread_and_late(n, span=span)
    risks = risks_of(sets, np.ones(len(eta)), eta)
    assert hasattr(risks, "risk") is one_scale
    total = np.log(risks.at_risk(np.ones(len(eta)))) + risks.log_scale
    indices = np.arange(len(sets.times))[:, None]
    at_risk = (sets.first <= indices) & (indices <= sets.last)
    np.testing.assert_allclose(total, [logsumexp(eta[who]) for who in at_risk], rtol=1e-11, atol=1e-11)
    seen = risks.over_time(np.exp(risks.log_scale - total))
    np.testing.assert_allclose(seen, np.exp(np.where(at_risk, eta - total[:, None], -np.inf)).sum(axis=0), rtol=1e-9)


@pytest.mark.parametrize("level", [-900.0, 900.0])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_linear_predictors_far_from_zero_are_those_near_it(level: float, ties: str) -> None:
    """Only differences of linear predictors count: exp(900) is no number, but nothing needs it."""
    data = far_apart(5, late=True, spread=0.5)
    x, beta = np.column_stack([data["eta"], np.cos(np.arange(len(data["eta"])))]), np.array([0.4, -0.7])
    near, far = (
        evaluate(
            cox_problem(x, sets_of(data), weights=data["weights"], offset=np.full(len(x), offset), ties=ties), beta
        )
        for offset in (0.0, level)
    )
    np.testing.assert_allclose(far.log_likelihood, near.log_likelihood, rtol=1e-11)
    np.testing.assert_allclose(far.gradient, near.gradient, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(far.information, near.information, rtol=1e-9, atol=1e-11)
