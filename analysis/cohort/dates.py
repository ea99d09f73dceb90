"""Follow-up times from dates; the only place that says how many days a month has."""

from __future__ import annotations

from types import MappingProxyType
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few, rows_where
from analysis.errors import CohortError, InputError, raise_all

DAYS_PER_YEAR = 365.25
DAYS_PER = MappingProxyType({"days": 1.0, "weeks": 7.0, "months": DAYS_PER_YEAR / 12, "years": DAYS_PER_YEAR})
"""Days in one of each unit: a year of 365.25 days, and a twelfth of it, 30.4375 days, for a month."""

SECONDS_PER_DAY = 86400.0
SPREADSHEET_EPOCH = "1899-12-30"


@overload
def time_from_dates(start: pd.Series, end: pd.Series, *, unit: str = "months", same_day: float = 0.0) -> pd.Series: ...
@overload
def time_from_dates(start: ArrayLike, end: ArrayLike, *, unit: str = "months", same_day: float = 0.0) -> FloatArray: ...
def time_from_dates(
    start: pd.Series | ArrayLike, end: pd.Series | ArrayLike, *, unit: str = "months", same_day: float = 0.0
) -> pd.Series | FloatArray:
    """Follow-up times from the dates on which follow-up began and ended.

    time = (end - start) in days / days in one unit, with 365.25 days a year and 365.25/12 = 30.4375 days a month.

    Parameters
    ----------
    start, end : Series of dates, or array-like, shape (n,)
        Dates or times of day; text as 2024-01-31. Two Series must share an index. Time zones are taken to UTC.
    unit : {"days", "weeks", "months", "years"}
        The unit of the result.
    same_day : float
        Days of follow-up given to rows that end when they begin, such as 0.5 for a model that takes no time of 0.

    Returns
    -------
    Series or ndarray of float
        Times in `unit`, NaN where a date is missing; a Series keeps the index, and the name of `end`.

    Raises
    ------
    CohortError
        With every fault: text that is no date, numbers, dates with and without a time zone together, an end before
        its start (with the rows).
    InputError
        For an unknown unit, or a negative `same_day`.

    Examples
    --------
    >>> time_from_dates(pd.Series(["2023-01-01"]), pd.Series(["2024-01-01"]), unit="days").tolist()
    [365.0]
    """
    raise_all(_option_problems(unit, same_day), InputError)
    problems: list[str] = []
    begins, ends = _dates(start, "start", problems), _dates(end, "end", problems)
    raise_all(problems + ([] if problems else _pair_problems(begins, ends)))
    days = _days_between(begins, ends)
    reversed_rows = days < 0
    if reversed_rows.any():
        pairs = [
            f"{a:%Y-%m-%d} to {b:%Y-%m-%d}" for a, b in zip(begins[reversed_rows], ends[reversed_rows], strict=True)
        ]
        raise CohortError(
            f"the end comes before the start in {rows_where(reversed_rows)}: {first_few(pairs)}; correct the dates"
        )
    times = np.where(days == 0, same_day, days) / DAYS_PER[unit]
    return pd.Series(times, index=end.index, name=end.name) if isinstance(end, pd.Series) else times


def _option_problems(unit: str, same_day: float) -> list[str]:
    """What is wrong with the options."""
    problems = []
    if unit not in DAYS_PER:
        problems.append(f"unit={unit!r}; choose one of {first_few(map(repr, DAYS_PER))}")
    if not 0 <= same_day < 1:
        problems.append(f"same_day={same_day!r}; give a part of a day, such as 0.5")
    return problems


def _dates(given: pd.Series | ArrayLike, role: str, problems: list[str]) -> pd.Series:
    """A column of dates; adds to `problems` why it is none."""
    listed = (
        given if isinstance(given, (pd.Series, pd.Index, np.ndarray)) else np.ravel(np.asarray(given, dtype=object))
    )
    column = given if isinstance(given, pd.Series) else pd.Series(listed)
    name = f"{role} column {column.name!r}" if column.name is not None else role
    if isinstance(column.dtype, (np.dtype, pd.DatetimeTZDtype)) and pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    present = column[column.notna()]
    if pd.api.types.is_numeric_dtype(column.dtype) and len(present):
        problems.append(
            f"{name}: holds numbers ({first_few(present)}), not dates; day numbers of a spreadsheet become dates with"
            f' pandas.to_datetime(values, unit="D", origin="{SPREADSHEET_EPOCH}")'
        )
        return column
    return _parsed(column.astype(object), name, problems)


def _parsed(column: pd.Series, name: str, problems: list[str]) -> pd.Series:
    """Dates from objects or ISO text."""
    zoned = {_is_zoned(value) for value in column.dropna()}
    if len(zoned) > 1:
        problems.append(f"{name}: dates with and without a time zone; give all of them one")
        return column
    parsed = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=zoned == {True})
    lost = np.asarray(parsed.isna() & column.notna())
    if lost.any():
        shown = first_few(dict.fromkeys(map(repr, column[lost])))
        problems.append(
            f"{name}: no dates in {rows_where(lost)}: {shown}; write them as 2024-01-31, or leave them blank"
        )
    return parsed


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


def _days_between(begins: pd.Series, ends: pd.Series) -> FloatArray:
    """Days as float, NaN where a date is missing; time zones are taken to UTC."""
    if begins.dt.tz is not None:
        begins, ends = begins.dt.tz_convert("UTC"), ends.dt.tz_convert("UTC")
    return np.asarray((ends - begins).dt.total_seconds(), dtype=np.float64) / SECONDS_PER_DAY
