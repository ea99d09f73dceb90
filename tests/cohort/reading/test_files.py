"""Files into cohorts and back: what is read as what, what is refused, and what is said about the rest."""

import datetime as dt
import string
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import (
    COHORT_SCHEMA,
    LABS_SCHEMA,
    CohortError,
    Column,
    InputError,
    RowsDropped,
    Schema,
    SuspiciousValues,
    read_cohort,
    write_cohort,
)
from tests import reference


def text_file(folder, text, name="cohort.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def excel_file(folder, *rows, sheet="patients", **others):
    """A workbook with one sheet of rows, and others as rows by title; a title ending in _hidden is hidden."""
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for title, cells in others.items():
        added = book.create_sheet(title)
        added.sheet_state = "hidden" if title.endswith("_hidden") else "visible"
        for row in cells:
            added.append(row)
    path = folder / "cohort.xlsx"
    book.save(path)
    return path


# --- What is read as what --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "2"], "int64", [1, 2]),
        (["1", "+2", "-3"], "int64", [1, 2, -3]),
        (["1", ""], "float64", [1.0, None]),
        (["1.0", "2"], "float64", [1.0, 2.0]),
        (["1e3", ".5", "5.", "-2.5E-2"], "float64", [1000.0, 0.5, 5.0, -0.025]),
        (["0.1", "0.30000000000000004"], "float64", [0.1, 0.30000000000000004]),
        (["NA", "n/a", "#N/A", ".", "NaN", " "], "float64", [None] * 6),
        (["1", "NA", "N/A", "NULL", "#N/A", "<NA>"], "float64", [1.0] + [None] * 5),
        (["TRUE", "false", "True"], "bool", [True, False, True]),
        (["TRUE", ""], "boolean", [True, None]),
        (["007", "008"], "object", ["007", "008"]),
        (["12345678901234567", "1"], "object", ["12345678901234567", "1"]),
        (["1_000", "2"], "object", ["1_000", "2"]),
        (["a", "", "b"], "object", ["a", None, "b"]),
        (["None", "liver", "brain"], "object", ["None", "liver", "brain"]),
        (["3a", "3b", "4"], "object", ["3a", "3b", "4"]),
        ([" a", "b "], "object", [" a", "b "]),
        (["'=1+1", "'-5", "'x", "''y"], "object", ["=1+1", "-5", "'x", "'y"]),
        (["2024-01-31", ""], "datetime64[ns]", [pd.Timestamp(2024, 1, 31), None]),
        (
            ["2024-01-31T10:30:00", "2024-02-01 00:00"],
            "datetime64[ns]",
            [pd.Timestamp(2024, 1, 31, 10, 30), pd.Timestamp(2024, 2, 1)],
        ),
        (["<65", ">=65"], "object", ["<65", ">=65"]),
    ],
)
def test_cells_take_the_plainest_type_that_keeps_them(tmp_path, cells, dtype, values):
    rows = "\n".join(f"{place},{cell}" for place, cell in enumerate(cells))
    column = read_cohort(text_file(tmp_path, f"row,x\n{rows}\n"))["x"]
    assert column.dtype == dtype
    assert column.isna().tolist() == [value is None for value in values]
    assert [value for value in column if not pd.isna(value)] == [value for value in values if value is not None]


@pytest.mark.filterwarnings("ignore::analysis.errors.SuspiciousValues")
@pytest.mark.parametrize("dataset", reference.DATASETS)
def test_published_data_are_read_as_pandas_reads_them_to_the_last_digit(dataset):
    pd.testing.assert_frame_equal(read_cohort(reference.FOLDER / f"{dataset}.csv"), reference.rows(dataset))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("id,mg\na,0.82\nb,0.75\n", {}),
        ("id;mg\na;0.82\nb;0.75\n", {}),
        ("id\tmg\na\t0.82\nb\t0.75\n", {}),
        ("id|mg\na|0.82\nb|0.75\n", {}),
        ("id;mg\na;0,82\nb;0,75\n", {"decimal": ","}),
        ('id,mg\na,"0,82"\nb,"0,75"\n', {"decimal": ","}),
        ("id,mg\r\na,0.82\r\nb,0.75\r\n", {}),
        ("\ufeffid,mg\na,0.82\nb,0.75\n", {}),
        ("\ufeffid,mg\na,0.82\nb,0.75\n", {"encoding": "utf-8"}),
        ("id,mg\na,0.82\n\nb,0.75\n\n", {}),
        ("id,mg,\na,0.82,\nb,0.75,\n", {}),
        (",id,mg\n1,a,0.82\n2,b,0.75\n", {}),
        (",id,mg\n0,a,0.82\n1,b,0.75\n", {}),
        ("id:mg\na:0.82\nb:0.75\n", {"sep": ":"}),
    ],
)
@pytest.mark.filterwarnings("ignore:1 columns without a name left out:analysis.errors.SuspiciousValues")
def test_spreadsheets_exports_of_all_kinds_are_one_cohort(tmp_path, text, options):
    expected = pd.DataFrame({"id": ["a", "b"], "mg": [0.82, 0.75]})
    pd.testing.assert_frame_equal(read_cohort(text_file(tmp_path, text), **options), expected)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "latin-1"])
def test_other_encodings_are_read_when_named(tmp_path, encoding):
    path = text_file(tmp_path, "id,sex\n1,Männlich\n", encoding=encoding)
    assert read_cohort(path, encoding=encoding)["sex"].tolist() == ["Männlich"]


def test_names_of_columns_are_kept_as_they_are(tmp_path):
    cohort = read_cohort(text_file(tmp_path, 'Mg²⁺ (mmol/L), os months,"a,b",2020\n0.8,1,2,3\n'))
    assert cohort.columns.tolist() == ["Mg²⁺ (mmol/L)", " os months", "a,b", "2020"]


@pytest.mark.parametrize("name", ["cohort.tsv", "cohort.tab", "cohort.txt", "COHORT.CSV"])
def test_every_suffix_of_text_is_read(tmp_path, name):
    assert read_cohort(text_file(tmp_path, "id\tmg\n1\t0.8\n", name)).columns.tolist() == ["id", "mg"]


def test_parquet_keeps_its_types_and_brings_its_named_index(tmp_path):
    cohort = pd.DataFrame(
        {
            "patient_id": ["a", "b"],
            "seen": pd.to_datetime(["2024-01-31", "2024-02-01"]),
            "n": pd.array([1, None], dtype="Int64"),
        }
    )
    cohort.set_index("patient_id").to_parquet(tmp_path / "cohort.parquet")
    pd.testing.assert_frame_equal(read_cohort(tmp_path / "cohort.parquet"), cohort)


# --- What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        # semicolons, decimal commas, ragged rows
        ("a;b\n1;2\n", {"sep": ","}, r"one column found \('a;b'\); sep=';'\?"),
        (
            "id,mg\n1,0,82\n2,0,75\n",
            {},
            r"header has 2 fields, but not 2 rows \(first: row 1, 3 fields\).*decimal=\",\"",
        ),
        (
            "id;mg\n1;0,82\n2;0,75\n",
            {},
            r"column 'mg': text in a numeric column, first '0,82'.*read with decimal=\",\"",
        ),
        ("id;mg\n1;0.82\n2;0,75\n", {}, r"first '0,75'"),
        ("id;mg\n1;0.82\n2;0.75\n", {"decimal": ","}, r"first '0.82' .*read with decimal=\".\""),
        ("id,mg\n1,0.8,x\n2,0.7\n", {"sep": ","}, r"not 1 rows \(first: row 1, 3 fields\)"),
        # values beyond a limit
        ("id,mg\n1,<0.5\n2,0.75\n3,>2.0\n", {}, r"column 'mg': .*first '<0.5' \('<0.5', '>2.0'\).*limits=\"bound\""),
        ("id,mg\n1,< 0.5\n2,0.75\n3,≤0.4\n", {}, r"'< 0.5', '≤0.4'"),
        # names
        ("t,t,mg\n1,2,3\n", {}, r"column names stand more than once: 't'; rename them"),
        ("id,,mg\n1,x,3\n2,y,4\n", {}, r"column 2 has no name"),
        ("1,0.8\n2,0.9\n", {}, r"the first row holds numbers \(1, 0.8\); it must name the columns"),
        # nothing there
        ("", {}, r"cohort.csv is empty"),
        ("\n\n", {}, r"cohort.csv is empty"),
        ("id,mg\n", {}, r"names in its first row, but no rows below"),
        ("id,mg\n,\n", {}, r"no rows below"),
        # quotes
        ('id,mg\n1,"0.8\n2,0.9\n', {}, r"cannot be parsed with sep=','"),
        # options
        ("id,mg\n1,2\n", {"decimal": "'"}, r"decimal=\"'\"; choose one of '.', ','"),
        ("id,mg\n1,2\n", {"limits": "half"}, r"limits='half'; choose one of 'error', 'bound', 'missing'"),
        ("id,mg\n1,2\n", {"sheet": "a"}, r"sheet='a' is for Excel files; cohort.csv is text"),
        ("id,mg\n1,2\n", {"encoding": "klingon"}, r"encoding='klingon' is unknown"),
        ("id,mg\n1,2\n", {"sep": ", "}, r"cannot be parsed with sep=', '"),
        ("id,mg\n1,0.8\n", {"units": {"mgg": "mg/dL"}}, r"units: no column 'mgg'; did you mean 'mg'\?"),
        ("id,mg\n1,0.8\n", {"units": {"mg": "mg/L"}}, r"units: column 'mg': unit='mg/L' is no unit of magnesium"),
        ("id,mg\n1,high\n", {"units": {"mg": "mg/dL"}}, r"units: column 'mg': .*values are not numbers \('high'\)"),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read_cohort(text_file(tmp_path, text), **options)


def test_faults_of_all_columns_are_told_at_once(tmp_path):
    with pytest.raises(CohortError, match="'mg'") as caught:
        read_cohort(
            text_file(tmp_path, "id;mg;crp;ldh\n1;0,82;<1;2\n2;0,7;5;3\n"),
            event_codes={"gone": {1: 0}},
            units={"x": "mg/dL"},
        )
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "event_codes",
        "column 'mg'",
        "column 'crp'",
        "units",
    ]


def test_a_missing_file_names_the_nearest(tmp_path):
    text_file(tmp_path, "id\n1\n", "cohort_2024.csv")
    with pytest.raises(CohortError, match=r"no file .*cohort_2023.csv; did you mean 'cohort_2024.csv'\?"):
        read_cohort(tmp_path / "cohort_2023.csv")
    with pytest.raises(CohortError, match=r"is a folder; give a file"):
        read_cohort(tmp_path)
    with pytest.raises(CohortError, match=r"no file "):
        read_cohort(tmp_path / "nowhere" / "cohort.csv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cohort.xls", r"'.xls' are not supported; save it as .xlsx"),
        ("cohort.sav", r"'.sav' are not supported; use one of .csv"),
    ],
)
def test_other_kinds_of_files_are_refused_with_advice(tmp_path, name, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(text_file(tmp_path, "x", name))
    with pytest.raises(CohortError, match=message):
        write_cohort(pd.DataFrame({"x": [1]}), tmp_path / name)


@pytest.mark.parametrize(("name", "kind"), [("cohort.xlsx", "an Excel"), ("cohort.parquet", "a Parquet")])
def test_broken_files_are_refused_in_words(tmp_path, name, kind):
    with pytest.raises(CohortError, match=rf"{name} cannot be opened as {kind} file"):
        read_cohort(text_file(tmp_path, "neither", name))


@pytest.mark.parametrize(
    ("encoding", "options", "message"),
    [
        ("cp1252", {}, r"is not UTF-8 \(byte 0xe4 in line 2\); read it with encoding=\"cp1252\""),
        ("utf-16", {}, r"is UTF-16; read it with encoding=\"utf-16\""),
        ("cp1252", {"encoding": "ascii"}, r"is not ascii .*try another encoding="),
    ],
)
def test_text_in_another_encoding_is_refused_with_advice(tmp_path, encoding, options, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(text_file(tmp_path, "id,sex\n1,Männlich\n", encoding=encoding), **options)


# --- Excel ------------------------------------------------------------------------------------------


def test_excel_cells_keep_their_types(tmp_path):
    path = excel_file(
        tmp_path,
        ["id", "mg", "seen", "dead", "note"],
        ["a", 0.82, dt.datetime(2024, 1, 31), True, "'=x"],
        ["b", "#N/A", dt.datetime(2024, 2, 1), False, None],
        ["c", 1, None, None, "y"],
    )
    cohort = read_cohort(path)
    assert cohort["mg"].tolist()[::2] == [0.82, 1.0]
    assert np.isnan(cohort["mg"][1])
    assert cohort["seen"].dtype == "datetime64[ns]"
    assert cohort["dead"].tolist() == [True, False, pd.NA]
    assert cohort["note"].tolist()[::2] == ["=x", "y"]


def test_empty_rows_of_a_sheet_are_dropped_and_counted(tmp_path):
    path = excel_file(tmp_path, [], ["id", "mg", " "], [1, 0.8], [None, None], ["", " "], [2, 0.9])
    with pytest.warns() as caught:
        cohort = read_cohort(path)
    assert cohort["id"].tolist() == [1, 2]
    assert [str(warning.message) for warning in caught] == [
        "2 of 4 rows dropped: 2 for no value in any column",
        "1 columns without a name left out: empty, or row numbers",
    ]
    assert caught[0].category is RowsDropped


def test_one_of_several_sheets_must_be_named(tmp_path):
    path = excel_file(tmp_path, ["id"], [1], labs=[["x"], [2]], old_hidden=[["y"], [3]])
    with pytest.raises(CohortError, match=r"has 2 sheets \('patients', 'labs'\); choose one with sheet="):
        read_cohort(path)
    with pytest.raises(CohortError, match=r"no sheet 'lab'; its sheets: 'patients', 'labs', 'old_hidden'"):
        read_cohort(path, sheet="lab")
    assert read_cohort(path, sheet="labs").columns.tolist() == ["x"]
    assert read_cohort(path, sheet="old_hidden").columns.tolist() == ["y"]
    assert read_cohort(path, sheet=1).columns.tolist() == ["x"]


def test_a_hidden_sheet_is_no_choice(tmp_path):
    assert read_cohort(excel_file(tmp_path, ["id"], [1], old_hidden=[["y"], [3]])).columns.tolist() == ["id"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["labs", None, "outcome"], ["mg", "crp", "months"], [0.8, 1, 2]], r"column 2 has no name"),
        ([["id", "id"], [1, 2]], r"names stand more than once: 'id'"),
        ([["id", "mg"], [1, "0,82"], [2, 0.9]], r"column 'mg': text in a numeric column, first '0,82'"),
        ([["id", "mg"], [1, "<0.5"], [2, 0.9]], r"first '<0.5'"),
        ([], r"cohort.xlsx is empty"),
        ([["id"]], r"no rows below"),
    ],
)
def test_sheets_that_cannot_be_read_say_why(tmp_path, rows, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(excel_file(tmp_path, *rows))


# --- What is said -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message", "values"),
    [
        (["1", 2.5], r"column 'x': 1 numbers were stored as text and are read as numbers", [1.0, 2.5]),
        (["#DIV/0!", 2.5], r"column 'x': 1 formula errors \(#DIV/0!\) set missing", [np.nan, 2.5]),
        (["male", "Male "], r"column 'x': labels differ only by case or blanks: 'male', 'Male '", ["male", "Male "]),
        (
            ["31.01.2024", "1.2.2024"],
            r"dates such as '31.01.2024' have two readings, kept as text",
            ["31.01.2024", "1.2.2024"],
        ),
        (["2024-02-30", "2024-02-28"], r"column 'x': dates kept as text", ["2024-02-30", "2024-02-28"]),
        (
            [*range(20), "lost"],
            r"column 'x': 20 numbers and 1 other values \('lost'\), kept as text",
            [*map(str, range(20)), "lost"],
        ),
    ],
)
def test_more_than_parsing_is_told(tmp_path, rows, message, values):
    path = excel_file(tmp_path, ["id", "x"], *([f"P{place}", cell] for place, cell in enumerate(rows)))
    with pytest.warns(SuspiciousValues, match=message):
        cohort = read_cohort(path)
    assert cohort["x"].fillna("missing").tolist() == ["missing" if value != value else value for value in values]


@pytest.mark.parametrize(("limits", "first"), [("bound", 0.5), ("missing", None)])
def test_values_beyond_a_limit_become_what_was_asked_for(tmp_path, limits, first):
    with pytest.warns(SuspiciousValues, match=r"column 'crp': 1 values beyond a limit \('<0,5'\) set"):
        cohort = read_cohort(text_file(tmp_path, "id;crp\n1;<0,5\n2;3\n"), decimal=",", limits=limits)
    assert cohort["crp"].replace({np.nan: None}).tolist() == [first, 3.0]


MG_DL = "\n".join(f"P{place},{1.6 + place / 20},{place},{place % 2}" for place in range(12))
MMOL = "\n".join(f"P{place},{0.7 + place / 100},{place},{place % 2}" for place in range(12))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (f"id,mg_mmol_l,months,event\n{MG_DL}\n", {}, r"'mg_mmol_l': median 1.88 mmol/L looks like mg/dL or mEq/L"),
        (
            f"id,mg,months,event\n{MG_DL}\n",
            {"units": {"mg": "mmol/L"}},
            r"median 1.88 mmol/L looks like mg/dL or mEq/L; set units=",
        ),
        (
            f"id,mg,months,event\n{MMOL}\n",
            {"units": {"mg": "mg/dL"}},
            r"median 0.755 mg/dL looks like mmol/L; set units=",
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
            r"'patient_id': 1 ids stand more than once \(A\) in 2 rows \(1, 2\).*cluster='patient_id'",
        ),
    ],
)
def test_slips_that_would_spoil_every_result_are_refused(tmp_path, text, options, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(text_file(tmp_path, text), **options)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (f"id,mg,months,event\n{MG_DL}\n", {}, r"'mg': median 1.88 mmol/L looks like mg/dL or mEq/L; set units="),
        (
            f"id,mg,months,event\n{MMOL}\nX,1.9,1,1\nY,2.0,2,0\n",
            {},
            r"14.3 % of 14 values lie above 1.4 mmol/L, in 2 rows \(13, 14\); are units mixed",
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
        ("mg,months,dead\n0.8,1,0\n0.8,1,0\n0.9,2,1\n", {}, r"1 row \(2\) equal an earlier row"),
        ("patient_id,months,dead\nA,1,0\nA,1,0\nB,2,1\n", {}, r"1 row \(2\) equal an earlier row"),
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
def test_sound_files_are_read_without_a_word(tmp_path, text):
    assert len(read_cohort(text_file(tmp_path, text))) == 2


# --- Event codes and units --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "codes", "expected"),
    [
        (["1", "2", "2"], {1: 0, 2: 1}, [0, 1, 1]),
        (["1", "2", "2"], {"1": 0, "2": 1}, [0, 1, 1]),
        (["0", "1", "1"], {0: 1, 1: 0}, [1, 0, 0]),
        (["0", "1", "1"], {"0": 0, "1": 1}, [0, 1, 1]),
        (["1.0", "2.0", "2.0"], {1: False, 2: True}, [0, 1, 1]),
        (["dead", "alive", "dead"], {"dead": 1, "alive": 0}, [1, 0, 1]),
        (["dead ", "alive", "dead"], {"dead": 1, "alive": 0}, [1, 0, 1]),
        (["dead", "alive", "NA"], {"dead": 1, "alive": 0}, [1, 0, None]),
        (["TRUE", "FALSE", "TRUE"], {True: 1, False: 0}, [1, 0, 1]),
        (["2", "2", "2"], {1: 0, 2: 1}, [1, 1, 1]),
        (["lost", "dead", "relapse"], {"status": {"lost": 0, "relapse": 1, "dead": 2}}, [0, 2, 1]),
        (["1", "2", "2"], {"status": {1: 0, 2: 1}}, [0, 1, 1]),
    ],
)
def test_event_codes_map_what_they_name(tmp_path, cells, codes, expected):
    rows = "\n".join(f"P{place},{place + 5},{cell}" for place, cell in enumerate(cells))
    column = read_cohort(text_file(tmp_path, f"id,months,status\n{rows}\n"), event_codes=codes)["status"]
    assert column.dtype == ("float64" if None in expected else "int64")
    assert column.replace({np.nan: None}).tolist() == expected


def test_a_flat_mapping_finds_the_event_among_columns_with_the_same_codes(tmp_path):
    lung = read_cohort(reference.FOLDER / "lung.csv", event_codes={1: 0, 2: 1})
    assert lung["status"].tolist() == reference.rows("lung")["event"].tolist()
    assert set(lung["sex"]) == {1, 2}


def test_a_flat_mapping_takes_every_event_column_that_holds_its_codes(tmp_path):
    text = "id,os_status,pfs_status,grade\n1,1,2,1\n2,2,1,2\n"
    cohort = read_cohort(text_file(tmp_path, text), event_codes={1: 0, 2: 1})
    assert cohort[["os_status", "pfs_status", "grade"]].to_numpy().tolist() == [[0, 1, 1], [1, 0, 2]]


@pytest.mark.parametrize(
    ("text", "codes", "message"),
    [
        (
            "id,a,b\n1,1,2\n2,2,1\n",
            {1: 0, 2: 1},
            r"columns 'id', 'a', 'b' all hold the codes 1, 2; say which .*event_codes=\{'id': \{1: 0, 2: 1\}\}",
        ),
        (
            "id,status\n7,0\n8,3\n",
            {1: 0, 2: 1},
            r"no event column holds just the codes 1, 2: 'status' holds 0, 3; say which",
        ),
        (
            "id,status\n7,1\n8,3\n",
            {"status": {1: 0, 2: 1}},
            r"column 'status' holds '3' in 1 rows; give every value a code",
        ),
        ("id,status\n7,1\n8,3\n", {"statsu": {1: 0}}, r"event_codes: no column 'statsu'; did you mean 'status'\?"),
        ("id,status\n7,1\n8,2\n", {"status": {1: 0, 2: "dead"}}, r"'dead': map to 0 \(censored\) and 1 \(event\)"),
        ("id,status\n7,1\n8,2\n", {1: 0, 2: -1}, r"-1: map to 0"),
        ("id,status\n7,1\n8,2\n", {}, None),
        (
            "sex,dead\n1,0\n2,1\n",
            {1: 0, 2: 1},
            r"no event column holds just the codes 1, 2: 'dead' holds 0, 1; say which",
        ),
        ("id,x\n7,1\n8,2\n", {"a": 0, "b": 1}, r"no column holds just the codes 'a', 'b'; columns: id, x"),
        ("id,status\n7,1\n8,2\n", {"status": {1: 0}, 2: 1}, r"give \{code: 0 or 1\}, or \{column: \{code: 0 or 1\}\}"),
        ("id,status\n7,Dead\n8,alive\n", {"status": {"dead": 1, "alive": 0}}, r"holds 'Dead' in 1 rows"),
    ],
)
def test_event_codes_that_do_not_fit_say_why(tmp_path, text, codes, message):
    path = text_file(tmp_path, text)
    if message is None:
        assert read_cohort(path, event_codes=codes)["status"].tolist() == [1, 2]
        return
    with pytest.raises(CohortError, match=message):
        read_cohort(path, event_codes=codes)


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


# --- There and back ---------------------------------------------------------------------------------

# words that are a missing value, a number, a boolean or a formula's error wherever they stand
WORDS = {"na", "n/a", "#n/a", "#na", "<na>", "nan", "nat", "null", ".", "inf", "infinity", "true", "false"}
WORDS |= {"#value!", "#ref!", "#name?", "#num!", "#null!"}
TEXT = st.text(st.sampled_from(string.ascii_letters + string.punctuation + " äß²⁺\n\t"), min_size=1, max_size=8).filter(
    lambda text: text.strip() and text.strip().lower().lstrip("+-") not in WORDS
)
NUMBERS = st.floats(-1e300, 1e300)
COLUMNS = {
    "text": st.one_of(st.none(), TEXT),
    "number": st.one_of(st.none(), NUMBERS),
    "whole": st.integers(-(10**14), 10**14),
    "flag": st.booleans(),
    "seen": st.one_of(
        st.none(),
        st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2200, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    ),
}


@pytest.mark.filterwarnings("ignore::analysis.errors.SuspiciousValues")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=12),
    suffix=st.sampled_from(["csv", "tsv", "xlsx", "parquet"]),
)
def test_what_is_written_is_read_again(tmp_path, rows, suffix):
    cohort = pd.DataFrame(rows)
    cohort["text"] = cohort["text"].astype(object).where(cohort["text"].notna(), np.nan)
    cohort["number"] = cohort["number"].astype("float64")
    cohort["seen"] = cohort["seen"].astype("datetime64[ns]")
    cohort.insert(0, "patient_id", [f"P{place}" for place in range(len(cohort))])
    before = cohort.copy(deep=True)
    path = tmp_path / f"cohort.{suffix}"
    write_cohort(cohort, path)
    pd.testing.assert_frame_equal(cohort, before)
    again = read_cohort(path)
    assert again.columns.tolist() == cohort.columns.tolist()
    # a workbook keeps 16 digits, every other file all of them
    np.testing.assert_allclose(
        again["number"].astype("float64"), cohort["number"], rtol=1e-15 if suffix == "xlsx" else 0, atol=1e-300
    )
    for name in cohort.columns.drop("number"):
        if cohort[name].isna().all():
            assert again[name].isna().all()
        else:
            pd.testing.assert_series_equal(again[name], cohort[name])


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_text_that_a_spreadsheet_would_run_is_written_with_an_apostrophe(tmp_path, suffix):
    cohort = pd.DataFrame({"note": ["=1+1", "+1", "-1", "@x", "'y", "z"], "=name": [-1.5, 2, 3, 4, 5, 6]})
    path = tmp_path / f"cohort.{suffix}"
    write_cohort(cohort, path)
    raw = pd.read_csv(path) if suffix == "csv" else pd.read_excel(path)
    assert raw.iloc[:, 0].tolist() == ["'=1+1", "'+1", "'-1", "'@x", "''y", "z"]
    assert raw.columns.tolist() == ["note", "'=name"]
    assert raw.iloc[0, 1] == -1.5
    pd.testing.assert_frame_equal(read_cohort(path), cohort)


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"column 'a' stands 2 times"),
        (pd.DataFrame({0: [1]}), r"column name 0 is no text"),
        (pd.DataFrame({"a": []}), r"no rows"),
    ],
)
def test_frames_that_no_file_can_hold_are_refused(tmp_path, cohort, message):
    with pytest.raises(CohortError, match=message):
        write_cohort(cohort, tmp_path / "cohort.csv")


@pytest.mark.parametrize(
    ("values", "kind", "held"),
    [
        (pd.Series([1, "a", None], dtype=object), "object", "int, str"),
        (pd.Series([Decimal("1.5"), 2.0, None], dtype=object), "object", "Decimal, float"),
        (pd.Series(pd.arrays.SparseArray([1.0, 0.0, 0.0])), r"Sparse\[float64, nan\]", "float64"),
        (pd.Series([1, 2, 3], dtype=np.longdouble), "float128|longdouble", "longdouble"),
        (pd.Series([1j, 2, 3]), "complex128", "complex"),
        (pd.Series([10**40, 1, 2], dtype=object), "object", "int"),
        (pd.Series([pd.Interval(0, 1)] * 3, dtype=object), "object", "Interval"),
    ],
)
def test_a_column_that_parquet_cannot_hold_is_named_and_nothing_is_written(tmp_path, values, kind, held):
    path = tmp_path / "cohort.parquet"
    write_cohort(pd.DataFrame({"kept": [1, 2, 3]}), path)
    before = path.read_bytes()
    words = rf"column 'x' \(({kind}), holding {held}\) cannot be written to Parquet \(.*\); make it numbers"
    with pytest.raises(CohortError, match=words):
        write_cohort(pd.DataFrame({"good": [1.0, 2.0, 3.0], "x": values}), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["cohort.parquet"]


def test_excel_refuses_times_with_a_zone_and_control_characters_by_column(tmp_path):
    when = pd.to_datetime(["2024-01-31"]).tz_localize("UTC")
    with pytest.raises(CohortError, match=r"column 'when' .*\ncolumn 'note' .*cannot be written to Excel"):
        write_cohort(pd.DataFrame({"when": when, "note": ["\x01"]}), tmp_path / "cohort.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_no_other_format_imports_openpyxl(tmp_path, suffix, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl.utils.exceptions", None)  # an import of it raises
    frame = pd.DataFrame({"x": [1.5, 2.5]})
    write_cohort(frame, tmp_path / f"x.{suffix}")
    pd.testing.assert_frame_equal(read_cohort(tmp_path / f"x.{suffix}"), frame)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1_048_576, 1), r"x.xlsx: the cohort's 1,048,576 are more than the 1,048,575 rows .* write it to .csv or"),
        ((1, 16_385), r"x.xlsx: the cohort's 16,385 are more than the 16,384 columns"),
    ],
)
def test_a_cohort_that_no_sheet_has_room_for_is_refused_before_it_is_written(tmp_path, shape, message, monkeypatch):
    frame = pd.DataFrame(np.zeros(shape), columns=[f"x{place}" for place in range(shape[1])])
    monkeypatch.setattr(pd.DataFrame, "to_excel", None)
    with pytest.raises(CohortError, match=message):
        write_cohort(frame, tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())
