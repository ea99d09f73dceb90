"""The command line: what each verb writes and says, and that faults come as words."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import cli, load_example, write_cohort
from analysis.study import run


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gbsg2(in_folder):
    write_cohort(load_example("gbsg2"), in_folder / "gbsg2.csv")
    return in_folder


def test_a_new_plan_validates_as_written(gbsg2, capsys):
    assert cli.main(["plan", "new", "gbsg2.csv"]) == 0
    assert cli.main(["validate", "gbsg2_plan.toml"]) == 0
    assert "nothing wrong. 686 rows" in capsys.readouterr().out


def test_a_plan_that_is_there_is_never_written_over(gbsg2, capsys):
    Path("gbsg2_plan.toml").write_text("mine")
    assert cli.main(["plan", "new", "gbsg2.csv"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert Path("gbsg2_plan.toml").read_text() == "mine"


def test_validate_names_every_fault_and_fails(gbsg2, capsys):
    cli.main(["plan", "new", "gbsg2.csv"])
    plan = Path("gbsg2_plan.toml")
    plan.write_text(plan.read_text().replace('"rfs_days"', '"rfs_day"').replace('"nodes"', '"node"'))
    assert cli.main(["validate", "gbsg2_plan.toml"]) == 1
    message = capsys.readouterr().err
    assert "2 faults" in message
    assert "did you mean 'rfs_days'" in message
    assert "did you mean 'nodes'" in message


def test_a_file_that_is_not_there_is_one_sentence(in_folder, capsys):
    assert cli.main(["plan", "new", "cohort.csv"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_report_of_ones_own_lies_under_the_plans_name(gbsg2, capsys, monkeypatch):
    monkeypatch.setattr(run, "SECTIONS", run.SECTIONS[:4])
    monkeypatch.setattr("analysis.study.outputs.write.write_explorer", lambda *_, **__: None)
    cli.main(["plan", "new", "gbsg2.csv"])
    assert cli.main(["report", "--plan", "gbsg2_plan.toml"]) == 0
    folder = Path("build/gbsg2_plan")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert "report.html" in manifest["files"]
    assert all((folder / name).is_file() for name in manifest["files"])
    body = (folder / "report.html").read_text().split("</style>")[1]
    assert "synthetic" not in body.lower()


def test_a_bench_is_written_with_what_it_was_made_with(in_folder, capsys, monkeypatch):
    row = ("no effect", "clinical cut", "coverage", 0.5, 0.3, 3, "effect", 0.0, 0.95)
    columns = ["world", "method", "score", "value", "std_error", "n", "estimand", "target", "wanted"]
    asked = {}

    def run_bench(name, *, n_replicates, seed, progress):
        asked.update(name=name, n_replicates=n_replicates, seed=seed)
        return pd.DataFrame([row], columns=columns)

    monkeypatch.setattr("analysis.truth.bench.run_bench", run_bench)
    assert cli.main(["bench", "hazards", "--replicates", "3", "--seed", "4"]) == 0
    assert asked == {"name": "hazards", "n_replicates": 3, "seed": 4}
    record = json.loads(Path("build/bench/hazards.json").read_text(encoding="utf-8"))
    assert record["command"] == "python -m analysis bench hazards --replicates 3 --seed 4"
    assert "clinical cut" in Path("build/bench/hazards.md").read_text(encoding="utf-8")


def test_an_unknown_bench_is_refused_with_those_there_are(in_folder, capsys):
    assert cli.main(["bench", "marker"]) == 1
    assert "use one of markers, confounding" in capsys.readouterr().err
