"""What a marker adds: the apparent measures by other functions, the correction by hand, a search that costs more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    FailedDraws,
    InputError,
    NotEstimable,
    NotSupported,
    RowsDropped,
    added_value,
    compare_models,
    concordance,
    fit_cox,
    kaplan_meier,
    load_example,
    predict_survival,
    search_cutpoint,
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


def test_auc_brier_and_ipa_are_those_of_r(apparent):
    sides = ["without_marker", "with_marker", "difference"]
    # riskRegression::Score; see the tests of the kernel
    assert_allclose(
        apparent.loc["auc", sides].astype(float), [0.598087574242, 0.647397660015, 0.0493100857735], rtol=1e-9
    )
    assert_allclose(
        apparent.loc["brier", sides].astype(float), [0.2366087143, 0.2255963093, -0.01101240496930], rtol=1e-7
    )
    assert_allclose(apparent.loc["ipa", sides[:2]].astype(float), [0.02262904679, 0.06811851565], rtol=1e-8)
    assert_allclose(apparent.loc["auc", "difference_std_error"], 0.0346190162418, rtol=3e-3)


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


def test_the_optimism_of_one_resample_by_hand():
    """The resample is drawn again from the seed; both models are fitted to it, and measured there and in all rows."""
    added = of_lung(n_bootstrap=1, seed=7).performance.set_index("measure")
    stream = np.random.SeedSequence(7).spawn(1)[0]
    drawn = np.random.default_rng(stream).integers(0, len(LUNG), size=(1, len(LUNG)))[0]
    ordered = LUNG.sort_values(["os_days", "os_event", "ecog", "sex", "age"], kind="stable", ignore_index=True)
    sample = ordered.iloc[np.sort(drawn)]
    gains = []
    for formula in ("age + sex", "age + sex + ecog"):
        fit = fit_cox(sample, SURVIVAL, formula, engine="kernel")
        score = sum(fit.coef[index] * ordered[name] for index, name in enumerate(fit.terms))
        inside = sample.assign(score=score.iloc[np.sort(drawn)].to_numpy())
        gains.append(
            concordance(inside, SURVIVAL, "score").concordance
            - concordance(ordered.assign(score=score), SURVIVAL, "score").concordance
        )
    row = added.loc["concordance"]
    assert_allclose(row[["without_marker_optimism", "with_marker_optimism"]].astype(float), gains, rtol=1e-9)
    assert_allclose(row["difference_optimism"], gains[1] - gains[0], atol=1e-12)
    assert_allclose(row["with_marker"], row["with_marker_apparent"] - gains[1])
    half = 1.959963984540054 * row["with_marker_std_error"]
    assert_allclose([row["with_marker_conf_low"], row["with_marker_conf_high"]], row["with_marker"] + [-half, half])


def test_order_of_rows_and_workers_change_nothing():
    first = of_lung(n_bootstrap=12)
    shuffled = added_value(
        LUNG.sample(frac=1, random_state=3), SURVIVAL, ["age", "sex"], "ecog", times=[365], n_bootstrap=12, seed=1
    )
    pd.testing.assert_frame_equal(first.performance, shuffled.performance)
    with parallel_config("threading", n_jobs=2):
        pd.testing.assert_frame_equal(first.net_benefit, of_lung(n_bootstrap=12).net_benefit)


@pytest.fixture(scope="module")
def noise() -> pd.DataFrame:
    """A marker that has nothing to do with the outcome."""
    rng = np.random.default_rng(5)
    time = rng.exponential(10, 150)
    frame = pd.DataFrame({"time": np.minimum(time, 12), "event": (time < 12).astype(int), "age": rng.normal(size=150)})
    return frame.assign(marker=rng.normal(size=150))


def test_a_searched_cut_is_searched_again_and_corrected_more(noise):
    endpoint = Endpoint("time", "event")
    options = {"times": 8, "n_bootstrap": 60, "seed": 1}
    plain, searched = (
        added_value(noise, endpoint, "age", "marker", search_cut=search, **options) for search in (False, True)
    )
    assert np.isnan(plain.cut)
    found = search_cutpoint(noise, endpoint, "marker", n_permutations=99, n_bootstrap=0, seed=1)
    assert searched.cut == found.cut
    optimism = [
        one.performance.set_index("measure").loc["concordance", "difference_optimism"] for one in (plain, searched)
    ]
    assert optimism[1] > optimism[0] > 0
    assert "marker above the searched cut" in searched.with_marker.terms


def test_net_benefit_of_treating_all_and_none(noise):
    added = added_value(
        noise, Endpoint("time", "event"), "age", "marker", times=8, n_bootstrap=0, seed=1, thresholds=[0.5, 0.2]
    )
    table = added.net_benefit.set_index(["strategy", "threshold"])["net_benefit"]
    risk = 1 - survival_at(kaplan_meier(noise, Endpoint("time", "event")), 8)["survival"].iloc[0]
    assert_allclose(table["treat all"].loc[[0.2, 0.5]], [risk - (1 - risk) * 0.25, risk - (1 - risk)])
    assert (table["treat none"] == 0).all()
    # at 0.2 below every risk the models treat all
    assert_allclose(table["without_marker", 0.2], table["treat all", 0.2])


def test_strata_have_censoring_and_baselines_of_their_own():
    added = added_value(LUNG, SURVIVAL, ["age"], "ecog", times=[180, 365], n_bootstrap=0, seed=1, strata="sex")
    assert added.without_marker.model.strata == ("sex",)
    by_sex = survival_at(kaplan_meier(LUNG, SURVIVAL, by="sex"), 365)["survival"].to_numpy()
    share = np.average(1 - by_sex, weights=LUNG["sex"].value_counts().sort_index())
    row = added.performance.query("measure == 'observed_over_expected' and time == 365").iloc[0]
    expected = added.risks.query("model == 'without_marker' and time == 365")["risk"].mean()
    assert_allclose(row["without_marker"], share / expected)


def test_rows_are_accounted_for():
    with pytest.warns(RowsDropped, match="1 of 228 rows"):
        added = added_value(load_example("lung"), SURVIVAL, "age + sex", "ecog", times=365, n_bootstrap=0, seed=1)
    assert (added.n_read, added.n_used, added.dropped) == (228, 227, {"missing ecog": 1})
    assert added.risks["row"].nunique() == 227
    assert added.risks["row"].max() == 227


def test_resamples_without_a_model_are_counted():
    """One patient alone has the third level: a resample without that patient cannot say anything of it."""
    cohort = LUNG.assign(group=["rare", *(["a", "b"] * 113)])
    with pytest.warns(FailedDraws, match=r"of 30 resamples have no model"):
        added = added_value(cohort, SURVIVAL, "group", "age", times=365, n_bootstrap=30, seed=1)
    assert 3 < added.n_failed < 15
    assert added.performance["with_marker_optimism"].notna().all()


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NotEstimable, match="no event by 1; look later"):
        of_lung(times=[1, 365])
    with pytest.raises(NotEstimable, match="nobody is followed beyond 2000; look earlier"):
        of_lung(times=2000)
    with pytest.raises(InputError, match=r"n_bootstrap=-1[\s\S]*conf_level"):
        of_lung(n_bootstrap=-1, conf_level=95)
    with pytest.raises(InputError, match="thresholds=2 must be risks between 0 and 1"):
        of_lung(thresholds=2)
    with pytest.raises(InputError, match="base: 'ecog' holds the marker itself"):
        added_value(LUNG, SURVIVAL, ["age", "ecog"], "ecog", times=365, seed=1)
    with pytest.raises(InputError, match="is no column; a cut is searched in one"):
        added_value(LUNG, SURVIVAL, "age", "log(ecog + 1)", times=365, seed=1, search_cut=True)
    with pytest.raises(CohortError, match="no column 'mg'"):
        added_value(LUNG, SURVIVAL, "age", "mg", times=365, seed=1)
    late = Endpoint("os_days", "os_event", entry="age")
    with pytest.raises(NotSupported, match="entry times"):
        added_value(LUNG, late, "sex", "ecog", times=365, seed=1)
    apart = LUNG.assign(split=(LUNG["os_event"] == 1) * 1.0)
    with pytest.raises(NotEstimable, match="no finite estimate"):
        added_value(apart, SURVIVAL, "age", "split", times=365, n_bootstrap=0, seed=1)
