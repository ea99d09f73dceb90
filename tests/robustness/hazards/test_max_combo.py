"""MaxCombo against a computation in R, against the log-rank tests it is made of, and by its properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis import Endpoint, FewEvents, InputError, NotEstimable, logrank_test, max_combo
from analysis.robustness.hazards.max_combo import largest_of_normals
from tests.reference import rows

# R 4.2.2: scores and covariance summed over the event times of survfit(), weights S(t-)^rho (1 - S(t-))^gamma, and
# 1 - mvtnorm::pmvnorm(-q, q, corr) with GenzBretz(maxpts = 2e7).
AGAINST_R = {
    "veteran, trt": (
        ("veteran", Endpoint("time", "status"), "trt", None),
        [0.09070470331, -0.89802431459, 0.93338603639, 0.60234658421],
        0.587912023593,
    ),
    "lung, sex": (
        ("lung", Endpoint("time", "event"), "sex", None),
        [-3.213524849, -1.860103268, -3.565690873, -2.768534446],
        0.000984007960884,
    ),
    "veteran, prior within cell types": (
        ("veteran", Endpoint("time", "status"), "prior", "celltype"),
        [0.4258984434, -0.3119487976, 0.9166110746, -0.2199554098],
        0.590893202306,
    ),
}


@pytest.mark.parametrize("name", AGAINST_R)
def test_components_and_p_value_as_in_r(name):
    (dataset, endpoint, by, strata), z, p_value = AGAINST_R[name]
    test = max_combo(rows(dataset), endpoint, by=by, strata=strata)
    np.testing.assert_allclose(test.components["statistic"], z, rtol=1e-8)
    assert test.statistic == np.abs(test.components["statistic"]).max()
    assert test.p_value == pytest.approx(p_value, rel=3e-4)  # pmvnorm's own error on lung is 1e-7, a hundredth of a %


@pytest.mark.parametrize(("rho", "gamma"), [(0, 0), (0, 1), (1, 0), (0.5, 0.5)])
@pytest.mark.parametrize("strata", [None, "celltype"])
def test_each_component_is_its_log_rank_test(rho, gamma, strata):
    veteran, endpoint = rows("veteran"), Endpoint("time", "status")
    combined = max_combo(veteran, endpoint, by="trt", strata=strata, rho_gamma=[(rho, gamma)])
    single = logrank_test(
        veteran, endpoint, by="trt", strata=strata, weighting="fleming-harrington", rho=rho, gamma=gamma
    )
    assert combined.statistic**2 == pytest.approx(single.statistic, rel=1e-10)
    assert combined.p_value == pytest.approx(single.p_value, rel=1e-10)  # one component has nothing to pay for


def test_late_entry_is_respected():
    heart = rows("heart")
    endpoint = Endpoint("stop", "event", entry="start")
    combined = max_combo(heart, endpoint, by="transplant", rho_gamma=[(0, 0)])
    assert combined.statistic**2 == pytest.approx(logrank_test(heart, endpoint, by="transplant").statistic, rel=1e-10)


def test_the_constant_weight_is_the_sum_of_early_and_late():
    test = max_combo(rows("lung"), Endpoint("time", "event"), by="sex")
    assert np.linalg.matrix_rank(test.correlation, tol=1e-8) == 3


@pytest.mark.parametrize("statistic", [0.5, 2.0, 5.0, 12.0])
def test_independent_and_equal_normals_in_closed_form(statistic):
    one = 2 * norm.sf(statistic)
    assert largest_of_normals(statistic, np.eye(3)) == pytest.approx(-np.expm1(3 * np.log1p(-one)), rel=2e-4)
    assert largest_of_normals(statistic, np.ones((3, 3))) == pytest.approx(one, rel=1e-10)


def test_the_p_value_lies_between_the_smallest_and_its_bonferroni_bound():
    test = max_combo(rows("lung"), Endpoint("time", "event"), by="sex")
    smallest = test.components["p_value"].min()
    assert smallest < test.p_value < 4 * smallest


def test_shuffled_rows_and_swapped_labels_change_nothing():
    lung, endpoint = rows("lung"), Endpoint("time", "event")
    first = max_combo(lung, endpoint, by="sex")
    again = max_combo(lung.sample(frac=1, random_state=1), endpoint, by="sex")
    swapped = max_combo(lung.assign(sex=3 - lung["sex"]), endpoint, by="sex")
    assert (again.statistic, again.p_value) == (first.statistic, first.p_value)
    np.testing.assert_allclose(swapped.components["statistic"], -first.components["statistic"], rtol=1e-10)
    assert swapped.groups == ("1", "2")


SMALL = pd.DataFrame({"months": np.arange(1.0, 25), "died": 1, "arm": ["a", "b", "c"] * 8, "two": ["a", "b"] * 12})
ENDPOINT = Endpoint("months", "died")


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({}, {"by": "arm"}, NotEstimable, "holds 3 groups"),
        ({"two": "a"}, {"by": "two"}, NotEstimable, "at least 2 groups"),
        ({"died": 0}, {"by": "two"}, NotEstimable, "no events"),
        ({}, {"by": "two", "rho_gamma": []}, InputError, "at least one pair"),
        ({}, {"by": "two", "rho_gamma": [(1,)]}, InputError, "is no pair"),
        ({}, {"by": "two", "rho_gamma": [(-1, 0)]}, InputError, "rho=-1"),
    ],
)
def test_invalid_arguments_raise(change, options, error, words):
    with pytest.raises(error, match=words):
        max_combo(SMALL.assign(**change), ENDPOINT, **options)


def test_a_component_without_weight_takes_no_part_with_a_warning():
    first = SMALL.assign(died=(SMALL["months"] == 1).astype(int), two=["a", *["b"] * 11, *["a"] * 12])
    with pytest.warns(FewEvents) as caught:
        test = max_combo(first, ENDPOINT, by="two")
    assert any("(0, 1), (1, 1)" in str(one.message) for one in caught)  # 1 - S(t-) is 0 at the first event
    assert test.components["statistic"].isna().tolist() == [False, True, False, True]
    assert test.p_value == pytest.approx(test.components["p_value"][0], rel=1e-10)
