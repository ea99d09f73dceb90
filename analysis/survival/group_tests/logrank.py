"""Log-rank tests: all weightings and strata, for trend, and of every pair of groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import AnalysisWarning, FewEvents, InputError, NotEstimable, RowAccount, raise_all, warn_all
from analysis.kernels.counts import LogRankSums, Weighting, logrank_sums, score_chi_square
from analysis.kernels.tails import chi_square_tail
from analysis.survival.printing import Printed, chi_square_text, event_count, rows_text, significant
from analysis.survival.rows import CohortCounts, label_column, listed, read_counts, survival_data

Adjustment = Literal["holm", "bh", "bonferroni"]
HEADINGS = {
    "logrank": "Log-rank test",
    "gehan-breslow": "Gehan-Breslow (generalised Wilcoxon) test",
    "tarone-ware": "Tarone-Ware test",
    "peto": "Peto-Peto test",
    "modified-peto": "Modified Peto-Peto test",
    "fleming-harrington": "Fleming-Harrington test",
}
"""What each weighting prints as."""
# Below these the chi-square approximation of a log-rank test is not to be leaned on.
FEW_EVENTS, SMALL_GROUP = 10, 5


@dataclass(frozen=True, eq=False, repr=False)
class LogRank(Printed, RowAccount):
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

    Examples
    --------
    >>> from analysis import load_example
    >>> logrank_test(load_example("lung"), Endpoint("os_days", "os_event"), by="sex")
    Log-rank test of equal hazards
    n = 228
    stratum   n observed expected (O-E)^2/E
          1 138      112    91.58     4.552
          2  90       53    73.42     5.678
    Chi-square = 10.33 on 1 df, p = 0.0013
    """

    statistic: float
    df: int
    p_value: float
    log10_p: float
    groups: pd.DataFrame
    test: str
    strata: tuple[str, ...]

    def _printed(self) -> tuple[list[str], pd.DataFrame, list[str]]:
        within = f", within strata of {', '.join(self.strata)}" if self.strata else ""
        groups = self.groups.assign(**self.groups[["observed", "expected"]].map(event_count))
        if self.test == "logrank":
            share = (self.groups["observed"] - self.groups["expected"]) ** 2 / self.groups["expected"]
            groups = groups.assign(**{"(O-E)^2/E": share.map(significant)})
        last = chi_square_text("Chi-square", self.statistic, self.df, self.p_value)
        return [self._heading + within, rows_text(self.n_used, None, self.dropped)], groups, [last]

    @property
    def _heading(self) -> str:
        """The name of the test and what it tests."""
        name, _, parameters = self.test.partition(" ")
        if name == "gray":
            return f"Gray's test of equal cumulative incidence {parameters}"
        if name == "trend":
            return "Log-rank test for a trend of the hazard"
        return f"{HEADINGS[name]} {parameters}".rstrip() + " of equal hazards"


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
    read = read_counts(cohort, endpoint, by=by, strata=strata, compared=True)
    test = logrank_of_counts(read, by=by, strata=listed(strata), weighting=weighting, rho=rho, gamma=gamma)
    warn_all(test.warnings)
    return test


def check_weighting(weighting: Weighting, rho: float, gamma: float) -> None:
    """Refuse weights of event times that mean nothing, all at once."""
    problems = errors.choice_problems("weighting", weighting, get_args(Weighting))
    problems += errors.number_problems("rho", rho, low=0) + errors.number_problems("gamma", gamma, low=0)
    if weighting != "fleming-harrington" and (rho != 0 or gamma != 0):
        problems.append(f"rho={rho!r}, gamma={gamma!r} belong to weighting='fleming-harrington', not {weighting!r}")
    raise_all(problems, InputError)


def logrank_of_counts(
    read: CohortCounts, *, by: str, strata: tuple[str, ...], weighting: Weighting, rho: float, gamma: float
) -> LogRank:
    """The test of counts whose columns are the groups and whose segments are the strata."""
    warnings = checked_groups(read.labels, read.sizes, int(read.counts.n_event.sum()), by)
    sums = logrank_sums(read.counts, weighting=weighting, rho=rho, gamma=gamma)
    statistic, df = score_chi_square(sums.observed - sums.expected, sums.covariance)
    if df == 0:
        plain = logrank_sums(read.counts)
        if score_chi_square(plain.observed, plain.covariance)[1] == 0:
            raise NotEstimable(no_information(read, by, strata))
        words = f"{weighting}: the weight is zero wherever two groups of {by!r} are at risk; the test is void"
        warnings.append(FewEvents(words))
    parameters = f" (rho = {rho:g}, gamma = {gamma:g})" if weighting == "fleming-harrington" else ""
    return chi_square_result(read, statistic, df, sums, test=weighting + parameters, strata=strata, warnings=warnings)


def checked_groups(labels: Sequence[str], sizes: IntArray, n_event: int, by: str) -> list[AnalysisWarning]:
    """Warnings on the groups of a test; with too few groups, or no events, there is no test."""
    problems = []
    if len(labels) < 2:
        problems.append(f"need at least 2 groups to compare, column {by!r} holds {len(labels)} ({first_few(labels)})")
    if not n_event:
        problems.append("no events: nothing can be compared")
    raise_all(problems, NotEstimable)
    warnings: list[AnalysisWarning] = []
    small = [f"{label!r} has {size}" for label, size in zip(labels, sizes, strict=True) if size < SMALL_GROUP]
    if small:
        warnings.append(errors.SmallStratum(f"groups of fewer than {SMALL_GROUP} rows in {by!r}: {first_few(small)}"))
    if n_event < FEW_EVENTS:
        warnings.append(FewEvents(f"{n_event} events in all, fewer than {FEW_EVENTS}: the p-value is approximate"))
    return warnings


def no_information(read: CohortCounts, by: str, strata: tuple[str, ...]) -> str:
    """Why there is nothing to compare."""
    times = np.unique(read.counts.time[read.counts.n_event.any(axis=1)])
    if len(times) == 1:
        return f"no information: all events at one time ({times[0]:g}), and nobody who was at risk then lived on"
    where = f" within a stratum of {first_few(map(repr, strata))}" if strata else ""
    return f"no information: at no event time were two groups of {by!r} at risk together{where}"


def chi_square_result(
    read: CohortCounts,
    statistic: float,
    df: int,
    sums: LogRankSums,
    *,
    test: str,
    strata: tuple[str, ...],
    warnings: list[AnalysisWarning],
) -> LogRank:
    """The test with its groups and the row account."""
    p_value, log10_p = chi_square_tail(statistic, df) if df else (np.nan, np.nan)
    table = pd.DataFrame(
        {
            "stratum": label_column(read.labels, read.labels),
            "n": read.sizes,
            "observed": sums.observed,
            "expected": sums.expected,
        }
    )
    return LogRank(
        statistic=statistic, df=df, p_value=p_value, log10_p=log10_p, groups=table, test=test, strata=strata,
        **{**read.account, "warnings": (*read.warnings, *warnings)},
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
    read = read_counts(cohort, endpoint, by=by, compared=True)
    labels, counts = read.labels, read.counts
    warnings = checked_groups(labels, read.sizes, int(counts.n_event.sum()), by)
    score = np.arange(1.0, len(labels) + 1) if scores is None else _scores(scores, labels)
    sums = logrank_sums(counts)
    variance = float(score @ sums.covariance @ score)
    if score_chi_square(sums.observed - sums.expected, sums.covariance)[1] == 0 or variance <= 0:
        raise NotEstimable(no_information(read, by, ()))
    statistic = float(score @ (sums.observed - sums.expected)) ** 2 / variance
    warnings += _text_order(cohort[by], labels)
    test = chi_square_result(read, statistic, 1, sums, test="trend", strata=(), warnings=warnings)
    warn_all(test.warnings)
    return test


def _text_order(column: pd.Series, labels: Sequence[str]) -> tuple[AnalysisWarning, ...]:
    """A warning when labels are text that reads as numbers, and stand in another order than the numbers."""
    numbers = pd.to_numeric(pd.Series(labels), errors="coerce")
    if isinstance(column.dtype, pd.CategoricalDtype) or numbers.isna().any() or numbers.is_monotonic_increasing:
        return ()
    return (
        errors.SuspiciousValues(
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


def pairwise_logrank(cohort: pd.DataFrame, endpoint: Endpoint, *, by: str, adjust: Adjustment = "holm") -> pd.DataFrame:
    """Log-rank tests of every pair of groups, each on the rows of the pair alone, with adjusted p-values.

    Parameters
    ----------
    cohort, endpoint, by
        As in `logrank_test`.
    adjust : {"holm", "bh", "bonferroni"}
        Holm (family-wise error), Benjamini and Hochberg (false discovery rate) or Bonferroni.

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, statistic, p_value, p_adjusted; pairs in stratum order. A pair that holds no
        information (no events) is NaN, with a warning, and does not count in the adjustment.

    Raises
    ------
    CohortError, InputError, NotEstimable
        As `logrank_test`.

    Warns
    -----
    RowsDropped, SmallStratum, FewEvents

    Notes
    -----
    Equals ``survdiff`` of R pair by pair and ``p.adjust``.

    Examples
    --------
    >>> from analysis import Endpoint, pairwise_logrank
    >>> cohort = pd.DataFrame({"months": range(1, 31), "died": 1, "arm": ["a", "a", "b", "c", "b", "c"] * 5})
    >>> pairwise_logrank(cohort, Endpoint("months", "died"), by="arm")[["stratum_a", "stratum_b"]].to_numpy().tolist()
    [['a', 'b'], ['a', 'c'], ['b', 'c']]
    """
    raise_all(errors.choice_problems("adjust", adjust, get_args(Adjustment)), InputError)
    read = read_counts(cohort, endpoint, by=by, compared=True)
    labels, counts = read.labels, read.counts
    warnings = checked_groups(labels, read.sizes, int(counts.n_event.sum()), by)
    pairs = list(combinations(range(len(labels)), 2))
    statistics = np.full(len(pairs), np.nan)
    for index, pair in enumerate(pairs):
        sums = logrank_sums(replace(counts, n_risk=counts.n_risk[:, list(pair)], n_event=counts.n_event[:, list(pair)]))
        statistics[index] = score_chi_square(sums.observed - sums.expected, sums.covariance)[0]
    silent = [
        f"{labels[a]} and {labels[b]}" for (a, b), value in zip(pairs, statistics, strict=True) if np.isnan(value)
    ]
    if silent:
        warnings.append(FewEvents(f"pairs of {by!r} that hold no information, left undefined: {first_few(silent)}"))
    p_values = np.array([np.nan if np.isnan(value) else chi_square_tail(value, 1)[0] for value in statistics])
    warn_all((*read.warnings, *warnings))
    return pd.DataFrame(
        {
            "stratum_a": label_column([labels[a] for a, _ in pairs], labels),
            "stratum_b": label_column([labels[b] for _, b in pairs], labels),
            "statistic": statistics,
            "p_value": p_values,
            "p_adjusted": adjusted(p_values, adjust),
        }
    )


def adjusted(p_values: FloatArray, method: str) -> FloatArray:
    """P-values adjusted for their number (those that are not NaN), as ``p.adjust`` of R.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03]), "holm").round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    n, rank = len(order), np.arange(1, len(order) + 1)
    p_sorted = p_values[order]
    if method == "bonferroni":
        values = p_sorted * n
    elif method == "holm":
        values = np.maximum.accumulate(p_sorted * (n - rank + 1))
    else:
        values = np.minimum.accumulate((p_sorted * n / rank)[::-1])[::-1]
    result = np.full(len(p_values), np.nan)
    result[order] = np.minimum(values, 1.0)
    return result


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
    if endpoint.entry is not None:
        raise errors.NotSupported("lifelines' log-rank test does not know late entry")
    from lifelines.statistics import multivariate_logrank_test

    with np.errstate(all="ignore"):
        test = multivariate_logrank_test(data.time, data.by.codes, data.event)
    return float(test.test_statistic)
