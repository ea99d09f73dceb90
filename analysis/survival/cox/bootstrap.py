"""The bootstrap of a Cox model: its coefficients in resamples of the patients, and limits read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, FailedDraws, InputError, NotEstimable, RowAccount, raise_all, warn_all
from analysis.kernels.cox import cox_problem, fit_problem, risk_sets, score_residuals
from analysis.kernels.cox_resamples import fit_weighted_batch
from analysis.kernels.random_draws import times_drawn
from analysis.survival.cox.diagnostics import cox_residuals
from analysis.survival.cox.fit import fit_design
from analysis.survival.cox.model import Design, read_design
from analysis.survival.cox.result import CoxFit, CoxModel
from analysis.survival.rows import ApproximateTies, choice_problems, count_problems, level_problems, listed


@dataclass(frozen=True, eq=False)
class BootstrapCox(RowAccount):
    """A Cox model with its coefficients in resamples of the patients.

    Attributes
    ----------
    summary : DataFrame
        term, coef (of all rows), std_error (standard deviation over the resamples), conf_low, conf_high (BCa), bias
        (mean over the resamples less coef), percentile_low, percentile_high. All are log hazard ratios.
    hazard_ratios : DataFrame
        term, hazard_ratio, conf_low, conf_high (BCa), percentile_low, percentile_high.
    draws : DataFrame
        A row a resample, a column a term; NaN in the resamples that failed.
    n_failed : int
        Resamples without a maximum: no events, one group only, separation.
    fit : CoxFit
        The model of all rows.
    n_bootstrap, seed, conf_level
        The options; and the row account.
    """

    summary: pd.DataFrame
    hazard_ratios: pd.DataFrame
    draws: pd.DataFrame
    n_failed: int
    fit: CoxFit = field(repr=False)
    n_bootstrap: int
    seed: int
    conf_level: float


def bootstrap_cox(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    n_bootstrap: int,
    seed: int,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    ties: ApproximateTies = "efron",
    conf_level: float = 0.95,
) -> BootstrapCox:
    """Fit a Cox model to resamples of the rows, or of whole clusters, drawn with replacement.

    A row drawn twice counts as two. Percentile limits are quantiles of the coefficients over the resamples. BCa limits
    (bias-corrected and accelerated) are quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))) instead, with z the normal
    quantile of the limit, z0 that of the share of resamples below the coefficient of all rows, and the acceleration
    a = sum(l^3) / (6 sum(l^2)^(3/2)), l being the rows' dfbeta residuals, summed by cluster.

    Parameters
    ----------
    cohort, endpoint, covariates
        As in `fit_cox`.
    n_bootstrap : int
        Resamples; at least 2 / (1 - conf_level) - 1, so that a limit lies among them (a thousand and more, so that it
        lies firm).
    seed : int
        The same rows, in any order, with the same seed give the same resamples, serial or in parallel
        (``joblib.parallel_config``).
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own; rows are drawn from all of them alike.
    cluster : str, optional
        Column of clusters (patients with several rows, sites), drawn whole.
    ties : {"efron", "breslow"}
    conf_level : float

    Returns
    -------
    BootstrapCox

    Raises
    ------
    CohortError, InputError
        As `fit_cox`; too few resamples for limits of this level.
    NotEstimable
        As `fit_cox`; separation in all rows; too many resamples without a maximum.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FailedDraws
        Resamples without a maximum: they are counted and left out, and the limits hold for the others.
    FewEvents, ManyTies, SuspiciousValues
        Of the model of all rows.

    Notes
    -----
    As ``boot::boot(rows, function(d, i) coef(coxph(formula, d[i, ])), R = n_bootstrap)`` of R with ``boot.ci``, types
    "perc" and "bca", but for how quantiles between two resamples are interpolated. Efron, J Am Stat Assoc 82 (1987)
    171; for Cox models: Burr, J Am Stat Assoc 89 (1994) 1290.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, bootstrap_cox, load_cohort
    >>> result = bootstrap_cox(load_cohort(), OVERALL_SURVIVAL, ["age"], n_bootstrap=99, seed=1)
    >>> result.n_failed, result.draws.shape
    (0, (99, 1))
    """
    problems = count_problems("n_bootstrap", n_bootstrap) + count_problems("seed", seed, low=0)
    problems += choice_problems("ties", ties, get_args(ApproximateTies)) + level_problems(conf_level)
    raise_all(problems or _too_few(n_bootstrap, conf_level), InputError)
    names = listed(strata)
    design = read_design(cohort, endpoint, covariates, strata=names, cluster=cluster)
    named = covariates if isinstance(covariates, str) else tuple(covariates)
    model = CoxModel(endpoint, named, ties, names, cluster, robust=cluster is not None)
    fit = fit_design(design, model)
    _refuse_separation(fit)
    rows = drawn_rows(design, ties=ties, clustered=cluster is not None)
    draws = resampled_coefficients(rows, n_bootstrap=n_bootstrap, seed=seed)
    failed = np.asarray(np.isnan(draws).any(axis=1), dtype=bool)
    warnings = (*fit.warnings, *_failed(failed, conf_level))
    warn_all(warnings)
    summary = summarised(fit, draws[~failed], conf_level)
    return BootstrapCox(
        summary=summary,
        hazard_ratios=_hazard_ratios(summary),
        draws=pd.DataFrame(draws, columns=list(design.terms)),
        n_failed=int(failed.sum()),
        fit=fit,
        n_bootstrap=n_bootstrap,
        seed=seed,
        conf_level=conf_level,
        **{**fit.account, "warnings": warnings},
    )


def _least(conf_level: float) -> int:
    """The fewest resamples among which both limits of this level lie."""
    return int(np.ceil(2 / (1 - conf_level) - 1 - 1e-9))


def _too_few(n_bootstrap: int, conf_level: float) -> list[str]:
    """A problem when limits would lie beyond all resamples."""
    least = _least(conf_level)
    if n_bootstrap >= least:
        return []
    return [f"n_bootstrap={n_bootstrap} is too few for limits with conf_level={conf_level:g}; draw at least {least}"]


def _refuse_separation(fit: CoxFit) -> None:
    """An error when a coefficient of all rows is not finite."""
    lost = [repr(term) for term, coef in zip(fit.terms, fit.coef, strict=True) if np.isnan(coef)]
    if lost:
        raise NotEstimable(
            f"no bootstrap: the coefficients of {first_few(lost, 12)} are not finite (separation); leave the terms out,"
            " join levels, or read hazard_ratios(fit_cox(...)), whose limits come from the likelihood"
        )


def _failed(failed: BoolArray, conf_level: float) -> list[AnalysisWarning]:
    """A word on the resamples that failed; an error when they leave too few."""
    n_failed, n = int(failed.sum()), len(failed)
    if not n_failed:
        return []
    words = f"{n_failed} of {n} resamples have no maximum (no events, one group only, separation)"
    if n - n_failed < _least(conf_level):
        raise NotEstimable(f"{words}: too few are left for limits with conf_level={conf_level:g}; use a smaller model")
    return [FailedDraws(f"{words}; they are left out, and the limits hold for the others only")]


def summarised(fit: CoxFit, draws: FloatArray, conf_level: float) -> pd.DataFrame:
    """Errors and limits of the coefficients, on the scale of the logarithm."""
    alpha = (1 - conf_level) / 2
    plain = np.quantile(draws, [alpha, 1 - alpha], axis=0, method="weibull")
    levels = _bca_levels(fit, draws, alpha)
    bca = [np.quantile(column, level, method="weibull") for column, level in zip(draws.T, levels, strict=True)]
    low, high = np.transpose(bca)
    return pd.DataFrame(
        {
            "term": list(fit.terms),
            "coef": fit.coef,
            "std_error": draws.std(axis=0, ddof=1),
            "conf_low": low,
            "conf_high": high,
            "bias": draws.mean(axis=0) - fit.coef,
            "percentile_low": plain[0],
            "percentile_high": plain[1],
        }
    )


def _bca_levels(fit: CoxFit, draws: FloatArray, alpha: float) -> FloatArray:
    """The levels of the quantiles that are the BCa limits: shape (p, 2)."""
    from scipy.special import ndtr, ndtri

    influence = cox_residuals(fit, "dfbeta").to_numpy(dtype=np.float64)
    if fit.model.cluster is not None:
        cluster = fit.design.data.cluster
        influence = np.array(
            [np.bincount(cluster.codes, weights=column, minlength=len(cluster.labels)) for column in influence.T]
        ).T  # fmt: skip
    acceleration = (influence**3).sum(axis=0) / (6 * (influence**2).sum(axis=0) ** 1.5)
    n = len(draws)
    below = ((draws < fit.coef).sum(axis=0) + (draws <= fit.coef).sum(axis=0)) / (2 * n)
    centre = ndtri(np.clip(below, 0.5 / n, 1 - 0.5 / n))[:, None]
    moved = centre + ndtri([alpha, 1 - alpha])
    return np.asarray(ndtr(centre + moved / (1 - acceleration[:, None] * moved)), dtype=np.float64)


def _hazard_ratios(summary: pd.DataFrame) -> pd.DataFrame:
    """The same on the scale of the hazard ratio."""
    limits = ["conf_low", "conf_high", "percentile_low", "percentile_high"]
    table = summary[["term", "coef", *limits]].rename(columns={"coef": "hazard_ratio"})
    return table.assign(**{name: np.exp(table[name]) for name in ["hazard_ratio", *limits]})


BATCH, BATCH_CELLS = 100, 4_000_000
"""Resamples drawn and fitted together; fewer where resamples times rows would exceed the second."""
WORTH_SHARING = 200
"""Up to this many fits, sharing them out costs more than it saves."""


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """The rows of a model in an order that follows from what they hold, and what is drawn of them.

    Attributes
    ----------
    x : ndarray, shape (n, p)
    time, event, entry, strata : ndarray, shape (n,)
        `entry` and `strata` are None where there is no late entry, and one stratum.
    unit : ndarray of int, shape (n,)
        Rows of the same unit are drawn together.
    start : ndarray, shape (p,)
        The coefficients of all rows.
    influence : ndarray, shape (n, p)
        By how much a row moves them, to first order (dfbeta residuals): with it, each resample's are nearly known.
    ties : str
    """

    x: FloatArray
    time: FloatArray
    event: BoolArray
    entry: FloatArray | None
    strata: IntArray | None
    unit: IntArray
    start: FloatArray
    influence: FloatArray
    ties: str


def drawn_rows(design: Design, *, ties: str, clustered: bool) -> DrawnRows:
    """The rows in canonical order, to be drawn one by one or by cluster."""
    data = design.data
    cluster = data.cluster.codes_as_text if clustered else data.cluster.codes
    stratum = data.strata.codes_as_text
    order = np.lexsort((*design.x.T, cluster, stratum, data.entry, data.event, data.time))
    x, time, event = np.ascontiguousarray(design.x[order]), data.time[order], data.event[order]
    entry = None if np.isneginf(data.entry).all() else data.entry[order]
    strata = stratum[order] if len(data.strata.labels) > 1 else None
    unit = cluster[order] if clustered else np.arange(len(order))
    problem = cox_problem(x, risk_sets(time, event, entry=entry, strata=strata), ties=ties)
    start, covariance, _ = fit_problem(problem)
    influence = (score_residuals(problem, start * problem.scale, len(x)) * problem.scale) @ covariance
    return DrawnRows(x, time, event, entry, strata, unit, start, influence, ties)


def resampled_coefficients(rows: DrawnRows, *, n_bootstrap: int, seed: int) -> FloatArray:
    """The coefficients in every resample.

    Each batch of resamples has a seed of its own, and its size depends on nothing but the number of rows.

    Returns
    -------
    ndarray, shape (n_bootstrap, p)
        NaN where a resample has no maximum.
    """
    bounds = batch_bounds(n_bootstrap, max(1, min(BATCH, BATCH_CELLS // len(rows.time))))
    streams = np.random.SeedSequence(seed).spawn(len(bounds))
    sizes = [end - first for first, end in bounds]
    batches = list(zip(streams, sizes, strict=True))
    share = n_bootstrap > WORTH_SHARING
    return np.concatenate(in_batches(partial(_batch, rows), batches, sizes=sizes, label="resamples", share=share))


def _batch(rows: DrawnRows, batch: tuple[np.random.SeedSequence, int]) -> FloatArray:
    """The coefficients in some resamples."""
    stream, n_draws = batch
    n_units = int(rows.unit.max()) + 1
    drawn = np.random.default_rng(stream).integers(0, n_units, size=(n_draws, n_units))
    weights = times_drawn(drawn, n_units)
    if n_units < len(rows.unit):
        weights = weights[:, rows.unit]
    # einsum, not a matrix product, whose last bits may change with the number of threads
    start = rows.start + np.einsum("bn,np->bp", weights - 1.0, rows.influence)
    return fit_weighted_batch(
        rows.x, rows.time, rows.event, weights, strata=rows.strata, entry=rows.entry, start=start, ties=rows.ties
    )[0]
