"""The words of a survival figure: names at the ends of curves, medians, estimates, the true curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.figures.survival_lines import Look, true_points
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL_SHARE = 0.26
LABEL_GAP = 7.0
FAR = 8.0
MEDIAN_LINE = 0.5  # of a curve's 1.4
LONG_AXIS = 200.0  # beyond it (days), decimals of a median say nothing
ESTIMATE_ROW = 1.35 * canvas.TEXT


@dataclass(frozen=True)
class EndLabel:
    """The middle of a stratum's words in points, and the end of its curve in data coordinates."""

    centre: float
    end: canvas.Point
    color: str


def label_ends(
    ax: Axes,
    groups: Mapping[str, pd.DataFrame],
    look: Look,
    height: float,
) -> list[EndLabel]:
    """Write each stratum's name and description right of axes that are so high, as near as the others allow.

    A lone stratum "all" needs no name. `join_ends` ties the words to their curves.
    """
    if list(groups) == ["all"]:
        return []
    figure = canvas.figure_of(ax)
    room = canvas.page_width(figure) * LABEL_SHARE
    words = {}
    for stratum in groups:
        lines = [(stratum, "bold"), (look.descriptions.get(stratum, ""), "normal")]
        words[stratum] = [
            (canvas.wrapped(figure, line, room, weight=weight), weight)
            for line, weight in lines
            if line or weight == "bold"
        ]
    tall = [sum(canvas.text_size(figure, line)[1] for line, _ in lines) for lines in words.values()]
    last = [rows.dropna(subset=["survival"]).iloc[-1] for rows in groups.values()]
    ends = [(float(row["time"]), float(row["survival"])) for row in last]
    # where curves end at one height, the later end goes lower, so that no two joining lines cross
    end, top = ax.get_xlim()[1], ax.get_ylim()[1]
    wanted = [y / top * height - 1e-6 * x / end for x, y in ends]
    centres = canvas.spread(wanted, [high + 4 for high in tall], low=0.0, high=height).tolist()
    for (stratum, lines), centre, high in zip(words.items(), centres, tall, strict=True):
        up = centre + high / 2
        for line, weight in lines:
            canvas.write(
                ax, line, (1, 0), (LABEL_GAP, up), va="top", size=canvas.TEXT, weight=weight,
                color=look.styles[stratum].ink, linespacing=1.2,
            )  # fmt: skip
            up -= canvas.text_size(figure, line)[1]
    colors = [look.styles[stratum].color for stratum in groups]
    return [EndLabel(*label) for label in zip(centres, ends, colors, strict=True)]


def join_ends(ax: Axes, labels: Sequence[EndLabel]) -> None:
    """A thin line from each curve's end to its label, where they stand apart; once the axes have their size."""
    width, height = canvas.axes_size(ax)
    for label in labels:
        ended_early = label.end[0] < 0.985 * ax.get_xlim()[1]
        if ended_early or abs(label.centre - label.end[1] / ax.get_ylim()[1] * height) > canvas.TEXT:
            join(ax, (width + LABEL_GAP - 2, label.centre), label.end, color=label.color)


def write_medians(ax: Axes, medians: pd.DataFrame, look: Look, space: canvas.Space) -> None:
    """Read the medians off the axis: a line at one half, a drop to the axis for each, its value beside it."""
    canvas.need_columns(medians, "medians", ("stratum", "probability", "time"))
    known = medians[medians["stratum"].astype(str).isin(list(look.styles)) & (medians["time"] <= ax.get_xlim()[1])]
    if known.empty:
        return
    level = 1 - float(known["probability"].iloc[0])
    thin: dict[str, Any] = {"linewidth": canvas.stroke(MEDIAN_LINE), "linestyle": (0, (4, 2)), "label": "_median"}
    ax.plot([0, known["time"].max()], [level, level], color=canvas.SOFT_INK, zorder=2, **thin)
    rows = known.sort_values("time").to_dict("records")
    drops = [(float(row["time"]), look.styles[str(row["stratum"])]) for row in rows]
    for time, style in drops:
        ax.plot([time] * 2, [0, level], color=style.color, zorder=2, **thin)
        space.take_line([time] * 2, [0, level])
    for time, style in drops:
        text = look.words.number(format_number(time, digits=0 if ax.get_xlim()[1] > LONG_AXIS else 1))
        x, y = space.point(time, 0.0)
        wide = canvas.text_size(canvas.figure_of(ax), text)[0]
        spot = _put(ax, text, space, near=((x + 4, y + 4), (x - wide - 6, y + 4)), color=style.ink)
        if spot is not None and spot.left - x > FAR:
            middle = spot.bottom + spot.height / 2
            join(ax, (spot.left, middle), (time, min(middle / space.height * ax.get_ylim()[1], level)), color=style.ink)
    if level == 0.5:
        x, y = space.point(0.0, level)
        _put(
            ax, look.words["median"], space, near=((x + 3, y + 2),), color=canvas.SOFT_INK, size=canvas.SMALL, most=25.0
        )


def estimates_fit(ax: Axes, estimates: Sequence[tuple[str, str]], space: canvas.Space) -> bool:
    """Whether the rows have room where they cover no curve."""
    width, height, _ = _estimates_size(ax, estimates)
    return space.find(width, height, near=(0.0, 0.0)).free


def write_estimates(ax: Axes, estimates: Sequence[tuple[str, str]], space: canvas.Space) -> None:
    """Rows of label and value in two columns, near the upper right corner, where they cover least."""
    width, height, left = _estimates_size(ax, estimates)
    spot = space.place(width, height, near=(space.width - width, space.height - height))
    for number, (label, value) in enumerate(estimates):
        line = spot.bottom + height - 1 - 0.85 * canvas.TEXT - number * ESTIMATE_ROW
        _at(ax, label, spot.left + 2, line, color=canvas.INK, weight="normal" if value else "bold", va="baseline")
        _at(ax, value, spot.left + left, line, color=canvas.INK, va="baseline")


def _estimates_size(ax: Axes, estimates: Sequence[tuple[str, str]]) -> tuple[float, float, float]:
    """Width and height of the rows of estimates, and where their second column starts, in points."""
    figure = canvas.figure_of(ax)
    left = 10 + max((canvas.text_size(figure, label)[0] for label, value in estimates if value), default=0.0)
    right = max(canvas.text_size(figure, value)[0] for _, value in estimates)
    heads = (canvas.text_size(figure, label, weight="bold")[0] for label, value in estimates if not value)
    return max(left + right, max(heads, default=0.0) + 2) + 2, ESTIMATE_ROW * len(estimates) + 2, left


def write_truth(ax: Axes, truth: pd.DataFrame | None, look: Look, space: canvas.Space) -> None:
    """Name the dotted curves once, where the words stand nearest to one of them, with a thin line to it."""
    text = look.words["true curve"]
    width, height = canvas.text_size(canvas.figure_of(ax), text)
    spots = []
    for x, y in true_points(ax, truth, look).values():
        for time in np.linspace(0.2, 0.9, 8) * float(x.max(initial=0.0)):
            end = (float(time), float(np.interp(time, x, y)))
            point = space.point(*end)
            for dx, dy in ((8.0, 8.0), (8.0, -8.0 - height), (-8.0 - width, -8.0 - height)):
                spots.append((space.find(width + 2, height, near=(point[0] + dx, point[1] + dy)), end, point))
    if spots:
        spot, end, point = min(spots, key=lambda candidate: candidate[0].cost)
        _at(ax, text, spot.left + 1, spot.bottom + height / 2, color=canvas.INK, va="center")
        join(ax, spot.nearest(point), end, color=canvas.INK)


def join(ax: Axes, start: canvas.Point, end: canvas.Point, *, color: str) -> None:
    """A thin line from words (in points of the axes) to what they name (in data coordinates)."""
    canvas.join(ax, start, end, end_in="data", color=color, alpha=0.8, shrinkB=1)


def _put(
    ax: Axes,
    text: str,
    space: canvas.Space,
    *,
    near: Sequence[canvas.Point],
    color: str,
    size: float = canvas.TEXT,
    most: float = math.inf,
) -> canvas.Spot | None:
    """Words in free space at the best of some points of the axes; none where that costs more than `most`."""
    width, height = canvas.text_size(canvas.figure_of(ax), text, size=size)
    spots = [space.find(width + 2, height, near=corner) for corner in near]
    spot = min(spots, key=lambda one: one.cost + (0 if one is spots[0] else FAR))
    if spot.cost > most:
        return None
    space.take_spot(spot)
    _at(ax, text, spot.left + 1, spot.bottom + height / 2, color=color, va="center", size=size)
    return spot


def _at(
    ax: Axes, text: str, x: float, y: float, *, color: str, va: str, weight: str = "normal", size: float = canvas.TEXT
) -> None:
    """Words at points of the axes, on a white ground thin enough to see a band through."""
    ground = {"facecolor": "white", "alpha": 0.6, "edgecolor": "none", "pad": 0.4}
    canvas.write_at(ax, text, x, y, ha="left", va=va, size=size, weight=weight, color=color, zorder=6, bbox=ground)
