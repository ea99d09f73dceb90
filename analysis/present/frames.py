"""What the figures ask of a frame before they draw it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.errors import InputError


def need_columns(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    """Raise when a frame lacks a column that is to be drawn, or has no row."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns)) or "none"
        raise InputError(f"{what}: no column {', '.join(missing)}; its columns are {have}")
    if frame.empty:
        raise InputError(f"{what}: no rows to draw")


def ordered_labels(values: pd.Series) -> list[str]:
    """The labels that occur, in the categorical's order, else in order of appearance."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        present = set(values.dropna())
        return [str(label) for label in values.cat.categories if label in present]
    return [str(label) for label in values.dropna().drop_duplicates()]


def by_label(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """The rows of each label, in order, as frames of their own."""
    labels = frame[column].astype(str)
    return {label: frame[labels == label] for label in ordered_labels(frame[column])}
