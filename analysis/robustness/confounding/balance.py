"""How alike strata are in each covariate, before and after weighting."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import column_problems, numbers, rows_where
from analysis.errors import InputError, dropped_warnings, raise_all, warn_all
from analysis.robustness.confounding.exposure import ExposureRows, read_exposure
from analysis.robustness.confounding.weights import BalanceWeights
from analysis.survival.cox import level_columns
from analysis.survival.rows import label_column

__all__ = ["covariate_balance"]

CONSTANT = 1e-12


def covariate_balance(
    cohort: pd.DataFrame,
    covariates: str | Sequence[str],
    *,
    by: str,
    weights: BalanceWeights | pd.Series | None = None,
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
    raise_all(column_problems(cohort, []))
    given = np.ones(len(cohort)) if weights is None else _weights_of(cohort, weights)
    known = ~np.isnan(given)
    rows = read_exposure(cohort[known], None, covariates, by=by)
    reasons = {**_without_weight(weights, int((~known).sum())), **rows.data.dropped}
    warn_all(dropped_warnings(len(cohort), rows.data.n_used, reasons))
    names, x = level_columns(rows.design, leave_out=str(by))
    table = _table(rows, names, x, given[known][rows.data.position])
    return table if weights is not None else table.assign(weighted_difference=np.nan)


def _weights_of(cohort: pd.DataFrame, weights: BalanceWeights | pd.Series) -> FloatArray:
    """The weight of each row, NaN where it has none; an error when they are not of these rows, or not positive."""
    given = weights.weights if isinstance(weights, BalanceWeights) else weights
    if not isinstance(given, pd.Series):
        raise InputError(f"weights: expected what balance_weights returns, or a Series, got {type(given).__name__}")
    same = given.index.equals(cohort.index)
    if not same and not (given.index.is_unique and cohort.index.isin(given.index).all()):
        raise InputError("weights: their index is not that of the cohort; take both from the same frame")
    problems: list[str] = []
    found = numbers((given if same else given.loc[cohort.index]).to_frame("weight"), "weight", problems)
    unfit = found <= 0
    if unfit.any():
        problems.append(f"weights: zero or negative in {rows_where(unfit)}; weights must be positive")
    raise_all(problems, InputError)
    return found


def _without_weight(weights: BalanceWeights | pd.Series | None, n_missing: int) -> dict[str, int]:
    """How many rows have no weight, for the reasons of the weights themselves where they account for them all."""
    if isinstance(weights, BalanceWeights) and sum(weights.dropped.values()) == n_missing:
        return dict(weights.dropped)
    return {"missing weight": n_missing} if n_missing else {}


def _table(rows: ExposureRows, names: Sequence[str], x: FloatArray, weight: FloatArray) -> pd.DataFrame:
    """A row a covariate, or level of a category, and pair of strata."""
    labels, codes = rows.exposure.labels, rows.exposure.codes
    pairs = list(combinations(range(len(labels)), 2))
    plain, weighted = (_means(x, codes, given) for given in (np.ones(len(weight)), weight))
    spread = _variances(x, codes)
    found = [
        (
            name,
            labels[a],
            labels[b],
            *(_standardised(means[:, place], spread[:, place], a, b) for means in (plain, weighted)),
        )
        for place, name in enumerate(names)
        for a, b in pairs
    ]
    table = pd.DataFrame(found, columns=["covariate", "stratum_a", "stratum_b", "difference", "weighted_difference"])
    return table.assign(
        stratum_a=label_column(table["stratum_a"].tolist(), labels),
        stratum_b=label_column(table["stratum_b"].tolist(), labels),
    )


def _means(x: FloatArray, codes: IntArray, weight: FloatArray) -> FloatArray:
    """Weighted means by stratum: shape (k, p)."""
    members = np.eye(int(codes.max()) + 1)[codes] * weight[:, None]
    return np.asarray((members.T @ x) / members.sum(axis=0)[:, None], dtype=np.float64)


def _variances(x: FloatArray, codes: IntArray) -> FloatArray:
    """Variances by stratum: n - 1 for numbers, p (1 - p) for indicators; NaN with one row."""
    is_indicator = np.isin(x, (0.0, 1.0)).all(axis=0)
    found = []
    for code in range(int(codes.max()) + 1):
        part = x[codes == code]
        n = len(part)
        divisor = np.where(is_indicator, n, n - 1.0)
        squares = ((part - part.mean(axis=0)) ** 2).sum(axis=0)
        found.append(np.divide(squares, divisor, out=np.full(x.shape[1], np.nan), where=divisor > 0))
    return np.array(found, dtype=np.float64)


def _standardised(means: FloatArray, spread: FloatArray, a: int, b: int) -> float:
    """One difference in units of the pooled standard deviation."""
    difference = float(means[b] - means[a])
    pooled = float(np.sqrt((spread[a] + spread[b]) / 2))
    if pooled > CONSTANT * (abs(float(means[a])) + abs(float(means[b]))):
        return difference / pooled
    return 0.0 if pooled == 0 and abs(difference) <= CONSTANT * abs(float(means[a])) else float("nan")
