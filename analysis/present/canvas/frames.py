"""What the figures ask of a frame before they draw it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.errors import InputError

LARGEST = 1e100


def need_columns(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    """Raise when a frame lacks a column that is to be drawn, or has no row."""
    twice = [name for name in dict.fromkeys(columns) if list(frame.columns).count(name) > 1]
    if twice:
        raise InputError(f"{what}: column {', '.join(map(str, twice))} stands twice; rename or drop the copies")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns)) or "none"
        raise InputError(f"{what}: no column {', '.join(map(str, missing))}; its columns are {have}")
    if frame.empty:
        raise InputError(f"{what}: no rows to draw")


def need_numbers(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with these columns as float64; raises when one holds anything but finite numbers."""
    numeric, problems = frame.copy(), []
    for name in columns:
        try:
            values = (
                pd.Series(pd.to_numeric(frame[name]).array)
                .astype("Float64")
                .to_numpy(dtype=float, na_value=float("nan"))
            )
        except (TypeError, ValueError):
            problems.append(f"{what}: column {name!r} is drawn as numbers, and holds other values; convert it first")
            continue
        if not pd.Series(values).between(-LARGEST, LARGEST)[~pd.isna(values)].all():
            problems.append(f"{what}: column {name!r} holds values that are infinite or beyond {LARGEST:g}")
        numeric[name] = values
    if problems:
        raise InputError(problems)
    return numeric


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
