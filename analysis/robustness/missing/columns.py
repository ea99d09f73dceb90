"""Columns with missing values as the numbers that an imputation draws, and back again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import column_problems, holds_numbers, numbers, rows_where
from analysis.errors import CohortError, NotEstimable, raise_all
from analysis.survival.rows import group_rows

NUMBER, LOGARITHM, INDICATOR, CATEGORY = "number", "logarithm", "0/1", "category"
_LOGARITHM = re.compile(r"(?:np\.)?log(?:2|10)?\((\w+|`[^`]+`)\)")


@dataclass(frozen=True, eq=False)
class ImputedColumn:
    """One column to impute, on the scale on which it is drawn.

    Attributes
    ----------
    term : str
        As asked for: a column, or its logarithm.
    name : str
        The column.
    kind : str
        "number", "logarithm", "0/1" or "category".
    drawn : ndarray, shape (n, k)
        The values as they are drawn, NaN where missing: the number, its logarithm, an indicator, or one indicator for
        each label but the first.
    missing : ndarray of bool, shape (n,)
    labels : tuple of str
        Of a category, in stratum order.
    """

    term: str
    name: str
    kind: str
    drawn: FloatArray
    missing: BoolArray
    labels: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether it is drawn by a logistic regression: 0/1, or labels."""
        return self.kind in (INDICATOR, CATEGORY)

    def completed(self, column: pd.Series, draws: FloatArray, place: IntArray, delta: float = 0.0) -> pd.Series:
        """The column with its missing values filled from the draws, plus `delta` in its own unit.

        Parameters
        ----------
        column : Series
            As in the cohort.
        draws : ndarray, shape (m, k)
            On the scale of `drawn`; known values among them.
        place : ndarray of int, shape (m,)
            The rows' places in the cohort; others stay missing.
        delta : float

        Returns
        -------
        Series
            Known values as they were.
        """
        wanted = self.missing[place]
        if not wanted.any():
            return column
        if self.labels:
            codes = (draws @ np.arange(1.0, draws.shape[1] + 1)).astype(np.int64)
            return self._labelled(column, codes[wanted], place[wanted])
        values = draws[:, 0]
        if not self.labelled:
            values = (np.exp(values) if self.kind == LOGARITHM else values) + delta
        filled = numbers(column.to_frame(), self.name, [])
        filled[place[wanted]] = values[wanted]
        return pd.Series(filled, column.index, name=self.name)

    def _labelled(self, column: pd.Series, codes: IntArray, place: IntArray) -> pd.Series:
        """Labels at the places given, in the column's own dtype."""
        held = column.dropna()
        by_code = dict(zip(group_rows(held.to_frame(), [self.name]).codes.tolist(), held, strict=True))
        filled = column.copy()
        filled.iloc[place] = [by_code[code] for code in codes.tolist()]
        return filled


def column_of(term: str) -> str:
    """The column that a term to impute names: itself, or what its logarithm is taken of.

    Examples
    --------
    >>> column_of("log2(crp)"), column_of("crp")
    ('crp', 'crp')
    """
    found = _LOGARITHM.fullmatch(str(term).strip())
    return found[1].strip("`") if found else term


def read_columns(cohort: pd.DataFrame, terms: Sequence[str]) -> list[ImputedColumn]:
    """Every column to impute on its scale.

    Raises
    ------
    CohortError
        Missing columns, columns without any value, infinite values, logarithms of zero or less.
    NotEstimable
        Columns whose known values are all the same, so that nothing can be learnt of them.
    """
    raise_all(column_problems(cohort, []))
    names = [term if term in cohort else column_of(term) for term in terms]
    raise_all(column_problems(cohort, names))
    problems: list[str] = []
    columns = [_read_one(cohort, term, name, problems) for term, name in zip(terms, names, strict=True)]
    raise_all(problems, CohortError)
    flat = [column.name for column in columns if (np.nanmin(column.drawn, 0) == np.nanmax(column.drawn, 0)).any()]
    raise_all([f"column {name!r}: every known value is the same; leave it out" for name in flat], NotEstimable)
    return columns


def _read_one(cohort: pd.DataFrame, term: str, name: str, problems: list[str]) -> ImputedColumn:
    """One column on its scale; adds to `problems` why it cannot be."""
    column = cohort[name]
    missing = column.isna().to_numpy(dtype=bool)
    if missing.all():
        problems.append(f"column {name!r}: no value is known; a column missing throughout cannot be imputed")
        return ImputedColumn(term, name, NUMBER, np.zeros((len(column), 1)), missing)
    if name == term and not holds_numbers(column):
        return _read_labels(column, name, missing)
    values = numbers(cohort, name, problems)
    if name != term:
        unfit = values <= 0
        if unfit.any():
            problems.append(f"column {name!r}: zero or negative in {rows_where(unfit)}, and {term} was asked for")
        return ImputedColumn(term, name, LOGARITHM, np.log(np.where(unfit, 1.0, values))[:, None], missing)
    kind = INDICATOR if np.isin(values[~missing], (0, 1)).all() else NUMBER
    return ImputedColumn(term, name, kind, values[:, None], missing)


def _read_labels(column: pd.Series, name: str, missing: BoolArray) -> ImputedColumn:
    """A column of labels: one indicator for each but the first."""
    groups = group_rows(column[~missing].to_frame(), [name])
    drawn = np.full((len(column), max(len(groups.labels) - 1, 1)), np.nan)
    drawn[~missing] = groups.codes[:, None] == np.arange(1, drawn.shape[1] + 1)
    return ImputedColumn(name, name, CATEGORY if len(groups.labels) > 2 else INDICATOR, drawn, missing, groups.labels)
