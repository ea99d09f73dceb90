"""Sheets of every program: rows by their numbers, what is hidden or merged named, what cannot be read explained."""

import re
import sys
import zipfile

import openpyxl
import pandas as pd
import pytest

from analysis import CohortError, NotSupported, SuspiciousValues, read_cohort
from tests.cohort.reading.made_files import excel_file, text_file

HEAD = ["patient", "magnesium", "os_months"]
ROWS = [["P1", 0.82, 12], ["P2", 0.71, 30], ["P3", 0.9, 8]]
PLAIN = pd.DataFrame(ROWS, columns=HEAD)

ODS_CELL = '<table:table-cell office:value-type="float" office:value="{0}"/>'
ODS_TEXT = '<table:table-cell office:value-type="string"><text:p>{0}</text:p></table:table-cell>'
ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body>
 <office:spreadsheet>{0}</office:spreadsheet></office:body></office:document-content>"""


def ods_file(folder, **sheets):
    """An OpenDocument file of sheets of rows."""
    tables = ""
    for name, rows in sheets.items():
        lines = ""
        for row in rows:
            cells = "".join((ODS_TEXT if isinstance(cell, str) else ODS_CELL).format(cell) for cell in row)
            lines += f"<table:table-row>{cells}</table:table-row>"
        tables += f'<table:table table:name="{name}">{lines}</table:table>'
    path = folder / "cohort.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", ODS.format(tables))
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest/>')
    return path


def test_a_sheet_of_opendocument_is_that_of_excel(tmp_path):
    pd.testing.assert_frame_equal(read_cohort(ods_file(tmp_path, patients=[HEAD, *ROWS])), PLAIN)
    several = ods_file(tmp_path, patients=[HEAD, *ROWS], labs=[["x"], [2]])
    with pytest.raises(CohortError, match=r"has 2 sheets \('patients', 'labs'\); choose one"):
        read_cohort(several)
    assert read_cohort(several, sheet="labs")["x"].tolist() == [2]


def test_without_python_calamine_an_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(NotSupported, match=r".ods files are read with python-calamine.*save it as .xlsx, or: pip"):
        read_cohort(ods_file(tmp_path, patients=[HEAD, *ROWS]))


def test_titles_units_and_sums_around_a_table_are_told_apart(tmp_path):
    rows = [["Magnesium study"], [], HEAD, ["", "mmol/L", "months"], *ROWS, [], ["sum", "", 50]]
    path = excel_file(tmp_path, *rows)
    with pytest.warns() as caught:
        cohort = read_cohort(path, skip=[9])
    pd.testing.assert_frame_equal(cohort, PLAIN)
    notes = " ".join(str(one.message) for one in caught)
    assert "row 3 is read as the header; above it 'Magnesium study' left out" in notes
    assert "row 4 holds units (mmol/L, months), not a patient" in notes
    with pytest.warns() as caught:
        read_cohort(path)
    assert any(re.search(r"last row looks like .*\('sum'\); read with skip=\[9\]", str(one.message)) for one in caught)


def merged_file(folder, cells, rows):
    path = excel_file(folder, *rows)
    book = openpyxl.load_workbook(path)
    book.active.merge_cells(cells)
    book.save(path)
    return path


def test_merged_cells_are_named_below_the_header_and_in_it(tmp_path):
    with pytest.warns(SuspiciousValues, match=r"merged cells \(B3:B4\) hold their value in the first of them"):
        cohort = read_cohort(merged_file(tmp_path, "B3:B4", [HEAD, *ROWS]))
    assert cohort["magnesium"].isna().tolist() == [False, False, True]
    two = [["patient", "labs", None], ["id", "mg", "crp"], ["P1", 0.8, 1], ["P2", 0.7, 3]]
    with pytest.raises(CohortError, match=r"column 3 has no name.*merged cells: B1:C1; row 2 looks like .*header=2"):
        read_cohort(merged_file(tmp_path, "B1:C1", two))
    assert read_cohort(merged_file(tmp_path, "B1:C1", two), header=2).columns.tolist() == ["id", "mg", "crp"]


def test_formulas_without_results_are_refused(tmp_path):
    path = excel_file(tmp_path, HEAD, ["P1", 0.82, "=3*4"], ["P2", 0.71, 30])
    with pytest.raises(CohortError, match=r"1 formulas have no stored result \(C2\); open the file in a spreadsheet"):
        read_cohort(path)


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.xlsx", OLD + "EncryptedPackage".encode("utf-16-le"), r"is protected by a password; .* a copy without one"),
        ("x.xls", OLD + "EncryptedPackage".encode("utf-16-le"), r"is protected by a password"),
        ("x.xlsx", OLD, r"is an old Excel file with a new name; rename it to .xls"),
        ("x.xls", OLD, r"cannot be opened as a spreadsheet"),
        ("x.xls", b"<html><table><tr><td>id</td></tr></table></html>", r"is a web page, or XML, with the name of a"),
        ("x.xls", b"id\tmg\n1\t0.8\n", r"is a text file with the name of a spreadsheet; rename it to .txt"),
    ],
)
def test_what_only_has_the_name_of_a_sheet_is_told(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CohortError, match=message):
        read_cohort(path)


def test_the_strict_form_of_excel_is_named(tmp_path):
    path = excel_file(tmp_path, HEAD, *ROWS)
    strict = tmp_path / "strict.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(strict, "w") as new:
        for entry in old.namelist():
            home = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
            new.writestr(entry, old.read(entry).replace(home, b"http://purl.oclc.org/ooxml/spreadsheetml/main"))
    with pytest.raises(CohortError, match=r"is a Strict Open XML spreadsheet; save it as an Excel Workbook"):
        read_cohort(strict)


def test_a_text_file_has_no_sheet_and_a_sheet_no_row_beyond_its_end(tmp_path):
    with pytest.raises(CohortError, match="is empty"):
        read_cohort(text_file(tmp_path, "", "x.xls"))
