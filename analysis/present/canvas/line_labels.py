"""The name of a line or a point, written beside it where it covers least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.present.canvas.layout import figure_of, text_size
from analysis.present.canvas.placing import Space, Spot
from analysis.present.canvas.style import INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AWAY = 8.0  # points
SLABS = 60


def name_line(ax: Axes, text: str, x: ArrayLike, y: ArrayLike, space: Space, *, color: str = INK) -> None:
    """Words beside a line, or a point, where they cover least, with a thin line to it where they stand off."""
    corners = space.points(x, y)
    inside = (corners >= 0).all(axis=1) & (corners[:, 0] <= space.width) & (corners[:, 1] <= space.height)
    if not inside.any():
        return
    known = corners[inside]
    chosen = known[np.unique(np.linspace(0.05, 0.95, 13) * (len(known) - 1)).astype(int)]
    spot, end = _nearest(ax, text, [(float(px), float(py)) for px, py in chosen], space)
    space.take_box((spot.left - 2, spot.bottom - 2, spot.left + spot.width + 2, spot.bottom + spot.height + 2))
    ax.annotate(
        text, (spot.left + 1, spot.bottom + spot.height / 2), xycoords="axes points", va="center", size=SMALL,
        color=color, zorder=6,
    )  # fmt: skip
    corner = (
        float(np.clip(end[0], spot.left, spot.left + spot.width)),
        float(np.clip(end[1], spot.bottom, spot.bottom + spot.height)),
    )
    if np.hypot(end[0] - corner[0], end[1] - corner[1]) > AWAY / 2 + 1:
        look = {"arrowstyle": "-", "color": color, "linewidth": 0.5, "alpha": 0.8, "shrinkA": 0, "shrinkB": 2}
        points = "axes points"
        ax.annotate("", end, corner, xycoords=points, textcoords=points, annotation_clip=False, arrowprops=look)


def _nearest(ax: Axes, text: str, points: list[tuple[float, float]], space: Space) -> tuple[Spot, tuple[float, float]]:
    """The cheapest place for words around any of some points of the axes, and that point."""
    width, height = text_size(figure_of(ax), text, size=SMALL)
    shifts = [(x, y) for x in (AWAY / 2, -AWAY / 2 - width) for y in (AWAY / 2, -AWAY / 2 - height)]
    found = [
        (space.find(width + 2, height, near=(point[0] + shift[0], point[1] + shift[1])), point)
        for point in points
        for shift in shifts
    ]
    return min(found, key=lambda pair: pair[0].cost)


def keep_apart(ax: Axes, space: Space, line: pd.DataFrame, other: pd.DataFrame) -> None:
    """Block what lies beyond another line (both: marker hazard_ratio): words beside one are then not the other's."""
    line = line.sort_values("marker", kind="stable")
    x = np.linspace(max(line["marker"].min(), other["marker"].min()), other["marker"].max(), SLABS)
    border = np.interp(x, other["marker"], other["hazard_ratio"])
    above = np.interp(x, line["marker"], line["hazard_ratio"]) >= border
    low, high = ax.get_ylim()
    for at, height, stay_above in zip(x, border, above, strict=True):
        space.take_line((at, at), (height, low if stay_above else high))
