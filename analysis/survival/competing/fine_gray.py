"""Fine and Gray's model: how covariates move the cumulative incidence of one cause while others compete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.cohort.columns import CompetingEndpoint, Endpoint, column_problems, with_columns
from analysis.errors import InputError, raise_all, warn_all
from analysis.kernels.counts import Spells, subdistribution_spells
from analysis.survival.competing.incidence_and_gray import status_codes
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design, read_design
from analysis.survival.rows import Groups, check_competing, choice_problems

ROW = "row of the cohort"


def fit_fine_gray(
    cohort: pd.DataFrame, endpoint: CompetingEndpoint, covariates: str | Sequence[str], *, cause: str
) -> CoxFit:
    """Fit a proportional-hazards model of the subdistribution hazard of one cause.

    Rows with a competing event stay at risk, weighted by the chance of not yet being censored; the rest is a Cox model
    with Breslow's ties. A subdistribution hazard ratio says how the cumulative incidence moves, not how the cause acts:
    for that, fit a Cox model with the competing events censored.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    endpoint : CompetingEndpoint
    covariates : str or sequence of str
        As in `fit_cox`.
    cause : str
        A label of the endpoint's causes.

    Returns
    -------
    CoxFit
        std_error and robust_std_error are both the sandwich, summed over each row's weighted spells (the weights taken
        as known). n and n_event count rows of the cohort; the spells are in `rows`, so diagnostics are by spell.

    Raises
    ------
    CohortError, NotEstimable
        As `fit_cox`; also for a status code without a cause.
    InputError
        When the cause is none of the endpoint's.
    NotSupported
        When the weighted spells would be more than 20 million.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    Separation, FewEvents, ManyTies, SuspiciousValues

    Notes
    -----
    Equals ``coxph(Surv(fgstart, fgstop, fgstatus) ~ x, weights = fgwt, ties = "breslow", id = )`` of R on the rows of
    ``survival::finegray``; ``cmprsk::crr`` orders ties of events and censorings the other way. Fine and Gray, J Am
    Stat Assoc 94 (1999) 496; Geskus, Biometrics 67 (2011) 39.

    Examples
    --------
    >>> from analysis import CompetingEndpoint, fit_fine_gray
    >>> cohort = pd.DataFrame({"months": range(1, 31), "status": [1, 1, 2, 0, 1, 2] * 5, "old": [1, 0, 0, 1, 1] * 6})
    >>> fit = fit_fine_gray(cohort, CompetingEndpoint("months", "status"), ["old"], cause="progression")
    >>> fit.n, fit.n_event
    (30, 15)
    """
    check_competing(endpoint)
    causes = tuple(endpoint.causes.values())
    raise_all(choice_problems("cause", cause, causes), InputError)
    raise_all(column_problems(cohort, endpoint.columns))
    codes = status_codes(cohort, endpoint)
    wanted = causes.index(cause) + 1
    of_cause = np.where(np.isnan(codes), np.nan, codes == wanted)
    one = Endpoint(endpoint.duration, endpoint.status, label=cause, time_unit=endpoint.time_unit)
    design = read_design(with_columns(cohort, {endpoint.status: of_cause}), one, covariates)
    data, status = design.data, codes[design.data.position]
    spells = subdistribution_spells(data.time, data.event, (status > 0) & (status != wanted))
    model = CoxModel(
        endpoint=one, covariates=covariates if isinstance(covariates, str) else tuple(covariates),
        ties="breslow", strata=(), cluster=ROW, weights=None, robust=True, engine="kernel",
    )  # fmt: skip
    fit = fit_design(_expanded(design, spells), model)
    table = fit.coefficients.assign(std_error=fit.coefficients["robust_std_error"])
    fit = replace(fit, coefficients=table, n=data.n_used, n_used=data.n_used)
    warn_all(fit.warnings)
    return fit


def _expanded(design: Design, spells: Spells) -> Design:
    """The design with a row a spell, each row of the cohort a cluster."""
    data, row = design.data, spells.row
    rows = replace(
        data,
        time=spells.time,
        event=spells.event,
        entry=spells.entry,
        weights=spells.weights,
        covariates=data.covariates[row],
        by=Groups(data.by.codes[row], data.by.labels),
        strata=Groups(data.strata.codes[row], data.strata.labels),
        cluster=Groups(row, tuple(map(str, range(data.n_used)))),
        position=data.position[row],
        n_used=len(row),
    )
    return replace(design, data=rows, x=design.x[row])
