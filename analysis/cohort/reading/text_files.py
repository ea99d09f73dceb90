"""Text files as rows of cells: comments and separator lines aside, every row with its number in the file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

from analysis.cohort.cell_text import is_number
from analysis.cohort.encodings import decoded
from analysis.cohort.reading.rows import Rows, filled
from analysis.cohort.remedies import argument
from analysis.errors import CohortError

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_LINES = 50

_MOST = 0.9
"""Share of rows with as many fields from which blanks are taken for separators."""

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
_STUDY_TYPES = frozenset(("STRING", "NUMBER", "BOOLEAN", "DATETIME"))
"""Types in the third of the four lines that begin a file of a cBioPortal study."""


def text_rows(path: Path, *, sep: str | None, decimal: str, encoding: str | None, header: int | None) -> Rows:
    """The rows of a text file that hold anything, below its comments."""
    lines = decoded(path.read_bytes(), path.name, encoding).splitlines(keepends=True)
    stated = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if stated:  # a line for spreadsheets, which they do not count
        lines, sep = lines[1:], sep or stated[1]
    n_comments = _n_comments(lines, header)
    below = "".join([line.removeprefix("#") if not place else line for place, line in enumerate(lines[n_comments:])])
    if not below.strip():
        raise CohortError(f"{path.name} is empty")
    chosen = sep or _guessed_separator(below, path)
    try:
        reader = csv.reader(
            io.StringIO(below, newline=""), delimiter=chosen, strict=True, skipinitialspace=chosen == " "
        )
        numbered = [(number, row) for number, row in enumerate(reader, start=n_comments + 1) if row]
    except (csv.Error, TypeError) as error:
        raise CohortError(
            f"{path.name}: cannot be parsed with {argument('sep', chosen)} ({error}); check quotes and sep"
        ) from None
    note = f"{path.name}: {n_comments} comment lines before the header left out (they begin with #)"
    return Rows(
        [row for _, row in numbered],
        [number for number, _ in numbered],
        notes=(note,) if n_comments else (),
        labels=_study_labels(lines[:n_comments], numbered[0][1], chosen),
        ragged=_ragged_advice(chosen, decimal),
        one_column=_one_column(numbered[0][1], chosen),
        sep=chosen,
    )


def _n_comments(lines: list[str], header: int | None) -> int:
    """How many lines that begin with # stand before the header.

    Where the line below them holds a number it is a row of data, and the last of them, such as "#id,age", the header.
    """
    count = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if header is not None:
        return min(count, header - 1)
    below = lines[count] if count < len(lines) else ""
    is_data = count > 0 and any(is_number(field.strip(' "\r\n')) for field in re.split(r"[,;\t|]", below))
    return count - is_data


def _study_labels(comments: list[str], header: list[str], sep: str) -> dict[str, str]:
    """The descriptions of columns in the four lines that begin a file of a cBioPortal study; else none."""
    if len(comments) < 4:
        return {}
    _, descriptions, types, _ = [
        next(csv.reader([line.lstrip("#").rstrip("\r\n")], delimiter=sep)) for line in comments[-4:]
    ]
    if set(types) <= _STUDY_TYPES and len(descriptions) == len(header):
        return dict(zip(header, descriptions, strict=True))
    return {}


def _guessed_separator(text: str, path: Path) -> str:
    """The separator that cuts most of the first lines into equally many fields, most of them; else blanks, as R's."""
    sample = "".join(text.splitlines(keepends=True)[:SAMPLE_LINES])
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    scores = {candidate: _score(sample, candidate) for candidate in (usual, *SEPARATORS)}
    best = max(scores, key=lambda candidate: scores[candidate])
    first, _, below = sample.partition("\n")
    blanks = not scores[best][0] and _score(first, " ")[0] and _score(below, " ")[1] >= _MOST
    return " " if blanks else best


def _score(sample: str, sep: str) -> tuple[bool, float, int]:
    """Whether a separator cuts lines at all, the share of lines that it cuts into as many fields, and how many."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sep, skipinitialspace=sep == " ")
    widths = [len(row) for row in reader if filled(row)]
    cut = Counter(width for width in widths if width > 1)
    if not cut:
        return False, 0.0, 1
    width, count = max(cut.items(), key=lambda item: (item[1], item[0]))
    return True, count / len(widths), width


def _one_column(first: list[str], sep: str) -> str:
    """What is likely wrong where a separator finds one column, and another would find more."""
    others = [other for other in SEPARATORS if other != sep and other in first[0]] if len(first) == 1 else []
    return f"one column found ({first[0]!r}); {argument('sep', others[0])}?" if others else ""


def _ragged_advice(sep: str, decimal: str) -> str:
    """What to do about rows that are longer or shorter than the header."""
    advice = "quote fields that hold the separator"
    if sep == "," and decimal == ".":
        advice += f"; are there decimal commas? Then save with semicolons and read with {argument('decimal', ',')}"
    return advice
