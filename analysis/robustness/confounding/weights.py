"""Weights that make groups alike in what was measured: the inverse of the probability of the group a row is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import first_few
from analysis.errors import (
    AnalysisWarning,
    ExtremeWeights,
    InputError,
    NoOverlap,
    NotEstimable,
    dropped_warnings,
    warn_all,
)
from analysis.robustness.confounding.exposure import ExposureRows, read_exposure
from analysis.robustness.confounding.propensity import fit_propensity, probabilities, propensity_basis
from analysis.strata.marker_designs import listed
from analysis.survival.cox import refuse_constant
from analysis.survival.rows import label_column

__all__ = ["BalanceWeights", "balance_weights"]

LARGE, SMALL_SHARE, MOST_OUTSIDE = 50.0, 0.5, 0.2
IMPOSSIBLE = 1e-6
"""A probability that no data of this size can tell from zero."""
SAME = 1 - 1e-9
"""Probabilities this close together are equal."""


@dataclass(frozen=True, eq=False)
class BalanceWeights:
    """Inverse-probability weights, and what they cost.

    Attributes
    ----------
    weights : Series
        On the cohort's index; NaN for rows left out.
    propensity : DataFrame
        On the cohort's index, a column a stratum: the probability of being in it given the covariates.
    summary : DataFrame
        stratum, n, effective_n ((sum of weights)^2 / sum of squared weights), largest_weight, share_outside: the share
        of the other rows that are less likely to be in the stratum than every row that is.
    by : str
    covariates : tuple of str
    stabilised : bool
    truncate : float, optional
    n_read, n_used, dropped, warnings
        Rows given, rows weighted, rows left out by reason, and what is worth a word.
    """

    weights: pd.Series
    propensity: pd.DataFrame
    summary: pd.DataFrame
    by: str
    covariates: tuple[str, ...]
    stabilised: bool
    truncate: float | None
    n_read: int
    n_used: int
    dropped: Mapping[str, int]
    warnings: tuple[AnalysisWarning, ...]


def balance_weights(
    cohort: pd.DataFrame,
    covariates: str | Sequence[str],
    *,
    by: str,
    stabilised: bool = True,
    truncate: float | None = None,
) -> BalanceWeights:
    """Weight each row by the inverse of the probability of its stratum given the covariates.

    The probabilities are those of a logistic model, multinomial for three strata or more, fitted by maximum
    likelihood: w = 1 / P(A = a | X), or, stabilised, w = P(A = a) / P(A = a | X).

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    covariates : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`.
    by : str
        Column of the strata to be adjusted.
    stabilised : bool
        Multiply by the stratum's share, so that the weights of a stratum average about 1.
    truncate : float, optional
        A quantile below 0.5, such as 0.01: weights beyond it, and beyond one less it, are set to it. Less variance, and
        some of the imbalance back.

    Returns
    -------
    BalanceWeights

    Raises
    ------
    CohortError, InputError
        Faults of the columns, the terms and the options.
    NotEstimable
        Fewer than two strata; constant covariates; covariates that tell the strata apart completely.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    ExtremeWeights
        A weight above 50, or an effective number below half of a stratum's.
    NoOverlap
        A stratum in whose range of probabilities a fifth of the other rows has no like; or in which some rows could not
        have been, as those with a level of a covariate that it does not hold.

    Notes
    -----
    As ``nnet::multinom`` (binary: ``glm(family = binomial)``) of R and one over its fitted probability. Robins, Hernan
    and Brumback (2000), Epidemiology 11:550; stabilising and truncating: Cole and Hernan (2008), Am J Epidemiol
    168:656.

    Examples
    --------
    >>> cohort = pd.DataFrame({"mg": ["low"] * 3 + ["high"] * 3, "ppi": [1, 1, 0, 1, 0, 0]})
    >>> balance_weights(cohort, ["ppi"], by="mg").weights.round(2).tolist()  # 1 / 2 over 2 / 3 or 1 / 3
    [0.75, 0.75, 1.5, 1.5, 0.75, 0.75]
    """
    check_truncate(truncate)
    rows = read_exposure(cohort, None, covariates, by=by)
    found = weighted_rows(rows, by, stabilised=stabilised, truncate=truncate)
    result = told_weights(cohort, rows, found, by=by, covariates=covariates, stabilised=stabilised, truncate=truncate)
    warn_all(result.warnings)
    return result


@dataclass(frozen=True, eq=False)
class Weighting:
    """The weights of complete rows: shape (n,), their probabilities (n, k), and the model behind them."""

    weights: FloatArray
    propensity: FloatArray
    basis: FloatArray
    coef: FloatArray
    limits: tuple[float, float]


def check_truncate(truncate: float | None) -> None:
    """Refuse a quantile that is none, or that would leave nothing between the two."""
    if truncate is not None and not (isinstance(truncate, (int, float)) and 0 < truncate < 0.5):
        hint = f"; did you mean {1 - truncate:g}?" if isinstance(truncate, float) and 0.5 < truncate < 1 else ""
        raise InputError(f"truncate={truncate!r} must be a quantile between 0 and 0.5, such as 0.01{hint}")


def weighted_rows(rows: ExposureRows, by: str, *, stabilised: bool, truncate: float | None) -> Weighting:
    """The weights of the rows, from the propensity model fitted to them all."""
    codes, labels = rows.exposure.codes, rows.exposure.labels
    refuse_constant(rows.x, rows.terms)
    basis = propensity_basis(rows.propensity_columns)
    if basis.shape[1] >= len(codes):
        raise NotEstimable(
            f"{len(codes)} complete rows cannot carry {basis.shape[1]} columns of covariates; take fewer"
        )
    coef, converged = fit_propensity(basis, codes, np.ones((1, len(codes))))
    propensity = probabilities(basis, coef)[0].T
    own = propensity[np.arange(len(codes)), codes]
    if not converged[0] or own.min() > 1 - 1e-4:
        raise NotEstimable(
            f"the covariates tell the strata of {by!r} ({first_few(labels)}) apart completely: no row of one has a like"
            " in another, so nothing can be weighted; compare fewer covariates or fewer strata"
        )
    share = np.bincount(codes) / len(codes) if stabilised else np.ones(len(labels))
    weights = share[codes] / own
    limits = (0.0, np.inf)
    if truncate is not None:
        limits = (float(np.quantile(weights, truncate)), float(np.quantile(weights, 1 - truncate)))
    return Weighting(np.clip(weights, *limits), propensity, basis, coef[0], limits)


def told_weights(
    cohort: pd.DataFrame,
    rows: ExposureRows,
    found: Weighting,
    *,
    by: str,
    covariates: str | Sequence[str],
    stabilised: bool,
    truncate: float | None,
) -> BalanceWeights:
    """The weights as a result, with what must be said of them."""
    labels, position = rows.exposure.labels, rows.data.position
    weights = np.full(len(cohort), np.nan)
    weights[position] = found.weights
    propensity = np.full((len(cohort), len(labels)), np.nan)
    propensity[position] = found.propensity
    summary = _summary(found, rows.exposure.codes, labels)
    return BalanceWeights(
        weights=pd.Series(weights, index=cohort.index, name="weight"),
        propensity=pd.DataFrame(propensity, index=cohort.index, columns=pd.Index(labels)),
        summary=summary,
        by=by,
        covariates=listed(covariates),
        stabilised=stabilised,
        truncate=truncate,
        n_read=rows.data.n_read,
        n_used=rows.data.n_used,
        dropped=rows.data.dropped,
        warnings=(
            *dropped_warnings(rows.data.n_read, rows.data.n_used, rows.data.dropped),
            *_warnings(summary, by),
            *_never(found.propensity, summary, by),
        ),
    )


def effective_number(weights: FloatArray) -> float:
    """Kish's effective number: how many equal weights would give as much.

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 2.0])).__round__(6)
    2.666667
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def _summary(found: Weighting, codes: IntArray, labels: Sequence[str]) -> pd.DataFrame:
    """Each stratum's number, effective number, largest weight, and how many others lie outside its range."""
    parts = [codes == code for code in range(len(labels))]
    outside = [
        float((found.propensity[~rows, code] < SAME * found.propensity[rows, code].min()).mean())
        for code, rows in enumerate(parts)
    ]
    return pd.DataFrame(
        {
            "stratum": label_column(labels, labels),
            "n": [int(rows.sum()) for rows in parts],
            "effective_n": [effective_number(found.weights[rows]) for rows in parts],
            "largest_weight": [float(found.weights[rows].max()) for rows in parts],
            "share_outside": outside,
        }
    )


def _warnings(summary: pd.DataFrame, by: str) -> tuple[AnalysisWarning, ...]:
    """A word on weights that explode, and on strata without overlap."""
    extreme = [
        f"{row['stratum']!r} has {row['n']} rows, worth {row['effective_n']:.1f}, largest weight"
        f" {row['largest_weight']:.3g}"
        for row in summary.to_dict("records")
        if row["largest_weight"] > LARGE or row["effective_n"] < SMALL_SHARE * row["n"]
    ]
    apart = [
        f"{row['stratum']!r} ({row['share_outside']:.0%})"
        for row in summary.to_dict("records")
        if row["share_outside"] > MOST_OUTSIDE
    ]
    found: list[AnalysisWarning] = []
    if extreme:
        found.append(ExtremeWeights(f"weights by {by!r}: a few rows stand for many: {first_few(extreme)}"))
    if apart:
        found.append(
            NoOverlap(
                f"strata of {by!r} that have no like for many of the other rows (share): {first_few(apart)}; what is"
                " said of them there is the model's word, not the data's"
            )
        )
    return tuple(found)


def _never(propensity: FloatArray, summary: pd.DataFrame, by: str) -> tuple[AnalysisWarning, ...]:
    """A word on rows that could not have been in a stratum of which nothing else is told: no weight stands for them."""
    counts = (propensity < IMPOSSIBLE).sum(axis=0).tolist()
    told = [
        f"{row['stratum']!r} ({count} row{'s' * (count > 1)})"
        for row, count in zip(summary.to_dict("records"), counts, strict=True)
        if count and row["share_outside"] <= MOST_OUTSIDE
    ]
    if not told:
        return ()
    return (
        NoOverlap(
            f"strata of {by!r} in which some rows could not have been, given their covariates: {first_few(told)}; a"
            " level that only another stratum holds does this: weighting cannot balance it, so join it with another or"
            " leave its rows out"
        ),
    )
