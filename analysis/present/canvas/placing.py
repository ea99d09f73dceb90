"""Words where they collide with nothing: end labels spread apart, boxes put into free space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.present.canvas.style import INK, SOFT_INK, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE, BAND = 1e4, 1.0
COST = 0.05  # points of distance that one covered point of a band is worth
Box = tuple[float, float, float, float]


def spread(centres: Sequence[float], heights: Sequence[float], *, low: float, high: float) -> NDArray[np.float64]:
    """Move blocks apart along one axis, each as little as can be, until none overlaps.

    Parameters
    ----------
    centres, heights : sequence of float
        Where each block would stand, and how much room it takes.
    low, high : float
        The blocks stay between these where they all fit.

    Returns
    -------
    array
        New centres, in the order given: least squares under the gaps (pool adjacent violators).

    Examples
    --------
    >>> spread([5.0, 5.0], [2.0, 2.0], low=0.0, high=10.0).tolist()
    [4.0, 6.0]
    """
    wanted, sizes = np.asarray(centres, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    order = np.argsort(wanted, kind="stable")
    # with the room of all blocks below subtracted, "no overlap" is "not decreasing"
    below = np.cumsum(sizes[order]) - sizes[order] / 2
    free = _isotonic(wanted[order] - below)
    top = max(high - float(sizes.sum()), low)
    placed = np.empty_like(wanted)
    placed[order] = np.clip(free, low, top) + below
    return placed


def _isotonic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The closest sequence that never decreases, by pooling adjacent violators."""
    means: list[float] = []
    counts: list[int] = []
    for value in values:
        means.append(float(value))
        counts.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            mean, count = means.pop(), counts.pop()
            means[-1] = (means[-1] * counts[-1] + mean * count) / (counts[-1] + count)
            counts[-1] += count
    return np.repeat(means, counts)


@dataclass(frozen=True)
class Spot:
    """A box in points of some axes; `free` when it covers no line and no words."""

    left: float
    bottom: float
    width: float
    height: float
    cost: float
    free: bool


class Space:
    """The area of some axes in points, and what is already drawn there."""

    def __init__(self, ax: Axes) -> None:
        """An empty area; `x` and `y` of its methods are points from the axes' lower left corner."""
        box = ax.get_window_extent()
        self._ax, self._scale = ax, 72.0 / ax.figure.dpi
        self._origin = np.array([box.x0, box.y0])
        self.width, self.height = float(box.width) * self._scale, float(box.height) * self._scale
        self._taken = np.zeros((int(self.height) + 1, int(self.width) + 1))

    def points(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Data coordinates as points."""
        data = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
        return np.asarray((self._ax.transData.transform(data) - self._origin) * self._scale, dtype=np.float64)

    def take_steps(self, x: ArrayLike, y: ArrayLike) -> None:
        """Block a step function and the points around it."""
        x, y = np.repeat(np.asarray(x), 2)[1:], np.repeat(np.asarray(y), 2)[:-1]
        self.take_line(x, y)

    def take_line(self, x: ArrayLike, y: ArrayLike) -> None:
        """Block a polyline and the points around it."""
        corners = self.points(x, y)
        for (x0, y0), (x1, y1) in pairwise(corners):
            steps = int(max(abs(x1 - x0), abs(y1 - y0), 1)) + 1 if np.isfinite([x0, y0, x1, y1]).all() else 0
            for px, py in zip(np.linspace(x0, x1, steps), np.linspace(y0, y1, steps), strict=True):
                self.take_box((px - 2, py - 2, px + 2, py + 2), LINE)

    def take_band(self, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> None:
        """Mark the area between two step functions as better left free."""
        lower, upper = self.points(x, low), self.points(x, high)
        for (x0, y0), (x1, _), (_, y1) in zip(lower[:-1], lower[1:], upper[:-1], strict=True):
            if np.isfinite([x0, y0, x1, y1]).all():
                self.take_box((x0, y0, x1, y1), BAND)

    def take_box(self, box: Box, weight: float = LINE) -> None:
        """Block a rectangle (left, bottom, right, top)."""
        left, bottom, right, top = (max(0, round(side)) for side in box)
        area = self._taken[bottom : top + 1, left : right + 1]
        np.maximum(area, weight, out=area)

    def find(self, width: float, height: float, *, near: tuple[float, float]) -> Spot:
        """Where a box covers least and stands nearest to `near`, its wanted lower left corner."""
        rows, columns = self._taken.shape
        wide, high = min(int(width) + 1, columns - 1), min(int(height) + 1, rows - 1)
        sums = np.zeros((rows + 1, columns + 1))
        sums[1:, 1:] = self._taken.cumsum(axis=0).cumsum(axis=1)
        covered = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
        bottoms, lefts = np.mgrid[: covered.shape[0], : covered.shape[1]]
        cost = np.hypot(lefts - near[0], bottoms - near[1]) + COST * covered
        bottom, left = np.unravel_index(int(np.argmin(cost)), cost.shape)
        free = bool(covered[bottom, left] < LINE) and width < columns and height < rows
        return Spot(float(left), float(bottom), float(wide), float(high), float(cost[bottom, left]), free)

    def place(self, width: float, height: float, *, near: tuple[float, float]) -> Spot:
        """As `find`, and the box is blocked from then on."""
        spot = self.find(width, height, near=near)
        self.take_box((spot.left - 2, spot.bottom - 2, spot.left + spot.width + 2, spot.bottom + spot.height + 2))
        return spot


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
