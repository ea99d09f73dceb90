"""The rows of a Cox model with covariates as numbers, what is not estimable, and where its likelihood is largest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few
from analysis.errors import AnalysisWarning, InputError, NotEstimable, raise_all
from analysis.kernels import cox as kernel
from analysis.kernels import tolerances
from analysis.kernels.cox import CoxPoint, CoxProblem
from analysis.survival.formulas import Term, Values
from analysis.survival.rows import SurvivalData, check_endpoint, survival_data

Ties = Literal["efron", "breslow", "exact"]
EVENTS_PER_PARAMETER = 5
MOST_TIED = 0.5


@dataclass(frozen=True, eq=False)
class Design:
    """The rows a model uses and its design matrix.

    `columns` says which columns of `x` each term of the formula fills: several for a category with several levels;
    `coded_against` what the column of a category's first level would be called, which has none; `recipe` how a formula
    makes the same columns of other rows.
    """

    data: SurvivalData
    x: FloatArray
    terms: tuple[str, ...]
    columns: Mapping[str, tuple[int, ...]]
    coded_against: Mapping[str, str] = field(default_factory=dict)
    recipe: Recipe | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Recipe:
    """What the columns of a formula's design matrix are made of.

    `variables` are the columns that its terms name, on the rows fitted; `columns` what they are called in the cohort.
    """

    terms: tuple[Term, ...]
    variables: Mapping[str, Values]
    columns: Mapping[str, str]
    strata: tuple[str, ...]


def read_design(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
) -> Design:
    """Check the columns of a model, drop incomplete rows and build the design matrix.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    covariates : str or sequence of str
        A formula's right-hand side, or numeric columns taken as they are.
    strata, cluster, weights : optional
        As in `fit_cox`.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        A formula that cannot be read; no covariate, or one named twice.
    CohortError
        Faults of the columns; a logarithm of zero or less.
    """
    check_given(cohort, endpoint, covariates)
    roles: dict[str, Any] = {"strata": strata, "cluster": cluster, "weights": weights}
    if isinstance(covariates, str):
        from analysis.survival.cox.terms import formula_design  # which stands on this module

        return formula_design(cohort, endpoint, covariates, roles)
    names = list(covariates)
    raise_all(list_problems(names, endpoint), InputError)
    data = survival_data(cohort, endpoint, **roles, covariates=names)
    return Design(data, data.covariates, tuple(map(str, names)), {str(name): (k,) for k, name in enumerate(names)})


def check_given(cohort: pd.DataFrame, endpoint: Endpoint, covariates: object) -> None:
    """Errors on an argument that is not a cohort, an endpoint or a list."""
    raise_all(column_problems(cohort, []))
    check_endpoint(endpoint)
    if not isinstance(covariates, Iterable):
        raise InputError(f"covariates={covariates!r}: give a formula string, or a list of column names")


def list_problems(names: Sequence[str], endpoint: Endpoint) -> list[str]:
    """What is wrong with a list of covariates, whatever the values of the columns.

    Examples
    --------
    >>> list_problems(["age", "died"], Endpoint("months", "died"))
    ["covariate 'died' is the event itself"]
    """
    problems = outcome_among_covariates(names, endpoint)
    problems += [] if names else ["covariates: none given; name at least one column"]
    problems += [f"covariate {name!r} is named twice" for name in dict.fromkeys(names) if list(names).count(name) > 1]
    return problems + same_names([str(name) for name in dict.fromkeys(names)])


def outcome_among_covariates(names: Sequence[str], endpoint: Endpoint) -> list[str]:
    """The outcome among its own covariates."""
    outcome = {endpoint.duration: "follow-up time", endpoint.event: "event"}
    return [f"covariate {name!r} is the {outcome[name]} itself" for name in names if name in outcome]


def same_names(names: Sequence[str]) -> list[str]:
    """Columns of the design matrix with one name, such as those of a column "log(age)" and of its logarithm."""
    twice = [repr(name) for name in dict.fromkeys(names) if names.count(name) > 1]
    if not twice:
        return []
    return [f"covariates: two terms have one name ({first_few(twice)}); leave one out, or rename a column"]


@dataclass(frozen=True, eq=False)
class CoxRows:
    """The rows of a Cox model as arrays: `x` has a column a term, `strata` and the rest an element a row."""

    x: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray
    strata: IntArray
    weights: FloatArray
    ties: str
    offset: FloatArray | None = None

    def problem(self) -> CoxProblem:
        """The partial likelihood of these rows."""
        sets = kernel.risk_sets(self.time, self.event, entry=self.entry, strata=self.strata)
        return kernel.cox_problem(self.x, sets, weights=self.weights, offset=self.offset, ties=self.ties)


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the partial likelihood is largest, in the units of the covariates.

    Attributes
    ----------
    coef : ndarray, shape (p,)
        NaN for terms that are not estimable.
    covariance : ndarray, shape (p, p)
    log_likelihood : float
        The supremum when it is not attained.
    rows : CoxRows
        Those it was fitted to.
    directions : tuple of ndarray, shape (p,)
        The directions along which the likelihood is monotone, the first before all others.
    limit : tuple
        With directions: the partial likelihood in the limit along them, where it is largest in its scaled covariates,
        and the order of the rows' linear predictors.
    """

    coef: FloatArray
    covariance: FloatArray
    log_likelihood: float
    rows: CoxRows = field(repr=False)
    directions: tuple[FloatArray, ...] = ()
    limit: tuple[CoxProblem, FloatArray, FloatArray] | None = field(default=None, repr=False)

    @cached_property
    def problem(self) -> CoxProblem:
        """The partial likelihood, or its limit along the directions; built when first asked for."""
        return self.rows.problem() if self.limit is None else self.limit[0]

    @property
    def beta(self) -> FloatArray:
        """Where it is largest, in its scaled covariates."""
        return self.coef * self.problem.scale if self.limit is None else self.limit[1]

    @cached_property
    def score(self) -> FloatArray:
        """The linear predictor, row by row; only its order when `directions` is not empty."""
        return linear_predictor(self.rows.x, self.coef) if self.limit is None else self.limit[2]


def evaluator(problem: CoxProblem, ties: str) -> Callable[[FloatArray], CoxPoint]:
    """The log-likelihood of a problem as a function of the coefficients."""
    return partial(kernel.evaluate_exact if ties == "exact" else kernel.evaluate, problem)


def find_maximum(rows: CoxRows, problem: CoxProblem, null: CoxPoint) -> Maximum:
    """Maximise, and read the coefficients and their covariance at the maximum.

    Parameters
    ----------
    rows : CoxRows
    problem : CoxProblem
        Of the rows.
    null : CoxPoint
        At coefficients zero.

    Returns
    -------
    Maximum

    Raises
    ------
    NotEstimable
        When Newton's method finds neither a maximum nor a direction without one, or rounding hides the maximum.
    """
    solution = kernel.maximise(evaluator(problem, rows.ties), null, unit=float(problem.event_weight.mean()))
    if not solution.converged or solution.weak:
        from analysis.survival.cox.separation import supremum  # which stands on this module

        limit = supremum(rows, problem, solution)
        if limit.directions:
            return limit.in_units(rows, null)
        solution = limit.solution
    if kernel.least_share(solution.point.information, null.information) < tolerances.HIDDEN_MAXIMUM:
        raise NotEstimable(
            "a covariate has a value so far from the others that rounding hides them: look at its largest and smallest"
            " (a wrong unit, a code for missing), or take its logarithm"
        )
    return attained(rows, solution.point, problem.scale)


def attained(rows: CoxRows, point: CoxPoint, scale: FloatArray) -> Maximum:
    """A maximum at finite coefficients, from the point of the scaled covariates."""
    covariance = np.linalg.inv(point.information) / np.outer(scale, scale)
    return Maximum(point.beta / scale, covariance, point.log_likelihood, rows)


def linear_predictor(x: FloatArray, coef: FloatArray) -> FloatArray:
    """The sum of covariates times coefficients, column after column: equal rows get equal sums, to the last bit."""
    total = np.zeros(len(x))
    for column, value in zip(x.T, coef, strict=True):
        total += column * value
    return total


def refuse_constant(x: FloatArray, terms: Sequence[str]) -> None:
    """An error that names every constant covariate."""
    suspects = np.flatnonzero((x[:1000] == x[0]).all(axis=0)).tolist()
    constant = [index for index in suspects if (x[:, index] == x[0, index]).all()]
    raise_all(
        [
            f"covariate {terms[index]!r} is constant ({x[0, index]:g} in every row used); leave it out"
            for index in constant
        ],
        NotEstimable,
    )


def refuse_no_events(n_event: int, n_used: int) -> None:
    """An error when nothing happened."""
    if not n_event:
        raise NotEstimable(f"no events among {n_used} rows: a Cox model needs events")


def refuse_no_comparison(sets: kernel.RiskSets) -> None:
    """An error when at every event everybody at risk had the event, so that nobody is compared with anybody."""
    at_risk = kernel.at_risk_sums(sets, np.ones(len(sets.rows)))
    if (at_risk[sets.at] > sets.n_tied).any():
        return
    if len(sets.times) == 1:
        raise NotEstimable(
            f"no information: all events at one time ({sets.times[0]:g}), and nobody else at risk then;"
            " there is no order of events to learn from"
        )
    raise NotEstimable("no information: at every event time, everybody at risk had the event")


def refuse_collinear(null: CoxPoint, n_event: int, terms: Sequence[str]) -> None:
    """An error that names covariates without variation among those at risk, and sets that determine one another."""
    from scipy.linalg import qr

    information = np.diag(null.information)
    flat = information <= tolerances.COLLINEAR * n_event
    raise_all(
        [
            f"covariate {terms[index]!r} does not vary among those at risk at any event (within strata); leave it out"
            for index in np.flatnonzero(flat).tolist()
        ],
        NotEstimable,
    )
    root = np.sqrt(information)
    _, triangle, order = qr(null.information / np.outer(root, root), pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > tolerances.COLLINEAR).sum())
    problems = []
    for index in range(rank, len(order)):
        share = np.linalg.solve(triangle[:rank, :rank], triangle[:rank, index])
        members = sorted([*order[:rank][np.abs(share) > tolerances.IN_COMBINATION], order[index]])
        named = first_few([repr(terms[member]) for member in members], 12)
        problems.append(f"covariates {named} are collinear: each follows from the others; leave one out")
    raise_all(problems, NotEstimable)


def cox_warnings(
    n_event: int,
    tied: float,
    weights: FloatArray,
    terms: Sequence[str],
    coef: FloatArray,
    *,
    ties: str,
    remedy: str,
) -> tuple[AnalysisWarning, ...]:
    """Warnings on a fitted model, of whose events the share `tied` is tied with another.

    `remedy` says what can be done about ties: not every model can be fitted with exact ones.
    """
    warnings: list[AnalysisWarning] = []
    lost = [repr(terms[index]) for index in np.flatnonzero(np.isnan(coef)).tolist()]
    if lost:
        warnings.append(
            errors.Separation(
                f"not estimable: {first_few(lost, 12)} (monotone likelihood: the estimate is infinite, as when a group"
                " has no event); judge by the likelihood-ratio test and the one-sided limits of hazard_ratios, or merge"
                " the level with another"
            )
        )
    p = len(terms)
    if n_event < EVENTS_PER_PARAMETER * p:
        warnings.append(
            errors.FewEvents(
                f"{n_event} events for {p} parameter{'s' if p > 1 else ''} ({n_event / p:.1f} events per parameter)"
            )
        )
    if tied > MOST_TIED and ties != "exact":
        warnings.append(errors.ManyTies(f"{tied:.0%} of events are tied with another; {remedy}"))
    if weights.max() > tolerances.EXTREME_WEIGHT and weights.max() > weights.min():
        effective = weights.sum() ** 2 / (weights @ weights)
        warnings.append(
            errors.SuspiciousValues(
                f"extreme weights: the largest is {weights.max():.3g};"
                f" {len(weights)} rows count as {effective:.1f} (effective n)"
            )
        )
    return tuple(warnings)


@dataclass(frozen=True)
class ChiSquare:
    """A chi-square test: its statistic, degrees of freedom and p-value (NaN when it is not defined)."""

    statistic: float
    df: int
    p_value: float


def chi_square(statistic: float, df: int) -> ChiSquare:
    """A statistic with its p-value; a statistic is never below zero, but for rounding."""
    from scipy.special import chdtrc

    value = max(float(statistic), 0.0) if statistic == statistic else float("nan")
    return ChiSquare(value, df, float(chdtrc(df, value)))
