"""Methods on the bench: searches, splits and slopes keep the levels of the calibration page, at another seed."""

import re
from pathlib import Path

import numpy as np
import pytest

from analysis import OVERALL_SURVIVAL, CohortDesign, FewEvents, search_cutpoint
from analysis.cohort.synthetic.design import ADJUSTMENT
from analysis.truth.bench.methods import (
    BESIDE,
    CRUDE,
    WITHIN,
    adjusted_searches,
    continuous_marker,
    median_split,
    searched_cut,
)
from analysis.truth.bench.scoring import simulation_study
from analysis.truth.bench.worlds import cutpoint_world, draw_cohort

PAGE = Path(__file__).parents[3] / "docs" / "calibration.md"


@pytest.fixture(scope="module")
def scores():
    """A small part of the calibration, at a seed of its own."""
    nothing = cutpoint_world("nothing", CohortDesign(world="independent").of_size(200), seed=1)
    slope = cutpoint_world("slope", CohortDesign(confounding=0.0).of_size(200), n_population=100_000, seed=1)

    def searched(cohort, seed):
        return searched_cut(cohort, seed, n_permutations=99, n_bootstrap=60)

    found = simulation_study([nothing, slope], [searched, median_split, continuous_marker], n_replicates=120, seed=77)
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
    cohort = draw_cohort(CohortDesign(world="null", missing_share=0.0).of_size(100), 3)
    answers = adjusted_searches(cohort, 1, n_permutations=49)
    assert [answer.method for answer in answers] == [CRUDE, WITHIN, BESIDE]
    options = {"adjust": ADJUSTMENT, "strata": "treatment", "n_permutations": 49, "n_bootstrap": 0, "seed": 1}
    with pytest.warns(FewEvents, match="for 11 coefficients"):
        found = search_cutpoint(cohort, OVERALL_SURVIVAL, "magnesium", **options)
    assert (answers[2].at, answers[2].p_value) == (found.cut, found.p_permutation)
