"""What columns should hold: schemas, what names say, likely data errors."""

from __future__ import annotations

from analysis.cohort.rules.column_names import (
    is_cdisc_censoring,
    looks_like_event,
    looks_like_late_entry,
    looks_like_magnesium,
    looks_like_no_event,
    looks_like_outcome,
    looks_like_patient,
    time_unit_of,
)
from analysis.cohort.rules.likely_errors import (
    calendar_years,
    magnesium_problem,
    patient_problems,
    possible_patients,
    repeated_keys,
)
from analysis.cohort.rules.schema import Column, Schema
