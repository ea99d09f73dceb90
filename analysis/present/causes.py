"""A causal diagram from two frames: where the nodes stand, and which arrows join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.present.frames import need_columns
from analysis.present.layout import PAD, POINTS, drawing_axes, figure_of, finish, head_axes, text_size
from analysis.present.style import INK, MM_PER_INCH, SOFT_INK, TEXT, TWO_COLUMNS, VERMILLION, figure_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEP = 40.0
MARGIN = 8.0
SIGNS = {1: "+", -1: "−", 0: "±"}
PLANTED_INK = "#b04d00"


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
        for arrow in arrows.to_dict("records"):
            _draw_arrow(
                target, boxes, str(arrow["cause"]), str(arrow["effect"]), int(arrow["sign"]), bool(arrow["planted"])
            )
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


Corners = tuple[float, float, float, float]


def _draw_nodes(ax: Axes, nodes: pd.DataFrame, room: float) -> dict[str, Corners]:
    """Boxes around their names, columns spread over the whole width; gives centre and half sizes by name."""
    from matplotlib.patches import FancyBboxPatch

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
        ax.add_patch(
            FancyBboxPatch(
                (x - wide, y - high), 2 * wide, 2 * high, boxstyle="round,pad=0,rounding_size=4",
                facecolor="#f6f8fa", edgecolor=SOFT_INK, linewidth=0.8, zorder=3,
            )
        )  # fmt: skip
        ax.text(x, y, name, ha="center", va="center", size=TEXT, color=INK, linespacing=1.2, zorder=4)
    return boxes


def _draw_arrow(ax: Axes, boxes: dict[str, Corners], cause: str, effect: str, sign: int, planted: bool) -> None:
    """An arrow from box to box, with its sign on it; the planted effect is heavy and coloured."""
    start, end = _edge(boxes[cause], boxes[effect]), _edge(boxes[effect], boxes[cause])
    color, heavy = (VERMILLION, 2.0) if planted else (SOFT_INK, 0.8)
    look = {"arrowstyle": f"-|>,head_length={0.45 + 0.15 * planted},head_width={0.18 + 0.08 * planted}"}
    ax.annotate(
        "", end, start, zorder=2 + planted,
        arrowprops={**look, "color": color, "linewidth": heavy, "shrinkA": 0, "shrinkB": 1.5},
    )  # fmt: skip
    along = 0.5 if planted else 0.78
    spot = np.array(start) + along * (np.array(end) - np.array(start))
    text = (
        {-1: "planted: lower is worse", 1: "planted: higher is worse", 0: "planted"}[sign] if planted else SIGNS[sign]
    )
    ax.text(
        spot[0], spot[1], text, ha="center", va="center", size=TEXT, zorder=5,
        weight="bold" if planted else "normal", color=PLANTED_INK if planted else INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _edge(box: Corners, towards: Corners) -> tuple[float, float]:
    """Where the line between two centres leaves a box."""
    x, y, wide, high = box
    across, up = towards[0] - x, towards[1] - y
    share = min(wide / abs(across) if across else np.inf, high / abs(up) if up else np.inf)
    return float(x + share * across), float(y + share * up)
