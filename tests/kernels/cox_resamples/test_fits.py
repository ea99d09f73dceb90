"""The Cox models of many resamples and groupings: each equal to the model of its rows written out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cox_resamples.fits import baseline_batch, fit_groupings, fit_weighted_batch


def rows_of(n=90, p=3, b=12, *, digits=1, late=False, n_strata=1, seed=1):
    """Random rows with ties, and b bootstrap resamples of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-3, 3, p) + 5
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, np.round(time * rng.random(n) * 0.6, digits), -np.inf) if late else None
    weights = rng.multinomial(n, np.full(n, 1 / n), size=b)
    return x, time, rng.random(n) < 0.6, weights, {"entry": entry, "strata": rng.integers(0, n_strata, n)}


def written_out(x, time, event, counts, options):
    """The rows of one resample, as often as it holds them."""
    rows = np.repeat(np.arange(len(time)), counts)
    return x[rows], time[rows], event[rows], {k: None if v is None else v[rows] for k, v in options.items()}


def hazard_by_definition(x, time, event, coef, at, *, entry, strata):
    """Efron's cumulative hazard at covariates zero, event by event."""
    result = np.zeros((strata.max() + 1, len(at)))
    risk = np.exp(x @ coef)
    entry = np.full(len(time), -np.inf) if entry is None else entry
    for stratum in range(len(result)):
        for moment in np.unique(time[event & (strata == stratum)]):
            tied = event & (time == moment) & (strata == stratum)
            at_risk = (entry < moment) & (moment <= time) & (strata == stratum)
            shares = np.arange(tied.sum()) / tied.sum()
            step = (1 / (risk[at_risk].sum() - shares * risk[tied].sum())).sum()
            result[stratum] += step * (moment <= at)
    return result


CASES = [
    {},
    {"p": 1},
    {"digits": 0},
    {"n_strata": 3},
    {"late": True},
    {"digits": 0, "late": True, "n_strata": 3},
]


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_resample_is_its_rows_written_out(case, ties):
    x, time, event, weights, options = rows_of(**case)
    coef, converged = fit_weighted_batch(x, time, event, weights, ties=ties, **options)
    assert converged.all()
    for counts, result in zip(weights, coef, strict=True):
        own_x, own_time, own_event, own = written_out(x, time, event, counts, options)
        assert_allclose(result, fit_arrays(own_x, own_time, own_event, ties=ties, **own)[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_hazard_is_that_of_the_rows_written_out(case):
    x, time, event, weights, options = rows_of(**case)
    coef, _ = fit_weighted_batch(x - 5, time, event, weights, **options)
    at = np.array([0.5, 1.0, 2.5, 4.0, 30.0])
    hazards = baseline_batch(x - 5, time, event, weights, coef, at, **options)
    for counts, beta, result in zip(weights, coef, hazards, strict=True):
        own_x, own_time, own_event, own = written_out(x - 5, time, event, counts, options)
        by_hand = hazard_by_definition(own_x, own_time, own_event, beta, at, **own)
        assert_allclose(result[: len(by_hand)], by_hand, rtol=1e-9)


def test_breslows_hazard_takes_no_event_off():
    time, event = np.array([1.0, 1.0, 2.0]), np.array([True, True, False])
    weights, coef = np.array([[1, 1, 1], [2, 1, 2]]), np.zeros((2, 1))
    result = baseline_batch(np.zeros((3, 1)), time, event, weights, coef, np.array([1.0]), ties="breslow")
    assert_allclose(result.ravel(), [2 / 3, 3 / 5])


def test_resamples_without_a_maximum_have_not_converged_and_the_others_have():
    _, time, event, weights, options = rows_of(p=1, b=5)
    group = (np.arange(len(time)) % 3 == 0).astype(float)[:, None]
    weights[0, event] = 0  # no events
    weights[1, group[:, 0] == 1] = 0  # nobody to compare with
    weights[2, event & (group[:, 0] == 1)] = 0  # no events in the group: its hazard ratio is zero
    coef, converged = fit_weighted_batch(group, time, event, weights, **options)
    assert converged.tolist() == [False, False, False, True, True]
    assert np.isnan(coef[:, 0]).tolist() == [True, True, True, False, False]
    hazards = baseline_batch(group, time, event, weights, coef, np.array([3.0]), **options)
    assert np.isnan(hazards[:, 0, 0]).tolist() == [True, True, True, False, False]


def test_collinear_columns_have_no_maximum():
    x, time, event, weights, _ = rows_of(p=2)
    twice = np.column_stack([x, x @ [1.0, -2.0]])
    _, converged = fit_weighted_batch(twice, time, event, weights)
    assert not converged.any()


def test_the_start_does_not_move_the_end():
    x, time, event, weights, options = rows_of(digits=0)
    near, _ = fit_weighted_batch(x, time, event, weights, **options)
    far, converged = fit_weighted_batch(x, time, event, weights, start=np.array([0.5, -1.0, 0.2]) / x.std(0), **options)
    assert converged.all()
    assert_allclose(far, near, rtol=1e-9, atol=1e-11)


def test_a_strong_effect_is_reached_and_taken_for_no_separation():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 1))
    time, event = rng.exponential(np.exp(-3 * x[:, 0])), np.ones(400, dtype=bool)
    weights = rng.multinomial(400, np.full(400, 1 / 400), size=20)
    coef, converged = fit_weighted_batch(x, time, event, weights, start=np.zeros(1))
    assert converged.all()
    assert (coef > 2).all()


@pytest.mark.parametrize("case", ["no resamples", "no events"])
def test_nothing_to_fit(case):
    x, time, event, weights, _ = rows_of()
    event, weights = (event & False, weights) if case == "no events" else (event, weights[:0])
    coef, converged = fit_weighted_batch(x, time, event, weights)
    assert coef.shape == (len(weights), 3)
    assert np.isnan(coef).all()
    assert not converged.any()
    assert baseline_batch(x, time, event, weights, coef, np.array([1.0])).shape == (len(weights), 1, 1)


def groupings_of(n=120, p=3, b=9, q=1, *, digits=1, late=False, n_strata=1, seed=1):
    """Random rows with ties, and b groupings into q + 1 groups by a permuted marker."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-3, 3, p)
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, time * rng.random(n) * 0.6, -np.inf) if late else np.full(n, -np.inf)
    strata = rng.integers(0, n_strata, n)
    groups = np.argsort(rng.random((b, n)), axis=1) * (q + 1) // n
    return groups, np.eye(q + 1)[:, :q], x, time, rng.random(n) < 0.6, entry, strata


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"p": 0},
        {"q": 2},
        {"digits": 0},
        {"late": True, "n_strata": 3},
        {"digits": 0, "late": True, "n_strata": 2, "q": 2},
        {"p": 0, "n_strata": 4, "digits": 0},
    ],
    ids=str,
)
def test_each_grouping_is_the_model_fitted_alone(options):
    groups, columns, x, time, event, entry, strata = groupings_of(**options)
    result = fit_groupings(groups, columns, x, time, event, entry=entry, strata=strata)
    for own, coef in zip(groups, result, strict=True):
        alone = fit_arrays(np.column_stack([columns[own], x]), time, event, entry=entry, strata=strata)[0]
        assert_allclose(coef, alone, rtol=1e-8, atol=1e-10)


def test_groupings_without_a_maximum_are_missing_and_the_others_are_not():
    groups, columns, x, time, event, _, _ = groupings_of(b=4)
    x[:, 1] = np.arange(len(event)) % 3 == 0
    groups[0] = ~event & (np.arange(len(event)) % 2 == 0)  # no event in one group
    groups[1] = x[:, 1]  # the same column twice
    groups[2] = 1  # one group alone
    result = fit_groupings(groups, columns, x, time, event)
    assert np.isnan(result[:, 0]).tolist() == [True, True, True, False]


def test_a_strong_effect_is_reached_from_afar():
    groups, columns, x, time, event, _, _ = groupings_of(n=300, b=3)
    groups[0] = time < np.quantile(time, 0.5)  # the early half: nearly separated
    groups[0, np.argmax(time)] = 1
    result = fit_groupings(groups, columns, x, time, event)[0, 0]
    alone = fit_arrays(np.column_stack([columns[groups[0]], x]), time, event)[0][0]
    assert np.isnan(result) or result == pytest.approx(alone, rel=1e-7)
    assert abs(alone) > np.log(10)


def test_no_groupings_at_all():
    groups, columns, x, time, event, _, _ = groupings_of(b=0)
    assert fit_groupings(groups, columns, x, time, event).shape == (0, 4)
