"""The units that are computed in: millimoles of magnesium, and times since the start of follow-up."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal, get_args, overload

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few, numbers
from analysis.errors import InputError, raise_all

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
