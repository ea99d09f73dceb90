"""Adjusted curves: against R, by hand, by properties, and by recovery of a known truth."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    OVERALL_SURVIVAL,
    BeyondFollowUp,
    CohortDesign,
    Endpoint,
    ExtremeWeights,
    FailedDraws,
    InputError,
    NoOverlap,
    NotEstimable,
    RowsDropped,
    adjusted_curves,
    adjusted_restricted_mean,
    adjusted_survival_difference,
    balance_weights,
    clinical_cutpoints,
    kaplan_meier,
    load_cohort,
    plot_adjusted,
    plot_survival,
    simulate_cohort,
    stratify,
    survival_at,
    survival_difference,
    survival_quantile,
)
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic.design import ADJUSTMENT
from analysis.study.synthetic_data.write import read_truth
from tests.robustness.confounding.test_weights import lung

OS = Endpoint("time", "event")
quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
STANDARDISED = {
    "0": [0.903980198953272, 0.651916794677184, 0.431390232214323],
    "1": [0.871388314323189, 0.561004215773242, 0.321024152388482],
    "2": [0.752710623360533, 0.317198276263406, 0.104234084298752],
}
OWN_BASELINES = {
    "0": [0.87533331566783, 0.721968565092789],
    "1": [0.899907901550383, 0.534692280872031],
    "2": [0.743016139370933, 0.310076901549569],
}
WEIGHTED = {
    "0": [0.790593679442515, 0.638507217604989, 0.280560100987072],
    "1": [0.900314146840999, 0.551966896948608, 0.30250378459303],
    "2": [0.787828293032587, 0.165257424381402, 0.0918309341645639],
}


def cohort_of(n=240, seed=1, effect=0.0):
    """Two arms that differ in a covariate; the arm itself acts on the hazard by `effect`."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    treated = rng.random(n) < 1 / (1 + np.exp(-x))
    time = np.round(rng.exponential(10 * np.exp(-0.8 * x - effect * treated)), 2) + 0.01
    end = np.round(rng.uniform(4, 30, n), 2)
    return pd.DataFrame(
        {
            "time": np.minimum(time, end),
            "event": (time <= end) * 1,
            "x": x,
            "site": rng.integers(0, 2, n),
            "arm": np.where(treated, "treated", "control"),
        }
    )


def at(curves, times):
    """Survival of each stratum at the times."""
    table = survival_at(curves, times)
    return {str(label): part["survival"].to_numpy() for label, part in table.groupby("stratum", observed=True)}


@quiet
@pytest.mark.parametrize(
    ("options", "covariates", "expected", "rtol"),
    [
        ({"strata": "sex"}, ["age", "wt_loss"], STANDARDISED, 1e-8),
        ({"strata": ["g"]}, ["age", "wt_loss"], OWN_BASELINES, 1e-8),
        ({"method": "weighting"}, ["age", "wt_loss", "sex"], WEIGHTED, 2e-5),
        ({"method": "weighting", "strata": "sex"}, ["age", "wt_loss"], WEIGHTED, 2e-5),
    ],
    ids=["standardised", "own baselines", "weighted", "weighted, strata"],
)
def test_curves_are_those_of_r(options, covariates, expected, rtol):
    """R 4.2.2, survival 3.5: means of survfit(coxph(..., ties = "efron"), newdata), and survfit(weights)."""
    found = adjusted_curves(lung(), OS, covariates, by="g", n_bootstrap=0, seed=1, **options)
    times = [100, 300, 500][: len(expected["0"])]
    for label, values in at(found.curves, times).items():
        assert_allclose(values, expected[label], rtol=rtol)
    assert found.curves["std_error"].isna().all()


def test_the_gformula_by_hand():
    """One covariate that does nothing: the coefficients are those of the arm alone, everybody has one prediction."""
    rows = [(1, 1, "a"), (2, 1, "b"), (3, 1, "a"), (4, 1, "b")] * 1
    cohort = pd.DataFrame(rows, columns=["time", "event", "arm"]).assign(x=[0.0, 1.0, 1.0, 0.0])
    with warnings.catch_warnings(action="ignore"):
        from analysis import baseline_hazard, fit_cox

        fit = fit_cox(cohort, OS, "arm + x")
        hazard = baseline_hazard(fit)["cumulative_hazard"].to_numpy()
        found = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=0, seed=1)
    arm, x = fit.coefficients.set_index("term").loc[["arm[b]", "x"], "coef"]
    for code, effect in enumerate((0.0, arm)):
        mean = np.mean([np.exp(-hazard * np.exp(effect + x * value)) for value in cohort["x"]], axis=0)
        assert_allclose(found.survival[code, 1:], mean, rtol=1e-7)


@quiet
def test_the_weighted_curve_is_kaplan_meiers_with_those_weights():
    cohort = cohort_of()
    weights = balance_weights(cohort, ["x"], by="arm")
    found = adjusted_curves(cohort, OS, ["x"], by="arm", method="weighting", n_bootstrap=0, seed=1)
    curve = kaplan_meier(cohort.assign(w=weights.weights), OS, by="arm", weights="w")
    times = [1.0, 5.0, 12.0, 20.0]
    for label, values in at(found.curves, times).items():
        assert_allclose(values, at(curve, times)[label], rtol=1e-10)
    assert_allclose(found.weights.weights, weights.weights)


@quiet
@pytest.mark.parametrize("method", ["standardisation", "weighting"])
def test_counts_are_those_of_the_rows_as_they_are(method):
    cohort = cohort_of().assign(entry=0.0)
    found = adjusted_curves(cohort, OS, ["x"], by="arm", method=method, n_bootstrap=0, seed=1)
    for label, rows in found.curves.groupby("stratum", observed=True):
        mine = cohort[cohort["arm"] == label]
        assert rows["n_event"].sum() == mine["event"].sum()
        assert rows["n_risk"].iloc[0] == len(mine)
        at_risk = [(mine["time"] >= time).sum() for time in rows["time"].iloc[1:]]
        assert rows["n_risk"].iloc[1:].tolist() == at_risk
        assert rows["time"].iloc[-1] <= mine["time"].max()
        assert rows["survival"].is_monotonic_decreasing


@quiet
def test_late_entry_is_respected():
    """An entry before anybody's event changes nothing; a later one does."""
    cohort = cohort_of(100)
    late = Endpoint("time", "event", entry="entry")
    plain = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=20, seed=1)
    same = adjusted_curves(cohort.assign(entry=0.0), late, ["x"], by="arm", n_bootstrap=20, seed=1)
    assert_allclose(same.draws, plain.draws, rtol=1e-9)
    other = adjusted_curves(cohort.assign(entry=cohort["time"] / 2), late, ["x"], by="arm", n_bootstrap=20, seed=1)
    assert not np.allclose(other.survival, plain.survival)


@quiet
def test_a_numeric_group_is_a_group():
    cohort = cohort_of(100).assign(arm=lambda frame: (frame["arm"] == "treated") * 1)
    assert adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=0, seed=1).labels == ("0", "1")


@quiet
def test_adjustment_takes_the_confounding_away():
    """No effect of the arm, strong confounding: crude curves differ, adjusted ones do not."""
    cohort = cohort_of(1500, seed=2)
    crude = survival_difference(kaplan_meier(cohort, OS, by="arm"), 10)
    assert crude["conf_high"].iloc[0] < -0.05
    for method in ("standardisation", "weighting"):
        found = adjusted_curves(cohort, OS, ["x"], by="arm", method=method, n_bootstrap=100, seed=1)
        difference = adjusted_survival_difference(found, 10)["statistic"].iloc[0]
        mean = adjusted_restricted_mean(found, 15).differences["statistic"].iloc[0]
        assert max(abs(difference), abs(mean)) < 3.5  # standard errors; the crude one is beyond 5
    assert crude["statistic"].iloc[0] < -5


@quiet
def test_the_planted_world_is_recovered():
    """A large cohort without missing magnesium: standardised curves within 0.025 of the million's, crude ones not."""
    cohort = simulate_cohort(CohortDesign(missing_share=0.0).of_size(6000), seed=11).cohort
    cohort = stratify(cohort, clinical_cutpoints("nhanes-1"), marker="magnesium")
    truth = read_truth(synthetic_folder() / "truth.json").curves
    truth = truth[(truth["endpoint"] == "Overall survival") & truth["time"].isin([12, 24])]
    found = adjusted_curves(
        cohort, OVERALL_SURVIVAL, ADJUSTMENT, by="stratum", strata="treatment", n_bootstrap=0, seed=1
    )
    for label, values in at(found.curves, [12, 24]).items():
        mine = truth[truth["stratum"] == label]
        assert_allclose(values, mine["standardised_survival"], atol=0.015 if label == "reference" else 0.04)
        if label != "reference":
            assert (abs(values - mine["survival"]) > 0.05).all()


@quiet
def test_rows_asked_for_and_the_same_curve():
    cohort = cohort_of(120)
    every = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=30, seed=1)
    some = adjusted_curves(cohort, OS, ["x"], by="arm", times=[3, 6], n_bootstrap=30, seed=1)
    assert some.curves["time"].tolist() == [0, 3, 6] * 2
    wanted = survival_at(every.curves, [3, 6])[["survival", "conf_low", "conf_high"]]
    assert_allclose(some.curves[some.curves["time"] > 0][["survival", "conf_low", "conf_high"]], wanted)
    assert_allclose(adjusted_restricted_mean(some, 6).means["restricted_mean"],
                    adjusted_restricted_mean(every, 6).means["restricted_mean"], rtol=1e-12)  # fmt: skip


TWENTY = pd.DataFrame({"time": range(1, 21), "event": 1, "arm": ["a", "b"] * 10, "age": [60, 60, 70, 70] * 5})


@quiet
def test_curves_at_chosen_times_are_not_read_between_them():
    """R 4.2.2: rowMeans(survfit(coxph(Surv(t, e) ~ arm + age), newdata = transform(m, arm = a))$surv)."""
    few = adjusted_curves(TWENTY, OS, ["age"], by="arm", times=[5, 10], n_bootstrap=0, seed=1).curves
    assert survival_at(few, [10, 5])["survival"].round(6).tolist() == [0.473232, 0.730351, 0.553432, 0.780436]
    with pytest.raises(InputError, match=r"no row at 9, 7, only at chosen times.*leave times out"):
        survival_at(few, [5, 9, 7])
    with pytest.raises(InputError, match="no row at 12, only at chosen times"):
        survival_at(few, [12], extend=True)
    with pytest.raises(InputError, match=r"rows stand at chosen times only.*leave times out"):
        survival_quantile(few, 0.4)
    for draw in (plot_survival, lambda curves: plot_adjusted(curves, kaplan_meier(TWENTY, OS, by="arm"))):
        with pytest.raises(InputError, match="rows stand at chosen times only"):
            draw(few)


@quiet
def test_curves_at_every_event_time_are_read_anywhere():
    """R as above."""
    every = adjusted_curves(TWENTY, OS, ["age"], by="arm", n_bootstrap=0, seed=1).curves
    assert survival_at(every, [9.5])["survival"].round(6).tolist() == [0.523838, 0.599896]
    assert survival_quantile(every, 0.4)["time"].tolist() == [8, 9]
    assert set(every["rows_at"]) == {"event times"}


@quiet
def test_a_time_that_differs_from_the_end_by_rounding_has_its_row():
    rows = TWENTY.assign(time=TWENTY["time"] / 10, event=[*[1] * 18, 0, 0])
    found = adjusted_curves(rows, OS, ["age"], by="arm", times=[np.nextafter(1.9, 2)], n_bootstrap=0, seed=1)
    assert found.curves["time"].round(9).tolist() == [0, 1.9] * 2
    assert not any(isinstance(one, BeyondFollowUp) for one in found.warnings)


def test_times_beyond_the_follow_up_are_a_warning():
    cohort = cohort_of(200)
    with pytest.warns(BeyondFollowUp, match="times up to 90: stratum 'control' ends at"):
        adjusted_curves(cohort, OS, ["x"], by="arm", times=[5, 90], n_bootstrap=0, seed=1)


def no_events(cohort):
    return cohort.assign(event=cohort["event"] * (cohort["arm"] == "control"))


@quiet
@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (None, {"method": "weights"}, InputError, "method='weights'; choose 'standardisation' or 'weighting'"),
        (None, {"n_bootstrap": -1}, InputError, "n_bootstrap=-1 must be a whole number of at least 0"),
        (None, {"n_bootstrap": 5}, InputError, "n_bootstrap=5: 0 for no intervals, else at least 20"),
        (None, {"seed": None}, InputError, "seed=None must be a whole number"),
        (None, {"conf_level": 95}, InputError, "did you mean 0.95"),
        (None, {"truncate": 0.01}, InputError, "truncate belongs to method='weighting'"),
        (None, {"method": "weighting", "strata": "arm"}, InputError, "'arm' is what is compared"),
        (None, {"strata": "x"}, InputError, "covariates: 'x' is among the strata too"),
        (None, {"by": "event"}, InputError, "by='event' is the event of the endpoint itself"),
        (None, {"times": [-1.0]}, InputError, "must be finite and not negative"),
        (no_events, {}, NotEstimable, "no events in 'treated'"),
        (lambda frame: frame.assign(event=0), {}, NotEstimable, "no events in 'control', 'treated'"),
        (lambda frame: frame.assign(arm="one"), {}, NotEstimable, "need at least 2 groups"),
        (lambda frame: frame.assign(x=1.0), {}, NotEstimable, "'x'"),
        (
            lambda frame: frame.assign(x=np.where(frame["arm"] == "treated", 1.0, 0.0)),
            {"method": "weighting"},
            NotEstimable,
            "tell the strata of 'arm'",
        ),
    ],
)  # fmt: skip
def test_invalid_arguments_raise(change, options, error, message):
    cohort = cohort_of(60)
    if change is not None:
        cohort = change(cohort)
    given = {"by": "arm", "n_bootstrap": 20, "seed": 1, **options}
    with pytest.raises(error, match=message):
        adjusted_curves(cohort, OS, ["x"], **given)


@quiet
def test_a_separated_outcome_model_is_refused():
    cohort = cohort_of(60).assign(rare=0.0)
    cohort.loc[cohort.index[cohort["event"] == 0][:4], "rare"] = 1.0
    with pytest.raises(NotEstimable, match="the outcome model has no finite estimate"):
        adjusted_curves(cohort, OS, ["x", "rare"], by="arm", n_bootstrap=20, seed=1)


@quiet
def test_a_baseline_without_rows_is_refused():
    cohort = cohort_of(60).assign(site=lambda frame: np.where(frame["arm"] == "treated", "one", "two"))
    with pytest.raises(NotEstimable, match="no row to make a baseline of: 'control' within 'one'"):
        adjusted_curves(cohort, OS, ["x"], by="arm", strata=["site", "arm"], n_bootstrap=0, seed=1)


def test_failed_draws_are_counted_with_a_warning():
    """Two events in the smaller arm: resamples without any have no model."""
    cohort = cohort_of(80)
    treated = cohort.index[cohort["arm"] == "treated"]
    cohort.loc[treated, "event"] = 0
    cohort.loc[treated[:2], "event"] = 1
    with pytest.warns(FailedDraws, match="of 100 resamples had no adjusted curves"):
        found = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=100, seed=1)
    assert found.n_failed == 100 - len(found.draws) > 5
    assert any(isinstance(one, FailedDraws) for one in found.warnings)


def test_missing_values_are_counted():
    cohort = cohort_of(80)
    cohort.loc[[1, 2], "x"] = np.nan
    cohort.loc[3, "arm"] = None
    with pytest.warns(RowsDropped, match="3 of 80 rows dropped: 1 for missing arm, 2 for missing x"):
        found = adjusted_curves(cohort, OS, ["x"], by="arm", n_bootstrap=0, seed=1)
    assert (found.n_read, found.n_used, found.dropped) == (80, 77, {"missing arm": 1, "missing x": 2})


def test_weights_that_explode_and_strata_without_overlap_are_warnings():
    cohort = load_cohort().dropna(subset=["magnesium"])
    cohort = cohort.assign(stratum=np.digitize(cohort["magnesium"], [0.75, 0.95]))
    given = {"by": "stratum", "method": "weighting", "strata": "treatment", "n_bootstrap": 0, "seed": 1}
    with (
        pytest.warns(ExtremeWeights, match="of '2': effective sample size .* of 26"),
        pytest.warns(NoOverlap, match="'2'"),
    ):
        adjusted_curves(cohort, OVERALL_SURVIVAL, ADJUSTMENT, **given)
