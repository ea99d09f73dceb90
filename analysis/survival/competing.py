"""Competing risks: cumulative incidence by cause, Gray's test between groups, the model of Fine and Gray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import CompetingEndpoint, Endpoint, column_problems, first_few, numbers, with_columns
from analysis.errors import InputError, NotEstimable, choice_problems, level_problems, raise_all, warn_all
from analysis.kernels import counts as kernel
from analysis.kernels.counts import ConfType, Counts, Spells, count
from analysis.survival import rows
from analysis.survival.cox import CoxFit, CoxModel, Design, fit_design, read_design
from analysis.survival.group_tests import LogRank, checked_groups, chi_square_result
from analysis.survival.rows import CohortCounts, Groups, SurvivalData, code_column

ROW = "row of the cohort"


def cumulative_incidence(
    cohort: pd.DataFrame,
    endpoint: CompetingEndpoint,
    *,
    by: str | None = None,
    conf_level: float = 0.95,
    conf_type: ConfType = "log-log",
) -> pd.DataFrame:
    """The chance of each cause by each time, the others competing: the Aalen-Johansen estimate.

    One minus Kaplan-Meier, with the other causes censored, overstates it.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient.
    endpoint : CompetingEndpoint
        Duration, status codes and the label of each cause.
    by : str, optional
        Column of strata; without it there is one, "all".
    conf_level : float
    conf_type : {"log-log", "log", "plain"}
        Scale on which the interval of the incidence is symmetric.

    Returns
    -------
    DataFrame
        Columns stratum, cause, time, incidence, std_error (infinitesimal jackknife), conf_low, conf_high, n_risk,
        n_event (of the cause), conf_type, conf_level. Each begins with a row at time 0; then comes each distinct
        follow-up time. Limits are 0 while the incidence is, and NaN where it is 1.

    Raises
    ------
    CohortError
        When the columns cannot be used, or a status code has no cause; InputError when an option is not allowed.

    Warns
    -----
    RowsDropped, SuspiciousValues

    Notes
    -----
    Equals ``survfit(Surv(time, factor(status)) ~ by)`` of R, ties untouched. Aalen and Johansen, Scand J Stat 5 (1978)
    141.

    Examples
    --------
    >>> from analysis import CompetingEndpoint, cumulative_incidence
    >>> cohort = pd.DataFrame({"months": [1, 2, 2, 4], "status": [1, 2, 0, 0]})
    >>> endpoint = CompetingEndpoint("months", "status")
    >>> cumulative_incidence(cohort, endpoint)[["cause", "time", "incidence"]].iloc[[2, 6]]
             cause  time  incidence
    2  progression   2.0       0.25
    6        death   2.0       0.25
    """
    causes = _causes(endpoint)
    raise_all(level_problems(conf_level) + choice_problems("conf_type", conf_type, get_args(ConfType)), InputError)
    data, status = competing_data(cohort, endpoint, by=by)
    counts = count(
        data.time, data.event, segment=data.by.codes, group=status,
        n_segments=len(data.by.labels), n_groups=len(causes) + 1,
    )  # fmt: skip
    parts = [_one_stratum(counts, segment) for segment in counts.segments]
    table = pd.concat(parts, ignore_index=True)
    lengths = np.array([len(part) for part in parts])
    table.insert(0, "stratum", code_column(np.repeat(np.arange(len(parts)), lengths), data.by.labels))
    table["cause"] = code_column(table["cause"].to_numpy(), causes)
    warn_all(data.warnings)
    return _with_limits(table, conf_level, conf_type)


def _causes(endpoint: object, *cause: str) -> tuple[str, ...]:
    """The causes of an endpoint; raises when it is no `CompetingEndpoint`, or has no such cause."""
    if not isinstance(endpoint, CompetingEndpoint):
        raise InputError(
            f"endpoint: expected CompetingEndpoint(duration, status, causes=...), got {type(endpoint).__name__}"
        )
    causes = tuple(endpoint.causes.values())
    raise_all([problem for one in cause for problem in choice_problems("cause", one, causes)], InputError)
    return causes


def competing_data(
    cohort: pd.DataFrame, endpoint: CompetingEndpoint, *, by: str | None = None
) -> tuple[SurvivalData, IntArray]:
    """Checked data whose event is any cause, and the index of each row's cause (0: none)."""
    rows.check_roles(Endpoint(*endpoint.columns), (), by=by)
    raise_all(column_problems(cohort, [*endpoint.columns, *([by] if by is not None else [])]))
    codes = status_codes(cohort, endpoint)
    names = list(dict.fromkeys([*endpoint.columns, *([by] if by is not None else [])]))
    any_event = np.where(np.isnan(codes), np.nan, codes > 0)
    cohort = with_columns(cohort[names], {endpoint.status: any_event})
    data = rows.survival_data(cohort, Endpoint(*endpoint.columns), by=by)
    return data, codes[data.position].astype(np.int64)


def status_codes(cohort: pd.DataFrame, endpoint: CompetingEndpoint) -> FloatArray:
    """The index of each row's cause among the causes, from 1; 0 without an event, NaN where missing."""
    problems: list[str] = []
    status = numbers(cohort, endpoint.status, problems, role="status column")
    raise_all(problems)
    known = np.array([0, *endpoint.causes], dtype=np.float64)
    missing = np.isnan(status)
    unknown = ~missing & ~np.isin(status, known)
    if unknown.any():
        shown = first_few(f"{value:g}" for value in np.unique(status[unknown]))
        raise_all(
            [
                f"status column {endpoint.status!r}: codes {shown} ({unknown.sum()} rows) have no cause; name them in"
                f" CompetingEndpoint(causes=...), which knows {dict(endpoint.causes)}"
            ]
        )
    order = np.argsort(known)
    index = order[np.searchsorted(known[order], np.where(missing, 0.0, status))].astype(np.float64)
    return np.where(missing, np.nan, index)


def _one_stratum(counts: Counts, segment: slice) -> pd.DataFrame:
    """The rows of one stratum, cause after cause, each from time 0 on."""
    n_risk = counts.n_risk[segment].sum(axis=1)
    n_event = counts.n_event[segment, 1:]
    incidence, variance = kernel.aalen_johansen(n_risk, np.column_stack([counts.n_censor[segment, 0], n_event]))
    n_causes = n_event.shape[1]

    def long(values: FloatArray, start: float) -> FloatArray:
        """A table of times by causes as one column, each cause with its first row."""
        return np.vstack([np.full(n_causes, start), values]).T.ravel()

    return pd.DataFrame(
        {
            "cause": np.repeat(np.arange(n_causes), len(n_risk) + 1),
            "time": np.tile(np.r_[0.0, counts.time[segment]], n_causes),
            "incidence": long(incidence, 0.0),
            "std_error": long(np.sqrt(variance), 0.0),
            "n_risk": np.tile(np.r_[n_risk[0], n_risk], n_causes).astype(np.int64),
            "n_event": long(n_event, 0.0).astype(np.int64),
        }
    )


def _with_limits(table: pd.DataFrame, conf_level: float, conf_type: ConfType) -> pd.DataFrame:
    """The table with its limits after the error, and how they were made."""
    incidence, std_error = table["incidence"].to_numpy(), table["std_error"].to_numpy()
    low, high = kernel.interval(incidence, std_error, conf_level=conf_level, conf_type=conf_type)
    for limit, name in ((high, "conf_high"), (low, "conf_low")):
        table.insert(5, name, np.where(incidence == 0, 0.0, np.where(incidence == 1, np.nan, limit)))
    same = np.zeros(len(table), dtype=np.int64)
    return table.assign(conf_type=code_column(same, [conf_type], ordered=False), conf_level=float(conf_level))


def gray_test(cohort: pd.DataFrame, endpoint: CompetingEndpoint, *, by: str, cause: str) -> LogRank:
    """Gray's test that the cumulative incidence of one cause is the same in all groups.

    Parameters
    ----------
    cohort, endpoint
        As in `cumulative_incidence`.
    by : str
        Column of the groups.
    cause : str
        A label of the endpoint's causes.

    Returns
    -------
    LogRank
        Its `groups` hold the events of the cause and what is expected of them were the incidence the same.

    Raises
    ------
    CohortError
        When the columns cannot be used; InputError when the cause is none of the endpoint's.
    NotEstimable
        With fewer than 2 groups or no event of the cause.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents, SmallStratum
        As `logrank_test`.

    Notes
    -----
    Equals the tests of ``cmprsk::cuminc`` in R (rho = 0). Gray, Ann Stat 16 (1988) 1141.

    Examples
    --------
    >>> from analysis import CompetingEndpoint, gray_test
    >>> cohort = pd.DataFrame({"months": range(1, 31), "status": [1, 1, 2] * 10, "arm": ["a", "b"] * 15})
    >>> gray_test(cohort, CompetingEndpoint("months", "status"), by="arm", cause="progression").df
    1
    """
    causes = _causes(endpoint, cause)
    data, status = competing_data(cohort, endpoint, by=by)
    labels, codes = data.by.labels, data.by.codes
    of_cause = status == causes.index(cause) + 1
    warnings = checked_groups(labels, data.by.sizes, int(of_cause.sum()), by)
    by_cause, by_other = (
        count(data.time, event, group=codes, n_groups=len(labels)) for event in (of_cause, data.event & ~of_cause)
    )
    score, covariance = kernel.gray_scores(by_cause, by_cause.n_event, by_other.n_event)
    statistic, df = kernel.score_chi_square(score, covariance)
    if df == 0:
        raise NotEstimable(f"no information: no two groups of {by!r} were at risk together at an event of {cause!r}")
    observed = by_cause.n_event.sum(axis=0)
    sums = kernel.LogRankSums(observed, observed - score, covariance)
    read = CohortCounts(counts=by_cause, labels=labels, sizes=data.by.sizes, rows=data, **data.account)
    test = chi_square_result(read, statistic, df, sums, test=f"gray ({cause})", strata=(), warnings=warnings)
    warn_all(test.warnings)
    return test


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
    causes = _causes(endpoint, cause)
    raise_all(column_problems(cohort, endpoint.columns))
    codes = status_codes(cohort, endpoint)
    wanted = causes.index(cause) + 1
    of_cause = np.where(np.isnan(codes), np.nan, codes == wanted)
    one = Endpoint(endpoint.duration, endpoint.status, label=cause, time_unit=endpoint.time_unit)
    design = read_design(with_columns(cohort, {endpoint.status: of_cause}), one, covariates)
    data, status = design.data, codes[design.data.position]
    spells = kernel.subdistribution_spells(data.time, data.event, (status > 0) & (status != wanted))
    named = covariates if isinstance(covariates, str) else tuple(covariates)
    model = CoxModel(one, named, "breslow", cluster=ROW, robust=True, subdistribution=True)
    fit = fit_design(_expanded(design, spells), model)
    table = fit.coefficients.assign(std_error=fit.coefficients["robust_std_error"])
    fit = replace(fit, coefficients=table, n=data.n_used, n_used=data.n_used)
    warn_all(fit.warnings)
    return fit


def _expanded(design: Design, spells: Spells) -> Design:
    """The design with a row a spell, each row of the cohort a cluster."""
    data, row = design.data, spells.row
    cluster = Groups(row, tuple(map(str, range(data.n_used))))
    rows_of_spells = replace(
        data.take(row), time=spells.time, event=spells.event, entry=spells.entry, weights=spells.weights,
        cluster=cluster,
    )  # fmt: skip
    return replace(design, data=rows_of_spells, x=design.x[row])
