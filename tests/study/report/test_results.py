"""What sections are made of: blocks in order, parts that fail alone, forests with their words."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis import InputError, NotComputed, StudyResults
from analysis.present.pages.page import Prose, TableBlock
from analysis.study.report import results


def test_a_section_is_what_its_function_yields_under_its_anchor_and_title(study):
    @results.section("mine", "All about {marker}")
    def own_section(study):
        """Words on the marker."""
        yield Prose("one")
        yield Prose(study.plan.marker.label)

    section = own_section(study)
    assert (section.anchor, section.title) == ("mine", "All about serum magnesium")
    assert [block.text for block in section.blocks] == ["one", "Serum magnesium"]
    assert own_section.__name__ == "own_section"
    assert own_section.__doc__ == "Words on the marker."


def test_parts_come_endpoint_by_endpoint_and_one_that_fails_costs_itself_alone(study):
    def named(study, endpoint):
        yield Prose(endpoint.name)

    def failing(study, endpoint):
        yield Prose("never seen, for what follows fails")
        raise InputError("no rows")

    with pytest.warns(NotComputed, match="the second part is not given: no rows") as caught:
        blocks = list(results.by_endpoint(study, {"the first part": named, "the second part": failing}))
    assert [block.text for block in blocks] == ["Overall survival", "Progression-free survival"]
    assert [str(one.message).split(",")[0] for one in caught] == ["Overall survival", "Progression-free survival"]


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_figure_knows_whether_its_cohort_is_synthetic(study, synthetic):
    own = replace(study, plan=replace(study.plan, synthetic=synthetic))
    figure = results.figure(
        own, "f", "F", lambda *given, **options: (given, options), 1, alt="a", caption="c", title="t"
    )
    assert (figure.name, figure.title, figure.alt, figure.caption) == ("f", "F", "a", "c")
    assert figure.draw() == ((1,), {"title": "t", "synthetic": synthetic})


def test_a_forest_is_described_by_all_of_its_estimates(study):
    ratio = {"hazard_ratio": 1.5, "conf_low": 1.2, "conf_high": 1.9, "p_value": 0.01}
    rows = [results.estimate_row("A", "crude", "crude", ratio), results.target_row("A", "target", 1.4)]
    frame = results.forest_frame([*rows, results.estimate_row("", "all", "adjusted", ratio)])
    assert frame.columns.tolist() == ["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"]
    assert frame["kind"].tolist() == ["crude", "truth", "adjusted"]
    words = "A, crude: 1.50 (1.20 to 1.90); A, target: 1.40; all: 1.50 (1.20 to 1.90)"
    assert results.forest_words(frame) == words
    assert results.forest(study, "f", "F", frame, caption="c").alt == f"Forest plot. {words}."
    assert results.forest(study, "f", "F", frame, caption="c", alt="Other words.").alt == "Other words."


def test_time_axes_name_their_unit_and_where_follow_up_starts(study):
    assert results.time_axis(study, "months") == "Months from first infusion"
    assert results.time_axis(replace(study, plan=replace(study.plan, time_zero="")), "days") == "Days"


def test_results_hold_their_tables_and_figures_by_name(study):
    frame = pd.DataFrame({"n": [1]})
    figure = results.figure(study, "f", "F", dict, alt="a", caption="c")
    sections = [
        results.StudySection("a", "A", (Prose("x"), TableBlock("one", "One", frame, frame))),
        results.StudySection("b", "B", (figure,)),
    ]
    whole = StudyResults(study, (), tuple(sections))
    assert (list(whole.tables), list(whole.figures)) == (["one"], ["f"])
    assert whole.tables["one"] is frame
