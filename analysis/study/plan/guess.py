"""What the columns of a cohort look like, by their names and values: outcomes, the marker, covariates, the patient."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import pandas as pd

from analysis.cohort import column_names as names_of
from analysis.cohort.event_words import event_of_word
from analysis.cohort.likely_errors import calendar_years
from analysis.study.plan.column_roles import same_codes, same_scale

TIME, EVENT, MARKER = "TIME_COLUMN", "EVENT_COLUMN", "MARKER_COLUMN"
"""Placeholders: no column has such a name, so `validate` asks for one."""

_ROW_NAMES = re.compile(r"unnamed|rownames", re.IGNORECASE)
_IDENTIFIERS = re.compile(r"(^|[ _.-])(id|no|nr|number)$", re.IGNORECASE)
_YES_OR_NO = frozenset(("yes", "y", "no", "n"))
_STANDARD_PAIRS = {("aval", "cnsr"), ("srv", "srvstat")}
_LATER_OF = ("days_to_death", "days_to_last_follow_up")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_DATE_NAME = re.compile(r"date|datum|fecha|(?:^|_)data(?:$|_)|day_of|_dt$|dt$", re.IGNORECASE)
_STARTS = re.compile(
    r"start|begin|diagn|enrol|entry|inclu|random|infusion|treat|surg|baseline|aufnahme|therapie|d[eé]but|inicio|inizio",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"death|died|dead|last|follow|contact|end|progress|relapse|tod|gestorben|verstorben|letzt|d[eé]c[eè]s|derni|muert"
    r"|fallec|[uú]ltim|decess|adt",
    re.IGNORECASE,
)
_MEQ = re.compile(r"[ _.([-]*meq[ _./]*l?[)\]]?", re.IGNORECASE)
_MG_PER_DL = re.compile(r"[ _.([-]*mg[ _./]*(?:per[ _]*)?dl[)\]]?", re.IGNORECASE)
_BIRTH = re.compile(r"birth|geburt|naissance|nacim|nascita|dob", re.IGNORECASE)
_FIRST_SERIAL = 10_000
"""Numbers from which a column of dates may hold days as a spreadsheet counts them, and no years of the calendar."""
_MOST_LEVELS, _MOST_GROUPS, _FEWEST_VALUES = 8, 20, 5


@dataclass(frozen=True)
class Outcome:
    """An outcome: its times (the later counts), or the dates that they are made from, its event (or sign), its rows."""

    name: str
    durations: tuple[str, ...]
    event: str
    start: str = ""
    ends: tuple[str, ...] = ()
    where: str = ""
    negative: str = ""


@dataclass(frozen=True)
class Guess:
    """What the columns of a file look like; `times`, `events` and `markers` are those that come into question."""

    outcomes: tuple[Outcome, ...]
    marker: str
    unit: str
    covariates: tuple[str, ...]
    codes: Mapping[str, Mapping[Hashable, int]]
    patient: str = ""
    times: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def endpoints(self) -> tuple[tuple[str, str], ...]:
        """The first time and the event of each outcome."""
        return tuple((one.durations[0] if one.durations else "", one.event) for one in self.outcomes)


def guess_columns(cohort: pd.DataFrame) -> Guess:
    """What the columns look like, from their names and values; a choice between two columns is left to the reader."""
    names = list(map(str, cohort.columns))
    numeric = [name for name in names if _is_numeric(cohort[name])]
    times = [name for name in names if _is_time(cohort[name], name)]
    coded = {name: _code_guess(cohort[name], name) for name in names if name not in times and _may_be_event(name)}
    events = [name for name, codes in coded.items() if codes is not None]
    broken = [name for name in numeric if name in coded and name not in events and names_of.looks_like_event(name)]
    events += [name for name in broken if max((_likeness(time, name) for time in times), default=0) > 1]
    patient = next((name for name in names if names_of.looks_like_patient(name) and cohort[name].is_unique), "")
    outcomes = _outcomes(cohort, times, events)
    if any(one.where for one in outcomes):
        patient = next(name for name in names if names_of.looks_like_patient(name))
        names = [name for name in names if not cohort.drop_duplicates([patient, name])[patient].duplicated().any()]
    used = {name for one in outcomes for name in (*one.durations, one.event, one.start, *one.ends)}
    free = [name for name in names if name not in used and not _is_no_measurement(cohort[name], name)]
    magnesium = {name: unit for name in free if (unit := _magnesium_unit(cohort[name], name))}
    measured = [name for name in free if name in numeric and len(cohort[name].dropna().unique()) > 1]
    markers = _markers(cohort, measured)
    marker = [*magnesium, *markers, MARKER][0]
    groups = [name for name in free if name not in numeric and 2 <= cohort[name].nunique() <= _MOST_LEVELS]
    may_adjust = [name for name in [*measured, *groups] if name != marker and "`" not in name]
    copies = {name: why for name in may_adjust if (why := _copied_outcome(cohort, name, outcomes, coded))}
    return Guess(
        outcomes=outcomes,
        marker=marker,
        unit=magnesium.get(marker, ""),
        covariates=tuple(name for name in may_adjust if name not in copies),
        codes={one.event: codes for one in outcomes if (codes := coded.get(one.event))},
        patient=patient,
        times=tuple(times),
        events=tuple(events),
        markers=tuple(measured),
        left_out=tuple(copies.items()),
    )


def named_unit(name: str) -> str:
    """The unit that a time's name gives; empty where it gives none."""
    unit = names_of.time_unit_of(name) or next(
        (unit for unit in ("days", "weeks", "months", "years") if unit[:-1] in name.lower()), ""
    )
    return unit if unit in ("days", "weeks", "months", "years") else ""


def _is_numeric(values: pd.Series) -> bool:
    """Whether a column holds numbers (true and false are numbers)."""
    return bool(pd.api.types.is_numeric_dtype(values.dtype))


def _is_time(values: pd.Series, name: str) -> bool:
    """Whether a column is likely to hold follow-up times: by its name, no years of the calendar; "0007" is a number."""
    if names_of.time_unit_of(name) is None or names_of.looks_like_late_entry(name):
        return False
    numbers = pd.to_numeric(values, errors="coerce") if not pd.api.types.is_datetime64_any_dtype(values.dtype) else None
    if numbers is None or not numbers.notna().any() or (numbers.isna() & values.notna()).any():
        return False
    return not calendar_years(numbers.to_numpy(dtype=float, na_value=np.nan)) and not _is_flag(numbers)


def _is_flag(values: pd.Series) -> bool:
    """Whether all values are 0 and 1."""
    return set(values.dropna().unique()) <= {0, 1}


def _may_be_event(name: str) -> bool:
    """Whether a column may hold an event by its name."""
    timed = names_of.time_unit_of(name) is not None
    return names_of.looks_like_event(name) or (names_of.looks_like_outcome(name) and not timed)


def _is_no_measurement(values: pd.Series, name: str) -> bool:
    """Whether a column names rows or patients, holds dates, or is part of an outcome: no marker, no covariate."""
    named = names_of.looks_like_patient(name) or _ROW_NAMES.search(name) or _IDENTIFIERS.search(name)
    return bool(named) or names_of.looks_like_outcome(name) or _is_date(values, name) or _numbers_rows(values)


def _numbers_rows(values: pd.Series) -> bool:
    """Whether a column numbers its rows or patients: whole numbers that rise from row to row."""
    if not pd.api.types.is_integer_dtype(values.dtype) or len(values) <= _MOST_GROUPS:
        return False
    return bool((values.diff().dropna() > 0).all())


def _is_date(values: pd.Series, name: str) -> bool:
    """Whether a column holds dates: typed, in text, or by its name as numbers of days or years of the calendar."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return True
    if _is_numeric(values):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return calendar_years(numbers) or (
            bool(_DATE_NAME.search(name)) and bool(np.nanmedian(numbers) > _FIRST_SERIAL)
        )
    texts = values.dropna().astype(str).str.strip()
    return len(texts) > 0 and bool(texts.map(lambda text: bool(_DATE.fullmatch(text))).all())


def _magnesium_unit(values: pd.Series, name: str) -> str:
    """The unit of a column that is a concentration of magnesium by its name; empty where it is none."""
    if _is_flag(values):
        return ""
    if names_of.looks_like_magnesium(name):
        return "mmol/L"
    if not re.search(r"magn[eé]s", name, re.IGNORECASE):
        return ""
    stripped = _MG_PER_DL.sub("", _MEQ.sub("", name))
    unit = "mEq/L" if _MEQ.search(name) else "mg/dL" if _MG_PER_DL.search(name) else ""
    return unit if names_of.looks_like_magnesium(stripped.strip(" _.-([")) else ""


def _markers(cohort: pd.DataFrame, measured: list[str]) -> list[str]:
    """The columns that may be the marker, best first: many values, or in a small file the most values."""
    many = [name for name in measured if cohort[name].nunique() > _MOST_GROUPS]
    some = [name for name in measured if cohort[name].nunique() >= _FEWEST_VALUES]
    return many or sorted(some, key=lambda name: -cohort[name].nunique())[:1]


def _code_guess(values: pd.Series, name: str) -> dict[Hashable, int] | None:
    """What a column's codes seem to mean; empty for 0 and 1 and where only its owner can say, None for no event."""
    seen = list(values.dropna().unique())
    if _is_numeric(values):
        if names_of.is_cdisc_censoring(name) and len(seen) <= _MOST_LEVELS and 0 in seen:
            return {int(code): int(code == 0) for code in sorted(seen)}
        if names_of.looks_like_no_event(name):
            return {} if len(seen) <= _MOST_LEVELS else None
        if set(seen) == {1, 2}:
            return {1: 0, 2: 1}
        return {} if set(seen) <= {0, 1} else None
    if names_of.looks_like_no_event(name) and {str(value).strip().lower() for value in seen} <= _YES_OR_NO:
        return {}
    codes = {str(value): event_of_word(str(value)) for value in seen}
    known: dict[Hashable, int] = {word: event for word, event in codes.items() if event is not None}
    return known if len(known) == len(codes) and set(known.values()) == {0, 1} else None


def _outcomes(cohort: pd.DataFrame, times: list[str], events: list[str]) -> tuple[Outcome, ...]:
    """Each event with the time whose name is most like its own; placeholders where that cannot be said."""
    if by_parameter := _by_parameter(cohort):
        return by_parameter
    lower = {name.lower().rsplit(".", 1)[-1]: name for name in map(str, cohort.columns)}
    later = tuple(lower[name] for name in _LATER_OF if name in lower)
    if len(later) == len(_LATER_OF) and "vital_status" in lower:
        return (Outcome("Overall survival", later, lower["vital_status"]),)
    if not times and (dated := _from_dates(cohort, events)):
        return dated
    signed = [time for time in times if pd.to_numeric(cohort[time], errors="coerce").min() < 0]
    if not events and len(signed) == 1:
        return (Outcome("Overall survival", (signed[0],), "", negative="censored"),)
    if not events:
        return (Outcome("Overall survival", (times[0] if len(times) == 1 else TIME,), EVENT),)
    claimed = {time for time in times if any(_likeness(time, event) for event in events)}
    timed = {event: _time_of(event, times, claimed) for event in events}
    return tuple(
        Outcome(event, (time,), event)
        for event, time in timed.items()
        if time != TIME or not _is_copy(cohort, event, [other for other in events if timed[other] != TIME])
    )


def _is_copy(cohort: pd.DataFrame, event: str, others: list[str]) -> bool:
    """Whether an event is one of others in another coding."""
    return any(same_codes(cohort[event], cohort[other]) for other in others)


def _by_parameter(cohort: pd.DataFrame) -> tuple[Outcome, ...]:
    """The outcomes of CDISC ADTTE: a row a subject and parameter."""
    if not {"PARAMCD", "AVAL", "CNSR"} <= set(cohort.columns) or not any(
        map(names_of.looks_like_patient, cohort.columns)
    ):
        return ()
    parameters = list(cohort["PARAMCD"].dropna().unique())
    if len(parameters) < 2:
        return ()
    return tuple(Outcome(str(code), ("AVAL",), "CNSR", where=f"PARAMCD == '{code}'") for code in parameters)


def _from_dates(cohort: pd.DataFrame, events: list[str]) -> tuple[Outcome, ...]:
    """An outcome whose time runs between dates: one that begins it, and those that may end it."""
    dates = [name for name in map(str, cohort.columns) if _is_date(cohort[name], name) and not _BIRTH.search(name)]
    dates = [name for name in dates if not (_is_numeric(cohort[name]) and cohort[name].max() < _FIRST_SERIAL)]
    ends = tuple(name for name in dates if _ENDS.search(name))
    starts = [name for name in dates if name not in ends and _STARTS.search(name)]
    starts = starts or [name for name in dates if name not in ends]
    if len(starts) != 1 or not ends:
        return ()
    event = events[0] if len(events) == 1 else EVENT
    return (Outcome("Overall survival", (), event, start=starts[0], ends=ends),)


def _time_of(event: str, times: list[str], claimed: set[str]) -> str:
    """The one time that is most like an event, and not another event's; else a placeholder."""
    if not times:
        return TIME
    likeness = {time: _likeness(time, event) for time in times}
    most = max(likeness.values())
    best = [time for time in times if likeness[time] == most]
    return best[0] if len(best) == 1 and (most or best[0] not in claimed) else TIME


def _likeness(time: str, event: str) -> int:
    """How many letters two names share at their beginning; many for names that a standard pairs."""
    pair = (time.lower(), event.lower())
    if pair in _STANDARD_PAIRS:
        return 100
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(*pair, strict=False)))


def _copied_outcome(
    cohort: pd.DataFrame,
    name: str,
    outcomes: tuple[Outcome, ...],
    coded: Mapping[str, Mapping[Hashable, int] | None],
) -> str:
    """Why a column is an outcome in another coding; empty where it is none."""
    for one in outcomes:
        if one.event in cohort.columns and not one.where:
            codes = coded.get(one.event)
            event = cohort[one.event].map(dict(codes)) if codes else cohort[one.event]
            if same_codes(cohort[name], event):
                return f"equal to the event {one.event!r} in every row"
        for time in one.durations:
            if time in cohort.columns and _is_numeric(cohort[time]) and same_scale(cohort[name], cohort[time]):
                return f"proportional to the time {time!r} in every row"
    return ""
