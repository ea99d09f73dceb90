"""Odd cohorts: a plain one, with columns, index, names and shape changed at random into what people do send."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from analysis import CompetingEndpoint, Endpoint

ROLES = ("time", "event", "entry", "status", "arm", "s", "x", "z", "w", "key")
SIZES = (0, 1, 2, 3, 4, 5, 8, 12, 20, 30, 45, 60)
Change = Callable[[pd.Series, np.random.Generator], Any]


def plain_cohort(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """A cohort without faults."""
    entry = rng.integers(0, 3, n).astype(float)
    event = rng.random(n) < 0.7
    return pd.DataFrame(
        {
            "time": entry + rng.integers(1, 20, n),
            "event": event.astype(int),
            "entry": entry,
            "status": np.where(event, rng.integers(1, 3, n), 0),
            "arm": rng.choice(["low", "mid", "high"], n),
            "s": rng.integers(0, 2, n),
            "x": rng.normal(0.8, 0.1, n),
            "z": rng.integers(0, 2, n).astype(float),
            "w": rng.uniform(0.3, 3, n).round(2),
            "key": np.arange(n),
        }
    )


def _objects(column: pd.Series, change: Callable[[Any, int], Any]) -> pd.Series:
    """A column of objects, each the change of its value and place."""
    values = np.empty(len(column), dtype=object)
    for place, value in enumerate(column):
        values[place] = change(value, place)
    return pd.Series(values, index=column.index)


def _some(values: tuple[object, ...]) -> Change:
    """A change that puts one of some values into a few cells."""

    def changed(column: pd.Series, rng: np.random.Generator) -> pd.Series:
        where, value = rng.random(len(column)) < rng.choice([0.1, 0.5, 1.0]), values[rng.integers(len(values))]
        return _objects(column, lambda old, place: value if where[place] else old)

    return changed


def _as_dtype(dtype: Any) -> Change:  # noqa: ANN401
    return lambda column, _: column.astype(dtype)


def _floats(*values: float) -> Change:
    """A change of a few cells of a float column."""

    def changed(column: pd.Series, rng: np.random.Generator) -> pd.Series:
        numeric = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, copy=True)
        numeric[rng.random(len(numeric)) < rng.choice([0.1, 0.5, 1.0])] = values[rng.integers(len(values))]
        return pd.Series(numeric, index=column.index)

    return changed


def _scaled(*factors: float) -> Change:
    return lambda column, rng: (
        pd.to_numeric(column, errors="coerce").astype(float) * factors[rng.integers(len(factors))]
    )


def _days(column: pd.Series) -> Any:  # noqa: ANN401
    return pd.to_numeric(column, errors="coerce").fillna(0).astype(int).to_numpy()


CHANGES: dict[str, Change] = {
    "object": _as_dtype(object),
    "category": _as_dtype("category"),
    "ordered": lambda column, _: pd.Categorical(column, ordered=True),
    "Float64": _as_dtype("Float64"),
    "Int64": lambda column, _: pd.to_numeric(column, errors="coerce").round().astype("Int64"),
    "boolean": lambda column, _: (pd.to_numeric(column, errors="coerce").fillna(0) > 0).astype("boolean"),
    "bool": lambda column, _: pd.to_numeric(column, errors="coerce").fillna(0) > 0,
    "objects of bool": lambda column, _: (pd.to_numeric(column, errors="coerce").fillna(0) > 0).astype(object),
    "Arrow float": _as_dtype("double[pyarrow]"),
    "Arrow bool": lambda column, _: (pd.to_numeric(column, errors="coerce").fillna(0) > 0).astype("bool[pyarrow]"),
    "Arrow text": lambda column, _: column.astype(str).astype("string[pyarrow]"),
    "float32": _as_dtype("float32"),
    "float16": _as_dtype("float16"),
    "long double": lambda column, _: column.astype(np.longdouble),
    "int8": _as_dtype("int8"),
    "sparse": lambda column, _: pd.arrays.SparseArray(column.to_numpy(dtype=float)),
    "dates": lambda column, _: pd.Timestamp("2024-01-01") + pd.to_timedelta(_days(column), unit="D"),
    "dates with a zone": lambda column, _: (
        pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(_days(column), unit="D")
    ),
    "spans": lambda column, _: pd.to_timedelta(_days(column), unit="D"),
    "periods": lambda column, _: pd.PeriodIndex.from_ordinals(_days(column), freq="M"),
    "intervals": lambda column, _: pd.arrays.IntervalArray.from_arrays(_days(column), _days(column) + 1),
    "objects of intervals": lambda column, _: _objects(column, lambda _, place: pd.Interval(place % 3, 5)),
    "complex": _as_dtype(complex),
    "text": _as_dtype(str),
    "bytes": lambda column, _: _objects(column, lambda value, _: str(value).encode()),
    "Decimal": lambda column, _: _objects(column, lambda value, _: Decimal(str(value))),
    "Fraction": lambda column, _: _objects(column, lambda value, _: Fraction(str(value))),
    "numpy scalars": lambda column, _: _objects(column, lambda value, _: np.float64(value)),
    "lists": _some(([1, 2], {"a": 1}, {1}, np.array([1.0, 2.0]), (1, [2]))),
    "missing objects": _some((None, pd.NA, pd.NaT, np.nan, Decimal("NaN"))),
    "odd objects": _some(("", "x", b"b", 10**400, True, object, 1j, "1", pd.Timestamp("2024-01-01"), np.inf)),
    "not finite": _floats(np.nan, np.inf, -np.inf),
    "very large": _floats(1e308, -1e308, 1e160, 1e99, 1e60),
    "very small": _floats(1e-308, 5e-324, -1e-200, 1e-160),
    "zero": _floats(0.0, -0.0),
    "negative": _floats(-1.0),
    "in other units": _scaled(1e99, 1e50, 1e12, 1e-12, 1e-50, 1e-160, 1e-300, -1.0),
    "all missing": lambda column, _: np.full(len(column), np.nan),
    "nobody known": lambda column, _: pd.Series([None] * len(column), index=column.index, dtype=object),
    "one value": lambda column, _: column.iloc[:1].repeat(len(column)).to_numpy() if len(column) else column,
    "each its own": lambda column, _: np.arange(len(column)) * 1.5,
    "skewed": lambda column, rng: rng.lognormal(0, 4, len(column)),
    "rounding": lambda column, _: 1.0 + np.arange(len(column)) * 1e-16,
    "separated": lambda column, _: np.arange(len(column), 0.0, -1.0),
}


@dataclass
class Draw:
    """One odd input: the cohort, the name of each column by its role, and what was done to it."""

    rng: np.random.Generator
    cohort: pd.DataFrame
    name: dict[str, Any]
    done: list[str] = field(default_factory=list)

    def pick(self, *choices: Any) -> Any:  # noqa: ANN401
        """One of several."""
        return choices[self.rng.integers(len(choices))]

    @property
    def endpoint(self) -> Endpoint:
        """The outcome, sometimes with late entry."""
        entry = self.name["entry"] if self.rng.random() < 0.2 else None
        return Endpoint(self.name["time"], self.name["event"], entry=entry)

    @property
    def late(self) -> Endpoint:
        """The outcome with late entry."""
        return Endpoint(self.name["time"], self.name["event"], entry=self.name["entry"])

    @property
    def causes(self) -> CompetingEndpoint:
        """The outcome with its causes."""
        return CompetingEndpoint(self.name["time"], self.name["status"])

    @property
    def by(self) -> Any:  # noqa: ANN401
        """The column of groups, most often that of the arms."""
        return self.name[self.pick("arm", "arm", "arm", "s", "z")]

    @property
    def strata(self) -> Any:  # noqa: ANN401
        """The column of strata, most often none."""
        return self.pick(None, None, None, self.name["s"])

    def changed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A frame that was computed, one column of it odd now and then."""
        if self.rng.random() < 0.7 or frame.empty:
            return frame
        place = int(self.rng.integers(frame.shape[1]))
        return _with_change(frame, place, self, str(frame.columns[place]))


def _with_change(frame: pd.DataFrame, place: int, draw: Draw, role: str) -> pd.DataFrame:
    """A frame with one column changed, where the change is possible."""
    change = draw.pick(*CHANGES)
    columns = [frame.iloc[:, at] for at in range(frame.shape[1])]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            columns[place] = pd.Series(CHANGES[change](columns[place], draw.rng))
    except Exception:  # whatever pandas says: such a column cannot be made of this one
        return frame
    columns[place].index = frame.index
    draw.done.append(f"{role}: {change}")
    return pd.concat([column.rename(at) for at, column in enumerate(columns)], axis=1).set_axis(frame.columns, axis=1)


def odd_draw(seed: int) -> Draw:
    """The input of one seed: up to three columns changed, now and then the index, the names or the shape."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice(SIZES, p=np.r_[0.02, 0.04, 0.05, 0.06, 0.05, 0.06, [0.12] * 6]))
    draw = Draw(rng, plain_cohort(rng, n), {role: role for role in ROLES}, [f"n={n}"])
    for _ in range(rng.integers(0, 4)):
        place = int(rng.integers(len(ROLES)))
        draw.cohort = _with_change(draw.cohort, place, draw, ROLES[place])
    if rng.random() < 0.3:
        _rename(draw)
    if rng.random() < 0.3:
        _reindex(draw)
    return draw


def _rename(draw: Draw) -> None:
    """Other names: integers, names with signs, one twice, several levels, or no columns at all."""
    names: dict[str, list[Any]] = {
        "integer names": list(range(len(ROLES))),
        "names with signs": [f"{role} (a:b) ~ {place}" for place, role in enumerate(ROLES)],
        "numbers as names": [str(place) for place in range(len(ROLES))],
        "mixed names": [role if place % 2 else place for place, role in enumerate(ROLES)],
        "a doubled name": ["x" if role == "z" else role for role in ROLES],
        "several levels": [],
        "no columns": [],
    }
    what = draw.pick(*names)
    draw.done.append(what)
    if what == "several levels":
        draw.cohort = draw.cohort.set_axis(pd.MultiIndex.from_product([["a"], ROLES]), axis=1)
    elif what == "no columns":
        draw.cohort = draw.cohort[[]]
    else:
        draw.cohort = draw.cohort.set_axis(names[what], axis=1)
        draw.name = dict(zip(ROLES, names[what], strict=True))


def _reindex(draw: Draw) -> None:
    """Another index: doubled, of several levels, of dates, of text, backwards."""
    n = len(draw.cohort)
    indexes: dict[str, Any] = {
        "doubled index": np.zeros(n, dtype=int),
        "index of several levels": pd.MultiIndex.from_arrays([np.arange(n) // 2, np.arange(n) % 2], names=["x", "arm"]),
        "index of dates": pd.date_range("2024-01-01", periods=n),
        "index of text": [f"r{place}" for place in range(n)],
        "index backwards": np.arange(n)[::-1],
        "index with missing": np.where(np.arange(n) % 3 == 0, np.nan, np.arange(n)),
    }
    what = draw.pick(*indexes)
    draw.done.append(what)
    draw.cohort = draw.cohort.set_axis(indexes[what], axis=0)
