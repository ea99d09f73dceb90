"""Follow-up times that a plan makes from other columns: from dates, the later of two, without a sign, of some rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from analysis.cohort.columns import column_problems, first_few, numbers, rows_where, with_columns
from analysis.cohort.dates import SPREADSHEET_EPOCH, time_from_dates
from analysis.cohort.likely_errors import SPREADSHEET_DAYS, repeated_keys
from analysis.cohort.units import TimeUnit
from analysis.errors import AnalysisWarning, InputError, PlanError, SuspiciousValues, raise_all
from analysis.study.plan.conditions import rows_meeting

EXCEL = "excel"
"""The format of dates that are day numbers of a spreadsheet."""

_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d%b%Y", "%d-%b-%Y",
            "%d %b %Y", "%d %B %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y")  # fmt: skip
"""Ways of writing dates that are tried where a plan gives none."""
_LETTERS = (("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"))


@dataclass(frozen=True)
class MadeColumns:
    """An endpoint's columns that are made from others: `duration`, `event` and `entry` name what is made.

    Attributes
    ----------
    duration, event, entry : str
        The columns that are made.
    durations : tuple of str
        Columns of times, of which the latest counts; empty where the time is made of dates.
    start, ends : str, tuple of str
        Columns of dates; of several ends the latest counts.
    event_from, entry_from : str, optional
        The columns that hold the event and the entry; no event where the sign of the time tells it.
    negative : str
        What a time below 0 means where its sign tells the event: "censored" or "event".
    """

    endpoint: str
    duration: str
    event: str
    entry: str | None
    durations: tuple[str, ...]
    start: str | None
    ends: tuple[str, ...]
    date_format: str | None
    unit: str
    event_from: str | None
    entry_from: str | None
    negative: str
    where: str | None

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that they are made from."""
        given = (*self.durations, self.start, *self.ends, self.event_from, self.entry_from)
        return tuple(dict.fromkeys(name for name in given if name is not None))


def with_made_columns(
    cohort: pd.DataFrame, made: Sequence[MadeColumns], key: str | None
) -> tuple[pd.DataFrame, list[AnalysisWarning]]:
    """The cohort with the columns that a plan makes; one row a patient where an endpoint takes some rows only.

    Raises
    ------
    InputError
        With every fault: columns that are not there, cells that are no dates in the format, an end before its start, a
        patient in several rows that an endpoint takes.
    """
    problems: list[str] = []
    warned: list[AnalysisWarning] = []
    sources = dict.fromkeys(name for one in made for name in one.sources)
    raise_all(column_problems(cohort, [*sources, *([key] if key is not None else [])]) if made else [])
    by_rows = [one for one in made if one.where is not None]
    patients = _one_row_each(cohort, str(key), list(sources), warned) if by_rows else cohort
    columns: dict[str, pd.Series] = {}
    for one in made:
        try:
            rows = cohort[rows_meeting(cohort, one.where, key=f"{one.endpoint}: where")] if one.where else patients
            columns |= _made(rows, one, patients, key, warned)
        except InputError as error:
            problems += [f"{one.endpoint}: {problem}" for problem in error.problems]
    raise_all(problems)
    return with_columns(patients, columns), warned


def _one_row_each(cohort: pd.DataFrame, key: str, sources: list[str], warned: list[AnalysisWarning]) -> pd.DataFrame:
    """The first row of each patient, without the columns that differ among a patient's rows."""
    known = cohort[cohort[key].notna()]
    differ = [
        name
        for name in known.columns
        if name not in sources and known.drop_duplicates([key, name])[key].duplicated().any()
    ]
    first = known.drop_duplicates(key).reset_index(drop=True).drop(columns=differ)
    if differ:
        text = f"{len(cohort)} rows of {len(first)} patients: columns that differ among a patient's rows are left out"
        warned.append(SuspiciousValues(f"{text}: {first_few(map(repr, differ), 8)}"))
    return first


def _made(
    rows: pd.DataFrame, one: MadeColumns, patients: pd.DataFrame, key: str | None, warned: list[AnalysisWarning]
) -> dict[str, pd.Series]:
    """The columns of one endpoint, for every patient."""
    time = _from_dates(rows, one, warned) if one.start is not None else _latest_time(rows, one.durations)
    columns = {one.duration: time}
    if one.negative:
        above = (time > 0) == (one.negative == "censored")
        columns[one.event] = above.astype(float).where(time.notna())
        columns[one.duration] = time.abs()
    elif one.event_from is not None and one.event != one.event_from:
        columns[one.event] = rows[one.event_from]
    if one.entry is not None and one.entry_from is not None and one.entry != one.entry_from:
        columns[one.entry] = rows[one.entry_from]
    if one.where is None:
        return columns
    if problem := repeated_keys(rows, str(key)):
        raise PlanError(f"where = {one.where!r} keeps several rows of a patient: {problem}")
    by_patient = pd.DataFrame(columns).set_axis(rows[key])
    return {name: patients[key].map(by_patient[name]) for name in columns}


def _latest_time(rows: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """The latest of several times; a missing one counts for nothing."""
    problems: list[str] = []
    times = pd.DataFrame({name: numbers(rows, name, problems, role="time column") for name in names}, index=rows.index)
    raise_all(problems)
    return times.max(axis=1)


def _from_dates(rows: pd.DataFrame, one: MadeColumns, warned: list[AnalysisWarning]) -> pd.Series:
    """The time from the start to the latest end."""
    problems: list[str] = []
    dates = {name: _dates(rows[name], one.date_format, problems, warned) for name in (str(one.start), *one.ends)}
    raise_all(problems, PlanError)
    latest = pd.DataFrame({name: dates[name] for name in one.ends}).max(axis=1)
    time: pd.Series = time_from_dates(dates[str(one.start)], latest, unit=cast(TimeUnit, one.unit))
    return time


def _dates(column: pd.Series, date_format: str | None, problems: list[str], warned: list[AnalysisWarning]) -> pd.Series:
    """A column as dates by the plan's format, else by the one format that fits every cell."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.dt.tz_localize(None) if column.dt.tz is not None else column
    known = column.notna()
    if not known.any():
        return pd.to_datetime(column)
    if date_format is None:
        date_format = _guessed_format(column[known], problems, warned)
        if date_format is None:
            return column
    parsed = _parsed(column, date_format)
    lost = np.asarray(parsed.isna() & known)
    if lost.any():
        shown = first_few(dict.fromkeys(map(repr, map(_cell_text, column[lost]))))
        problems.append(
            f"column {column.name!r}: no dates by format = {date_format!r} in {rows_where(lost)}: {shown}; correct"
            " them, leave them blank, or write another format"
        )
    return parsed


def _guessed_format(column: pd.Series, problems: list[str], warned: list[AnalysisWarning]) -> str | None:
    """The one format by which every cell is a date; a problem where there are several, or none."""
    texts = {form: _parsed(column, form) for form in (*_FORMATS, EXCEL)}
    fit = [form for form, dates in texts.items() if dates.notna().all()]
    if len(fit) == 1:
        first = _cell_text(column.iloc[0])
        text = f"column {column.name!r}: dates such as {first!r} are read by the one format that fits all, {fit[0]!r}"
        warned.append(SuspiciousValues(text))
        return fit[0]
    example = _cell_text(column.iloc[0])
    if fit:
        first, second, *_ = fit
        ways = [f'format = "{form}" where {example!r} is {_in_words(texts[form].iloc[0])}' for form in (first, second)]
        problems.append(
            f"column {column.name!r}: dates have several readings; write in [[endpoints]] {', or '.join(ways)}"
        )
        return None
    best = max(texts, key=lambda form: int(texts[form].notna().sum()))
    lost = np.asarray(texts[best].isna())
    shown = first_few(dict.fromkeys(map(repr, map(_cell_text, column[lost]))))
    problems.append(
        f"column {column.name!r}: {int(lost.sum())} cells are no dates ({shown}); correct them, leave them blank,"
        ' or say how dates are written, as in format = "DD.MM.YYYY"'
    )
    return None


def _parsed(column: pd.Series, date_format: str) -> pd.Series:
    """Dates by a format, missing where a cell is none."""
    if date_format == EXCEL:
        days = pd.to_numeric(column, errors="coerce")
        first, last = SPREADSHEET_DAYS
        return pd.to_datetime(days.where(days.between(first, last)), unit="D", origin=SPREADSHEET_EPOCH)
    strptime = date_format
    for letters, directive in _LETTERS:
        strptime = strptime.replace(letters, directive)
    texts = column.map(_cell_text, na_action="ignore").astype(object)
    return pd.to_datetime(texts, format=strptime, errors="coerce")


def _in_words(day: pd.Timestamp) -> str:
    """A date that can be read in one way only."""
    return f"{day.day} {day:%B %Y}"


def _cell_text(cell: object) -> str:
    """A cell as it is written: whole numbers without a decimal point, no time of day at midnight."""
    return re.sub(r"(?<=\d)(?:\.0| 00:00:00)$", "", str(cell).strip())
