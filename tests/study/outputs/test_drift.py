"""An earlier report beside a new run: nothing drifts by itself, and every change is found."""

from __future__ import annotations

import json

import pytest

from analysis import InputError, cli, load_example, run_study, write_cohort, write_outputs
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


@pytest.fixture
def report(tmp_path, monkeypatch):
    """A report without its figures, in a folder beside its plan."""
    write_cohort(load_example("lung").dropna(subset=["karnofsky_by_physician"]), tmp_path / "lung.csv")
    (tmp_path / "lung.toml").write_text(PLAN, encoding="utf-8")
    monkeypatch.setattr("analysis.study.outputs.write.write_figures", lambda results, directory, progress: ((), {}))
    monkeypatch.setattr("analysis.study.outputs.write._report", lambda *_: "")
    write_outputs(run_study(tmp_path / "lung.toml"), tmp_path / "build")
    return tmp_path / "build"


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
    told = capsys.readouterr().out.splitlines()
    assert f"overall-survival-medians, 1, median: 1.0 is now {before}" in told
    assert "strata: nothing is now a table" in told
    assert told[-1].endswith("2 changes beyond 1e-08")


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
