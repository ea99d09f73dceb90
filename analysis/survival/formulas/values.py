"""The values of a formula's factors, numbers or categories with a coding, and the rows that meet a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import column_problems, first_few, holds_numbers, numbers, stratum_label
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.survival.formulas import expressions
from analysis.survival.formulas.calls import read_condition
from analysis.survival.formulas.expressions import Call, Coding, Column, Expression, Factor, Number, Text
from analysis.survival.rows import group_rows


@dataclass(frozen=True, eq=False)
class Category:
    """Rows by level: `codes` index `levels`, of which the first is compared with unless the coding says otherwise."""

    codes: IntArray
    levels: tuple[str, ...]
    coding: Coding = Coding("contr.treatment")  # noqa: RUF009


Values = NDArray[np.generic] | Category | dict[object, FloatArray]
"""Numbers in each row; a category; or the columns of a spline or polynomial by their names."""
Columns = list[tuple[str, FloatArray]]
"""Columns of a design matrix with their names."""


def column_values(cohort: pd.DataFrame, name: str, problems: list[str], position: IntArray) -> Values:
    """A column in rows where it is complete: numbers as floats, labels as a category with its levels in their order.

    Parameters
    ----------
    cohort : DataFrame
    name : str
        One of its columns.
    problems : list of str
        What cannot be computed with is added: numbers too large, and dates and time spans.
    position : ndarray of int
        Positions of the rows.

    Returns
    -------
    ndarray or Category

    Examples
    --------
    >>> column_values(pd.DataFrame({"sex": ["m", None, "f"]}), "sex", [], np.array([0, 2])).levels
    ('f', 'm')
    """
    if holds_numbers(cohort[name]) or cohort[name].dtype.kind in "mM":
        return numbers(cohort, name, problems)[position]
    groups = group_rows(cohort[[name]].iloc[position], [name])
    return Category(groups.codes, groups.labels)


def factor_values(
    factor: Factor, variables: Mapping[str, Values], fitted: Mapping[str, Values] | None = None
) -> Values:
    """What a factor is in each row.

    Parameters
    ----------
    factor : Factor
    variables : mapping
        The columns that it names: numbers, or categories.
    fitted : mapping, optional
        The same columns of the rows that means, knots and levels are taken from; these rows themselves by default.

    Returns
    -------
    ndarray, Category or dict

    Raises
    ------
    InputError
        A function of numbers applied to a category, a level that there is not, a spline that the values do not allow.
    NotEstimable
        A category with one level.

    Examples
    --------
    >>> factor_values(Factor(Call("log2", (Column("x"),)), "log2(x)"), {"x": np.array([1.0, 8.0])}).tolist()
    [0.0, 3.0]
    """
    values = evaluated(factor, variables, fitted=fitted)
    if isinstance(values, Category) and len(values.levels) < 2:
        raise NotEstimable(
            f"covariate {factor.text!r} holds one level only ({values.levels[0]!r}) in the {len(values.codes)} rows"
            " used: nothing to compare with; leave it out"
        )
    return values


def evaluated(
    factor: Factor,
    variables: Mapping[str, Values],
    *,
    role: str = "covariates:",
    fitted: Mapping[str, Values] | None = None,
) -> Values:
    """What an expression is in each row, whatever that is; messages begin with the role of its text."""
    text = f"{role} {factor.text!r}"
    with np.errstate(all="ignore"):
        return _Evaluation(text, variables, _Evaluation(text, fitted) if fitted is not None else None).of(
            factor.expression
        )


def factor_columns(factor: Factor, values: Values, *, full: bool) -> Columns:
    """The columns that a factor fills: of a category, one for each level (`full`), or all but one.

    Examples
    --------
    >>> sex = Category(np.array([0, 1, 1]), ("f", "m"))
    >>> [(name, column.tolist()) for name, column in factor_columns(Factor(Column("sex"), "sex"), sex, full=False)]
    [('sex[m]', [0.0, 1.0, 1.0])]
    """
    if isinstance(values, dict):
        return [(f"{factor.text}[{name}]", np.asarray(column, dtype=np.float64)) for name, column in values.items()]
    if isinstance(values, Category):
        return _coded(factor, values, full=full)
    return [(factor.text, np.asarray(values, dtype=np.float64))]


def _coded(factor: Factor, values: Category, *, full: bool) -> Columns:
    """A category's columns by its coding."""
    coding = _contrasts(factor, values)
    matrix = coding.get_coding_matrix(list(values.levels), reduced_rank=not full, sparse=False)
    rows = np.asarray(matrix, dtype=np.float64)
    form = coding.get_factor_format(list(values.levels), reduced_rank=not full).replace("[T.", "[")
    names = coding.get_coding_column_names(list(values.levels), reduced_rank=not full)
    shown = _category_name(factor)
    return [
        (form.replace("{name}", shown).replace("{field}", str(name)), rows[values.codes, index])
        for index, name in enumerate(names)
    ]


def _category_name(factor: Factor) -> str:
    """The column's name alone for C(column)."""
    match factor.expression:
        case Call("C", (Column(name),), ()):
            return str(name)
    return factor.text


def _contrasts(factor: Factor, values: Category) -> Any:  # noqa: ANN401
    """Formulaic's contrasts for a category's coding."""
    from formulaic.transforms import contrasts

    contrast = getattr(contrasts, expressions.CODINGS[values.coding.name])
    if expressions.CODINGS[values.coding.name] not in expressions.WITH_BASE:
        return contrast()
    base = values.coding.base
    if base is None:
        return contrast(values.levels[0])
    label = stratum_label(base.value)
    _refuse_unknown_levels(f"covariates: {factor.text!r}", [label], values.levels)
    return contrast(label)


def _refuse_unknown_levels(text: str, named: Sequence[str], levels: Sequence[str]) -> None:
    """An error on levels that no row holds."""
    unknown = [repr(label) for label in named if label not in levels]
    if unknown:
        raise InputError(
            f"{text} names the level {first_few(unknown)}, which no row holds; levels:"
            f" {first_few(map(repr, levels), 12)}"
        )


@dataclass(frozen=True)
class _Evaluation:
    """Evaluates the expressions of one factor on the columns."""

    text: str
    variables: Mapping[str, Values]
    fitted: _Evaluation | None = None
    """The same on the rows that means, knots and levels are taken from, where these are others."""

    def of(self, expression: Expression) -> Values:
        """The value of an expression."""
        match expression:
            case Column(name):
                return self.variables[name]
            case Number(value):
                return np.array(value)
            case Call(function, (Column(name), Text(level))) if function in expressions.OPERATORS:
                return self.is_level(self.variables[name], level, equal=function == "Eq")
            case Call("I", (argument,)):
                return self.of(argument)
            case Call("C", (argument,), options):
                category = self.category(self.of(argument), dict(options))
                return category if self.fitted is None else self.recoded(category, self.fitted.of(expression))
            case Call(function, arguments, options):
                values = [self.numbers(self.of(argument)) for argument in arguments]
                return self.called(function, values, dict(options), arguments)
        raise InputError(f"{self.text} has no value")

    def numbers(self, values: Values) -> NDArray[np.generic]:
        """Numbers, or an error on a category or on several columns."""
        if isinstance(values, np.ndarray | np.generic):
            return values
        wrong = "categories" if isinstance(values, Category) else "columns"
        raise InputError(
            f"{self.text} computes with {wrong}; functions and arithmetic take numbers, categories compare with text"
        )

    def is_level(self, values: Values, level: str, *, equal: bool) -> Values:
        """Whether a row is of a level."""
        if not isinstance(values, Category):
            raise InputError(f"{self.text} compares numbers with the text {level!r}; write the number")
        _refuse_unknown_levels(self.text, [level], values.levels)
        index = values.levels.index(level)
        return np.equal(values.codes, index) if equal else np.not_equal(values.codes, index)

    def category(self, values: Values, options: Mapping[str, object]) -> Category:
        """A column, or numbers, as a category, with its levels in an order and its coding."""
        category = values if isinstance(values, Category) else _as_category(self.numbers(values))
        if "levels" in options:
            category = self.ordered(category, [stratum_label(one) for one in options["levels"]])  # type: ignore[attr-defined]
        return replace(category, coding=options["contrasts"]) if "contrasts" in options else category  # type: ignore[arg-type]

    def ordered(self, category: Category, labels: Sequence[str]) -> Category:
        """A category with its levels in the order given, which must name them all."""
        left_out = [label for label in category.levels if label not in labels]
        if left_out or len(set(labels)) < len(labels):
            raise InputError(
                f"{self.text} must name every level once; levels: {first_few(map(repr, category.levels), 12)}"
            )
        levels = tuple(label for label in labels if label in category.levels)
        index = np.array([levels.index(label) for label in category.levels], dtype=np.int64)
        return replace(category, codes=index[category.codes], levels=levels)

    def recoded(self, category: Category, fitted: Values) -> Category:
        """A category with the levels of the rows fitted, of which it may hold no other."""
        assert isinstance(fitted, Category)
        _refuse_unknown_levels(self.text, category.levels, fitted.levels)
        index = np.array([fitted.levels.index(label) for label in category.levels], dtype=np.int64)
        return replace(fitted, codes=index[category.codes])

    def called(
        self,
        function: str,
        values: list[NDArray[np.generic]],
        options: Mapping[str, object],
        arguments: Sequence[Expression],
    ) -> Values:
        """A function of numbers, or an operator."""
        elementwise = expressions.OPERATORS.get(function) or expressions.FUNCTIONS[function].numpy
        if elementwise:
            of = getattr(np, elementwise)
            floats = [np.asarray(one, dtype=np.float64) for one in values]
            return np.asarray(reduce(of, floats) if function in ("And", "Or") else of(*floats))
        learned: dict[str, object] = {}
        try:
            if self.fitted is not None:
                _transformed(function, self.fitted.numbers(self.fitted.of(arguments[0])), options, learned)
            return _transformed(function, values[0], options, learned)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{self.text} cannot be computed: {reason}") from error


def _as_category(values: NDArray[np.generic]) -> Category:
    """Numbers as levels in their order."""
    levels, codes = np.unique(values, return_inverse=True)
    return Category(codes.astype(np.int64), tuple(stratum_label(level) for level in levels.tolist()))


def _transformed(
    function: str, values: NDArray[np.generic], options: Mapping[str, object], learned: dict[str, object]
) -> Values:
    """Formulaic's transformation of a column of numbers into one, or into several by their names.

    Means, knots and the like are put into `learned`, or taken from it when they are there.
    """
    from formulaic import transforms

    of = {
        "center": transforms.center,
        "scale": transforms.scale,
        "poly": transforms.poly,
        "bs": transforms.basis_spline,
        "cr": transforms.natural_cubic_spline,
        "cs": transforms.natural_cubic_spline,
        "cc": transforms.cyclic_cubic_spline,
    }[function]
    fixed = {"constraints": "center"} if function in ("cr", "cs", "cc") else {}
    computed = of(pd.Series(values, dtype=np.float64), **{**options, **fixed}, _state=learned)
    computed = getattr(computed, "__wrapped__", computed)
    if isinstance(computed, dict):
        return {name: np.asarray(column, dtype=np.float64) for name, column in computed.items()}
    array = np.asarray(computed, dtype=np.float64)
    return array if array.ndim == 1 else dict(enumerate(array.T, start=1))


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
