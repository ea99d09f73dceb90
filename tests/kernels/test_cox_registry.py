"""The Cox likelihood in passes over many rows: the same as that of the sorted rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels import cox_registry
from analysis.kernels.cox.at_risk import risk_sets
from analysis.kernels.cox.likelihood import cox_problem, evaluate, fit_arrays
from analysis.kernels.cox_registry import CoxArrays, LargeProblem, arrays_rows, evaluate_large, fit_large, large_problem

CASES = [
    {},
    {"p": 1},
    {"digits": 0},
    {"digits": 6},
    {"weighted": True},
    {"n_strata": 5},
    {"late": True},
    {"digits": 0, "late": True, "n_strata": 4, "weighted": True},
    {"digits": 6, "late": True, "n_strata": 4, "weighted": True},
    {"n": 700, "digits": 0, "n_strata": 90},
]


def rows_of(n=900, p=3, *, digits=1, late=False, weighted=False, n_strata=1, seed=1):
    """Random rows with ties; tiles of 256 rows are filled, and the last is not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-3, 3, p) + 7
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, np.round(time * rng.random(n) * 0.6, digits), -np.inf)
    options = {
        "entry": np.where(entry < time, entry, -np.inf) if late else None,
        "strata": rng.integers(0, n_strata, n) if n_strata > 1 else None,
        "weights": rng.uniform(0.2, 3, n) if weighted else None,
    }
    return x, time, rng.random(n) < 0.6, options


def arrays_problem(arrays, centre, scale) -> LargeProblem:
    return large_problem(arrays_rows(arrays, centre, scale), np.linspace(-0.1, 0.2, len(scale)))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_likelihood_is_that_of_sorted_rows(case, ties):
    x, time, event, options = rows_of(**case)
    weights = options["weights"]
    sets = risk_sets(time, event, entry=options["entry"], strata=options["strata"])
    centre, scale = np.zeros((1, x.shape[1])) + x.mean(axis=0), x.std(axis=0)
    plain = cox_problem(x, sets, weights=weights, ties=ties)
    large = arrays_problem(CoxArrays(x, time, event, ties=ties, **options), centre, scale)
    for beta in (np.zeros(x.shape[1]), np.linspace(-0.5, 0.8, x.shape[1])):
        one, other = evaluate(plain, beta / scale * plain.scale), evaluate_large(large, beta)
        units = scale / plain.scale
        assert_allclose(other.log_likelihood, one.log_likelihood, rtol=1e-11)
        assert_allclose(other.gradient * units, one.gradient, rtol=1e-9, atol=1e-9)
        assert_allclose(other.information * np.outer(units, units), one.information, rtol=1e-9, atol=1e-9)
    for point in (large.null, large.begin):  # the two that are evaluated together
        alone = evaluate_large(large, point.beta)
        assert_allclose(point.log_likelihood, alone.log_likelihood, rtol=1e-13)
        assert_allclose(point.gradient, alone.gradient, rtol=1e-10, atol=1e-10)
        assert_allclose(point.information, alone.information, rtol=1e-12)
    assert large.compared


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_maximum_from_a_sample_is_the_maximum(case, order, monkeypatch):
    monkeypatch.setattr(cox_registry, "SAMPLE", 120)
    x, time, event, options = rows_of(**case)
    problem, solution = fit_large(CoxArrays(np.asarray(x, order=order), time, event, **options))
    coef, covariance, log_likelihood = fit_arrays(x, time, event, **options)
    assert solution.converged
    assert not solution.weak
    assert_allclose(solution.point.beta / problem.scale, coef, rtol=1e-9, atol=1e-12)
    result = np.linalg.inv(solution.point.information) / np.outer(problem.scale, problem.scale)
    assert_allclose(result, covariance, rtol=1e-8, atol=1e-14)
    assert solution.point.log_likelihood == pytest.approx(log_likelihood, rel=1e-11)


@pytest.mark.parametrize("case", [{"digits": 0}, {"n_strata": 4}, {"late": True}], ids=str)
def test_replicates_are_rows_written_out(case):
    x, time, event, options = rows_of(**case)
    counts = np.random.default_rng(3).integers(1, 4, len(time))
    rows = np.repeat(np.arange(len(time)), counts)
    options |= {"weights": counts.astype(float)}
    problem, solution = fit_large(CoxArrays(x, time, event, replicates=True, **options))
    own = {name: options[name] if options[name] is None else options[name][rows] for name in ("entry", "strata")}
    coef, _, log_likelihood = fit_arrays(x[rows], time[rows], event[rows], **own)
    assert_allclose(solution.point.beta / problem.scale, coef, rtol=1e-9, atol=1e-12)
    assert solution.point.log_likelihood == pytest.approx(log_likelihood, rel=1e-11)


def test_a_column_that_the_sample_holds_constant_is_still_estimated(monkeypatch):
    monkeypatch.setattr(cox_registry, "SAMPLE", 90)
    x, time, event, _ = rows_of()
    x[:, 1] = 0.0
    x[np.arange(len(x)) % 10 == 3, 1] = 1.0  # the sample takes every tenth row, from the first
    problem, solution = fit_large(CoxArrays(x, time, event))
    assert_allclose(solution.point.beta / problem.scale, fit_arrays(x, time, event)[0], rtol=1e-9)


def test_a_group_without_events_is_weak():
    x, time, event, _ = rows_of(p=2)
    x[:, 0] = ~event & (np.arange(len(event)) % 2 == 0)
    assert fit_large(CoxArrays(x, time, event))[1].weak


def test_events_of_everybody_at_risk_compare_nobody():
    x, time, event, _ = rows_of(n=300)
    every = np.arange(300)
    problem = arrays_problem(CoxArrays(x, time, event | True, strata=every), np.tile(x.mean(0), (300, 1)), x.std(0))
    assert not problem.compared
    assert arrays_problem(CoxArrays(x, time, event), x.mean(0)[None], x.std(0)).compared


def outcomes_of(n=900, *, digits=1):
    """Times and entries with ties, strata and weights."""
    rng = np.random.default_rng(1)
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, np.round(time * rng.random(n) * 0.6, digits), -np.inf)
    entry = np.where(entry < time, entry, -np.inf)
    return time, rng.random(n) < 0.6, entry, rng.integers(0, 3, n), rng.uniform(0.2, 3, n)


def test_tallies_of_parts_add_up_to_that_of_the_whole():
    time, event, _, strata, weights = outcomes_of()
    whole, key = cox_registry.tally_rows(time, event, strata=strata, weights=weights)
    parts, keys = zip(
        *(
            cox_registry.tally_rows(time[rows], event[rows], strata=strata[rows], weights=weights[rows])
            for rows in (slice(0, 100), slice(100, 101), slice(101, None))
        ),
        strict=True,
    )
    added = cox_registry.add_tallies(parts)
    for name in ("stratum", "time", "n_event", "event_weight"):
        assert_allclose(getattr(added, name), getattr(whole, name), rtol=1e-12)
    index = np.concatenate([cox_registry.positions_in(added, part)[own] for part, own in zip(parts, keys, strict=True)])
    assert (index == key).all()


def test_positions_by_their_definition():
    time, event, entry, strata, _ = outcomes_of(200, digits=0)
    tally, key = cox_registry.tally_rows(time, event, strata=strata)
    events, index = cox_registry.event_times(tally)
    missed = cox_registry.positions_missed(events, entry, strata)
    for row in range(len(time)):
        own = events.stratum == strata[row]
        before = int((events.stratum < strata[row]).sum())
        lived, late = (int((own & (events.times <= at)).sum()) for at in (time[row], entry[row]))
        assert index[key[row]] == (before + lived if lived else 0)
        assert missed[row] == (before + late if late else 0)
