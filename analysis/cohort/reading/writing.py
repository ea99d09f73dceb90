"""Cohorts into files: CSV, Excel and Parquet, so that `read_cohort` reads the same again."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

import pandas as pd

from analysis.cohort.columns import column_problems, first_few
from analysis.cohort.reading.formats import FORMATS, suffix_problems
from analysis.cohort.reading.rows import escaped
from analysis.errors import CohortError, raise_all

EXCEL_SIZE = (1_048_575, 16_384)
"""Rows below the header and columns of a sheet."""


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
