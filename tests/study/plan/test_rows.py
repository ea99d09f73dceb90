"""The rows of a plan: conditions that keep some, and a second file beside the first; by hand."""

from __future__ import annotations

import pytest

from analysis import PlanError
from analysis.study.plan.rows import planned_rows
from analysis.study.plan.tables import DataPlan, JoinPlan

PATIENTS = "id,arm\nP1,a\nP2,b\n3,a\n"
SAMPLES = "id,tmb,arm,kind\nP2,7,x,Primary\nP1,4,y,Primary\n 3 ,9,z,Primary\nP9,1,x,Primary\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "patients.csv").write_text(PATIENTS, encoding="utf-8")
    (tmp_path / "samples.csv").write_text(SAMPLES, encoding="utf-8")
    return tmp_path


def rows_of(folder, **options):
    join = options.pop("join", None)
    if join is not None:
        join = JoinPlan(folder / "samples.csv", **{"key": "id", **join})
    table, warned = planned_rows(DataPlan(folder / "patients.csv", join=join, **options))
    return table.frame, "\n".join(map(str, warned))


def test_the_columns_of_a_second_file_stand_beside_their_patients(files):
    frame, said = rows_of(files, join={})
    assert frame["tmb"].tolist() == ["4", "7", "9"]
    assert list(frame.columns) == ["id", "arm", "tmb", "arm (samples)", "kind"]
    assert said == "[data.join] by 'id': 1 of 4 rows of samples.csv are not used"


def test_a_patient_measured_twice_is_named_and_a_condition_settles_it(files):
    twice = SAMPLES + "P1,6,y,Metastasis\n"
    (files / "samples.csv").write_text(twice, encoding="utf-8")
    with pytest.raises(
        PlanError, match=r"samples.csv: 1 values of 'id' stand in several rows \(P1\).*where = .*join\]"
    ):
        rows_of(files, join={})
    frame, said = rows_of(files, join={"where": "kind == 'Primary'"})
    assert frame["tmb"].tolist() == ["4", "7", "9"]
    assert "1 of 5 rows dropped: 1 for [data.join] where" in said


def test_a_patient_without_a_counterpart_has_missing_cells(files):
    frame, said = rows_of(files, join={"where": "tmb > 4"})
    assert frame["tmb"].isna().tolist() == [True, False, False]
    assert "1 of 3 rows have no counterpart in samples.csv" in said


@pytest.mark.parametrize(
    ("samples", "join", "message"),
    [
        (SAMPLES, {"key": "patient"}, "key 'patient' is no column of patients.csv\n.*is no column of samples.csv"),
        ("id,tmb\nQ1,3\n", {}, "no value of 'id' stands in both files"),
        (SAMPLES, {"where": "kind == 'Normal'"}, "keeps none of 4 rows"),
    ],
)
def test_a_join_that_cannot_be_made_is_named(files, samples, join, message):
    (files / "samples.csv").write_text(samples, encoding="utf-8")
    with pytest.raises(PlanError, match=message):
        rows_of(files, join=join)


def test_a_condition_keeps_rows_and_counts_the_others(files):
    frame, said = rows_of(files, where="arm == 'a'")
    assert frame["id"].tolist() == ["P1", "3"]
    assert said == "1 of 3 rows dropped: 1 for [data] where = \"arm == 'a'\""
    with pytest.raises(PlanError, match=r"\[data\] where = .* keeps none of 3 rows"):
        rows_of(files, where="arm == 'c'")
