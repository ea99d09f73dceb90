"""Files to typed rows and back: tables, codes, the types of cells, and the cohorts that ship with the package."""

from __future__ import annotations

from analysis.cohort.reading.codes import MissingCodes, missing_problems
from analysis.cohort.reading.distinct_cells import CellRules, DecimalMark, Limits, ThousandsMark
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.reading.files import read_cohort, typed_table
from analysis.cohort.reading.tables import Table, read_table
