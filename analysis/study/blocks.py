"""Tables and prose of the report, made from tidy frames in one place."""

from __future__ import annotations

import pandas as pd

from analysis.present.page import TableBlock
from analysis.present.tables import display_frame


def table(name: str, title: str, frame: pd.DataFrame, *, note: str = "") -> TableBlock:
    """A table of the report: the tidy frame for reuse, and its display for reading."""
    return TableBlock(name=name, title=title, frame=frame, display=display_frame(frame), note=note)
