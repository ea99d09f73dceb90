"""Log-rank tests: all weightings and strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import (
    AnalysisWarning,
    FewEvents,
    InputError,
    NotEstimable,
    RowAccount,
    SmallStratum,
    SuspiciousValues,
    raise_all,
    warn_all,
)
from analysis.kernels.counts import Counts, LogRankSums, Weighting, logrank_sums, score_chi_square
from analysis.kernels.tails import chi_square_tail
from analysis.survival.rows import Compared, choice_problems, counted_groups, label_column, listed, number_problems

# Below these the chi-square approximation of a log-rank test is not to be leaned on.
FEW_EVENTS, SMALL_GROUP = 10, 5


@dataclass(frozen=True, eq=False)
class LogRank(RowAccount):
    """A test of equal hazards.

    Attributes
    ----------
    statistic, df, p_value, log10_p
        Chi-square, its degrees of freedom, its p-value, and the p-value's base-10 logarithm, finite where that
        underflows. NaN with 0 degrees of freedom where the weights leave nothing to compare.
    groups : DataFrame
        Columns stratum, n, observed, expected (weighted when the test is).
    test : str
        What was run: the weighting with its parameters, "trend", or "gray".
    strata : tuple of str
        Columns within whose levels the comparison was made; and the row account.
    """

    statistic: float
    df: int
    p_value: float
    log10_p: float
    groups: pd.DataFrame
    test: str
    strata: tuple[str, ...]


def logrank_test(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str,
    strata: str | Sequence[str] | None = None,
    weighting: Weighting = "logrank",
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Log-rank test of equal hazards in all groups, weighted and stratified as asked.

    Parameters
    ----------
    cohort, endpoint
        As in `kaplan_meier`; late entry is respected.
    by : str
        Column of the groups.
    strata : str or sequence of str, optional
        Columns within whose combinations groups are compared; observed, expected and covariance are summed over them.
    weighting : {"logrank", "gehan-breslow", "tarone-ware", "peto", "modified-peto", "fleming-harrington"}
        Weights of the event times: 1, n, sqrt(n), Peto and Peto's survival estimate, that times n / (n + 1), or
        S(t-)^rho (1 - S(t-))^gamma.
    rho, gamma : float
        Zero or more, with "fleming-harrington" only. rho = 1 weights early, gamma = 1 late differences.

    Returns
    -------
    LogRank

    Raises
    ------
    CohortError
        When the columns cannot be used; InputError when an option is not allowed.
    NotEstimable
        With fewer than 2 groups, no events, or no event time at which two groups were at risk and not all had the
        event.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    FewEvents
        With fewer than 10 events: the chi-square approximation is rough.
    SmallStratum
        When a group has fewer than 5 rows.

    Notes
    -----
    Equals ``survdiff(Surv(time, event) ~ by + strata(), rho = )`` of R where that offers the weighting. Mantel, Cancer
    Chemother Rep 50 (1966) 163; Fleming and Harrington, Counting Processes and Survival Analysis (Wiley 1991), ch. 7.

    Examples
    --------
    >>> from analysis import Endpoint, logrank_test
    >>> cohort = pd.DataFrame({"months": range(1, 21), "died": 1, "arm": ["a", "b"] * 5 + ["b", "b"] * 5})
    >>> test = logrank_test(cohort, Endpoint("months", "died"), by="arm")
    >>> round(test.statistic, 4), test.df, test.groups["observed"].tolist()
    (10.2248, 1, [5.0, 15.0])
    """
    check_weighting(weighting, rho, gamma)
    counts, groups = counted_groups(cohort, endpoint, by=by, strata=strata)
    names = listed(strata)
    test = logrank_of_counts(counts, groups, by=by, strata=names, weighting=weighting, rho=rho, gamma=gamma)
    warn_all(test.warnings)
    return test


def check_weighting(weighting: Weighting, rho: float, gamma: float) -> None:
    """Refuse weights of event times that mean nothing, all at once."""
    problems = choice_problems("weighting", weighting, get_args(Weighting))
    problems += number_problems("rho", rho, low=0) + number_problems("gamma", gamma, low=0)
    if weighting != "fleming-harrington" and (rho != 0 or gamma != 0):
        problems.append(f"rho={rho!r}, gamma={gamma!r} belong to weighting='fleming-harrington', not {weighting!r}")
    raise_all(problems, InputError)


def logrank_of_counts(
    counts: Counts,
    groups: Compared,
    *,
    by: str,
    strata: tuple[str, ...],
    weighting: Weighting,
    rho: float,
    gamma: float,
) -> LogRank:
    """The test of counts whose columns are the groups and whose segments are the strata."""
    found = checked_sizes(groups.labels, groups.sizes, int(counts.n_event.sum()), by)
    sums = logrank_sums(counts, weighting=weighting, rho=rho, gamma=gamma)
    statistic, df = score_chi_square(sums.observed - sums.expected, sums.covariance)
    if df == 0:
        found.append(_nothing_left(counts, by, strata, weighting))
    parameters = f" (rho = {rho:g}, gamma = {gamma:g})" if weighting == "fleming-harrington" else ""
    return chi_square_result(groups, statistic, df, sums, test=weighting + parameters, strata=strata, found=found)


def checked_groups(labels: Sequence[str], codes: IntArray, n_event: int, by: str) -> list[AnalysisWarning]:
    """What must be said of the groups of a test; too few of them, or no events, and there is no test."""
    return checked_sizes(labels, np.bincount(codes, minlength=len(labels)), n_event, by)


def checked_sizes(labels: Sequence[str], sizes: IntArray, n_event: int, by: str) -> list[AnalysisWarning]:
    """The same of groups whose rows are counted."""
    problems = []
    if len(labels) < 2:
        problems.append(f"need at least 2 groups to compare, column {by!r} holds {len(labels)} ({first_few(labels)})")
    if not n_event:
        problems.append("no events: nothing can be compared")
    raise_all(problems, NotEstimable)
    found: list[AnalysisWarning] = []
    small = [f"{label!r} has {size}" for label, size in zip(labels, sizes, strict=True) if size < SMALL_GROUP]
    if small:
        found.append(SmallStratum(f"groups of fewer than {SMALL_GROUP} rows in {by!r}: {first_few(small)}"))
    if n_event < FEW_EVENTS:
        found.append(FewEvents(f"{n_event} events in all, fewer than {FEW_EVENTS}: the p-value is approximate"))
    return found


def _nothing_left(counts: Counts, by: str, strata: tuple[str, ...], weighting: Weighting) -> AnalysisWarning:
    """A word when only the weights leave nothing to compare; an error when nothing was there."""
    sums = logrank_sums(counts)
    if score_chi_square(sums.observed, sums.covariance)[1] == 0:
        raise NotEstimable(no_information(counts, by, strata))
    return FewEvents(f"{weighting}: the weight is zero wherever two groups of {by!r} are at risk; the test is void")


def no_information(counts: Counts, by: str, strata: tuple[str, ...]) -> str:
    """Why there is nothing to compare."""
    times = np.unique(counts.time[counts.n_event.any(axis=1)])
    if len(times) == 1:
        return f"no information: all events at one time ({times[0]:g}), and nobody who was at risk then lived on"
    where = f" within a stratum of {first_few(map(repr, strata))}" if strata else ""
    return f"no information: at no event time were two groups of {by!r} at risk together{where}"


def chi_square_result(
    groups: Compared,
    statistic: float,
    df: int,
    sums: LogRankSums,
    *,
    test: str,
    strata: tuple[str, ...],
    found: list[AnalysisWarning],
) -> LogRank:
    """The test with its groups and its account of the rows."""
    p_value, log10_p = chi_square_tail(statistic, df) if df else (np.nan, np.nan)
    table = pd.DataFrame(
        {
            "stratum": label_column(groups.labels, groups.labels),
            "n": groups.sizes,
            "observed": sums.observed,
            "expected": sums.expected,
        }
    )
    return LogRank(
        statistic=statistic, df=df, p_value=p_value, log10_p=log10_p, groups=table, test=test, strata=strata,
        **{**groups.account, "warnings": (*groups.warnings, *found)},
    )  # fmt: skip


def logrank_trend(
    cohort: pd.DataFrame, endpoint: Endpoint, *, by: str, scores: Sequence[float] | None = None
) -> LogRank:
    """Log-rank test for a trend of the hazard over ordered groups, 1 degree of freedom.

    With scores s, the statistic is (s'(O - E))^2 / (s'Vs), V being the covariance of the log-rank test.

    Parameters
    ----------
    cohort, endpoint, by
        As in `logrank_test`; the groups in stratum order.
    scores : sequence of float, optional
        One a group; 1, 2, ..., k by default.

    Returns
    -------
    LogRank

    Raises
    ------
    InputError
        When there is not one finite score a group, or all are equal; otherwise as `logrank_test`.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.
    SuspiciousValues
        When the groups are text that reads as numbers ("1", "10", "2"), whose order is the alphabet's.
    FewEvents, SmallStratum
        As `logrank_test`.

    Notes
    -----
    Tarone, Biometrika 62 (1975) 679. From ``survdiff(Surv(time, event) ~ by)`` of R, its obs, exp and var.

    Examples
    --------
    >>> from analysis import Endpoint, logrank_trend
    >>> cohort = pd.DataFrame({"months": range(1, 16), "died": 1, "level": [3, 3, 2, 2, 1, 1] * 2 + [3, 2, 1]})
    >>> round(logrank_trend(cohort, Endpoint("months", "died"), by="level").statistic, 4)
    1.5002
    """
    counts, groups = counted_groups(cohort, endpoint, by=by)
    labels = groups.labels
    found = checked_sizes(labels, groups.sizes, int(counts.n_event.sum()), by)
    score = np.arange(1.0, len(labels) + 1) if scores is None else _scores(scores, labels)
    sums = logrank_sums(counts)
    variance = float(score @ sums.covariance @ score)
    if score_chi_square(sums.observed - sums.expected, sums.covariance)[1] == 0 or variance <= 0:
        raise NotEstimable(no_information(counts, by, ()))
    statistic = float(score @ (sums.observed - sums.expected)) ** 2 / variance
    found += _text_order(cohort[by], labels)
    test = chi_square_result(groups, statistic, 1, sums, test="trend", strata=(), found=found)
    warn_all(test.warnings)
    return test


def _text_order(column: pd.Series, labels: Sequence[str]) -> tuple[AnalysisWarning, ...]:
    """A warning when labels are text that reads as numbers, and stand in another order than the numbers."""
    numbers = pd.to_numeric(pd.Series(labels), errors="coerce")
    if isinstance(column.dtype, pd.CategoricalDtype) or numbers.isna().any() or numbers.is_monotonic_increasing:
        return ()
    return (
        SuspiciousValues(
            f"groups of {column.name!r} are text in alphabetical order, {first_few(labels)}, which is not that of the"
            " numbers they read as: convert the column to numbers, or to a categorical in the order meant"
        ),
    )


def _scores(scores: Sequence[float], labels: Sequence[str]) -> FloatArray:
    """The scores as given, if they can order the groups."""
    given = np.asarray(scores)
    if given.shape == (len(labels),) and given.dtype.kind in "iuf":
        values = given.astype(np.float64)
        if np.isfinite(values).all() and (values != values[0]).any():
            return values
    raise InputError(
        f"scores={scores!r}: give a number to each of the {len(labels)} groups ({first_few(labels)}), not all equal"
    )
