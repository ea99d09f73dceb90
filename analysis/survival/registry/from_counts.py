"""Curves, log-rank tests and risk tables from counts alone, equal to those of the rows to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.errors import CohortError, warn_all
from analysis.kernels.counts import ConfType, Counts, Weighting, count
from analysis.kernels.times import merge_near_ties
from analysis.survival.curves import check_curve_options, curves_of_counts, joined, risk_of_counts, so_far
from analysis.survival.group_tests import LogRank, check_weighting, logrank_of_counts
from analysis.survival.registry.event_counts import checked_counts, shared_levels
from analysis.survival.rows import CohortCounts, group_rows, times_given


def kaplan_meier_from_counts(
    counts: pd.DataFrame, *, conf_level: float = 0.95, conf_type: ConfType = "log-log"
) -> pd.DataFrame:
    """Kaplan-Meier curves from counts, one for each stratum.

    Parameters
    ----------
    counts : DataFrame
        As `event_counts` or `add_counts` returns them. Near-equal times are merged here, once, on the sum.
    conf_level, conf_type
        As in `kaplan_meier`.

    Returns
    -------
    DataFrame
        As `kaplan_meier` returns it, and fit for `restricted_mean`, `survival_at` and its siblings: equal to
        ``kaplan_meier(rows, endpoint, by=by, engine="kernel")`` of the rows that were counted.

    Raises
    ------
    CohortError
        When the counts cannot be used, or more leave at a time than are at risk; InputError for options.

    Warns
    -----
    EarlyZero

    Notes
    -----
    Equals ``survfit`` of R on the rows.

    Examples
    --------
    >>> from analysis import Endpoint, event_counts, kaplan_meier_from_counts
    >>> counts = event_counts(pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]}), Endpoint("months", "died"))
    >>> kaplan_meier_from_counts(counts)["survival"].tolist()
    [1.0, 0.75, 0.5, 0.5]
    """
    check_curve_options(conf_level, conf_type)
    rows, labels = _together([counts])
    at_start = np.bincount(rows["code"], rows["n_entry"].where(rows["time"] == 0, 0), len(labels))
    table = _kernel_counts(rows, rows["code"].to_numpy(), labels)
    curves, warnings = curves_of_counts(
        table, labels, np.asarray(at_start, dtype=np.float64), conf_level=conf_level, conf_type=conf_type
    )  # fmt: skip
    warn_all(warnings)
    return curves


def logrank_test_from_counts(
    *counts: pd.DataFrame, weighting: Weighting = "logrank", rho: float = 0.0, gamma: float = 0.0
) -> LogRank:
    """Log-rank test of equal hazards in the strata of counts.

    Parameters
    ----------
    *counts : DataFrame
        As `event_counts` or `add_counts` returns them, with the groups to compare as strata. Of several frames (one a
        hospital) each is a risk set of its own, within which the groups are compared: the test stratified by hospital.
        To test all rows as one, give ``add_counts(...)`` of them.
    weighting, rho, gamma
        As in `logrank_test`.

    Returns
    -------
    LogRank
        Equal to that of `logrank_test` on the rows (with ``strata`` the hospital); n_read and n_used are the rows that
        were counted, those left out were named then.

    Raises
    ------
    CohortError
        When the counts cannot be used; InputError for options; NotEstimable as `logrank_test`.

    Warns
    -----
    FewEvents, SmallStratum

    Notes
    -----
    Equals ``survdiff`` of R on the rows.

    Examples
    --------
    >>> from analysis import Endpoint, event_counts, logrank_test_from_counts
    >>> cohort = pd.DataFrame({"months": range(1, 21), "died": 1, "arm": ["a", "b"] * 5 + ["b", "b"] * 5})
    >>> test = logrank_test_from_counts(event_counts(cohort, Endpoint("months", "died"), by="arm"))
    >>> round(test.statistic, 4), test.n_used
    (10.2248, 20)
    """
    check_weighting(weighting, rho, gamma)
    rows, labels = _together(counts)
    sizes = np.bincount(rows["code"], rows["n_event"] + rows["n_censor"], len(labels)).astype(np.int64)
    n = int(sizes.sum())
    table = _kernel_counts(rows, rows["part"].to_numpy(), labels, groups=rows["code"].to_numpy())
    test = logrank_of_counts(
        CohortCounts(counts=table, labels=labels, sizes=sizes, n_read=n, n_used=n, dropped={}, warnings=()),
        by="stratum",
        strata=("counts",) if len(counts) > 1 else (),
        weighting=weighting,
        rho=rho,
        gamma=gamma,
    )
    warn_all(test.warnings)
    return test


def risk_table_from_counts(counts: pd.DataFrame, *, times: ArrayLike) -> pd.DataFrame:
    """Numbers at risk at given times, with events and censorings so far, from counts.

    Parameters
    ----------
    counts : DataFrame
        As `event_counts` or `add_counts` returns them.
    times : sequence of numbers
        In the unit of the follow-up; may lie beyond it.

    Returns
    -------
    DataFrame
        As `risk_table` returns it: columns stratum, time, n_risk, n_event, n_censor.

    Raises
    ------
    CohortError
        When the counts cannot be used; InputError when a time is negative or no number.

    Examples
    --------
    >>> from analysis import Endpoint, event_counts, risk_table_from_counts
    >>> counts = event_counts(pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]}), Endpoint("months", "died"))
    >>> risk_table_from_counts(counts, times=[0, 3, 6])[["n_risk", "n_event", "n_censor"]]
       n_risk  n_event  n_censor
    0       4        0         0
    1       3        2         1
    2       0        2         2
    """
    at = times_given(times)
    rows, labels = _together([counts])
    parts = [_one_risk_table(rows[rows["code"] == code], at) for code in range(len(labels))]
    return joined(parts, labels)


def _together(counts: Sequence[pd.DataFrame]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The counts of all parts in one frame, near-tied times merged, with the codes of stratum and part."""
    parts = checked_counts(counts)
    levels = shared_levels([list(part["stratum"].cat.categories) for part in parts])
    relevelled = [
        part.assign(stratum=part["stratum"].cat.set_categories(levels, ordered=True), part=index)
        for index, part in enumerate(parts)
    ]
    rows = pd.concat(relevelled, ignore_index=True)
    rows = rows[(rows[["n_entry", "n_event", "n_censor"]] > 0).any(axis=1)]
    if rows.empty:
        raise CohortError("the counts hold nobody")
    groups = group_rows(rows, ["stratum"])
    part = np.unique(rows["part"], return_inverse=True)[1]
    return rows.assign(time=_merged_times(rows), code=groups.codes, part=part), groups.labels


def _merged_times(rows: pd.DataFrame) -> FloatArray:
    """Times with near-ties merged; time 0 is one of them only when somebody left at it, or others entered late."""
    time, n_entry = rows["time"].to_numpy(copy=True), rows["n_entry"].to_numpy()
    late = ((n_entry > 0) & (time > 0)).any()
    merging = ((rows["n_event"] + rows["n_censor"]).to_numpy() > 0) | (late & (n_entry > 0))
    time[merging] = merge_near_ties(time[merging])[0]
    return time


def _kernel_counts(
    rows: pd.DataFrame, segment: IntArray, labels: Sequence[str], *, groups: IntArray | None = None
) -> Counts:
    """The counts of the kernels: events and censorings as weighted rows, then those who enter later taken off."""
    group, n_groups = (np.zeros_like(segment), 1) if groups is None else (groups, len(labels))
    parts = [(kind, rows[kind].to_numpy() > 0) for kind in ("n_event", "n_censor")]
    exits = count(
        np.concatenate([rows["time"].to_numpy()[of_kind] for _, of_kind in parts]),
        np.concatenate([np.full(of_kind.sum(), kind == "n_event") for kind, of_kind in parts]),
        weights=np.concatenate([rows[kind].to_numpy()[of_kind] for kind, of_kind in parts]),
        segment=np.concatenate([segment[of_kind] for _, of_kind in parts]),
        group=np.concatenate([group[of_kind] for _, of_kind in parts]),
        n_segments=int(segment.max()) + 1,
        n_groups=n_groups,
    )
    n_entry, n_risk = np.zeros_like(exits.n_entry), exits.n_risk.copy()
    # Who is there from the start is at risk at time 0 already.
    entry = np.where(rows["time"] > 0, rows["time"], -np.inf)
    for code, index in enumerate(exits.segments):
        entered = segment == code
        first = np.searchsorted(exits.time[index], entry[entered], side="right")
        shape = (index.stop - index.start + 1, n_groups)
        sums = np.bincount(first * n_groups + group[entered], rows["n_entry"][entered], shape[0] * shape[1])
        table = sums.reshape(shape)
        n_entry[index] = table[:-1]
        n_risk[index] -= np.cumsum(table[:0:-1], axis=0)[::-1]
    short = (n_risk < exits.n_event + exits.n_censor).any(axis=1)
    if short.any():
        raise CohortError(
            f"more leave at time {exits.time[short][0]:g} than are at risk: entries and exits are not those of one set"
            " of rows, or a row entered at its own end"
        )
    return replace(exits, n_entry=n_entry, n_risk=n_risk)


def _one_risk_table(rows: pd.DataFrame, at: FloatArray) -> pd.DataFrame:
    """The counts of one stratum at the times."""
    rows = rows.sort_values("time")
    time = rows["time"].to_numpy()
    n_entry, n_event, n_censor = (rows[name].to_numpy() for name in ("n_entry", "n_event", "n_censor"))
    late = n_entry * (time > 0)
    entered = n_entry.sum() - late.sum() + so_far(time, late, at, side="left")
    n = {"n_event": n_event, "n_censor": n_censor, "n_left": n_event + n_censor}
    return risk_of_counts(time, at, entered=entered, **n)
