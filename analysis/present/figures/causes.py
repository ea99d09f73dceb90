"""A causal diagram from two frames: where the nodes stand, and which arrows join them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.present.canvas import (
    INK,
    MM_PER_INCH,
    PAD,
    POINTS,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    VERMILLION,
    draw_box,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    text_size,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEP = 40.0
MARGIN = 8.0
SIGNS = {1: "+", -1: "−", 0: "±"}
PLANTED_INK = "#b04d00"
BENDS = (0.0, 0.12, -0.12, 0.22, -0.22, 0.34, -0.34, 0.5, -0.5)
ENOUGH = 14.0

Corners = tuple[float, float, float, float]
Path = NDArray[np.float64]


def plot_causes(
    arrows: pd.DataFrame,
    nodes: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
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
    need_columns(arrows, "arrows", ("cause", "effect", "sign", "planted"))
    need_columns(nodes, "nodes", ("name", "x", "y"))
    unknown = sorted({*arrows["cause"], *arrows["effect"]} - set(nodes["name"]))
    if unknown:
        raise InputError(f"arrows name {', '.join(map(repr, unknown))}, which no row of nodes places")
    with figure_style():
        target, own = drawing_axes(ax, width)
        height = STEP * (float(np.ptp(nodes["y"])) + 1)
        boxes = _draw_nodes(target, nodes, _room(target, own, height))
        paths = [_draw_arrow(target, boxes, arrow) for arrow in arrows.to_dict("records")]
        _write_signs(target, arrows, paths, boxes)
        if own:
            mm = height / POINTS * MM_PER_INCH
            finish(figure_of(target), mm, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


def _room(ax: Axes, own: bool, height: float) -> float:
    """The width of the drawing in points; one unit of both axes is one point of our own figure."""
    figure = figure_of(ax)
    width = POINTS * (figure.get_figwidth() - 2 * PAD) if own else ax.get_window_extent().width * POINTS / figure.dpi
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    return float(width)


def _draw_nodes(ax: Axes, nodes: pd.DataFrame, room: float) -> dict[str, Corners]:
    """Boxes around their names, columns spread over the whole width; gives centre and half sizes by name."""
    figure = figure_of(ax)
    sizes = {str(name): text_size(figure, str(name)) for name in nodes["name"]}
    half = {name: (wide / 2 + MARGIN - 2, high / 2 + 4) for name, (wide, high) in sizes.items()}
    first, last = nodes["x"].min(), nodes["x"].max()
    start = max(half[str(name)][0] for name in nodes.loc[nodes["x"] == first, "name"]) + 1
    end = room - max(half[str(name)][0] for name in nodes.loc[nodes["x"] == last, "name"]) - 1
    boxes: dict[str, Corners] = {}
    for row in nodes.to_dict("records"):
        name = str(row["name"])
        share = (row["x"] - first) / (last - first) if last > first else 0.0
        x, y = start + share * (end - start), STEP * (row["y"] - nodes["y"].min() + 0.5)
        wide, high = half[name]
        boxes[name] = (float(x), float(y), wide, high)
        draw_box(ax, name, float(x), float(y), wide, high)
    return boxes


def _draw_arrow(ax: Axes, boxes: Mapping[str, Corners], arrow: Mapping[Hashable, Any]) -> Path:
    """An arrow from box to box, bent around the boxes between; the planted effect is heavy and coloured."""
    cause, effect, planted = str(arrow["cause"]), str(arrow["effect"]), bool(arrow["planted"])
    others = [box for name, box in boxes.items() if name not in (cause, effect)]
    curves = [_curve(boxes[cause], boxes[effect], bend) for bend in BENDS]
    # the straightest of the lines that run least through other boxes
    path = min(curves, key=lambda curve: sum(int(_within(curve, box, 5.0).sum()) for box in others))
    color, heavy = (VERMILLION, 2.0) if planted else (SOFT_INK, 0.8)
    ax.plot(
        path[:-3, 0],
        path[:-3, 1],
        color=color,
        linewidth=heavy,
        zorder=2 + planted,
        label=f"_{cause} to {effect}",
        clip_on=False,
    )
    head = f"-|>,head_length={0.45 + 0.15 * planted},head_width={0.18 + 0.08 * planted}"
    look = {"arrowstyle": head, "color": color, "linewidth": heavy, "shrinkA": 0, "shrinkB": 1}
    ax.annotate("", path[-1], path[-4], zorder=2 + planted, arrowprops=look)
    return path


def _curve(start: Corners, end: Corners, bend: float) -> Path:
    """Points of a bent line between two boxes, from edge to edge."""
    first, last = np.array(start[:2]), np.array(end[:2])
    across = last - first
    control = (first + last) / 2 + bend * np.array([-across[1], across[0]])
    t = np.linspace(0, 1, 200)[:, None]
    points: Path = (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
    outside = ~_within(points, start, 0.0) & ~_within(points, end, 1.5)
    return points[outside]


def _within(points: Path, box: Corners, room: float) -> NDArray[np.bool_]:
    """Which points lie in a box, or closer to it than `room`."""
    x, y, wide, high = box
    return np.asarray((abs(points[:, 0] - x) < wide + room) & (abs(points[:, 1] - y) < high + room), dtype=np.bool_)


def _write_signs(ax: Axes, arrows: pd.DataFrame, paths: Sequence[Path], boxes: Mapping[str, Corners]) -> None:
    """The sign of each arrow, on it, where other arrows, boxes and signs are farthest."""
    crowd = [np.array([[x + dx * wide, y + dy * high] for dx in (-1, 0, 1) for dy in (-1, 0, 1)])
             for x, y, wide, high in boxes.values()]  # fmt: skip
    for place in np.argsort(~arrows["planted"].to_numpy(dtype=bool), kind="stable"):
        row, path = arrows.iloc[place], paths[place]
        others = np.vstack([other for at, other in enumerate(paths) if at != place] + crowd)
        sign = SIGNS[int(np.sign(row["sign"]))]
        words = f"planted {sign}" if row["planted"] else sign
        spots = _inner(path, text_size(figure_of(ax), words)[0] / 2 + 9)
        gaps = np.hypot(*(spots[:, None, :] - others[None, :, :]).transpose(2, 0, 1)).min(axis=1)
        hidden = np.any([_within(spots, box, 4.0) for box in boxes.values()], axis=0)
        spot = spots[int(np.argmax(np.where(hidden, -1.0, np.minimum(gaps, ENOUGH))))]
        crowd.append(spot[None, :])
        ax.text(
            spot[0], spot[1], words, ha="center", va="center", size=TEXT, zorder=5,
            weight="bold" if row["planted"] else "normal", color=PLANTED_INK if row["planted"] else INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip


def _inner(path: Path, margin: float) -> Path:
    """Points along a line that keep `margin` from both ends; its middle where it is too short for that."""
    from_start = np.hypot(*(path - path[0]).T)
    from_end = np.hypot(*(path - path[-1]).T)
    inner = path[(from_start > margin) & (from_end > margin)]
    return inner[:: max(1, len(inner) // 30)] if len(inner) else path[[len(path) // 2]]
