"""Cox proportional-hazards models: fitted with guards, tested, and read as hazard ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotSupported, raise_all, warn_all
from analysis.kernels.cox import CoxPoint, score_residuals
from analysis.kernels.cox_registry import fit_large
from analysis.survival.cox.assembly import assembled
from analysis.survival.cox.design import Design, read_design
from analysis.survival.cox.estimability import (
    EXACT,
    FINER_TIMES,
    cox_warnings,
    refuse_collinear,
    refuse_constant,
    refuse_no_comparison,
    refuse_no_events,
    refuse_one_cluster,
    robust_warning,
)
from analysis.survival.cox.maximum import CoxRows, Maximum, attained, evaluator, find_maximum
from analysis.survival.cox.result import ChiSquare, CoxFit, CoxModel, hazard_ratios
from analysis.survival.lifelines_engine import lifelines_fit
from analysis.survival.rows import Engine, choice_problems, listed

__all__ = ["ChiSquare", "CoxFit", "CoxModel", "fit_cox", "hazard_ratios"]

Ties = Literal["efron", "breslow", "exact"]
LARGE = 20_000
"""Above this many rows ``engine="auto"`` takes the kernel, and the kernel its compiled passes over unsorted rows."""


def fit_cox(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    ties: Ties = "efron",
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    robust: bool = False,
    engine: Engine = "auto",
) -> CoxFit:
    """Fit a Cox proportional-hazards model.

    Maximises the log partial likelihood, for untied events the sum over events i of
    x_i'b - log(sum of exp(x_j'b) over those at risk), with Efron's or Breslow's approximation, or the exact
    (discrete logistic) likelihood, where events are tied.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient, or a row a spell when the endpoint has an entry column; never changed.
    endpoint : Endpoint
    covariates : str or sequence of str
        A formula's right-hand side ("age + sex", "age * sex", "log2(crp)"), categories against their first level; or
        numeric columns, taken as they are. Formulas know R's operators + - : * / ^, names in backticks, arithmetic and
        comparisons within I(), and log, log2, log10, exp, sqrt, abs, center, scale, poly, bs, cr (natural splines), C
        and numpy's functions of single values; they are read as data, and nothing else in them is computed. Another
        reference level is given as "C(stage, Treatment('II'))".
    ties : {"efron", "breslow", "exact"}
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own. A formula's "x * z" with ``strata="z"`` lets x
        act differently between them, as R's ``x*strata(z)``.
    cluster : str, optional
        Column of clusters; asks for the robust variance, summed by cluster.
    weights : str, optional
        Column of positive case weights. Whole numbers are replicates; any fractional weight asks for the robust
        variance, as in R: a model-based error would take the weights for patients.
    robust : bool
        Ask for the sandwich variance.
    engine : {"auto", "lifelines", "kernel"}
        lifelines, or our own computation; "auto" is lifelines, and the kernel above 20,000 rows or for what lifelines
        does not offer (ties other than Efron's, coefficients at infinity).

    Returns
    -------
    CoxFit

    Raises
    ------
    CohortError
        Faults of the columns, all at once.
    InputError
        Options that are not offered; a formula that cannot be read.
    NotEstimable
        No events, nobody to compare with, constant or collinear covariates (named).
    NotSupported
        The engine asked for by name does not offer the estimate; weights or robust with exact ties.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    Separation
        Terms whose likelihood has no maximum: NaN, with the supremum of the likelihood for its ratio test.
    RobustErrors
        The variance is robust because weights are fractional, and `robust` was not asked for.
    FewEvents, ManyTies, SuspiciousValues

    Notes
    -----
    As R's ``coxph(Surv(time, event) ~ x, ties=)``. Efron (1977), JASA 72:557; Therneau and Grambsch (2000), chapters 3
    and 7; separation after Bryson and Johnson (1981), Technometrics 23:381.

    Examples
    --------
    >>> cohort = pd.DataFrame({"time": [9, 1, 1, 6, 6, 8.0], "event": [1, 1, 0, 1, 1, 0], "x": [0, 1, 1, 1, 0, 0]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> round(float(fit.coefficients["coef"].iloc[0]), 6)
    1.676857
    """
    strata_names = listed(strata)
    _check_options(ties=ties, engine=engine, robust=robust, cluster=cluster, weights=weights)
    design = read_design(cohort, endpoint, covariates, strata=strata_names, cluster=cluster, weights=weights)
    model = CoxModel(
        endpoint=endpoint,
        covariates=covariates if isinstance(covariates, str) else tuple(covariates),
        ties=ties, strata=strata_names, cluster=cluster, weights=weights, robust=robust or cluster is not None,
        engine=engine,
    )  # fmt: skip
    fit = fit_design(design, model)
    warn_all(fit.warnings)
    return fit


def fit_design(design: Design, model: CoxModel) -> CoxFit:
    """The model on rows already checked, by the engine that `model` asks for; its warnings are only carried."""
    if model.cluster is not None:
        refuse_one_cluster(model.cluster, design.data.cluster.labels)
    data = design.data
    if not model.robust and (data.weights % 1 != 0).any():
        words = robust_warning(data.weights)
        design = replace(design, data=replace(data, warnings=(*data.warnings, words)))
        model = replace(model, robust=True)
    refuse_no_events(int(data.event.sum()), data.n_used)
    refuse_constant(design.x, design.terms)
    rows = CoxRows(design.x, data.time, data.event, data.entry, data.strata.codes, data.weights, model.ties)
    found = _of_many(rows, design.terms) if len(rows.time) > LARGE and model.ties != "exact" else None
    null, tied, maximum = found or _of_few(rows, design.terms)
    maximum, engine = _by_engine(model.engine, maximum)
    return _assemble(design, null, tied, maximum, replace(model, engine=engine))


def _check_options(*, ties: str, engine: str, robust: bool, cluster: str | None, weights: str | None) -> None:
    """Errors on options that do not exist, or not together."""
    raise_all(
        choice_problems("ties", ties, get_args(Ties)) + choice_problems("engine", engine, get_args(Engine)), InputError
    )
    if not isinstance(robust, (bool, np.bool_)):
        raise InputError(f"robust={robust!r} must be True or False; name clusters with cluster=")
    if ties == "exact" and (weights is not None or robust or cluster is not None):
        raise NotSupported(
            "ties='exact' knows neither case weights nor a robust variance, as in R; use ties='efron', or do without"
        )
    if engine == "lifelines" and ties != "efron":
        raise NotSupported(f"lifelines does not offer ties={ties!r}; use engine='kernel' or 'auto'")


def _of_few(rows: CoxRows, terms: Sequence[str]) -> tuple[CoxPoint, float, Maximum]:
    """The likelihood at zero, the share of events that are tied, and the maximum: of rows sorted into risk sets."""
    problem = rows.problem()
    refuse_no_comparison(problem.sets)
    null = evaluator(problem, rows.ties)(np.zeros(len(terms)))
    refuse_collinear(null, len(problem.sets.events), terms)
    return null, float((problem.sets.n_tied > 1).mean()), find_maximum(rows, problem, null)


def _of_many(rows: CoxRows, terms: Sequence[str]) -> tuple[CoxPoint, float, Maximum] | None:
    """The same in passes over unsorted rows; None when something is amiss, for the other way to say what."""
    problem, solution = fit_large(rows.arrays())
    n_tied = problem.events.n_tied
    refuse_collinear(problem.null, int(n_tied.sum()), terms)
    if solution.weak or not problem.compared:
        return None
    return problem.null, float(n_tied[n_tied > 1].sum() / n_tied.sum()), attained(rows, solution.point, problem.scale)


def _by_engine(engine: str, maximum: Maximum) -> tuple[Maximum, str]:
    """The maximum as the engine asked for finds it, and that engine; "auto" falls back on the kernel's."""
    rows = maximum.rows
    offered = rows.ties == "efron" and not maximum.directions
    if engine == "kernel" or not offered or (engine == "auto" and len(rows.time) > LARGE):
        return maximum, "kernel"
    try:
        coef, covariance, log_likelihood = lifelines_fit(rows, maximum.log_likelihood)
    except NotSupported:
        if engine == "lifelines":
            raise
        return maximum, "kernel"
    return Maximum(coef, covariance, log_likelihood, rows), "lifelines"


def _assemble(design: Design, null: CoxPoint, tied: float, maximum: Maximum, model: CoxModel) -> CoxFit:
    """The result, with the robust variance when it is asked for."""
    data, n_event = design.data, int(design.data.event.sum())
    remedy = FINER_TIMES if model.robust or model.weights is not None else EXACT  # exact ties know neither
    found = cox_warnings(n_event, tied, data.weights, design.terms, maximum.coef, ties=model.ties, remedy=remedy)
    return assembled(
        design,
        maximum,
        null,
        model,
        robust=_sandwich(design, maximum, clustered=model.cluster is not None) if model.robust else None,
        n=data.n_used,
        n_event=n_event,
        n_read=data.n_read,
        dropped=data.dropped,
        warnings=(*data.warnings, *found),
    )


def _sandwich(design: Design, maximum: Maximum, *, clustered: bool) -> FloatArray:
    """The robust covariance: D'D with D the weighted score residuals times the covariance, summed by cluster."""
    scale = np.where(np.isinf(maximum.problem.scale), 0.0, maximum.problem.scale)
    scores = score_residuals(maximum.problem, maximum.beta, len(design.x)) * scale
    influence = (scores * design.data.weights[:, None]) @ np.nan_to_num(maximum.covariance)
    cluster = design.data.cluster
    if clustered:
        summed = np.zeros((len(cluster.labels), influence.shape[1]))
        np.add.at(summed, cluster.codes, influence)
        influence = summed
    robust = influence.T @ influence
    return np.where(np.isnan(maximum.covariance), np.nan, robust)
