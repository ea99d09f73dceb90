"""Whose rows a Cox model rests on: one group left out at a time, and one patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, nearest
from analysis.kernels.cox import fit_arrays
from analysis.survival.cox import CoxFit, CoxModel, cox_residuals, fit_design, hazard_ratios, read_design
from analysis.survival.rows import group_rows, grouping_problems, listed

__all__ = ["leave_one_out", "patient_influence"]

NOBODY = "nobody"


def leave_one_out(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    covariates: str | Sequence[str],
    *,
    by: str,
    strata: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Fit a Cox model without each group of rows in turn, a site, say.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : Endpoint
    covariates : str or sequence of str
        As in `fit_cox`.
    by : str
        The column of groups; rows where it is missing are left out throughout, and counted.
    strata : str or sequence of str, optional
        Columns whose combinations have a baseline hazard of their own.
    conf_level : float

    Returns
    -------
    DataFrame
        left_out ("nobody" first, then each group in stratum order), term, n, n_event, coef, std_error, hazard_ratio,
        conf_low, conf_high, change: the coefficient less that of all rows, in standard errors of the latter. A model
        that the rest of the rows does not allow is NaN.

    Raises
    ------
    CohortError, InputError
        Faults of the columns and of the formula; `by` a measurement.
    NotEstimable
        One group only; a model of all rows that cannot be fitted.

    Warns
    -----
    RowsDropped, FewEvents, ManyTies, Separation
    NotComputed
        For every group without which the model cannot be fitted.

    Notes
    -----
    Not an estimate of what another site would find: with few groups the changes say whether one of them carries the
    result.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort
    >>> left_out = leave_one_out(cohort, OVERALL_SURVIVAL, "age + ecog", by="site")
    >>> left_out[left_out["term"] == "age"]["left_out"].tolist()
    ['nobody', 'site A', 'site B', 'site C', 'site D']
    """
    errors.raise_all(errors.level_problems(conf_level), errors.InputError)
    errors.raise_all(column_problems(cohort, [by]))
    given, names = covariates if isinstance(covariates, str) else listed(covariates), listed(strata)
    errors.raise_all(grouping_problems(cohort[by]))
    known = cohort[cohort[by].notna()]
    if known.empty:
        raise errors.CohortError(f"no rows left: {len(cohort)} dropped for missing {by}")
    model = CoxModel(endpoint, given, strata=names)
    whole = _fitted(known, model)
    used = known.iloc[whole.design.data.position]
    groups = group_rows(used, [by])
    if len(groups.labels) < 2:
        raise errors.NotEstimable(f"column {by!r}: one group only ({groups.labels[0]}); nothing is left without it")
    reasons = ({f"missing {by}": len(cohort) - len(known)} if len(known) < len(cohort) else {}) | dict(whole.dropped)
    dropped = errors.dropped_warnings(len(cohort), whole.n_used, reasons)
    carried = [*dropped, *errors.but_for_dropped(whole.warnings)]
    parts = [_rows(NOBODY, whole, whole, conf_level)]
    for code, label in enumerate(groups.labels):
        rest = used[groups.codes != code]
        try:
            fit = _fitted(rest, model)
        except errors.NotEstimable as error:
            carried.append(errors.NotComputed(f"without {label}: {'; '.join(error.problems)}"))
            parts.append(_no_estimates(parts[0], label, rest, endpoint))
        else:
            carried += fit.warnings
            parts.append(_rows(label, fit, whole, conf_level))
    errors.warn_all({str(warning): warning for warning in carried}.values())
    return pd.concat(parts, ignore_index=True)


def _fitted(cohort: pd.DataFrame, model: CoxModel) -> CoxFit:
    """The model on these rows."""
    covariates = model.covariates if isinstance(model.covariates, str) else list(model.covariates)
    return fit_design(read_design(cohort, model.endpoint, covariates, strata=model.strata), model)


def _no_estimates(whole: pd.DataFrame, label: str, rest: pd.DataFrame, endpoint: Endpoint) -> pd.DataFrame:
    """The rows of a model that cannot be fitted."""
    n_event = int(rest[endpoint.event].astype(float).sum())
    return whole.assign(left_out=label, n=len(rest), n_event=n_event, **dict.fromkeys(whole.columns[4:], float("nan")))


def _rows(label: str, fit: CoxFit, whole: CoxFit, conf_level: float) -> pd.DataFrame:
    """A row a term of the whole model, NaN where this model has no such term."""
    ratios = hazard_ratios(fit, conf_level=conf_level)[["term", "hazard_ratio", "conf_low", "conf_high"]]
    all_rows = whole.coefficients[["term", "coef", "std_error"]]
    table = fit.coefficients[["term", "coef", "std_error"]].merge(ratios, on="term")
    table = all_rows[["term"]].merge(table, on="term", how="left")
    table = table.assign(change=(table["coef"] - all_rows["coef"]) / all_rows["std_error"])
    table.insert(0, "left_out", label)
    table.insert(2, "n", fit.n)
    table.insert(3, "n_event", fit.n_event)
    return table


def patient_influence(
    cohort: pd.DataFrame, fit: CoxFit, term: str, *, key: str | None = None, n_refitted: int = 10
) -> pd.DataFrame:
    """How far each row moves one coefficient of a Cox model, the largest first.

    Parameters
    ----------
    cohort : DataFrame
        The rows that `fit` was fitted to, in the same order.
    fit : CoxFit
    term : str
        One of its terms.
    key : str, optional
        A column that names rows; by default they are named by number, counted from 1.
    n_refitted : int
        Without so many of the most influential rows, one at a time, the model is fitted again.

    Returns
    -------
    DataFrame
        name, row (its place in the cohort, from 0), time, event, value (of the term), dfbeta (the coefficient less what
        it would be without the row, about), standardised (dfbeta in standard errors), change (the same difference, by
        fitting again; NaN past the first `n_refitted`). Ordered by the size of dfbeta.

    Raises
    ------
    InputError
        A term that the model has not; rows that are not the model's; a key that is not there.
    NotEstimable, NotSupported
        As `cox_residuals`.

    Notes
    -----
    dfbeta as R's ``residuals(fit, type="dfbeta")``. Rows beyond 2 / sqrt(n) standard errors are often looked at:
    Belsley, Kuh and Welsch (1980), Regression Diagnostics, chapter 2. A row that is right stays in, however far it
    moves the estimate.

    Examples
    --------
    >>> from analysis import OVERALL_SURVIVAL, fit_cox, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort
    >>> fit = fit_cox(cohort, OVERALL_SURVIVAL, ["age", "ecog"])
    >>> result = patient_influence(cohort, fit, "age", key="patient_id", n_refitted=1)
    >>> len(result), bool(abs(result["dfbeta"][0] - result["change"][0]) < 0.1 * abs(result["change"][0]))
    (480, True)
    """
    index = _term_index(fit, term)
    problems = _row_problems(cohort, fit, key) + errors.count_problems("n_refitted", n_refitted, low=0)
    errors.raise_all(problems, errors.InputError)
    dfbeta = cox_residuals(fit, "dfbeta").iloc[:, index].to_numpy(dtype=np.float64)
    position, rows = fit.design.data.position, fit.rows
    names = [f"row {at + 1}" for at in position] if key is None else cohort[key].iloc[position].astype(str).tolist()
    order = np.lexsort([rows.time, rows.x[:, index], -np.abs(dfbeta)])
    table = pd.DataFrame(
        {
            "name": np.asarray(names, dtype=object),
            "row": position,
            "time": rows.time,
            "event": rows.event.astype(np.int64),
            "value": rows.x[:, index],
            "dfbeta": dfbeta,
            "standardised": dfbeta / fit.coefficients["std_error"].to_numpy()[index],
        }
    )
    return table.iloc[order].reset_index(drop=True).assign(change=_changes(fit, index, order, n_refitted))


def _term_index(fit: CoxFit, term: str) -> int:
    """The position of a term among a model's."""
    if not isinstance(fit, CoxFit):
        raise errors.InputError(f"fit: expected a model of fit_cox, got {type(fit).__name__}")
    if len(fit.rows.time) != len(fit.design.data.position):
        raise errors.NotSupported("this model rests on weighted spells, not on one row a patient")
    if term not in fit.terms:
        raise errors.InputError(f"no term {term!r}{nearest(term, fit.terms, kind='terms')}")
    return fit.terms.index(term)


def _row_problems(cohort: pd.DataFrame, fit: CoxFit, key: str | None) -> list[str]:
    """What is wrong with the rows or the key."""
    problems = column_problems(cohort, [] if key is None else [key])
    if not problems and len(cohort) != fit.n_read:
        problems.append(f"the cohort has {len(cohort)} rows, the model was fitted to {fit.n_read}; give the same rows")
    return problems


def _changes(fit: CoxFit, index: int, order: IntArray, n_refitted: int) -> FloatArray:
    """The coefficient less what it is without each of the first rows; NaN for the others."""
    rows, changes = fit.rows, np.full(len(order), np.nan)
    for number, row in enumerate(order[:n_refitted]):
        kept = np.arange(len(rows.time)) != row
        coef, _, _ = fit_arrays(
            rows.x[kept],
            rows.time[kept],
            rows.event[kept],
            entry=rows.entry[kept],
            strata=rows.strata[kept],
            weights=rows.weights[kept],
            ties=rows.ties,
        )
        changes[number] = fit.coef[index] - coef[index]
    return changes
