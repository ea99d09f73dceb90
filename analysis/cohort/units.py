"""The units that are computed in: millimoles of magnesium, and times since the start of follow-up."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal, get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few, numbers, rows_where
from analysis.errors import CohortError, InputError, raise_all

ATOMIC_MASS = 24.305
"""Grams of magnesium in a mole."""

MagnesiumUnit = Literal["mmol/L", "mg/dL", "mEq/L"]

MMOL_PER_L = MappingProxyType({"mmol/L": 1.0, "mg/dL": 10 / ATOMIC_MASS, "mEq/L": 0.5})
"""What one of each unit is in mmol/L: a decilitre is a tenth of a litre, and the ion carries two charges."""

MAGNESIUM_UNITS = get_args(MagnesiumUnit)
"""The units that magnesium may be given in."""


@overload
def convert_magnesium(values: float, *, unit: MagnesiumUnit, to: MagnesiumUnit = "mmol/L") -> float: ...
@overload
def convert_magnesium(values: pd.Series, *, unit: MagnesiumUnit, to: MagnesiumUnit = "mmol/L") -> pd.Series: ...
@overload
def convert_magnesium(
    values: FloatArray | Sequence[float], *, unit: MagnesiumUnit, to: MagnesiumUnit = "mmol/L"
) -> FloatArray: ...
def convert_magnesium(
    values: float | pd.Series | FloatArray | Sequence[float], *, unit: MagnesiumUnit, to: MagnesiumUnit = "mmol/L"
) -> float | pd.Series | FloatArray:
    """Convert magnesium concentrations from one unit to another.

    Parameters
    ----------
    values : float, Series, ndarray or sequence of float
        Concentrations in `unit`; missing values (NaN, NA) stay missing.
    unit, to : {"mmol/L", "mg/dL", "mEq/L"}
        The unit of the values, and the unit wanted. 1 mg/dL = 10/24.305 mmol/L; 1 mEq/L = 0.5 mmol/L.

    Returns
    -------
    float, Series or ndarray
        The same kind as given (a sequence becomes an array); a Series keeps its index, its name and a nullable type.

    Raises
    ------
    InputError
        When a unit is none of the three, or values are not finite numbers.

    Examples
    --------
    >>> round(convert_magnesium(1.7, unit="mg/dL"), 3)
    0.699
    >>> convert_magnesium([1.5, 2.0], unit="mEq/L").tolist()
    [0.75, 1.0]
    """
    raise_all([*_unit_problems("unit", unit), *_unit_problems("to", to)], InputError)
    factor = MMOL_PER_L[unit] / MMOL_PER_L[to]
    column = _as_series(values)
    problems: list[str] = []
    converted = numbers(column.to_frame(), str(column.name), problems, role="magnesium") * factor
    raise_all(problems, InputError)
    if isinstance(values, pd.Series):
        nullable = pd.api.types.is_extension_array_dtype(values.dtype)
        return pd.Series(converted, index=values.index, name=values.name, dtype="Float64" if nullable else "float64")
    return float(converted[0]) if np.ndim(values) == 0 else converted.reshape(np.shape(values))


def _unit_problems(option: str, unit: str) -> list[str]:
    """What is wrong with the name of a unit, with the nearest right spelling."""
    if unit in MMOL_PER_L:
        return []
    lowered = {name.lower(): name for name in MMOL_PER_L}
    near = difflib.get_close_matches(str(unit).lower().replace(" ", ""), lowered, n=1)
    hint = f"did you mean {lowered[near[0]]!r}? " if near else ""
    return [f"{option}={unit!r} is no unit of magnesium; {hint}use one of {first_few(map(repr, MAGNESIUM_UNITS))}"]


def _as_series(values: float | pd.Series | FloatArray | Sequence[float]) -> pd.Series:
    """The values as a flat column named for messages."""
    if isinstance(values, pd.DataFrame):
        raise InputError("expected a number, an array or one column, got a DataFrame; choose the magnesium column")
    if isinstance(values, pd.Series):
        return values.rename("values") if values.name is None else values.rename(str(values.name))
    return pd.Series(np.ravel(np.asarray(values)), name="values")


DAYS_PER_YEAR = 365.25
TimeUnit = Literal["days", "weeks", "months", "years"]
DAYS_PER = MappingProxyType({"days": 1.0, "weeks": 7.0, "months": DAYS_PER_YEAR / 12, "years": DAYS_PER_YEAR})
"""Days in one of each unit: a year of 365.25 days, and a twelfth of it, 30.4375 days, for a month."""

SECONDS_PER_DAY = 86400.0
SPREADSHEET_EPOCH = "1899-12-30"


@overload
def time_from_dates(
    start: pd.Series, end: pd.Series, *, unit: TimeUnit = "months", same_day: float = 0.0
) -> pd.Series: ...
@overload
def time_from_dates(
    start: ArrayLike, end: ArrayLike, *, unit: TimeUnit = "months", same_day: float = 0.0
) -> FloatArray: ...
def time_from_dates(
    start: pd.Series | ArrayLike, end: pd.Series | ArrayLike, *, unit: TimeUnit = "months", same_day: float = 0.0
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
    if unit not in get_args(TimeUnit):
        problems.append(f"unit={unit!r}; choose one of {first_few(map(repr, get_args(TimeUnit)))}")
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
