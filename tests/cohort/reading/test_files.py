"""Files into cohorts and back: what is read as what, what is refused, and what is said about the rest."""

import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis import (
    COHORT_SCHEMA,
    LABS_SCHEMA,
    CohortError,
    Column,
    Schema,
    SuspiciousValues,
    read_cohort,
    write_cohort,
)
from tests import reference
from tests.cohort.reading.made_files import text_file

# --- What is read as what --------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::analysis.errors.SuspiciousValues")
@pytest.mark.parametrize("dataset", reference.DATASETS)
def test_published_data_are_read_as_pandas_reads_them_to_the_last_digit(dataset):
    pd.testing.assert_frame_equal(read_cohort(reference.FOLDER / f"{dataset}.csv"), reference.rows(dataset))


MG_DL = "\n".join(f"P{place},{1.6 + place / 20},{place},{place % 2}" for place in range(12))
MMOL = "\n".join(f"P{place},{0.7 + place / 100},{place},{place % 2}" for place in range(12))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (f"id,mg_mmol_l,months,event\n{MG_DL}\n", {}, r"'mg_mmol_l': median 1.88 mmol/L looks like mg/dL or mEq/L"),
        (
            f"id,mg,months,event\n{MG_DL}\n",
            {"units": {"mg": "mmol/L"}},
            r"median 1.88 mmol/L looks like mg/dL or mEq/L; read with units=",
        ),
        (
            f"id,mg,months,event\n{MMOL}\n",
            {"units": {"mg": "mg/dL"}},
            r"median 0.755 mg/dL looks like mmol/L; read with units=",
        ),
        (
            "id,mg\n1,18\n2,19\n",
            {"units": {"mg": "mmol/L"}},
            r"median 18.5 fits none of mmol/L, mg/dL, mEq/L; correct the column",
        ),
        (
            "id,os_months,dead\n1,43831,1\n2,44000,0\n",
            {},
            r"time column 'os_months': values such as 43831 are dates .*use time_from_dates",
        ),
        (
            "patient_id,months,dead\nA,1,0\nA,2,1\nB,3,1\n",
            {},
            r"'patient_id': 1 ids stand more than once \(A\) in 2 rows \(2, 3 of the file\).*cluster='patient_id'",
        ),
    ],
)
def test_data_errors_that_would_spoil_every_result_raise(tmp_path, text, options, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(text_file(tmp_path, text), **options)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (f"id,mg,months,event\n{MG_DL}\n", {}, r"'mg': median 1.88 mmol/L looks like mg/dL or mEq/L; read with units="),
        (
            f"id,mg,months,event\n{MMOL}\nX,1.9,1,1\nY,2.0,2,0\n",
            {},
            r"14.3 % of 14 values lie above 1.4 mmol/L, in 2 rows \(14, 15 of the file\); are units mixed",
        ),
        (
            "id,os_months,dead\n1,700,1\n2,30,0\n",
            {},
            r"'os_months': the longest follow-up is 700 months; are the times in days",
        ),
        (
            "id,months,dead\n" + "\n".join(f"{place},{place},1" for place in range(20)),
            {},
            r"event column 'dead' looks like a censoring flag: 100 % of 20 rows",
        ),
        (
            "id,months,censored\n1,2,0\n2,3,1\n",
            {},
            r"event column 'censored' looks like a censoring flag: by its name 0 is the event; .*\{0: 1, 1: 0\}",
        ),
        ("mg,months,dead\n0.8,1,0\n0.8,1,0\n0.9,2,1\n", {}, r"1 row \(3 of the file\) equal an earlier row"),
        ("patient_id,months,dead\nA,1,0\nA,1,0\nB,2,1\n", {}, r"1 row \(3 of the file\) equal an earlier row"),
    ],
)
def test_likely_errors_are_warned_of(tmp_path, text, options, message):
    with pytest.warns(SuspiciousValues, match=message):
        read_cohort(text_file(tmp_path, text), **options)


@pytest.mark.parametrize(
    "text",
    [
        "patient_id,month,magnesium\nA,0,0.8\nA,3,0.7\n",  # repeated measurements, no outcome
        "id,start,stop,event\nA,0,3,0\nA,3,5,1\n",  # spells
        "id,dose_mg,months,dead\n1,100,1,0\n2,200,2,1\n",  # milligrams are no magnesium
        "id,mg_mg_dl,months,dead\n1,1.8,1,0\n2,2.0,2,1\n",  # its name says its unit
        "id,age_years,months,dead\n1,70,1,0\n2,81,2,1\n",
    ],
)
def test_sound_files_are_read_without_a_warning(tmp_path, text):
    assert len(read_cohort(text_file(tmp_path, text))) == 2


# --- Event codes and units --------------------------------------------------------------------------


def test_a_named_unit_is_converted_to_mmol_per_litre(tmp_path):
    path = text_file(tmp_path, "id,mg,mg_later\n1,1.7,1.5\n2,2.4305,\n")
    cohort = read_cohort(path, units={"mg": "mg/dL", "mg_later": "mEq/L"})
    assert cohort["mg"].tolist() == pytest.approx([17 / 24.305, 1.0], rel=1e-15)
    assert cohort["mg_later"].tolist()[0] == 0.75
    assert np.isnan(cohort["mg_later"][1])


# --- With a schema ----------------------------------------------------------------------------------

SCHEMA = Schema(
    "small",
    (
        Column("patient_id", "identifier", "Who."),
        Column("grade", "category", "Grade.", levels=("NA", "1", "2"), required=False),
        Column("mg", "number", "Magnesium.", unit="mmol/L", analyte="magnesium", required=False),
        Column("dead", "indicator", "Death."),
    ),
    key="patient_id",
)


def test_a_schema_decides_what_text_means(tmp_path):
    text = "patient_id,grade,mg,dead,extra\n007,1,0.8,1,x\n008,NA,,0,y\n009,,0.9,TRUE,z\n"
    path = text_file(tmp_path, text.replace("TRUE", "1"))
    cohort = read_cohort(path, schema=SCHEMA)
    assert cohort["patient_id"].tolist() == ["007", "008", "009"]
    assert cohort["grade"].cat.categories.tolist() == ["NA", "1", "2"]
    assert cohort["grade"].astype(object).tolist()[:2] == ["1", "NA"]
    assert cohort["grade"].isna().tolist() == [False, False, True]
    assert (cohort["mg"].dtype, cohort["dead"].dtype) == ("float64", "int64")
    assert cohort["extra"].tolist() == ["x", "y", "z"]


def test_a_schema_tells_all_faults_of_a_file_at_once(tmp_path):
    path = text_file(tmp_path, "patient_id;grade;mg;ded\n1;3;0,8;1\n1;2;0,9;0\n")
    with pytest.raises(CohortError, match="did you mean 'ded'") as caught:
        read_cohort(path, schema=SCHEMA)
    assert len(caught.value.problems) == 4
    for word in ("no column 'dead'", "'3' is none of 'NA', '1', '2'", "first '0,8'", "1 ids stand more than once"):
        assert word in str(caught.value)


def test_the_committed_cohort_is_read_by_its_schema():
    folder = Path(__file__).parents[3] / "data" / "synthetic"
    assert read_cohort(folder / "cohort.csv", schema=COHORT_SCHEMA)["treatment"].dtype == "category"
    assert read_cohort(folder / "magnesium_labs.csv", schema=LABS_SCHEMA)["month"].dtype == "float64"


def test_what_only_saving_a_workbook_would_lose_is_no_warning(tmp_path, recwarn):
    plain, listed = tmp_path / "plain.xlsx", tmp_path / "listed.xlsx"
    write_cohort(pd.DataFrame({"age": [60, 70]}), plain)
    choices = b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>'  # a list of choices
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(listed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"</worksheet>", choices) if "sheet1" in name else content)
    with pytest.warns(UserWarning, match="Data Validation extension"):
        openpyxl.load_workbook(listed)
    recwarn.clear()
    assert read_cohort(listed)["age"].tolist() == [60, 70]
    assert not [one for one in recwarn if one.category is UserWarning]
