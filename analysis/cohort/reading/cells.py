"""Cells as a file holds them into the plainest type that keeps every one: numbers, booleans, dates, else text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cohort import cell_text
from analysis.cohort.column_names import time_unit_of
from analysis.cohort.columns import first_few, stratum_label
from analysis.cohort.dates import TWO_READINGS, as_dates, has_short_years, only_reading
from analysis.cohort.reading.distinct_cells import USUAL_RULES, CellRules, DistinctCells
from analysis.cohort.reading.formats import FileFormat
from analysis.cohort.reading.rows import unescaped
from analysis.cohort.remedies import argument

SPREADSHEET_ERRORS = frozenset(("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"))

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_DIGITS_OF_A_NAME = re.compile(r"[+-]?(?:0\d+|\d{16,})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
TYPED = frozenset(("Parquet", "Feather", "JSON", "Stata", "SAS", "SPSS"))
"""Formats in which an apostrophe before text is part of it."""

_BOOLEANS = {"true": True, "false": False}
_LARGEST_EXACT = 2.0**53
_MOST_LABELS = 50
_FEWEST_MEASURED = 10


Typed = tuple[pd.Series, str, str]
"""A typed column; a problem where its cells cannot be taken; a note where more than parsing was done."""


def plain_column(
    column: pd.Series,
    *,
    file_format: FileFormat,
    rules: CellRules = USUAL_RULES,
    levels: Sequence[str] | None = None,
    must_be_number: bool = False,
    date_format: str | None = None,
) -> Typed:
    """The plainest type that keeps every cell; with `levels` (even none) text stays text and no level is missing."""
    if date_format is not None:
        return _dated(column, date_format)
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return column, "", ""
    try:
        codes, uniques = pd.factorize(column.astype(object))
    except TypeError:  # cells that hold lists: nothing here can type them
        return column, "", ""
    kept = frozenset(levels or ())
    cells = [_cell(value, kept, restore=file_format not in TYPED) for value in uniques]
    as_number = np.array(
        [cell_text.cell_number(cell, rules.decimal, rules.thousands) for cell in cells], dtype=np.float64
    )
    distinct = DistinctCells(column, cells, codes, as_number, file_format, rules)
    if levels is not None:
        typed, problem, note = _text(distinct)
    else:
        typed, problem, note = _asked_numbers(distinct) if must_be_number else _typed(distinct)
    return _spread(typed, codes, column), problem, note


def _dated(column: pd.Series, date_format: str) -> Typed:
    """Dates written in the format that is given; else the column as it is, with a problem."""
    present = column.map(lambda cell: _cell(cell, frozenset(), restore=False)).astype(object)
    present.name, present.attrs = column.name, column.attrs
    dates, problem = as_dates(present.where(present.notna()), date_format)
    return dates, f"column {column.name!r}: {problem}" if problem else "", ""


def _cell(value: object, kept: frozenset[str], *, restore: bool) -> object:
    """A cell without blanks that mean nothing: None where it is missing, the bare text where it was escaped."""
    if not isinstance(value, str):
        return value
    if restore and unescaped(value) != value:
        return cell_text.LiteralText(unescaped(value))
    return None if value.strip() in cell_text.MISSING and value not in kept else value


def _spread(typed: pd.Series, codes: NDArray[np.intp], column: pd.Series) -> pd.Series:
    """The typed different cells back to their rows; whole numbers stay whole where none is missing."""
    if (codes < 0).any():  # one more at the end, missing, which the code -1 takes
        typed = (typed.astype("boolean") if typed.dtype == np.bool_ else typed).reindex(range(len(typed) + 1))
    spread = typed.iloc[codes].set_axis(column.index)
    spread.name = column.name
    return spread


def _typed(distinct: DistinctCells) -> Typed:
    """What the different cells are, all together; with a problem or a note."""
    others = distinct.others
    if not others:
        return _numbers(distinct)
    if _are_missing(distinct):
        return _without_words(distinct)
    if all(isinstance(cell, date) or _matches(_ISO_DATE, cell) for cell in distinct.present):
        return _dates(distinct)
    if all(str(cell).strip().lower() in _BOOLEANS for cell in distinct.present):
        booleans = [None if cell is None else _BOOLEANS[str(cell).strip().lower()] for cell in distinct.cells]
        return pd.Series(booleans, dtype="boolean" if None in booleans else "bool"), "", ""
    if set(others) <= SPREADSHEET_ERRORS:
        n_errors = distinct.count([cell in SPREADSHEET_ERRORS for cell in distinct.cells])
        note = f"column {distinct.name!r}: {n_errors} formula errors ({first_few(others)}) set missing"
        return pd.Series(distinct.as_number), "", note
    if distinct.rules.limits != "error" and all(_matches(cell_text.LIMIT, cell) for cell in others):
        return _limited(distinct)
    if all(isinstance(cell, str) and not isinstance(cell, cell_text.LiteralText) for cell in distinct.present):
        dates = _read_in_one_way(distinct)
        if dates is not None:
            return dates
    typed, _, note = _text(distinct)
    return (
        typed,
        cell_text.text_in_numbers(distinct.name, distinct.present, decimal=distinct.rules.decimal),
        "; ".join(filter(None, (note, _mixture(distinct)))),
    )


def _matches(pattern: re.Pattern[str], cell: object) -> bool:
    """Whether a cell is text of this pattern, and may be read as something other than text."""
    return (
        isinstance(cell, str) and not isinstance(cell, cell_text.LiteralText) and bool(pattern.fullmatch(cell.strip()))
    )


def _limited(distinct: DistinctCells) -> Typed:
    """Numbers, with values beyond a limit set to it or set missing, and a note on how many."""
    beyond = [
        cell_text.LIMIT.fullmatch(str(cell).strip()) if isinstance(cell, str) else None for cell in distinct.cells
    ]
    rules, done = distinct.rules, "set missing" if distinct.rules.limits == "missing" else "set to it"
    if rules.limits == "missing":
        bounds = [np.nan for _ in beyond]
    else:
        bounds = [
            cell_text.cell_number(match[1], rules.decimal, rules.thousands) if match else np.nan for match in beyond
        ]
    values = np.where([match is not None for match in beyond], bounds, distinct.as_number)
    count = distinct.count([match is not None for match in beyond])
    shown = first_few(map(repr, distinct.others))
    return pd.Series(values), "", f"column {distinct.name!r}: {count} values beyond a limit ({shown}) {done}"


def _numbers(distinct: DistinctCells) -> Typed:
    """Numbers; or text where digits are a name, as in "007"; whole numbers where all are whole."""
    texts = [cell.strip() for cell in distinct.present if isinstance(cell, str)]
    if any(_DIGITS_OF_A_NAME.fullmatch(text) for text in texts) and not time_unit_of(distinct.name):
        return _text(distinct)
    return _as_numbers(distinct, texts)


def _as_numbers(distinct: DistinctCells, texts: Sequence[str]) -> Typed:
    """Numbers, whole where all are; with a note on marks that may be of thousands, and on numbers stored as text."""
    note = _doubtful_marks(distinct, texts)
    if texts and distinct.file_format != "text":
        count = distinct.count([isinstance(cell, str) for cell in distinct.cells])
        note = f"column {distinct.name!r}: {count} numbers were stored as text and are read as numbers"
    whole = (
        distinct.cells
        and all(_is_whole(cell) for cell in distinct.cells)
        and np.abs(distinct.as_number).max() < _LARGEST_EXACT
    )
    return pd.Series(distinct.as_number, dtype=np.int64 if whole else np.float64), "", note


def _asked_numbers(distinct: DistinctCells) -> Typed:
    """Numbers, as was asked for; with a problem where cells are none."""
    others = distinct.others
    if not others:
        return _as_numbers(distinct, [cell.strip() for cell in distinct.present if isinstance(cell, str)])
    if all(cell_text.reads_as_missing(cell) for cell in others):
        return _without_words(distinct)
    if distinct.rules.limits != "error" and all(_matches(cell_text.LIMIT, cell) for cell in others):
        return _limited(distinct)
    hint = cell_text.text_in_numbers(distinct.name, distinct.present, decimal=distinct.rules.decimal)
    where = distinct.rows(
        [cell is not None and np.isnan(n) for cell, n in zip(distinct.cells, distinct.as_number, strict=True)]
    )
    codes = argument("missing", {distinct.name: list(map(str, others[:5]))})
    problem = hint or (
        f"column {distinct.name!r}: {first_few(map(repr, others))} is no number, in {where}; correct the cells, or"
        f" where they stand for a missing value read with {codes}"
    )
    return pd.Series(distinct.as_number), problem, ""


def _are_missing(distinct: DistinctCells) -> bool:
    """Whether a column holds numbers and, beside them, nothing but words that say that there is no value."""
    n_numbers = int((~np.isnan(distinct.as_number)).sum())
    measured = n_numbers >= _FEWEST_MEASURED or time_unit_of(distinct.name) is not None
    says = cell_text.says_missing if measured else cell_text.marks_missing
    return n_numbers > 0 and all(says(cell) for cell in distinct.others)


def _without_words(distinct: DistinctCells) -> Typed:
    """Numbers, with words that say that there is no value set missing, and a note on how many."""
    words = distinct.others
    where = distinct.rows([cell in words for cell in distinct.cells])
    shown = first_few(map(repr, words))
    note = f"column {distinct.name!r}: {shown} among numbers set missing, in {where}"
    return pd.Series(distinct.as_number), "", note


def _read_in_one_way(distinct: DistinctCells) -> Typed | None:
    """Dates where text can be read as such in one way alone, with a note where day or month comes first; else None."""
    found = only_reading([str(cell) for cell in distinct.present])
    if not found or found == TWO_READINGS:
        return None
    texts = pd.Series([None if cell is None else str(cell) for cell in distinct.cells], dtype=object)
    dates, _ = as_dates(texts)
    order = {"%d/%m": "day", "%m/%d": "month"}.get(found[:5])
    note = f"column {distinct.name!r}: dates read with the {order} first, the only reading of all of them"
    return dates, "", note if order else ""


def _doubtful_marks(distinct: DistinctCells, texts: Sequence[str]) -> str:
    """A note where every decimal comma stands before three digits, beside whole numbers above 99."""
    marked = [text for text in texts if distinct.rules.decimal == "," and "," in text]
    whole = [cell_text.cell_number(text, ",") for text in texts if "," not in text]
    if not marked or not cell_text.may_separate_thousands(marked, whole, ","):
        return ""
    shown = first_few(map(repr, marked))
    return (
        f"column {distinct.name!r}: {shown} read with a decimal comma, beside numbers up to {max(map(abs, whole)):g};"
        f" where the comma separates thousands, read with {argument('thousands', ',')} and {argument('decimal', '.')}"
    )


def _is_whole(cell: object) -> bool:
    """Whether a cell is a whole number, written as one."""
    return bool(_WHOLE.fullmatch(cell.strip())) if isinstance(cell, str) else isinstance(cell, (int, np.integer))


def _dates(distinct: DistinctCells) -> Typed:
    """Dates; text with a note where one of them is none, or where only some carry a time zone."""
    texts = pd.Series([None if cell is None else str(cell).strip() for cell in distinct.cells], dtype=object)
    try:
        return pd.Series(pd.to_datetime(texts, format="ISO8601")), "", ""
    except ValueError as error:
        reason = str(error).split(",")[0]
        return _text(distinct)[0], "", f"column {distinct.name!r}: dates kept as text ({reason})"


def _text(distinct: DistinctCells) -> Typed:
    """Text as it stands, numbers among it as labels; a note where labels differ only by case or blanks."""
    labels = [
        None if cell is None else str(cell) if isinstance(cell, str) else stratum_label(cell) for cell in distinct.cells
    ]
    typed = pd.Series(labels, dtype=object if None in labels else None)
    notes = [_missing_words(distinct), _look_alikes(distinct.name, labels)]
    return typed.where(typed.notna(), np.nan), "", "; ".join(filter(None, notes))


def _missing_words(distinct: DistinctCells) -> str:
    """A note on labels that read as missing values."""
    words = [cell for cell in distinct.present if cell_text.reads_as_missing(cell)]
    if not words:
        return ""
    count, shown = (
        distinct.count([cell_text.reads_as_missing(cell) for cell in distinct.cells]),
        first_few(map(repr, words)),
    )
    codes = argument("missing", list(map(str, words[:5])))
    return f"column {distinct.name!r}: {shown} reads as missing, in {count} rows; if so, read with {codes}"


def _look_alikes(name: str, labels: Sequence[str | None]) -> str:
    """A note where labels differ only by case or by blanks around them."""
    if len(labels) > _MOST_LABELS:
        return ""
    by_form: dict[str, list[str]] = {}
    for label in labels:
        if label is not None:
            by_form.setdefault(label.strip().casefold(), []).append(label)
    alike = [first_few(map(repr, forms)) for forms in by_form.values() if len(forms) > 1]
    return f"column {name!r}: labels differ only by case or blanks: {first_few(alike)}" if alike else ""


def _mixture(distinct: DistinctCells) -> str:
    """A note where most cells are measurements and some are words, or where dates can be read in two ways."""
    strings = [str(cell).strip() for cell in distinct.present]
    if only_reading(strings) == TWO_READINGS or has_short_years(strings):
        why = "years of two digits" if has_short_years(strings) else "two readings"
        short = "y" if has_short_years(strings) else "Y"
        formats = " or ".join(argument("dates", {distinct.name: f"{order}/%{short}"}) for order in ("%d/%m", "%m/%d"))
        return f"column {distinct.name!r}: dates such as {strings[0]!r} have {why}, kept as text; read with {formats}"
    is_number = ~np.isnan(distinct.as_number)
    n_numbers = distinct.count(is_number)
    n_others = distinct.count([cell is not None for cell in distinct.cells]) - n_numbers
    if is_number.sum() < _FEWEST_MEASURED or n_others >= n_numbers:
        return ""
    shown = first_few(map(repr, distinct.others))
    return f"column {distinct.name!r}: {n_numbers} numbers and {n_others} other values ({shown}), kept as text"
