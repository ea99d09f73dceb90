"""A condition on rows, such as "ecog == 2 or age > 80", read as data like a formula; nothing of it runs as code."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.columns import column_problems
from analysis.errors import InputError, raise_all
from analysis.survival.formulas.calls import read_condition
from analysis.survival.formulas.expressions import Call, Factor
from analysis.survival.formulas.values import column_values, evaluated


def rows_that_meet(cohort: pd.DataFrame, condition: str) -> BoolArray:
    """The rows for which a condition holds; where a missing value leaves it open, it does not hold.

    Parameters
    ----------
    cohort : DataFrame
        Never changed.
    condition : str
        Comparisons of columns, joined by & and | (or "and" and "or"), negated by ~ ("not"); levels as text; True and
        False are 1 and 0 unless a column has that name.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    InputError
        Text that is no condition, columns that are not there, values other than true and false.

    Notes
    -----
    Three-valued logic, as R's and SQL's.

    Examples
    --------
    >>> rows = pd.DataFrame({"ecog": [0, 2, None, None], "age": [60.0, 61, 85, 50], "sex": list("fmfm")})
    >>> rows_that_meet(rows, "ecog == 2 or age > 80 and sex == 'f'").tolist()
    [False, True, True, False]
    """
    return _truth(cohort, read_condition(condition, cohort.columns))[0]


def _truth(cohort: pd.DataFrame, factor: Factor) -> tuple[BoolArray, BoolArray]:
    """For which rows a condition holds, and for which it does not; the others leave it open."""
    match factor.expression:
        case Call("Not", (inside,)):
            holds, fails = _truth(cohort, Factor(inside, factor.text))
            return fails, holds
        case Call("And" | "Or" as operator, sides):
            parts = [_truth(cohort, Factor(side, factor.text)) for side in sides]
            both, either = (and_, or_) if operator == "And" else (or_, and_)
            return reduce(both, [holds for holds, _ in parts]), reduce(either, [fails for _, fails in parts])
    return _compared(cohort, factor)


def _compared(cohort: pd.DataFrame, factor: Factor) -> tuple[BoolArray, BoolArray]:
    """The truth of one comparison, on the rows that are complete in its columns."""
    names = list(factor.columns)
    raise_all(column_problems(cohort, names), InputError)
    known = cohort[names].notna().to_numpy(dtype=bool).all(axis=1)
    problems: list[str] = []
    variables = {name: column_values(cohort, name, problems, np.flatnonzero(known)) for name in names}
    raise_all(problems)
    values = evaluated(factor, variables, role="condition")
    if not isinstance(values, np.ndarray) or not np.isin(values, (0, 1)).all():
        raise InputError(f"condition {factor.text!r} is not True or False for every row")
    holds = np.zeros(len(cohort), dtype=bool)
    holds[known] = values == 1
    return holds, known & ~holds
