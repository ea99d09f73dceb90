"""Many Cox models at once: each equal to the same model fitted alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.cox.contrasts import fit_contrasts
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.kernels.cox.risk_sets import risk_sets


def rows_of(n=120, p=3, b=9, q=1, *, digits=1, late=False, n_strata=1, seed=1):
    """Random rows with ties, and b contrasts that cut a permuted marker."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-3, 3, p)
    time = np.round(rng.exponential(5, n), digits) + 1
    entry = np.where(rng.random(n) < 0.5, time * rng.random(n) * 0.6, -np.inf) if late else np.full(n, -np.inf)
    strata = rng.integers(0, n_strata, n)
    order = np.argsort(rng.random((n, b)), axis=0)
    contrasts = np.stack([(order * (q + 1)) // n == place for place in range(q)], axis=2).astype(float)
    return contrasts, x, time, rng.random(n) < 0.6, entry, strata


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
def test_each_model_is_the_one_fitted_alone(options):
    contrasts, x, time, event, entry, strata = rows_of(**options)
    found = fit_contrasts(contrasts, x, risk_sets(time, event, entry=entry, strata=strata))
    for place, coef in enumerate(found):
        own = np.column_stack([contrasts[:, place], x])
        assert_allclose(coef, fit_arrays(own, time, event, entry=entry, strata=strata)[0][0], rtol=1e-8, atol=1e-10)


def test_models_fitted_in_blocks_are_the_models_fitted_together(monkeypatch):
    contrasts, x, time, event, _, _ = rows_of(b=25)
    sets = risk_sets(time, event)
    together = fit_contrasts(contrasts, x, sets)
    monkeypatch.setattr("analysis.kernels.cox.contrasts.AT_ONCE", 4 * x.size)
    assert_allclose(fit_contrasts(contrasts, x, sets), together, rtol=1e-12)


def test_models_without_a_maximum_are_missing_and_the_others_are_not():
    contrasts, x, time, event, _, _ = rows_of(b=4)
    contrasts[:, 0, 0] = ~event & (np.arange(len(event)) % 2 == 0)  # no event among them
    contrasts[:, 1, 0] = x[:, 1]  # the same column twice
    contrasts[:, 2, 0] = 1.0
    found = fit_contrasts(contrasts, x, risk_sets(time, event))
    assert np.isnan(found).tolist() == [True, True, True, False]


def test_a_strong_effect_is_reached_from_afar():
    contrasts, x, time, event, _, _ = rows_of(n=300, b=3)
    contrasts[:, 0, 0] = time < np.quantile(time, 0.5)  # the early half: nearly separated
    contrasts[np.argmax(time), 0, 0] = 1.0
    found = fit_contrasts(contrasts, x, risk_sets(time, event))
    alone = fit_arrays(np.column_stack([contrasts[:, 0], x]), time, event)[0][0]
    assert np.isnan(found[0]) or found[0] == pytest.approx(alone, rel=1e-7)
    assert np.exp(alone) > 10


def test_no_models_at_all():
    contrasts, x, time, event, _, _ = rows_of(b=0)
    assert fit_contrasts(contrasts, x, risk_sets(time, event)).shape == (0,)
