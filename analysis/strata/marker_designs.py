"""The design of a Cox model with a numeric marker and terms to adjust for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint, column_problems, numbers, with_columns
from analysis.errors import InputError, raise_all
from analysis.survival import cox, formulas, rows


def adjust_problems(
    marker: str, adjust: Sequence[str], *, argument: str = "adjust", role: str = "the marker itself"
) -> list[str]:
    """The terms to adjust for that hold the marker; `argument` and `role` are what the message calls the two.

    Examples
    --------
    >>> adjust_problems("mg", ["age", "log(mg)", "mg_unit"])
    ["adjust: 'log(mg)' holds the marker itself; leave it out"]
    """
    return [f"{argument}: {term!r} holds {role}; leave it out" for term in adjust if _names_column(term, marker)]


def _names_column(term: str, column: str) -> bool:
    """Whether a term is a column, or a formula that names it; what cannot be read as a formula is a column's name."""
    if term == column or not isinstance(term, str):
        return term == column
    try:
        return column in formulas.columns_of(formulas.parse_formula(term))
    except InputError:
        return False


def read_marker_design(
    cohort: pd.DataFrame, endpoint: Endpoint, marker: str, adjust: Sequence[str], strata: Sequence[str]
) -> cox.Design:
    """Check the columns of a model, drop incomplete rows and build its design, the marker a column of its own.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    marker : str
        A numeric column.
    adjust : sequence of str
        Columns, numeric or categorical, or terms of a formula.
    strata : sequence of str
        Columns.

    Returns
    -------
    Design
        ``columns[marker]`` says where in `x` the marker stands.

    Raises
    ------
    CohortError, InputError
        Faults of the columns and of the terms.

    Examples
    --------
    >>> cohort = pd.DataFrame({"time": [1, 2.0], "event": [1, 0], "mg": [0.7, 0.8], "sex": ["f", "m"]})
    >>> design = read_marker_design(cohort, Endpoint("time", "event"), "mg", ["sex"], [])
    >>> sorted(design.terms)
    ['mg', 'sex[m]']
    """
    rows.check_roles(endpoint, strata)
    raise_all(column_problems(cohort, [*endpoint.columns, marker, *strata]))
    problems: list[str] = []
    values = numbers(cohort, marker, problems, role="marker column")
    if np.isnan(values).all() and not problems:
        problems.append(f"no non-missing values in {marker!r}")
    raise_all(problems)
    cohort = with_columns(cohort, {marker: values})
    if not adjust:
        return cox.read_design(cohort, endpoint, [marker], strata=strata)
    return cox.read_term_design(cohort, endpoint, [marker, *adjust], strata=strata)


def as_formula(terms: Sequence[str], cohort: pd.DataFrame) -> str:
    """Columns, of whatever name, and terms as the right-hand side of one formula: what a fit says of itself.

    Examples
    --------
    >>> as_formula(["Mg (mmol/L)", "log2(crp)"], pd.DataFrame({"Mg (mmol/L)": [0.8], "crp": [5.0]}))
    '`Mg (mmol/L)` + log2(crp)'
    """
    return " + ".join(formulas.quoted(term) if term in cohort.columns else str(term) for term in terms)
