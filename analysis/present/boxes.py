"""Boxes around words, for diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.present.canvas.style import INK, SOFT_INK, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILL = "#f6f8fa"


def draw_box(
    ax: Axes, words: str, x: float, y: float, half_width: float, half_height: float, *, edge: str = SOFT_INK
) -> None:
    """A rounded box around its words; places and half sizes are in the axes' units, centred on (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x - half_width, y - half_height), 2 * half_width, 2 * half_height,
            boxstyle="round,pad=0,rounding_size=4", facecolor=FILL, edgecolor=edge, linewidth=0.8, zorder=3,
        )
    )  # fmt: skip
    ax.text(x, y, words, ha="center", va="center", size=TEXT, color=INK, linespacing=1.2, zorder=4)
