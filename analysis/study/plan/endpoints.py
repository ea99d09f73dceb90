"""The outcomes of a plan: columns of the file, or columns that are made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from analysis.cohort.columns import Endpoint
from analysis.cohort.units import TimeUnit
from analysis.errors import InputError
from analysis.study.plan.times import MadeColumns


def endpoints_of(
    tables: Sequence[Mapping[str, Any]], problems: list[str]
) -> tuple[tuple[Endpoint, ...], tuple[MadeColumns, ...]]:
    """The outcomes, and what is made for them; what is wrong with a table is added to `problems`."""
    endpoints: list[Endpoint] = []
    made: list[MadeColumns] = []
    for table in tables:
        columns = _columns(table)
        label = table.get("name", "")
        if set(table) & {"start", "negative", "where"} or len(columns.durations) > 1:
            made.append(columns)
        try:
            unit = table.get("time_unit", "months")
            endpoints.append(
                Endpoint(columns.duration, columns.event, entry=columns.entry, label=label, time_unit=unit)
            )
        except InputError as error:
            problems += error.problems
    return tuple(endpoints), tuple(made)


def combination_problems(tables: object) -> list[str]:
    """Keys of [[endpoints]] that are missing, or do not go together; what is no table is left to others."""
    listed = tables if isinstance(tables, list) else []
    return [
        f"[[endpoints]] number {number}: {problem}"
        for number, table in enumerate(listed, start=1)
        if isinstance(table, dict)
        for problem in _key_problems(table)
    ]


def _key_problems(table: Mapping[str, Any]) -> list[str]:
    """Keys that are missing, or do not go together."""
    problems = []
    if "duration" not in table and not {"start", "end"} <= set(table):
        problems.append("no 'duration' (or start and end, columns of dates)")
    if "duration" in table and set(table) & {"start", "end"}:
        problems.append("duration beside start or end: give the time, or the dates it is made from")
    if "event" not in table and "negative" not in table:
        problems.append("no 'event' (or negative, where the sign of the duration tells it)")
    if "event" in table and "negative" in table:
        problems.append("event beside negative: give the column, or say what the sign of the duration means")
    if "negative" in table and "duration" not in table:
        problems.append("negative needs duration, a column of times with a sign")
    if "format" in table and "start" not in table:
        problems.append("format is of the dates in start and end, which are not given")
    if not table.get("duration", True) or not table.get("end", True):
        problems.append("an empty list names no column")
    unit = table.get("time_unit", "months")
    if "start" in table and unit not in get_args(TimeUnit):
        problems.append(f"time_unit = {unit!r}: times made from dates are in days, weeks, months or years")
    return problems


def _columns(table: Mapping[str, Any]) -> MadeColumns:
    """The columns of an outcome, named for what they are made from."""
    durations, ends = (_listed(table.get(key, ())) for key in ("duration", "end"))
    start, event, entry, where = (table.get(key) for key in ("start", "event", "entry", "where"))
    name = table.get("name") or event or "the endpoint"
    time = f"{start} to {_latest(ends)}" if start is not None else _latest(durations)
    negative = table.get("negative", "")
    if negative:
        time, event_name = f"{time} without sign", f"{time} {'above' if negative == 'censored' else 'below'} 0"
    else:
        event_name = str(event)
    suffix = f" ({name})" if where is not None else ""
    return MadeColumns(
        endpoint=name,
        duration=time + suffix,
        event=event_name + suffix,
        entry=entry if entry is None else entry + suffix,
        durations=durations,
        start=start,
        ends=ends,
        date_format=table.get("format"),
        unit=table.get("time_unit", "months"),
        event_from=event,
        entry_from=entry,
        negative=negative,
        where=where,
    )


def _latest(names: Sequence[str]) -> str:
    """What the latest of several columns is called."""
    return names[0] if len(names) == 1 else f"the later of {' and '.join(names)}"


def _listed(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name or several."""
    return (names,) if isinstance(names, str) else tuple(names)
