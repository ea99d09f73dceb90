"""Tidy frames as tables: for people (words, units, merged intervals), for pages (HTML) and for spreadsheets (CSV)."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.present.text.column_formats import ESTIMATES, FORMATS, HIDDEN, ColumnFormat, format_of, heading_of
from analysis.present.text.formatting import (
    MISSING,
    format_count,
    format_interval,
    format_number,
    format_ratio,
    format_share,
    is_missing,
)

Row = Mapping[Hashable, Any]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")


def display_frame(
    frame: pd.DataFrame,
    *,
    headings: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    conf_level: float | None = None,
) -> pd.DataFrame:
    """A tidy frame as people read it: headings in words, formatted cells, estimate and interval in one cell.

    Parameters
    ----------
    frame : DataFrame
        Tidy; not changed.
    headings : mapping, optional
        Column to heading, for columns whose name is not known here or should read otherwise.
    kinds : mapping, optional
        Column to kind: "count", "share", "ratio", "p", "time" (NaN is "NR"), "number", "number3", "plain", "digits",
        "tiny", "yes", "text".
    conf_level : float, optional
        Level of the intervals, for the heading; the frame's own column ``conf_level``, else 0.95, by default.

    Returns
    -------
    DataFrame
        Strings only; limits are merged into their estimate's cell, as "1.30 (1.02 to 1.62)".

    Examples
    --------
    >>> ratios = pd.DataFrame({"term": ["age"], "hazard_ratio": [1.3], "conf_low": [1.021], "conf_high": [1.62],
    ...                        "p_value": [0.0004]})
    >>> display_frame(ratios).iloc[0].to_dict()
    {'Term': 'age', 'Hazard ratio (95% CI)': '1.30 (1.02 to 1.62)', 'p': '<0.001'}
    """
    if not frame.columns.is_unique:
        twice = ", ".join(map(str, frame.columns[frame.columns.duplicated()].unique()))
        raise InputError(f"frame: column {twice} stands twice; rename or drop the copies")
    level = f"{100 * (conf_level or _level(frame)):g}% CI"
    names, chosen = dict(headings or {}), dict(kinds or {})
    merged = _merged(frame)
    limits = {limit for pair in merged.values() for limit in pair}
    columns: dict[str, list[str]] = {}
    for column in frame.columns:
        if column in HIDDEN or column in limits or (column == "std_error" and merged):
            continue
        heading = names.get(column, heading_of(column))
        kind = FORMATS[chosen.get(column, format_of(frame, column))]
        cells = [kind.cell(value) for value in frame[column]]
        if column in merged:
            heading = f"{heading} ({level})"
            cells = _with_limits(cells, frame, merged[column], kind)
        columns[heading] = cells
    return pd.DataFrame(columns, index=range(len(frame)), dtype=object)


def baseline_display(table: pd.DataFrame, *, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Table 1 as people read it: a column a stratum, medians with quartiles, counts with shares.

    Parameters
    ----------
    table : DataFrame
        As `baseline_table` gives it: variable level stratum n n_missing mean std median q25 q75 count share smd.
    labels : mapping, optional
        Variable to the words that stand for it, with units.

    Returns
    -------
    DataFrame
        Strings: "Characteristic", one column for each stratum (headed with its size), "SMD". Levels are indented; a
        0/1 indicator takes one row, its share of ones.

    Examples
    --------
    >>> rows = [("age", "", "low", 3, 0, 60.0, 5.0, 61.0, 58.0, 66.0, float("nan"), float("nan"), 0.12)]
    >>> names = "variable level stratum n n_missing mean std median q25 q75 count share smd".split()
    >>> baseline_display(pd.DataFrame(rows, columns=names), labels={"age": "Age (years)"}).iloc[0].tolist()
    ['Age (years), median (quartiles)', '61 (58 to 66)', '0.12']
    """
    strata = list(dict.fromkeys(table["stratum"].astype(str)))
    sizes = (table["n"] + table["n_missing"]).groupby(table["stratum"].astype(str)).max()
    headings = {stratum: f"{stratum} (n = {format_count(sizes.loc[stratum])})" for stratum in strata}
    rows: list[dict[str, str]] = []
    for variable, mine in table.groupby("variable", sort=False, observed=True):
        label = (labels or {}).get(str(variable), str(variable).replace("_", " "))
        rows += _characteristic(label, mine.assign(stratum=mine["stratum"].astype(str)), headings)
    return pd.DataFrame(rows, columns=["Characteristic", *headings.values(), "SMD"], dtype=object).fillna("")


def _characteristic(label: str, rows: pd.DataFrame, headings: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of one variable of Table 1, a row for what is missing among them."""
    smd = rows["smd"].dropna()
    last = {"SMD": format_number(smd.iloc[0]) if len(smd) else MISSING}
    if rows["count"].isna().all():
        cells = _cells(rows, headings, partial(_quartiles, digits=_digits(rows)))
        lines = [{"Characteristic": f"{label}, median (quartiles)", **cells, **last}]
    else:
        lines = _levels(label, rows, headings, last)
    if rows["n_missing"].any():
        lines.append({"Characteristic": "    missing", **_cells(rows, headings, _missing)})
    return lines


def _levels(
    label: str, rows: pd.DataFrame, headings: Mapping[str, str], last: Mapping[str, str]
) -> list[dict[str, str]]:
    """A heading row and one row for each level; only the ones of a 0/1 indicator."""
    level_of = rows["level"].astype(str)
    by_level = {level: _cells(rows[level_of == level], headings, _count_and_share) for level in dict.fromkeys(level_of)}
    if set(by_level) <= {"0", "1"} and "1" in by_level:
        return [{"Characteristic": f"{label}, n (%)", **by_level["1"], **last}]
    head = {"Characteristic": f"{label}, n (%)", **last}
    return [head, *({"Characteristic": f"    {level}", **cells} for level, cells in by_level.items())]


def _cells(rows: pd.DataFrame, headings: Mapping[str, str], write: Callable[[Row], str]) -> dict[str, str]:
    """One cell for each stratum."""
    return {headings[str(row["stratum"])]: write(row) for row in rows.to_dict("records")}


def _quartiles(row: Row, *, digits: int) -> str:
    """Median and quartiles in one cell; a stratum without a known value has none."""
    if is_missing(row["median"]):
        return MISSING
    return f"{format_number(row['median'], digits=digits)} ({format_interval(row['q25'], row['q75'], digits=digits)})"


def _digits(rows: pd.DataFrame) -> int:
    """Decimals of a variable's quartiles, the same in all strata: none where all are whole, else by their size."""
    values = rows[["median", "q25", "q75"]].to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    if (known == np.round(known)).all():
        return 0
    return 1 if np.abs(known).max() >= 10 else 2


def _count_and_share(row: Row) -> str:
    """A count with its share in one cell."""
    return f"{format_count(row['count'])} ({format_share(row['share'])})"


def _missing(row: Row) -> str:
    """How many values are missing."""
    return format_count(row["n_missing"])


def html_table(frame: pd.DataFrame, *, caption: str) -> str:
    """A display frame as an accessible HTML table: caption, scopes, numbers to the right; everything escaped.

    Parameters
    ----------
    frame : DataFrame
        As `display_frame` gives it; other frames are passed through it cell by cell as text.
    caption : str
        What the table is.

    Returns
    -------
    str
        ``<table>...</table>``; the first column heads its row.

    Examples
    --------
    >>> html_table(pd.DataFrame({"Stratum": ["<b>"], "Events": ["12"]}), caption="Counts").count("&lt;b&gt;")
    1
    """
    numeric = [all(map(reads_as_number, frame.iloc[:, column])) for column in range(frame.shape[1])]
    classes = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f'<th scope="col"{kind}>{escape(str(name))}</th>' for name, kind in zip(frame.columns, classes, strict=True)
    )
    rows = []
    for cells in frame.itertuples(index=False, name=None):
        texts = [_cell(value) for value in cells]
        first = f'<th scope="row"{classes[0]}>{texts[0]}</th>' if texts else ""
        rest = "".join(f"<td{kind}>{text}</td>" for text, kind in zip(texts[1:], classes[1:], strict=True))
        rows.append(f"<tr>{first}{rest}</tr>")
    head = f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def csv_text(frame: pd.DataFrame) -> str:
    """A tidy frame as CSV that repeats byte for byte and that no spreadsheet runs.

    Numbers have 12 significant digits and a decimal point; lines end in a line feed; a text cell (or heading) that
    starts with ``=``, ``+``, ``-``, ``@``, a tab or a new line gets a leading apostrophe, so that it is inert.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"stratum": ["=1+1", "low"], "survival": [0.5, None]})).splitlines()
    ['stratum,survival', "'=1+1,0.5", 'low,']
    """
    safe = pd.DataFrame({column: _safe_cells(frame.iloc[:, column]) for column in range(frame.shape[1])})
    safe.columns = pd.Index([_safe(str(name)) for name in frame.columns])
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.12g")


def _level(frame: pd.DataFrame) -> float:
    """The level of a frame's intervals."""
    return float(frame["conf_level"].iloc[0]) if "conf_level" in frame and len(frame) else 0.95


def _merged(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Each estimate with the names of its limits."""
    limits = {}
    if {"conf_low", "conf_high"} <= set(frame.columns):
        estimate = next((name for name in ESTIMATES if name in frame), None)
        if estimate is not None:
            limits[estimate] = ("conf_low", "conf_high")
    for name in frame.columns:
        if {f"{name}_conf_low", f"{name}_conf_high"} <= set(frame.columns):
            limits[name] = (f"{name}_conf_low", f"{name}_conf_high")
    return limits


def _with_limits(cells: list[str], frame: pd.DataFrame, limits: tuple[str, str], kind: ColumnFormat) -> list[str]:
    """Each estimate followed by its interval in brackets, where it has one."""
    lows, highs = (frame[name] for name in limits)
    merged = []
    for cell, low, high in zip(cells, lows, highs, strict=True):
        if is_missing(low) and is_missing(high):
            merged.append(cell)
        elif kind.cell is format_ratio:
            merged.append(f"{cell} ({format_ratio(low)} to {format_ratio(high)})")
        else:
            between = format_interval(low, high, digits=kind.digits, missing=kind.missing, share=kind.share)
            merged.append(f"{cell} ({between})")
    return merged


def reads_as_number(value: object) -> bool:
    """Whether a cell is a number, an interval, a mark for a missing one, or that of the reference."""
    return re.fullmatch(r"(?:[\d.,%<>−–∞eNRto()\s+-]|\(reference\))*", str(value)) is not None


def _cell(value: object) -> str:
    """A cell as HTML; leading spaces (levels under a variable) are kept."""
    text = MISSING if is_missing(value) else str(value)
    indent = len(text) - len(text.lstrip(" "))
    return "&nbsp;" * indent + escape(text.lstrip(" "))


def _safe_cells(values: pd.Series) -> list[Any]:
    """A column whose text cells are inert."""
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return list(np.asarray(values, dtype=object)) if values.isna().any() else values.tolist()
    return [_safe(value) if isinstance(value, str) else value for value in values]


def _safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, with line feeds for returns (a lone one would end the row)."""
    text = re.sub(r"\r\n?", "\n", text)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
