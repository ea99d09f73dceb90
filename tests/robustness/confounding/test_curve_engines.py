"""Resamples of adjusted curves: each is the fit of its rows, whatever their order and whoever computes them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import adjusted_curves
from tests.robustness.confounding.test_adjusted_curves import OS, cohort_of, quiet


@quiet
def test_a_draw_is_the_fit_of_its_rows_written_out():
    cohort = cohort_of(80)
    found = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=20, seed=5)
    order = np.lexsort((cohort["x"], np.zeros(80), cohort["arm"] == "treated", cohort["event"], cohort["time"]))
    rng = np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0])
    counts = rng.multinomial(80, np.full(80, 1 / 80), size=20)
    written = cohort.iloc[np.repeat(order, counts[7])].reset_index(drop=True)
    alone = adjusted_curves(written, OS, ["x"], by="arm", n_bootstrap=0, seed=5)
    place = np.searchsorted(found.times, alone.times)
    assert_allclose(found.draws[7][:, place], alone.survival, rtol=1e-6)


@quiet
def test_sharing_the_draws_out_changes_no_number():
    import joblib

    cohort = cohort_of(80)
    alone = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=120, seed=4)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        shared = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=120, seed=4)
    assert np.array_equal(alone.draws, shared.draws)


@quiet
@pytest.mark.parametrize("method", ["standardisation", "weighting"])
def test_same_seed_same_answer_whatever_the_order_of_rows(method):
    cohort = cohort_of(120)
    first, again, shuffled = (
        adjusted_curves(frame, OS, ["x"], by="arm", method=method, strata="site", n_bootstrap=60, seed=3)
        for frame in (cohort, cohort, cohort.sample(frac=1, random_state=1))
    )
    assert np.array_equal(first.draws, again.draws)
    assert_allclose(shuffled.draws, first.draws, rtol=1e-6)
    assert_allclose(shuffled.curves["conf_low"], first.curves["conf_low"], rtol=1e-6)
