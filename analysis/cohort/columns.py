"""The columns of a cohort: those that hold an outcome, and any of them as an array or why it cannot be one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort import remedies
from analysis.cohort.event_words import likely_codes
from analysis.cohort.file_rows import file_rows
from analysis.errors import InputError

NUMBER_TYPES = (Real, Decimal, np.bool_)
LARGEST_WHOLE = 1e16
"""Beyond it labels are written with a power of ten: floats that large are whole whatever was meant."""
LARGEST, SMALLEST = 1e100, 1e-100
"""No measurement is larger, or smaller throughout: squares and cubes of what lies between can still be computed."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\b.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


@dataclass(frozen=True)
class Endpoint:
    """A right-censored, optionally left-truncated outcome: the columns that hold it.

    Parameters
    ----------
    duration : str
        Column of follow-up times from time zero, in `time_unit`.
    event : str
        Column with 1 or True where the event was seen at `duration`, 0 or False where follow-up ended.
    entry : str, optional
        Column of times at which a row comes under observation (left truncation), in `time_unit`.
    label : str
        Name for tables and axes; the event column's name when empty.
    time_unit : str
        "months", "days", "weeks" or "years"; only a label, nothing is converted.

    Raises
    ------
    InputError
        When two roles are given the same column.

    Examples
    --------
    >>> Endpoint("os_months", "os_event", label="Overall survival").columns
    ('os_months', 'os_event')
    """

    duration: str
    event: str
    _: KW_ONLY
    entry: str | None = None
    label: str = ""
    time_unit: str = "months"

    def __post_init__(self) -> None:
        if len(set(self.columns)) < len(self.columns):
            raise InputError(
                f"endpoint: duration={self.duration!r}, event={self.event!r}, entry={self.entry!r} name one column"
                " twice; each role needs a column of its own"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read: duration, event, and entry when there is one."""
        return (self.duration, self.event) + ((self.entry,) if self.entry is not None else ())

    @property
    def name(self) -> str:
        """The label, or the event column where no label was given."""
        return self.label or str(self.event)


@dataclass(frozen=True)
class CompetingEndpoint:
    """An outcome with several causes: the columns that hold it, and what its codes mean.

    Parameters
    ----------
    duration : str
        Column of follow-up times from time zero, in `time_unit`.
    status : str
        Column of codes: 0 where follow-up ended, else a key of `causes`.
    causes : Mapping[int, str]
        The label of each code other than 0.
    label, time_unit : str
        As in `Endpoint`.

    Raises
    ------
    InputError
        When `causes` is empty, gives 0 a label, or uses a label twice.

    Examples
    --------
    >>> CompetingEndpoint("months", "status").causes[2]
    'death'
    """

    duration: str
    status: str
    _: KW_ONLY
    causes: Mapping[int, str] = field(default_factory=lambda: {1: "progression", 2: "death"}, hash=False)
    label: str = ""
    time_unit: str = "months"

    def __post_init__(self) -> None:
        if not self.causes or 0 in self.causes or len(set(self.causes.values())) < len(self.causes):
            raise InputError(
                f"competing endpoint: causes={dict(self.causes)!r}; give each code other than 0 a label of its own"
            )
        object.__setattr__(self, "causes", MappingProxyType(dict(self.causes)))

    def __reduce__(self) -> tuple[partial[CompetingEndpoint], tuple[()]]:
        """Copied and sent to other processes by its parts: a read-only mapping cannot be."""
        return partial(CompetingEndpoint, **vars(self) | {"causes": dict(self.causes)}), ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns read: duration and status."""
        return (self.duration, self.status)

    @property
    def name(self) -> str:
        """The label, or the status column where no label was given."""
        return self.label or str(self.status)


OVERALL_SURVIVAL = Endpoint("os_months", "os_event", label="Overall survival")
PROGRESSION_FREE_SURVIVAL = Endpoint("pfs_months", "pfs_event", label="Progression-free survival")


def first_few(values: Iterable[object], most: int = 5) -> str:
    """The first values as text, with dots when there are more."""
    listed = list(values)
    return ", ".join(str(value) for value in listed[:most]) + (", ..." if len(listed) > most else "")


def rows_where(wrong: BoolArray, cohort: pd.DataFrame | pd.Series | None = None) -> str:
    """How many rows are wrong and which: by the numbers that they have in the cohort's file, else counted from 1.

    Examples
    --------
    >>> rows_where(np.array([False, True, True]))
    '2 rows (2, 3)'
    """
    places = np.flatnonzero(wrong)
    numbers = None if cohort is None else file_rows(cohort)
    rows = first_few(places + 1) if numbers is None else f"{first_few(numbers[places])} of the file"
    return f"{len(places)} row{'s' if len(places) != 1 else ''} ({rows})"


def stratum_label(value: object) -> str:
    """A label as text, whole numbers without a decimal point; True and False are "True" and "False" of any type.

    Examples
    --------
    >>> stratum_label(1.0), stratum_label("low")
    ('1', 'low')
    """
    if isinstance(value, (float, np.floating, Decimal)) and abs(float(value)) < LARGEST_WHOLE and value == int(value):
        return str(int(value))
    return str(value)


def missing_advice(name: object, codes: Sequence[object]) -> str:
    """How to have codes read as missing in one column.

    Examples
    --------
    >>> missing_advice("ecog", [9])
    "read with missing={'ecog': [9]}"
    """
    return f"read with {remedies.argument('missing', {name: list(codes)})}"


def dates_advice() -> str:
    """What to do about dates in place of a time."""
    in_plan = 'give start = "..." and end = "..." (columns of dates) in [[endpoints]], in place of duration'
    return f"a time must be a number: {remedies.worded('use time_from_dates', in_plan)}"


def nearest(name: str, known: Iterable[object], *, kind: str = "columns") -> str:
    """The names most like one that is missing, or all there are (of a `kind`), for the end of a message."""
    names = [str(column) for column in known]
    near = difflib.get_close_matches(str(name), names, n=3)
    return f"; did you mean {first_few(map(repr, near))}?" if near else f"; {kind}: {first_few(names, 12)}"


def column_problems(cohort: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """What is wrong with the names: a frame that is none, missing columns (with the nearest names), doubles."""
    if not isinstance(cohort, pd.DataFrame):
        return [f"expected a pandas DataFrame, got {type(cohort).__name__}; read files with read_cohort"]
    if cohort.columns.nlevels > 1:
        return ["the columns have several levels of names; give each one name: cohort.columns = [...]"]
    existing = list(cohort.columns)
    problems = [f"{name!r}: name one column, as text" for name in names if not isinstance(name, Hashable)]
    for name in dict.fromkeys(names if not problems else ()):
        if existing.count(name) > 1:
            problems.append(f"column {name!r} stands {existing.count(name)} times; rename or drop the copies")
        elif name not in existing:
            problems.append(f"no column {name!r}{nearest(name, existing)}")
    if not problems and cohort.empty:
        problems.append("the cohort has no rows")
    return problems


def numbers(cohort: pd.DataFrame, name: str, problems: list[str], *, role: str = "column") -> FloatArray:
    """A numeric column as float64 with NaN where missing; adds to `problems` what is not a finite number."""
    column = cohort[name]
    wrong = _not_numeric(column)
    if wrong:
        problems.append(f"{role} {name!r}: {wrong}")
        return np.full(len(column), np.nan)
    values = _as_floats(column)
    problems += [f"{role} {name!r}: {problem}" for problem in _size_problems(values, column)]
    return values


def _size_problems(values: FloatArray, column: pd.Series) -> list[str]:
    """What cannot be computed with: infinite values, and numbers whose squares or cubes would be infinite or zero."""
    sizes, problems = np.abs(values), []
    infinite = np.isinf(values)
    if infinite.any():
        problems.append(f"infinite values in {rows_where(infinite, column)}; set them missing or correct them")
    huge = (sizes > LARGEST) & ~infinite
    if huge.any():
        shown = first_few(f"{value:g}" for value in values[huge])
        problems.append(
            f"{shown} in {rows_where(huge, column)}: beyond {LARGEST:g}, too large to compute with; set them missing,"
            " correct them, or change the unit"
        )
    largest = np.fmax.reduce(sizes, initial=0.0)
    if 0 < largest < SMALLEST:
        problems.append(f"no value is larger than {largest:g}, too small to compute with; change the unit")
    return problems


def plain_numbers(column: pd.Series) -> NDArray[np.generic] | None:
    """A column of numbers as it stands, to be read only (float64 where pandas has a type of its own); else None."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.to_numpy()
    return None if _not_numeric(column) else _as_floats(column)


def holds_numbers(column: pd.Series) -> bool:
    """Whether a column is to be read as numbers, by every function alike; anything else holds labels.

    Numbers are what a numeric or boolean dtype holds, and an object column each of whose values is a number of Python
    or numpy, a `Decimal`, a `Fraction`, True or False: `numbers` reads them. Text stays text, also text of digits.

    Examples
    --------
    >>> holds_numbers(pd.Series([1, 2.5, None], dtype=object)), holds_numbers(pd.Series(["1", "2"]))
    (True, False)
    """
    if column.dtype == object:
        known = column[column.notna()]
        return not known.empty and all(isinstance(value, NUMBER_TYPES) for value in known)
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def with_columns(cohort: pd.DataFrame, columns: Mapping[Any, Any]) -> pd.DataFrame:
    """A copy of a cohort with columns replaced or added, whatever type their names have.

    Examples
    --------
    >>> with_columns(pd.DataFrame({0: [1, 2]}), {0: [3, 4]})[0].tolist()
    [3, 4]
    """
    result = cohort.copy()
    for name, values in columns.items():
        result[name] = values
    return result


def _as_floats(column: pd.Series) -> FloatArray:
    """Numbers as float64, whatever dtype holds them; missing is NaN, and infinite what no float64 can hold."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column.array))
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        with np.errstate(over="ignore"):
            return column.to_numpy(dtype=np.float64, copy=True)
    if column.dtype != object:
        return np.asarray(column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    known = column.notna().to_numpy(dtype=bool)
    values = np.full(len(column), np.nan)
    values[known] = [as_float(value) for value in column[known]]
    return values


def as_float(value: Any) -> float:  # noqa: ANN401
    """A number as float64; infinite where no float64 can hold it."""
    try:
        with np.errstate(over="ignore"):
            return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _not_numeric(column: pd.Series) -> str:
    """Why a column does not hold numbers, and what to do; empty when it does."""
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return "holds categories, not numbers; convert it, or use it in a formula"
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind):
        return f"holds dates or time spans; {dates_advice()}"
    if pd.api.types.is_complex_dtype(kind):
        return "holds complex numbers"
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
        return ""
    present = column[column.notna()]
    text = [value for value in present if not isinstance(value, NUMBER_TYPES)]
    if not text:
        return ""
    shown = first_few(dict.fromkeys(map(repr, text)))
    dates = all(isinstance(value, date) or _DATE.fullmatch(str(value).strip()) for value in text)
    text_advice = remedies.worded("read the file with read_cohort, or correct them", "correct them in the file")
    advice = dates_advice() if dates else text_advice
    return f"{len(text)} values are not numbers ({shown}); {advice}"


def indicator(cohort: pd.DataFrame, name: str, problems: list[str], *, role: str = "event column") -> FloatArray:
    """A 0/1 or boolean column as float64 with NaN where missing; adds to `problems` what is no indicator."""
    column = cohort[name]
    if _not_numeric(column):
        present = column[column.notna()]
        seen = list(dict.fromkeys(map(repr, present.tolist())))
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            problems.append(f"{role} {name!r}: holds dates; give a column of 0 and 1")
        else:
            problems.append(
                f"{role} {name!r}: {len(present)} values are text, not 0 and 1 ({first_few(seen)});"
                f" {_words_advice(name, list(dict.fromkeys(map(str, present))))}"
            )
        return np.full(len(column), np.nan)
    values = _as_floats(column)
    if not ((values == 0) | (values == 1) | np.isnan(values)).all():
        problems.append(f"{role} {name!r}: {_event_advice(name, np.unique(values[~np.isnan(values)]))}")
    return values


MOST_CODES = 10
"""Different values beyond which a column holds no codes of an event."""


def _words_advice(name: str, seen: list[str]) -> str:
    """What to do about an event in words: codes to check, or another column where there are too many words."""
    if len(seen) > MOST_CODES:
        return "so many different values are no codes; is this an event column?"
    return f"read with {remedies.argument('event_codes', {name: likely_codes(seen)})}, where 1 is the event"


def _event_advice(name: str, seen: FloatArray) -> str:
    """What to do about event values other than 0 and 1."""
    shown = first_few(f"{value:g}" for value in seen)
    if set(seen) == {1.0, 2.0}:
        codes = remedies.argument("event_codes", {name: {1: 0, 2: 1}})
        return f"values {shown}, expected 0 and 1; read with {codes} if 2 is the event"
    if len(seen) <= MOST_CODES and np.isfinite(seen).all() and (seen >= 0).all() and (seen == np.round(seen)).all():
        codes = remedies.argument("event_codes", {name: {int(code): int(code > 0) for code in seen}})
        causes = remedies.worded("several causes belong in CompetingEndpoint and cumulative_incidence, or map", "map")
        return (
            f"values {shown}, expected 0 and 1; {causes} them with {codes}, where 1 is what counts as the event here"
            " and 0 ends follow-up"
        )
    return f"values {shown}, not binary; is this an event column? It must hold 0 and 1 (or True and False)"
