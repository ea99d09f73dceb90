"""Codes of a missing value set missing, in every column or in those named, with a warning that counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from numbers import Real
from typing import Any

import pandas as pd

from analysis.cohort.columns import column_problems, first_few, with_columns
from analysis.cohort.reading.cells import cell_number
from analysis.cohort.rules import looks_like_outcome
from analysis.errors import SuspiciousValues

Codes = Sequence[str | float]
MissingCodes = Codes | Mapping[str, Codes]


def missing_problems(missing: object) -> list[str]:
    """What is wrong with the form of the codes: no list, no lists by column, or codes that are neither text nor number.

    Examples
    --------
    >>> missing_problems([-9, "[Unknown]"]), missing_problems({"ecog": [9]})
    ([], [])
    >>> missing_problems(-9)
    ["missing=-9: give a list, missing=[-9], or a list for each column, missing={'column': [-9]}"]
    """
    lists: list[Any] = list(missing.values()) if isinstance(missing, Mapping) else [missing]
    single = [codes for codes in lists if isinstance(codes, str) or not isinstance(codes, Sequence)]
    if single:
        shown = single[0]
        return [
            f"missing={missing!r}: give a list, missing=[{shown!r}], or a list for each column,"
            f" missing={{'column': [{shown!r}]}}"
        ]
    unfit = [code for codes in lists for code in codes if isinstance(code, bool) or not isinstance(code, (str, Real))]
    return [f"missing holds {first_few(map(repr, unfit))}; each code is text or a number"] if unfit else []


def set_missing(
    frame: pd.DataFrame, missing: MissingCodes, problems: list[str]
) -> tuple[pd.DataFrame, list[SuspiciousValues]]:
    """The table with its codes set missing, as text ("-9 ") and as numbers (-9.0) alike, and a warning with counts."""
    by_column = missing if isinstance(missing, Mapping) else dict.fromkeys(frame.columns if missing else (), missing)
    absent = column_problems(frame, list(by_column))
    if absent:
        problems += [f"missing: {problem}" for problem in absent]
        return frame, []
    masks = {name: _is_code(frame[name], codes) for name, codes in by_column.items()}
    counts = {name: int(mask.sum()) for name, mask in masks.items() if mask.any()}
    if not counts:
        return frame, []
    listed = first_few((f"{name!r} ({count} row{'s' * (count > 1)})" for name, count in counts.items()), 12)
    text = f"codes of a missing value set missing in column {listed}"
    if not isinstance(missing, Mapping):
        text += _outcomes_hit(list(counts), missing)
    return with_columns(frame, {name: frame[name].mask(masks[name]) for name in counts}), [SuspiciousValues(text)]


def _is_code(column: pd.Series, codes: Codes) -> pd.Series:
    """Which cells of a column are one of the codes."""
    texts = {str(code).strip() for code in codes}
    values = {number for code in codes if not isnan(number := cell_number(str(code), "."))}
    return column.map(lambda cell: str(cell).strip() in texts or cell_number(cell, ".") in values).astype(bool)


def _outcomes_hit(names: list[str], codes: Codes) -> str:
    """A warning where numbers that are codes in one column were set missing among times and events; else empty."""
    outcomes = [name for name in names if looks_like_outcome(name)]
    numeric = [code for code in codes if not isnan(cell_number(str(code), "."))]
    if not outcomes or not numeric:
        return ""
    other = next((name for name in names if name not in outcomes), "column")
    return (
        f"; {first_few(map(repr, outcomes))} holds a time or an event: where the code is a value there, name the"
        f" columns that hold codes, as in missing={{{other!r}: {numeric!r}}}"
    )
