"""The form of a plan: one source for the keys, so that reader, template and the editors' schema say the same."""

from __future__ import annotations

import ast
import copy
import json
import re
import tomllib
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from analysis import Endpoint, cli, load_example, write_cohort
from analysis.cohort.reading import synthetic_folder
from analysis.study.plan import plan_schema
from analysis.study.plan.form import form_problems, table_schema
from analysis.study.plan.new_plan import new_plan
from analysis.study.plan.tables import EndpointTable

TESTS = Path(__file__).parents[2]
SCHEMA = plan_schema()
NAMED = {"data", "marker", "strata", "endpoints"}


def plans_of_the_tests() -> dict[str, dict]:
    """Every text in the tests that is a whole plan, by the line where it stands."""
    plans = {}
    for path in TESTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "[[endpoints]]" in text else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "[[endpoints]]" in node.value:
                try:
                    tables = tomllib.loads(node.value)
                except tomllib.TOMLDecodeError:
                    continue  # a text with places to be filled, or a part of a plan
                if set(tables) >= NAMED:
                    plans[f"{path.name}:{node.lineno}"] = tables
    return plans


PLANS = plans_of_the_tests() | {"synthetic": tomllib.loads((synthetic_folder() / "plan.toml").read_text("utf-8"))}


def by_schema(tables: dict) -> bool:
    """Whether an editor finds nothing wrong."""
    return jsonschema.Draft4Validator(SCHEMA).is_valid(tables)


def keys_of(tables: dict) -> list[tuple[str, str]]:
    """Every table and key of a plan whose keys are fixed; of the endpoints those of the first."""
    pairs = []
    for name, table in tables.items():
        held = table[0] if isinstance(table, list) else table
        pairs += [(name, key) for key in held if name != "labels"]
    return pairs


def changed(tables: dict, name: str, key: str, change) -> dict:
    """A copy in which one table was changed."""
    other = copy.deepcopy(tables)
    change(other[name][0] if name == "endpoints" else other[name], key)
    return other


def test_the_file_for_editors_is_what_the_verb_writes(tmp_path, capsys):
    assert cli.main(["plan", "schema", "--output", str(tmp_path / "plan.schema.json")]) == 0
    assert "#:schema plan.schema.json" in capsys.readouterr().out
    shipped = files("analysis.study.plan").joinpath("plan.schema.json").read_bytes()
    assert (tmp_path / "plan.schema.json").read_bytes() == shipped
    assert json.loads(shipped) == SCHEMA


def test_the_verb_writes_over_no_file_that_is_there(tmp_path, capsys):
    path = tmp_path / "cohort.csv"
    path.write_text("age\n60\n", encoding="utf-8")
    assert cli.main(["plan", "schema", "--output", str(path)]) == 1
    assert f"{path} is there already; move it, or name another with --output" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "age\n60\n"


def test_the_schema_is_one_of_draft_4():
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-04/schema#"


def test_the_tests_hold_plans():
    assert len(PLANS) >= 5


@pytest.mark.parametrize("tables", PLANS.values(), ids=PLANS)
def test_every_plan_is_valid_for_reader_and_editor(tables):
    jsonschema.validate(tables, SCHEMA, cls=jsonschema.Draft4Validator)
    assert form_problems(tables, SCHEMA) == []


@pytest.mark.parametrize(("name", "key"), keys_of(PLANS["synthetic"]))
def test_a_misspelt_key_or_a_value_of_another_type_is_found_by_reader_and_editor(name, key):
    def misspell(table, key):
        table[key + "x"] = table.pop(key)

    def retype(table, key):
        table[key] = 2.5 if isinstance(table[key], (str, bool, list)) else "2.5"

    plan = PLANS["synthetic"]
    for change, said in ((misspell, f"did you mean {key!r}"), (retype, "should be")):
        other = changed(plan, name, key, change)
        assert not by_schema(other)
        assert any(said in problem for problem in form_problems(other, SCHEMA))


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_table_that_every_plan_needs_is_missed_by_reader_and_editor(name):
    other = {key: table for key, table in PLANS["synthetic"].items() if key != name}
    assert not by_schema(other)
    assert form_problems(other, SCHEMA) == [f"no table [{name}]; every plan needs one"]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("study", "summary", "odds ratio"), ("study", "milestones", [0]), ("marker", "direction", "down"),
        ("marker", "per", 0), ("strata", "cutpoints", "nhanes"), ("robustness", "n_bootstrap", 49),
        ("robustness", "seed", -1), ("data", "limits", "drop"),
    ],
)  # fmt: skip
def test_the_editor_knows_the_limits_of_values(name, key, value):
    assert not by_schema(changed(PLANS["synthetic"], name, key, lambda table, key: table.update({key: value})))


def test_every_key_has_a_description_for_the_editor():
    for name, table in SCHEMA["properties"].items():
        for key, value in table.get("items", table).get("properties", {}).items():
            assert len(value["description"]) > 5, (name, key)


def test_the_keys_of_an_endpoint_are_the_arguments_of_one_and_what_they_are_made_from():
    keys = {"label" if key == "name" else key for key in table_schema(EndpointTable)["properties"]}
    arguments = {one.name for one in fields(Endpoint) if one.init}
    assert keys - arguments == {"start", "end", "format", "negative", "where"}
    assert keys >= arguments


def test_the_template_shows_only_keys_that_there_are_and_nearly_all(tmp_path):
    write_cohort(load_example("gbsg2"), tmp_path / "cohort.csv")
    text = new_plan(tmp_path / "cohort.csv", folder=tmp_path)
    assert form_problems(tomllib.loads(text), SCHEMA) == []
    shown, table = set(), ""
    for line in text.splitlines():
        if heading := re.match(r"#? ?\[+([\w.]+)\]+", line):
            table = heading[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            shown.add((table, key[1]))
    known = {
        (name, key)
        for name, table in SCHEMA["properties"].items()
        for key in table.get("items", table).get("properties", {})
    } - {("data", "join")}
    known |= {("data.join", key) for key in ("path", "key", "where")}  # the others are as in [data]
    assert {pair for pair in shown if pair[0] != "labels"} <= known
    unshown = {key for name, key in known - shown if name != "reporting"}
    assert unshown == {"synthetic", "truth", "analyte", "closed", "rule", "reference", "cutpoints",
                       "n_bootstrap", "n_imputations", "seed"}  # fmt: skip
