"""Weights that make groups alike in what was measured, and how alike they are before and after weighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import column_problems, first_few, numbers, rows_where
from analysis.kernels.tolerances import EXTREME_WEIGHT
from analysis.robustness.confounding import exposure
from analysis.robustness.confounding.exposure import ExposureRows
from analysis.survival import cox, curves
from analysis.survival.rows import label_column, listed

__all__ = ["BalanceWeights", "balance_weights", "covariate_balance"]

SMALL_SHARE, MOST_OUTSIDE = 0.5, 0.2
IMPOSSIBLE = 1e-6
"""A probability that no data of this size can tell from zero."""
EQUAL = 1 - 1e-9
"""Probabilities this close together are equal."""
CONSTANT = 1e-12


@dataclass(frozen=True, eq=False)
class BalanceWeights(errors.RowAccount):
    """Inverse-probability weights, what they cost, and the row account.

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
    """

    weights: pd.Series
    propensity: pd.DataFrame
    summary: pd.DataFrame
    by: str
    covariates: tuple[str, ...]
    stabilised: bool
    truncate: float | None


@dataclass(frozen=True, eq=False)
class Weighting:
    """The weights of complete rows: shape (n,), their probabilities (n, k), and the model behind them."""

    weights: FloatArray
    propensity: FloatArray
    basis: FloatArray
    coef: FloatArray
    limits: tuple[float, float]


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
    rows = exposure.read_exposure(cohort, None, covariates, by=by)
    result, _ = weigh(cohort, rows, covariates, stabilised=stabilised, truncate=truncate)
    errors.warn_all(result.warnings)
    return result


def check_truncate(truncate: float | None) -> None:
    """Refuse a quantile that is none, or that would leave nothing between the two."""
    if truncate is not None and not (isinstance(truncate, (int, float)) and 0 < truncate < 0.5):
        hint = f"; did you mean {1 - truncate:g}?" if isinstance(truncate, float) and 0.5 < truncate < 1 else ""
        raise errors.InputError(f"truncate={truncate!r} must be a quantile between 0 and 0.5, such as 0.01{hint}")


def weigh(
    cohort: pd.DataFrame,
    rows: ExposureRows,
    covariates: str | Sequence[str],
    *,
    stabilised: bool = True,
    truncate: float | None,
) -> tuple[BalanceWeights, Weighting]:
    """The weights of the rows as a result on the cohort's index, and as arrays with the model behind them."""
    weighting, labels = _weighting(rows, stabilised, truncate), rows.groups.labels
    weights = np.full(len(cohort), np.nan)
    propensity = np.full((len(cohort), len(labels)), np.nan)
    weights[rows.data.position], propensity[rows.data.position] = weighting.weights, weighting.propensity
    summary = _summary(weighting, rows.groups.codes, labels)
    dropped = errors.dropped_warnings(rows.data.n_read, rows.data.n_used, rows.data.dropped)
    carried = (*dropped, *weight_warnings(summary, weighting.propensity, rows.by))
    result = BalanceWeights(
        weights=pd.Series(weights, index=cohort.index, name="weight"),
        propensity=pd.DataFrame(propensity, index=cohort.index, columns=pd.Index(labels)),
        summary=summary,
        by=rows.by,
        covariates=listed(covariates),
        stabilised=stabilised,
        truncate=truncate,
        **rows.data.account | {"warnings": carried},
    )
    return result, weighting


def _weighting(rows: ExposureRows, stabilised: bool, truncate: float | None) -> Weighting:
    """The weights from the propensity model fitted to all rows, an indicator of each stratum but the first in it."""
    codes, labels, within = rows.groups.codes, rows.groups.labels, rows.within
    cox.refuse_constant(rows.x, rows.design.terms)
    strata = np.eye(len(within.labels))[within.codes][:, 1:]
    basis = exposure.propensity_basis(np.column_stack([rows.x, strata]))
    if basis.shape[1] >= len(codes):
        raise errors.NotEstimable(
            f"{len(codes)} complete rows cannot carry {basis.shape[1]} columns of covariates; take fewer"
        )
    coef, converged = exposure.fit_propensity(basis, codes, np.ones((1, len(codes))))
    propensity = exposure.probabilities(basis, coef)[0].T
    own = propensity[np.arange(len(codes)), codes]
    if not converged[0] or own.min() > 1 - 1e-4:
        raise errors.NotEstimable(
            f"the covariates tell the strata of {rows.by!r} ({first_few(labels)}) apart completely: no row of one has a"
            " like in another, so nothing can be weighted; compare fewer covariates or fewer strata"
        )
    share = np.bincount(codes) / len(codes) if stabilised else np.ones(len(labels))
    weights = share[codes] / own
    limits = (0.0, np.inf)
    if truncate is not None:
        limits = (float(np.quantile(weights, truncate)), float(np.quantile(weights, 1 - truncate)))
    return Weighting(np.clip(weights, *limits), propensity, basis, coef[0], limits)


def effective_number(weights: FloatArray) -> float:
    """Kish's effective number: how many equal weights would give as much.

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 2.0])).__round__(6)
    2.666667
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def _summary(weighting: Weighting, codes: IntArray, labels: Sequence[str]) -> pd.DataFrame:
    """Each stratum's number, effective number, largest weight, and how many others lie outside its range."""
    table = []
    for code in range(len(labels)):
        mine = codes == code
        weights, own = weighting.weights[mine], weighting.propensity[mine, code]
        outside = float((weighting.propensity[~mine, code] < EQUAL * own.min()).mean())
        table.append((int(mine.sum()), effective_number(weights), float(weights.max()), outside))
    summary = pd.DataFrame(table, columns=["n", "effective_n", "largest_weight", "share_outside"])
    summary.insert(0, "stratum", label_column(labels, labels))
    return summary


def weight_warnings(summary: pd.DataFrame, propensity: FloatArray, by: str) -> list[errors.AnalysisWarning]:
    """Warnings of weights that explode, of strata without overlap, and of rows that no weight can stand for."""
    few, apart, impossible = [], [], []
    for row, count in zip(summary.to_dict("records"), (propensity < IMPOSSIBLE).sum(axis=0).tolist(), strict=True):
        label, n, effective_n, largest, outside = row.values()
        if largest > EXTREME_WEIGHT or effective_n < SMALL_SHARE * n:
            few.append(f"{label!r}: effective sample size {effective_n:.1f} of {n}, largest weight {largest:.3g}")
        if outside > MOST_OUTSIDE:
            apart.append(f"{label!r} ({outside:.0%})")
        elif count:
            impossible.append(f"{label!r} ({count} row{'s' * (count > 1)})")
    warnings: list[errors.AnalysisWarning] = []
    if few:
        warnings.append(
            errors.ExtremeWeights(f"weights by {by!r}: a few rows carry much of the weight of {first_few(few)}")
        )
    if apart:
        text = (
            f"by {by!r}, the propensity scores of many other rows lie outside the range of a stratum (share):"
            f" {first_few(apart)}; estimates for those rows extrapolate by the model"
        )
        warnings.append(errors.NoOverlap(text))
    if impossible:
        text = (
            f"by {by!r}, strata in which some rows could not have been, given their covariates:"
            f" {first_few(impossible)}; a level that only another stratum holds does this: weighting cannot balance it,"
            " so join it with another or leave its rows out"
        )
        warnings.append(errors.NoOverlap(text))
    return warnings


def covariate_balance(
    cohort: pd.DataFrame, covariates: str | Sequence[str], *, by: str, weights: BalanceWeights | pd.Series | None = None
) -> pd.DataFrame:
    """Standardised mean differences between strata, as they are and weighted.

    difference = (mean of b - mean of a) / sqrt((variance of a + variance of b) / 2), with the unweighted variances in
    both, so that weighting can only change the difference of means; n - 1 for numbers, p (1 - p) for indicators.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    covariates : str or sequence of str
        Columns, or terms of a formula as in `fit_cox`. A category of three or more levels has a row for every level,
        the one that a model would code it against too; of two levels, one row says it all.
    by : str
        Column of the strata.
    weights : BalanceWeights or Series, optional
        What `balance_weights` returns, or weights on the cohort's index; only rows that have one are compared.

    Returns
    -------
    DataFrame
        covariate, stratum_a, stratum_b, difference, weighted_difference (NaN without weights); every pair of strata. A
        covariate that varies in neither stratum is 0 where they agree, and NaN where they do not.

    Raises
    ------
    CohortError, InputError
        Faults of the columns, the terms and the weights.
    NotEstimable
        Fewer than two strata.

    Warns
    -----
    RowsDropped
        Rows that miss a weight, a covariate or their stratum.

    Notes
    -----
    0.1 is often taken as the bound of balance. Austin and Stuart (2015), Stat Med 34:3661; levels and denominator as in
    R's ``cobalt::bal.tab(s.d.denom = "pooled")``.

    Examples
    --------
    >>> cohort = pd.DataFrame({"mg": ["low"] * 3 + ["high"] * 3, "age": [60.0, 62, 64, 61, 63, 65]})
    >>> covariate_balance(cohort, ["age"], by="mg")["difference"].tolist()
    [-0.5]
    """
    errors.raise_all(column_problems(cohort, []))
    given = np.ones(len(cohort)) if weights is None else _weights_of(cohort, weights)
    known = ~np.isnan(given)
    rows = exposure.read_exposure(cohort[known], None, covariates, by=by)
    reasons = {**_without_weight(weights, int((~known).sum())), **rows.data.dropped}
    errors.warn_all(errors.dropped_warnings(len(cohort), rows.data.n_used, reasons))
    names, x = cox.level_columns(rows.design)
    table = _differences(rows, names, x, given[known][rows.data.position])
    return table if weights is not None else table.assign(weighted_difference=np.nan)


def _weights_of(cohort: pd.DataFrame, weights: BalanceWeights | pd.Series) -> FloatArray:
    """The weight of each row, NaN where it has none; an error when they are not of these rows, or not positive."""
    given = weights.weights if isinstance(weights, BalanceWeights) else weights
    if not isinstance(given, pd.Series):
        raise errors.InputError(
            f"weights: expected what balance_weights returns, or a Series, got {type(given).__name__}"
        )
    same = given.index.equals(cohort.index)
    if not same and not (given.index.is_unique and cohort.index.isin(given.index).all()):
        raise errors.InputError("weights: their index is not that of the cohort; take both from the same frame")
    problems: list[str] = []
    values = numbers((given if same else given.loc[cohort.index]).to_frame("weight"), "weight", problems)
    unfit = values <= 0
    if unfit.any():
        problems.append(f"weights: zero or negative in {rows_where(unfit)}; weights must be positive")
    errors.raise_all(problems, errors.InputError)
    return values


def _without_weight(weights: BalanceWeights | pd.Series | None, n_missing: int) -> dict[str, int]:
    """How many rows have no weight, for the reasons of the weights themselves where they account for them all."""
    if isinstance(weights, BalanceWeights) and sum(weights.dropped.values()) == n_missing:
        return dict(weights.dropped)
    return {"missing weight": n_missing} if n_missing else {}


def _differences(rows: ExposureRows, names: Sequence[str], x: FloatArray, weight: FloatArray) -> pd.DataFrame:
    """A row a covariate, or level of a category, and pair of strata."""
    labels, codes = list(rows.groups.labels), rows.groups.codes
    pairs = curves.pairs_of(labels)
    a, b = ([labels.index(pair[side]) for pair in pairs] for side in (0, 1))
    variance = _variances(x, codes)
    pooled = np.sqrt((variance[a] + variance[b]) / 2)
    columns = {
        "covariate": np.repeat(np.asarray(names, dtype=object), len(pairs)),
        "stratum_a": label_column([labels[code] for code in a * len(names)], labels),
        "stratum_b": label_column([labels[code] for code in b * len(names)], labels),
    }
    for name, given in (("difference", np.ones(len(weight))), ("weighted_difference", weight)):
        members = np.eye(len(labels))[codes] * given[:, None]
        means = (members.T @ x) / members.sum(axis=0)[:, None]
        columns[name] = _standardised(means[a], means[b], pooled).T.ravel()
    return pd.DataFrame(columns)


def _variances(x: FloatArray, codes: IntArray) -> FloatArray:
    """Variances by stratum: n - 1 for numbers, p (1 - p) for indicators; NaN with one row."""
    is_indicator = np.isin(x, (0.0, 1.0)).all(axis=0)
    variances = []
    for code in range(int(codes.max()) + 1):
        part = x[codes == code]
        divisor = np.where(is_indicator, len(part), len(part) - 1.0)
        squares = ((part - part.mean(axis=0)) ** 2).sum(axis=0)
        variances.append(np.divide(squares, divisor, out=np.full(x.shape[1], np.nan), where=divisor > 0))
    return np.array(variances, dtype=np.float64)


def _standardised(a: FloatArray, b: FloatArray, pooled: FloatArray) -> FloatArray:
    """Differences of means in pooled standard deviations; of what does not vary, 0 where equal and NaN otherwise."""
    varies = pooled > CONSTANT * (np.abs(a) + np.abs(b))
    equal = (pooled == 0) & (np.abs(b - a) <= CONSTANT * np.abs(a))
    return np.divide(b - a, pooled, out=np.where(equal, 0.0, np.nan), where=varies)
