"""The tables of a plan: each key has a meaning, a type, and a default where it may be left out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Annotated, get_origin, get_type_hints

import pytest

from analysis import StudyPlan
from analysis.study.plan import FIELDS, plan_schema, tables

CLASSES = [
    table
    for table in vars(tables).values()
    if isinstance(table, type) and is_dataclass(table) and table.__module__ == tables.__name__
    if table is not tables.StrataPlan  # made from the keys of [strata], which a typed dictionary names
]


@pytest.mark.parametrize("table", CLASSES, ids=lambda table: table.__name__)
def test_every_key_says_what_it_means(table):
    hints = get_type_hints(table, include_extras=True)
    for key in fields(table):
        assert get_origin(hints[key.name]) is Annotated, key.name
        meaning = hints[key.name].__metadata__[0]
        assert isinstance(meaning, str)
        assert meaning


def test_a_plan_of_the_least_keys_gets_the_defaults(tmp_path):
    (tmp_path / "cohort.csv").write_text("x,t,d\n1,2,1\n")
    text = """
[data]
path = "cohort.csv"
[marker]
column = "x"
[strata]
quantiles = 2
[[endpoints]]
name = "Overall survival"
duration = "t"
event = "d"
time_unit = "months"
"""
    (tmp_path / "plan.toml").write_text(text)
    plan = StudyPlan.from_toml(tmp_path / "plan.toml")
    assert (plan.title, plan.question, plan.milestones, plan.horizon) == (
        "A survival study of one marker",
        "",
        (),
        None,
    )
    assert plan.summary == "hazard ratio"
    assert not plan.synthetic
    assert plan.data.path.name == "cohort.csv"


@pytest.mark.parametrize("label", ["", "  "])
def test_a_marker_without_a_label_is_called_by_its_column(label):
    marker = tables.MarkerPlan("crp", label=label)
    assert (marker.label, marker.stratum_column) == ("crp", "crp stratum")
    assert tables.MarkerPlan("crp", label="C-reactive protein").stratum_column == "C-reactive protein stratum"


def test_what_the_author_is_asked_for_is_a_key_of_the_schema():
    assert set(plan_schema()["properties"]["reporting"]["properties"]) == set(FIELDS)
