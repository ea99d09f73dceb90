"""Labels of values, and values declared missing, as files of Stata, SAS and SPSS hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.cell_text import reads_as_missing
from analysis.cohort.columns import first_few, stratum_label, with_columns
from analysis.cohort.reading.data_files import DataFile
from analysis.cohort.remedies import argument


def with_labels(file: DataFile) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The columns with their labels in place of codes, and without what the file declares missing; and notes.

    A column becomes text where every value has a label. Where only some have one it stays numbers: those whose labels
    say that there is no value become missing, others are named.
    """
    columns: dict[str, pd.Series] = {}
    notes: list[str] = []
    for name in dict.fromkeys([*file.missing, *file.value_labels]):
        if name not in file.frame.columns:
            continue
        labels = file.value_labels.get(name, {})
        column, note = _without_declared(file.frame[name], file.missing.get(name, ()), labels)
        column, more = _labelled(column, labels)
        columns[name] = column
        notes += filter(None, [note, more])
    return with_columns(file.frame, columns), tuple(notes)


def _without_declared(
    column: pd.Series, ranges: Sequence[Mapping[str, Any]], labels: Mapping[Any, str]
) -> tuple[pd.Series, str]:
    """A column without the values that the file declares missing, and a note on how many they were."""
    declared = np.array([_within(value, ranges) for value in column], dtype=bool)
    if not declared.any():
        return column, ""
    codes = [_named(code, labels) for code in dict.fromkeys(column[declared])]
    return column.mask(declared), (
        f"column {column.name!r}: {first_few(codes)}, which the file declares missing, set missing in"
        f" {declared.sum()} rows"
    )


def _within(value: Any, ranges: Sequence[Mapping[str, Any]]) -> bool:  # noqa: ANN401
    """Whether a value lies in one of the ranges, each from "lo" to "hi", of numbers or of text."""
    present = not pd.isna(value)
    return any(
        present and isinstance(value, str) == isinstance(limits["lo"], str) and limits["lo"] <= value <= limits["hi"]
        for limits in ranges
    )


def _labelled(column: pd.Series, labels: Mapping[Any, str]) -> tuple[pd.Series, str]:
    """A column with labels in place of codes where each has one; and a note where only some do."""
    seen = [value for value in column.dropna().unique() if value in labels]
    if not seen:
        return column, ""
    if len(seen) == column.nunique():
        return column.map(labels).astype(object), ""
    absent = [code for code in seen if reads_as_missing(labels[code])]
    kept = [code for code in seen if code not in absent]
    notes = []
    if absent:
        count = int(column.isin(absent).sum())
        shown = first_few(_named(code, labels) for code in absent)
        notes.append(f"column {column.name!r}: {shown} set missing in {count} rows, as the labels say")
    if kept:
        shown = first_few(_named(code, labels) for code in kept)
        advice = argument("missing", {str(column.name): [stratum_label(code) for code in kept[:5]]})
        notes.append(
            f"column {column.name!r}: {shown} read as numbers, because other values have no label; where they stand for"
            f" a missing value read with {advice}"
        )
    return column.mask(column.isin(absent)), "; ".join(notes)


def _named(code: object, labels: Mapping[Any, str]) -> str:
    """A code with its label."""
    return f"{stratum_label(code)} ({labels[code]!r})" if code in labels else stratum_label(code)
