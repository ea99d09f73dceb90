"""Cox proportional-hazards models, fitted with guards by lifelines or the kernel."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, NotEstimable, NotSupported, raise_all
from analysis.kernels import tolerances
from analysis.kernels.cox import CoxPoint, newton_step, score_residuals
from analysis.kernels.cox_registry import CoxArrays, fit_large
from analysis.survival.cox import model as of_rows
from analysis.survival.cox.model import CoxRows, Design, Maximum, Ties, chi_square, read_design
from analysis.survival.cox.result import CoxFit, CoxModel
from analysis.survival.rows import MOST_ROWS_FOR_LIFELINES, Engine, late_entry, listed

EXACT = "compare with fit_cox(..., ties='exact')"
FINER_TIMES = "use finer times where they were recorded, or round them and see whether the estimate moves"
FIT_OPTIONS = {"precision": 1e-20, "r_precision": 0.0, "step_size": 1.0}
"""Newton's full steps until one is lost in rounding: lifelines' defaults stop up to 4.5e-4 from the maximum, and a stop
by the likelihood alone up to 2.5e-8."""
NOT_CONVERGED = "lifelines does not converge on this model; use engine='kernel'"


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
        Column of positive case weights, as in R: with Breslow's ties a whole number counts as that many copies of the
        row, with Efron's it does not quite. Any fractional weight asks for the robust variance: a model-based error
        would take the weights for patients.
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
    named = covariates if isinstance(covariates, str) else tuple(covariates)
    robust = robust or cluster is not None
    model = CoxModel(endpoint, named, ties, strata_names, cluster, weights, robust=robust, engine=engine)
    fit = fit_design(design, model)
    errors.warn_all(fit.warnings)
    return fit


def fit_design(design: Design, model: CoxModel) -> CoxFit:
    """The model on rows already checked, by the engine that `model` asks for; its warnings are only carried."""
    data, labels = design.data, design.data.cluster.labels
    if model.cluster is not None and len(labels) == 1:
        raise NotEstimable(
            f"cluster column {model.cluster!r}: one cluster only ({labels[0]}); a robust variance needs several"
        )
    fractional = int((data.weights % 1 != 0).sum())
    if fractional and not model.robust:
        words = errors.RobustErrors(
            f"weights: {fractional} of {len(data.weights)} are fractional, so tests and limits use robust standard"
            " errors; robust=True asks for them by name, and std_error stays model-based"
        )
        design = replace(design, data=replace(data, warnings=(*data.warnings, words)))
        model = replace(model, robust=True)
    of_rows.refuse_no_events(int(data.event.sum()), data.n_used)
    of_rows.refuse_constant(design.x, design.terms)
    rows = CoxRows(design.x, data.time, data.event, data.entry, data.strata.codes, data.weights, model.ties)
    solved = _of_many(rows, design) if len(rows.time) > MOST_ROWS_FOR_LIFELINES and model.ties != "exact" else None
    null, tied, maximum = solved or _of_few(rows, design.terms)
    maximum, engine = _by_engine(model.engine, maximum)
    robust = _sandwich(design, maximum, clustered=model.cluster is not None) if model.robust else None
    return assembled(
        design, null, tied, maximum, replace(model, engine=engine), design.data,
        n_event=int(data.event.sum()), weights=data.weights, robust=robust,
        remedy=FINER_TIMES if model.robust or model.weights is not None else EXACT,  # exact ties know neither
    )  # fmt: skip


def _check_options(*, ties: str, engine: str, robust: bool, cluster: str | None, weights: str | None) -> None:
    """Errors on options that do not exist, or not together."""
    raise_all(
        errors.choice_problems("ties", ties, get_args(Ties))
        + errors.choice_problems("engine", engine, get_args(Engine)),
        InputError,
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
    of_rows.refuse_no_comparison(problem.sets)
    null = of_rows.evaluator(problem, rows.ties)(np.zeros(len(terms)))
    of_rows.refuse_collinear(null, len(problem.sets.events), terms)
    return null, float((problem.sets.n_tied > 1).mean()), of_rows.find_maximum(rows, problem, null)


def _of_many(rows: CoxRows, design: Design) -> tuple[CoxPoint, float, Maximum] | None:
    """The same in passes over unsorted rows; None when something is amiss, for the other way to say what."""
    problem, solution = fit_large(
        CoxArrays(
            rows.x,
            rows.time,
            rows.event,
            entry=late_entry(design.data),
            strata=rows.strata if rows.strata.any() else None,
            weights=None if (rows.weights == 1).all() else rows.weights,
            ties=rows.ties,
        )
    )
    n_tied = problem.events.n_tied
    of_rows.refuse_collinear(problem.null, int(n_tied.sum()), design.terms)
    if solution.weak or not problem.compared:
        return None
    maximum = of_rows.attained(rows, solution.point, problem.scale)
    return problem.null, float(n_tied[n_tied > 1].sum() / n_tied.sum()), maximum


def _by_engine(engine: Engine, maximum: Maximum) -> tuple[Maximum, Engine]:
    """The maximum as the engine asked for finds it, and that engine; "auto" falls back on the kernel's."""
    rows = maximum.rows
    offered = rows.ties == "efron" and not maximum.directions
    if engine == "kernel" or not offered or (engine == "auto" and len(rows.time) > MOST_ROWS_FOR_LIFELINES):
        return maximum, "kernel"
    try:
        coef, covariance, log_likelihood = _lifelines(rows, maximum.log_likelihood)
    except NotSupported:
        if engine == "lifelines":
            raise
        return maximum, "kernel"
    return Maximum(coef, covariance, log_likelihood, rows), "lifelines"


def _lifelines(rows: CoxRows, supremum: float) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients, model-based covariance and log-likelihood by ``lifelines.CoxPHFitter`` (Efron's ties).

    The covariates are centred and scaled first, so that small units neither slow the search nor look like constants;
    weights are divided by their mean, for lifelines stops by the size of its steps in likelihood.

    Parameters
    ----------
    rows : CoxRows
    supremum : float
        The largest log-likelihood there is, which lifelines must reach.

    Returns
    -------
    coef : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    log_likelihood : float

    Raises
    ------
    NotSupported
        When lifelines does not converge.
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    scale, mean_weight = rows.x.std(axis=0), float(rows.weights.mean())
    # Weights all times c make the log-likelihood l into c l - c log(c) times the weight of all events.
    shift = np.log(mean_weight) * float(rows.weights[rows.event].sum()) / mean_weight
    names = [f"x{index}" for index in range(rows.x.shape[1])]
    frame = pd.DataFrame((rows.x - rows.x.mean(axis=0)) / scale, columns=names)
    frame["time"], frame["event"] = rows.time, rows.event.astype(np.float64)
    roles: dict[str, object] = {}
    if np.isfinite(rows.entry).any():
        frame["entry"], roles["entry_col"] = rows.entry, "entry"
    if (rows.weights != 1).any():
        frame["weight"], roles["weights_col"] = rows.weights / mean_weight, "weight"
    if rows.strata.any():
        frame["stratum"], roles["strata"] = rows.strata, ["stratum"]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fitter = CoxPHFitter().fit(frame, "time", "event", fit_options=FIT_OPTIONS, **roles)
        except ConvergenceError as error:
            raise NotSupported(NOT_CONVERGED) from error
    log_likelihood, highest = float(fitter.log_likelihood_), supremum / mean_weight + shift
    if not log_likelihood >= highest - tolerances.SAME_MAXIMUM * (1 + abs(highest)):
        raise NotSupported(NOT_CONVERGED)
    coef = fitter.params_[names].to_numpy(dtype=np.float64) / scale
    covariance = np.asarray(fitter.variance_matrix_.loc[names, names], dtype=np.float64) / np.outer(scale, scale)
    return coef, covariance / mean_weight, (log_likelihood - shift) * mean_weight


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


def assembled(
    design: Design,
    null: CoxPoint,
    tied: float,
    maximum: Maximum,
    model: CoxModel,
    account: errors.RowAccount,
    *,
    n_event: int,
    remedy: str,
    weights: FloatArray,
    robust: FloatArray | None = None,
) -> CoxFit:
    """Coefficients with their errors, and the three tests.

    `tied` is the share of events that are tied, `remedy` what can be done about them, `account` that of the rows,
    `robust` the sandwich covariance.
    """
    coef, df = maximum.coef, len(design.terms)
    covariance = maximum.covariance if robust is None else robust
    more = of_rows.cox_warnings(n_event, tied, weights, design.terms, coef, ties=model.ties, remedy=remedy)
    score = float(null.gradient @ newton_step(null.information, null.gradient))
    return CoxFit(
        coefficients=_coefficient_table(design.terms, coef, maximum.covariance, robust),
        covariance=covariance,
        n=account.n_used,
        n_event=n_event,
        log_likelihood=maximum.log_likelihood,
        log_likelihood_null=null.log_likelihood,
        likelihood_ratio_test=chi_square(2 * (maximum.log_likelihood - null.log_likelihood), df),
        wald_test=chi_square(_wald(coef, covariance), df),
        score_test=chi_square(score, df),
        model=model,
        design=design,
        rows=maximum.rows,
        maximum=maximum,
        **{**account.account, "warnings": (*account.warnings, *more)},
    )


def _coefficient_table(
    terms: Sequence[str], coef: FloatArray, covariance: FloatArray, robust: FloatArray | None
) -> pd.DataFrame:
    """A row a term; an error of zero, as score residuals that cancel give a robust one, has no test."""
    from scipy.special import erfc

    std_error = np.sqrt(np.diag(covariance))
    robust_error = np.full(len(coef), np.nan) if robust is None else np.sqrt(np.diag(robust))
    judged = std_error if robust is None else robust_error
    statistic = np.divide(coef, judged, out=np.full(len(coef), np.nan), where=judged > 0)
    return pd.DataFrame(
        {
            "term": list(terms),
            "coef": coef,
            "std_error": std_error,
            "robust_std_error": robust_error,
            "statistic": statistic,
            "p_value": erfc(np.abs(statistic) / np.sqrt(2)),
        }
    )


def _wald(coef: FloatArray, covariance: FloatArray) -> float:
    """The squared distance of the coefficients from zero, in their covariance; NaN when one has no error."""
    std_error = np.sqrt(np.diag(covariance))
    if not np.isfinite(covariance).all() or not (std_error > 0).all():
        return float("nan")
    correlation = covariance / np.outer(std_error, std_error)
    statistic = coef / std_error
    return float(statistic @ np.linalg.pinv(correlation, rcond=tolerances.SINGULAR, hermitian=True) @ statistic)
