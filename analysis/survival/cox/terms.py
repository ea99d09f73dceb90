"""The covariates of a Cox model from a formula, or a list of columns and terms, with readable names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few, holds_numbers, numbers, rows_where
from analysis.errors import CohortError, InputError, raise_all
from analysis.survival import formulas
from analysis.survival.cox.model import Design, Recipe, check_given, outcome_among_covariates, same_names
from analysis.survival.formulas import Category, Term, Values
from analysis.survival.rows import listed, survival_data


def formula_design(cohort: pd.DataFrame, endpoint: Endpoint, text: str, roles: dict[str, Any]) -> Design:
    """The design of a formula, as `read_design` gives it."""
    return _of_terms(cohort, endpoint, _named_terms(text, cohort), text, roles)


def read_term_design(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    terms: Sequence[str],
    *,
    strata: str | Sequence[str] | None = None,
    complete: Sequence[str] = (),
) -> Design:
    """Check the columns of a model, drop incomplete rows and build the design matrix of columns and terms.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    terms : sequence
        Columns of whatever name, numeric or categorical, and terms of a formula.
    strata : optional
        As in `fit_cox`.
    complete : sequence of str
        Further columns that must not be missing.

    Returns
    -------
    Design

    Raises
    ------
    InputError, CohortError
        As `read_design`.

    Examples
    --------
    >>> cohort = pd.DataFrame({"time": [1, 2.0], "event": [1, 0], "log": [0.7, 0.8], "1": ["f", "m"]})
    >>> read_term_design(cohort, Endpoint("time", "event"), ["log", "1"]).terms
    ('log', '1[m]')
    """
    check_given(cohort, endpoint, terms)
    names = list(terms)
    if _are_numbers(cohort, names, listed(strata)):
        return _of_numbers(cohort, endpoint, names, strata, complete)
    return _of_terms(cohort, endpoint, formulas.parse_terms(terms, cohort.columns), terms, {"strata": strata}, complete)


def _are_numbers(cohort: pd.DataFrame, names: Sequence[str], strata: Sequence[str]) -> bool:
    """Whether terms are distinct numeric columns, which need no formula."""
    distinct = 0 < len(names) == len({*names} - {*strata}) and cohort.columns.is_unique
    return distinct and all(name in cohort.columns and holds_numbers(cohort[name]) for name in names)


def _of_numbers(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    names: Sequence[str],
    strata: str | Sequence[str] | None,
    complete: Sequence[str],
) -> Design:
    """The design of numeric columns."""
    raise_all(outcome_among_covariates(names, endpoint))
    data = survival_data(cohort, endpoint, strata=strata, complete=[*complete, *names])
    problems: list[str] = []
    x = np.column_stack([numbers(cohort, name, problems)[data.position] for name in names])
    raise_all(problems)
    labels = tuple(map(str, names))
    raise_all(same_names(labels), InputError)
    return Design(data, x, labels, {label: (column,) for column, label in enumerate(labels)})


def formula_columns(terms: str | Sequence[str], cohort: pd.DataFrame) -> tuple[str, ...]:
    """The columns that a formula, or a list of columns and terms, names, in its order; they need not be there.

    Parameters
    ----------
    terms : str or sequence
        As `fit_cox` takes a formula; or as `read_term_design` takes a list.
    cohort : DataFrame
        Tells columns from terms in a list.

    Returns
    -------
    tuple

    Raises
    ------
    InputError
        A formula that cannot be read, or that calls a function there is none of.

    Examples
    --------
    >>> formula_columns("log2(crp) + `a.b`:age", pd.DataFrame({"crp": [1.0], "a.b": [1.0], "age": [1.0]}))
    ('crp', 'a.b', 'age')
    """
    if isinstance(terms, str):
        return formulas.columns_of(_named_terms(terms, cohort))
    return formulas.columns_of(formulas.parse_terms(terms, cohort.columns))


def _named_terms(text: str, cohort: pd.DataFrame) -> tuple[Term, ...]:
    """The terms of a formula that names a column at least."""
    terms = formulas.parse_formula(text, cohort.columns)
    if not terms:
        raise InputError(f"covariates: the formula {text!r} names no column")
    return terms


def _of_terms(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    terms: Sequence[Term],
    given: object,
    roles: dict[str, Any],
    complete: Sequence[str] = (),
) -> Design:
    """The design of terms on the rows that are complete in their columns."""
    if not terms:
        raise InputError(f"covariates={given!r}: none given; name at least one column")
    by_name = {name: _column_named(name, cohort) for name in formulas.columns_of(terms)}
    names = list(dict.fromkeys(by_name.values()))
    raise_all(outcome_among_covariates(names, endpoint))
    data = survival_data(cohort, endpoint, **roles, complete=[*complete, *names])
    problems: list[str] = []
    columns = {name: formulas.column_values(cohort, name, problems, data.position) for name in names}
    raise_all(problems)
    variables = {name: columns[column] for name, column in by_name.items()}
    recipe = Recipe(tuple(terms), variables, by_name, listed(roles["strata"]))
    filled = formulas.term_columns(terms, variables, recipe.strata)
    if not filled:
        raise InputError(
            f"covariates: {given!r} leaves nothing to estimate: the baseline hazards of the strata absorb every term"
        )
    x, labels = formulas.matrix_of(filled, data.n_used), [name for _, columns in filled for name, _ in columns]
    raise_all(same_names(labels), InputError)
    _refuse_undefined(data.position, data.n_read, x, labels)
    index = iter(range(len(labels)))
    of_term = {term.text: tuple(islice(index, len(columns))) for term, columns in filled}
    against = formulas.coded_against(filled, variables)
    return Design(data, np.ascontiguousarray(x), tuple(labels), of_term, against, recipe)


def matrix_of_rows(design: Design, rows: pd.DataFrame) -> FloatArray:
    """The columns of a design for other rows: with the levels, means and knots of the rows that it was made of.

    Parameters
    ----------
    design : Design
    rows : DataFrame
        Its covariates, complete.

    Returns
    -------
    ndarray, shape (n, p)

    Raises
    ------
    CohortError
        With every fault at once: columns that are not there, missing values, levels that no row fitted has.
    InputError
        Values beyond the outer knots of a spline that has none there.

    Examples
    --------
    >>> from analysis.survival.cox import read_design
    >>> cohort = pd.DataFrame({"t": [1.0, 2, 3], "e": [1, 1, 1], "mg": [0.7, 0.8, 0.9], "site": list("abc")})
    >>> design = read_design(cohort, Endpoint("t", "e"), "center(mg) + site")
    >>> matrix_of_rows(design, pd.DataFrame({"mg": [0.9], "site": ["c"]})).round(3).tolist()
    [[0.1, 0.0, 1.0]]
    """
    recipe = design.recipe
    by_name = recipe.columns if recipe else {name: _column_named(name, rows) for name in design.columns}
    raise_all(column_problems(rows, list(by_name.values())))
    problems = _missing_values(rows, by_name.values())
    raise_all(problems)
    everywhere = np.arange(len(rows))
    variables = {name: formulas.column_values(rows, column, problems, everywhere) for name, column in by_name.items()}
    if recipe is None:
        problems += [
            f"column {column!r}: the model has numbers there, these rows text"
            for name, column in by_name.items()
            if isinstance(variables[name], Category)
        ]
        raise_all(problems)
        return np.column_stack([np.asarray(variables[name], dtype=np.float64) for name in by_name])
    recoded = {
        name: _recoded(by_name[name], values, recipe.variables[name], problems) for name, values in variables.items()
    }
    raise_all(problems)
    filled = formulas.term_columns(recipe.terms, recoded, recipe.strata, recipe.variables)
    x = formulas.matrix_of(filled, len(rows))
    _refuse_undefined(everywhere, len(rows), x, design.terms)
    return np.ascontiguousarray(x)


def _missing_values(rows: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Missing values, column by column: a prediction needs them all."""
    absent = {name: rows[name].isna().to_numpy(dtype=bool) for name in dict.fromkeys(names)}
    return [f"column {name!r}: missing in {rows_where(out)}" for name, out in absent.items() if out.any()]


def _recoded(column: str, values: Values, fitted: Values, problems: list[str]) -> Values:
    """A column of other rows as the rows fitted have it; what cannot be is added to the problems."""
    if isinstance(values, Category) != isinstance(fitted, Category):
        has, had = ("text", "numbers") if isinstance(values, Category) else ("numbers", "text")
        problems.append(f"column {column!r}: the model has {had} there, these rows {has}")
        return fitted
    if not isinstance(values, Category) or not isinstance(fitted, Category):
        return values
    unknown = [label for label in values.levels if label not in fitted.levels]
    if unknown:
        where = np.isin(values.codes, [values.levels.index(label) for label in unknown])
        problems.append(
            f"column {column!r}: no row of the model has {first_few(map(repr, unknown))}, {rows_where(where)};"
            f" its levels are {first_few(map(repr, fitted.levels), 12)}"
        )
        return fitted
    index = np.array([fitted.levels.index(label) for label in values.levels], dtype=np.int64)
    return Category(index[values.codes], fitted.levels)


def _column_named(name: str, cohort: pd.DataFrame) -> str:
    """The column of a name: a number as a column's name reads like text in a formula."""
    if name in cohort.columns:
        return name
    same = [column for column in cohort.columns if not isinstance(column, str) and str(column) == name]
    return same[0] if len(same) == 1 else name


def level_columns(design: Design) -> tuple[tuple[str, ...], FloatArray]:
    """The columns of a design with one more for the level that a category of three or more is coded against.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of str, and ndarray of shape (n, p)
        Names and columns, term by term; the level that the others are coded against comes before them.

    Examples
    --------
    >>> cohort = pd.DataFrame({"t": [1.0, 2, 3], "e": [1, 1, 1], "mg": [0.7, 0.8, 0.9], "site": list("abc")})
    >>> from analysis.survival.cox import read_design
    >>> level_columns(read_design(cohort, Endpoint("t", "e"), "mg + site"))[0]
    ('mg', 'site[a]', 'site[b]', 'site[c]')
    """
    names: list[str] = []
    parts: list[FloatArray] = []
    for term, index in design.columns.items():
        own, x = [design.terms[column] for column in index], design.x[:, list(index)]
        if len(index) > 1 and term in design.coded_against:
            own, x = [design.coded_against[term], *own], np.column_stack([1.0 - x.sum(axis=1), x])
        names += own
        parts.append(x)
    return tuple(names), np.column_stack(parts)


def _refuse_undefined(position: IntArray, n_read: int, x: FloatArray, names: Sequence[str]) -> None:
    """An error when a transformation gave infinite or undefined values, such as the log of zero."""
    problems = []
    for column, name in zip(x.T, names, strict=True):
        wrong = ~np.isfinite(column)
        if not wrong.any() or ":" in name:
            continue
        rows = np.zeros(n_read, dtype=bool)
        rows[position[wrong]] = True
        log = re.fullmatch(r"(?:np\.)?log(?:2|10)?\((.*)\)", name)
        if log and np.isneginf(column[wrong]).all():
            problems.append(
                f"log of 0 in {log[1]!r}, {rows_where(rows)}; correct the values, set them missing, or add a constant"
                f" that you justify, as log({log[1]} + 1)"
            )
        elif log:
            problems.append(f"log of 0 or of negative values in {log[1]!r}, {rows_where(rows)}")
        else:
            problems.append(f"the term {name!r} is infinite or undefined in {rows_where(rows)}")
    if not problems and not np.isfinite(x).all():
        wrong_terms = first_few(
            repr(name) for column, name in zip(x.T, names, strict=True) if not np.isfinite(column).all()
        )
        problems.append(f"terms infinite or undefined: {wrong_terms}")
    raise_all(problems, CohortError)
