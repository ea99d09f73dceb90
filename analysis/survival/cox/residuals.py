"""Residuals of a Cox model."""

from __future__ import annotations

from typing import Literal, get_args

import pandas as pd

from analysis.errors import InputError, raise_all
from analysis.kernels.cox import deviance_residuals, martingale_residuals, schoenfeld_residuals, score_residuals
from analysis.survival.cox.result import CoxFit, fitted_problem
from analysis.survival.rows import choice_problems

Residual = Literal["martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta"]


def cox_residuals(fit: CoxFit, kind: Residual) -> pd.DataFrame:
    """Residuals of a Cox model, of one kind.

    Parameters
    ----------
    fit : CoxFit
    kind : {"martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta"}
        Martingale: events less expected events. Deviance: the same, made symmetric. Score: a row's part of the score.
        Schoenfeld: covariates of an event less their mean at risk; scaled: times covariance and number of events, plus
        the coefficient. dfbeta: how far the coefficients would move, about, without the row (case weights included).

    Returns
    -------
    DataFrame
        One row a row used, its place in the cohort as the index: column residual (martingale, deviance), or a column a
        term (score, dfbeta); after `fit_fine_gray`, one row a weighted spell. The Schoenfeld kinds: time and a column a
        term, one row an event, by stratum and time.

    Raises
    ------
    InputError
        For another kind.
    NotEstimable
        When coefficients are infinite.
    NotSupported
        Score, dfbeta and Schoenfeld residuals with exact ties.

    Notes
    -----
    As R's ``residuals(fit, type=)``, with the fit's ties throughout, the model-based covariance, and weights in dfbeta
    only. Therneau, Grambsch and Fleming (1990), Biometrika 77:147; Grambsch and Therneau (1994), Biometrika 81:515.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> abs(round(float(cox_residuals(fit, "martingale")["residual"].sum()), 9))
    0.0
    """
    raise_all(choice_problems("kind", kind, get_args(Residual)), InputError)
    if kind in ("martingale", "deviance"):
        return _one_column(fit, kind)
    problem, beta = fitted_problem(fit, f"{kind} residuals", ties=True)
    if "schoenfeld" in kind:
        values = schoenfeld_residuals(problem, beta) * problem.scale
        if kind == "scaled-schoenfeld":
            values = values @ fit.maximum.covariance * fit.n_event + fit.coef
        table = pd.DataFrame(values, columns=list(fit.terms))
        table.insert(0, "time", problem.sets.times[problem.sets.at], allow_duplicates=True)
        return table
    values = score_residuals(problem, beta, len(fit.rows.time)) * problem.scale
    if kind == "dfbeta":
        values = (fit.rows.weights[:, None] * values) @ fit.maximum.covariance
    return pd.DataFrame(values, columns=list(fit.terms), index=_row_index(fit))


def _one_column(fit: CoxFit, kind: Residual) -> pd.DataFrame:
    """Martingale or deviance residuals."""
    problem, beta = fitted_problem(fit, f"{kind} residuals")
    residuals = deviance_residuals if kind == "deviance" else martingale_residuals
    return pd.DataFrame({"residual": residuals(problem, beta, len(fit.rows.time))}, index=_row_index(fit))


def _row_index(fit: CoxFit) -> pd.Index:
    """The places of the rows used in the cohort, from 0."""
    return pd.Index(fit.design.data.position, name="row")
