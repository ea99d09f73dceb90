"""What can be analysed but looks like a slip: units, codes, dates as numbers, copies. Judged here, never mended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.columns import BoolArray, FloatArray, first_few, numbers, rows_where, stratum_label
from analysis.cohort.dates import DAYS_PER, DAYS_PER_YEAR
from analysis.cohort.names import (
    looks_like_censoring,
    looks_like_event,
    looks_like_late_entry,
    looks_like_magnesium,
    looks_like_patient,
    time_unit_of,
)
from analysis.cohort.units import MMOL_PER_L
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


def magnesium_problem(values: FloatArray, name: str, *, unit: str = "mmol/L") -> str:
    """Words on a magnesium column whose median no cohort has in its unit, with the units that would fit; else empty."""
    present = values[~np.isnan(values)]
    if not len(present):
        return ""
    median = float(np.median(present))
    low, high = PLAUSIBLE_MEDIAN
    fitting = [other for other, factor in MMOL_PER_L.items() if low <= median * factor <= high]
    if unit in fitting:
        return ""
    if not fitting:
        return (
            f"magnesium column {name!r}: median {median:.3g} fits none of {first_few(MMOL_PER_L)}; correct the column"
        )
    choice = " or ".join(f"units={{{name!r}: {other!r}}}" for other in fitting)
    likely = " or ".join(fitting)
    return f"magnesium column {name!r}: median {median:.3g} {unit} looks like {likely}; set units= ({choice})"


def mixed_units(values: FloatArray, name: str, *, unit: str = "mmol/L") -> list[SuspiciousValues]:
    """A word on magnesium values so high that, beside others that are not, they may be in another unit."""
    bound = HIGH_MAGNESIUM / MMOL_PER_L[unit]
    high = values > bound
    if not high.any():
        return []
    share = f"{100 * high.sum() / (~np.isnan(values)).sum():.1f} % of {(~np.isnan(values)).sum()} values"
    text = f"magnesium column {name!r}: {share} lie above {bound:.3g} {unit}, in {rows_where(high)}; are units mixed?"
    return [SuspiciousValues(text)]


def fits_another_unit(values: FloatArray, high: float, *, unit: str) -> BoolArray:
    """Which magnesium values above the largest that can be right would be right in another unit."""
    smallest = min(MMOL_PER_L.values())
    return np.asarray((values > high) & (values * smallest / MMOL_PER_L[unit] <= high), dtype=bool)


def serial_dates(values: FloatArray, name: str) -> str:
    """Words on follow-up times that are day numbers of a spreadsheet; else empty."""
    present = values[~np.isnan(values)]
    first, last = SPREADSHEET_DAYS
    if not len(present) or present.min() < first or present.max() > last or (present != np.round(present)).any():
        return ""
    return (
        f"time column {name!r}: values such as {present[0]:.0f} are dates as a spreadsheet numbers them;"
        " a time must be a number since time zero: use time_from_dates"
    )


def long_follow_up(values: FloatArray, name: str, unit: str) -> list[SuspiciousValues]:
    """A word on follow-up of more than 50 years: the times may be in a shorter unit."""
    if unit not in DAYS_PER or not (values * DAYS_PER[unit] > LONGEST_FOLLOW_UP).any():
        return []
    longest = f"{np.nanmax(values):g} {unit}"
    return [SuspiciousValues(f"time column {name!r}: the longest follow-up is {longest}; are the times in days?")]


def reversed_event(values: FloatArray, name: str) -> list[SuspiciousValues]:
    """A word on an event column whose name or share of events says that it marks censoring."""
    present = values[~np.isnan(values)]
    if looks_like_censoring(name):
        text = "by its name it marks censored rows with 1; if so, swap them with event_codes={0: 1, 1: 0}"
    elif len(present) >= FEWEST_JUDGED and present.mean() > MOST_EVENTS:
        text = f"{100 * present.mean():.0f} % of {len(present)} rows have the event: is it a censoring flag?"
    else:
        return []
    return [SuspiciousValues(f"event column {name!r} looks like a censoring flag: {text}")]


def copied_rows(cohort: pd.DataFrame) -> list[SuspiciousValues]:
    """A word on rows that equal an earlier row in every column."""
    copies = _copies(cohort)
    if not copies.any():
        return []
    return [SuspiciousValues(f"{rows_where(copies)} equal an earlier row in every column; does a patient stand twice?")]


def _copies(cohort: pd.DataFrame) -> BoolArray:
    """Which rows equal an earlier row; none where cells hold lists, which cannot be compared."""
    try:
        return np.asarray(cohort.duplicated(), dtype=bool)
    except TypeError:
        return np.zeros(len(cohort), dtype=bool)


def repeated_keys(cohort: pd.DataFrame, key: str) -> str:
    """Words on a key that stands in several rows; else empty."""
    column = cohort[key]
    repeated = (column.duplicated(keep=False) & column.notna()).to_numpy(dtype=bool)
    if not repeated.any():
        return ""
    keys = [stratum_label(value) for value in dict.fromkeys(column[repeated].tolist())]
    return (
        f"column {key!r}: {len(keys)} ids stand more than once ({first_few(keys)}) in {rows_where(repeated)};"
        f" keep one row a patient, or analyse spells with an entry column and cluster={key!r}"
    )


def by_name(cohort: pd.DataFrame, declared: Sequence[str], problems: list[str]) -> list[SuspiciousValues]:
    """What looks like a slip in columns whose names say what they hold; `declared` is magnesium in mmol/L."""
    found = copied_rows(cohort)
    for name in cohort.select_dtypes(["number", "bool"]).columns:
        values = numbers(cohort, name, [])
        unit = time_unit_of(name)
        if name in declared or looks_like_magnesium(name):
            slip = magnesium_problem(values, name)
            if slip and (name in declared or "mmol" in name.lower()):
                problems.append(slip)
            else:
                found += [SuspiciousValues(slip)] if slip else mixed_units(values, name)
        elif unit:
            problems += filter(None, [serial_dates(values, name)])
            found += long_follow_up(values, name, unit)
        elif looks_like_event(name) and np.isin(values[~np.isnan(values)], (0, 1)).all():
            found += reversed_event(values, name)
    problems += _repeated_patients(cohort)
    return found


def _repeated_patients(cohort: pd.DataFrame) -> list[str]:
    """Patients with several rows that differ, where there is an outcome and no column that tells spells apart."""
    names = [str(name) for name in cohort.columns]
    outcome = any(map(looks_like_event, names)) and any(map(time_unit_of, names))
    if not outcome or any(map(looks_like_late_entry, names)):
        return []
    rows = cohort[~_copies(cohort)]
    return [slip for name in names if looks_like_patient(name) and (slip := repeated_keys(rows, name))]
