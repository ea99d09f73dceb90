"""Dates: text as them where it can be read in one way alone, day numbers of a spreadsheet, and times between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort.columns import first_few, rows_where
from analysis.cohort.units import DAYS_PER, TimeUnit
from analysis.errors import CohortError, InputError, raise_all

SECONDS_PER_DAY = 86400.0
SPREADSHEET_EPOCH = "1899-12-30"
DAY_NUMBERS = "excel"
"""In place of a format: numbers of days as a spreadsheet counts them."""

FORM_OF_FORMATS = '"%d.%m.%Y" (31.01.2024), "%m/%d/%Y" (1/31/2024), or "excel" for day numbers of a spreadsheet'

_FORMATS = {
    "day first": "%d/%m/%Y",
    "month first": "%m/%d/%Y",
    "year first": "%Y/%m/%d",
    "day, month in letters": "%d/%b/%Y",
    "day, month in letters, together": "%d%b%Y",
}
_TIMES_OF_DAY = ("", " %H:%M", " %H:%M:%S")
_MARK = re.compile(r"[./-]")
_LIKE_A_DATE = re.compile(
    r"\d{1,4}[./-]?(?:\d{1,2}|[a-z]{3})[./-]?\d{1,4}(?: \d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII | re.IGNORECASE
)
_SLASHED = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b.*", re.ASCII)


@overload
def time_from_dates(
    start: pd.Series,
    end: pd.Series | pd.DataFrame,
    *,
    unit: TimeUnit = "months",
    same_day: float = 0.0,
    date_format: str | None = None,
) -> pd.Series: ...
@overload
def time_from_dates(
    start: ArrayLike,
    end: ArrayLike,
    *,
    unit: TimeUnit = "months",
    same_day: float = 0.0,
    date_format: str | None = None,
) -> FloatArray: ...
def time_from_dates(
    start: pd.Series | ArrayLike,
    end: pd.Series | pd.DataFrame | ArrayLike,
    *,
    unit: TimeUnit = "months",
    same_day: float = 0.0,
    date_format: str | None = None,
) -> pd.Series | FloatArray:
    """Follow-up times from the dates on which follow-up began and ended.

    time = (end - start) in days / days in one unit, with 365.25 days a year and 365.25/12 = 30.4375 days a month.

    Parameters
    ----------
    start, end : Series of dates, or array-like, shape (n,)
        Dates or times of day; text as 2024-01-31, or written in any other way that allows one reading. Two Series must
        share an index. Time zones are taken to UTC. As `end`, a DataFrame of several columns, such as the dates of
        death and of last contact, stands for the latest date in each row.
    unit : {"days", "weeks", "months", "years"}
        The unit of the result.
    same_day : float
        Days of follow-up given to rows that end when they begin, such as 0.5 for a model that takes no time of 0.
    date_format : str, optional
        How dates are written: "%d.%m.%Y" for 31.01.2024, "%m/%d/%Y" for 1/31/2024; "excel" for day numbers of a
        spreadsheet. Columns that hold dates already are left as they are.

    Returns
    -------
    Series or ndarray of float
        Times in `unit`, NaN where a date is missing; a Series keeps the index, and the name of `end`.

    Raises
    ------
    CohortError
        With every fault: text that is no date or has two readings, numbers, dates with and without a time zone
        together, an end before its start (with the rows).
    InputError
        For an unknown unit, or a negative `same_day`.

    Examples
    --------
    >>> time_from_dates(pd.Series(["2023-01-01"]), pd.Series(["2024-01-01"]), unit="days").tolist()
    [365.0]
    >>> ends = pd.DataFrame({"death": [None, "5/14/2023"], "last_contact": ["12/31/2023", "5/2/2023"]})
    >>> time_from_dates(pd.Series(["1/1/2023", "1/31/2023"]), ends, unit="days").tolist()
    [364.0, 103.0]
    """
    raise_all(_option_problems(unit, same_day), InputError)
    problems: list[str] = []
    begins, ends = _dates(start, "start", problems, date_format), _latest(end, problems, date_format)
    raise_all(problems + ([] if problems else _pair_problems(begins, ends)))
    days = _days_between(begins, ends)
    reversed_rows = days < 0
    if reversed_rows.any():
        pairs = [
            f"{a:%Y-%m-%d} to {b:%Y-%m-%d}" for a, b in zip(begins[reversed_rows], ends[reversed_rows], strict=True)
        ]
        where = rows_where(reversed_rows, begins)
        raise CohortError(f"the end comes before the start in {where}: {first_few(pairs)}; correct the dates")
    times = np.where(days == 0, same_day, days) / DAYS_PER[unit]
    return pd.Series(times, index=ends.index, name=ends.name) if isinstance(end, (pd.Series, pd.DataFrame)) else times


def _option_problems(unit: str, same_day: float) -> list[str]:
    """What is wrong with the options."""
    problems = []
    if unit not in get_args(TimeUnit):
        problems.append(f"unit={unit!r}; choose one of {first_few(map(repr, get_args(TimeUnit)))}")
    if not 0 <= same_day < 1:
        problems.append(f"same_day={same_day!r}; give a part of a day, such as 0.5")
    return problems


def _latest(end: pd.Series | pd.DataFrame | ArrayLike, problems: list[str], date_format: str | None) -> pd.Series:
    """The end of follow-up: one column, or the latest date of several."""
    if not isinstance(end, pd.DataFrame):
        return _dates(end, "end", problems, date_format)
    before = len(problems)
    columns = [_dates(end[name], "end", problems, date_format) for name in end.columns]
    if len({column.dt.tz is None for column in columns if pd.api.types.is_datetime64_any_dtype(column.dtype)}) > 1:
        problems.append("end: some columns have a time zone, others have none; give all of them one, or none")
    if len(problems) > before or not columns:
        return pd.Series(pd.NaT, index=end.index)
    latest = pd.concat([as_utc(column) for column in columns], axis=1).max(axis=1)
    return latest.rename(" or ".join(map(str, end.columns)))


def _dates(given: pd.Series | ArrayLike, role: str, problems: list[str], date_format: str | None) -> pd.Series:
    """A column of dates; adds to `problems` why it is none."""
    listed = (
        given if isinstance(given, (pd.Series, pd.Index, np.ndarray)) else np.ravel(np.asarray(given, dtype=object))
    )
    column = given if isinstance(given, pd.Series) else pd.Series(listed)
    name = f"{role} column {column.name!r}" if column.name is not None else role
    dates, problem = as_dates(column, date_format)
    problems += [f"{name}: {problem}"] if problem else []
    return dates


# --- One column -----------------------------------------------------------------------------------


def as_dates(column: pd.Series, date_format: str | None = None) -> tuple[pd.Series, str]:
    """A column as dates, and why it cannot be taken so: day numbers and text by a format, else by the only reading."""
    if isinstance(column.dtype, (np.dtype, pd.DatetimeTZDtype)) and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column, ""
    present = column[column.notna()]
    if pd.api.types.is_numeric_dtype(column.dtype) and len(present) and date_format != DAY_NUMBERS:
        advice = f'day numbers of a spreadsheet are read with date_format="{DAY_NUMBERS}"'
        return column, f"holds numbers ({first_few(present)}), not dates; {advice}"
    objects = column.astype(object)
    zoned = {_is_zoned(value) for value in objects.dropna()}
    if date_format is None and len(zoned) > 1:
        return column, "dates with and without a time zone; give all of them one"
    if date_format is None:
        found = only_reading([str(value) for value in objects.dropna()])
        if found == TWO_READINGS:
            example = next(str(value) for value in present)
            return (
                column,
                f'dates such as {example!r} have two readings; say which with date_format="%d/%m/%Y" or "%m/%d/%Y"',
            )
        parsed = _read(objects, found) if found else _iso(objects, utc=zoned == {True})
    elif date_format == DAY_NUMBERS:
        days = pd.to_numeric(objects.where(~objects.map(_is_date)), errors="coerce").astype(np.float64)
        parsed = pd.to_datetime(days, unit="D", origin=SPREADSHEET_EPOCH).fillna(
            _iso(objects.where(objects.map(_is_date)))
        )
    else:
        parsed = pd.to_datetime(objects.map(_stripped), format=date_format, errors="coerce")
        parsed = parsed.fillna(_iso(objects.where(objects.map(_is_date))))
    lost = np.asarray(parsed.isna() & column.notna(), dtype=bool)
    return (parsed, "") if not lost.any() else (column, _no_dates(column, lost, date_format))


def _no_dates(column: pd.Series, lost: BoolArray, date_format: str | None) -> str:
    """What to do about cells that are no dates."""
    shown = first_few(dict.fromkeys(map(repr, column[lost])))
    advice = "write them as 2024-01-31, or leave them blank"
    if date_format is not None:
        advice = f"they are not written as {date_format!r}; give the format of the column, such as {FORM_OF_FORMATS}"
    return f"no dates in {rows_where(lost, column)}: {shown}; {advice}"


TWO_READINGS = "two readings"


def only_reading(texts: Sequence[str]) -> str:
    """The way in which all texts can be read as dates: empty where there is none, or TWO_READINGS.

    Examples
    --------
    >>> only_reading(["1/13/1997", "12/11/2002"]), only_reading(["1/12/1997", "12/11/2002"]), only_reading(["lost"])
    ('%m/%d/%Y', 'two readings', '')
    """
    different = pd.Series(list(dict.fromkeys(texts)), dtype=object)
    if not len(different) or not all(_LIKE_A_DATE.fullmatch(text.strip()) for text in different):
        return ""
    read = {found: dates for found in _candidates() if not (dates := _read(different, found)).isna().any()}
    if len(read) > 1 and len({tuple(dates) for dates in read.values()}) > 1:
        return TWO_READINGS
    return next(iter(read), "")


def has_short_years(texts: Sequence[str]) -> bool:
    """Whether texts look like dates of which some have years of two digits."""
    return all(_SLASHED.fullmatch(text.strip()) for text in texts) and any(
        re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}\b.*", text.strip()) for text in texts
    )


def _candidates() -> list[str]:
    """Every way of writing dates that is tried."""
    return [date + time for date in _FORMATS.values() for time in _TIMES_OF_DAY]


def _read(texts: pd.Series, date_format: str) -> pd.Series:
    """Dates of one of the formats tried, whose marks may be points, slashes or dashes."""
    slashed = texts.map(lambda text: _MARK.sub("/", str(text).strip()), na_action="ignore")
    return pd.to_datetime(slashed, format=date_format, errors="coerce")


def _iso(objects: pd.Series, *, utc: bool = False) -> pd.Series:
    """Dates and text such as 2024-01-31."""
    return pd.to_datetime(objects, format="ISO8601", errors="coerce", utc=utc)


def _stripped(cell: object) -> object:
    """Text without blanks around it."""
    return cell.strip() if isinstance(cell, str) else None


def _is_date(cell: object) -> bool:
    """Whether a cell holds a date, not text that may be one."""
    return hasattr(cell, "year")


def _is_zoned(value: object) -> bool:
    """Whether a date or its text carries a time zone."""
    try:
        return pd.Timestamp(value).tzinfo is not None  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False


def _pair_problems(begins: pd.Series, ends: pd.Series) -> list[str]:
    """Whether start and end belong together."""
    if len(begins) != len(ends) or not begins.index.equals(ends.index):
        return [
            f"start has {len(begins)} rows, end {len(ends)}, or their indexes differ; give two columns of one cohort"
        ]
    if (begins.dt.tz is None) != (ends.dt.tz is None):
        return ["one of start and end has a time zone, the other has none; give both one, or neither"]
    return []


def as_utc(dates: pd.Series) -> pd.Series:
    """Dates in UTC where they have a time zone."""
    return dates if dates.dt.tz is None else dates.dt.tz_convert("UTC")


def _days_between(begins: pd.Series, ends: pd.Series) -> FloatArray:
    """Days as float, NaN where a date is missing; time zones are taken to UTC."""
    return np.asarray((as_utc(ends) - as_utc(begins)).dt.total_seconds(), dtype=np.float64) / SECONDS_PER_DAY
