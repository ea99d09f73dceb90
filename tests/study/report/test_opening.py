"""The first screen: the question, the figure, numbers that are the tables', and what calls for caution."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from analysis import format_ratio, format_time, load_example
from analysis.errors import collected
from analysis.present.pages import Note, Prose
from analysis.study.report import StudySection, frames_of, study_opening
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.survival import survival_section
from tests.study.plans import LUNG_BY_AGE, study_of


@pytest.fixture(scope="module")
def lung(tmp_path_factory):
    """The opening and the sections of a plan that says nothing of its question."""
    with collected():
        study = study_of(load_example("lung"), tmp_path_factory.mktemp("lung"), LUNG_BY_AGE)
        sections = (survival_section(study), models_section(study))
        return study, *study_opening(study, sections, frames_of(sections))


def test_the_plans_question_is_the_story_paragraph_by_paragraph(results):
    opening, question = results.opening, results.study.plan.question
    assert len(opening.paragraphs) == 4
    assert "\n\n".join(opening.paragraphs) == question.strip()
    assert "LFA-1" in opening.paragraphs[0]
    assert "10.1016/j.cell.2021.12.039" in opening.paragraphs[1]


def test_a_plan_without_a_question_gets_its_own_words_and_no_biology(lung):
    study, opening, _ = lung
    words = " ".join(opening.paragraphs)
    assert words.startswith("**Question.** Is age associated with overall survival? 228 patients")
    assert study.cutpoints.source in words
    assert not re.search("magnesium|LFA|CAR T", words)


def test_the_figure_leaves_its_section_and_a_link_takes_its_place(lung):
    study, opening, (survival, models) = lung
    assert study.primary.name == "Overall survival"
    assert opening.figure.name == "survival-overall-survival"
    assert survival.blocks[2] == Prose(
        "The curves of overall survival are [[figure-survival-overall-survival]], on the first screen."
    )
    assert not any(isinstance(block, Prose) and "[[figure" in block.text for block in models.blocks)


def test_the_numbers_are_those_of_the_tables(results):
    medians, effect, truth = results.opening.tiles
    table = results.tables["overall-survival-medians"]
    assert medians.heading == "Median overall survival, months"
    assert medians.values == {
        row.stratum: format_time(row.median, row.conf_low, row.conf_high) for row in table.itertuples()
    }
    ratios = results.tables["hazard-ratios"]
    crude, adjusted = ratios[ratios["endpoint"] == "Overall survival"].iloc[:2].to_dict("records")
    assert (crude["adjustment"], adjusted["adjustment"]) == ("crude", "adjusted")
    assert list(effect.values.values()) == [
        format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"]) for row in (crude, adjusted)
    ]
    assert truth.values == {"after adjustment": format_ratio(adjusted["target"])}
    held = adjusted["conf_low"] <= adjusted["target"] <= adjusted["conf_high"]
    assert truth.note == ("The interval contains it." if held else "The interval does not contain it.")


def test_without_a_known_truth_the_third_number_is_that_of_events(lung):
    _, opening, _ = lung
    assert opening.tiles[2].heading == "Events"
    events, n = (sum(int(text.split(" of ")[i]) for text in opening.tiles[2].values.values()) for i in (0, 1))
    assert (events, n) == (165, 228)  # of survival's lung data


@pytest.mark.parametrize("adjusted", [True, False])
def test_a_plan_led_by_restricted_means_shows_their_differences(results, adjusted):
    study = replace(results.study, plan=replace(results.study.plan, summary="restricted mean"))
    name = "overall-survival-" + ("adjusted-mean-differences" if adjusted else "restricted-mean-differences")
    opening, _ = study_opening(study, (), {name: results.tables[name]})
    row = results.tables[name].iloc[0]
    column, limits = ("standardised", "standardised_") if adjusted else ("difference", "")
    numbers = [f"{row[key]:.2f}".replace("-", "−") for key in (column, f"{limits}conf_low", f"{limits}conf_high")]
    tile = next(tile for tile in opening.tiles if tile.heading == "Mean months within 24, difference")
    assert tile.values["reference less low"] == "{} ({} to {})".format(*numbers)
    assert len(tile.values) == 2


def test_each_caution_is_listed_once_with_the_section_where_it_first_stands(lung):
    study = lung[0]
    sections = (
        StudySection("about", "", (Note("The frame.", "caution"),)),
        StudySection("one", "", (Note("Few events.", "caution"), Note("By the way.", "info"))),
        StudySection("two", "", (Note("Few events.", "caution"), Note("Thin tails.", "caution"))),
    )
    opening, _ = study_opening(study, sections, {})
    assert opening.cautions == {"Few events.": "one", "Thin tails.": "two"}
    assert opening.figure is None
