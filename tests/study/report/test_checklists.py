"""Reporting checklists: an item is done only when a result or the author answers it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis import PlanError, StudyPlan
from analysis.present.pages.page import TableBlock
from analysis.study.plan.tables import FIELDS
from analysis.study.report.checklists import Checklist, Item, checklists_section, fill_checklist, read_checklists
from analysis.study.report.results import StudySection
from analysis.study.run import synthetic_plan

CHECKLISTS = read_checklists()
PLAN = replace(synthetic_plan(), reporting={})
BOTH = ("overall-survival", "progression-free-survival")


def section(*names: str) -> StudySection:
    """A section that holds tables of these names."""
    empty = pd.DataFrame({"n": [1]})
    return StudySection("part", "A part", tuple(TableBlock(name, f"Title of {name}", empty, empty) for name in names))


def status(item: Item, *names: str, words: str = "") -> str:
    """The status of one item, given tables and the author's words."""
    plan = replace(PLAN, reporting={item.field: words} if words else {})
    return fill_checklist(Checklist("X", "", "", (item,)), plan, [section(*names)])["status"].item()


SHOWN = Item("1", "", "", shown_by=("table-1",))
PER_ENDPOINT = Item("2", "", "", shown_by=("{endpoint}-model",))
ASKED = Item("3", "", "", field="funding")
MIXED = Item("4", "", "", shown_by=("table-1",), field="eligibility")


@pytest.mark.parametrize(
    ("item", "names", "words", "expected"),
    [
        (SHOWN, (), "", "not done"),
        (SHOWN, ("table-1",), "", "done"),
        (SHOWN, ("table-10",), "", "not done"),
        (PER_ENDPOINT, [f"{BOTH[0]}-model"], "", "in part"),
        (PER_ENDPOINT, [f"{endpoint}-model" for endpoint in BOTH], "", "done"),
        (ASKED, (), "", "asked of the author"),
        (ASKED, (), "   ", "asked of the author"),
        (ASKED, (), "none", "done"),
        (MIXED, (), "", "not done"),
        (MIXED, ("table-1",), "", "in part"),
        (MIXED, (), "adults", "in part"),
        (MIXED, ("table-1",), "adults", "done"),
        (Item("5", "", "", not_applicable="unmatched"), ("table-1",), "", "not applicable"),
    ],
)
def test_status_follows_what_is_there(item, names, words, expected):
    assert status(item, *names, words=words) == expected


def test_nothing_is_done_where_nothing_was_computed():
    for checklist in CHECKLISTS:
        assert "done" not in set(fill_checklist(checklist, PLAN, [])["status"])


def test_where_names_the_section_and_the_authors_words_and_field_names_what_is_awaited():
    plan = replace(PLAN, reporting={"eligibility": "adults"})
    row = fill_checklist(Checklist("X", "", "", (MIXED,)), plan, [section("table-1")]).iloc[0]
    assert row["where"] == "A part: Title of table-1; the author: adults"
    assert row["field"] == ""
    awaited = fill_checklist(Checklist("X", "", "", (ASKED,)), PLAN, []).iloc[0]
    assert awaited["field"].startswith("[reporting] funding: ")


def test_every_field_is_asked_for_and_every_item_asks_something():
    items = [item for checklist in CHECKLISTS for item in checklist.items]
    assert {item.field for item in items} - {""} == set(FIELDS)
    assert all(item.shown_by or item.field or item.not_applicable for item in items)


def test_the_guidelines_are_whole():
    numbers = {checklist.name: [item.number for item in checklist.items] for checklist in CHECKLISTS}
    assert numbers["REMARK"] == [str(number) for number in range(1, 21)]
    assert list(dict.fromkeys(number.rstrip("abcde") for number in numbers["STROBE"])) == [
        str(number) for number in range(1, 23)
    ]


@pytest.mark.parametrize(
    ("checklist", "number", "field"),
    [
        ("SAMPL", "3", "endpoint_definitions"),  # when follow-up ends without the event
        ("STROBE", "12d", "later_treatment"),
        ("REMARK", "10", "candidate_variables"),  # how variables were chosen
    ],
)
def test_an_item_is_answered_by_the_field_that_asks_for_it(checklist, number, field):
    items = {one.name: {item.number: item for item in one.items} for one in CHECKLISTS}
    assert items[checklist][number].field == field
    plan = replace(PLAN, reporting={name: "Nothing is claimed." for name in FIELDS if name != field})
    item = items[checklist][number]
    row = fill_checklist(Checklist("X", "", "", (item,)), plan, [section(*item.shown_by)]).iloc[0]
    assert row["status"] == "in part"
    assert "Nothing is claimed" not in row["where"]


def test_the_counts_stand_in_the_title():
    block = checklists_section(PLAN, []).blocks[1]
    assert "not done" in block.title
    assert " done," not in block.title.replace("not done", "")


def test_an_unknown_field_of_reporting_is_refused_with_the_likely_one(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(synthetic_plan().text.replace("funding =", "fundin ="), encoding="utf-8")
    with pytest.raises(PlanError, match="unknown key 'fundin'; did you mean 'funding'"):
        StudyPlan.from_toml(path)
