"""Codes in a file: those of a missing value set missing, those of an event mapped to 0 and 1; nothing is guessed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isnan
from numbers import Real
from typing import Any, cast

import numpy as np
import pandas as pd

from analysis.cohort.cell_text import MISSING, cell_number, reads_as_missing
from analysis.cohort.column_names import looks_like_event, looks_like_outcome
from analysis.cohort.columns import column_problems, first_few, stratum_label, with_columns
from analysis.cohort.reading.rows import unescaped
from analysis.cohort.remedies import argument, toml, worded
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
            f"{argument('missing', missing)}: give a list, {argument('missing', [shown])}, or a list for each column,"
            f" {argument('missing', {'column': [shown]})}"
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

    def is_code(cell: object) -> bool:
        """Whether a cell is one of them."""
        text = str(cell).strip()
        return text in texts or unescaped(text) in texts or cell_number(cell, ".") in values

    return column.map(is_code).astype(bool)


def _outcomes_hit(names: list[str], codes: Codes) -> str:
    """A warning where numbers that are codes in one column were set missing among times and events; else empty."""
    outcomes = [name for name in names if looks_like_outcome(name)]
    numeric = [code for code in codes if not isnan(cell_number(str(code), "."))]
    if not outcomes or not numeric:
        return ""
    other = next((name for name in names if name not in outcomes), "column")
    return (
        f"; {first_few(map(repr, outcomes))} holds a time or an event: where the code is a value there, name the"
        f" columns that hold codes, as in {argument('missing', {other: numeric})}"
    )


Code = Hashable
EventMap = Mapping[Code, int | None]
EventCodes = EventMap | Mapping[str, EventMap]


def apply_event_codes(
    cohort: pd.DataFrame, event_codes: EventCodes | None, problems: list[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The cohort with its event columns mapped, and their names; adds to `problems` what cannot be mapped."""
    if not event_codes:
        return cohort, ()
    by_column = _by_column(cohort, event_codes, problems)
    mapped = {name: _mapped(cohort[name], codes, problems) for name, codes in by_column.items()}
    return with_columns(cohort, mapped), tuple(by_column)


def _by_column(cohort: pd.DataFrame, event_codes: EventCodes, problems: list[str]) -> dict[str, EventMap]:
    """The codes of each column: as given, or for a flat mapping of the columns that hold exactly its codes."""
    nested = [isinstance(value, Mapping) for value in event_codes.values()]
    if any(nested) and not all(nested):
        problems.append(f"event_codes={dict(event_codes)!r}: give {{code: 0 or 1}}, or {{column: {{code: 0 or 1}}}}")
        return {}
    if all(nested):
        by_column = cast(dict[str, EventMap], dict(event_codes))
    else:
        by_column = dict.fromkeys(_matching(cohort, cast(EventMap, event_codes), problems), cast(EventMap, event_codes))
    missing = column_problems(cohort, list(by_column))
    problems += [f"event_codes: {problem}" for problem in missing]
    targets = (None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    unfit = [code for codes in by_column.values() for code in codes.values() if code not in targets]
    if unfit:
        problems.append(
            f"event_codes: {first_few(map(repr, unfit))}: map to 0 (censored) and 1 (event), or to causes 1, 2, ...;"
            f" {worded('None', toml('missing'))} stands for a missing value"
        )
    return {} if missing or unfit else by_column


def _matching(cohort: pd.DataFrame, codes: EventMap, problems: list[str]) -> list[str]:
    """The columns that hold exactly the codes, or only some of them where none holds all.

    Only columns named like an event count where there are any; else the codes must single out one column.
    """
    wanted = {_plain(code) for code in codes}
    seen = {str(name): _seen(column) for name, column in cohort.items()}
    named = [name for name in seen if looks_like_event(name)]
    fit = [name for name in named or seen if seen[name] == wanted]
    fit = fit or [name for name in named or seen if seen[name] and seen[name] < wanted]
    if fit and (named or len(fit) == 1):
        return fit
    listed = first_few(map(repr, codes))
    if fit:
        problems.append(
            f"event_codes: columns {first_few(map(repr, fit))} all hold the codes {listed}; {_nested(fit, codes)}"
        )
    elif named:
        have = [f"{name!r} holds {first_few(sorted(map(_as_read, seen[name])))}" for name in named]
        problems.append(
            f"event_codes: no event column holds just the codes {listed}: {first_few(have)}; {_nested(named, codes)}"
        )
    else:
        problems.append(f"event_codes: no column holds just the codes {listed}; columns: {first_few(seen, 12)}")
    return []


def _nested(names: list[str], codes: EventMap) -> str:
    """How to say which column is meant."""
    return f"say which column is meant, as in {argument('event_codes', {names[0]: dict(codes)})}"


def _as_read(value: object) -> str:
    """A plain code as text, whole numbers without a decimal point."""
    return repr(value) if isinstance(value, str) else stratum_label(value)


def _seen(column: pd.Series) -> set[object]:
    """The different values of a column as plain codes; empty where there are too many to be codes."""
    try:
        values = column.dropna().unique()
    except TypeError:  # cells that hold lists
        return set()
    return {_plain(value) for value in values} - {None} if len(values) <= 100 else set()


def _plain(value: object) -> object:
    """A value for comparison: a number and text that reads as one alike, text without blanks, missing as None."""
    text = str(value).strip()
    if text in MISSING:
        return None
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        return float(text)
    except ValueError:
        return text


def _mapped(column: pd.Series, codes: EventMap, problems: list[str]) -> pd.Series:
    """One column through its codes; a value without a code is a problem."""
    table = {_plain(code): np.nan if target is None else float(target) for code, target in codes.items()}
    plain = column.map(lambda value: None if pd.isna(value) else _plain(value)).astype(object)
    known = plain.isin(list(table)) | plain.isna()
    if not known.all():
        unknown = column[~known]
        shown = first_few(map(repr, unknown.unique().tolist()))
        words = [value for value in unknown.unique().tolist() if reads_as_missing(value)]
        advice = f", or read with {argument('missing', {column.name: words[:5]})}" if words else ""
        problems.append(
            f"event_codes: column {column.name!r} holds {shown} in {len(unknown)} rows; give every value a code{advice}"
        )
    values = plain.map(table).astype(np.float64)
    return values if values.isna().any() else values.astype(np.int64)
