"""The baseline hazard of a Cox model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.errors import NotEstimable
from analysis.kernels.cox import cumulated, event_sums, moments
from analysis.survival.cox.result import CoxFit, fitted_problem


def baseline_hazard(fit: CoxFit) -> pd.DataFrame:
    """The cumulative hazard of somebody whose covariates are all zero.

    Parameters
    ----------
    fit : CoxFit

    Returns
    -------
    DataFrame
        time, cumulative_hazard (a right-continuous step at every event time; 0 before the first), and stratum when the
        model is stratified.

    Raises
    ------
    NotEstimable
        When coefficients are infinite, or zero lies so far from the data that the hazard leaves the range of numbers.

    Notes
    -----
    Efron's or Breslow's sum of weight over risk sum, as the fit's ties (exact: Breslow's); R's
    ``basehaz(fit, centered=FALSE)``. Efron (1977), JASA 72:557; Therneau and Grambsch (2000), section 10.2.

    Examples
    --------
    >>> from analysis import Endpoint, fit_cox
    >>> cohort = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 1, 1], "x": [1.0, 0, 0, 1]})
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fit = fit_cox(cohort, Endpoint("time", "event"), ["x"])
    >>> ratio = (5**0.5 - 1) / 2  # the hazard ratio, by hand
    >>> bool(np.isclose(baseline_hazard(fit)["cumulative_hazard"].iloc[0], 1 / (2 + 2 * ratio)))
    True
    """
    problem, beta = fitted_problem(fit, "baseline hazard")
    sets = problem.sets
    found = moments(problem, beta)
    centre = np.repeat(problem.centre @ fit.coef, np.diff(sets.strata))
    with np.errstate(over="ignore", under="ignore"):
        steps = event_sums(sets, found.hazard) * np.exp(-(found.risks.log_scale + centre))
        hazard = cumulated(sets, steps)
    last = hazard[sets.strata[1:] - 1]
    if not (np.isfinite(last).all() and (last > 0).all()):
        raise NotEstimable(
            "baseline hazard: covariates of zero lie too far from the data (the hazard overflows);"
            " centre the covariates and fit again"
        )
    table = pd.DataFrame({"time": sets.times, "cumulative_hazard": hazard})
    if fit.model.strata:
        labels = fit.design.data.strata.labels
        table["stratum"] = pd.Categorical.from_codes(sets.stratum.tolist(), categories=pd.Index(labels), ordered=True)
    return table
