"""Sheets as rows of cells: Excel by openpyxl; old Excel and OpenDocument by python-calamine, which is an extra."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from analysis.cohort.columns import first_few
from analysis.cohort.reading.rows import Row, Rows, filled
from analysis.cohort.remedies import argument
from analysis.errors import CohortError, NotSupported

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_SAVE_AS = "open it in a spreadsheet program and save it as .xlsx"


def excel_rows(path: Path, sheet: str | int | None) -> Rows:
    """The rows of one sheet that hold anything, whatever size it states; hidden rows and merged cells are named."""
    book = _workbook(path)
    chosen = book[_sheet_name({entry.title: entry.sheet_state for entry in book.worksheets}, sheet, path)]
    rows = _numbered(list(chosen.iter_rows(values_only=True)), path)
    _refuse_unstored_formulas(path, chosen)
    merged = tuple((str(cells), int(cells.max_row)) for cells in chosen.merged_cells.ranges)
    filled_rows = [number for number, row in zip(rows.numbers, rows.rows, strict=True) if filled(row)]
    hidden = [number for number in filled_rows if chosen.row_dimensions[number].hidden]
    return Rows(rows.rows, rows.numbers, notes=_hidden_note(hidden, path), merged=merged)


def _hidden_note(hidden: list[int], path: Path) -> tuple[str, ...]:
    """A note on rows that are hidden."""
    if not hidden:
        return ()
    return (
        f"{path.name}: {len(hidden)} rows are hidden in the sheet (by a filter?) and are read all the same"
        f" (first: row {hidden[0]} of the sheet); delete them where they do not belong to the cohort",
    )


def other_rows(path: Path, sheet: str | int | None) -> Rows:
    """The rows of one sheet of an .xls, .xlsb or .ods file that hold anything."""
    problem = _not_a_workbook(path)
    if problem:
        raise CohortError(problem)
    try:
        import python_calamine as calamine
    except ImportError:
        raise NotSupported(
            f"{path.name}: {path.suffix.lower()} files are read with python-calamine, which is not installed;"
            f" {_SAVE_AS}, or: pip install python-calamine"
        ) from None
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            states = {entry.name: str(entry.visible).rpartition(".")[2].lower() for entry in book.sheets_metadata}
            name = _sheet_name(states, sheet, path)
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise CohortError(_protected(path)) from None
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise CohortError(f"{path.name} cannot be opened as a spreadsheet ({error}); {_SAVE_AS}") from None
    whole: list[Row] = [
        [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in row] for row in rows
    ]
    return _numbered(whole, path)


def _numbered(rows: list[Row], path: Path) -> Rows:
    """The rows with their numbers in the sheet, those before the first that holds anything left out."""
    first = next((place for place, row in enumerate(rows) if filled(row)), None)
    if first is None:
        raise CohortError(f"{path.name} is empty")
    return Rows(rows[first:], list(range(first + 1, len(rows) + 1)))


def _workbook(path: Path) -> Workbook:
    """An Excel workbook with the stored results of its formulas."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    problem = _not_a_workbook(path)
    if problem:
        raise CohortError(problem)
    if path.read_bytes()[:4] == _OLD_FORMAT:
        raise CohortError(f"{path.name} is an old Excel file with a new name; rename it to .xls, or {_SAVE_AS}")
    try:
        if _is_strict(path):
            raise CohortError(
                f"{path.name} is a Strict Open XML spreadsheet; save it as an Excel Workbook (.xlsx) without 'Strict'"
            )
        with warnings.catch_warnings(action="ignore"):  # of what saving would lose: lists of choices, colours
            return openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, ValueError, KeyError, EOFError, SyntaxError) as error:
        raise CohortError(f"{path.name} cannot be opened as an Excel file ({error}); {_SAVE_AS}") from None


def _not_a_workbook(path: Path) -> str:
    """What a file is that its suffix calls a spreadsheet; empty where it may be one."""
    data = path.read_bytes()
    if data.startswith(_OLD_FORMAT):
        return _protected(path) if "EncryptedPackage".encode("utf-16-le") in data else ""
    if data.startswith(b"PK"):
        return ""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"\xef\xbb\xbf<")):
        return f"{path.name} is a web page, or XML, with the name of a spreadsheet; {_SAVE_AS}"
    if path.suffix.lower() == ".xls" and data and b"\0" not in data:
        return f"{path.name} is a text file with the name of a spreadsheet; rename it to .txt"
    return ""


def _protected(path: Path) -> str:
    """What to do about a password."""
    return f"{path.name} is protected by a password; open it, save a copy without one, and read that"


def _is_strict(path: Path) -> bool:
    """Whether a workbook is written in the strict form of Open XML."""
    with ZipFile(path) as archive:
        return b"purl.oclc.org/ooxml" in archive.read("xl/workbook.xml")


def _sheet_name(states: Mapping[str, str], sheet: str | int | None, path: Path) -> str:
    """The sheet asked for, or the only one that is not hidden."""
    names = list(states)
    if sheet is None:
        visible = [name for name, state in states.items() if state == "visible"]
        if len(visible) == 1:
            return visible[0]
        choice = argument("sheet", (visible or names or ["Sheet1"])[0])
        raise CohortError(
            f"{path.name} has {len(visible)} sheets ({first_few(map(repr, visible), 12)}); choose one, as in {choice}"
        )
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 0 <= sheet < len(names):
        return names[sheet]
    if isinstance(sheet, str) and sheet in states:
        return sheet
    raise CohortError(f"{path.name} has no sheet {sheet!r}; its sheets: {first_few(map(repr, names), 12)}")


def _refuse_unstored_formulas(path: Path, chosen: Worksheet) -> None:
    """Raise where formulas have no stored result: they would be read as empty cells."""
    import openpyxl

    with ZipFile(path) as archive:
        parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        if not any(b"<f" in archive.read(name) for name in parts):
            return
    with warnings.catch_warnings(action="ignore"):  # as above
        formulas = openpyxl.load_workbook(path)[chosen.title]
    without = [
        cell.coordinate
        for row in formulas.iter_rows()
        for cell in row
        if cell.data_type == "f" and chosen[cell.coordinate].value is None and chosen[cell.coordinate].data_type == "n"
    ]
    if without:
        raise CohortError(
            f"{path.name}: {len(without)} formulas have no stored result ({first_few(without)}); open the file in a"
            " spreadsheet program, save it, and read it again"
        )
