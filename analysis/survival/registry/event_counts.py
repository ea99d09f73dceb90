"""Counts of a cohort by stratum and time: all that curves, log-rank tests and risk tables need, added up at will."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint, first_few, numbers, rows_where, stratum_label
from analysis.errors import AnalysisWarning, InputError, raise_all, warn_all
from analysis.survival.registry.sources import keeps_order, missing_columns, sound_part, tally_of
from analysis.survival.rows import check_roles, code_column, group_rows, label_problems, spell_warnings, survival_data

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
    check_roles(endpoint, (), by=by)
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
    data = survival_data(cohort, endpoint, by=by)
    time, *entry = (
        numbers(cohort, name, [])[data.position] for name in (endpoint.duration, endpoint.entry) if name is not None
    )
    rows = pd.DataFrame(
        {"stratum": code_column(data.by.codes, data.by.labels), "time": time, "event": data.event, "n": 1}
    )
    entries = rows.assign(entry=entry[0]) if entry else None
    remedy = "count one row a patient, or read n_censor as ends of rows"
    warnings = (*data.warnings, *spell_warnings(cohort, endpoint, data, remedy=remedy))
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
