"""Two models compared: as R's anova and concordance of two fits; nested by what they span."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import Endpoint, InputError, compare_models, fit_cox, load_example

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """R's lung data, complete in ECOG."""
    return load_example("lung").dropna(subset=["ecog"])


def fitted(cohort: pd.DataFrame, *covariates: str, **options: object):
    """A model of the overall survival."""
    return fit_cox(cohort, SURVIVAL, list(covariates), **options)


def test_the_likelihood_ratio_is_that_of_anova(lung):
    compared = compare_models(fitted(lung, "age", "sex"), fitted(lung, "age", "sex", "ecog"))
    test = compared.likelihood_ratio_test
    # anova(coxph(~ age + sex), coxph(~ age + sex + ph.ecog)): logliks -737.5423416 and -729.2301214
    assert_allclose([test.statistic, test.df, test.p_value], [16.62444, 1, 4.556e-05], rtol=2e-4)
    assert_allclose(test.statistic, 2 * (737.5423416 - 729.2301214), rtol=1e-6)
    null = fitted(lung, "age", "sex").log_likelihood_null
    assert_allclose(compared.adequacy, (-737.5423416 - null) / (-729.2301214 - null), rtol=1e-6)


@pytest.mark.parametrize(
    ("weighting", "strata", "smaller", "larger", "difference", "std_error"),
    [
        ("harrell", None, 0.60201142164, 0.63713549300, 0.0351240713600, 0.0198059922359),
        ("uno", None, 0.595287552805, 0.626148295214, 0.0308607424092, 0.0177171469921),
        ("harrell", "sex", 0.547070629838, 0.605849182835, 0.0587785529963, 0.0290752667524),
    ],
)
def test_the_difference_in_concordance_is_that_of_r(lung, weighting, strata, smaller, larger, difference, std_error):
    names = ["age"] if strata else ["age", "sex"]
    compared = compare_models(
        fitted(lung, *names, strata=strata), fitted(lung, *names, "ecog", strata=strata), weighting=weighting
    )
    assert_allclose(
        [
            compared.concordance_smaller,
            compared.concordance_larger,
            compared.concordance_difference,
            compared.std_error,
        ],
        [smaller, larger, difference, std_error],
        rtol=1e-9,
    )
    reach = 1.959963984540054 * std_error
    assert_allclose([compared.conf_low, compared.conf_high], [difference - reach, difference + reach], rtol=1e-8)


def test_a_model_against_itself_adds_nothing(lung):
    fit = fitted(lung, "age", "sex")
    compared = compare_models(fit, fit)
    assert compared.nested
    assert compared.adequacy == 1
    assert (compared.concordance_difference, compared.std_error) == (0, 0)
    assert np.isnan(compared.p_value)


def test_nested_is_what_the_columns_span(lung):
    """ECOG as a number lies within ECOG as a category; age does not lie within sex."""
    category = fit_cox(lung, SURVIVAL, "age + C(ecog)")
    assert compare_models(fit_cox(lung, SURVIVAL, "I(age / 10) + ecog"), category).nested
    crossed = compare_models(fitted(lung, "age", "sex"), fitted(lung, "ecog", "sex"))
    assert not crossed.nested
    assert np.isnan([crossed.adequacy, crossed.likelihood_ratio_test.p_value]).all()
    assert not compare_models(fitted(lung, "age"), fitted(lung, "age", "ecog", strata="sex")).nested


def test_clusters_count_once(lung):
    """Every patient twice, as clusters of two, has the error of every patient once."""
    twice = pd.concat([lung.assign(patient=np.arange(len(lung)))] * 2, ignore_index=True)
    options = {"ties": "breslow", "cluster": "patient"}
    once = compare_models(fitted(lung, "age", ties="breslow"), fitted(lung, "age", "ecog", ties="breslow"))
    doubled = compare_models(fitted(twice, "age", **options), fitted(twice, "age", "ecog", **options))
    assert_allclose(doubled.concordance_difference, once.concordance_difference, rtol=1e-9)
    assert_allclose(doubled.std_error, once.std_error, rtol=1e-9)


def test_it_prints_what_was_compared(lung):
    larger = fitted(lung, "age", "sex", "ecog")
    text = repr(compare_models(fitted(lung, "age", "sex"), larger, weighting="uno", conf_level=0.9))
    assert "lower .9 0.001719, upper .9 0.06" in text
    assert "(Uno)" in text
    assert "adequacy of the smaller model 0.4549" in text
    assert "Not nested" in repr(compare_models(fitted(lung, "age"), fitted(lung, "ecog")))


def test_models_of_other_rows_or_options_are_refused(lung):
    base = fitted(lung, "age", "sex")
    with pytest.raises(InputError, match=r"different rows \(227 and 213\): a covariate of one is missing"):
        compare_models(base, fitted(lung, "age", "sex", "weight_loss"))
    with pytest.raises(InputError, match="different endpoints or weights"):
        compare_models(base, fit_cox(lung.assign(os_days=lung["os_days"] + 5.0), SURVIVAL, ["age", "sex"]))
    with pytest.raises(InputError, match="ties differ"):
        compare_models(base, fitted(lung, "age", "sex", "ecog", ties="breslow"))
    with pytest.raises(InputError, match="the larger model is nested in the smaller; give the smaller one first"):
        compare_models(fitted(lung, "age", "ecog"), fitted(lung, "age"))
    with pytest.raises(InputError, match="smaller: expected what fit_cox returns, got dict"):
        compare_models({}, base)  # type: ignore[arg-type]
