"""Fractional weights are no patients: errors, tests and limits are robust by themselves, as in R."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    CoxFit,
    Endpoint,
    ManyTies,
    NotSupported,
    RobustErrors,
    bootstrap_cox,
    fit_cox,
    fit_cox_counts,
    fit_fine_gray,
    hazard_ratios,
    pool_cox,
    proportional_hazards_test,
)

PLAIN = Endpoint("t", "e")
COHORT = pd.DataFrame(
    {
        "t": [5, 8, 3, 9, 2, 7, 4, 6, 1, 10],
        "e": [1, 0, 1, 1, 1, 0, 1, 1, 1, 1],
        "x": [0, 1, 0, 1, 1, 0, 0, 1, 1, 0],
        "z": [0.3, -1.2, 0.8, 0.1, -0.5, 1.9, -0.7, 0.4, 1.1, -0.2],
        "w": [6.5, 14.5, 23.5, 5.5, 11.5, 8.5, 32.5, 7.5, 9.5, 15.5],
    }
)


def fitted(covariates: list[str], **options: object) -> CoxFit:
    with warnings.catch_warnings(action="ignore"):
        return fit_cox(COHORT.assign(whole=COHORT["w"] // 1), PLAIN, covariates, **options)


@pytest.mark.parametrize("engine", ["lifelines", "kernel"])
def test_one_covariate_as_coxph(engine: str) -> None:
    # summary(coxph(Surv(t, e) ~ x, weights = w)), its wald.test and exp(confint)
    fit = fitted(["x"], weights="w", engine=engine)
    row = fit.coefficients.iloc[0, 1:]
    expected = [0.141112256687, 0.216709156114, 0.739518575845, 0.190816378786, 0.848669456047]
    assert row.to_numpy(dtype=float) == pytest.approx(expected, rel=1e-8)
    assert fit.wald_test.statistic == pytest.approx(0.0364108904129, rel=1e-8)
    limits = hazard_ratios(fit)[["conf_low", "conf_high"]].to_numpy()[0]
    assert limits == pytest.approx([0.270274405919, 4.90640763393], rel=1e-8)


def test_two_covariates_as_coxph() -> None:
    # vcov, wald.test and cox.zph of coxph(Surv(t, e) ~ x + z, weights = w)
    fit = fitted(["x", "z"], weights="w")
    expected = [[0.5339755538207, 0.0636766053218], [0.0636766053218, 0.1614044025865]]
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-8)
    assert fit.wald_test.statistic == pytest.approx(0.466114251285, rel=1e-7)  # R stops its search earlier
    zph = proportional_hazards_test(fit)["statistic"].to_numpy()
    assert zph == pytest.approx([2.3700458, 2.9452653, 7.1821717], rel=1e-7)


def test_the_result_is_the_one_that_robust_gives_and_says_why() -> None:
    by_itself, asked = fitted(["x", "z"], weights="w"), fitted(["x", "z"], weights="w", robust=True)
    pd.testing.assert_frame_equal(by_itself.coefficients, asked.coefficients)
    assert by_itself.model == asked.model
    assert by_itself.model.robust
    assert [type(found) for found in asked.warnings].count(RobustErrors) == 0
    with pytest.warns(RobustErrors, match="10 of 10 are fractional, so tests and limits use robust standard errors"):
        fit = fit_cox(COHORT, PLAIN, ["x"], weights="w")
    assert RobustErrors in [type(found) for found in fit.warnings]


def test_one_fractional_weight_is_enough_and_only_rows_used_count() -> None:
    one = COHORT.assign(w=[1.5, *[1.0] * 9], x=[np.nan, *COHORT["x"][1:]])
    with warnings.catch_warnings(action="ignore"):
        assert fit_cox(one.assign(x=COHORT["x"]), PLAIN, ["x"], weights="w").model.robust
        assert not fit_cox(one, PLAIN, ["x"], weights="w").model.robust


def test_whole_numbers_stay_replicates() -> None:
    # summary(coxph(Surv(t, e) ~ x, weights = floor(w)))
    fit = fitted(["x"], weights="whole")
    row = fit.coefficients.iloc[0]
    assert row[["coef", "std_error", "p_value"]].to_numpy(dtype=float) == pytest.approx(
        [0.133470313088, 0.222010402776, 0.547713807031], rel=1e-8
    )
    assert np.isnan(row["robust_std_error"])
    counts = COHORT.assign(n=COHORT["w"].astype(int))
    with warnings.catch_warnings(action="ignore"):
        counted = fit_cox_counts(counts, PLAIN, ["x"], ties="breslow")
        assert counted.covariance == pytest.approx(
            fit_cox(counts, PLAIN, ["x"], weights="n", ties="breslow").covariance, rel=1e-8
        )


def test_pooled_models_take_the_robust_variance() -> None:
    fits = [fitted(["x"], weights="w") for _ in range(2)]
    pooled = pool_cox(fits)
    assert [type(found) for found in pooled.warnings].count(RobustErrors) == 1
    assert pooled.covariance == pytest.approx(fits[0].covariance)


TIED = pd.DataFrame({"t": [1, 1, 2, 2, 3, 3] * 5, "e": 1, "x": [0, 1, 1, 0, 1] * 6, "w": 2.0, "id": [*range(15)] * 2})


@pytest.mark.parametrize("options", [{"weights": "w"}, {"robust": True}, {"cluster": "id"}])
def test_ties_are_not_sent_to_exact_ones_that_the_model_cannot_have(options: dict[str, object]) -> None:
    with pytest.warns(ManyTies, match="tied with another; use finer times"):
        fit_cox(TIED, PLAIN, ["x"], **options)
    with pytest.raises(NotSupported, match="ties='exact' knows neither"):
        fit_cox(TIED, PLAIN, ["x"], ties="exact", **options)


def test_the_advice_on_ties_can_be_followed() -> None:
    advice = r"tied with another; compare with fit_cox\(\.\.\., ties='exact'\)"
    with pytest.warns(ManyTies, match=advice):
        fit_cox(TIED, PLAIN, ["x"])
    assert fit_cox(TIED, PLAIN, ["x"], ties="exact").model.ties == "exact"
    with pytest.warns(ManyTies, match=advice):
        bootstrap_cox(TIED, PLAIN, ["x"], n_bootstrap=39, seed=1)
    with pytest.warns(ManyTies, match="tied with another; use finer times"):
        fit_fine_gray(TIED, CompetingEndpoint("t", "e"), ["x"], cause="progression")
