"""An earlier report beside a new run: nothing drifts by itself, and every change is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from analysis import InputError, cli, load_example, run_study, write_cohort, write_outputs
from analysis.study.outputs import drift
from analysis.study.outputs.drift import find_drift
from analysis.study.outputs.write import MANIFEST

PLAN = """
[data]
path = "lung.csv"
[marker]
column = "karnofsky_by_physician"
per = 10
[strata]
edges = [75.0]
labels = ["low", "high"]
source = "set for this test"
[[endpoints]]
name = "Overall survival"
duration = "os_days"
event = "os_event"
time_unit = "days"
"""


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    """A report without its figures and companions, in a folder beside its plan."""
    folder = tmp_path_factory.mktemp("study")
    write_cohort(load_example("lung").dropna(subset=["karnofsky_by_physician"]), folder / "lung.csv")
    (folder / "lung.toml").write_text(PLAN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.study.outputs.write.write_figures", lambda results, directory, progress: ((), {}))
        patch.setattr("analysis.study.outputs.write.write_explorer", lambda *_, **__: None)
        patch.setattr("analysis.study.outputs.write._report", lambda *_: "")
        write_outputs(run_study(folder / "lung.toml"), folder / "build")
    return folder


@pytest.fixture
def report(study_folder, tmp_path):
    """A copy of the report."""
    return Path(shutil.copytree(study_folder, tmp_path / "study")) / "build"


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_report_run_again_has_not_changed(report, capsys):
    assert cli.main(["check", str(report)]) == 0
    assert "no changes beyond 1e-08" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_changed_cell_and_a_lost_table_are_found_and_rounding_is_not(report, capsys):
    path = report / "tables" / "overall-survival-medians.csv"
    heading, first, *rest = path.read_text(encoding="utf-8").splitlines()
    names, cells = heading.split(","), first.split(",")
    place, other = names.index("median"), names.index("conf_low")
    before = cells[place]
    cells[place] = "1.0"
    cells[other] = str(float(cells[other]) * (1 + 1e-12))
    path.write_text("\n".join([heading, ",".join(cells), *rest]) + "\n", encoding="utf-8")
    manifest = json.loads((report / MANIFEST).read_text(encoding="utf-8"))
    del manifest["files"]["tables/strata.csv"]
    (report / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    assert cli.main(["check", str(report)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"overall-survival-medians, 1, median: 1.0 is now {before}" in lines
    assert "strata: nothing is now a table" in lines
    assert lines[-1].endswith("2 changes beyond 1e-08")


@pytest.mark.parametrize(
    ("before", "now", "agree"),
    [
        ("0", "0.9e-8", True), ("0", "1.1e-8", False), ("-1e-12", "1e-12", True),  # absolute near zero
        ("1000", "1000.000009", True), ("1000", "1000.000011", False),  # relative beyond 1
        ("a", "b", False), ("", "0", False), ("nan", "nan", True),
    ],
)  # fmt: skip
def test_numbers_agree_within_the_tolerance_absolutely_up_to_one_and_relatively_beyond(before, now, agree):
    assert drift.agree(before, now, 1e-8) is agree


def test_what_holds_no_report_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no manifest\.json"):
        find_drift(tmp_path)


def test_a_tolerance_is_a_positive_number(tmp_path):
    with pytest.raises(InputError, match="a positive number"):
        find_drift(tmp_path, tolerance=0)


def test_tables_and_plans_that_are_gone_are_named(tmp_path):
    (tmp_path / MANIFEST).write_text(json.dumps({"plan": "../gone.toml", "files": {}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"gone\.toml and is gone"):
        find_drift(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"plan": None, "files": {"tables/strata.csv": ""}}), encoding="utf-8")
    with pytest.raises(InputError, match="1 tables of its manifest are gone"):
        find_drift(tmp_path)
