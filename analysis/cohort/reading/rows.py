"""Rows of cells as a text file or a sheet holds them, each with its number there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Row = Sequence[object]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of cells, and what their reader knows of them.

    Numbers are those that a spreadsheet shows beside the rows. `ragged` says what to do about rows of another width,
    `one_column` what is wrong with a single column; `merged` are merged cells, each with the last of its rows.
    """

    rows: list[Row]
    numbers: list[int]
    notes: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    ragged: str = ""
    one_column: str = ""
    merged: tuple[tuple[str, int], ...] = ()
    sep: str = ""


def filled(row: Row) -> int:
    """How many cells of a row hold anything but blanks."""
    return sum(not is_blank(cell) for cell in row)


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing but blanks."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


ESCAPED = ("=", "+", "-", "@", "'", "\t", "\r")
"""Text that begins so is written with an apostrophe before it, so that no spreadsheet takes it for a formula."""


def escaped(value: object) -> object:
    """A cell that no spreadsheet runs as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(ESCAPED) else value


def unescaped(text: str) -> str:
    """The text as it was before `escaped`."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(ESCAPED) else text
