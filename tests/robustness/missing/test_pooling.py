"""Rubin's rules: R's mice, the formulas by hand, and what they must do at their ends."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import Endpoint, FewEvents, InputError, fit_cox, pool_cox

OS = Endpoint("time", "event")
ROWS = pd.DataFrame(
    {
        "time": [9, 1, 1, 6, 6, 8, 3, 4, 7, 2, 5, 10.0],
        "event": [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1],
        "x": [0.1, 1.2, 1.0, 0.9, np.nan, 0.2, np.nan, 0.7, 0.3, 1.1, 0.4, np.nan],
        "z": [0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0],
    }
)
IMPUTED = [[0.5, 0.8, 0.2], [0.3, 1.0, 0.1], [0.6, 0.6, 0.4], [0.2, 0.9, -0.1]]


def completed(values):
    held = ROWS.copy()
    held.loc[held["x"].isna(), "x"] = values
    return held


@pytest.fixture
def fits():
    with warnings.catch_warnings(action="ignore"):
        return [fit_cox(completed(values), OS, ["x", "z"]) for values in IMPUTED]


def test_against_mice(fits):
    # R: mice 3.15.0, survival; pool(as.mira(lapply(imputed, function(rows) coxph(Surv(time, event) ~ x + z, rows))))
    found = pool_cox(fits)
    table = found.coefficients
    assert table["term"].tolist() == ["x", "z"]
    assert_allclose(table["coef"], [5.735747022961, -0.749231284721], rtol=1e-8)
    assert_allclose(table["std_error"], [2.40360642381, 1.13771103586], rtol=1e-8)
    assert_allclose(table["df"], [4.64800673683, 3.60080006329], rtol=1e-7)
    assert_allclose(table["statistic"], [2.386308742623, -0.658542688876], rtol=1e-8)
    assert_allclose(table["p_value"], [0.0665258118512, 0.5498964016542], rtol=1e-7)
    assert_allclose(table["fraction_missing"], [0.367026865159, 0.502788821185], rtol=1e-7)
    assert_allclose(table["within"], [4.951822234379, 0.923353593304], rtol=1e-8)
    assert_allclose(table["between"], [0.660401284957, 0.296826246253], rtol=1e-7)
    assert_allclose(np.log(found.hazard_ratios["conf_low"]), [-0.586344678243, -4.051045541869], rtol=1e-7)
    assert_allclose(np.log(found.hazard_ratios["conf_high"]), [12.05783872416, 2.55258297243], rtol=1e-7)


def test_parts_add_up_and_the_covariance_is_whole(fits):
    found = pool_cox(fits)
    table = found.coefficients
    assert_allclose(table["std_error"] ** 2, table["within"] + (1 + 1 / 4) * table["between"])
    assert_allclose(np.diag(found.covariance), table["std_error"] ** 2)
    assert_allclose(found.covariance, found.covariance.T)
    assert_allclose(table["monte_carlo_error"], np.sqrt(table["between"] / 4))
    assert (found.n_imputations, found.n_used, found.n_event) == (4, 12, 9)
    assert {type(warning) for warning in found.warnings} == {FewEvents}


def test_equal_fits_pool_to_themselves(fits):
    found, one = pool_cox([fits[0]] * 3), fits[0]
    assert_allclose(found.coefficients["coef"], one.coef)
    assert_allclose(found.coefficients["std_error"], one.coefficients["std_error"])
    assert_allclose(found.coefficients["between"], 0, atol=1e-20)
    # df: (d + 1) / (d + 3) d of the complete cohort, d = 9 events - 2 coefficients, but for a share of 1e-4
    assert_allclose(found.coefficients["df"], 8 / 10 * 7, rtol=1e-3)


def test_order_of_the_imputations_changes_nothing_and_levels_widen(fits):
    first, second = pool_cox(fits), pool_cox(fits[::-1])
    assert_allclose(first.coefficients.drop(columns="term"), second.coefficients.drop(columns="term"))
    wide = pool_cox(fits, conf_level=0.99).hazard_ratios
    assert (wide["conf_low"] < first.hazard_ratios["conf_low"]).all()
    assert (wide["conf_high"] > first.hazard_ratios["conf_high"]).all()


def test_robust_variances_are_pooled():
    with warnings.catch_warnings(action="ignore"):
        robust = [fit_cox(completed(values), OS, ["x", "z"], robust=True) for values in IMPUTED]
    within = np.mean([fit.coefficients["robust_std_error"] ** 2 for fit in robust], axis=0)
    assert_allclose(pool_cox(robust).coefficients["within"], within)


@pytest.mark.filterwarnings("ignore::analysis.errors.FewEvents")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda fits: fits[:1], r"1 model\(s\) given; Rubin's rules need two or more"),
        (lambda fits: [], r"0 model\(s\) given"),
        (lambda fits: [*fits, fits[0].coefficients], r"expected models of fit_cox, got DataFrame"),
        (lambda fits: [*fits, fit_cox(ROWS, OS, ["z"])], r"the models have different terms \(x, z; z\)"),
        (
            lambda fits: [*fits, fit_cox(ROWS.dropna(), OS, ["x", "z"])],
            r"different rows \(9 rows .*, 12 rows with 9 events\)",
        ),
    ],
)
def test_what_cannot_be_pooled_says_why(fits, change, message):
    with pytest.raises(InputError, match=message):
        pool_cox(change(fits))


def test_a_level_that_is_none(fits):
    with pytest.raises(InputError, match=r"conf_level=95 must lie between 0 and 1; did you mean 0.95"):
        pool_cox(fits, conf_level=95)
