"""One imputation: chained equations, a regression of its own for numbers and for labels, its coefficients drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.kernels.counts import count
from analysis.kernels.cox import cox_problem, fit_problem, martingale_residuals, risk_sets
from analysis.robustness.confounding import fit_propensity, information, probabilities
from analysis.robustness.missing.columns import ImputedColumn
from analysis.robustness.time_varying import counted
from analysis.survival.cox import formula_columns, read_term_design
from analysis.survival.rows import SurvivalData, survival_data

COLLINEAR = 1e-7
"""A predictor of which less is left beside those before it, in standard deviations, is left out of a regression."""


def draw_imputation(
    columns: Sequence[FloatArray], labels: Sequence[bool], x: FloatArray, *, n_rounds: int, seed: np.random.SeedSequence
) -> list[FloatArray]:
    """The columns with their missing values drawn, each given all others and the predictors.

    The chain starts from values drawn among those known of each column (as mice does).

    Parameters
    ----------
    columns : sequence of ndarray, shape (n, k)
        A number (k = 1), or an indicator for each label but the first; NaN where missing.
    labels : sequence of bool
        Which of them are labels.
    x : ndarray, shape (n, p)
        Predictors without missing values.
    n_rounds : int
        Rounds of the chain.
    seed : SeedSequence

    Returns
    -------
    list of ndarray, shape (n, k)

    Examples
    --------
    >>> column, x = np.array([[0.1], [0.2], [0.35], [np.nan]]), np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> (filled,) = draw_imputation([column], [False], x, n_rounds=1, seed=np.random.SeedSequence(1))
    >>> bool(np.isnan(filled).any()), filled[:3, 0].tolist()
    (False, [0.1, 0.2, 0.35])
    """
    rng = np.random.default_rng(seed)
    gaps = [np.isnan(column[:, 0]) for column in columns]
    filled = [_started(column, gap, rng) for column, gap in zip(columns, gaps, strict=True)]
    for _ in range(n_rounds):
        for place, gap in enumerate(gaps):
            if not gap.any():
                continue
            known, missing = _predictors(np.column_stack([*filled[:place], *filled[place + 1 :], x]), gap)
            draw = draw_labels if labels[place] else draw_numbers
            filled[place][gap] = draw(filled[place][~gap], known, missing, rng)
    return filled


def _started(column: FloatArray, gap: BoolArray, rng: np.random.Generator) -> FloatArray:
    """A column with values drawn from those known."""
    filled = column.copy()
    filled[gap] = column[rng.choice(np.flatnonzero(~gap), int(gap.sum()))]
    return filled


def _predictors(x: FloatArray, gap: BoolArray) -> tuple[FloatArray, FloatArray]:
    """The predictors of rows with and without a value, standardised; constant and collinear ones are left out."""
    known = x[~gap]
    centre, spread = known.mean(axis=0), known.std(axis=0)
    varies = spread > COLLINEAR * (np.abs(known).max(axis=0, initial=0.0) + COLLINEAR)
    scaled = (x[:, varies] - centre[varies]) / spread[varies]
    left = np.abs(np.diag(np.linalg.qr(scaled[~gap], mode="r"))) / np.sqrt(len(known))
    scaled = scaled[:, : len(left)][:, left > COLLINEAR]
    return scaled[~gap], scaled[gap]


def draw_numbers(y: FloatArray, x: FloatArray, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Numbers drawn from a linear regression whose variance and coefficients were drawn first (mice's norm).

    With m rows and p predictors, the residual variance is drawn as RSS over a chi-square of m - p - 1 degrees of
    freedom, the coefficients given it from their normal distribution: the posterior under a flat prior. Values are
    drawn between the smallest and the largest known.

    Parameters
    ----------
    y : ndarray, shape (m, 1)
    x : ndarray, shape (m, p)
        Centred, of full rank.
    at : ndarray, shape (g, p)
    rng : Generator

    Returns
    -------
    ndarray, shape (g, 1)
    """
    m, p = x.shape
    middle = y[:, 0].mean()
    q, r = np.linalg.qr(x)
    turn = np.where(np.diag(r) < 0, -1.0, 1.0)  # one factor, whatever the sign convention of the library
    q, r = q * turn, r * turn[:, None]
    along = q.T @ (y[:, 0] - middle)
    rest = y[:, 0] - middle - q @ along
    deviation = np.sqrt(rest @ rest / rng.chisquare(max(m - p - 1, 1)))
    coef = np.linalg.solve(r, along + deviation * rng.standard_normal(p))
    mean = middle + deviation / np.sqrt(m) * rng.standard_normal() + at @ coef
    return _truncated(mean, deviation, (float(y.min()), float(y.max())), rng)[:, None]


def _truncated(mean: FloatArray, deviation: float, limits: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """Normal draws between limits, by the inverse of the distribution function in the tail that is exact."""
    from scipy.special import ndtr, ndtri

    uniform = rng.random(len(mean))
    if deviation == 0:
        return np.clip(mean, *limits)
    low, high = ((limit - mean) / deviation for limit in limits)
    turned = low > 0  # the upper tail is drawn as the lower one
    low, high = np.where(turned, -high, low), np.where(turned, -low, high)
    drawn = ndtri(ndtr(low) + uniform * (ndtr(high) - ndtr(low)))
    return np.asarray(np.clip(mean + deviation * np.where(turned, -drawn, drawn), *limits), dtype=np.float64)


def draw_labels(y: FloatArray, x: FloatArray, at: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Labels drawn from a logistic regression, multinomial for more than two (mice's logreg and polyreg).

    The coefficients are drawn first, from the normal distribution about their maximum. So that there is a maximum where
    a predictor separates the labels, rows of small weight are added (`augmented`).

    Parameters
    ----------
    y : ndarray, shape (m, k - 1)
        Indicators of labels 1, ..., k - 1.
    x : ndarray, shape (m, p)
        Standardised, of full rank.
    at : ndarray, shape (g, p)
    rng : Generator

    Returns
    -------
    ndarray, shape (g, k - 1)
    """
    levels, codes = np.unique(y @ np.arange(1.0, y.shape[1] + 1), return_inverse=True)
    uniform = rng.random(len(at))
    drawn = np.zeros(len(at), dtype=np.int64)
    if len(levels) > 1:
        rows, members, weights = augmented(x, codes)
        coef = fit_propensity(rows, members, weights[None])[0]
        factor = np.linalg.cholesky(information(rows, probabilities(rows, coef), weights[None])[0])
        coef = coef + np.linalg.solve(factor.T, rng.standard_normal(len(factor))).reshape(coef.shape)
        shares = probabilities(np.column_stack([np.ones(len(at)), at]), coef)[0]
        drawn = (uniform >= np.cumsum(shares, axis=0)[:-1]).sum(axis=0)
    return np.asarray(levels[drawn][:, None] == np.arange(1, y.shape[1] + 1), dtype=np.float64)


def augmented(x: FloatArray, codes: IntArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """Rows that keep a logistic regression from separation: a constant and predictors, labels, and weights.

    For each of p predictors and k labels two rows are added, half a standard deviation above and below the mean (within
    the predictor's range), the other predictors at their means; together they weigh p + 1 rows.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Standardised.
    codes : ndarray of int, shape (m,)
        Labels 0, ..., k - 1.

    Returns
    -------
    rows : ndarray, shape (m + 2 p k, p + 1)
    codes : ndarray of int, shape (m + 2 p k,)
    weights : ndarray, shape (m + 2 p k,)

    Notes
    -----
    White, Daniel and Royston, Computational Statistics and Data Analysis 54 (2010) 2267; `augment` of R's mice.
    """
    (m, p), k = x.shape, int(codes.max()) + 1
    added = np.zeros((p, k, 2, p))
    for place in range(p):
        added[place, :, :, place] = np.clip([0.5, -0.5], x[:, place].min(), x[:, place].max())
    rows = np.vstack([x, added.reshape(2 * p * k, p)])
    weights = np.concatenate([np.ones(m), np.full(2 * p * k, (p + 1) / max(2 * p * k, 1))])
    labels = np.concatenate([codes, np.tile(np.repeat(np.arange(k), 2), p)])
    return np.column_stack([np.ones(len(rows)), rows]), labels, weights


@dataclass(frozen=True, eq=False)
class ImputationRows:
    """The columns to impute, the rows with a known outcome, and the imputation model's predictors in canonical order.

    `place` has the rows' places in the cohort, in the order of `drawn` (one array a column to impute) and `x`.
    """

    held: list[ImputedColumn]
    data: SurvivalData
    drawn: list[FloatArray]
    x: FloatArray
    place: IntArray


def read_rows(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    held: list[ImputedColumn],
    predictors: Sequence[str],
    strata: Sequence[str] = (),
    others: Sequence[Endpoint] = (),
) -> ImputationRows:
    """Check the outcomes and the predictors, and build the imputation model's predictors.

    Parameters
    ----------
    cohort : DataFrame
    endpoint : Endpoint
    held : list of ImputedColumn
    predictors : sequence of str
        Columns or formula terms.
    strata : sequence of str
        Columns whose combinations have a baseline hazard of their own.
    others : sequence of Endpoint
        Further outcomes, known in every row whose `endpoint` is.

    Returns
    -------
    ImputationRows

    Raises
    ------
    CohortError, InputError
        Faults of the outcomes' columns; predictors, strata or further outcomes that are incomplete, or made from a
        column that is imputed.
    NotEstimable
        No events; fewer known values than coefficients.
    """
    imputed = [name for name in strata if name in {column.name for column in held}]
    raise_all([f"strata: {name!r} is imputed; name it among the predictors instead" for name in imputed], InputError)
    kept = _complete_predictors(cohort, held, tuple(dict.fromkeys([*predictors, *strata])))
    data, x = _design(cohort, endpoint, kept, strata)
    if not data.event.any():
        raise NotEstimable(
            f"no events among {data.n_used} rows: the event is part of the imputation model, and there is none"
        )
    outcomes = [_outcome(data, x)]
    outcomes += [_further_outcome(cohort.iloc[data.position], other, endpoint, strata, x) for other in others]
    drawn = [column.drawn[data.position] for column in held]
    predicting = np.column_stack([x, *outcomes])
    n_known = min(int((~column.missing[data.position]).sum()) for column in held)
    n_coefficients = predicting.shape[1] + sum(column.shape[1] for column in drawn)
    if n_known <= n_coefficients + 1:
        raise NotEstimable(
            f"{n_known} known values for an imputation model of {n_coefficients} coefficients; take fewer predictors"
        )
    order = np.lexsort([data.time, *np.column_stack([*drawn, predicting]).T])
    return ImputationRows(held, data, [column[order] for column in drawn], predicting[order], data.position[order])


def _design(
    cohort: pd.DataFrame, endpoint: Endpoint, terms: Sequence[str], strata: Sequence[str]
) -> tuple[SurvivalData, FloatArray]:
    """The outcome of every row with one, and the columns of the predictors."""
    if terms:
        design = read_term_design(cohort, endpoint, terms, strata=strata)
        return design.data, design.x
    data = survival_data(cohort, endpoint)
    return data, np.empty((data.n_used, 0))


def _further_outcome(
    rows: pd.DataFrame, other: Endpoint, endpoint: Endpoint, strata: Sequence[str], x: FloatArray
) -> FloatArray:
    """What a further outcome tells; an error where it is not known in all rows."""
    data = survival_data(rows, other, strata=list(strata) or None)
    n_missing = len(rows) - data.n_used
    if n_missing:
        raise InputError(
            f"other_endpoints: {other.name!r} is missing in {counted(n_missing, 'row')} with a known {endpoint.name!r};"
            " leave out the endpoint, or these rows"
        )
    return _outcome(data, x)


def _outcome(data: SurvivalData, x: FloatArray) -> FloatArray:
    """What an outcome tells of a missing value: the event and two cumulative hazards."""
    return np.column_stack([data.event, hazard_at(data), expected_events(data, x)])


def _complete_predictors(cohort: pd.DataFrame, held: list[ImputedColumn], predictors: Sequence[str]) -> list[str]:
    """The predictors that are not imputed themselves; errors on incomplete ones, and on terms made of imputed ones."""
    imputed, as_given = {column.name for column in held}, {column.term for column in held}
    kept, problems = [], []
    for term in predictors:
        if term in as_given or term in imputed:
            continue
        names = formula_columns([term], cohort)
        wrong = column_problems(cohort, names)
        problems += wrong
        for name in () if wrong else names:
            n_missing = int(cohort[name].isna().sum())
            if name in imputed:
                problems.append(
                    f"predictors: {term!r} is made from {name!r}, which is imputed; name {term!r} in columns where it"
                    " is a logarithm, else leave it out"
                )
            elif n_missing:
                problems.append(
                    f"predictors: {name!r} has {counted(n_missing, 'missing value')}; name {term!r} in columns, to"
                    " impute it too"
                )
        kept.append(term)
    raise_all(list(dict.fromkeys(problems)), InputError)
    return kept


def hazard_at(data: SurvivalData) -> FloatArray:
    """The Nelson-Aalen cumulative hazard at each row's time, less that at its entry, within its stratum.

    Parameters
    ----------
    data : SurvivalData

    Returns
    -------
    ndarray, shape (n,)
        The sum of events over numbers at risk at times after entry and up to the row's own.
    """
    entry = data.entry if np.isfinite(data.entry).any() else None
    codes, n_strata = data.strata.codes, len(data.strata.labels)
    counts = count(data.time, data.event, entry=entry, segment=codes, n_segments=n_strata)
    hazard = np.empty(data.n_used)
    for code, part in enumerate(counts.segments):
        here = codes == code
        steps = counts.n_event[part, 0] / np.maximum(counts.n_risk[part, 0], 1)
        so_far = np.concatenate([[0.0], np.cumsum(steps)])
        until, before = (
            np.searchsorted(counts.time[part], times[here], side="right") for times in (data.time, data.entry)
        )
        hazard[here] = so_far[until] - so_far[before]
    return hazard


def expected_events(data: SurvivalData, x: FloatArray) -> FloatArray:
    """The cumulative hazard of each row by a Cox model of the predictors: events expected of it until its time.

    Parameters
    ----------
    data : SurvivalData
    x : ndarray, shape (n, p)

    Returns
    -------
    ndarray, shape (n, 1) or (n, 0)
        No column where there is no such model: no predictors, or none that can be estimated.
    """
    sets = risk_sets(data.time, data.event, entry=data.entry, strata=data.strata.codes)
    varying = np.isfinite(cox_problem(x, sets).scale) if x.shape[1] else np.zeros(0, dtype=bool)
    problem = cox_problem(x[:, varying], sets)
    coef = fit_problem(problem)[0] if varying.any() else np.full(1, np.nan)
    if np.isnan(coef).any():
        return np.empty((data.n_used, 0))
    return (data.event - martingale_residuals(problem, coef * problem.scale, data.n_used))[:, None]
