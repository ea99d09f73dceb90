"""Cohorts from files and into files; the only place where cells are coerced, and it says what it did."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast, get_args

import pandas as pd

from analysis.cohort import likely_errors
from analysis.cohort.cell_text import words_in_numbers
from analysis.cohort.column_names import looks_like_magnesium
from analysis.cohort.columns import column_problems, first_few, numbers, with_columns
from analysis.cohort.reading.cells import CellRules, DecimalMark, Limits, ThousandsMark, plain_column
from analysis.cohort.reading.codes import EventCodes, MissingCodes, apply_event_codes, missing_problems, set_missing
from analysis.cohort.reading.tables import FORMATS, Table, escaped, read_table, suffix_problems
from analysis.cohort.schema import Schema, checked
from analysis.cohort.units import MagnesiumUnit, convert_magnesium
from analysis.errors import AnalysisWarning, CohortError, InputError, RowsDropped, SuspiciousValues, raise_all, warn_all

EXCEL_SIZE = (1_048_575, 16_384)
"""Rows below the header and columns of a sheet."""


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
) -> pd.DataFrame:
    r"""Read a cohort from a CSV, Excel or Parquet file.

    With a schema the columns come typed and checked against it (`validate_cohort`). Without one a column becomes
    numbers, booleans or dates (2024-01-31) where every cell is one, and text otherwise; digits that are a name ("007")
    are text.

    Parameters
    ----------
    path : str or Path
        A .csv, .tsv, .tab, .txt, .xlsx, .xlsm, .parquet or .pq file whose first row names the columns.
    schema : Schema, optional
        What the columns must hold.
    sep : str, optional
        What separates the fields of a text file; detected among comma, semicolon, tab and bar when not given.
    decimal : {".", ","}
        The decimal mark of numbers written as text.
    encoding : str, optional
        Of a text file; UTF-8, with or without a byte-order mark, when not given.
    sheet : str or int, optional
        Name, or place from 0, of an Excel sheet; needed when more than one is visible.
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

    Returns
    -------
    DataFrame
        A row for every row of the file that holds anything.

    Raises
    ------
    CohortError
        When there is no such file; when its kind, text or first row cannot be read; when a numeric column holds decimal
        marks of the other kind, or values such as "<0.5"; when follow-up times are dates, or magnesium has a median
        that no cohort has in the unit given; when a patient stands in several rows that differ (and no start or entry
        column tells them apart); when anything is not as the schema says.
    InputError
        For options that cannot be met.

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
    with an apostrophe before it ("'=1+1") is read without.

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
    table = read_table(Path(path), sep=sep, decimal=decimal, encoding=encoding, sheet=sheet)
    rules = CellRules(decimal, limits, thousands)
    cohort, coded, warned = typed_table(table, rules, schema, missing=missing, event_codes=event_codes, units=units)
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
) -> tuple[pd.DataFrame, tuple[str, ...], list[AnalysisWarning]]:
    """The cells of a file as typed columns, the events that were mapped from codes, and what was done to get there.

    Raises
    ------
    CohortError
        With every fault of the cells, as `read_cohort`.
    """
    problems: list[str] = []
    frame, set_to_missing = set_missing(table.frame, missing, problems)
    frame, coded = apply_event_codes(frame, event_codes, problems)
    cohort, warned = _typed(frame, table, schema, rules, problems)
    cohort = _converted(cohort, units or {}, problems)
    raise_all(problems)
    return cohort, coded, [*warned, *set_to_missing]


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
    frame: pd.DataFrame, table: Table, schema: Schema | None, rules: CellRules, problems: list[str]
) -> tuple[pd.DataFrame, list[AnalysisWarning]]:
    """Every column in its plainest type (as text where the schema wants labels), and what was done to get there."""
    described = {column.name: column for column in schema} if schema else {}
    typed, warned = {}, _left_out(table)
    for name, column in frame.items():
        wanted = described.get(str(name))
        levels = wanted.levels if wanted and wanted.type in ("identifier", "category") else None
        typed[str(name)], problem, note = plain_column(
            column, file_format=table.file_format, rules=rules, levels=levels
        )
        problems += [problem] if problem and wanted is None else []
        warned += [SuspiciousValues(note)] if note else []
    return pd.DataFrame(typed), warned


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
        problem = likely_errors.magnesium_problem(numbers(cohort, name, []), name, unit=unit)
        problems += [problem] if problem else []
    return with_columns(cohort, converted)


def write_cohort(cohort: pd.DataFrame, path: str | Path) -> None:
    r"""Write a cohort to a CSV, Excel or Parquet file, chosen by the suffix.

    The index is not written. Missing values become empty cells; Excel keeps 16 digits of a number. In CSV and Excel,
    text (and names of columns) that begins with =, +, -, @, a tab or an apostrophe gets an apostrophe before it, so
    that no spreadsheet runs it as a formula; `read_cohort` takes it off again.

    Parameters
    ----------
    cohort : DataFrame
        Never changed.
    path : str or Path
        Ends in .csv, .tsv, .tab, .txt, .xlsx, .parquet or .pq; an existing file is replaced.

    Raises
    ------
    CohortError
        When column names stand twice or are no text, the suffix is another, the format cannot hold a column, which is
        named with what it holds, or an Excel sheet has no room for the rows; then nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "cohort.csv")
    ...     write_cohort(pd.DataFrame({"patient_id": ["P1", "P2"], "note": ["=1+1", None]}), path)
    ...     path.read_text(encoding="utf-8")
    "patient_id,note\nP1,'=1+1\nP2,\n"
    """
    path = Path(path)
    raise_all(column_problems(cohort, []))
    names = list(cohort.columns)
    problems = suffix_problems(path, writing=True) + column_problems(cohort, names)
    problems += _too_large(cohort, path)
    problems += [f"column name {name!r} is no text; rename it" for name in names if not isinstance(name, str)]
    raise_all(problems)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            _write(cohort, file, path.suffix.lower())
        part.replace(path)
    except _Unwritable as error:
        raise CohortError(_unwritable_columns(cohort, path.suffix.lower())) from error
    finally:
        part.unlink(missing_ok=True)


class _Unwritable(Exception):
    """A format refused a value."""


def _write(cohort: pd.DataFrame, file: IO[bytes], suffix: str) -> None:
    """Write a cohort in the format of a suffix; raises `_Unwritable` when the format cannot hold a value."""
    try:
        if FORMATS[suffix] == "Parquet":
            cohort.to_parquet(file, index=False)
        elif FORMATS[suffix] == "Excel":
            _write_excel(_escaped(cohort), file)
        else:
            sep = "\t" if suffix in (".tsv", ".tab") else ","
            _escaped(cohort).to_csv(file, index=False, sep=sep, lineterminator="\n", encoding="utf-8")
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        raise _Unwritable(str(error)) from error


def _write_excel(cohort: pd.DataFrame, file: IO[bytes]) -> None:
    """Write an Excel file; openpyxl, which takes long to import, is imported for this format alone."""
    from openpyxl.utils.exceptions import IllegalCharacterError

    try:
        cohort.to_excel(file, index=False, engine="openpyxl")
    except IllegalCharacterError as error:
        raise _Unwritable(str(error)) from error


def _too_large(cohort: pd.DataFrame, path: Path) -> list[str]:
    """A problem where an Excel sheet has no room for the rows or the columns."""
    if FORMATS.get(path.suffix.lower()) != "Excel":
        return []
    sizes = zip(("rows below its header", "columns"), cohort.shape, EXCEL_SIZE, strict=True)
    return [
        f"{path.name}: the cohort's {n:,} are more than the {most:,} {what} that an Excel sheet has room for; write it"
        " to .csv or .parquet"
        for what, n, most in sizes
        if n > most
    ]


def _unwritable_columns(cohort: pd.DataFrame, suffix: str) -> list[str]:
    """Which columns a format cannot hold, each with its type and what to do."""
    problems = []
    for name, column in cohort.items():
        try:
            _write(column.to_frame(), io.BytesIO(), suffix)
        except _Unwritable as error:
            types = first_few(dict.fromkeys(type(value).__name__ for value in column.dropna()))
            problems.append(
                f"column {name!r} ({column.dtype}, holding {types}) cannot be written to {FORMATS[suffix]}"
                f" ({str(error).splitlines()[0]}); make it numbers (.astype(float)), text (.astype(str)) or dates first"
            )
    return problems or [f"the cohort cannot be written to {FORMATS[suffix]}; write it to .csv"]


def _escaped(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort with an apostrophe before text that a spreadsheet would take for a formula."""
    columns = {escaped(name): column for name, column in cohort.items()}
    for name, column in columns.items():
        if not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype)):
            columns[name] = column.astype(object).map(escaped, na_action="ignore")
    return pd.DataFrame(columns)
