"""Cohorts from files; the only place where cells are coerced, and it says what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import pandas as pd

from analysis.cohort import columns, likely_errors
from analysis.cohort.cell_text import words_in_numbers
from analysis.cohort.column_names import looks_like_magnesium
from analysis.cohort.columns import column_problems, first_few, with_columns
from analysis.cohort.reading.cells import plain_column
from analysis.cohort.reading.codes import EventCodes, MissingCodes, apply_event_codes, missing_problems, set_missing
from analysis.cohort.reading.distinct_cells import CellRules, DecimalMark, Limits, ThousandsMark
from analysis.cohort.reading.tables import Table, read_table
from analysis.cohort.schema import Schema, checked
from analysis.cohort.units import MagnesiumUnit, convert_magnesium
from analysis.errors import AnalysisWarning, InputError, RowsDropped, SuspiciousValues, raise_all, warn_all


def read_cohort(
    path: str | Path,
    *,
    schema: Schema | None = None,
    sep: str | None = None,
    decimal: DecimalMark = ".",
    encoding: str | None = None,
    sheet: str | int | None = None,
    event_codes: EventCodes | None = None,
    units: Mapping[str, str] | None = None,
    limits: Limits = "error",
    thousands: ThousandsMark = "",
    missing: MissingCodes = (),
    header: int | None = None,
    skip: Sequence[int] = (),
    numbers: Sequence[str] = (),
    dates: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    r"""Read a cohort from a file: text, spreadsheets, Parquet, and those of Stata, SAS and SPSS.

    With a schema the columns come typed and checked against it (`validate_cohort`). Without one a column becomes
    numbers, booleans or dates where every cell is one, and text otherwise; digits that are a name ("007") are text.
    Dates are read where they can be read in one way alone: 2024-01-31, or 1/13/2024 beside 12/31/2023. In columns of
    numbers, words that say that there is no value ("[Not Available]", "--", "Blank(s)") are missing, with a note.

    Parameters
    ----------
    path : str or Path
        Text (.csv, .tsv, .tab, .txt, .dat), spreadsheets (.xlsx, .xlsm; .xls, .xlsb, .ods with python-calamine),
        .parquet, .pq, .feather, records of JSON (.json, .jsonl, .ndjson), Stata (.dta), and with pyreadstat SAS
        (.sas7bdat, .xpt) and SPSS (.sav, .zsav, .por). One file packed as .gz or .zip is unpacked.
    schema : Schema, optional
        What the columns must hold.
    sep : str, optional
        What separates the fields of a text file; detected among comma, semicolon, tab and bar when not given.
    decimal : {".", ","}
        The decimal mark of numbers written as text.
    encoding : str, optional
        Of a text file, or a file of SAS or SPSS; UTF-8, or what a byte-order mark says, when not given. An error shows
        a line of any other file under each usual encoding.
    sheet : str or int, optional
        Name, or place from 0, of a sheet; needed when more than one is visible.
    event_codes : mapping, optional
        What the codes of an event column mean: {1: 0, 2: 1} or {"alive": 0, "dead": 1}. Such a flat mapping applies to
        the columns that hold exactly its codes, those named like an event first; {"column": {code: 0 or 1}} names them.
        A code that means nothing is known is mapped to None.
    units : mapping, optional
        {"column": "mg/dL"}: the column is serum magnesium in that unit, and is converted to mmol/L.

    limits : {"error", "bound", "missing"}
        What to do with values beyond a limit of detection, such as "<0.5", in columns of numbers: refuse the file, take
        the limit itself, or set them missing.
    thousands : {"", ",", ".", " ", "'"}
        What separates thousands in numbers written as text, as in "1,284".
    missing : sequence of str or number, or mapping, optional
        Further codes of a missing value: {"ecog": [9]} by column, or in every column ["[Not Available]", -9].
    header : int, optional
        The row that names the columns, as a spreadsheet numbers rows, from 1. When not given it is the first row below
        comments (#) and titles, which are rows with one cell.
    skip : sequence of int
        Rows to leave out, as a spreadsheet numbers them, such as one of units or of a sum.
    numbers : sequence of str
        Columns that must hold numbers: leading zeros ("0007") are read, and cells that are no numbers are refused.
    dates : mapping, optional
        How columns of dates are written: {"start": "%d.%m.%Y"}, or "excel" for day numbers of a spreadsheet.

    Returns
    -------
    DataFrame
        A row for every row of the file that holds anything. Its `attrs` hold the rows of the file, by which messages
        call them, and under "labels" what the file calls its columns (Stata, SAS, SPSS, cBioPortal).

    Raises
    ------
    CohortError
        When there is no such file; when its kind, text or first row cannot be read; when a numeric column holds decimal
        marks of the other kind, or values such as "<0.5"; when follow-up times are dates, or magnesium has a median
        that no cohort has in the unit given; when a patient stands in several rows that differ (and no start or entry
        column tells them apart); when anything is not as the schema says.
    InputError
        For options that cannot be met.
    NotSupported
        Where a kind of file needs a library that is not installed.

    Warns
    -----
    RowsDropped
        When rows without any value were left out.
    SuspiciousValues
        Where more was done than parsing (numbers stored as text, codes and formula errors set missing), and where
        values look wrong: a censoring flag for an event, days for months, magnesium in another unit, copies of rows.

    Notes
    -----
    Missing are empty cells, ".", "NA", "N/A", "#N/A", "NaN", "NULL" and the like. Text that `write_cohort` has written
    with an apostrophe before it ("'=1+1") is read without. Columns of one name are read under numbered names. Labels of
    Stata, SAS and SPSS stand in place of codes where every value has one; what they declare missing is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "cohort.csv")
    ...     _ = path.write_text("id;mg;months;status\n1;1,7;12,5;alive\n2;2,1;3;dead\n", encoding="utf-8")
    ...     read_cohort(path, decimal=",", event_codes={"alive": 0, "dead": 1}, units={"mg": "mg/dL"}).round(3)
       id     mg  months  status
    0   1  0.699    12.5       0
    1   2  0.864     3.0       1
    """
    raise_all([*_option_problems(decimal, limits, thousands), *missing_problems(missing)], InputError)
    table = read_table(
        Path(path), sep=sep, decimal=decimal, encoding=encoding, sheet=sheet, header=header, skip=tuple(skip)
    )
    cohort, coded, warned = typed_table(
        table,
        CellRules(decimal, limits, thousands),
        schema,
        missing=missing,
        event_codes=event_codes,
        units=units,
        numbers=numbers,
        dates=dates,
    )
    problems: list[str] = []
    if schema is None:
        by_name = likely_errors.likely_errors_by_name(cohort, list(units or ()), problems, coded=coded)
        likely: list[AnalysisWarning] = [*by_name, *_magnesium_as_text(cohort)]
        raise_all(problems)
    else:
        cohort, likely = checked(cohort, schema, coded=coded)
    warn_all([*warned, *likely])
    return cohort


def typed_table(
    table: Table,
    rules: CellRules,
    schema: Schema | None = None,
    *,
    missing: MissingCodes = (),
    event_codes: EventCodes | None = None,
    units: Mapping[str, str] | None = None,
    numbers: Sequence[str] = (),
    dates: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, tuple[str, ...], list[AnalysisWarning]]:
    """The cells of a file as typed columns, the events that were mapped from codes, and what was done to get there.

    Raises
    ------
    CohortError
        With every fault of the cells, as `read_cohort`.
    """
    problems = [f"numbers: {problem}" for problem in column_problems(table.frame, list(numbers))]
    problems += [f"dates: {problem}" for problem in column_problems(table.frame, list(dates or {}))]
    frame, set_to_missing = set_missing(table.frame, missing, problems)
    frame, coded = apply_event_codes(frame, event_codes, problems)
    wanted = Wanted(rules, frozenset(numbers), dates or {})
    cohort, warned = _typed(frame, table, schema, wanted, problems)
    cohort = _converted(cohort, units or {}, problems)
    raise_all(problems)
    return cohort, coded, [*warned, *set_to_missing]


@dataclass(frozen=True)
class Wanted:
    """How cells are to be read: by rules for all columns, and the columns that hold numbers, or dates of a format."""

    rules: CellRules
    numbers: frozenset[str]
    dates: Mapping[str, str]


def _option_problems(decimal: str, limits: str, thousands: str) -> list[str]:
    """What is wrong with the options that are words."""
    options = {"decimal": (decimal, DecimalMark), "limits": (limits, Limits), "thousands": (thousands, ThousandsMark)}
    problems = [
        f"{name}={value!r}; choose one of {first_few(map(repr, get_args(choices)))}"
        for name, (value, choices) in options.items()
        if value not in get_args(choices)
    ]
    if thousands and thousands == decimal:
        problems.append(f"thousands={thousands!r} is the decimal mark as well; give decimal= too")
    return problems


def _typed(
    frame: pd.DataFrame, table: Table, schema: Schema | None, wanted: Wanted, problems: list[str]
) -> tuple[pd.DataFrame, list[AnalysisWarning]]:
    """Every column in its plainest type (as text where the schema wants labels), and what was done to get there."""
    described = {column.name: column for column in schema} if schema else {}
    typed, warned = {}, _left_out(table)
    for name, column in frame.items():
        known = described.get(str(name))
        typed[str(name)], problem, note = plain_column(
            column,
            file_format=table.file_format,
            rules=wanted.rules,
            levels=known.levels if known and known.type in ("identifier", "category") else None,
            must_be_number=name in wanted.numbers,
            date_format=wanted.dates.get(str(name)),
        )
        problems += [problem] if problem and known is None else []
        warned += [SuspiciousValues(note)] if note else []
    cohort = pd.DataFrame(typed)
    cohort.attrs = {**frame.attrs, **({"labels": dict(table.labels)} if table.labels else {})}
    return cohort, warned


def _left_out(table: Table) -> list[AnalysisWarning]:
    """Warnings on empty rows and columns."""
    warned: list[AnalysisWarning] = []
    if table.n_empty_rows:
        n_used = len(table.frame)
        warned.append(RowsDropped(n_used + table.n_empty_rows, n_used, {"no value in any column": table.n_empty_rows}))
    return warned + [SuspiciousValues(note) for note in table.notes]


def _magnesium_as_text(cohort: pd.DataFrame) -> list[SuspiciousValues]:
    """A warning on magnesium columns that words among the numbers, or units behind them, have made text."""
    texts = [name for name in cohort.select_dtypes("object").columns if looks_like_magnesium(str(name))]
    words = [words_in_numbers(str(name), cohort[name].dropna().tolist()) for name in texts]
    return [SuspiciousValues(text) for text in words if text]


def _converted(cohort: pd.DataFrame, units: Mapping[str, str], problems: list[str]) -> pd.DataFrame:
    """The magnesium columns in mmol/L."""
    missing = column_problems(cohort, list(units))
    problems += [f"units: {problem}" for problem in missing]
    if missing:
        return cohort
    converted = {}
    for name, unit in units.items():
        cells = [] if pd.api.types.is_numeric_dtype(cohort[name].dtype) else cohort[name].dropna().tolist()
        if words := words_in_numbers(name, cells):
            problems.append(words)
            continue
        try:
            converted[name] = convert_magnesium(cohort[name], unit=cast(MagnesiumUnit, unit))
        except InputError as error:
            problems += [f"units: column {name!r}: {problem}" for problem in error.problems]
            continue
        problem = likely_errors.magnesium_problem(columns.numbers(cohort, name, []), name, unit=unit, rows_of=cohort)
        problems += [problem] if problem else []
    return with_columns(cohort, converted)
