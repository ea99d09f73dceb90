"""The covariates of a Cox model from a formula, or a list of columns and terms, with readable names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, first_few, holds_numbers, numbers, rows_where
from analysis.errors import CohortError, InputError, raise_all
from analysis.survival import formulas
from analysis.survival.cox.model import Design, check_given, outcome_among_covariates, same_names
from analysis.survival.formulas import Term
from analysis.survival.rows import SurvivalData, listed, survival_data


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
    filled = formulas.term_columns(terms, variables, listed(roles["strata"]))
    if not filled:
        raise InputError(
            f"covariates: {given!r} leaves nothing to estimate: the baseline hazards of the strata absorb every term"
        )
    x, labels = formulas.matrix_of(filled, data.n_used), [name for _, columns in filled for name, _ in columns]
    raise_all(same_names(labels), InputError)
    _refuse_undefined(data, x, labels)
    index = iter(range(len(labels)))
    of_term = {term.text: tuple(islice(index, len(columns))) for term, columns in filled}
    return Design(data, np.ascontiguousarray(x), tuple(labels), of_term, formulas.coded_against(filled, variables))


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


def _refuse_undefined(data: SurvivalData, x: FloatArray, names: Sequence[str]) -> None:
    """An error when a transformation gave infinite or undefined values, such as the log of zero."""
    problems = []
    for column, name in zip(x.T, names, strict=True):
        wrong = ~np.isfinite(column)
        if not wrong.any() or ":" in name:
            continue
        rows = np.zeros(data.n_read, dtype=bool)
        rows[data.position[wrong]] = True
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
