"""Worlds of the benches: targets are those that other code finds, and known consequences of each design."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import ADJUSTMENT, OVERALL_SURVIVAL, CohortDesign, dose_response, fit_cox, simulate_cohort
from analysis.cohort.synthetic.simulation import cohort_frame, simulate_patients
from analysis.truth.bench import confounding, missing_and_mismeasured, time_varying, worlds
from analysis.truth.bench.scoring import BenchWorld
from analysis.truth.bench.worlds import CUT_EFFECT, CUT_POINT, SLOPE, cutpoint_world
from analysis.truth.estimands import true_cutpoint_effects, true_estimands

PLANTED = CohortDesign(missing_share=0.0)
N, SEED = 20_000, 5


@pytest.fixture(scope="module")
def truth():
    return true_estimands(PLANTED, n=N, seed=SEED)


def target(world, estimand, at=np.nan):
    return world.targets[estimand](at)


def ratio(truth, name):
    found = truth.log_hazard_ratios[truth.log_hazard_ratios["endpoint"] == OVERALL_SURVIVAL.name]
    return found.set_index("target")["log_hazard_ratio"][name]


def test_targets_of_a_marker_are_those_of_the_true_estimands(truth):
    world = worlds.marker_world("planted", PLANTED, n_population=N, seed=SEED)
    assert_allclose(target(world, SLOPE), -ratio(truth, "crude, measured magnesium"), rtol=1e-6)
    adjusted = {
        worlds.ADJUSTED_SLOPE: -ratio(truth, "conditional, measured magnesium"),
        worlds.ADJUSTED_CUT: ratio(truth, "at or above 0.75 against below, adjusted"),
    }
    for estimand, expected in adjusted.items():
        assert_allclose(target(world, estimand), expected, rtol=1e-6)
    assert_allclose(target(world, CUT_EFFECT, 0.74), ratio(truth, "at or above 0.75 against below, crude"), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
def test_the_curves_target_is_the_dose_response_of_the_large_cohort():
    design = PLANTED.of_size(3000)
    world = worlds.marker_world("planted", design, n_population=3000, seed=SEED)
    curve = dose_response(
        simulate_cohort(design, seed=SEED).cohort, OVERALL_SURVIVAL, "magnesium", at=[0.85], reference=0.70
    ).curve
    assert_allclose(target(world, worlds.CURVE), curve["log_hazard_ratio"].iloc[0], rtol=1e-5)


def test_every_target_is_zero_where_magnesium_is_related_to_nothing():
    world = worlds.marker_world("none", replace(PLANTED, world="independent"), n_population=500, seed=1)
    assert {estimand: find(0.8) for estimand, find in world.targets.items()} == dict.fromkeys(world.targets, 0.0)


def test_targets_of_strata_are_the_standardised_curves(truth):
    world = confounding.confounded_world("planted", PLANTED, n_population=N, seed=SEED)
    curves = truth.curves[truth.curves["endpoint"] == OVERALL_SURVIVAL.name].set_index(["stratum", "time"])
    for label in ("low", "reference", "high"):
        expected = curves.loc[(label, 24), "standardised_survival"]
        assert_allclose(target(world, confounding.survival_of(label)), expected, rtol=1e-9)
    means = truth.restricted_means[truth.restricted_means["endpoint"] == OVERALL_SURVIVAL.name]
    months = means.set_index(["stratum", "horizon"])["standardised_restricted_mean"]
    assert_allclose(target(world, confounding.GAINED), months["reference", 24] - months["low", 24], rtol=1e-9)


def test_true_magnesium_has_a_slope_of_its_own(truth):
    world = missing_and_mismeasured.error_world("error", PLANTED, n_population=N, seed=SEED)
    expected = -ratio(truth, "conditional, true magnesium")
    assert_allclose(target(world, missing_and_mismeasured.TRUE_SLOPE), expected, rtol=1e-6)


def test_a_cohort_with_missing_values_knows_what_they_were():
    design = CohortDesign(missing_share=0.3)
    cohort = missing_and_mismeasured.missing_world("missing", design, n_population=500, seed=1).draw(3)
    known = cohort["magnesium"].notna()
    assert 0.2 < 1 - known.mean() < 0.45
    assert (cohort.loc[known, "magnesium"] == cohort.loc[known, missing_and_mismeasured.MEASURED]).all()
    assert cohort[missing_and_mismeasured.MEASURED].notna().all()


def test_effects_of_moving_magnesium_are_those_of_start_stop_rows():
    design = replace(PLANTED, world="moving", measurement_error=0.0).of_size(3000)
    targets = time_varying.moving_world("moving", design, n_population=3000, seed=SEED).targets
    data = time_varying.draw_moving(design, SEED)
    for method in (time_varying.low_now, time_varying.low_at_zero, time_varying.low_at_landmark):
        (answer,) = method(data, 0)
        assert_allclose(answer.estimate, targets[answer.estimand](np.nan), rtol=1e-6)


def test_only_the_value_at_the_time_knows_the_effect_of_the_time():
    world = replace(PLANTED, world="moving", measurement_error=0.0)
    targets = time_varying.moving_world("moving", world, n_population=N, seed=SEED).targets
    now, at_landmark = (targets[name](np.nan) for name in (time_varying.NOW, time_varying.AT_LANDMARK))
    assert 0 < at_landmark < now


def test_ever_low_protects_where_magnesium_does_nothing():
    still = replace(
        PLANTED, world="moving", measurement_error=0.0, hazard_ratio_death=1.0, hazard_ratio_progression=1.0
    )
    world = time_varying.moving_world("still", still.of_size(4000), n_population=10, seed=1)
    data = world.draw(1)
    (wrong,), (right,) = time_varying.ever_low(data, 0), time_varying.low_now(data, 0)
    assert target(world, wrong.estimand) == target(world, right.estimand) == 0
    assert wrong.conf_high < -0.3
    assert right.conf_low < 0 < right.conf_high


def test_the_complete_cohorts_slope_is_that_of_a_plain_model():
    cohort = missing_and_mismeasured.draw_whole(CohortDesign(missing_share=0.2), 4)
    _, crude, adjusted = missing_and_mismeasured.all_known(cohort, 0)
    whole = cohort.assign(tenths=cohort[missing_and_mismeasured.MEASURED] / 0.1)
    for answer, terms, strata in ((crude, ["tenths"], None), (adjusted, ["tenths", *ADJUSTMENT], "treatment")):
        row = fit_cox(whole, OVERALL_SURVIVAL, " + ".join(terms), strata=strata).coefficients.iloc[0]
        assert_allclose(answer.estimate, row["coef"], rtol=1e-6)
        assert_allclose(answer.conf_high - answer.estimate, 1.959964 * row["std_error"], rtol=1e-6)


def test_the_adjusted_slope_of_the_null_world_is_zero_and_a_large_cohort_agrees():
    design = replace(PLANTED, world="null")
    patients = simulate_patients(design.of_size(100_000), seed=2)
    population = cohort_frame(patients, patients.measured)
    assert worlds.adjusted_slope(design, population, patients.measured) == 0
    slope, std_error = worlds.adjusted_effect(population, patients.measured / 0.1)
    assert abs(slope) < 4 * std_error < 0.03


def test_the_targets_are_those_of_cox_models_in_the_same_large_cohort():
    design = CohortDesign().of_size(200)
    world = cutpoint_world("planted", design, n_population=20_000, seed=5)
    expected = true_cutpoint_effects(design, [0.71, 0.81], n=20_000, seed=5)  # at or above: the next 0.01
    expected = expected[expected["endpoint"] == "Overall survival"]["log_hazard_ratio"]
    assert_allclose([world.targets[CUT_EFFECT](cut) for cut in (0.70, 0.80)], expected, rtol=1e-6)
    assert world.targets[SLOPE](np.nan) < 0


def test_only_a_threshold_gives_the_cut_a_place():
    threshold = CohortDesign(world="threshold").of_size(200)
    assert cutpoint_world("threshold", threshold, n_population=5_000, seed=1).targets[CUT_POINT](0.8) == 0.69
    assert CUT_POINT not in cutpoint_world("planted", CohortDesign(), n_population=5_000, seed=1).targets


def test_a_world_draws_the_same_cohort_from_the_same_seed():
    world = cutpoint_world("nothing", CohortDesign(world="independent").of_size(60), seed=1)
    assert isinstance(world, BenchWorld)
    assert world.draw(3).equals(world.draw(3))
    assert not world.draw(3).equals(world.draw(4))
    assert not world.draw(3).isna().any(axis=None)
