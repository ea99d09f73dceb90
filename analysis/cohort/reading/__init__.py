"""Files to typed rows: cells, tables, event codes, validation, the cohorts that ship with the package."""

from __future__ import annotations

from analysis.cohort.reading.cells import Limits
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.reading.files import read_cohort
from analysis.cohort.reading.missing_codes import MissingCodes, missing_problems
from analysis.cohort.reading.validation import checked
