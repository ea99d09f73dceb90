"""The design matrix of terms: which levels of a category have a column, so that none follows from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import product

import numpy as np

from analysis.arrays import FloatArray
from analysis.errors import InputError
from analysis.survival.formulas.expressions import Factor
from analysis.survival.formulas.grammar import Term
from analysis.survival.formulas.values import Category, Columns, Values, factor_columns, factor_values

MOST_COLUMNS = 10_000
Span = tuple[tuple[Factor, bool], ...]
"""Factors, and of each whether it is a category without its first level."""


def term_columns(
    terms: Sequence[Term],
    variables: Mapping[str, Values],
    strata: Sequence[str] = (),
    fitted: Mapping[str, Values] | None = None,
) -> list[tuple[Term, Columns]]:
    """The columns that each term fills, a category against its first level wherever the baseline spans that level.

    The baseline hazard spans a constant; those of strata span all that is made from the strata's columns. So in
    ``x*z`` with baselines by `z`, the main effect of `z` is theirs, as in R's ``x*strata(z)``.

    Parameters
    ----------
    terms : sequence of Term
        Main effects before interactions.
    variables : mapping
        The columns that they name, on the rows used.
    strata : sequence
        The columns by which baseline hazards differ.
    fitted : mapping, optional
        The columns on the rows of a model, when `variables` are those of other rows that it shall predict.

    Returns
    -------
    list of (Term, list of (name, column))
        Only terms that fill a column.

    Raises
    ------
    InputError, NotEstimable
        As `factor_values`; too many columns.
    """
    values = {factor: factor_values(factor, variables, fitted) for term in terms for factor in term.factors}
    spanned, absorbed = _spanned_by_strata(terms, values, set(strata))
    filled, total = [], 0
    for term in terms:
        if absorbed and term.key <= absorbed:
            continue
        new = [span for span in _spans(term.factors, values) if frozenset(span) not in spanned]
        spanned.update(map(frozenset, new))
        codings = _merged(new)
        total += sum(_width(span, values) for span in codings)
        if total > MOST_COLUMNS:
            raise InputError(f"covariates: the formula gives more than {MOST_COLUMNS:,} columns; join levels")
        columns = [column for span in codings for column in _product(span, values)]
        if columns:
            filled.append((term, columns))
    return filled


def _spanned_by_strata(
    terms: Sequence[Term], values: Mapping[Factor, Values], strata: set[str]
) -> tuple[set[frozenset[tuple[Factor, bool]]], frozenset[Factor]]:
    """What the baseline hazards span already, and the factors of strata that interact with others."""
    spanned: set[frozenset[tuple[Factor, bool]]] = {frozenset()}
    absorbed: set[Factor] = set()
    for term in terms:
        own = tuple(factor for factor in term.factors if strata.issuperset(factor.columns))
        if 0 < len(own) < len(term.factors):
            absorbed.update(own)
            spanned.update(map(frozenset, _spans(own, values, subsets=True)))
    return spanned, frozenset(absorbed)


def _spans(factors: Sequence[Factor], values: Mapping[Factor, Values], *, subsets: bool = False) -> list[Span]:
    """What a product of factors spans: each category is in it, without its first level, or not."""
    parts = []
    for factor in factors:
        category = isinstance(values[factor], Category)
        parts.append([(factor, category), *([None] if category or subsets else [])])
    return [tuple(one for one in chosen if one is not None) for chosen in product(*parts)]


def _merged(spans: Sequence[Span]) -> list[Span]:
    """The fewest products that span the same: (anything) and (anything):(all levels but one) are (anything):(all)."""
    kept: list[Span] = []
    for span in sorted(spans, key=len):
        for known in kept:
            more = set(span) - set(known)
            if len(more) == 1 and len(span) == len(known) + 1 and next(iter(more))[1]:
                whole = tuple((factor, reduced and (factor, reduced) not in more) for factor, reduced in span)
                kept = _merged([*(other for other in kept if other is not known), whole])
                break
        else:
            kept.append(span)
    return kept


def _width(span: Span, values: Mapping[Factor, Values]) -> int:
    """How many columns a product fills."""
    width = 1
    for factor, reduced in span:
        value = values[factor]
        if isinstance(value, Category):
            width *= len(value.levels) - reduced
        elif isinstance(value, dict):
            width *= len(value)
    return width


def _product(span: Span, values: Mapping[Factor, Values]) -> Columns:
    """The columns of a product, those of its first factor varying fastest."""
    parts = [factor_columns(factor, values[factor], full=not reduced) for factor, reduced in span]
    products = []
    for chosen in product(*reversed(parts)):
        names, columns = zip(*reversed(chosen), strict=True)
        products.append((":".join(names), reduce(np.multiply, columns)))
    return products


def matrix_of(filled: Sequence[tuple[Term, Columns]], n_rows: int) -> FloatArray:
    """The columns side by side."""
    columns = [column for _, columns in filled for _, column in columns]
    return np.column_stack([np.broadcast_to(column, n_rows) for column in columns])


def coded_against(filled: Sequence[tuple[Term, Columns]], variables: Mapping[str, Values]) -> dict[str, str]:
    """Of each term that is one category: the name of its column that is not there, of the level compared with."""
    missing_columns: dict[str, str] = {}
    for term, columns in filled:
        values = factor_values(term.factors[0], variables) if len(term.factors) == 1 else None
        if isinstance(values, Category):
            own = {name for name, _ in columns}
            missing = [name for name, _ in factor_columns(term.factors[0], values, full=True) if name not in own]
            missing_columns |= {term.text: missing[0]} if len(missing) == 1 else {}
    return missing_columns
