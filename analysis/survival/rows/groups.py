"""Columns of labels as codes: whose order the strata have, and which columns are measurements instead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import IntArray
from analysis.cohort import columns
from analysis.cohort.columns import first_few
from analysis.errors import CohortError

MOST_NUMERIC_GROUPS = 20
ORDERED_TYPES = (pd.Interval, pd.Period, date, time, timedelta)
UNHASHABLE = (TypeError, NotImplementedError)
"""What pandas and Arrow raise of cells that are lists."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows by group: `codes` index `labels`, which are in stratum order and all in use."""

    codes: IntArray
    labels: tuple[str, ...]

    @property
    def sizes(self) -> IntArray:
        """The rows of each group."""
        return np.bincount(self.codes, minlength=len(self.labels))

    @property
    def codes_as_text(self) -> IntArray:
        """The codes with labels numbered in the order of text, for random draws: no order of categories moves them.

        Examples
        --------
        >>> Groups(np.array([0, 1, 1]), ("low", "high")).codes_as_text.tolist()
        [1, 0, 0]
        """
        rank = np.empty(len(self.labels), dtype=np.int64)
        rank[sorted(range(len(self.labels)), key=self.labels.__getitem__)] = np.arange(len(self.labels))
        return np.asarray(rank[self.codes], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as it stands: what each code means, and the codes in stratum order; a missing value's is negative."""

    codes: NDArray[np.integer]
    values: list[object]
    order: list[int]


def coded(column: pd.Series) -> Coded:
    """The codes of a column: those of a categorical, which has an order; else values as they come, to be sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        values = column.cat.categories.tolist()
        return Coded(column.cat.codes.to_numpy(), values, list(range(len(values))))
    try:
        codes, uniques = pd.factorize(column, sort=False)
    except UNHASHABLE as error:
        raise CohortError(_nested(column)) from error
    values = list(uniques)
    return Coded(codes, values, _in_order_of_values(values))


def label_problems(column: pd.Series) -> list[str]:
    """A problem when cells are lists, dicts or arrays, which cannot be labels."""
    try:
        pd.unique(column)
    except UNHASHABLE:
        return [_nested(column)]
    return []


def _nested(column: pd.Series) -> str:
    """Which cells of a column cannot be labels, and what to do."""
    nested = np.array([not _is_hashable(value) for value in column], dtype=bool)
    first = next((value for value, wrong in zip(column, nested, strict=True) if wrong), column.dtype)
    return (
        f"column {column.name!r}: cells that are no single value, as {str(first)[:40]} ({type(first).__name__}), in"
        f" {columns.rows_where(nested)}; a group needs one label a row: make them text or numbers first"
    )


def _is_hashable(value: object) -> bool:
    """Whether a value can be a label."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def group_rows(cohort: pd.DataFrame, names: Sequence[str]) -> Groups:
    """Rows by the labels of one column, or by the combinations of several; one group "all" without columns.

    Examples
    --------
    >>> group_rows(pd.DataFrame({"site": ["a, b", "a"], "arm": ["c", "b, c"]}), ["site", "arm"]).labels
    ('a, "b, c"', '"a, b", c')
    """
    if not names:
        return Groups(np.zeros(len(cohort), dtype=np.int64), ("all",))
    parts = [_one_grouping(cohort[name]) for name in names]
    if len(parts) == 1:
        return parts[0]
    codes = parts[0].codes
    for part in parts[1:]:
        codes = codes * len(part.labels) + part.codes
    used, codes = np.unique(codes, return_inverse=True)
    labels = []
    for code in used:
        words = []
        for part in reversed(parts):
            code, index = divmod(int(code), len(part.labels))
            words.append(part.labels[index])
        labels.append(", ".join(_as_part(word) for word in reversed(words)))
    return Groups(codes.astype(np.int64), tuple(labels))


def _as_part(label: str) -> str:
    """A label as part of a list: quoted when it has a comma or a quote itself, so that no two lists read the same."""
    if "," not in label and '"' not in label:
        return label
    return '"' + label.replace('"', '""') + '"'


def _one_grouping(column: pd.Series) -> Groups:
    """Codes and string labels of one complete column: the categorical's order, else that of the sorted values."""
    known = coded(column)
    in_use = np.bincount(known.codes, minlength=len(known.values)) > 0
    kept = [code for code in known.order if in_use[code]]
    labels = labels_of(column.name, [known.values[code] for code in kept])
    if kept == list(range(len(known.values))):
        return Groups(known.codes.astype(np.int64, copy=False), labels)
    rank = np.full(len(known.values), -1, dtype=np.int64)
    rank[kept] = np.arange(len(kept))
    return Groups(rank[known.codes], labels)


def labels_of(name: object, values: Sequence[object]) -> tuple[str, ...]:
    """Values as stratum labels; refused when two of them read alike."""
    labels = tuple(columns.stratum_label(value) for value in values)
    if len(set(labels)) < len(labels):
        twice = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
        raise CohortError(f"column {name!r}: values of different types read alike ({first_few(twice)})")
    return labels


def _in_order_of_values(values: Sequence[object]) -> list[int]:
    """The order of values: numbers as numbers and first; then intervals, dates and time spans as such, else text."""
    numeric = [index for index, value in enumerate(values) if isinstance(value, columns.NUMBER_TYPES)]
    others = [index for index, value in enumerate(values) if not isinstance(value, columns.NUMBER_TYPES)]
    in_order = sorted(numeric, key=lambda index: columns.as_float(values[index]))
    if others and all(isinstance(values[index], ORDERED_TYPES) for index in others):
        with suppress(TypeError):  # days and numbers, or times with and without a zone, have no order among them
            return in_order + sorted(others, key=lambda index: cast("Any", values[index]))
    return in_order + sorted(others, key=lambda index: str(values[index]))


def grouping_problems(column: pd.Series) -> list[str]:
    """What keeps a column from naming groups: cells that cannot be labels; so many numbers that it is a measurement."""
    problems = label_problems(column)
    if problems or not columns.holds_numbers(column):
        return problems
    n_values = column.nunique()
    if n_values <= MOST_NUMERIC_GROUPS:
        return []
    return [
        f"column {column.name!r} holds {n_values} different numbers: a measurement, not groups;"
        " cut it first with stratify(cohort, cutpoints, marker=...)"
    ]


def label_column(values: Sequence[str], labels: Sequence[str]) -> pd.Series:
    """Stratum labels as an ordered categorical column in stratum order."""
    return pd.Series(values, dtype=pd.CategoricalDtype(list(labels), ordered=True))


def code_column(codes: NDArray[np.integer], labels: Sequence[str], *, ordered: bool = True) -> pd.Series:
    """The same from codes, without a string for each row."""
    kind = pd.CategoricalDtype(list(labels), ordered=ordered)
    return pd.Series(pd.Categorical.from_codes(cast("Sequence[int]", codes), dtype=kind))
