"""Files as tables of raw cells, so that none changes: text and sheets by their rows, other files by their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.cohort.columns import first_few
from analysis.cohort.file_rows import set_file_rows
from analysis.cohort.reading import data_files, formats, headers, spreadsheets, text_files
from analysis.cohort.reading.formats import FileFormat
from analysis.cohort.reading.value_labels import with_labels
from analysis.cohort.remedies import argument
from analysis.errors import InputError, raise_all


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a file with the rows of the file in `attrs`, labels of columns, and what was left out."""

    frame: pd.DataFrame
    file_format: FileFormat
    n_empty_rows: int = 0
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def read_table(
    path: Path,
    *,
    sep: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    sheet: str | int | None = None,
    header: int | None = None,
    skip: Sequence[int] = (),
) -> Table:
    """Read a file by its suffix; raises a CohortError that says what to do where it cannot be read."""
    raise_all(formats.path_problems(path))
    with formats.unpacked(path) as file:
        file_format = formats.FORMATS[file.suffix.lower()]
        raise_all(_option_problems(file, file_format, sheet, header, skip), InputError)
        if file_format == "text":
            rows = text_files.text_rows(file, sep=sep, decimal=decimal, encoding=encoding, header=header)
        elif file_format == "Excel":
            rows = spreadsheets.excel_rows(file, sheet)
        elif file_format == "spreadsheet":
            rows = spreadsheets.other_rows(file, sheet)
        else:
            return _typed_table(file, file_format, encoding)
        found = headers.below_header(rows, file.name, header=header, skip=skip)
    set_file_rows(found.frame, found.numbers)
    return Table(found.frame, file_format, found.n_empty, found.notes, rows.labels)


def _option_problems(
    path: Path, file_format: FileFormat, sheet: str | int | None, header: int | None, skip: Sequence[int]
) -> list[str]:
    """Options that a kind of file has no use for, and row numbers that are none."""
    problems = []
    if file_format not in ("Excel", "spreadsheet") and sheet is not None:
        problems.append(f"{argument('sheet', sheet)} is for spreadsheets; {path.name} is {file_format}")
    given = {"header": [] if header is None else [header], "skip": list(skip)}
    for name, numbers in given.items():
        if numbers and file_format not in ("text", "Excel", "spreadsheet"):
            problems.append(f"{name} is for text files and spreadsheets; {path.name} is {file_format}")
        elif any(isinstance(number, bool) or not isinstance(number, int) or number < 1 for number in numbers):
            problems.append(f"{name} counts rows as a spreadsheet does, from 1; got {first_few(numbers)}")
    return problems


def _typed_table(path: Path, file_format: FileFormat, encoding: str | None) -> Table:
    """The columns of a file that types them, with labels in place of codes."""
    file = data_files.read_data_file(path, file_format, encoding)
    frame, notes = with_labels(file)
    names = [str(name) for name in frame.columns]
    raise_all(headers.name_problems(names, path.name) + ([] if len(frame) else [f"{path.name} has no rows"]))
    names, renamed = headers.renamed_copies(names, path.name)
    labels = {name: label for name, label in file.labels.items() if label != name}
    frame = frame.set_axis(names, axis=1)
    frame.attrs = {}  # of whatever frame was once written
    return Table(frame, file_format, notes=(*file.notes, *notes, *renamed), labels=labels)
