"""Tables and prose of the report, made from tidy frames in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import pandas as pd

from analysis.errors import InputError, NotComputed, warn_all
from analysis.present.page import TableBlock
from analysis.present.tables import display_frame

T = TypeVar("T")


def attempted(what: str, compute: Callable[[], Sequence[T]]) -> list[T]:
    """What `compute` gives, or nothing and a `NotComputed` warning, which `run_study` makes a note of the section."""
    try:
        return list(compute())
    except InputError as error:
        warn_all([NotComputed(f"{what} is not given: {'; '.join(error.problems)}")])
        return []


def table(
    name: str, title: str, frame: pd.DataFrame, *, note: str = "", kinds: Mapping[str, str] | None = None
) -> TableBlock:
    """A table of the report: the tidy frame for reuse, and its display for reading (`kinds`: how cells are written)."""
    return TableBlock(name=name, title=title, frame=frame, display=display_frame(frame, kinds=kinds), note=note)
