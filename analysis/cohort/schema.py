"""A schema: a table of the columns that a cohort should hold, and a cohort checked against it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort import likely_errors
from analysis.cohort.cell_text import text_in_numbers, words_in_numbers
from analysis.cohort.column_names import looks_like_event
from analysis.cohort.columns import (
    column_problems,
    first_few,
    indicator,
    nearest,
    numbers,
    rows_where,
    stratum_label,
    with_columns,
)
from analysis.cohort.units import DAYS_PER, MMOL_PER_L
from analysis.errors import AnalysisWarning, InputError, raise_all, warn_all

ColumnType = Literal["identifier", "number", "integer", "indicator", "category"]


@dataclass(frozen=True)
class Column:
    """What one column of a cohort holds.

    Parameters
    ----------
    name : str
        The column's name in files and frames.
    type : {"identifier", "number", "integer", "indicator", "category"}
        An indicator holds 0 and 1; a category one of `levels`, in that order.
    meaning : str
        One sentence for the data dictionary.
    unit : str
        "mmol/L", "months", ...; empty where there is none.
    low, high : float, optional
        The smallest and the largest value that can be right.
    levels : tuple of str
        The levels of a category, in order.
    required : bool
        Whether a missing value is an error.
    analyte : str
        "magnesium" where the values are magnesium concentrations, whose units are checked.

    Raises
    ------
    InputError
        For an unknown type, a range upside down, a category without levels, or levels where there is no category.

    Examples
    --------
    >>> Column("age", "integer", "Age at first infusion.", unit="years", low=18, high=100).unit
    'years'
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()
    required: bool = True
    analyte: str = ""

    def __post_init__(self) -> None:
        problems = []
        if self.type not in get_args(ColumnType):
            problems.append(f"type {self.type!r}; choose one of {first_few(map(repr, get_args(ColumnType)))}")
        if self.low is not None and self.high is not None and self.low > self.high:
            problems.append(f"low {self.low:g} is above high {self.high:g}")
        if self.type == "category" and not self.levels:
            problems.append("a category needs levels")
        if self.type != "category" and self.levels:
            problems.append("only a category has levels")
        if len(set(self.levels)) < len(self.levels):
            problems.append(f"levels stand twice: {first_few(map(repr, self.levels), 12)}")
        raise_all([f"column {self.name!r}: {problem}" for problem in problems], InputError)


@dataclass(frozen=True)
class Schema:
    """A named table of columns; `key` is the column that identifies a row, when one does.

    Raises
    ------
    InputError
        When two columns share a name, or the key is none of them.

    Examples
    --------
    >>> schema = Schema("visits", (Column("patient_id", "identifier", "Who."),), key="patient_id")
    >>> schema.names
    ('patient_id',)
    """

    name: str
    columns: tuple[Column, ...]
    key: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names):
            raise InputError(f"schema {self.name!r}: a column name stands twice in {self.names}")
        if self.key is not None and self.key not in self.names:
            raise InputError(f"schema {self.name!r}: key {self.key!r} is not one of its columns")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        """The columns, in order."""
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        """The column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"schema {self.name!r} has no column {name!r}{nearest(name, self.names)}")


def validate_cohort(cohort: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Check a cohort against a schema and give its columns the schema's types.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient, or as the schema says; never changed. Columns that the schema does not name stay as they are.
    schema : Schema
        The columns: type, unit, range, levels; its key must be unique.

    Returns
    -------
    DataFrame
        A new frame, rows and columns in the order given: identifiers as text, numbers as float64, integers and
        indicators as int64 (float64 where values are missing and may be), categories with the schema's levels in order.

    Raises
    ------
    CohortError
        With every fault: missing columns (with the nearest names), columns that stand twice, text among numbers,
        values out of range, unknown levels, events that are not 0/1, missing values where none may be, keys that stand
        twice, magnesium whose median is no cohort's in its unit, dates in place of times.

    Warns
    -----
    SuspiciousValues
        Rows that are copies, events on more than 95 % of rows, follow-up beyond 50 years, magnesium in mixed units.

    Examples
    --------
    >>> age, sex = Column("age", "integer", "Age.", low=18), Column("sex", "category", "Sex.", levels=("f", "m"))
    >>> schema = Schema("patients", (age, sex))
    >>> validate_cohort(pd.DataFrame({"age": [61.0, 17.0], "sex": ["f", "F"]}), schema)
    Traceback (most recent call last):
        ...
    analysis.errors.CohortError: column 'age': 17 is below 18 in 1 row (2)
    column 'sex': 'F' is none of 'f', 'm' in 1 row (2); did you mean 'f'?
    """
    typed, warned = checked(cohort, schema)
    warn_all(warned)
    return typed


def checked(
    cohort: pd.DataFrame, schema: Schema, *, coded: Sequence[str] = ()
) -> tuple[pd.DataFrame, list[AnalysisWarning]]:
    """The typed cohort, and the warnings that its caller is to give; `coded` events were mapped from codes."""
    problems = column_problems(cohort, schema.names)
    if not isinstance(cohort, pd.DataFrame) or cohort.empty:
        raise_all(problems)
    names = list(cohort.columns)
    warned: list[AnalysisWarning] = []
    typed = {}
    for column in schema:
        if names.count(column.name) == 1:
            typed[column.name] = _typed(cohort, column, problems, warned)
            if column.type == "indicator" and column.name not in coded and looks_like_event(column.name):
                values = typed[column.name].to_numpy(dtype=np.float64)
                warned += likely_errors.reversed_event(values, column.name)
    if schema.key is not None and names.count(schema.key) == 1:
        problems += filter(None, [likely_errors.repeated_keys(cohort, schema.key)])
    raise_all(problems)
    return with_columns(cohort, typed), [*warned, *likely_errors.copied_rows(cohort)]


def _typed(cohort: pd.DataFrame, column: Column, problems: list[str], warned: list[AnalysisWarning]) -> pd.Series:
    """One column as the schema types it; its faults and likely errors are added to the lists."""
    given = cohort[column.name]
    if column.required and given.isna().any():
        problems.append(f"column {column.name!r}: missing in {rows_where(given.isna().to_numpy(dtype=bool), given)}")
    if column.type == "identifier":
        return given.map(stratum_label, na_action="ignore")
    if column.type == "category":
        return _category(given, column, problems)
    if column.type == "indicator":
        values = indicator(cohort, column.name, problems)
    else:
        values = _measured(cohort, column, problems, warned)
    whole = column.type != "number" and not np.isnan(values).any()
    return pd.Series(values.astype(np.int64) if whole else values, index=cohort.index, name=column.name)


def _category(given: pd.Series, column: Column, problems: list[str]) -> pd.Series:
    """A category with the schema's levels; a value that is none of them is a problem."""
    labels = given.astype(object).map(stratum_label, na_action="ignore")
    unknown = (labels.notna() & ~labels.isin(column.levels)).to_numpy(dtype=bool)
    if unknown.any():
        values = list(dict.fromkeys(labels[unknown]))
        forms = {level.strip().casefold(): level for level in column.levels}
        near = [forms[form] for form in difflib.get_close_matches(values[0].strip().casefold(), forms, n=1)]
        hint = f"; did you mean {near[0]!r}?" if near else ""
        problems.append(
            f"column {column.name!r}: {first_few(map(repr, values))} is none of"
            f" {first_few(map(repr, column.levels), 12)} in {rows_where(unknown, given)}{hint}"
        )
    return labels.astype(pd.CategoricalDtype(pd.Index(column.levels)))


def _measured(cohort: pd.DataFrame, column: Column, problems: list[str], warned: list[AnalysisWarning]) -> FloatArray:
    """A number or an integer within its range, in a unit that its values bear out."""
    given = cohort[column.name]
    cells = [] if pd.api.types.is_numeric_dtype(given.dtype) else given.dropna().tolist()
    hint = text_in_numbers(column.name, cells) or words_in_numbers(column.name, cells)
    if hint:
        problems.append(hint)
        return np.full(len(cohort), np.nan)
    before = len(problems)
    role = "time column" if column.unit in DAYS_PER and column.unit != "years" else "column"
    values = numbers(cohort, column.name, problems, role=role)
    finite = np.where(np.isinf(values), np.nan, values)
    unit_problem = _unit_problem(finite, column, given, warned)
    problems += [unit_problem] if unit_problem else _range_problems(finite, column, given)
    if column.type == "integer":
        broken = ~np.isnan(finite) & (finite != np.round(finite))
        if broken.any():
            shown = first_few(f"{value:g}" for value in finite[broken])
            problems.append(f"column {column.name!r}: {shown} no whole numbers in {rows_where(broken, given)}")
    return values if len(problems) == before else finite


def _unit_problem(values: FloatArray, column: Column, given: pd.Series, warned: list[AnalysisWarning]) -> str:
    """A problem on values in another unit altogether; a likely one is added to `warned`."""
    if column.analyte == "magnesium" and column.unit in MMOL_PER_L:
        problem = likely_errors.magnesium_problem(values, column.name, unit=column.unit, rows_of=given)
        if not problem:
            warned += likely_errors.mixed_units(values, column.name, unit=column.unit, rows_of=given)
        return problem
    if column.unit in DAYS_PER and column.unit != "years":
        problem = likely_errors.serial_dates(values, column.name)
        if not problem:
            warned += likely_errors.long_follow_up(values, column.name, column.unit)
        return problem
    return ""


def _range_problems(values: FloatArray, column: Column, given: pd.Series) -> list[str]:
    """Values below the smallest or above the largest that can be right; mixed units of magnesium are warned of."""
    unit = f" {column.unit}" if column.unit else ""
    below = values < (-np.inf if column.low is None else column.low)
    above = values > (np.inf if column.high is None else column.high)
    if column.analyte == "magnesium" and column.unit in MMOL_PER_L and column.high is not None:
        above &= ~likely_errors.fits_another_unit(values, column.high, unit=column.unit)
    bounds = [("below", column.low, below), ("above", column.high, above)]
    return [
        f"column {column.name!r}: {first_few(f'{value:g}' for value in values[wrong])} is {side} {bound:g}{unit}"
        f" in {rows_where(wrong, given)}"
        for side, bound, wrong in bounds
        if wrong.any()
    ]
