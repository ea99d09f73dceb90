"""The Cox fit of lifelines, the engine of record, run to full precision and kept quiet."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import NotSupported
from analysis.survival.rows import late_entry, survival_data

if TYPE_CHECKING:
    from analysis.survival.cox import CoxRows

FIT_OPTIONS = {"precision": 1e-20, "r_precision": 0.0, "step_size": 1.0}
"""Newton's full steps until one is lost in rounding: lifelines' defaults stop up to 4.5e-4 from the maximum, and a stop
by the likelihood alone up to 2.5e-8."""
NOT_CONVERGED = "lifelines does not converge on this model; use engine='kernel'"


def lifelines_fit(rows: CoxRows, supremum: float) -> tuple[FloatArray, FloatArray, float]:
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
    names = [f"x{place}" for place in range(rows.x.shape[1])]
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
    if not log_likelihood >= highest - 1e-8 * (1 + abs(highest)):
        raise NotSupported(NOT_CONVERGED)
    coef = fitter.params_[names].to_numpy(dtype=np.float64) / scale
    covariance = np.asarray(fitter.variance_matrix_.loc[names, names], dtype=np.float64) / np.outer(scale, scale)
    return coef, covariance / mean_weight, (log_likelihood - shift) * mean_weight


def lifelines_survival(
    time: FloatArray, event: BoolArray, entry: FloatArray | None, weights: FloatArray | None, *, at: FloatArray
) -> FloatArray:
    """S(t) by ``lifelines.KaplanMeierFitter`` at times of its own timeline; numpy's error state is left as it was."""
    from lifelines import KaplanMeierFitter

    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # whole weights beyond int64
        fitter = KaplanMeierFitter().fit(time, event_observed=event, entry=entry, weights=weights)
    curve = fitter.survival_function_
    timeline = curve.index.to_numpy(dtype=np.float64)
    survival = curve.iloc[:, 0].to_numpy(dtype=np.float64)
    return np.asarray(survival[np.searchsorted(timeline, at, side="right") - 1], dtype=np.float64)


def lifelines_logrank(cohort: pd.DataFrame, endpoint: Endpoint, *, by: str) -> float:
    """The chi-square of ``lifelines.statistics.multivariate_logrank_test`` on the rows that `logrank_test` takes.

    Raises
    ------
    NotSupported
        With late entry, which lifelines' test does not know.

    Examples
    --------
    >>> cohort = pd.DataFrame({"months": range(1, 21), "died": 1, "arm": ["a", "b"] * 5 + ["b", "b"] * 5})
    >>> round(lifelines_logrank(cohort, Endpoint("months", "died"), by="arm"), 4)
    10.2248
    """
    data = survival_data(cohort, endpoint, by=by)
    if late_entry(data) is not None:
        raise NotSupported("lifelines' log-rank test does not know late entry")
    from lifelines.statistics import multivariate_logrank_test

    with np.errstate(all="ignore"):
        test = multivariate_logrank_test(data.time, data.by.codes, data.event)
    return float(test.test_statistic)
