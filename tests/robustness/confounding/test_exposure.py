"""The model of exposure: many weightings at once, steps that overshoot; and the rows of an adjusted comparison."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from analysis import Endpoint
from analysis.robustness.confounding.exposure import fit_propensity, probabilities, propensity_basis, read_exposure
from tests.robustness.confounding.test_weights import two_arms


def test_weightings_at_once_are_the_fits_of_rows_written_out():
    cohort, rng = two_arms(), np.random.default_rng(2)
    codes = (cohort["arm"] == "b").to_numpy().astype(np.int64)
    basis = propensity_basis(cohort[["age"]].to_numpy())
    counts = rng.multinomial(len(codes), np.full(len(codes), 1 / len(codes)), size=5)
    start = fit_propensity(basis, codes, np.ones((1, len(codes))))[0][0]
    coef, converged = fit_propensity(basis, codes, counts.astype(float), start=start)
    assert converged.all()
    for row, held in zip(coef, counts, strict=True):
        places = np.repeat(np.arange(len(codes)), held)
        alone, _ = fit_propensity(basis[places], codes[places], np.ones((1, len(places))))
        assert_allclose(probabilities(basis, row[None]), probabilities(basis, alone), atol=1e-6)


@pytest.mark.parametrize("start", [-8.0, -4.0, 2.5])
def test_a_step_that_overshoots_is_halved_until_the_likelihood_rises(start):
    # 1 of 4 in the second group: the maximum is at log(1 / 3); from -4 a full Newton step leads to 9, from 2.5 to -8
    codes = np.array([0, 0, 0, 1])
    coef, converged = fit_propensity(np.ones((4, 1)), codes, np.ones((1, 4)), start=np.array([[start]]))
    assert converged.all()
    assert coef[0, 0, 0] == pytest.approx(np.log(1 / 3), rel=1e-6)


def test_weights_far_from_those_of_the_start_reach_the_maximum_that_a_general_optimiser_finds():
    cohort = two_arms(n=60, slope=2.0)
    codes = (cohort["arm"] == "b").to_numpy().astype(np.int64)
    basis = propensity_basis(cohort[["age"]].to_numpy())
    start = 4 * fit_propensity(basis, codes, np.ones((1, 60)))[0][0]
    weights = np.where(codes == 1, 0.02, 3.0)

    def minus_log_likelihood(beta: np.ndarray) -> float:
        eta = basis @ beta
        return float((weights * (np.logaddexp(0, eta) - codes * eta)).sum())

    expected = minimize(minus_log_likelihood, np.zeros(2), method="BFGS", options={"gtol": 1e-9}).x
    coef, converged = fit_propensity(basis, codes, weights[None], start=start)
    assert converged.all()
    assert_allclose(coef[0, 0], expected, rtol=1e-4)


def test_rows_are_complete_in_outcome_groups_and_covariates_and_groups_keep_their_order():
    cohort = pd.DataFrame(
        {
            "time": [3.0, 1, 2, 5, 4, 6],
            "event": [1, 1, 0, 1, None, 1],
            "arm": pd.Categorical(["b", "a", "b", None, "a", "a"], categories=["b", "a", "c"]),
            "age": [60, np.nan, 62, 63, 64, 65],
            "site": list("xxyyxy"),
        }
    )
    rows = read_exposure(cohort, Endpoint("time", "event"), ["age", "site"], by="arm", strata=["arm"])
    assert rows.data.position.tolist() == [0, 2, 5]
    assert rows.data.dropped == {"missing event": 1, "missing arm": 1, "missing age": 1}
    assert (rows.groups.labels, rows.groups.codes.tolist()) == (("b", "a"), [0, 0, 1])
    assert (rows.design.terms, rows.own_baselines, rows.within.labels) == (("age", "site[y]"), True, ("all",))
    assert rows.x.tolist() == [[60, 0], [62, 1], [65, 1]]
