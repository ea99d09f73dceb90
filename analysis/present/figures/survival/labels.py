"""The words of a survival figure: names at the ends of curves, medians, estimates, the planted truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.present.canvas import (
    INK,
    POINTS,
    SMALL,
    SOFT_INK,
    TEXT,
    Space,
    Spot,
    StratumStyle,
    figure_of,
    need_columns,
    spread,
    text_size,
    wrapped,
)
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from analysis.present.figures.survival.lines import Points

LABEL_SHARE = 0.26
LABEL_GAP = 7.0
FAR = 8.0
LONG_AXIS = 200.0  # beyond it (days), decimals of a median say nothing
ESTIMATE_ROW = 1.35 * TEXT


@dataclass(frozen=True, eq=False)
class EndLabel:
    """The name and the description of one stratum, and the end of its curve in data coordinates."""

    texts: tuple[Annotation, ...]
    heights: tuple[float, ...]
    end: tuple[float, float]
    color: str


@dataclass(frozen=True, eq=False)
class EndLabels:
    """All end labels of some axes; first `settle` moves them apart, then `join` ties them to their curves."""

    ax: Axes
    labels: tuple[EndLabel, ...]

    def settle(self, height: float) -> None:
        """Put each label at the height of its curve's end in axes `height` points high, as near as the others allow."""
        sizes = [sum(label.heights) + 4 for label in self.labels]
        # where curves end at one height, the later end goes lower, so that no two joining lines cross
        last, top = self.ax.get_xlim()[1], self.ax.get_ylim()[1]
        wanted = [label.end[1] / top * height - 1e-6 * label.end[0] / last for label in self.labels]
        for label, centre in zip(self.labels, spread(wanted, sizes, low=0.0, high=height), strict=True):
            top = float(centre) + sum(label.heights) / 2
            for text, used in zip(label.texts, label.heights, strict=True):
                text.set_position((LABEL_GAP, top))
                top -= used

    def join(self) -> None:
        """A thin line from each curve's end to its label, where they stand apart; once the axes have their size."""
        box, scale = self.ax.get_window_extent(), POINTS / self.ax.figure.dpi
        for label in self.labels:
            centre = label.texts[0].get_position()[1] - sum(label.heights) / 2
            ended_early = label.end[0] < 0.985 * self.ax.get_xlim()[1]
            height = label.end[1] / self.ax.get_ylim()[1] * box.height * scale
            if ended_early or abs(centre - height) > TEXT:
                join(self.ax, label.end, (box.width * scale + LABEL_GAP - 2, centre), color=label.color)


def label_ends(
    ax: Axes,
    groups: Mapping[str, pd.DataFrame],
    styles: Mapping[str, StratumStyle],
    descriptions: Mapping[str, str],
) -> EndLabels:
    """Write each stratum's name and description to the right of the axes; a lone stratum "all" needs no name."""
    figure = figure_of(ax)
    room = POINTS * figure.get_figwidth() * LABEL_SHARE
    labels = []
    for stratum, rows in groups.items():
        if list(groups) == ["all"]:
            continue
        words = [(stratum, "bold")]
        if descriptions.get(stratum):
            words.append((descriptions[stratum], "normal"))
        lines = [(wrapped(figure, text, room, size=TEXT, weight=weight), weight) for text, weight in words]
        texts = tuple(_beside(ax, text, weight, styles[stratum].ink) for text, weight in lines)
        heights = tuple(text_size(figure, text, size=TEXT)[1] for text, _ in lines)
        last = rows.dropna(subset=["survival"]).iloc[-1]
        labels.append(EndLabel(texts, heights, (float(last["time"]), float(last["survival"])), styles[stratum].color))
    return EndLabels(ax, tuple(labels))


def write_medians(ax: Axes, medians: pd.DataFrame, styles: Mapping[str, StratumStyle], space: Space) -> None:
    """Read the medians off the axis: a line at one half, a drop to the axis for each, its value beside it."""
    need_columns(medians, "medians", ("stratum", "probability", "time"))
    known = medians[medians["stratum"].astype(str).isin(list(styles)) & (medians["time"] <= ax.get_xlim()[1])]
    if known.empty:
        return
    level = 1 - float(known["probability"].iloc[0])
    ax.plot([0, known["time"].max()], [level, level], color=SOFT_INK, linewidth=0.6, label="_median", zorder=2)
    for row in known.sort_values("time").to_dict("records"):
        ax.plot([row["time"]] * 2, [0, level], color=styles[str(row["stratum"])].color, linewidth=0.7, label="_median")
        space.take_line([row["time"]] * 2, [0, level])
    for row in known.sort_values("time").to_dict("records"):
        text = format_number(row["time"], digits=0 if ax.get_xlim()[1] > LONG_AXIS else 1)
        x, y = (float(value) for value in space.points([row["time"]], [0.0])[0])
        wide = text_size(figure_of(ax), text)[0]
        beside = ((x + 4, y + 4), (x - wide - 6, y + 4))
        spot = _put(ax, text, space, near=beside, color=styles[str(row["stratum"])].ink)
        if spot is not None and spot.left - x > FAR:
            middle = (spot.bottom + spot.height / 2) / space.height
            join(
                ax,
                (row["time"], middle),
                (spot.left, spot.bottom + spot.height / 2),
                color=styles[str(row["stratum"])].ink,
            )
    if level == 0.5:
        x, y = space.points([0.0], [level])[0]
        _put(ax, "median", space, near=((float(x) + 3, float(y) + 2),), color=SOFT_INK, size=SMALL, most=25.0)


def estimates_fit(ax: Axes, estimates: Sequence[tuple[str, str]], space: Space) -> bool:
    """Whether the rows find a place that covers no curve."""
    width, height, _ = _estimates_size(ax, estimates)
    return space.find(width, height, near=(0.0, 0.0)).free


def write_estimates(ax: Axes, estimates: Sequence[tuple[str, str]], space: Space) -> None:
    """Rows of label and value in two columns, near the upper right corner, where they cover least."""
    width, height, left = _estimates_size(ax, estimates)
    spot = space.place(width, height, near=(space.width - width, space.height - height))
    for place, (label, value) in enumerate(estimates):
        line = spot.bottom + height - 1 - 0.85 * TEXT - place * ESTIMATE_ROW
        _at(ax, label, spot.left + 2, line, color=INK, weight="normal" if value else "bold", va="baseline")
        _at(ax, value, spot.left + left, line, color=INK, va="baseline")


def _estimates_size(ax: Axes, estimates: Sequence[tuple[str, str]]) -> tuple[float, float, float]:
    """Width and height of the rows of estimates, and where their second column starts, in points."""
    figure = figure_of(ax)
    left = 10 + max((text_size(figure, label)[0] for label, value in estimates if value), default=0.0)
    right = max(text_size(figure, value)[0] for _, value in estimates)
    heads = max((text_size(figure, label, weight="bold")[0] for label, value in estimates if not value), default=0.0)
    return max(left + right, heads + 2) + 2, ESTIMATE_ROW * len(estimates) + 2, left


def write_truth(ax: Axes, truths: Mapping[str, Points], space: Space) -> None:
    """Name the dotted curves once, where the words stand nearest to one of them, with a thin line to it."""
    text = "planted truth"
    width, height = text_size(figure_of(ax), text)
    best: tuple[Spot, tuple[float, float], NDArray[np.float64]] | None = None
    for x, y in truths.values():
        for at in np.linspace(0.2, 0.9, 8) * float(x.max(initial=0.0)):
            end = (float(at), float(np.interp(at, x, y)))
            point = space.points([end[0]], [end[1]])[0]
            for shift in ((8.0, 8.0), (8.0, -8.0 - height), (-8.0 - width, -8.0 - height)):
                spot = space.find(width + 2, height, near=(float(point[0]) + shift[0], float(point[1]) + shift[1]))
                if best is None or spot.cost < best[0].cost:
                    best = (spot, end, point)
    if best is not None:
        spot, end, point = best
        corner = (
            float(np.clip(point[0], spot.left, spot.left + spot.width)),
            float(np.clip(point[1], spot.bottom, spot.bottom + spot.height)),
        )
        _at(ax, text, spot.left + 1, spot.bottom + height / 2, color=INK, va="center")
        join(ax, end, corner, color=INK)


def join(ax: Axes, end: tuple[float, float], start: tuple[float, float], *, color: str) -> None:
    """A thin line from words (in points of the axes) to what they name (in data coordinates)."""
    look = {"arrowstyle": "-", "color": color, "linewidth": 0.5, "alpha": 0.8, "shrinkA": 0, "shrinkB": 1}
    ax.annotate("", end, start, textcoords="axes points", annotation_clip=False, arrowprops=look)


def _beside(ax: Axes, text: str, weight: str, color: str) -> Annotation:
    """Words to the right of the axes; their height is settled later."""
    return ax.annotate(
        text, (1, 0), (LABEL_GAP, 0), xycoords="axes fraction", textcoords="offset points", annotation_clip=False,
        ha="left", va="top", size=TEXT, weight=weight, color=color, linespacing=1.2,
    )  # fmt: skip


def _put(
    ax: Axes,
    text: str,
    space: Space,
    *,
    near: Sequence[tuple[float, float]],
    color: str,
    size: float = TEXT,
    most: float = math.inf,
) -> Spot | None:
    """Words in free space at the best of some points of the axes; none where that costs more than `most`."""
    width, height = text_size(figure_of(ax), text, size=size)
    found = [(space.find(width + 2, height, near=one), one) for one in near]
    spot, best = min(found, key=lambda pair: pair[0].cost + (0 if pair[1] == near[0] else FAR))
    if spot.cost > most:
        return None
    space.place(width + 2, height, near=best)
    _at(ax, text, spot.left + 1, spot.bottom + height / 2, color=color, va="center", size=size)
    return spot


def _at(
    ax: Axes, text: str, x: float, y: float, *, color: str, va: str, weight: str = "normal", size: float = TEXT
) -> None:
    """Words at points of the axes, on a white ground thin enough to see a band through."""
    ax.annotate(
        text, (x, y), xycoords="axes points", ha="left", va=va, size=size, weight=weight, color=color, zorder=6,
        bbox={"facecolor": "white", "alpha": 0.6, "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip
