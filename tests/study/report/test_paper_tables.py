"""The tables of a paper from a study: the same numbers as everywhere else, and labels that come through Word."""

from __future__ import annotations

import sys
import warnings

import pandas as pd
import pytest

from analysis import StudyPlan, load_example, synthetic_plan, write_cohort
from analysis.errors import AnalysisWarning, NotComputed
from analysis.study.outputs.write import word_tables, write_word_tables
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyResults
from analysis.study.report.sections.cohort import cohort_section, column_table
from analysis.study.report.sections.models import models_section
from analysis.study.report.sections.survival import medians, survival_section
from analysis.survival.curves.kaplan_meier import kaplan_meier

HOSTILE = '=<b>α & "Ω" 50%, $5 naïve\'</b>'

PLAN = """[data]
path = "cohort.csv"
[marker]
column = "age"
label = {label}
unit = "years"
per = 10
direction = "higher"
[strata]
edges = [63]
labels = [{label}, "older"]
source = "here"
[[endpoints]]
name = {label}
duration = "os_days"
event = "os_event"
entry = "entry"
time_unit = "days"
[model]
covariates = ["weight_loss"]
strata = "sex"
"""


def built(study, *sections):
    """Sections without what they warn of, which other tests look at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnalysisWarning)
        return tuple(build(study) for build in sections)


@pytest.fixture(scope="module")
def results():
    study = prepare_study(synthetic_plan())
    return StudyResults(study, (), built(study, cohort_section, survival_section, models_section))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The lung cohort with late entry and covariates missing, its marker, stratum and endpoint named with malice."""
    folder = tmp_path_factory.mktemp("hostile")
    lung = load_example("lung")
    write_cohort(lung.assign(entry=(lung.index % 3) * 2.0), folder / "cohort.csv")
    quoted = '"' + HOSTILE.replace('"', '\\"') + '"'
    (folder / "plan.toml").write_text(PLAN.replace("{label}", quoted), encoding="utf-8")
    study = prepare_study(StudyPlan.from_toml(folder / "plan.toml"))
    return StudyResults(study, (), built(study, survival_section, models_section))


def test_the_survival_table_repeats_medians_milestones_and_means(results):
    tables = results.tables
    for endpoint in ("overall-survival", "progression-free-survival"):
        table = tables[f"{endpoint}-survival-table"].set_index(["estimate", "stratum", "time"])
        for kind, name, column in (
            ("median", "medians", "median"),
            ("survival", "milestones", "survival"),
            ("restricted mean", "restricted-means", "restricted_mean"),
        ):
            mine, other = table.loc[kind], tables[f"{endpoint}-{name}"]
            assert mine["value"].tolist() == other[column].tolist()
            assert mine["conf_low"].tolist() == other["conf_low"].tolist()


def test_the_hazard_ratios_are_those_of_the_models_with_a_reference_row(results):
    tables = results.tables
    table = tables["hazard-ratio-table"]
    assert table[~table["reference"]]["hazard_ratio"].tolist() == tables["hazard-ratios"]["hazard_ratio"].tolist()
    reference = table[table["reference"]]
    assert (reference["hazard_ratio"] == 1).all()
    assert reference[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert len(reference) == 2 * 2


def test_counts_are_of_rows_even_with_late_entry(hostile):
    study = hostile.study
    endpoint = study.primary
    counts = study.cohort.groupby(study.stratum_column, observed=True)[endpoint.event].agg(["size", "sum"])
    found = medians(study, endpoint, kaplan_meier(study.cohort, endpoint, by=study.stratum_column))
    assert found[["n", "n_event"]].to_numpy().tolist() == counts.to_numpy().tolist()
    table = hostile.tables["hazard-ratio-table"]
    strata = table[table["marker"] == "strata"]
    totals = strata.groupby("adjustment")[["n", "n_event"]].sum()
    models = hostile.tables["hazard-ratios"].groupby("adjustment")[["n", "n_event"]].max()
    pd.testing.assert_frame_equal(totals, models)
    assert models.loc["adjusted", "n"] < models.loc["crude", "n"]


def test_the_note_says_when_adjusted_models_rest_on_fewer_patients(hostile):
    blocks = [block for section in hostile.sections for block in section.blocks]
    note = next(block.note for block in blocks if getattr(block, "name", "") == "hazard-ratio-table")
    used = hostile.tables["hazard-ratios"].groupby("adjustment")[["n", "n_event"]].max().loc["adjusted"]
    assert f"{used['n']} ({used['n_event']} events)" in note


def test_the_word_file_holds_the_tables_of_a_paper_in_order(results):
    names = [block.name for block in word_tables(results)]
    assert names[:2] == ["table-1", "overall-survival-survival-table"]
    assert {"hazard-ratio-table", "overall-survival-model"} <= set(names)


def test_labels_come_through_word_unharmed(hostile, tmp_path):
    docx = pytest.importorskip("docx", reason="python-docx (the extra word) is not installed")
    document = docx.Document(str(write_word_tables(hostile, tmp_path / "tables.docx")))
    cells = {cell.text for table in document.tables for row in table.rows for cell in row.cells}
    assert HOSTILE in cells
    assert any(text.startswith(f"{HOSTILE} (< 63") for text in cells)
    assert any(HOSTILE in paragraph.text for paragraph in document.paragraphs)


def test_without_tables_or_python_docx_there_is_no_file(results, tmp_path, monkeypatch):
    assert write_word_tables(StudyResults(results.study, (), ()), tmp_path / "tables.docx") is None
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.warns(NotComputed, match=r"tables.docx is not written.*magnesium-survival\[word\]"):
        assert write_word_tables(results, tmp_path / "tables.docx") is None
    assert not list(tmp_path.iterdir())


def test_every_column_of_the_plan_has_its_role_and_what_is_missing(results):
    table = column_table(results.study).set_index("column")
    assert table.loc["magnesium"].tolist() == ["Serum magnesium", "mmol/L", "number", "marker", 42]
    assert table.loc["os_months", ["unit", "role"]].tolist() == ["months", "endpoint: time of Overall survival"]
    assert table.loc["ppi", ["type", "role"]].tolist() == ["0 or 1", "covariate; subgroup"]
    assert table.loc["treatment", "role"] == "stratum; subgroup"
    assert table.loc["site", "role"] == "site"
    assert table.loc["patient_id", "role"] == "key"
    assert set(table.index) <= set(results.study.cohort.columns)


def test_columns_of_any_kind_are_described(hostile):
    table = column_table(hostile.study).set_index("column")
    assert table.loc["entry", "role"] == f"endpoint: entry of {HOSTILE}"
    assert table.loc["entry", "unit"] == "days"
    assert table.loc["weight_loss", "n_missing"] == 14
    assert table.loc["weight_loss", "type"] == "whole number"
