"""Files as tables of cells: every kind of text file and sheet, and what is refused with advice."""

import warnings
import zipfile

import openpyxl
import pandas as pd
import pytest

from analysis import (
    CohortError,
    InputError,
    RowsDropped,
    SuspiciousValues,
    read_cohort,
    write_cohort,
)
from tests.cohort.reading.made_files import excel_file, text_file


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


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        # semicolons, decimal commas, ragged rows
        ("a;b\n1;2\n", {"sep": ","}, r"one column found \('a;b'\); sep=\";\"\?"),
        (
            "id,mg\n1,0,82\n2,0,75\n",
            {},
            r"header has 2 fields, but not 2 rows \(first: row 2, 3 fields\).*decimal=\",\"",
        ),
        (
            "id;mg\n1;0,82\n2;0,75\n",
            {},
            r"column 'mg': text in a numeric column, first '0,82'.*read with decimal=\",\"",
        ),
        ("id;mg\n1;0.82\n2;0,75\n", {}, r"first '0,75'"),
        ("id;mg\n1;0.82\n2;0.75\n", {"decimal": ","}, r"first '0.82' .*read with decimal=\".\""),
        ("id,mg\n1,0.8,x\n2,0.7\n", {"sep": ","}, r"not 1 rows \(first: row 2, 3 fields\)"),
        # values beyond a limit
        ("id,mg\n1,<0.5\n2,0.75\n3,>2.0\n", {}, r"column 'mg': .*first '<0.5' \('<0.5', '>2.0'\).*limits=\"bound\""),
        ("id,mg\n1,< 0.5\n2,0.75\n3,≤0.4\n", {}, r"'< 0.5', '≤0.4'"),
        # names
        ("id,,mg\n1,x,3\n2,y,4\n", {}, r"column 2 has no name"),
        ("1,0.8\n2,0.9\n", {}, r"the first row holds numbers \(1, 0.8\); it must name the columns"),
        # nothing there
        ("", {}, r"cohort.csv is empty"),
        ("\n\n", {}, r"cohort.csv is empty"),
        ("id,mg\n", {}, r"names in its first row, but no rows below"),
        ("id,mg\n,\n", {}, r"no rows below"),
        # quotes
        ('id,mg\n1,"0.8\n2,0.9\n', {}, r"cannot be parsed with sep=\",\""),
        # options
        ("id,mg\n1,2\n", {"decimal": "'"}, r"decimal=\"'\"; choose one of '.', ','"),
        ("id,mg\n1,2\n", {"limits": "half"}, r"limits='half'; choose one of 'error', 'bound', 'missing'"),
        ("id,mg\n1,2\n", {"sheet": "a"}, r"sheet=\"a\" is for spreadsheets; cohort.csv is text"),
        ("id,mg\n1,2\n", {"encoding": "klingon"}, r"encoding=\"klingon\" is unknown"),
        ("id,mg\n1,2\n", {"sep": ", "}, r"cannot be parsed with sep=\", \""),
        ("id,mg\n1,0.8\n", {"units": {"mgg": "mg/dL"}}, r"units: no column 'mgg'; did you mean 'mg'\?"),
        ("id,mg\n1,0.8\n", {"units": {"mg": "mg/L"}}, r"units: column 'mg': unit='mg/L' is no unit of magnesium"),
        ("id,mg\n1,high\n", {"units": {"mg": "mg/dL"}}, r"units: column 'mg': .*values are not numbers \('high'\)"),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read_cohort(text_file(tmp_path, text), **options)


def test_one_error_lists_the_problems_of_all_columns(tmp_path):
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
        ("cohort.docx", r"'.docx' are not read here; use one of .csv"),
        ("cohort.rds", r"'.rds' are not read here; in R: write.csv\(readRDS\('cohort.rds'\), 'cohort.csv', row.names"),
        ("cohort.RData", r"not read here; in R: .*load\('cohort.RData', e\).*'cohort.csv', row.names = FALSE\)"),
    ],
)
def test_other_kinds_of_files_are_refused_with_advice(tmp_path, name, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(text_file(tmp_path, "x", name))
    with pytest.raises(CohortError, match=r"not written here; use one of .csv, .tsv, .tab, .txt, .parquet, .pq, .xlsx"):
        write_cohort(pd.DataFrame({"x": [1]}), tmp_path / name)


@pytest.mark.parametrize(("name", "kind"), [("cohort.xlsx", "an Excel"), ("cohort.parquet", "a Parquet")])
def test_broken_files_are_refused_in_words(tmp_path, name, kind):
    with pytest.raises(CohortError, match=rf"{name} cannot be opened as {kind} file"):
        read_cohort(text_file(tmp_path, "neither", name))


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
    with pytest.raises(CohortError, match=r"has 2 sheets \('patients', 'labs'\); choose one, as in sheet=\"patients\""):
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
        ([["id", "mg"], [1, "0,82"], [2, 0.9]], r"column 'mg': text in a numeric column, first '0,82'"),
        ([["id", "mg"], [1, "<0.5"], [2, 0.9]], r"first '<0.5'"),
        ([], r"cohort.xlsx is empty"),
        ([["id"]], r"no rows below"),
    ],
)
def test_sheets_that_cannot_be_read_say_why(tmp_path, rows, message):
    with pytest.raises(CohortError, match=message):
        read_cohort(excel_file(tmp_path, *rows))


def workbook(folder, *, hidden=(), below=()):
    book = openpyxl.Workbook()
    book.active.append(["patient", "x", "months", "death"])
    for index in range(60):
        book.active.append([f"P{index}", 40 + index, 3 + 7 * index % 41, index % 2])
    for row in below:
        book.active.append(row)
    for row in hidden:
        book.active.row_dimensions[row].hidden = True
    book.save(folder / "cohort.xlsx")
    return folder / "cohort.xlsx"


@pytest.mark.parametrize("stated", ["A1:D41", "A1", "A1:C61"])
def test_the_size_that_a_sheet_states_is_not_believed(tmp_path, stated):
    path = workbook(tmp_path)
    changed = tmp_path / "stated.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == "xl/worksheets/sheet1.xml":
                assert b'<dimension ref="A1:D61"' in content
                content = content.replace(b'<dimension ref="A1:D61"', f'<dimension ref="{stated}"'.encode())
            new.writestr(entry, content)
    pd.testing.assert_frame_equal(read_cohort(changed), read_cohort(path))
    assert len(read_cohort(changed)) == 60


def test_hidden_rows_and_summaries_below_a_table_are_named(tmp_path):
    with pytest.warns(SuspiciousValues, match=r"34 rows are hidden in the sheet .* \(first: row 3 of the sheet\)"):
        assert len(read_cohort(workbook(tmp_path, hidden=range(3, 37)))) == 60
    below = [["mean", 69.5, 22, 0.5], ["SD", 17, 12, 0.5]]
    with pytest.warns(SuspiciousValues, match=r"last 2 rows look like a summary of the table, .*'mean', 'SD'"):
        read_cohort(workbook(tmp_path, below=below))


@pytest.mark.parametrize("first", [["n", "y", "n"], ["mean", "low", "mean"], ["P1", "P2", "P3"]])
def test_labels_that_stand_above_too_are_no_summary(tmp_path, first):
    pd.DataFrame({"group": first, "x": [1.5, 2, 3]}).to_csv(tmp_path / "x.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_cohort(tmp_path / "x.csv")) == 3


@pytest.mark.parametrize("word", ["N", "n", "min", "Max", "count"])
def test_one_last_row_that_begins_with_an_ambiguous_word_is_a_patient(tmp_path, word):
    pd.DataFrame({"smoker": ["Y", "Y", word], "x": [1.5, 2, 3]}).to_csv(tmp_path / "x.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_cohort(tmp_path / "x.csv")) == 3
    pd.DataFrame({"smoker": ["Y", "mean", word], "x": [1.5, 2, 3]}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.warns(SuspiciousValues, match="the last 2 rows look like a summary"):
        read_cohort(tmp_path / "x.csv")
