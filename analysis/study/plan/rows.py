"""The rows that a plan is about: its file, joined with a second one, those that a condition keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import first_few, stratum_label
from analysis.cohort.file_rows import file_rows, set_file_rows
from analysis.cohort.reading import Table, read_table
from analysis.errors import AnalysisWarning, PlanError, RowsDropped, SuspiciousValues
from analysis.study.plan.conditions import rows_meeting
from analysis.study.plan.tables import DataPlan, JoinPlan


def planned_rows(data: DataPlan) -> tuple[Table, list[AnalysisWarning]]:
    """The cells of a plan's file, as they stand, and what was joined to them and left out.

    Raises
    ------
    InputError
        When a file cannot be read, the key of a join is missing or stands twice in the second file, or a condition
        cannot be read or keeps no row.
    """
    table = read_table(
        data.path,
        sep=data.sep,
        decimal=data.decimal,
        encoding=data.encoding,
        sheet=data.sheet,
        header=data.header,
        skip=data.skip,
    )
    frame, warned = table.frame, list[AnalysisWarning]()
    if data.join is not None:
        frame = _joined(frame, data, data.join, warned)
    if data.where is not None:
        frame = _kept(frame, data.where, "[data] where", warned)
    return replace(table, frame=frame), warned


def _kept(frame: pd.DataFrame, condition: str, key: str, warned: list[AnalysisWarning]) -> pd.DataFrame:
    """The rows that meet a condition, and a warning on the others."""
    keep = rows_meeting(frame, condition, key=key)
    if not keep.any():
        raise PlanError(f"{key} = {condition!r} keeps none of {len(frame)} rows; check names and values")
    if not keep.all():
        n_kept = int(keep.sum())
        warned.append(RowsDropped(len(frame), n_kept, {f"{key} = {condition!r}": len(frame) - n_kept}))
    kept, rows = frame[keep].reset_index(drop=True), file_rows(frame[keep])
    if rows is not None:
        set_file_rows(kept, rows.tolist())
    return kept


def _joined(frame: pd.DataFrame, data: DataPlan, join: JoinPlan, warned: list[AnalysisWarning]) -> pd.DataFrame:
    """The rows with the columns of a second file beside them, by a key that stands there once."""
    other = read_table(join.path, sep=join.sep, decimal=data.decimal, encoding=join.encoding, sheet=join.sheet).frame
    names = {data.path.name: frame, join.path.name: other}
    absent = [
        f"[data.join] key {join.key!r} is no column of {name}" for name, one in names.items() if join.key not in one
    ]
    if absent:
        raise PlanError(absent)
    if join.where is not None:
        other = _kept(other, join.where, "[data.join] where", warned)
    keys, their_keys = (one[join.key].map(_as_key) for one in (frame, other))
    repeated = their_keys[their_keys.duplicated(keep=False) & (their_keys != "")]
    if len(repeated):
        raise PlanError(
            f"[data.join] {join.path.name}: {repeated.nunique()} values of {join.key!r} stand in several rows"
            f" ({first_few(dict.fromkeys(repeated))}); keep one row each, as with where = \"SAMPLE_TYPE == 'Primary'\""
            " in [data.join]"
        )
    row_of = pd.Series(np.arange(len(other)), index=their_keys)[lambda rows: rows.index != ""]
    rows = keys.map(row_of)
    _name_unmatched(rows, len(other), join, warned)
    added = other.drop(columns=join.key)
    added.columns = [f"{name} ({join.path.stem})" if name in frame else name for name in added.columns]
    joined = pd.concat([frame, added.astype(object).reindex(rows).set_axis(frame.index)], axis=1)
    joined.attrs = frame.attrs
    return joined


def _as_key(cell: Any) -> str:  # noqa: ANN401
    """A key as text, without blanks around it; whole numbers alike in text and in Excel files."""
    return "" if pd.isna(cell) else stratum_label(cell).strip()


def _name_unmatched(rows: pd.Series, n_other: int, join: JoinPlan, warned: list[AnalysisWarning]) -> None:
    """A warning on rows of either file that have no counterpart."""
    n_alone, n_unused = int(rows.isna().sum()), n_other - rows.nunique()
    if n_alone == len(rows):
        raise PlanError(f"[data.join] no value of {join.key!r} stands in both files; is it the same key in both?")
    counts = {f"{n_alone} of {len(rows)} rows have no counterpart in {join.path.name}": n_alone}
    counts[f"{n_unused} of {n_other} rows of {join.path.name} are not used"] = n_unused
    told = [text for text, count in counts.items() if count]
    if told:
        warned.append(SuspiciousValues(f"[data.join] by {join.key!r}: {', '.join(told)}"))
