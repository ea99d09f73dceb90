"""Cells into the plainest type that keeps all of them, with a note where more than parsing was done."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    CohortError,
    SuspiciousValues,
    read_cohort,
)
from analysis.cohort.reading.cells import plain_column
from analysis.study.plan import new_plan
from tests.cohort.reading.made_files import excel_file, text_file


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


@pytest.mark.parametrize(
    ("rows", "message", "values"),
    [
        (["1", 2.5], r"column 'x': 1 numbers were stored as text and are read as numbers", [1.0, 2.5]),
        (["#DIV/0!", 2.5], r"column 'x': 1 formula errors \(#DIV/0!\) set missing", [np.nan, 2.5]),
        (["male", "Male "], r"column 'x': labels differ only by case or blanks: 'male', 'Male '", ["male", "Male "]),
        (
            ["11.01.2024", "1.2.2024"],
            r"dates such as '11.01.2024' have two readings, kept as text; read with dates=\{'x': '%d/%m/%Y'\} or",
            ["11.01.2024", "1.2.2024"],
        ),
        (
            ["31.1.97", "1.2.97"],
            r"dates such as '31.1.97' have years of two digits, kept as text; read with dates=\{'x': '%d/%m/%y'\} or",
            ["31.1.97", "1.2.97"],
        ),
        (["2024-02-30", "2024-02-28"], r"column 'x': dates kept as text", ["2024-02-30", "2024-02-28"]),
        (
            [*range(20), "lost"],
            r"column 'x': 20 numbers and 1 other values \('lost'\), kept as text",
            [*map(str, range(20)), "lost"],
        ),
    ],
)
def test_a_warning_says_where_more_was_done_than_parsing(tmp_path, rows, message, values):
    path = excel_file(tmp_path, ["id", "x"], *([f"P{place}", cell] for place, cell in enumerate(rows)))
    with pytest.warns(SuspiciousValues, match=message):
        cohort = read_cohort(path)
    assert cohort["x"].fillna("missing").tolist() == ["missing" if value != value else value for value in values]


@pytest.mark.parametrize(("limits", "first"), [("bound", 0.5), ("missing", None)])
def test_values_beyond_a_limit_become_it_or_missing_as_the_option_says(tmp_path, limits, first):
    with pytest.warns(SuspiciousValues, match=r"column 'crp': 1 values beyond a limit \('<0,5'\) set"):
        cohort = read_cohort(text_file(tmp_path, "id;crp\n1;<0,5\n2;3\n"), decimal=",", limits=limits)
    assert cohort["crp"].replace({np.nan: None}).tolist() == [first, 3.0]


DAYS = ["1,284", 300, "2,041", 640, "1,010", 88]


def days_file(folder):
    path = folder / "days.csv"
    pd.DataFrame({"x": range(6), "os_days": DAYS, "death": [1, 0, 1, 0, 1, 0]}).to_csv(path, index=False)
    return path


def test_commas_before_three_digits_beside_large_numbers_are_thousands_first(tmp_path):
    path = days_file(tmp_path)
    with pytest.raises(CohortError, match=r"column 'os_days': .*read with thousands=\",\", or .* decimal=\",\""):
        read_cohort(path)
    assert read_cohort(path, thousands=",")["os_days"].tolist() == [1284, 300, 2041, 640, 1010, 88]
    with pytest.warns(SuspiciousValues, match=r"'1,284', '2,041', '1,010' read with a decimal comma, beside .* 640"):
        assert read_cohort(path, decimal=",")["os_days"].tolist()[0] == 1.284
    assert 'thousands = ","' in new_plan(path, thousands=",")


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands", "values"),
    [
        (["1.284,5", "2.000", "12"], ",", ".", [1284.5, 2000.0, 12.0]),
        (["12 345", "7"], ".", " ", [12345.0, 7.0]),
        (["1'234.5", "-1'000"], ".", "'", [1234.5, -1000.0]),
    ],
)
def test_thousands_are_read_on_request(tmp_path, cells, decimal, thousands, values):
    pd.DataFrame({"id": [f"P{k}" for k in range(len(cells))], "x": cells}).to_csv(tmp_path / "x.csv", index=False)
    assert read_cohort(tmp_path / "x.csv", decimal=decimal, thousands=thousands)["x"].tolist() == values


@pytest.mark.parametrize("cells", [["0,82", "0,91", "1,1"], ["0,812", "0,905", "1,100"], ["1,5", "300"]])
def test_decimal_commas_are_still_named_first(tmp_path, cells):
    pd.DataFrame({"id": [f"P{k}" for k in range(len(cells))], "x": cells}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(CohortError, match=r'read with decimal=","'):
        read_cohort(tmp_path / "x.csv")


# --- Thresholds, as numbers ------------------------------------------------------------------------


def plain(cells, **options):
    """The typed column, a problem, and a note."""
    return plain_column(pd.Series(cells, name="x", dtype=object), file_format="text", **options)


@pytest.mark.parametrize(("n_labels", "noted"), [(50, True), (51, False)])
def test_labels_that_differ_by_case_are_noted_among_fifty_or_fewer(n_labels, noted):
    others = [f"label {number}" for number in range(n_labels - 2)]
    assert ("differ only by case" in plain(["low", "LOW", *others])[2]) == noted


@pytest.mark.parametrize(
    ("n_numbers", "n_words", "noted"), [(10, 1, True), (9, 1, False), (10, 9, True), (10, 10, False)]
)
def test_words_are_noted_among_ten_different_numbers_or_more_that_outnumber_them(n_numbers, n_words, noted):
    cells = [*map(str, range(n_numbers)), *[f"word{number}" for number in range(n_words)]]
    assert ("other values" in plain(cells)[2]) == noted


@pytest.mark.parametrize(("largest", "dtype"), [(2**53 - 1, np.int64), (2**53, np.float64)])
def test_whole_numbers_are_integers_while_a_float_holds_each_of_them(largest, dtype):
    assert plain([1, largest])[0].dtype == dtype


@pytest.mark.parametrize(("cell", "is_text"), [("123456789012345", False), ("1234567890123456", True), ("007", True)])
def test_sixteen_digits_or_a_leading_zero_are_a_name(cell, is_text):
    assert isinstance(plain([cell, "12"])[0].iloc[0], str) == is_text


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6).map(abs), st.text("ab1. ", max_size=3)), min_size=1, max_size=12)
)
def test_each_row_gets_what_its_cell_would_get_wherever_it_stands(cells):
    column, turned = plain(cells)[0], plain(cells[::-1])[0][::-1]
    assert column.astype(str).tolist() == turned.astype(str).tolist()
    assert len(column) == len(cells)
    assert all(pd.isna(value) for cell, value in zip(cells, column, strict=True) if cell is None)
