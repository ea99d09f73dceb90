"""Files as tables of raw cells: text files cell by cell, so that none changes; Excel and Parquet by their libraries."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

import pandas as pd

from analysis.cohort.columns import first_few
from analysis.errors import CohortError, InputError, raise_all

if TYPE_CHECKING:
    from openpyxl import Workbook

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_LINES = 50
ESCAPED = ("=", "+", "-", "@", "'", "\t", "\r")
"""Text that begins so is written with an apostrophe before it, so that no spreadsheet takes it for a formula."""

Row = Sequence[object]
FileKind = Literal["text", "Excel", "Parquet"]


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a file, what kind of file it was, and what was left out because it held nothing."""

    frame: pd.DataFrame
    kind: FileKind
    n_empty_rows: int = 0
    n_unnamed: int = 0


def read_table(path: Path, *, sep: str | None, decimal: str, encoding: str | None, sheet: str | int | None) -> Table:
    """Read a file by its suffix; raises a CohortError that says what to do where it cannot be read."""
    raise_all(_path_problems(path))
    kind = KINDS[path.suffix.lower()]
    if kind != "Excel" and sheet is not None:
        raise InputError(f"sheet={sheet!r} is for Excel files; {path.name} is {kind}")
    if kind == "Parquet":
        return _read_parquet(path)
    if kind == "Excel":
        return _as_table(_excel_rows(path, sheet), path, "Excel")
    return _as_table(_csv_rows(path, sep, decimal, encoding), path, "text")


KINDS: dict[str, FileKind] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), "text"),
    **dict.fromkeys((".parquet", ".pq"), "Parquet"),
    **dict.fromkeys((".xlsx", ".xlsm"), "Excel"),
}


def _path_problems(path: Path) -> list[str]:
    """What is wrong with the path: nothing there (with the nearest names), a folder, an unknown suffix, no content."""
    if path.is_dir():
        return [f"{path} is a folder; give a file"]
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=3)
        return [f"no file {path}" + (f"; did you mean {first_few(map(repr, near))}?" if near else "")]
    problems = suffix_problems(path)
    if not problems and path.stat().st_size == 0:
        problems = [f"{path.name} is empty"]
    return problems


def suffix_problems(path: Path, *, writing: bool = False) -> list[str]:
    """A problem when the suffix is none that is read, or written, here."""
    suffix = path.suffix.lower()
    usable = [known for known in KINDS if not (writing and known == ".xlsm")]
    if suffix in usable:
        return []
    advice = (
        "save it as .xlsx" if suffix in (".xls", ".xlsm", ".xlsb", ".ods") else f"use one of {first_few(usable, 8)}"
    )
    return [f"{path.name}: files ending in {suffix!r} are not supported; {advice}"]


def escaped(value: object) -> object:
    """A cell that no spreadsheet runs as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(ESCAPED) else value


def unescaped(text: str) -> str:
    """The text as it was before `escaped`."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(ESCAPED) else text


# --- CSV ------------------------------------------------------------------------------------------


def _csv_rows(path: Path, sep: str | None, decimal: str, encoding: str | None) -> list[list[str]]:
    """The rows of a text file, blank lines left out; every row as wide as the first."""
    text = _decoded(path, encoding)
    if not text.strip():
        raise CohortError(f"{path.name} is empty")
    chosen = sep or _guessed_separator(text, path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=chosen, strict=True) if row]
    except (csv.Error, TypeError) as error:
        raise CohortError(
            f"{path.name}: cannot be parsed with sep={chosen!r} ({error}); check quotes and sep="
        ) from None
    raise_all(_width_problems(rows, path, chosen, decimal))
    return rows


def _decoded(path: Path, encoding: str | None) -> str:
    """The file's text without a byte-order mark."""
    data = path.read_bytes()
    if encoding is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CohortError(f'{path.name} is UTF-16; read it with encoding="utf-16"')
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise InputError(f'encoding={encoding!r} is unknown; try "utf-8" or "cp1252"') from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        advice = "try another encoding=" if encoding else 'read it with encoding="cp1252" (Windows, Western Europe)'
        where = f"byte 0x{data[error.start]:02x} in line {line}"
        raise CohortError(f"{path.name} is not {encoding or 'UTF-8'} ({where}); {advice}") from None


def _guessed_separator(text: str, path: Path) -> str:
    """The separator that cuts the first lines into equally many fields, most of them."""
    sample = "".join(text.splitlines(keepends=True)[:SAMPLE_LINES])
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    scores = {}
    for candidate in (usual, *SEPARATORS):
        widths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=candidate) if row]
        scores[candidate] = (widths[0] > 1, len(set(widths)) == 1, widths[0])
    return max(scores, key=lambda candidate: scores[candidate])


def _width_problems(rows: list[list[str]], path: Path, sep: str, decimal: str) -> list[str]:
    """Rows longer or shorter than the header, or one column where another separator would find more."""
    width = len(rows[0])
    if width == 1:
        others = [other for other in SEPARATORS if other != sep and other in rows[0][0]]
        return [f"{path.name}: one column found ({rows[0][0]!r}); sep={others[0]!r}?"] if others else []
    ragged = [place for place, row in enumerate(rows) if len(row) != width]
    if not ragged:
        return []
    first = ragged[0]
    advice = "quote fields that hold the separator"
    if sep == "," and decimal == ".":
        advice += '; are there decimal commas? Then save with sep=";" and read with decimal=","'
    counts = f"{len(ragged)} rows (first: row {first}, {len(rows[first])} fields)"
    return [f"{path.name}: the header has {width} fields, but not {counts}; {advice}"]


# --- Excel and Parquet ----------------------------------------------------------------------------


def _excel_rows(path: Path, sheet: str | int | None) -> list[Row]:
    """The rows of one sheet, empty rows before the header left out."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, ValueError, KeyError, EOFError, SyntaxError) as error:
        raise CohortError(f"{path.name} cannot be opened as an Excel file ({error})") from None
    try:
        rows: list[Row] = list(book[_sheet_name(book, sheet, path)].iter_rows(values_only=True))
    finally:
        book.close()
    filled = [place for place, row in enumerate(rows) if not _is_empty(row)]
    if not filled:
        raise CohortError(f"{path.name} is empty")
    return rows[filled[0] :]


def _sheet_name(book: Workbook, sheet: str | int | None, path: Path) -> str:
    """The sheet asked for, or the only one that is not hidden."""
    sheets: dict[str, str] = {entry.title: entry.sheet_state for entry in book.worksheets}
    names = list(sheets)
    if sheet is None:
        visible = [name for name, state in sheets.items() if state == "visible"]
        if len(visible) == 1:
            return visible[0]
        raise CohortError(
            f"{path.name} has {len(visible)} sheets ({first_few(map(repr, visible), 12)}); choose one with sheet="
        )
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 0 <= sheet < len(names):
        return names[sheet]
    if isinstance(sheet, str) and sheet in sheets:
        return sheet
    raise CohortError(f"{path.name} has no sheet {sheet!r}; its sheets: {first_few(map(repr, names), 12)}")


def _read_parquet(path: Path) -> Table:
    """A Parquet file with the types it holds; a named index becomes columns."""
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise CohortError(f"{path.name} cannot be opened as a Parquet file ({error})") from None
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)
    names = [str(name) for name in frame.columns]
    raise_all([*_name_problems(names, path), *([] if len(frame) else [f"{path.name} has no rows"])])
    return Table(frame.set_axis(names, axis=1), "Parquet")


# --- From rows to a table -------------------------------------------------------------------------


def _is_empty(row: Row) -> bool:
    """Whether a row holds nothing but blanks."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def _as_table(rows: Sequence[Row], path: Path, kind: FileKind) -> Table:
    """Names from the first row, cells from the others; empty rows and unnamed columns without use are counted out."""
    names = ["" if name is None else unescaped(str(name)) for name in rows[0]]
    body = [row for row in rows[1:] if len(row) == 1 or not _is_empty(row)]
    if not body:
        raise CohortError(f"{path.name} has names in its first row, but no rows below")
    columns = list(zip(*body, strict=True))
    useless = {place for place, name in enumerate(names) if not name.strip() and _is_useless(columns[place])}
    kept = [place for place in range(len(names)) if place not in useless]
    raise_all(_name_problems([names[place] for place in kept], path))
    frame = pd.DataFrame({names[place]: pd.Series(columns[place], dtype=object) for place in kept})
    return Table(frame, kind, n_empty_rows=len(rows) - 1 - len(body), n_unnamed=len(useless))


def _is_useless(cells: Row) -> bool:
    """Whether a column without a name holds nothing, or only the numbers of its rows."""
    if _is_empty(cells):
        return True
    counted: list[Callable[[int], str]] = [lambda place: str(place), lambda place: str(place + 1)]
    return any(all(str(cell) == count(place) for place, cell in enumerate(cells)) for count in counted)


def _name_problems(names: Sequence[str], path: Path) -> list[str]:
    """Columns without a name, names that stand twice, and a first row that holds numbers instead of names."""
    problems = []
    blank = [place for place, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        problems.append(f"{path.name}: column {first_few(blank)} has no name; the first row must name every column")
    twice = [name for name in dict.fromkeys(names) if name.strip() and names.count(name) > 1]
    if twice:
        problems.append(
            f"{path.name}: column names stand more than once: {first_few(map(repr, twice), 12)}; rename them"
        )
    if not problems and all(_is_number(name) for name in names):
        problems.append(f"{path.name}: the first row holds numbers ({first_few(names)}); it must name the columns")
    return problems


def _is_number(text: str) -> bool:
    """Whether a name is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
