"""Study plans: what is read from TOML, and how every fault is told at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from analysis import PlanError, StudyPlan
from analysis.study.plan.plan import slug

GOOD = """
[data]
path = "cohort.csv"
event_codes = { status = { 1 = 0, 2 = 1 } }
[marker]
column = "magnesium"
unit = "mmol/L"
[strata]
cutpoints = "nhanes-1"
[[endpoints]]
name = "Overall survival"
duration = "time"
event = "status"
time_unit = "days"
[model]
covariates = ["age", "log2(crp)"]
strata = "sex"
"""


def plan_of(text: str, folder: Path) -> StudyPlan:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return StudyPlan.from_toml(path)


def test_a_plan_says_everything_that_was_decided(tmp_path):
    plan = plan_of(GOOD, tmp_path)
    assert plan.data.path == tmp_path / "cohort.csv"
    assert plan.data.event_codes == {"status": {1: 0, 2: 1}}
    assert (plan.marker.per, plan.marker.direction) == (0.1, "lower")
    assert plan.marker.analyte == "magnesium"
    assert plan.strata.cutpoints.edges == (0.75, 0.95)
    assert plan.endpoints[0].time_unit == "days"
    assert plan.model.covariates == ("age", "log2(crp)")
    assert plan.model.strata == ("sex",)
    assert not plan.synthetic


def test_the_digest_is_of_the_text_as_written(tmp_path):
    assert plan_of(GOOD, tmp_path).sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


def test_own_edges_keep_their_source_and_unit(tmp_path):
    own = 'edges = [20.0]\nlabels = ["low", "high"]\nsource = "set by the laboratory"'
    plan = plan_of(GOOD.replace('cutpoints = "nhanes-1"', own), tmp_path)
    assert plan.strata.cutpoints.labels == ("low", "high")
    assert plan.strata.cutpoints.source == "set by the laboratory"
    assert plan.strata.cutpoints.unit == "mmol/L"
    assert plan.marker.analyte == ""


LABS = '[labs]\npath = "labs.csv"\nkey = "id"\ntime = "month"\nvalue = "mg"\n[data]'


def test_repeated_values_and_checks_of_robustness_are_read(tmp_path):
    tables = LABS.replace("[data]", '[robustness]\nsubgroups = ["sex"]\nsite = "ward"\nlandmarks = [3, 6]\n[data]')
    plan = plan_of(GOOD.replace("[data]", tables), tmp_path)
    assert (plan.labs.path, plan.labs.key, plan.labs.time, plan.labs.value) == (
        tmp_path / "labs.csv", "id", "month", "mg"
    )  # fmt: skip
    assert (plan.robustness.subgroups, plan.robustness.site) == (("sex",), "ward")
    assert plan.robustness.landmarks == (3, 6)
    assert plan.robustness.measurement_error is None


def test_a_plan_without_labs_has_none(tmp_path):
    assert plan_of(GOOD, tmp_path).labs is None


def robustness(line: str) -> tuple[str, str]:
    """The good plan's first table with a faulty line on robustness before it."""
    return "[data]", f"[robustness]\n{line}\n[data]"


FAULTS = {
    "labs without a key": ("[data]", LABS.replace('key = "id"\n', ""), r"\[labs\]: no 'key'"),
    "landmarks without labs": (*robustness("landmarks = [3]"), r"say in \[labs\] where they are"),
    "landmarks out of order": (
        "[data]",
        LABS.replace("[data]", "[robustness]\nlandmarks = [6, 3]\n[data]"),
        "ascending",
    ),
    "no error of measurement": (*robustness("measurement_error = 0"), "a standard deviation above 0"),
    "one imputation": (*robustness("n_imputations = 1"), "n_imputations = 1: at least 2"),
    "subgroups that are no text": (*robustness("subgroups = [1]"), "subgroups holds 1; each should be text"),
    "no data table": ('[data]\npath = "cohort.csv"', "", r"no table \[data\]"),
    "unknown table": ("[model]", "[modell]", "unknown table 'modell'; did you mean 'model'"),
    "unknown key": ('unit = "mmol/L"', 'units = "mmol/L"', "unknown key 'units'; did you mean 'unit'"),
    "missing key": ('column = "magnesium"', "", r"\[marker\]: no 'column'"),
    "wrong type": ('unit = "mmol/L"', "unit = 7", "unit = 7 should be text"),
    "boolean for a number": ('unit = "mmol/L"', 'unit = "mmol/L"\nper = true', "per = True should be a number"),
    "step of zero": ('unit = "mmol/L"', 'unit = "mmol/L"\nper = 0', "must be above 0"),
    "direction": ('unit = "mmol/L"', 'unit = "mmol/L"\ndirection = "down"', "say 'lower' or 'higher'"),
    "unit of magnesium": ('unit = "mmol/L"', 'unit = "mg/L"', "magnesium is in one of"),
    "unknown cut-points": ('"nhanes-1"', '"nhanes"', "nhanes-1"),
    "two ways to cut": ('cutpoints = "nhanes-1"', 'cutpoints = "nhanes-1"\nquantiles = 3', "cutpoints and quantiles"),
    "edges alone": ('cutpoints = "nhanes-1"', "edges = [0.7]", "edges need labels and source too"),
    "unknown reference": ('cutpoints = "nhanes-1"', 'cutpoints = "nhanes-1"\nreference = "mid"', "none of the labels"),
    "one column twice": ('event = "status"', 'event = "time"', "name one column twice"),
    "endpoints as one table": ("[[endpoints]]", "[endpoints]", r"headed \[\[endpoints\]\]"),
    "no endpoint key": ('duration = "time"', "", r"\[\[endpoints\]\] number 1: no 'duration'"),
    "milestones": ("[data]", "[study]\nmilestones = [24, 12]\n[data]", "ascending"),
    "text for an edge": ('cutpoints = "nhanes-1"', 'edges = ["0,7"]\nlabels = ["a", "b"]', "edges holds '0,7'"),
    "a number for a term": ('"age", ', '3, "age", ', "covariates holds 3; each should be text"),
    "text for a milestone": ("[data]", '[study]\nmilestones = ["12"]\n[data]', "milestones holds '12'"),
    "endless milestone": ("[data]", "[study]\nmilestones = [inf]\n[data]", "positive times"),
    "one group": ('cutpoints = "nhanes-1"', "quantiles = 1", "quantiles = 1: at least 2 groups"),
    "not TOML": ("[data]", "[data", "is not TOML"),
}


@pytest.mark.parametrize(("old", "new", "match"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(old, new, match, tmp_path):
    assert old in GOOD
    with pytest.raises(PlanError, match=match):
        plan_of(GOOD.replace(old, new, 1), tmp_path)


def test_all_faults_are_told_at_once(tmp_path):
    text = GOOD.replace('column = "magnesium"', "").replace('duration = "time"', "").replace("[model]", "[modell]")
    with pytest.raises(PlanError, match="no 'column'") as raised:
        plan_of(text, tmp_path)
    assert len(raised.value.problems) == 3


def test_two_endpoints_of_one_name_are_refused(tmp_path):
    again = '[[endpoints]]\nname = "Overall survival"\nduration = "t"\nevent = "e"\n[model]'
    with pytest.raises(PlanError, match="share a name"):
        plan_of(GOOD.replace("[model]", again), tmp_path)


@pytest.mark.parametrize("name", ["overall-survival!", "OVERALL SURVIVAL"])
def test_two_endpoints_of_one_file_name_are_refused(name, tmp_path):
    again = f'[[endpoints]]\nname = "{name}"\nduration = "t"\nevent = "e"\n[model]'
    with pytest.raises(PlanError, match="files are named by them"):
        plan_of(GOOD.replace("[model]", again), tmp_path)


def test_names_of_any_script_name_files(tmp_path):
    again = '[[endpoints]]\nname = "Επιβίωση"\nduration = "t"\nevent = "e"\n[model]'
    plan = plan_of(GOOD.replace("[model]", again).replace("Overall survival", "Χωρίς εξέλιξη"), tmp_path)
    assert [slug(endpoint.name) for endpoint in plan.endpoints] == ["χωρίς-εξέλιξη", "επιβίωση"]


def test_a_missing_plan_says_how_to_write_one(tmp_path):
    with pytest.raises(PlanError, match="plan new"):
        StudyPlan.from_toml(tmp_path / "none.toml")
