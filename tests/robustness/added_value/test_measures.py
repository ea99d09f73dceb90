"""Measures of a model's predictions: by other functions, and from the smooth curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    Endpoint,
    added_value,
    compare_models,
    fit_cox,
    kaplan_meier,
    load_example,
    predict_survival,
    survival_at,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")
LUNG = load_example("lung").dropna(subset=["ecog"])


def of_lung(**options: object):
    """The value of ECOG beside age and sex at one year."""
    given = {"times": 365, "n_bootstrap": 0, "seed": 1} | options
    return added_value(LUNG, SURVIVAL, "age + sex", "ecog", **given)


@pytest.fixture(scope="module")
def apparent() -> pd.DataFrame:
    """Its measures without a correction."""
    return of_lung().performance.set_index("measure")


def test_concordance_is_that_of_the_comparison_of_models(apparent):
    fits = fit_cox(LUNG, SURVIVAL, "age + sex"), fit_cox(LUNG, SURVIVAL, "age + sex + ecog")
    compared = compare_models(*fits)
    row = apparent.loc["concordance"]
    assert_allclose(
        row[["without_marker", "with_marker", "difference", "difference_std_error"]].astype(float),
        [
            compared.concordance_smaller,
            compared.concordance_larger,
            compared.concordance_difference,
            compared.std_error,
        ],
    )


def test_calibration_measures_by_other_functions(apparent):
    risk = 1 - predict_survival(fit_cox(LUNG, SURVIVAL, "age + sex"), LUNG, 365)["survival"]
    observed = 1 - survival_at(kaplan_meier(LUNG, SURVIVAL), 365)["survival"].iloc[0]
    assert_allclose(apparent.loc["observed_over_expected", "without_marker"], observed / risk.mean())
    assert_allclose(apparent.loc["calibration_slope", ["without_marker", "with_marker"]].astype(float), 1, rtol=1e-6)


def test_the_slopes_error_is_the_robust_one_of_a_cox_model(apparent):
    fit = fit_cox(LUNG, SURVIVAL, "age + sex")
    again = fit_cox(LUNG.assign(score=fit.linear_predictor), SURVIVAL, ["score"], robust=True)
    expected = again.coefficients["robust_std_error"].iloc[0]
    assert_allclose(apparent.loc["calibration_slope", "without_marker_std_error"], expected, rtol=1e-6)


def test_the_calibration_index_is_the_mean_distance_from_the_smooth_curve(apparent):
    added = of_lung()
    curve = added.calibration.query("model == 'with_marker'")
    risk = added.risks.query("model == 'with_marker'")["risk"]
    inside = risk.between(curve["predicted"].min(), curve["predicted"].max())
    observed = np.interp(risk[inside], curve["predicted"], curve["observed"])
    assert_allclose(apparent.loc["ici", "with_marker"], np.abs(observed - risk[inside]).mean(), rtol=0.05)
    assert (curve["conf_low"] < curve["observed"]).all()
    assert (curve["observed"] < curve["conf_high"]).all()
