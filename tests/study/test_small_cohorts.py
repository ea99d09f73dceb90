"""Small and one-sided cohorts: every verb ends in a result or in words; no part of a report fails unforeseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import StudyPlan, cli, run_study
from analysis.present.pages import explorer as explorer_page
from analysis.study.outputs.explorer import write_explorer

PLAN = """[data]
path = "cohort.csv"
[marker]
column = "marker"
label = "Marker"
unit = "U/l"
per = {per}
[strata]
{strata}
[[endpoints]]
name = "Overall survival"
duration = "months"
event = "died"
time_unit = "months"
[model]
covariates = ["age"]
"""
HALVES = "quantiles = 2"


def patients(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "marker": rng.normal(10, 2, n).round(3),
            "age": rng.normal(60, 9, n).round(),
            "months": rng.exponential(12, n).round(2) + 0.1,
            "died": (rng.random(n) < 0.6).astype(int),
        }
    )


def all_deaths_at_one_end() -> pd.DataFrame:
    """24 rows, the deaths those of the six highest values."""
    months = [4 + (7 * i % 23) for i in range(18)] + [5, 9, 3, 12, 7, 10]
    return pd.DataFrame({"marker": range(60, 180, 5), "age": 60, "months": months, "died": [0] * 18 + [1] * 6})


def cut(low: str, high: str) -> str:
    return f'edges = [10.0]\nlabels = ["{low}", "{high}"]\nsource = "set beforehand"'


STUDIES = {
    "two rows": (patients(2), HALVES, 1),
    "five rows": (patients(5), HALVES, 1),
    "one event": (patients(30).assign(died=[1] + [0] * 29), HALVES, 1),
    "deaths at one end": (all_deaths_at_one_end(), HALVES, 10),
    "a marker mostly missing": (patients(40).assign(marker=lambda d: d["marker"].where(d.index < 8)), HALVES, 1),
    "a tiny marker and long labels": (
        patients(40).assign(marker=lambda d: 1e-12 * d["marker"]),
        cut("A" * 200, "B" * 200).replace("10.0", "1e-11"),
        1,
    ),
}
REFUSED = {
    "one row": (patients(1), HALVES, "every edge equals the smallest or the largest of 1 values"),
    "a constant marker": (patients(20).assign(marker=5.0), HALVES, "the marker has too many ties"),
    "no marker": (patients(20).assign(marker=np.nan), HALVES, "marker"),
    "no time": (patients(20).assign(months=np.nan), HALVES, "months"),
}


def written(folder: Path, cohort: pd.DataFrame, strata: str, per: float = 1) -> Path:
    cohort.to_csv(folder / "cohort.csv", index=False)
    path = folder / "plan.toml"
    path.write_text(PLAN.format(strata=strata, per=per), encoding="utf-8")
    return path


@pytest.mark.filterwarnings("error::analysis.errors.PartFailed", "ignore::analysis.errors.NotComputed")
@pytest.mark.parametrize(("cohort", "strata", "per"), STUDIES.values(), ids=STUDIES)
def test_every_part_of_a_report_is_a_result_or_a_foreseen_note(cohort, strata, per, tmp_path, monkeypatch):
    monkeypatch.setattr(explorer_page, "_chart_script", str)  # which needs no cohort
    results = run_study(StudyPlan.from_toml(written(tmp_path, cohort, strata, per)))
    assert len(results.tables["strata"]) == 2
    for figure in results.figures.values():
        figure.draw()
    write_explorer(results.study, tmp_path / "explorer.html")


@pytest.mark.parametrize(("cohort", "strata", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("verb", [["validate"], ["report", "--plan"], ["figures", "--plan"]], ids=lambda verb: verb[0])
def test_what_has_no_report_is_refused_in_words_by_every_verb(
    verb, cohort, strata, said, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*verb, str(written(tmp_path, cohort, strata))]) == 1
    told = capsys.readouterr().err
    assert "fault" in told
    assert said in told
    assert "a fault of this package" not in told


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize(("cohort", "strata", "per"), STUDIES.values(), ids=STUDIES)
def test_validate_ends_well_and_names_endpoint_and_model_of_what_it_cannot_fit(cohort, strata, per, tmp_path, capsys):
    assert cli.main(["validate", str(written(tmp_path, cohort, strata, per))]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    if "Cox model" in told.out:
        assert "note: Overall survival, the" in told.out


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_a_plan_of_a_small_file_ends_in_a_plan_or_in_words(n, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    patients(n).to_csv("cohort.csv", index=False)
    code = cli.main(["plan", "new", "cohort.csv"])
    assert (code == 0) == Path("cohort_plan.toml").is_file()
    assert "a fault of this package" not in capsys.readouterr().err
