"""Tables of columns: one description serves validation, data dictionary and data package alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from analysis.cohort.columns import first_few, nearest
from analysis.errors import InputError, raise_all

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
