"""From rows to named columns: titles, units, R's row names and summaries are told from the header and the patients."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.cohort.cell_text import is_number
from analysis.cohort.columns import first_few
from analysis.cohort.reading.rows import Row, Rows, filled, is_blank, unescaped
from analysis.cohort.remedies import argument
from analysis.errors import CohortError, InputError, raise_all

ROW_NAMES = "rownames"
"""Column that R's row names become where they are more than numbers."""

SUMMARIES = frozenset(("mean", "average", "median", "sd", "std", "stdev", "sum", "total", "n", "count", "min", "max"))
"""Words that begin the rows which a spreadsheet's user puts below a table."""

AMBIGUOUS_SUMMARIES = frozenset(("n", "count", "min", "max"))
"""Those of them that may be a patient's value (n: no); they count where two summaries or more stand together."""

_SEARCHED = 30
"""Rows among which a header is looked for."""

_UNIT = re.compile(
    r"(?:years?|yrs?|months?|mos?|weeks?|days?|hours?|%|percent|bpm|mm ?hg|°c|cm|mm|kg|kg/m(?:2|²|\^2)|score|mg"
    r"|(?:[mµuμn]?mol|m?eq|[mµuμnp]?g|[kmµuμ]?i?u)/(?:d?l|ml|mm(?:3|³))|ml/min.*|(?:x ?)?10(?:\^|\*\*|e)?\d*/[µuμ]?l"
    r"|y/n|yes/no|0/1|d{1,2}[./-]m{1,3}[./-]y{2,4}|m{1,2}/d{1,2}/y{2,4}|y{4}-m{2}-d{2})",
    re.IGNORECASE,
)

Numbered = list[tuple[int, Row]]


@dataclass(frozen=True, eq=False)
class Found:
    """Named columns of raw cells, the row of the file in which each stands, and what was left out."""

    frame: pd.DataFrame
    numbers: list[int]
    n_empty: int
    notes: tuple[str, ...]


def below_header(rows: Rows, file: str, *, header: int | None, skip: Sequence[int]) -> Found:
    """The columns below the header: the row that is asked for, else the first that is no title."""
    raise_all([f"{file}: {rows.one_column}"] if rows.one_column else [])
    wanted = {*skip, *([header] if header is not None else [])}
    absent = sorted(wanted - set(rows.numbers))
    raise_all([f"{file}: no row {first_few(absent)} that holds anything"] if absent else [], InputError)
    kept = [(number, row) for number, row in zip(rows.numbers, rows.rows, strict=True) if number not in set(skip)]
    numbers = [number for number, _ in kept]
    start = _n_titles([row for _, row in kept]) if header is None else numbers.index(header)
    hint = _hint(kept[start:]) if header is None else ""
    names = ["" if name is None else unescaped(str(name)) for name in kept[start][1]]
    names, body = _with_row_names(names, kept[start + 1 :], rows, file, hint)
    present = [(number, row) for number, row in body if len(row) == 1 or filled(row)]
    units = present[:1] if len(present) > 1 and _holds_units(present[0][1]) else []
    patients = present[len(units) :]
    if not patients:
        raise CohortError(f"{file} has names in its first row, but no rows below")
    frame, notes = _named(names, [row for _, row in patients], file, _in_header(rows, numbers[start]) + hint)
    given = [*_title_note(kept[:start], numbers[start], file, header), *_units_note(units, file)]
    merged = _merged_note(rows, numbers[start], file)
    notes = [*notes, *rows.notes, *given, *merged, *_summary_rows(frame, [number for number, _ in patients])]
    return Found(frame, [number for number, _ in patients], len(body) - len(present), tuple(notes))


# --- The header -----------------------------------------------------------------------------------


def _n_titles(rows: Sequence[Row]) -> int:
    """How many rows that are blank but for their first cell, or wholly, stand above one that names columns."""
    if max(map(len, rows[:_SEARCHED])) < 2:
        return 0
    count = next((place for place, row in enumerate(rows) if filled(row[1:])), 0)
    return count if count and _may_name(rows[count], rows[count:]) else 0


def _may_name(row: Row, rows: Sequence[Row]) -> bool:
    """Whether a row may name the columns of those from it on: different words, as many as most rows have cells."""
    cells = [str(cell).strip() for cell in row if not is_blank(cell)]
    usual = Counter(map(filled, rows[1:_SEARCHED])).most_common(1)
    are_words = all(isinstance(cell, str) for cell in row if not is_blank(cell)) and not any(map(is_number, cells))
    return bool(usual) and len(cells) > 1 and are_words and len(set(cells)) == len(cells) >= usual[0][0] - 1


def _hint(kept: Numbered) -> str:
    """Which row looks like the header where the first does not."""
    first = filled(kept[0][1])
    for place, (number, row) in enumerate(kept[1:_SEARCHED], start=1):
        if filled(row) > first and _may_name(row, [row for _, row in kept[place:]]):
            return f"; row {number} looks like the header: read with {argument('header', number)}"
    return ""


def _title_note(titles: Numbered, number: int, file: str, header: int | None) -> list[str]:
    """A note on rows above the header, where it was found."""
    if not titles or header is not None:
        return []
    shown = first_few(repr(str(row[0]).strip()) for _, row in titles if filled(row))
    return [f"{file}: row {number} is read as the header; above it {shown} left out"]


def _holds_units(row: Row) -> bool:
    """Whether each filled cell of a row is the name of a unit."""
    cells = [str(cell).strip().strip("()[]{}").strip() for cell in row if not is_blank(cell)]
    words = [cell for cell in cells if cell not in ("", "-", "–")]
    return bool(words) and all(_UNIT.fullmatch(word) for word in words)


def _units_note(units: Numbered, file: str) -> list[str]:
    """A note on the row of units."""
    return [
        f"{file}: row {number} holds units ({first_few(str(cell).strip() for cell in row if not is_blank(cell))}), not"
        " a patient, and is left out"
        for number, row in units
    ]


def _in_header(rows: Rows, header: int) -> str:
    """Which cells of the header are merged, for the end of a message."""
    cells = [cells for cells, last_row in rows.merged if last_row == header]
    return f"; merged cells: {first_few(cells)}" if cells else ""


def _merged_note(rows: Rows, header: int, file: str) -> list[str]:
    """A note on merged cells below the header."""
    cells = [cells for cells, last_row in rows.merged if last_row > header]
    if not cells:
        return []
    return [
        f"{file}: merged cells ({first_few(cells)}) hold their value in the first of them, the others are read as empty"
    ]


# --- Row names ------------------------------------------------------------------------------------


def _with_row_names(names: list[str], body: Numbered, rows: Rows, file: str, hint: str) -> tuple[list[str], Numbered]:
    """The header with a blank name before it where every row has one field more: R's row names."""
    width = len(names)
    ragged = [(number, row) for number, row in body if len(row) != width]
    if not ragged:
        return names, body
    first = [str(row[0]).strip() for _, row in body if len(row) == width + 1]
    points = rows.sep != "," or any("." in str(cell) and is_number(str(cell)) for _, row in body for cell in row[1:])
    above_header = bool(body) and _may_name(body[0][1], [row for _, row in body])
    if points and not above_header and len(first) == len(body) == len(set(first)):
        return ["", *names], body
    number, row = ragged[0]
    counts = f"{len(ragged)} rows (first: row {number}, {len(row)} fields)"
    raise CohortError(f"{file}: the header has {width} fields, but not {counts}; {rows.ragged}{hint}")


def _named(names: list[str], body: list[Row], file: str, hint: str) -> tuple[pd.DataFrame, list[str]]:
    """Columns under their names: unnamed ones left out where they hold nothing or number the rows; and notes."""
    columns = list(zip(*body, strict=True))
    notes = []
    if not names[0].strip() and _are_row_names(columns[0]) and not _is_useless(columns[0]):
        names = [ROW_NAMES if ROW_NAMES not in names else f"{ROW_NAMES} (1)", *names[1:]]
        if all(re.fullmatch(r"\d+", str(cell).strip()) for cell in columns[0]):
            names, columns = names[1:], columns[1:]
            notes.append(
                f"{file}: numbers of rows in a first column without a name left out, as R and pandas write them"
            )
        else:
            notes.append(f"{file}: the first column has no name and is read as {names[0]!r}, as R writes names of rows")
    kept = [(name, cells) for name, cells in zip(names, columns, strict=True) if name.strip() or not _is_useless(cells)]
    n_useless = len(names) - len(kept)
    notes += [f"{n_useless} columns without a name left out: empty, or row numbers"] if n_useless else []
    raise_all([f"{problem}{hint}" for problem in name_problems([name for name, _ in kept], file)])
    unique, renamed = renamed_copies([name for name, _ in kept], file)
    cells = {name: pd.Series(values, dtype=object) for name, (_, values) in zip(unique, kept, strict=True)}
    return pd.DataFrame(cells), [*notes, *renamed]


def _are_row_names(cells: Row) -> bool:
    """Whether cells are filled and all different, as names of rows are."""
    return not any(map(is_blank, cells)) and len({str(cell) for cell in cells}) == len(cells)


def _is_useless(cells: Row) -> bool:
    """Whether a column without a name holds nothing, or only the numbers of its rows."""
    as_text = [str(cell) for cell in cells]
    row_numbers = [[str(number + first) for number in range(len(cells))] for first in (0, 1)]
    return not filled(cells) or as_text in row_numbers


# --- Names ----------------------------------------------------------------------------------------


def name_problems(names: Sequence[str], file: str) -> list[str]:
    """Columns without a name, and a first row that holds numbers instead of names."""
    problems = []
    blank = [number for number, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        problems.append(f"{file}: column {first_few(blank)} has no name; the header must name every column")
    if not problems and all(map(is_number, names)):
        problems.append(f"{file}: the first row holds numbers ({first_few(names)}); it must name the columns")
    return problems


def renamed_copies(names: Sequence[str], file: str) -> tuple[list[str], list[str]]:
    """The names with numbers behind those that stand more than once, so that none is taken for another; and a note.

    Examples
    --------
    >>> renamed_copies(["id", "Complete?", "Complete?"], "x.csv")[0]
    ['id', 'Complete? (1)', 'Complete? (2)']
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not twice:
        return list(names), []
    unique: list[str] = []
    for name in names:
        number = 1
        while name in twice and f"{name} ({number})" in (*unique, *names):
            number += 1
        unique.append(f"{name} ({number})" if name in twice else name)
    renamed = [new for name, new in zip(names, unique, strict=True) if name in twice]
    return unique, [
        f"{file}: {first_few(map(repr, twice), 12)} names more than one column; they are read as"
        f" {first_few(map(repr, renamed), 12)}"
    ]


# --- Rows that are no patients --------------------------------------------------------------------


def _summary_rows(frame: pd.DataFrame, numbers: Sequence[int]) -> list[str]:
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
        return []
    written = ", ".join(repr(str(cell).strip()) for cell in frame.iloc[-n_below:, 0])
    what = "last row looks" if n_below == 1 else f"last {n_below} rows look"
    remedy = f"read with {argument('skip', list(numbers[-n_below:]))}, or delete them in the file"
    return [f"the {what} like a summary of the table, not patients ({written}); {remedy}"]
