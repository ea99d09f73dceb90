"""Counts of a cohort by stratum and time, added up at will; from them alone curves, log-rank tests and risk tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few, numbers, rows_where, stratum_label
from analysis.errors import AnalysisWarning, CohortError, InputError, raise_all, warn_all
from analysis.kernels.counts import ConfType, Counts, Weighting, count
from analysis.kernels.times import merge_near_ties
from analysis.survival import rows as gate
from analysis.survival.curves import check_curve_options, curves_of_counts, joined, risk_of_counts, so_far
from analysis.survival.group_tests import LogRank, check_weighting, logrank_of_counts
from analysis.survival.registry.sources import keeps_order, missing_columns, sound_part, tally_of
from analysis.survival.rows import code_column, group_rows, label_problems

COUNT_COLUMNS = ("n_entry", "n_event", "n_censor")


def event_counts(source: object, endpoint: Endpoint, *, by: str | None = None) -> pd.DataFrame:
    """Count who came under observation, had the event and was censored at each time of each stratum.

    These counts are all that a Kaplan-Meier curve, a log-rank test, a risk table and a restricted mean need, so a
    registry is scanned once, where it lies, and the counts of several hospitals add up to those of the pooled rows
    without a row leaving its hospital: see `add_counts`.

    Parameters
    ----------
    source : DataFrame, str or Path, DuckDBPyRelation, dask.dataframe.DataFrame, or a frame that speaks Arrow
        A path is a Parquet file, or a folder whose ``*.parquet`` files are read together; it may be larger than memory
        (DuckDB scans it in about 300 MB; the extra ``registry``). A DuckDB relation is counted by its own connection, a
        Dask frame partition by partition on whatever cluster it has (the extra ``cluster``). Frames of polars, pyarrow
        and others with ``__arrow_c_stream__`` are taken as they are.
    endpoint : Endpoint
        Where the outcome is; late entry is counted too.
    by : str, optional
        Column of strata; without it there is one, "all".

    Returns
    -------
    DataFrame
        Columns stratum (ordered categorical), time, n_entry, n_event, n_censor, sorted: one row for each time at which
        anything happens. Times are those of the source; near-equal ones are merged only when estimates are made. Who
        is under observation from the start (no entry column, or entry at 0) counts at time 0 in n_entry.

    Raises
    ------
    CohortError
        With every fault at once and its number of rows: columns missing or not numbers, negative or infinite times,
        events that are not 0/1, entry at or after the time, no rows left.
    InputError
        When the source is none of these, or DuckDB is needed and not installed.

    Warns
    -----
    RowsDropped
        With the rows that miss a value, by reason.
    SuspiciousValues
        Also when the rows of a frame look like several spells a patient, as `kaplan_meier` says.

    Notes
    -----
    Memory grows with the number of distinct times, not of rows. Strata are in the order of the categories where the
    source stores one (a categorical of pandas, an Enum of
    polars, a Parquet file written by them, an ENUM of DuckDB), else sorted.

    Counts are not anonymous: a time at which one person had the event tells of that person. Before counts leave a
    hospital, round times to whole weeks or months, and ask those who are answerable for the data.

    Examples
    --------
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> event_counts(cohort, Endpoint("months", "died"))
      stratum  time  n_entry  n_event  n_censor
    0     all   0.0        4        0         0
    1     all   2.0        0        1         0
    2     all   3.0        0        1         1
    3     all   5.0        0        0         1
    """
    gate.check_roles(endpoint, (), by=by)
    cohort = _frame_of(source, [*endpoint.columns, *([by] if by is not None else [])])
    counts, warnings = _of_frame(cohort, endpoint, by) if cohort is not None else _of_source(source, endpoint, by)
    warn_all(warnings)
    return counts


def _frame_of(source: object, names: Sequence[str]) -> pd.DataFrame | None:
    """A source in memory as a pandas frame, of the columns that are read; None for another."""
    if isinstance(source, pd.DataFrame):
        return source
    if not hasattr(source, "__arrow_c_stream__") or type(source).__module__.lstrip("_").startswith("duckdb"):
        return None
    import pyarrow as pa

    table = pa.table(source)
    raise_all(missing_columns(names, table.column_names))
    cohort: pd.DataFrame = table.select(list(names)).to_pandas()
    for name in names:
        if isinstance(cohort[name].dtype, pd.CategoricalDtype) and not keeps_order(table.schema, name):
            cohort[name] = cohort[name].astype(cohort[name].cat.categories.dtype)
    return cohort


def _of_frame(
    cohort: pd.DataFrame, endpoint: Endpoint, by: str | None
) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """The counts of a frame through the gate that every estimator uses, at times as they are written."""
    data = gate.survival_data(cohort, endpoint, by=by)
    time, *entry = (
        numbers(cohort, name, [])[data.position] for name in (endpoint.duration, endpoint.entry) if name is not None
    )
    rows = pd.DataFrame(
        {"stratum": code_column(data.by.codes, data.by.labels), "time": time, "event": data.event, "n": 1}
    )
    entries = rows.assign(entry=entry[0]) if entry else None
    remedy = "count one row a patient, or read n_censor as ends of rows"
    warnings = (*data.warnings, *gate.spell_warnings(cohort, endpoint, data, remedy=remedy))
    return _counted(rows, entries, _declared(cohort, by, data.by.labels)), warnings


def _of_source(source: object, endpoint: Endpoint, by: str | None) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """The counts of a source that was counted where it lies."""
    tally = tally_of(source, endpoint, by)
    rows, warnings = sound_part(tally, endpoint, by)
    together = rows if tally.entries is None else pd.concat([rows, tally.entries], ignore_index=True)
    groups = group_rows(together, ["stratum"])
    levels, strata = _declared(rows, "stratum", groups.labels), code_column(groups.codes, groups.labels)
    entries = None if tally.entries is None else tally.entries.assign(stratum=strata[len(rows) :].array)
    return _counted(rows.assign(stratum=strata[: len(rows)].array), entries, levels), warnings


def _counted(rows: pd.DataFrame, entries: pd.DataFrame | None, levels: list[str]) -> pd.DataFrame:
    """The counts of rows (stratum, time, event) and entries (stratum, entry), each there `n` times."""
    had = rows["event"] == 1
    exits = rows[["stratum", "time"]].assign(
        n_entry=0, n_event=rows["n"].where(had, 0), n_censor=rows["n"].mask(had, 0)
    )
    entered = rows.assign(entry=0.0) if entries is None else entries
    entered = entered[["stratum"]].assign(time=entered["entry"], n_entry=entered["n"], n_event=0, n_censor=0)
    return _summed([exits, entered], levels)


def _declared(cohort: pd.DataFrame, by: str | None, labels: Sequence[str]) -> list[str]:
    """The labels with those of empty categories, whose order a hospital without such rows still knows."""
    if by is not None and isinstance(cohort[by].dtype, pd.CategoricalDtype):
        return [stratum_label(value) for value in cohort[by].cat.categories]
    return list(labels)


def _summed(parts: Sequence[pd.DataFrame], levels: list[str]) -> pd.DataFrame:
    """Counts added up by stratum and time, the strata in the order given."""
    relevelled = [part.assign(stratum=part["stratum"].cat.set_categories(levels, ordered=True)) for part in parts]
    together = pd.concat(relevelled, ignore_index=True)
    sums = together.groupby(["stratum", "time"], observed=True)[list(COUNT_COLUMNS)].sum()
    return sums[(sums != 0).any(axis=1)].astype(np.int64).reset_index()


def add_counts(*counts: pd.DataFrame) -> pd.DataFrame:
    """Add the counts of several hospitals, years or files: exactly the counts of their rows put together.

    Parameters
    ----------
    *counts : DataFrame
        As `event_counts` returns them, in one time unit; read back from a file, they may have lost the order of strata.

    Returns
    -------
    DataFrame
        As `event_counts` returns it. Strata keep an order that all parts share: sorted where each is (numbers as
        numbers), else that of the part with the most strata, others after.

    Raises
    ------
    CohortError
        With every fault: columns missing, counts that are negative or not whole, times that are negative or missing,
        a stratum in which more enter than leave, or fewer.
    InputError
        Without any counts.

    Examples
    --------
    Two hospitals, each of which counts its own rows, and the curve of both:

    >>> from analysis import Endpoint, add_counts, event_counts, kaplan_meier_from_counts
    >>> endpoint = Endpoint("months", "died")
    >>> north = event_counts(pd.DataFrame({"months": [2, 3], "died": [1, 0]}), endpoint)
    >>> south = event_counts(pd.DataFrame({"months": [3, 5], "died": [1, 0]}), endpoint)
    >>> kaplan_meier_from_counts(add_counts(north, south))[["time", "n_risk", "n_event", "n_censor", "survival"]]
       time  n_risk  n_event  n_censor  survival
    0   0.0       4        0         0      1.00
    1   2.0       4        1         0      0.75
    2   3.0       3        1         1      0.50
    3   5.0       1        0         1      0.50
    """
    parts = checked_counts(counts)
    return _summed(parts, shared_levels([list(part["stratum"].cat.categories) for part in parts]))


def checked_counts(counts: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Counts that are sound, each with its strata as categories of text; raises with every fault."""
    if not counts:
        raise InputError("no counts given; make them with event_counts")
    problems = [[f"counts {index}: {words}" for words in _faults(part)] for index, part in enumerate(counts, 1)]
    raise_all(list(chain(*problems)))
    return [_labelled(part) for part in counts]


def _faults(counts: object) -> list[str]:
    """What is wrong with one frame of counts."""
    if not isinstance(counts, pd.DataFrame):
        return [f"expected the frame that event_counts returns, got {type(counts).__name__}"]
    problems = missing_columns(["stratum", "time", *COUNT_COLUMNS], list(counts.columns))
    if problems or counts.empty:
        return problems or ["the frame has no rows"]
    for name in ("time", *COUNT_COLUMNS):
        values = numbers(counts, name, problems)
        wrong = {"missing": np.isnan(values), "negative": values < 0}
        if name != "time":
            wrong["not whole"] = (values != np.round(values)) & ~np.isnan(values)
        problems += [f"column {name!r}: {what} in {rows_where(at)}" for what, at in wrong.items() if at.any()]
    if counts["stratum"].isna().any():
        problems.append(f"column 'stratum': missing in {rows_where(counts['stratum'].isna().to_numpy())}")
    problems += label_problems(counts["stratum"])
    return problems or _unequal(_labelled(counts))


def _unequal(counts: pd.DataFrame) -> list[str]:
    """Strata that more enter than leave, or fewer."""
    sums = counts.groupby("stratum", observed=True)[list(COUNT_COLUMNS)].sum()
    left = sums["n_event"] + sums["n_censor"]
    unequal = [
        f"{label!r}: {entered:g} enter, {leave:g} leave"
        for label, entered, leave in zip(sums.index, sums["n_entry"], left, strict=True)
        if entered != leave
    ]
    return [f"everybody who enters leaves, but in stratum {first_few(unequal)}"] if unequal else []


def _labelled(counts: pd.DataFrame) -> pd.DataFrame:
    """The columns of counts, the strata as categories of text."""
    groups = group_rows(counts, ["stratum"])
    strata = code_column(groups.codes, groups.labels).cat.set_categories(_declared(counts, "stratum", groups.labels))
    columns = {name: numbers(counts, name, []) for name in ("time", *COUNT_COLUMNS)}
    return pd.DataFrame({"stratum": strata, **columns})


def shared_levels(parts: Sequence[list[str]]) -> list[str]:
    """The labels of all parts in one order, whatever the order of the parts.

    Examples
    --------
    >>> shared_levels([["2", "10"], ["1", "10"]]), shared_levels([["high"], ["low", "high"]])
    (['1', '2', '10'], ['low', 'high'])
    """
    known = dict.fromkeys(chain(*sorted(parts, key=lambda labels: (-len(labels), labels))))
    orders: tuple[Callable[[str], tuple[float, str]], ...] = (_as_number, lambda label: (0.0, label))
    for order in orders:
        if all(labels == sorted(labels, key=order) for labels in parts):
            return sorted(known, key=order)
    return list(known)


def _as_number(label: str) -> tuple[float, str]:
    """Numbers as numbers, before text."""
    try:
        return float(label), ""
    except ValueError:
        return float("inf"), label


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
        gate.CohortCounts(counts=table, labels=labels, sizes=sizes, n_read=n, n_used=n, dropped={}, warnings=()),
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
    at = gate.times_given(times)
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
    rows = rows[(rows[list(COUNT_COLUMNS)] > 0).any(axis=1)]
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
