"""Predicted survival: equal to R's survfit of a Cox model for new rows, by hand, and the same alone as among others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    BeyondFollowUp,
    CohortError,
    CompetingEndpoint,
    Endpoint,
    InputError,
    NotEstimable,
    NotSupported,
    baseline_hazard,
    fit_cox,
    fit_fine_gray,
    load_example,
    predict_quantile,
    predict_survival,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")
PATIENTS = pd.DataFrame({"age": [50, 65, 72], "sex": [1, 2, 1], "ecog": [0, 1, 2]})
COLUMNS = ["survival", "std_error", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def lung() -> pd.DataFrame:
    """R's lung data, with pairs of rows as clusters and a whole-number weight."""
    cohort = load_example("lung")
    return cohort.assign(pair=(np.arange(len(cohort)) + 1) // 2, weight=np.where(cohort["age"] > 60, 2, 1))


# summary(survfit(coxph(Surv(time, status) ~ age + sex + ph.ecog, lung, ...), newdata =, conf.type = "log-log"),
#         times = c(100, 365))
R = {
    "efron": (
        {},
        [
            [0.913123700491, 0.0208626885688, 0.8617796943967, 0.945986902930],
            [0.541013808185, 0.0641928677352, 0.4077882818895, 0.656582325618],
            [0.906494789916, 0.0196430265248, 0.8595817449965, 0.938293000908],
            [0.515015048346, 0.0516802038555, 0.4096348656046, 0.610576663707],
            [0.745948633857, 0.0480630192334, 0.6370190232714, 0.826546344510],
            [0.137912332785, 0.0459423908436, 0.0636404337207, 0.240531807813],
        ],
        [[428, 310, 567], [387, 310, 519], [181, 147, 223]],
    ),
    "breslow": (
        {"ties": "breslow"},
        [
            [0.913199097362, 0.0208454771840, 0.8618961017137, 0.946034650671],
            [0.541279649851, 0.0641710001401, 0.4080853290293, 0.656799918822],
            [0.906615025826, 0.0196211842784, 0.8597514813739, 0.938376500853],
            [0.515439759295, 0.0516561663953, 0.4100943221907, 0.610946835519],
            [0.746611612637, 0.0479550518199, 0.6379028866514, 0.827016849533],
            [0.138713121384, 0.0460688952713, 0.0641613716737, 0.241522702271],
        ],
        [[428, 310, 567], [387, 310, 519], [181, 147, 223]],
    ),
    "robust": (
        {"cluster": "pair"},
        [
            [0.913123700491, 0.0205881616243, 0.8626085667737, 0.945645291429],
            [0.541013808185, 0.0624515054996, 0.4115426349734, 0.653737214218],
            [0.906494789916, 0.0201943109451, 0.8579944027362, 0.939014512038],
            [0.515015048346, 0.0536779074897, 0.4054436653646, 0.614017877181],
            [0.745948633857, 0.0496091542855, 0.6330222777046, 0.828716529643],
            [0.137912332785, 0.0491900932249, 0.0596397877874, 0.248555237186],
        ],
        [[428, 310, 567], [387, 310, 520], [181, 147, 226]],
    ),
}


@pytest.mark.parametrize("name", R)
def test_survival_and_median_equal_those_of_r(lung, name):
    options, expected, medians = R[name]
    fit = fit_cox(lung, SURVIVAL, ["age", "sex", "ecog"], **options)
    table = predict_survival(fit, PATIENTS, [100, 365])
    assert table["row"].tolist() == [0, 0, 1, 1, 2, 2]
    assert table["time"].tolist() == [100, 365] * 3
    assert_allclose(table[COLUMNS], expected, rtol=2e-9)
    assert_allclose(predict_quantile(fit, PATIENTS)[["time", "conf_low", "conf_high"]], medians)


def test_whole_number_weights_equal_those_of_r(lung):
    fit = fit_cox(lung, SURVIVAL, ["age", "sex"], weights="weight")
    expected = [
        [0.860879479335, 0.0244126055243, 0.804853785050, 0.901796595747],
        [0.424320363571, 0.0565778853844, 0.312605318335, 0.531524226429],
        [0.894579809806, 0.0166850544873, 0.856699198303, 0.922897067771],
        [0.528603488506, 0.0408477474935, 0.445536150129, 0.604890611118],
        [0.798409085037, 0.0265801623867, 0.740208445153, 0.844940685468],
        [0.275717656673, 0.0356176025235, 0.208428268086, 0.346971469812],
    ]
    assert_allclose(predict_survival(fit, PATIENTS, [100, 365])[COLUMNS], expected, rtol=2e-9)
    medians = predict_quantile(fit, PATIENTS)[["time", "conf_low", "conf_high"]]
    assert_allclose(medians, [[329, 270, 428], [426, 345, 477], [239, 201, 285]])


def test_each_stratum_has_its_baseline_as_in_r(lung):
    fit = fit_cox(lung, SURVIVAL, ["age", "ecog"], strata="sex")
    table = predict_survival(fit, PATIENTS[:2], [100, 365])
    assert_allclose(table["survival"], [0.906941310137, 0.542165893488, 0.922642213387, 0.521055391616], rtol=1e-9)
    assert_allclose(table["std_error"], [0.0238086100297, 0.0656738296350, 0.0281868976949, 0.0603161232798], rtol=1e-9)
    medians = predict_quantile(fit, PATIENTS[:2])[["time", "conf_low", "conf_high"]]
    assert_allclose(medians, [[428, 303, 574], [426, 340, 524]])


def test_categories_and_interactions_take_the_levels_of_the_fit(lung):
    cohort = lung[~(lung["ecog"] >= 3)].assign(
        sex=lung["sex"].map({1: "male", 2: "female"}).astype(pd.CategoricalDtype(["male", "female"])),
        ecog=lung["ecog"].map({0: "zero", 1: "one", 2: "two"}),
    )
    fit = fit_cox(cohort, SURVIVAL, "log(age) * sex + C(ecog, Treatment('zero'))")
    patients = pd.DataFrame({"age": [44, 71], "sex": ["female", "male"], "ecog": ["two", "zero"]})
    # coxph(Surv(time, status) ~ log(age) * sex + ecog), factors against male and 0
    expected = [
        [0.618327897066, 0.119994619117, 0.3462755786216, 0.804190626250],
        [0.196570561373, 0.128871611944, 0.0277652579129, 0.477896622087],
        [0.712712328746, 0.0522515046955, 0.595912314899, 0.801253528593],
        [0.317896532735, 0.0737977701207, 0.181848095092, 0.462781199653],
    ]
    assert_allclose(predict_survival(fit, patients, [200, 500])[COLUMNS], expected, rtol=1e-7)


def test_a_polynomial_keeps_the_centre_and_scale_of_the_fit(lung):
    fit = fit_cox(lung, SURVIVAL, "poly(age, 2) + sex")
    patients = pd.DataFrame({"age": [44, 71], "sex": [1, 2]})
    expected = [
        [0.692342697823, 0.0724408790033, 0.563973362890, 0.849930941370],
        [0.305234885050, 0.1020202048939, 0.158537773654, 0.587672785508],
        [0.725652662661, 0.0425836330961, 0.646811224395, 0.814104281074],
        [0.355222307301, 0.0612336152179, 0.253378152389, 0.498002240583],
    ]
    assert_allclose(predict_survival(fit, patients, [200, 500], conf_type="log")[COLUMNS], expected, rtol=1e-7)


def test_late_entry_equals_that_of_r():
    heart = load_example("stanford_heart_transplants")
    endpoint = Endpoint("exit_days", "death_event", entry="entry_days")
    names = ["age_minus_48", "year_since_start", "earlier_surgery"]
    fit = fit_cox(heart, endpoint, names)
    patients = pd.DataFrame({"age_minus_48": [-10, 5], "year_since_start": [1, 4], "earlier_surgery": [1, 0]})
    expected = [
        [0.855112225109, 0.062136392129, 0.677860363002, 0.938933736221],
        [0.512317436742, 0.146646821785, 0.212797805228, 0.748961069651],
        [0.750834172983, 0.0523357113514, 0.630270371071, 0.837020951382],
        [0.293905447100, 0.0664591391562, 0.172300161265, 0.426285325060],
    ]
    assert_allclose(predict_survival(fit, patients, [30, 300])[COLUMNS], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "formula", ["center(age)", "scale(age) + sex", "bs(age, df=4)", "cr(age, df=3) + sex", "C(sex) * I(age / 10)"]
)
def test_a_row_alone_is_predicted_as_among_others(lung, formula):
    fit = fit_cox(lung, SURVIVAL, formula)
    together = predict_survival(fit, lung, [100, 365])
    alone = predict_survival(fit, lung.iloc[[17]], [100, 365])
    pd.testing.assert_frame_equal(alone[COLUMNS], together.loc[together["row"] == 17, COLUMNS].reset_index(drop=True))


def test_rows_of_the_fit_are_on_its_baseline_hazard(lung):
    fit = fit_cox(lung, SURVIVAL, "cr(age, df=3) + sex")
    hazard = baseline_hazard(fit)
    step = np.searchsorted(hazard["time"], 365, side="right") - 1
    expected = np.exp(-hazard["cumulative_hazard"].iloc[step] * np.exp(fit.linear_predictor))
    assert_allclose(predict_survival(fit, lung, 365)["survival"], expected, rtol=1e-10)


def test_survival_is_one_before_the_first_event_and_undefined_past_the_last_time(lung):
    fit = fit_cox(lung, SURVIVAL, ["age"])
    with pytest.warns(BeyondFollowUp, match=r"survival at 1, 2000: stratum all ends at 1022"):
        table = predict_survival(fit, PATIENTS[:1], [1, 2000])
    assert table.iloc[0][COLUMNS].tolist() == [1, 0, 1, 1]
    assert table.iloc[1][COLUMNS].isna().all()


def test_the_covariance_of_the_coefficients_is_in_the_error():
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    ratio, variance = np.exp(fit.coef[0]), fit.covariance[0, 0]
    at_risk = 2 + 2 * ratio  # at the first event
    step, mean = 1 / at_risk, 2 * ratio / at_risk
    survival = np.exp(-step)
    expected = survival * np.sqrt(step**2 + (step * (0 - mean)) ** 2 * variance)
    table = predict_survival(fit, pd.DataFrame({"x": [0.0]}), 1)
    assert_allclose(table[["survival", "std_error"]].iloc[0], [survival, expected])


def test_faults_of_the_rows_are_all_named(lung):
    fit = fit_cox(lung.assign(sex=lung["sex"].map({1: "m", 2: "f"})), SURVIVAL, "age + sex")
    with pytest.raises(CohortError, match=r"no column 'sex'"):
        predict_survival(fit, pd.DataFrame({"age": [50]}), 365)
    with pytest.raises(CohortError, match=r"column 'age': missing in 1 row \(2\)"):
        predict_survival(fit, pd.DataFrame({"age": [50, np.nan], "sex": ["m", "f"]}), 365)
    with pytest.raises(
        CohortError, match=r"column 'sex': no row of the model has 'x', 1 row \(1\).*levels are 'f', 'm'"
    ):
        predict_survival(fit, pd.DataFrame({"age": [50, 60], "sex": ["x", "f"]}), 365)
    with pytest.raises(CohortError, match=r"column 'sex': the model has text there, these rows numbers"):
        predict_survival(fit, pd.DataFrame({"age": [50, 60], "sex": [1, 2]}), 365)
    listed = fit_cox(lung, SURVIVAL, ["age", "sex"])
    with pytest.raises(CohortError, match=r"column 'sex': the model has numbers there, these rows text"):
        predict_survival(listed, pd.DataFrame({"age": [50], "sex": ["m"]}), 365)


def test_a_number_taken_as_a_category_has_the_levels_of_the_fit(lung):
    fit = fit_cox(lung, SURVIVAL, "C(ecog)")
    with pytest.raises(InputError, match=r"names the level '4', which no row holds; levels: '0', '1', '2', '3'"):
        predict_survival(fit, pd.DataFrame({"ecog": [4, 1]}), 365)
    alone = predict_survival(fit, pd.DataFrame({"ecog": [2]}), 365)
    assert alone["survival"].iloc[0] == predict_survival(fit, pd.DataFrame({"ecog": [1, 2]}), 365)["survival"].iloc[1]


def test_a_stratum_without_a_baseline_is_named(lung):
    fit = fit_cox(lung, SURVIVAL, ["age"], strata="sex")
    with pytest.raises(CohortError, match=r"no baseline for '3', 1 row \(2\); it has those of '1', '2'"):
        predict_survival(fit, pd.DataFrame({"age": [50, 60], "sex": [1, 3]}), 365)
    with pytest.raises(CohortError, match=r"column 'sex': missing in 1 row"):
        predict_survival(fit, pd.DataFrame({"age": [50, 60], "sex": [1, np.nan]}), 365)


def test_what_cannot_be_predicted_is_refused(lung):
    fit = fit_cox(lung, SURVIVAL, ["age"])
    with pytest.raises(NotEstimable, match=r"the hazard overflows in 1 row \(2\)"):
        predict_survival(fit, pd.DataFrame({"age": [50, 1e6]}), 365)
    with pytest.raises(InputError, match="conf_type"):
        predict_survival(fit, PATIENTS, 365, conf_type="logit")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"probability=2 must lie between 0 and 1"):
        predict_quantile(fit, PATIENTS, 2)
    separated = pd.DataFrame({"t": [1.0, 2, 3, 4, 5, 6], "e": [1, 1, 1, 0, 0, 0], "x": [1, 1, 1, 0, 0, 0]})
    with pytest.raises(NotEstimable, match="prediction: the coefficients of 'x' are not finite"):
        predict_survival(fit_cox(separated, Endpoint("t", "e"), ["x"]), separated, 2)
    causes = pd.DataFrame({"t": [1.0, 2, 3, 4, 5, 6], "e": [1, 2, 1, 0, 1, 0], "x": [1, 0, 0, 1, 1, 0]})
    endpoint = CompetingEndpoint("t", "e", causes={1: "relapse", 2: "death"})
    with pytest.raises(NotSupported, match="subdistribution"):
        predict_survival(fit_fine_gray(causes, endpoint, ["x"], cause="relapse"), causes, 2)
