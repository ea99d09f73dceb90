"""Files that type their columns: the cohort is that of plain CSV, with labels for codes and dates for days."""

import datetime as dt
import json
import sys

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from analysis import CohortError, InputError, NotSupported, SuspiciousValues, read_cohort

PLAIN = pd.DataFrame(
    {
        "patient": ["P1", "P2", "P3"],
        "magnesium": [0.82, 0.71, 0.9],
        "sex": ["male", "female", "male"],
        "age": [61, 70, 55],
        "seen": pd.to_datetime(["2024-01-31", "2023-05-14", "2022-12-01"]),
    }
)
CODED = PLAIN.assign(sex=[1, 2, 1])
LABELS = {"sex": {1: "male", 2: "female"}}
NAMES = {"magnesium": "Serum magnesium (mmol/L)"}


def written(folder, suffix, frame=CODED, **options):
    """A file of one of the formats."""
    path = folder / f"cohort.{suffix}"
    if suffix == "dta":
        frame.to_stata(
            path, write_index=False, variable_labels=NAMES, value_labels=LABELS, convert_dates={"seen": "td"}
        )
    elif suffix in ("sav", "zsav"):
        days = frame.assign(seen=frame["seen"].dt.date)
        pyreadstat.write_sav(days, path, column_labels=NAMES, variable_value_labels=LABELS, **options)
    elif suffix == "xpt":
        days = frame.assign(seen=frame["seen"].dt.date)
        pyreadstat.write_xport(days, path, column_labels=NAMES, **options)
    return path


@pytest.mark.parametrize("suffix", ["dta", "sav", "zsav"])
def test_labels_stand_for_codes_and_dates_for_days(tmp_path, suffix):
    cohort = read_cohort(written(tmp_path, suffix))
    pd.testing.assert_frame_equal(cohort, PLAIN)
    assert cohort.attrs["labels"] == NAMES


def test_a_transport_file_of_sas_has_dates_and_labels_of_columns(tmp_path):
    cohort = read_cohort(written(tmp_path, "xpt"))
    pd.testing.assert_frame_equal(cohort, CODED)
    assert cohort.attrs["labels"] == NAMES


def test_single_precision_is_read_by_its_shortest_decimals(tmp_path):
    single = CODED.assign(magnesium=CODED["magnesium"].astype(np.float32))
    assert read_cohort(written(tmp_path, "dta", single))["magnesium"].tolist() == [0.82, 0.71, 0.9]


def test_labels_that_stata_repeats_are_left_out_with_a_note(tmp_path):
    path = tmp_path / "cohort.dta"
    CODED[["patient", "sex"]].to_stata(path, write_index=False, value_labels={"sex": {1: "same", 2: "same"}})
    with pytest.warns(SuspiciousValues, match=r"labels of values left out \(Value labels for column sex are not"):
        assert read_cohort(path)["sex"].tolist() == [1, 2, 1]


def test_feather_and_parquet_keep_their_types(tmp_path):
    PLAIN.to_feather(tmp_path / "x.feather")
    pd.testing.assert_frame_equal(read_cohort(tmp_path / "x.feather"), PLAIN)


RECORDS = PLAIN.drop(columns="seen").to_dict("records")


@pytest.mark.parametrize(
    ("name", "text"),
    [("x.json", json.dumps(RECORDS)), ("x.jsonl", "\n".join(map(json.dumps, RECORDS)) + "\n")],
)
def test_records_of_json_are_rows(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    pd.testing.assert_frame_equal(read_cohort(tmp_path / name), PLAIN.drop(columns="seen"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "[1, 2]", r"holds no JSON records; write a list of objects"),
        ("x.json", "[", r"cannot be opened as JSON records"),
        ("x.json", '[{"a": [1]}]', r"'a' holds lists or objects; write plain values"),
        ("x.dta", "neither", r"cannot be opened as a Stata file"),
        ("x.feather", "neither", r"cannot be opened as a Feather file"),
        ("x.sav", "neither", r"cannot be opened as an SPSS file"),
        ("x.sas7bdat", "neither", r"cannot be opened as an SAS file"),
        ("x.xpt", "neither", r"cannot be opened as an SAS file"),
    ],
)
def test_broken_files_are_refused_in_words(tmp_path, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CohortError, match=message):
        read_cohort(tmp_path / name)


def test_without_pyreadstat_an_error_says_what_to_do(tmp_path, monkeypatch):
    path = written(tmp_path, "sav")
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(NotSupported, match=r"SPSS files are read with pyreadstat.*save it as .csv, or: pip install"):
        read_cohort(path)


def test_rows_of_a_header_are_for_text_and_sheets(tmp_path):
    with pytest.raises(InputError, match=r"header is for text files and spreadsheets; cohort.dta is Stata"):
        read_cohort(written(tmp_path, "dta"), header=2)


def test_a_date_of_spss_is_a_date(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "seen": [dt.date(2024, 1, 31), None]})
    pyreadstat.write_sav(frame, tmp_path / "x.sav")
    assert read_cohort(tmp_path / "x.sav")["seen"].tolist()[0] == pd.Timestamp(2024, 1, 31)
