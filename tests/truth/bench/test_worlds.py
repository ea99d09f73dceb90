"""Worlds of the benches: targets are those that other code finds, and known consequences of each design."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import OVERALL_SURVIVAL, CohortDesign, dose_response, simulate_cohort
from analysis.cohort.synthetic.simulation import cohort_frame, simulate_patients
from analysis.truth.bench import worlds
from analysis.truth.bench.scoring import BenchWorld
from analysis.truth.bench.worlds import CUT_EFFECT, CUT_POINT, SLOPE, cutpoint_world
from analysis.truth.estimands import true_cutpoint_effects
from tests.truth.bench.planted import PLANTED, SEED, N, ratio, target


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
