"""The rows of an adjusted comparison, and the model of who is in which group: a multinomial logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few, with_columns
from analysis.errors import CohortError, InputError, NotEstimable, raise_all
from analysis.strata.marker_designs import adjust_problems
from analysis.survival.cox import Design, read_term_design
from analysis.survival.rows import Groups, SurvivalData, check_roles, group_rows, grouping_problems, listed

MOST_STEPS = 40
CONVERGED = 1e-9
"""Newton's decrement, in units of the log-likelihood, below which a model has converged."""
ROUNDING = 1e-9
SMALL_PRODUCT = 250_000
"""Multiplications up to which the usual libraries take one thread."""


@dataclass(frozen=True, eq=False)
class ExposureRows:
    """The complete rows of an adjusted comparison, in input order.

    Attributes
    ----------
    by : str
        The column of groups.
    groups : Groups
        The groups that are compared.
    within : Groups
        The combinations of the strata columns other than that of the groups.
    design : Design
        The outcome and the covariates; ``design.data.strata`` are the combinations of all strata columns.
    own_baselines : bool
        Whether the groups are among the strata.
    """

    by: str
    groups: Groups
    within: Groups
    design: Design
    own_baselines: bool

    @property
    def data(self) -> SurvivalData:
        """The outcome."""
        return self.design.data

    @property
    def x(self) -> FloatArray:
        """The covariates, column by column in memory: the last bits of their sums follow the layout."""
        return np.asfortranarray(self.design.x)

    @property
    def order(self) -> IntArray:
        """Rows in an order that does not depend on the one they came in."""
        data = self.data
        keys = (data.time, data.event, data.entry, self.groups.codes, data.strata.codes, *self.x.T)
        return np.lexsort(keys[::-1]).astype(np.int64)


def read_exposure(
    cohort: pd.DataFrame,
    endpoint: Endpoint | None,
    covariates: str | Sequence[str],
    *,
    by: str,
    strata: str | Sequence[str] | None = None,
) -> ExposureRows:
    """Check the columns of an adjusted comparison and drop its incomplete rows.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint or None
        None where only weights are asked for: then no row is dropped for its outcome.
    covariates : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`.
    by : str
        The column of groups.
    strata : str or sequence of str, optional
        Columns whose combinations are strata.

    Returns
    -------
    ExposureRows

    Raises
    ------
    CohortError, InputError
        Faults of the columns and of the terms, all at once.
    NotEstimable
        Fewer than two groups on the complete rows.
    """
    terms, strata_names = listed(covariates), listed(strata)
    frame, outcome = (cohort, endpoint) if endpoint is not None else _without_outcome(cohort)
    check_roles(outcome, strata_names, by=by)
    raise_all(column_problems(frame, [*outcome.columns, by, *strata_names]))
    _check_terms(frame, by, terms, strata_names)
    design = read_term_design(frame, outcome, terms, strata=strata_names, complete=[by])
    used = frame.iloc[design.data.position]
    groups = group_rows(used, [by])
    if len(groups.labels) < 2:
        raise NotEstimable(
            f"need at least 2 groups to compare, column {by!r} holds {len(groups.labels)}"
            f" ({first_few(groups.labels)}) in the {len(used)} complete rows"
        )
    within = group_rows(used, [name for name in strata_names if name != by])
    return ExposureRows(by, groups, within, design, own_baselines=by in strata_names)


def _without_outcome(cohort: pd.DataFrame) -> tuple[pd.DataFrame, Endpoint]:
    """The cohort with an outcome that drops no row: the reader of designs asks for one."""
    raise_all(column_problems(cohort, []))
    time, event = "(followed)", "(event)"
    return with_columns(cohort, {time: 1.0, event: 0}), Endpoint(time, event)


def _check_terms(cohort: pd.DataFrame, by: str, terms: Sequence[str], strata: Sequence[str]) -> None:
    """Covariates must be given, and be neither the groups nor strata as well."""
    formulas = [term for term in terms if term == by or term not in cohort.columns]
    problems = adjust_problems(by, formulas, argument="covariates", role="what is compared") if formulas else []
    if not terms:
        problems.append("covariates: none given; name what to adjust for")
    problems += [
        f"covariates: {term!r} is among the strata too; leave it out of one" for term in terms if term in strata
    ]
    raise_all(problems, InputError)
    if cohort[by].isna().all():
        raise CohortError(f"no rows left: column {by!r} is missing throughout")
    raise_all(grouping_problems(cohort[by]))


def propensity_basis(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of a constant and the columns, whatever their units; collinear ones cost nothing.

    Parameters
    ----------
    columns : ndarray, shape (n, p)

    Returns
    -------
    ndarray, shape (n, q)
        Columns of length sqrt(n).

    Examples
    --------
    >>> propensity_basis(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]])).shape
    (4, 2)
    """
    centred = columns - columns.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    varies = spread > ROUNDING * (np.abs(columns).max(axis=0, initial=0.0) + ROUNDING)
    scaled = np.column_stack([np.ones(len(columns)), centred[:, varies] / spread[varies]])
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return np.asarray(left[:, values > ROUNDING * values[0]] * np.sqrt(len(columns)), dtype=np.float64)


def fit_propensity(
    basis: FloatArray, codes: IntArray, weights: FloatArray, *, start: FloatArray | None = None
) -> tuple[FloatArray, BoolArray]:
    """Maximum-likelihood coefficients of a multinomial logistic model in many weightings of the same rows.

    log(P(group k) / P(group 0)) = basis @ coef[k - 1]. Newton's method for all weightings in step; a step after which
    the likelihood fell is halved.

    Parameters
    ----------
    basis : ndarray, shape (n, q)
    codes : ndarray of int, shape (n,)
        Groups 0, ..., k - 1.
    weights : ndarray, shape (b, n)
        Zero or more.
    start : ndarray, shape (k - 1, q), optional

    Returns
    -------
    coef : ndarray, shape (b, k - 1, q)
    converged : ndarray of bool, shape (b,)

    Examples
    --------
    >>> codes = np.array([0, 0, 0, 1])
    >>> coef, converged = fit_propensity(np.ones((4, 1)), codes, np.ones((1, 4)))
    >>> round(float(coef[0, 0, 0]), 6), converged.tolist()  # log(1 / 3)
    (-1.098612, [True])
    """
    b, q, k = len(weights), basis.shape[1], int(codes.max()) + 1
    members = np.eye(k)[1:, codes]
    coef = np.zeros((b, k - 1, q)) if start is None else np.tile(start, (b, 1, 1))
    before, step, highest = coef.copy(), np.zeros_like(coef), np.full(b, -np.inf)
    active, converged = np.arange(b), np.zeros(b, dtype=bool)
    for _ in range(MOST_STEPS):
        weight = weights[active]
        probability = probabilities(basis, coef[active])
        value = _log_likelihood(probability, codes, weight)
        fell = value < highest[active] - ROUNDING * (1 + np.abs(value))
        gradient = (weight[:, None, :] * (members - probability[:, 1:])) @ basis
        curvature = information(basis, probability, weight)
        newton = np.linalg.solve(curvature, gradient.reshape(len(active), -1, 1)).reshape(gradient.shape)
        good = active[~fell]
        before[good], highest[good], step[good] = coef[good], value[~fell], newton[~fell]
        step[active[fell]] /= 2
        done = ~fell & ((gradient * newton).sum(axis=(1, 2)) < CONVERGED)
        converged[active[done]] = True
        coef[active] = before[active] + step[active]
        active = active[~done]
        if not len(active):
            break
    return coef, converged


def probabilities(basis: FloatArray, coef: FloatArray) -> FloatArray:
    """The probability of every group for every row: coef (b, k - 1, q) to (b, k, n)."""
    b, others, q = coef.shape
    eta = np.zeros((b, others + 1, len(basis)))
    eta[:, 1:] = _product(coef.reshape(-1, q), basis.T).reshape(b, others, len(basis))
    eta -= eta.max(axis=1, keepdims=True)
    np.exp(eta, out=eta)
    eta /= eta.sum(axis=1, keepdims=True)
    return eta


def information(basis: FloatArray, probability: FloatArray, weights: FloatArray) -> FloatArray:
    """Minus the second derivatives by the coefficients (k - 1, q), groups outermost: shape (b, (k - 1) q, (k - 1) q).

    A ridge far below rounding of the sums keeps directions without information (a level that a resample lacks, a group
    told apart completely) from stopping the others; it does not move the maximum, for the gradient knows nothing of it.

    Parameters
    ----------
    basis : ndarray, shape (n, q)
    probability : ndarray, shape (b, k, n)
        As `probabilities` gives it.
    weights : ndarray, shape (b, n)
    """
    b, k, n = len(weights), probability.shape[1] - 1, len(basis)
    q = basis.shape[1]
    upper = np.triu_indices(q)
    products = basis[:, upper[0]] * basis[:, upper[1]]
    blocks = np.empty((b, k, q, k, q))
    for i in range(k):
        for j in range(i, k):
            share = weights * probability[:, i + 1] * ((i == j) - probability[:, j + 1])
            block = np.empty((b, q, q))
            block[:, upper[0], upper[1]] = block[:, upper[1], upper[0]] = _product(share, products)
            blocks[:, i, :, j, :] = blocks[:, j, :, i, :] = block
    matrix = blocks.reshape(b, k * q, k * q)
    matrix[:, np.arange(k * q), np.arange(k * q)] += ROUNDING * n
    return matrix


def _log_likelihood(probability: FloatArray, codes: IntArray, weights: FloatArray) -> FloatArray:
    """The log-likelihood of each weighting; -inf where a row that counts is impossible."""
    own = probability[:, codes, np.arange(len(codes))]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(weights > 0, weights * np.log(own), 0.0).sum(axis=1), dtype=np.float64)


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """A matrix product in pieces too small for threads, whose start costs more, most of all on a busy machine."""
    rows = max(1, SMALL_PRODUCT // right.size)
    pieces = [left[start : start + rows] @ right for start in range(0, len(left), rows)]
    return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
