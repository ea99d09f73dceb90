"""Files as tables of raw cells: text files cell by cell, so that none changes; Excel and Parquet by their libraries."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

import pandas as pd

from analysis.cohort.columns import first_few
from analysis.cohort.remedies import argument, toml
from analysis.errors import CohortError, InputError, raise_all

if TYPE_CHECKING:
    from openpyxl import Workbook

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_LINES = 50
ESCAPED = ("=", "+", "-", "@", "'", "\t", "\r")
"""Text that begins so is written with an apostrophe before it, so that no spreadsheet takes it for a formula."""

Row = Sequence[object]
FileFormat = Literal["text", "Excel", "Parquet"]


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a file, what kind of file it was, and what was left out because it held nothing."""

    frame: pd.DataFrame
    file_format: FileFormat
    n_empty_rows: int = 0
    notes: tuple[str, ...] = ()


def read_table(path: Path, *, sep: str | None, decimal: str, encoding: str | None, sheet: str | int | None) -> Table:
    """Read a file by its suffix; raises a CohortError that says what to do where it cannot be read."""
    raise_all(_path_problems(path))
    file_format = FORMATS[path.suffix.lower()]
    if file_format != "Excel" and sheet is not None:
        raise InputError(f"sheet={sheet!r} is for Excel files; {path.name} is {file_format}")
    if file_format == "Parquet":
        return _read_parquet(path)
    rows, notes = _excel_rows(path, sheet) if file_format == "Excel" else _csv_rows(path, sep, decimal, encoding)
    return _as_table(rows, path, file_format, notes)


FORMATS: dict[str, FileFormat] = {
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
    usable = [known for known in FORMATS if not (writing and known == ".xlsm")]
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


def _csv_rows(
    path: Path, sep: str | None, decimal: str, encoding: str | None
) -> tuple[list[list[str]], tuple[str, ...]]:
    """The rows of a text file below its comments, blank lines left out, every row as wide as the first; and notes."""
    text, notes = _below_comments(_decoded(path, encoding), path)
    if not text.strip():
        raise CohortError(f"{path.name} is empty")
    chosen = sep or _guessed_separator(text, path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=chosen, strict=True) if row]
    except (csv.Error, TypeError) as error:
        raise CohortError(
            f"{path.name}: cannot be parsed with {argument('sep', chosen)} ({error}); check quotes and sep"
        ) from None
    raise_all(_width_problems(rows, path, chosen, decimal))
    return rows, notes


def _below_comments(text: str, path: Path) -> tuple[str, tuple[str, ...]]:
    """The text without the lines that begin with # before its header, and a note on them.

    Where the line below the comments holds a number it is a row of data, and the last of them, such as "#id,age", the
    header.
    """
    lines = text.splitlines(keepends=True)
    n_comments = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if not n_comments:
        return text, ()
    below = lines[n_comments] if n_comments < len(lines) else ""
    if any(_is_number(field.strip(' "\r\n')) for field in re.split(r"[,;\t|]", below)):
        n_comments -= 1
        lines[n_comments] = lines[n_comments].removeprefix("#")
    note = f"{path.name}: {n_comments} comment lines before the header left out (they begin with #)"
    return "".join(lines[n_comments:]), (note,) if n_comments else ()


def _decoded(path: Path, encoding: str | None) -> str:
    """The file's text without a byte-order mark."""
    data = path.read_bytes()
    if encoding is None and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CohortError(f"{path.name} is UTF-16; read it with {argument('encoding', 'utf-16')}")
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError:
        raise InputError(
            f"{argument('encoding', encoding)} is unknown; try {toml('utf-8')} or {toml('cp1252')}"
        ) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        usual = f"read it with {argument('encoding', 'cp1252')} (Windows, Western Europe)"
        advice = "try another encoding" if encoding else usual
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
        return [f"{path.name}: one column found ({rows[0][0]!r}); {argument('sep', others[0])}?"] if others else []
    ragged = [number for number, row in enumerate(rows) if len(row) != width]
    if not ragged:
        return []
    first = ragged[0]
    advice = "quote fields that hold the separator"
    if sep == "," and decimal == ".":
        advice += f"; are there decimal commas? Then save with semicolons and read with {argument('decimal', ',')}"
    counts = f"{len(ragged)} rows (first: row {first}, {len(rows[first])} fields)"
    return [f"{path.name}: the header has {width} fields, but not {counts}; {advice}"]


# --- Excel and Parquet ----------------------------------------------------------------------------


def _excel_rows(path: Path, sheet: str | int | None) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of one sheet, whatever size it states, empty rows before the header left out; and notes."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, ValueError, KeyError, EOFError, SyntaxError) as error:
        raise CohortError(f"{path.name} cannot be opened as an Excel file ({error})") from None
    chosen = book[_sheet_name(book, sheet, path)]
    rows: list[Row] = list(chosen.iter_rows(values_only=True))
    filled = [index for index, row in enumerate(rows) if not _is_empty(row)]
    if not filled:
        raise CohortError(f"{path.name} is empty")
    hidden = [index for index in filled if chosen.row_dimensions[index + 1].hidden]
    if not hidden:
        return rows[filled[0] :], ()
    note = (
        f"{path.name}: {len(hidden)} rows are hidden in the sheet (by a filter?) and are read all the same"
        f" (first: row {hidden[0] + 1} of the sheet); delete them where they do not belong to the cohort"
    )
    return rows[filled[0] :], (note,)


def _sheet_name(book: Workbook, sheet: str | int | None, path: Path) -> str:
    """The sheet asked for, or the only one that is not hidden."""
    sheets: dict[str, str] = {entry.title: entry.sheet_state for entry in book.worksheets}
    names = list(sheets)
    if sheet is None:
        visible = [name for name, state in sheets.items() if state == "visible"]
        if len(visible) == 1:
            return visible[0]
        raise CohortError(
            f"{path.name} has {len(visible)} sheets ({first_few(map(repr, visible), 12)}); choose one, as in"
            f" {argument('sheet', (visible or list(sheets))[0])}"
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


def _as_table(rows: Sequence[Row], path: Path, file_format: FileFormat, notes: tuple[str, ...]) -> Table:
    """Names from the first row, cells from the others; empty rows and unnamed columns without use are counted out."""
    names = ["" if name is None else unescaped(str(name)) for name in rows[0]]
    body = [row for row in rows[1:] if len(row) == 1 or not _is_empty(row)]
    if not body:
        raise CohortError(f"{path.name} has names in its first row, but no rows below")
    columns = list(zip(*body, strict=True))
    kept = [(name, cells) for name, cells in zip(names, columns, strict=True) if name.strip() or not _is_useless(cells)]
    raise_all(_name_problems([name for name, _ in kept], path))
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in kept})
    n_useless = len(names) - len(kept)
    useless = (f"{n_useless} columns without a name left out: empty, or row numbers",) if n_useless else ()
    return Table(frame, file_format, len(rows) - 1 - len(body), (*useless, *notes, *_summary_rows(frame)))


SUMMARIES = frozenset(("mean", "average", "median", "sd", "std", "stdev", "sum", "total", "n", "count", "min", "max"))
"""Words that begin the rows which a spreadsheet's user puts below a table."""

AMBIGUOUS_SUMMARIES = frozenset(("n", "count", "min", "max"))
"""Those of them that may be a patient's value (n: no); they count where two summaries or more stand together."""


def _summary_rows(frame: pd.DataFrame) -> tuple[str, ...]:
    """A note where the last rows begin with words such as mean, SD or total: they are no patients."""
    first = [str(cell).strip().rstrip(":").casefold() for cell in frame.iloc[:, 0]]
    n_below = next((count for count, word in enumerate(reversed(first)) if word not in SUMMARIES), len(first))
    words = first[len(first) - n_below :]
    if (
        not n_below
        or (n_below == 1 and words[0] in AMBIGUOUS_SUMMARIES)
        or set(words) & set(first[: len(first) - n_below])
        or len(set(words)) < n_below
    ):
        return ()
    written = ", ".join(repr(str(cell).strip()) for cell in frame.iloc[-n_below:, 0])
    what = "last row looks" if n_below == 1 else f"last {n_below} rows look"
    return (f"the {what} like a summary of the table, not patients ({written}); delete them in the file",)


def _is_useless(cells: Row) -> bool:
    """Whether a column without a name holds nothing, or only the numbers of its rows."""
    as_text = [str(cell) for cell in cells]
    row_numbers = [[str(number + first) for number in range(len(cells))] for first in (0, 1)]
    return _is_empty(cells) or as_text in row_numbers


def _name_problems(names: Sequence[str], path: Path) -> list[str]:
    """Columns without a name, names that stand twice, and a first row that holds numbers instead of names."""
    problems = []
    blank = [number for number, name in enumerate(names, start=1) if not name.strip()]
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
