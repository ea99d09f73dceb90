"""What the text in a cell says: a number, a missing value, a value beyond a limit, or words among numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isnan

import numpy as np

from analysis.cohort.columns import first_few
from analysis.cohort.remedies import argument

MISSING = frozenset((
    "", ".", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NaT", "NULL", "null",
))  # fmt: skip
"""Text that stands for a missing value."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII)
LIMIT = re.compile(r"[<>≤≥]\s*=?\s*(\d[\d.,]*)", re.ASCII)
"""A value beyond a limit of detection, such as "<0.5"."""
_READS_AS_MISSING = re.compile(
    r"\[[^\d\]]+\]|[-?]+|blank\(s\)|(?:not|un)[ _-]?(?:available|known|reported|applicable|evaluated|recorded|done)"
    r"|unk|missing|n\.\s?[adk]\.|k\.\s?a\.|no data",
    re.IGNORECASE,
)
_MARKS_MISSING = re.compile(r"\[[^\d\]]+\]|--+|blank\(s\)", re.IGNORECASE)
_NOT_SURELY_MISSING = re.compile(r"n\.\s?d\.|(?:not|un)[ _-]?(?:evaluated|done)|\?+|-", re.IGNORECASE)
"""Of these, words that may as well say that something was not found, or was not looked for."""

_NUMBER_TYPES = (int, float, np.number, Decimal)
_ABOVE_DECIMALS = 99
"""Beside numbers above it, a mark before three digits each time may separate thousands."""


class LiteralText(str):
    """Text that was written with an apostrophe before it: never a number or a date."""

    __slots__ = ()


def cell_number(cell: object, decimal: str, thousands: str = "") -> float:
    """A number, or text that reads as one, as float; else NaN."""
    if not isinstance(cell, str):
        return float(cell) if isinstance(cell, _NUMBER_TYPES) and not isinstance(cell, bool) else np.nan
    if isinstance(cell, LiteralText):
        return np.nan
    text = cell.strip()
    if thousands and in_thousands(text, thousands, decimal):
        text = text.replace(thousands, "")
    if decimal == ",":
        text = text.replace(".", " ").replace(",", ".")
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def is_number(text: str) -> bool:
    """Whether text is a number as Python writes it.

    Examples
    --------
    >>> is_number("0.82"), is_number("0,82")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def in_thousands(text: str, separator: str, decimal: str = ".") -> bool:
    """Whether a separator of thousands stands in a number, before three digits each time.

    Examples
    --------
    >>> [in_thousands(text, ",") for text in ("1,284", "12,345,678.5", "1284", "0,82", "1,28", "0,123")]
    [True, True, False, False, False, False]
    """
    mark, point = re.escape(separator), re.escape(decimal)
    return bool(re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:{point}\d*)?", text, re.ASCII))


def may_separate_thousands(marked: Iterable[str], unmarked: Iterable[float], mark: str, decimal: str = ".") -> bool:
    """Whether a mark stands before three digits each time, beside other numbers above 99.

    Examples
    --------
    >>> may_separate_thousands(["1,284"], [980.0], ","), may_separate_thousands(["1,284"], [12.5], ",")
    (True, False)
    """
    large = max(map(abs, unmarked), default=0.0) > _ABOVE_DECIMALS
    return large and all(in_thousands(text, mark, decimal) for text in marked)


def reads_as_missing(value: object) -> bool:
    """Whether text says that there is no value.

    Examples
    --------
    >>> [reads_as_missing(text) for text in ("[Not Available]", "--", "Unknown", "n.d.", "none", "[0, 10]")]
    [True, True, True, True, False, False]
    """
    return isinstance(value, str) and bool(_READS_AS_MISSING.fullmatch(value.strip()))


def marks_missing(value: object) -> bool:
    """Whether text is a mark that data sets write where there is no value.

    Examples
    --------
    >>> [marks_missing(text) for text in ("[Not Available]", "--", "Blank(s)", "Unknown")]
    [True, True, True, False]
    """
    return isinstance(value, str) and bool(_MARKS_MISSING.fullmatch(value.strip()))


def says_missing(value: object) -> bool:
    """Whether text says that there is no value, and nothing else: not that none was found.

    Examples
    --------
    >>> [says_missing(text) for text in ("Unknown", "not reported", "n.d.", "not done")]
    [True, True, False, False]
    """
    return reads_as_missing(value) and not _NOT_SURELY_MISSING.fullmatch(str(value).strip())


def words_in_numbers(name: str, cells: Sequence[object]) -> str:
    """What is wrong with a column of numbers where cells hold words, or a unit after the number; else empty."""
    words = [str(cell).strip() for cell in cells if isnan(cell_number(cell, "."))]
    shown = first_few(dict.fromkeys(map(repr, words)))
    if words and all(re.match(r"[\d.,]+\s*(?:[^\W\d_]|[*%])", word) for word in words):
        return f"column {name!r}: {len(words)} values carry a unit or a flag ({shown}); write the numbers alone"
    if not words or 2 * len(words) >= len(cells):
        return ""
    codes = argument("missing", {name: list(dict.fromkeys(words))[:5]})
    return (
        f"column {name!r}: {len(words)} of {len(cells)} values are not numbers ({shown}); correct them, or where they"
        f" stand for a missing value read with {codes}"
    )


def text_in_numbers(name: str, cells: Sequence[object], *, decimal: str = ".") -> str:
    """Words on text in a column of numbers: decimal marks of the other kind, and values beyond a limit ("<0.5").

    Empty when the column holds something else as well, or no number at all.
    """
    mark = "," if decimal == "." else "."
    limits: dict[str, None] = {}
    marked: dict[str, None] = {}
    numbers: list[float] = []
    for cell in cells:
        text = str(cell).strip()
        if not isnan(cell_number(cell, decimal)):
            numbers.append(cell_number(cell, decimal))
        elif not isnan(cell_number(text, mark)):
            marked[text] = None
        elif LIMIT.fullmatch(text):
            limits[text] = None
        else:
            return ""
    if not marked and not (limits and numbers):
        return ""
    texts = [*marked, *limits]
    advice = []
    if marked and may_separate_thousands(marked, numbers, mark, decimal):
        advice.append(
            f"read with {argument('thousands', mark)}, or where it is a decimal mark with {argument('decimal', mark)}"
        )
    elif marked:
        advice.append(f"read with {argument('decimal', mark)} (and without thousands separators)")
    if limits:
        ways = f"{argument('limits', 'bound')} or {argument('limits', 'missing')}"
        advice.append(f"values beyond a limit of detection: read with {ways}, or edit them")
    shown = first_few(map(repr, texts))
    return f"column {name!r}: text in a numeric column, first {texts[0]!r} ({shown}); {'; '.join(advice)}"
