"""What a searched cut is worth, written under its figure: never as found alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.present.canvas.frames import need_columns
from analysis.present.canvas.layout import POINTS, figure_of, text_size, wrapped
from analysis.present.canvas.style import INK, SMALL, SOFT_INK
from analysis.present.text.words import format_p, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("analysis", "contrast", "hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected")
P_HEADINGS = ("p, naive", "p, corrected")
TOGETHER = ("searched cut, as found", "searched cut, corrected", "continuous marker")
WHY = "a searched cut is shown only with its correction and the continuous marker beside it"
START, ROW, ROW_GAP, COLUMN_GAP, MARGIN = 32.0, 9.0, 3.5, 12.0, 4.0
NARROW, NAME_GAP = 150.0, 16.0


def check_summary(summary: pd.DataFrame) -> None:
    """Refuse a summary that lacks one of its three rows, or a corrected p-value beside a naive one."""
    need_columns(summary, "summary", COLUMNS)
    absent = [name for name in TOGETHER if name not in set(summary["analysis"])]
    if absent:
        raise InputError(f"summary: no row {' and no row '.join(map(repr, absent))}; {WHY}")
    alone = summary.loc[summary["p_naive"].notna() & summary["p_corrected"].isna(), "analysis"]
    if len(alone):
        raise InputError(f"summary: no corrected p-value beside the naive one of {', '.join(map(repr, alone))}; {WHY}")


@dataclass(frozen=True)
class _Row:
    """One analysis in words."""

    name: str
    contrast: str
    numbers: tuple[str, ...]

    @property
    def words(self) -> tuple[str, str]:
        """What stands at the left."""
        return self.name, self.contrast


def write_summary(ax: Axes, summary: pd.DataFrame, heading: str) -> None:
    """Names from the left edge of the page; numbers in columns right of them or, where it is narrow, below.

    The axes must have their size.
    """
    rows, headings = _rows(summary), (heading, *P_HEADINGS)
    figure, box = figure_of(ax), ax.get_window_extent()
    left, page = (side * POINTS / figure.dpi - MARGIN for side in (box.x0, box.x1))
    widths = _widths(figure, [headings, *(row.numbers for row in rows)])
    names = max(text_size(figure, words, size=SMALL, weight="bold")[0] for row in rows for words in row.words)
    stacked = page - sum(widths) < NARROW
    room = page if stacked else min(page - sum(widths), names + NAME_GAP)
    ends = (np.cumsum(widths) + (page - sum(widths) if stacked else room) - left).tolist()
    _write_numbers(ax, headings, ends, START, color=SOFT_INK)
    depth = START
    for row in rows:
        depth += ROW_GAP
        lines = [(row.name, "bold", INK)]
        lines += [(line, "normal", SOFT_INK) for line in wrapped(figure, row.contrast, room, size=SMALL).split("\n")]
        if not stacked:
            _write_numbers(ax, row.numbers, ends, depth + ROW, color=INK)
        for line, weight, color in lines:
            depth += ROW
            _under(ax, line, -left, depth, weight=weight, color=color)
        if stacked:
            depth += ROW
            _write_numbers(ax, row.numbers, ends, depth, color=INK)


def _rows(summary: pd.DataFrame) -> list[_Row]:
    """The analyses in words."""
    return [
        _Row(
            str(row["analysis"]),
            str(row["contrast"]).replace("<=", "≤"),
            (
                format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"]),
                format_p(row["p_naive"]),
                format_p(row["p_corrected"]),
            ),
        )
        for row in summary.to_dict("records")
    ]


def _widths(figure: Figure, table: list[tuple[str, ...]]) -> list[float]:
    """How wide each column of numbers is, in points, with the gap before it."""
    columns = zip(*table, strict=True)
    return [COLUMN_GAP + max(text_size(figure, text, size=SMALL)[0] for text in column) for column in columns]


def _write_numbers(ax: Axes, texts: tuple[str, ...], ends: Sequence[float], depth: float, *, color: str) -> None:
    """Numbers on one line, each column closed up at the right."""
    for text, end in zip(texts, ends, strict=True):
        _under(ax, text, end, depth, ha="right", color=color)


def _under(
    ax: Axes, text: str, x: float, depth: float, *, ha: str = "left", weight: str = "normal", color: str = INK
) -> None:
    """One line of words under the axes, `x` points from their left side."""
    ax.annotate(
        text, (0, 0), (x, -depth - SMALL), xycoords="axes fraction", textcoords="offset points", annotation_clip=False,
        ha=ha, va="baseline", size=SMALL, weight=weight, color=color,
    )  # fmt: skip
