"""A marker's coefficient let go: one for each group of rows in place of one for all, and the test of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.arrays import IntArray
from analysis.cohort.columns import Endpoint
from analysis.survival.cox import ChiSquare, CoxFit, CoxModel, Design, chi_square, fit_design


def with_slopes(design: Design, marker: str, group: IntArray, terms: Sequence[str]) -> Design:
    """The design with the marker's column in as many copies as there are groups, each zero outside its own.

    Parameters
    ----------
    design : Design
        ``columns[marker]`` is one column.
    marker : str
    group : ndarray of int, shape (n,)
        The group of each row, an index of `terms`; -1 where it has none.
    terms : sequence of str
        The names of the new columns; they come first, in this order.

    Returns
    -------
    Design
    """
    (place,) = design.columns[str(marker)]
    inside = group[:, None] == np.arange(len(terms))
    slopes = np.where(inside, design.x[:, [place]], 0.0)
    others = [column for column in range(design.x.shape[1]) if column != place]
    return replace(
        design,
        x=np.ascontiguousarray(np.hstack([slopes, design.x[:, others]])),
        terms=(*terms, *(design.terms[column] for column in others)),
        columns={term: (column,) for column, term in enumerate(terms)},
    )


def fitted(design: Design, endpoint: Endpoint, strata: Sequence[str], formula: str) -> CoxFit:
    """The model of a design, by the kernel: rows split by time or interactions are no model that lifelines is given."""
    model = CoxModel(
        endpoint=endpoint, covariates=formula, ties="efron", strata=tuple(strata), cluster=None, weights=None,
        robust=False, engine="kernel",
    )  # fmt: skip
    return fit_design(design, model)


def difference_test(several: CoxFit, one: CoxFit, n_groups: int) -> ChiSquare:
    """The likelihood-ratio test of a coefficient for each group against one for all."""
    return chi_square(2 * max(several.log_likelihood - one.log_likelihood, 0.0), n_groups - 1)
