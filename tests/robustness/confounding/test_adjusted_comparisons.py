"""Means, survival and the log-rank test of strata as if they were alike: by hand, against R, and their level."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import (
    InputError,
    NotEstimable,
    adjusted_curves,
    adjusted_logrank,
    adjusted_restricted_mean,
    adjusted_survival_difference,
    logrank_test,
    restricted_mean,
    survival_difference,
)
from tests.robustness.confounding.test_adjusted_curves import OS, at, cohort_of, quiet
from tests.robustness.confounding.test_weights import lung


@quiet
def test_restricted_means_and_differences_by_hand():
    cohort = cohort_of(120)
    found = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=40, seed=2)
    means = adjusted_restricted_mean(found, 6.0, conf_level=0.9)
    steps = found.times[found.times < 6]
    widths = np.diff(np.append(steps, 6.0))
    area = found.survival[:, : len(steps)] @ widths
    drawn = found.draws[:, :, : len(steps)] @ widths
    assert_allclose(means.means["restricted_mean"], area)
    assert_allclose(means.means["std_error"], drawn.std(axis=0, ddof=1))
    row = means.differences.iloc[0]
    error = (drawn[:, 1] - drawn[:, 0]).std(ddof=1)
    assert row["std_error"] == pytest.approx(error)
    assert row["conf_high"] == pytest.approx(area[1] - area[0] + 1.6448536269514722 * error)
    difference = adjusted_survival_difference(found, 6.0).iloc[0]
    values = at(found.curves, [6.0])
    assert difference["difference"] == pytest.approx(values["treated"][0] - values["control"][0])


@quiet
def test_the_weighted_logrank_is_rs_robust_score_test():
    """R 4.2.2: coxph(Surv(time, event) ~ g, weights = w, robust = TRUE, ties = "breslow")$rscore."""
    test = adjusted_logrank(lung(), OS, ["age", "wt_loss", "sex"], by="g")
    assert test.statistic == pytest.approx(11.7685935447331, rel=2e-4)
    assert test.df == 2
    within = adjusted_logrank(lung(), OS, ["age", "wt_loss"], by="g", strata="sex")
    assert within.statistic == pytest.approx(10.6457194890259, rel=2e-4)
    assert within.groups["observed"].sum() == pytest.approx(within.groups["expected"].sum())
    assert within.groups["n"].tolist() == [48, 81, 41]


@quiet
def test_the_weighted_logrank_keeps_its_level_where_the_crude_one_does_not():
    weighted, crude = [], []
    for seed in range(60):
        cohort = cohort_of(200, seed=100 + seed)
        weighted.append(adjusted_logrank(cohort, OS, ["x"], by="arm").p_value)
        crude.append(logrank_test(cohort, OS, by="arm").p_value)
    assert np.mean(np.array(weighted) < 0.05) <= 0.15  # 0.05 and 3.5 standard errors
    assert np.mean(np.array(crude) < 0.05) > 0.5


def test_without_confounding_the_covariates_hardly_matter():
    cohort = cohort_of(400).assign(noise=np.random.default_rng(99).normal(size=400))
    adjusted = adjusted_logrank(cohort, OS, ["noise"], by="arm")
    assert adjusted.statistic == pytest.approx(logrank_test(cohort, OS, by="arm").statistic, rel=0.1)


@quiet
@pytest.mark.parametrize(
    ("compute", "error", "message"),
    [
        (lambda one: adjusted_restricted_mean(one, 500), InputError, "horizon=500 lies beyond the adjusted curves"),
        (lambda one: adjusted_restricted_mean(one, 0), InputError, "horizon=0 must be a finite number above 0"),
        (lambda one: adjusted_survival_difference(one, 500), InputError, "time=500 lies beyond the adjusted curves"),
        (lambda one: adjusted_restricted_mean(one.curves, 5), InputError, "expected what adjusted_curves returns"),
        (lambda one: restricted_mean(one.curves, 5), InputError, "adjusted_restricted_mean"),
        (lambda one: survival_difference(one.curves, 5), InputError, "adjusted_survival_difference"),
    ],
)
def test_what_is_read_off_is_checked(compute, error, message):
    found = adjusted_curves(cohort_of(80), OS, ["x"], by="arm", n_bootstrap=20, seed=1)
    with pytest.raises(error, match=message):
        compute(found)


@quiet
def test_without_resamples_there_is_no_error_to_give():
    found = adjusted_curves(cohort_of(80), OS, ["x"], by="arm", n_bootstrap=0, seed=1)
    with pytest.raises(NotEstimable, match="computed without resamples"):
        adjusted_restricted_mean(found, 5)
