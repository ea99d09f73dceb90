"""Likely data errors: units, codes, dates as numbers, copies. Named here, never corrected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort import remedies
from analysis.cohort.column_names import (
    looks_like_event,
    looks_like_late_entry,
    looks_like_magnesium,
    looks_like_no_event,
    looks_like_patient,
    names_a_person,
    time_unit_of,
)
from analysis.cohort.columns import dates_advice, first_few, missing_advice, numbers, rows_where, stratum_label
from analysis.cohort.units import DAYS_PER, DAYS_PER_YEAR, MMOL_PER_L
from analysis.errors import SuspiciousValues

PLAUSIBLE_MEDIAN = (0.4, 1.2)
"""Where the median of a cohort's serum magnesium can lie, in mmol/L."""

HIGH_MAGNESIUM = 1.4
"""mmol/L; a value above it points to rows in another unit."""

LONGEST_FOLLOW_UP = 50 * DAYS_PER_YEAR
"""Days; 600 months."""

SPREADSHEET_DAYS = (20_000, 80_000)
"""Day numbers of a spreadsheet from 1954 to 2119."""

MOST_EVENTS = 0.95
FEWEST_JUDGED = 10

CALENDAR_YEARS = (1900, 2100)

MISSING_CODES = (-9, -99, -999, -9999, 9, 99, 999, 9999)
"""Numbers that data sets write for a missing value."""

FEWEST_PATIENTS = 0.05
"""Share of different values from which an identifier that names a person is taken for the patients'."""

NEARLY_UNIQUE = 0.5
"""Share of different values from which any other identifier, or a column of text, may be the patients'."""


def magnesium_problem(
    values: FloatArray, name: str, *, unit: str = "mmol/L", rows_of: pd.DataFrame | pd.Series | None = None
) -> str:
    """What is wrong with a magnesium column: values of 0 or less, or a median that no cohort has in its unit."""
    present = values[~np.isnan(values)]
    if not len(present):
        return ""
    if (values <= 0).any():
        return _no_concentration(values, name, rows_of)
    median = float(np.median(present))
    low, high = PLAUSIBLE_MEDIAN
    fitting = [other for other, factor in MMOL_PER_L.items() if low <= median * factor <= high]
    if unit in fitting:
        return ""
    if not fitting:
        return (
            f"magnesium column {name!r}: median {median:.3g} fits none of {first_few(MMOL_PER_L)}; correct the column"
        )
    choice = " or ".join(remedies.argument("units", {name: other}) for other in fitting)
    likely = " or ".join(fitting)
    return f"magnesium column {name!r}: median {median:.3g} {unit} looks like {likely}; read with {choice}"


def _no_concentration(values: FloatArray, name: str, rows_of: pd.DataFrame | pd.Series | None) -> str:
    """What to do about magnesium of 0 or less; negative whole numbers may be codes of a missing value, 0 is none."""
    lowest = np.unique(values[values <= 0])
    shown = first_few(f"{value:g}" for value in lowest)
    codes = [int(value) for value in lowest if value < 0 and value == np.round(value)]
    advice = f", or where {first_few(codes)} stands for a missing value {missing_advice(name, codes)}" if codes else ""
    return (
        f"magnesium column {name!r}: {shown} is no concentration, in {rows_where(values <= 0, rows_of)}; correct the"
        f" values, with empty cells where nothing was measured{advice}"
    )


def mixed_units(
    values: FloatArray, name: str, *, unit: str = "mmol/L", rows_of: pd.DataFrame | pd.Series | None = None
) -> list[SuspiciousValues]:
    """A warning on magnesium values so high that, beside others that are not, they may be in another unit."""
    bound = HIGH_MAGNESIUM / MMOL_PER_L[unit]
    high = values > bound
    if not high.any():
        return []
    share = f"{100 * high.sum() / (~np.isnan(values)).sum():.1f} % of {(~np.isnan(values)).sum()} values"
    where = rows_where(high, rows_of)
    text = f"magnesium column {name!r}: {share} lie above {bound:.3g} {unit}, in {where}; are units mixed?"
    return [SuspiciousValues(text)]


def fits_another_unit(values: FloatArray, high: float, *, unit: str) -> BoolArray:
    """Which magnesium values above the largest that can be right would be right in another unit."""
    smallest = min(MMOL_PER_L.values())
    return np.asarray((values > high) & (values * smallest / MMOL_PER_L[unit] <= high), dtype=bool)


def serial_dates(values: FloatArray, name: str) -> str:
    """A problem on follow-up times that are day numbers of a spreadsheet; else empty."""
    present = values[~np.isnan(values)]
    first, last = SPREADSHEET_DAYS
    if not len(present) or present.min() < first or present.max() > last or (present != np.round(present)).any():
        return ""
    return (
        f"time column {name!r}: values such as {present[0]:.0f} are dates as a spreadsheet numbers them;"
        f" {dates_advice()}"
    )


def calendar_years(values: FloatArray) -> bool:
    """Whether numbers are years of the calendar, such as 1998, and so no follow-up times."""
    present = values[~np.isnan(values)]
    first, last = CALENDAR_YEARS
    whole = len(present) > 0 and bool((present == np.round(present)).all())
    return whole and first <= present.min() and present.max() <= last


def missing_codes(
    values: FloatArray, name: str, *, rows_of: pd.DataFrame | pd.Series | None = None
) -> list[SuspiciousValues]:
    """A warning on -9, 99, 999 and the like that lie far from all other values: they may mean missing."""
    present = values[~np.isnan(values)]
    codes = [code for code in MISSING_CODES if (present == code).any() and _lies_far(present, code)]
    if not codes:
        return []
    shown, rows = first_few(map(str, codes)), rows_where(np.isin(values, codes), rows_of)
    text = f"column {name!r}: {shown} lies far from the other values, in {rows}; where it stands for a missing value"
    return [SuspiciousValues(f"{text}, {missing_advice(name, codes)}")]


def _lies_far(present: FloatArray, code: int) -> bool:
    """Whether a code is the only negative number, or lies above all others by more than they spread."""
    others = present[~np.isin(present, MISSING_CODES)]
    if len(np.unique(others)) < 2:
        return False
    if code < 0:
        return bool(others.min() >= 0)
    return bool(code - others.max() > others.max() - others.min())


def long_follow_up(values: FloatArray, name: str, unit: str) -> list[SuspiciousValues]:
    """A warning on follow-up of more than 50 years: the times may be in a shorter unit."""
    if calendar_years(values):
        text = f"time column {name!r}: values such as {np.nanmax(values):.0f} are years of the calendar, not times"
        return [SuspiciousValues(text)]
    if unit not in DAYS_PER or not (values * DAYS_PER[unit] > LONGEST_FOLLOW_UP).any():
        return []
    longest = f"{np.nanmax(values):g} {unit}"
    return [SuspiciousValues(f"time column {name!r}: the longest follow-up is {longest}; are the times in days?")]


def reversed_event(values: FloatArray, name: str) -> list[SuspiciousValues]:
    """A warning on an event column whose name or share of events says that its 1 is no event."""
    present = values[~np.isnan(values)]
    if looks_like_no_event(name):
        by_name, as_it_is = (remedies.argument("event_codes", {name: codes}) for codes in ({0: 1, 1: 0}, {0: 0, 1: 1}))
        text = f"by its name 0 is the event; say so with {by_name}, or with {as_it_is} where 1 is the event"
    elif len(present) >= FEWEST_JUDGED and present.mean() > MOST_EVENTS:
        text = f"{100 * present.mean():.0f} % of {len(present)} rows have the event: is it a censoring flag?"
    else:
        return []
    return [SuspiciousValues(f"event column {name!r} looks like a censoring flag: {text}")]


def copied_rows(cohort: pd.DataFrame) -> list[SuspiciousValues]:
    """A warning on rows that equal an earlier row in every column."""
    copies = _copies(cohort)
    if not copies.any():
        return []
    return [
        SuspiciousValues(
            f"{rows_where(copies, cohort)} equal an earlier row in every column; does a patient stand twice?"
        )
    ]


def _copies(cohort: pd.DataFrame) -> BoolArray:
    """Which rows equal an earlier row; none where cells hold lists, which cannot be compared."""
    try:
        return np.asarray(cohort.duplicated(), dtype=bool)
    except TypeError:
        return np.zeros(len(cohort), dtype=bool)


def repeated_keys(cohort: pd.DataFrame, key: str) -> str:
    """A problem on a key that stands in several rows; else empty."""
    column = cohort[key]
    repeated = (column.duplicated(keep=False) & column.notna()).to_numpy(dtype=bool)
    if not repeated.any():
        return ""
    keys = [stratum_label(value) for value in dict.fromkeys(column[repeated].tolist())]
    where = 'where = "..." in [data] keeps the rows of one parameter or sample'
    advice = remedies.worded(
        f"keep one row a patient, or analyse spells with an entry column and cluster={key!r}",
        f"keep one row a patient ({where}), or analyse spells: id = {remedies.toml(key)} in [data] and entry in"
        " [[endpoints]]",
    )
    return (
        f"column {key!r}: {len(keys)} ids stand more than once ({first_few(keys)}) in {rows_where(repeated, cohort)};"
        f" {advice}"
    )


def likely_errors_by_name(
    cohort: pd.DataFrame, declared: Sequence[str], problems: list[str], *, coded: Sequence[str] = ()
) -> list[SuspiciousValues]:
    """Likely errors in columns whose names say what they hold.

    `declared` is magnesium in mmol/L, `coded` are events that were mapped from codes.
    """
    warned = copied_rows(cohort)
    for name in cohort.select_dtypes(["number", "bool"]).columns:
        values = numbers(cohort, name, [])
        unit = time_unit_of(name)
        warned += missing_codes(values, name, rows_of=cohort)
        if name in declared or looks_like_magnesium(name):
            warned += _magnesium_errors(cohort, name, problems, certain=name in declared or "mmol" in name.lower())
        elif unit and not calendar_years(values):
            problems += filter(None, [serial_dates(values, name)])
            warned += long_follow_up(values, name, unit)
        elif name not in coded and looks_like_event(name) and is_flag(values):
            warned += reversed_event(values, name)
    outcome = any(map(looks_like_event, map(str, cohort.columns))) and any(map(time_unit_of, map(str, cohort.columns)))
    if outcome:
        problems += patient_problems(cohort)
    return warned


def _magnesium_errors(cohort: pd.DataFrame, name: str, problems: list[str], *, certain: bool) -> list[SuspiciousValues]:
    """Warnings on a magnesium column; an error is added to `problems` where the column is `certain` to be in mmol/L."""
    values = numbers(cohort, name, [])
    if not certain and is_flag(values):
        return []
    problem = magnesium_problem(values, name, rows_of=cohort)
    if problem and certain:
        problems.append(problem)
        return []
    return [SuspiciousValues(problem)] if problem else mixed_units(values, name, rows_of=cohort)


def is_flag(values: FloatArray) -> bool:
    """Whether all values are 0 and 1."""
    return bool(np.isin(values[~np.isnan(values)], (0, 1)).all())


def patient_problems(cohort: pd.DataFrame) -> list[str]:
    """Patients that stand in several rows that differ, where no column tells spells apart.

    Rows that are copies are left to `copied_rows`. Identifiers that name a person (patient_id) count when 5 % of their
    values or more are different, others (study_id, id) from a half: a trial's identifier is not a patient's.
    """
    names = [str(name) for name in cohort.columns]
    if any(map(looks_like_late_entry, names)):
        return []
    rows = cohort[~_copies(cohort)]
    keys = [
        name
        for name in names
        if looks_like_patient(name)
        and _share_different(rows[name]) >= (FEWEST_PATIENTS if names_a_person(name) else NEARLY_UNIQUE)
    ]
    return [problem for name in keys if (problem := repeated_keys(rows, name))]


def possible_patients(cohort: pd.DataFrame, used: Sequence[str]) -> list[SuspiciousValues]:
    """A warning on text columns, `used` for nothing, that are nearly unique yet repeat, as patients' identifiers do."""
    warned = []
    for name in cohort.select_dtypes(["object", "string"]).columns:
        column = cohort[name].dropna()
        if name in used or looks_like_patient(str(name)) or not column.map(lambda cell: isinstance(cell, str)).all():
            continue
        if NEARLY_UNIQUE <= _share_different(column) < 1 and len(column) >= FEWEST_JUDGED:
            n_repeated = len(column) - column.nunique()
            text = (
                f"column {name!r}: {n_repeated} of {len(column)} values stand a second time; where it says who the"
                f" patient is, write {remedies.argument('id', name)}"
            )
            warned.append(SuspiciousValues(text))
    return warned


def _share_different(column: pd.Series) -> float:
    """Distinct values as a share of those present; 0 where all are the same, or cells hold lists."""
    try:
        n_different = column.nunique()
    except TypeError:
        return 0.0
    return n_different / int(column.notna().sum()) if n_different > 1 else 0.0
