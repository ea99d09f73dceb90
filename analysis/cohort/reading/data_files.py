"""Files that hold typed columns: Parquet, Feather, JSON, and those of Stata, SAS and SPSS with their labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from analysis.cohort.columns import first_few
from analysis.cohort.reading.formats import FileFormat
from analysis.errors import CohortError, NotSupported

_LARGEST_EXACT = 2.0**53


@dataclass(frozen=True, eq=False)
class DataFile:
    """The columns of a file, its labels of columns and of values, and the values that it declares missing."""

    frame: pd.DataFrame
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    missing: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_data_file(path: Path, file_format: FileFormat, encoding: str | None) -> DataFile:
    """The columns of a file that types them."""
    if file_format in ("Parquet", "Feather"):
        read = pd.read_parquet if file_format == "Parquet" else pd.read_feather
        frame = _opened(path, file_format, read)
        return DataFile(_with_named_index(frame), frame.attrs.get("labels", {}))
    if file_format == "JSON":
        return DataFile(_json_records(path))
    return _read_stata(path) if file_format == "Stata" else _read_statistical(path, file_format, encoding)


def _opened(path: Path, file_format: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    """A file by one of pandas' readers."""
    try:
        return read(path)
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are ValueErrors
        raise CohortError(f"{path.name} cannot be opened as a {file_format} file ({error})") from None


def _with_named_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose named index has become columns."""
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)


def _json_records(path: Path) -> pd.DataFrame:
    """A list of objects, or an object a line."""
    advice = "write a list of objects, one a patient, or an object a line"
    try:
        text = path.read_text(encoding="utf-8-sig")
        whole = text.lstrip().startswith("[")
        records = json.loads(text) if whole else [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise CohortError(f"{path.name} cannot be opened as JSON records ({error}); {advice}") from None
    if not records or not all(isinstance(record, dict) for record in records):
        raise CohortError(f"{path.name} holds no JSON records; {advice}")
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: [record.get(name) for record in records] for name in names}
    nested = [name for name, cells in columns.items() if any(isinstance(cell, (dict, list)) for cell in cells)]
    if nested:
        raise CohortError(f"{path.name}: {first_few(map(repr, nested))} holds lists or objects; write plain values")
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def _read_stata(path: Path) -> DataFile:
    """A .dta file of Stata: extended missing values (.a to .z) are missing, dates are dates."""
    from pandas.io.stata import StataReader

    frame = _opened(path, "Stata", lambda given: pd.read_stata(given, convert_categoricals=False))
    with StataReader(path) as reader:
        labels = {name: label for name, label in reader.variable_labels().items() if label}
    try:
        labelled = pd.read_stata(path)
    except ValueError as error:
        reason = str(error).strip().splitlines()[0]
        return DataFile(_plain_numbers(frame), labels, notes=(f"{path.name}: labels of values left out ({reason})",))
    by_value = {
        str(name): {code: label for code, label in zip(frame[name], labelled[name], strict=True) if code != label}
        for name in frame.columns
        if isinstance(labelled[name].dtype, pd.CategoricalDtype)
    }
    known = {
        name: {code: str(text) for code, text in pairs.items() if pd.notna(code)} for name, pairs in by_value.items()
    }
    return DataFile(_plain_numbers(frame), labels, known)


def _read_statistical(path: Path, file_format: FileFormat, encoding: str | None) -> DataFile:
    """A file of SAS or SPSS by pyreadstat: special missing values are missing, dates are dates."""
    try:
        import pyreadstat
    except ImportError:
        raise NotSupported(
            f"{path.name}: {file_format} files are read with pyreadstat, which is not installed; save it as .csv, or:"
            " pip install pyreadstat"
        ) from None
    suffix = path.suffix.lower()
    readers = {".xpt": pyreadstat.read_xport, ".sas7bdat": pyreadstat.read_sas7bdat, ".por": pyreadstat.read_por}
    read: Any = readers.get(suffix, partial(pyreadstat.read_sav, user_missing=True))
    options = {"encoding": encoding} if encoding and suffix != ".por" else {}
    try:
        frame, meta = read(str(path), **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OSError, ValueError) as error:
        raise CohortError(f"{path.name} cannot be opened as an {file_format} file ({error})") from None
    labels = {name: label for name, label in meta.column_names_to_labels.items() if label}
    ranges = cast(Mapping[str, Sequence[Mapping[str, Any]]], meta.missing_ranges)
    return DataFile(_plain_numbers(frame), labels, meta.variable_value_labels, ranges)


def _plain_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers as a text file would hold them: whole ones as integers, single precision by its shortest decimals."""
    return pd.DataFrame({str(name): _plain(column) for name, column in frame.items()})


def _plain(column: pd.Series) -> pd.Series:
    """One column: other types than numbers as they are."""
    if not (isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"):
        return column
    if column.dtype == np.float32:
        shortest = [float(str(value)) for value in column.to_numpy()]
        column = pd.Series(shortest, index=column.index, name=column.name)
    values = column.to_numpy(dtype=np.float64)
    whole = len(values) > 0 and bool((values == np.round(values)).all()) and np.abs(values).max() < _LARGEST_EXACT
    return column.astype(np.int64 if whole else np.float64)
