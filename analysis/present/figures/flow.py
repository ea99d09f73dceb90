"""The flow of patients from one frame: who came in, who was left out and why, and the strata with their events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import InputError
from analysis.present.canvas import (
    LINE,
    MM_PER_INCH,
    PAD,
    POINTS,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    draw_box,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    stratum_styles,
    text_size,
    wrapped,
)
from analysis.present.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP, INSIDE, BETWEEN = 16.0, 6.0, 3.0
"""Points between levels of boxes, between a box and its words, and at least between boxes side by side."""


def plot_flow(
    flow: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    r"""Draw the flow of patients from top to bottom.

    Parameters
    ----------
    flow : DataFrame
        part n words: part is "stage" (those who came so far), "excluded" (left out after the stage above it) or
        "stratum" (the last row of boxes); n patients; words say who or why. The first row is a stage.
    title, subtitle, width, synthetic, ax
        As for `plot_survival`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        Columns that are missing, an unknown part, or a first row that is no stage.

    Examples
    --------
    >>> flow = pd.DataFrame({"part": ["stage", "excluded", "stage"], "n": [480, 42, 438],
    ...                      "words": ["patients", "without magnesium", "in strata"]})
    >>> [text.get_text() for text in plot_flow(flow).axes[0].texts if "\n" in text.get_text()]
    ['480\npatients', '42\nwithout magnesium', '438\nin strata']
    """
    need_columns(flow, "flow", ("part", "n", "words"))
    unknown = sorted(set(flow["part"]) - {"stage", "excluded", "stratum"})
    if unknown or flow["part"].iloc[0] != "stage":
        raise InputError(
            f"flow: parts are stage, excluded, stratum, and the first is a stage; found {unknown or 'none'}"
        )
    with figure_style():
        target, own = drawing_axes(ax, width)
        height = _draw(target, own, _levels(flow))
        if own:
            mm = height / POINTS * MM_PER_INCH
            finish(figure_of(target), mm, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


@dataclass(frozen=True)
class _Box:
    """The words of a box, and for a stratum its label."""

    part: str
    words: str
    label: str


def _levels(flow: pd.DataFrame) -> list[list[_Box]]:
    """The boxes of each level: a stage, those left out after it, or all strata side by side."""
    levels: list[list[_Box]] = []
    for row in flow.to_dict("records"):
        words = str(row["words"])
        box = _Box(str(row["part"]), f"{format_count(row['n'])}\n{words}", words.split("\n")[0])
        if box.part == "stratum" and levels[-1][0].part == "stratum":
            levels[-1].append(box)
        else:
            levels.append([box])
    return levels


def _draw(ax: Axes, own: bool, levels: Sequence[Sequence[_Box]]) -> float:
    """Every box with the lines that join them; gives the height in points."""
    figure = figure_of(ax)
    room = POINTS * (figure.get_figwidth() - 2 * PAD) if own else ax.get_window_extent().width * POINTS / figure.dpi
    levels = [_fitting(figure, level, room) for level in levels]
    heights = [max(_high(box.words) for box in level) for level in levels]
    total = sum(heights) + GAP * (len(levels) - 1) + 2
    ax.set_xlim(0, room)
    ax.set_ylim(0, total)
    ax.set_axis_off()
    top, last = total - 1, total - 1
    for level, high in zip(levels, heights, strict=True):
        y = top - high / 2
        if level[0].part == "excluded":
            _aside(ax, level[0].words, room, y, last, high)
        else:
            last = _across(ax, level, room, y, last, high, first=top == total - 1)
        top -= high + GAP
    return total


def _fitting(figure: Figure, level: Sequence[_Box], room: float) -> list[_Box]:
    """The boxes of a level with their words wrapped, so that none overlaps another or leaves the page."""
    share = room / 2 - GAP if level[0].part == "excluded" else room / len(level)
    width = share - 2 * INSIDE - BETWEEN
    return [replace(box, words=wrapped(figure, box.words, width)) for box in level]


def _high(words: str) -> float:
    """The height of a box, in points."""
    return LINE * TEXT * (words.count("\n") + 1) + 2 * INSIDE


def _across(ax: Axes, level: Sequence[_Box], room: float, y: float, last: float, high: float, *, first: bool) -> float:
    """A stage, or the strata side by side, under what came before; gives where its line to the next begins."""
    step = room / len(level)
    styles = stratum_styles([box.label for box in level])
    for place, box in enumerate(level):
        x = step * (place + 0.5)
        wide = text_size(figure_of(ax), box.words)[0] / 2 + INSIDE
        edge = styles[box.label].color if box.part == "stratum" else SOFT_INK
        draw_box(ax, box.words, x, y, wide, high / 2, edge=edge)
        if not first:
            turn = y + high / 2 + GAP / 2
            ax.plot([room / 2, room / 2, x], [last, turn, turn], color=SOFT_INK, linewidth=0.8, zorder=1)
            _arrow(ax, (x, turn), (x, y + high / 2))
    return y - high / 2


def _aside(ax: Axes, words: str, room: float, y: float, last: float, high: float) -> None:
    """Those left out, to the right of the line that goes on down."""
    wide = text_size(figure_of(ax), words)[0] / 2 + INSIDE
    x = max(room - wide - 1, room / 2 + GAP + wide)
    draw_box(ax, words, x, y, wide, high / 2)
    ax.plot([room / 2, room / 2], [last, y - high / 2 - GAP], color=SOFT_INK, linewidth=0.8, zorder=1)
    _arrow(ax, (room / 2, y), (x - wide, y))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A line with a head."""
    head = "-|>,head_length=0.4,head_width=0.16"
    look = {"arrowstyle": head, "color": SOFT_INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, zorder=2, arrowprops=look)
