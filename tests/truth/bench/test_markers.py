"""A marker on the bench: targets that other code finds, and methods that keep the levels of the calibration page."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import OVERALL_SURVIVAL, CohortDesign, FewEvents, dose_response, search_cutpoint, simulate_cohort
from analysis.cohort.synthetic.design import ADJUSTMENT
from analysis.cohort.synthetic.simulation import cohort_frame, simulate_patients
from analysis.truth.bench import markers
from analysis.truth.bench.markers import CUT_EFFECT, CUT_POINT, SLOPE, cutpoint_world
from analysis.truth.bench.scoring import BenchWorld, simulation_study
from analysis.truth.estimands import true_cutpoint_effects
from tests.truth.bench.planted import PLANTED, SEED, N, ratio, target

PAGE = Path(__file__).parents[3] / "docs" / "calibration.md"


def test_targets_of_a_marker_are_those_of_the_true_estimands(truth):
    world = markers.marker_world("planted", PLANTED, n_population=N, seed=SEED)
    assert_allclose(target(world, SLOPE), -ratio(truth, "crude, measured magnesium"), rtol=1e-6)
    adjusted = {
        markers.ADJUSTED_SLOPE: -ratio(truth, "conditional, measured magnesium"),
        markers.ADJUSTED_CUT: ratio(truth, "at or above 0.75 against below, adjusted"),
    }
    for estimand, expected in adjusted.items():
        assert_allclose(target(world, estimand), expected, rtol=1e-6)
    assert_allclose(target(world, CUT_EFFECT, 0.74), ratio(truth, "at or above 0.75 against below, crude"), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
def test_the_curves_target_is_the_dose_response_of_the_large_cohort():
    design = PLANTED.of_size(3000)
    world = markers.marker_world("planted", design, n_population=3000, seed=SEED)
    curve = dose_response(
        simulate_cohort(design, seed=SEED).cohort, OVERALL_SURVIVAL, "magnesium", at=[0.85], reference=0.70
    ).curve
    assert_allclose(target(world, markers.CURVE), curve["log_hazard_ratio"].iloc[0], rtol=1e-5)


def test_every_target_is_zero_where_magnesium_is_related_to_nothing():
    world = markers.marker_world("none", replace(PLANTED, world="independent"), n_population=500, seed=1)
    assert {estimand: find(0.8) for estimand, find in world.targets.items()} == dict.fromkeys(world.targets, 0.0)


def test_the_adjusted_slope_of_the_null_world_is_zero_and_a_large_cohort_agrees():
    design = replace(PLANTED, world="null")
    patients = simulate_patients(design.of_size(100_000), seed=2)
    population = cohort_frame(patients, patients.measured)
    assert markers.adjusted_slope(design, population, patients.measured) == 0
    slope, std_error = markers.adjusted_effect(population, patients.measured / 0.1)
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


@pytest.fixture(scope="module")
def scores():
    """A small part of the calibration, at a seed of its own."""
    nothing = cutpoint_world("nothing", CohortDesign(world="independent").of_size(200), seed=1)
    slope = cutpoint_world("slope", CohortDesign(confounding=0.0).of_size(200), n_population=100_000, seed=1)

    def searched(cohort, seed):
        return markers.searched_cut(cohort, seed, n_permutations=99, n_bootstrap=60)

    found = simulation_study(
        [nothing, slope], [searched, markers.median_split, markers.continuous_marker], n_replicates=120, seed=77
    )
    return found.set_index(["world", "method", "score"]).sort_index()


def near(score, expected: float, floor: float) -> bool:
    return abs(score["value"] - expected) < 4 * max(score["std_error"], floor)


@pytest.mark.parametrize("method", ["searched cut, corrected", "median split", "continuous marker"])
def test_corrected_tests_reject_by_chance_as_often_as_they_say(scores, method):
    assert near(scores.loc[("nothing", method, "rejection rate")], 0.05, (0.05 * 0.95 / 120) ** 0.5)


@pytest.mark.parametrize("method", ["Lausen and Schumacher 1992", "Lausen, Sauerbrei and Schumacher 1994"])
def test_closed_p_values_reject_at_most_that(scores, method):
    assert scores.loc[("nothing", method, "rejection rate"), "value"] < 0.05 + 4 * (0.05 * 0.95 / 120) ** 0.5


def test_the_naive_reading_finds_what_is_not_there(scores):
    naive = scores.loc[("nothing", "searched cut, as found")]
    assert naive.loc["rejection rate", "value"] > 0.2
    assert naive.loc["bias away from zero", "value"] > 0.25
    assert naive.loc["coverage", "value"] < 0.85


@pytest.mark.parametrize("world", ["nothing", "slope"])
def test_the_correction_takes_most_of_the_bias_away_and_its_limits_cover(scores, world):
    naive, corrected = (scores.loc[(world, f"searched cut, {words}")] for words in ("as found", "corrected"))
    left, error = corrected.loc["bias away from zero", ["value", "std_error"]]
    assert abs(left) < naive.loc["bias away from zero", "value"] / 4 + 4 * error
    assert corrected.loc["coverage", "value"] > 0.93 - 4 * (0.93 * 0.07 / 120) ** 0.5
    assert corrected.loc["root mean squared error", "value"] < naive.loc["root mean squared error", "value"]


@pytest.mark.parametrize(
    ("method", "world"), [(m, w) for m in ("median split", "continuous marker") for w in ("nothing", "slope")]
)
def test_methods_that_do_not_search_are_unbiased_and_cover(scores, method, world):
    found = scores.loc[(world, method)]
    assert near(found.loc["bias"], 0.0, 0.0)
    assert near(found.loc["coverage"], 0.95, (0.95 * 0.05 / 120) ** 0.5)


def test_the_page_agrees_with_a_part_of_it_made_again(scores):
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| naive log-rank"))
    share, error = (float(number) / 100 for number in re.search(r"([\d.]+)% \(([\d.]+)%\)", line).groups())
    again = scores.loc[("nothing", "searched cut, as found", "rejection rate")]
    assert abs(again["value"] - share) < 4 * np.hypot(again["std_error"], error)


def test_searches_within_strata_and_beside_covariates_answer_by_their_p_values():
    cohort = markers.draw_cohort(CohortDesign(world="null", missing_share=0.0).of_size(100), 3)
    answers = markers.adjusted_searches(cohort, 1, n_permutations=49)
    assert [answer.method for answer in answers] == [markers.CRUDE, markers.WITHIN, markers.BESIDE]
    options = {"adjust": ADJUSTMENT, "strata": "treatment", "n_permutations": 49, "n_bootstrap": 0, "seed": 1}
    with pytest.warns(FewEvents, match="for 11 coefficients"):
        found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", **options)
    assert (answers[2].at, answers[2].p_value) == (found.cut, found.p_permutation)
