"""Conditions on rows, as a plan writes them: comparisons of columns with values, joined by and, or, not.

The grammar is Python's for such comparisons and nothing else of it: text is parsed, never run.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.cell_text import MISSING, cell_number
from analysis.cohort.columns import nearest, stratum_label
from analysis.errors import PlanError

_QUOTED = re.compile(r"""("[^"]*"|'[^']*')|`([^`]+)`""")
_PLACEHOLDER = re.compile(r"__column_(\d+)__")
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_ADVICE = (
    "compare columns with values by ==, !=, <, <=, >, >=, in or not in, and join comparisons by and, or, not, as in"
    " \"PARAMCD == 'OS' and AGE >= 18\"; a name with blanks stands between backticks"
)


def rows_meeting(frame: pd.DataFrame, condition: str, *, key: str) -> BoolArray:
    """Which rows meet a condition; a missing value meets no comparison.

    Parameters
    ----------
    frame : DataFrame
        Rows of cells, typed or as a file holds them.
    condition : str
        As in ``"PARAMCD == 'OS' and AGE >= 18"``: numbers are compared as numbers, text as text without the blanks
        around it.
    key : str
        What messages call the condition.

    Raises
    ------
    PlanError
        When the condition is anything but comparisons of columns with values, or names a column that is not there.

    Examples
    --------
    >>> frame = pd.DataFrame({"PARAMCD": ["OS", "PFS", None], "visit no": ["1", "2", "3"]})
    >>> rows_meeting(frame, "PARAMCD in ['OS', 'PFS'] and `visit no` > 1", key="where").tolist()
    [False, True, False]
    """
    names: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        """Quoted text as it stands; a name between backticks as a name of Python."""
        if match[1]:
            return match[1]
        names.append(match[2])
        return f"__column_{len(names) - 1}__"

    try:
        tree = ast.parse(_QUOTED.sub(placeholder, condition).strip(), mode="eval").body
        return _Condition(frame, names).rows(tree)
    except (SyntaxError, ValueError) as error:
        reason = "" if isinstance(error, SyntaxError) else f" ({error})"
        raise PlanError(f"{key} = {condition!r} cannot be read{reason}; {_ADVICE}") from None


class _Condition:
    """The rows of a frame that meet each part of a condition."""

    def __init__(self, frame: pd.DataFrame, names: Sequence[str]) -> None:
        self.frame, self.names = frame, names

    def rows(self, node: ast.expr) -> BoolArray:
        """The rows that meet one part; a ValueError for what is no part of a condition."""
        if isinstance(node, ast.BoolOp):
            parts = np.array([self.rows(part) for part in node.values])
            return np.asarray(parts.all(axis=0) if isinstance(node.op, ast.And) else parts.any(axis=0), dtype=bool)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.rows(node.operand)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compared(self._column(node.left), node.ops[0], node.comparators[0])
        raise ValueError(f"{ast.unparse(node)!r} is no comparison")

    def _column(self, node: ast.expr) -> pd.Series:
        """The column that a name stands for."""
        if not isinstance(node, ast.Name):
            raise ValueError(f"{ast.unparse(node)!r} is no column: write the column first, then the value")
        quoted = _PLACEHOLDER.fullmatch(node.id)
        name = self.names[int(quoted[1])] if quoted else node.id
        if name not in self.frame.columns:
            raise ValueError(f"no column {name!r}{nearest(name, self.frame.columns)}")
        return self.frame[name]

    @staticmethod
    def _compared(column: pd.Series, operation: ast.cmpop, right: ast.expr) -> BoolArray:
        """The rows whose cell compares so with a value, or stands in a list of values."""
        try:
            value = ast.literal_eval(right)
        except ValueError:
            raise ValueError(f"{ast.unparse(right)!r} is no value: text stands between quotes") from None
        if isinstance(operation, (ast.In, ast.NotIn)):
            values = list(value) if isinstance(value, (list, tuple, set)) else [value]
            inside = np.zeros(len(column), dtype=bool)
            for one in values:
                inside |= _holds(column, operator.eq, one)
            return inside if isinstance(operation, ast.In) else ~inside & _known(column)
        if type(operation) not in _COMPARISONS or not isinstance(value, (str, int, float)):
            raise ValueError(f"{ast.unparse(right)!r} is neither text nor a number")
        return _holds(column, _COMPARISONS[type(operation)], value)


def _known(column: pd.Series) -> BoolArray:
    """Which cells are not missing."""
    return np.array([not pd.isna(cell) and str(cell).strip() not in MISSING for cell in column], dtype=bool)


def _holds(column: pd.Series, compare: Callable[[Any, Any], bool], value: object) -> BoolArray:
    """Which cells compare so with a value: as numbers where it is one, else as text."""

    def holds(cell: object) -> bool:
        """Whether one cell does."""
        if isinstance(value, str):
            return compare(stratum_label(cell).strip(), value.strip())
        number = cell_number(cell, ".")
        return compare(number, value) if not isnan(number) else compare is operator.ne

    return np.array([known and holds(cell) for cell, known in zip(column, _known(column), strict=True)], dtype=bool)
