"""Diagrams of boxes and arrows: the flow of patients, and what causes what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAP, INSIDE, BETWEEN = 16.0, 6.0, 3.0
"""Points between levels of boxes, between a box and its words, and at least between boxes side by side."""
STEP = 40.0
SIGNS = {1: "+", -1: "−", 0: "±"}
BENDS = (0.0, 0.12, -0.12, 0.22, -0.22, 0.34, -0.34, 0.5, -0.5)
ENOUGH = 14.0

Box = tuple[str, str, str]
"""Of the flow: its part, its words, its label."""
Corners = tuple[float, float, float, float]


def plot_flow(
    flow: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(flow, "flow", ("part", "n", "words"))
    unknown = sorted(set(flow["part"]) - {"stage", "excluded", "stratum"})
    if unknown or flow["part"].iloc[0] != "stage":
        raise InputError(
            f"flow: parts are stage, excluded, stratum, and the first is a stage; found {unknown or 'none'}"
        )
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        room = _drawing_width(sheet)
        levels = [_fitting(sheet.figure, level, room) for level in _levels(flow)]
        heights = [
            max(canvas.LINE * canvas.TEXT * (words.count("\n") + 1) + 2 * INSIDE for _, words, _ in level)
            for level in levels
        ]
        total = sum(heights) + GAP * (len(levels) - 1) + 2
        _set_points(sheet.ax, room, total)
        top = last = total - 1
        for number, (level, high) in enumerate(zip(levels, heights, strict=True)):
            y = top - high / 2
            if level[0][0] == "excluded":
                _draw_excluded(sheet.ax, level[0][1], room, y, high, last)
            else:
                _draw_level(sheet.ax, level, room, y, high, last if number else None)
                last = y - high / 2
            top -= high + GAP
        sheet.finish(canvas.millimetres(total))
    return sheet.figure


def _drawing_width(sheet: canvas.Sheet) -> float:
    """The width of a diagram in points, which are the units of its axes on a page of our own."""
    return sheet.width - 2 * canvas.from_inches(canvas.PAD) if sheet.own else canvas.axes_size(sheet.ax)[0]


def _set_points(ax: Axes, width: float, height: float) -> None:
    """Axes in points, without scales."""
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()


def draw_box(ax: Axes, words: str, box: Corners, *, edge: str = canvas.SOFT_INK) -> None:
    """A rounded box, centre and half sizes in the axes' units, around its words."""
    from matplotlib.patches import FancyBboxPatch

    x, y, half_width, half_height = box
    ax.add_patch(
        FancyBboxPatch(
            (x - half_width, y - half_height), 2 * half_width, 2 * half_height,
            boxstyle="round,pad=0,rounding_size=4", facecolor="#f6f8fa", edgecolor=edge, linewidth=0.8, zorder=3,
        )
    )  # fmt: skip
    ax.text(
        x,
        y,
        words,
        ha="center",
        va="center",
        size=canvas.points(canvas.TEXT),
        color=canvas.INK,
        linespacing=1.2,
        zorder=4,
    )


def _levels(flow: pd.DataFrame) -> list[list[Box]]:
    """The boxes of each level: a stage, those left out after it, or all strata side by side."""
    levels: list[list[Box]] = []
    for part, n, words in flow[["part", "n", "words"]].itertuples(index=False, name=None):
        box = (str(part), f"{format_count(n)}\n{words}", str(words).split("\n")[0])
        if part == "stratum" and levels[-1][0][0] == "stratum":
            levels[-1].append(box)
        else:
            levels.append([box])
    return levels


def _fitting(figure: Figure, level: Sequence[Box], room: float) -> list[Box]:
    """The boxes of a level with their words wrapped, so that none overlaps another or leaves the page."""
    share = room / 2 - GAP if level[0][0] == "excluded" else room / len(level)
    width = share - 2 * INSIDE - BETWEEN
    return [(part, canvas.wrapped(figure, words, width), label) for part, words, label in level]


def _draw_level(ax: Axes, level: Sequence[Box], room: float, y: float, high: float, last: float | None) -> None:
    """A stage, or the strata side by side, under the box that ended at the height `last`."""
    step = room / len(level)
    styles = canvas.stratum_styles([label for *_, label in level])
    for number, (part, words, label) in enumerate(level):
        x = step * (number + 0.5)
        wide = canvas.text_size(canvas.figure_of(ax), words)[0] / 2 + INSIDE
        edge = styles[label].color if part == "stratum" else canvas.SOFT_INK
        draw_box(ax, words, (x, y, wide, high / 2), edge=edge)
        if last is not None:
            turn = y + high / 2 + GAP / 2
            ax.plot([room / 2, room / 2, x], [last, turn, turn], color=canvas.SOFT_INK, linewidth=0.8, zorder=1)
            _draw_head(ax, (x, turn), (x, y + high / 2))


def _draw_excluded(ax: Axes, words: str, room: float, y: float, high: float, last: float) -> None:
    """Those left out, to the right of the line that goes on down."""
    wide = canvas.text_size(canvas.figure_of(ax), words)[0] / 2 + INSIDE
    x = max(room - wide - 1, room / 2 + GAP + wide)
    draw_box(ax, words, (x, y, wide, high / 2))
    ax.plot([room / 2, room / 2], [last, y - high / 2 - GAP], color=canvas.SOFT_INK, linewidth=0.8, zorder=1)
    _draw_head(ax, (room / 2, y), (x - wide, y))


def _draw_head(ax: Axes, start: canvas.Point, end: canvas.Point) -> None:
    """A line with a head."""
    head = "-|>,head_length=0.4,head_width=0.16"
    look = {"arrowstyle": head, "color": canvas.SOFT_INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, zorder=2, arrowprops=look)


def plot_causes(
    arrows: pd.DataFrame,
    nodes: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a causal diagram from left to right.

    Parameters
    ----------
    arrows : DataFrame
        cause effect sign planted: names of nodes; 1 (raises), -1 (lowers) or 0 (some raise, some lower); whether the
        effect is the planted one, which is highlighted.
    nodes : DataFrame
        name x y: x in columns from the left, y upwards in steps; a name may hold line breaks.
    title, subtitle, width, synthetic, ax
        As for `plot_survival`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        A frame without rows or columns; an arrow from or to a name that is no node.

    Examples
    --------
    >>> nodes = pd.DataFrame({"name": ["burden", "death"], "x": [0.0, 1.0], "y": [0.0, 0.0]})
    >>> arrows = pd.DataFrame({"cause": ["burden"], "effect": ["death"], "sign": [1], "planted": [False]})
    >>> [text.get_text() for text in plot_causes(arrows, nodes).axes[0].texts if text.get_text()]
    ['burden', 'death', '+']
    """
    canvas.need_columns(arrows, "arrows", ("cause", "effect", "sign", "planted"))
    canvas.need_columns(nodes, "nodes", ("name", "x", "y"))
    unknown = sorted({*arrows["cause"], *arrows["effect"]} - set(nodes["name"]))
    if unknown:
        raise InputError(f"arrows name {', '.join(map(repr, unknown))}, which no row of nodes places")
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        height, room = STEP * (float(np.ptp(nodes["y"])) + 1), _drawing_width(sheet)
        _set_points(sheet.ax, room, height)
        boxes = _draw_nodes(sheet.ax, nodes, room)
        paths = [_draw_arrow(sheet.ax, boxes, arrow) for arrow in arrows.to_dict("records")]
        _write_signs(sheet.ax, arrows, paths, boxes)
        sheet.finish(canvas.millimetres(height))
    return sheet.figure


def _draw_nodes(ax: Axes, nodes: pd.DataFrame, room: float) -> dict[str, Corners]:
    """Boxes around their names, columns spread over the whole width; gives centre and half sizes by name."""
    names = nodes["name"].astype(str)
    sizes = [canvas.text_size(canvas.figure_of(ax), name) for name in names]
    wide = pd.Series([width / 2 + 6.0 for width, _ in sizes], index=nodes.index)
    across = nodes["x"] - nodes["x"].min()
    start = wide[across == 0].max() + 1
    end = room - wide[across == across.max()].max() - 1
    x = start + across / (across.max() or 1.0) * (end - start)
    y = STEP * (nodes["y"] - nodes["y"].min() + 0.5)
    high = [height / 2 + 4 for _, height in sizes]
    boxes = dict(zip(names, zip(x.tolist(), y.tolist(), wide.tolist(), high, strict=True), strict=True))
    for name, box in boxes.items():
        draw_box(ax, name, box)
    return boxes


def _draw_arrow(ax: Axes, boxes: Mapping[str, Corners], arrow: Mapping[Any, Any]) -> FloatArray:
    """An arrow from box to box, bent around the boxes between; the planted effect is heavy and coloured."""
    cause, effect, planted = str(arrow["cause"]), str(arrow["effect"]), bool(arrow["planted"])
    others = [box for name, box in boxes.items() if name not in (cause, effect)]
    curves = [_curve(boxes[cause], boxes[effect], bend) for bend in BENDS]
    # the straightest of the lines that run least through other boxes
    path = min(curves, key=lambda curve: sum(int(_within(curve, box, 5.0).sum()) for box in others))
    color, heavy = (canvas.VERMILLION, 2.0) if planted else (canvas.SOFT_INK, 0.8)
    ax.plot(
        path[:-3, 0], path[:-3, 1], color=color, linewidth=heavy, zorder=2 + planted, label=f"_{cause} to {effect}",
        clip_on=False,
    )  # fmt: skip
    head = f"-|>,head_length={0.45 + 0.15 * planted},head_width={0.18 + 0.08 * planted}"
    look = {"arrowstyle": head, "color": color, "linewidth": heavy, "shrinkA": 0, "shrinkB": 1}
    ax.annotate("", path[-1], path[-4], zorder=2 + planted, arrowprops=look)
    return path


def _curve(start: Corners, end: Corners, bend: float) -> FloatArray:
    """Points of a bent line between two boxes, from edge to edge."""
    first, last = np.array(start[:2]), np.array(end[:2])
    across = last - first
    control = (first + last) / 2 + bend * np.array([-across[1], across[0]])
    t = np.linspace(0, 1, 200)[:, None]
    points: FloatArray = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
    return points[~_within(points, start, 0.0) & ~_within(points, end, 1.5)]


def _within(points: FloatArray, box: Corners, room: float) -> BoolArray:
    """Which points lie in a box, or closer to it than `room`."""
    x, y, wide, high = box
    return np.asarray((abs(points[:, 0] - x) < wide + room) & (abs(points[:, 1] - y) < high + room), dtype=np.bool_)


def _write_signs(ax: Axes, arrows: pd.DataFrame, paths: Sequence[FloatArray], boxes: Mapping[str, Corners]) -> None:
    """The sign of each arrow, on it, where other arrows, boxes and signs are farthest."""
    crowd = [np.array([[x + dx * wide, y + dy * high] for dx in (-1, 0, 1) for dy in (-1, 0, 1)])
             for x, y, wide, high in boxes.values()]  # fmt: skip
    for number in np.argsort(~arrows["planted"].to_numpy(dtype=bool), kind="stable"):
        row, path = arrows.iloc[number], paths[number]
        others = np.vstack([other for at, other in enumerate(paths) if at != number] + crowd)
        sign = SIGNS[int(np.sign(row["sign"]))]
        words = f"planted {sign}" if row["planted"] else sign
        spots = _inner(path, canvas.text_size(canvas.figure_of(ax), words)[0] / 2 + 9)
        gaps = np.hypot(*(spots[:, None, :] - others[None, :, :]).transpose(2, 0, 1)).min(axis=1)
        hidden = np.any([_within(spots, box, 4.0) for box in boxes.values()], axis=0)
        spot = spots[int(np.argmax(np.where(hidden, -1.0, np.minimum(gaps, ENOUGH))))]
        crowd.append(spot[None, :])
        ax.text(
            spot[0], spot[1], words, ha="center", va="center", size=canvas.points(canvas.TEXT), zorder=5,
            weight="bold" if row["planted"] else "normal",
            color=canvas.VERMILLION_INK if row["planted"] else canvas.INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip


def _inner(path: FloatArray, margin: float) -> FloatArray:
    """Points along a line that keep `margin` from both ends; its middle where it is too short for that."""
    from_start = np.hypot(*(path - path[0]).T)
    from_end = np.hypot(*(path - path[-1]).T)
    inner = path[(from_start > margin) & (from_end > margin)]
    return inner[:: max(1, len(inner) // 30)] if len(inner) else path[[len(path) // 2]]
