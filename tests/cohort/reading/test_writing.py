"""Cohorts into files and back: nothing changes on the way, and what a format cannot hold is named."""

import datetime as dt
import string
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import CohortError, read_cohort, write_cohort
from analysis.cohort.reading import writing

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


SHEET = (1_048_575, 16_384)
"""Rows below the header and columns of an Excel sheet, by Microsoft's specifications and limits."""


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 2), r"x.xlsx: the cohort's 4 are more than the 3 rows below its header .* write it to .csv or"),
        ((3, 3), r"x.xlsx: the cohort's 3 are more than the 2 columns"),
    ],
)
def test_a_cohort_that_no_sheet_has_room_for_is_refused_before_it_is_written(tmp_path, shape, message, monkeypatch):
    assert writing.EXCEL_SIZE == SHEET
    monkeypatch.setattr(writing, "EXCEL_SIZE", (3, 2))
    full = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1, 0, 1]})
    write_cohort(full, tmp_path / "full.xlsx")
    pd.testing.assert_frame_equal(read_cohort(tmp_path / "full.xlsx"), full)
    frame = pd.DataFrame(np.ones(shape), columns=list("abc")[: shape[1]])
    with pytest.raises(CohortError, match=message):
        write_cohort(frame, tmp_path / "x.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["full.xlsx"]
