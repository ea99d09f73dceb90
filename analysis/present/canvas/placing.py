"""Words on a drawing where they collide with nothing: spread apart, in free space, joined to what they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.present.canvas import style
from analysis.present.canvas.measuring import figure_of, text_size
from analysis.present.canvas.style import INK, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

LINE, BAND = 1e4, 1.0
COST = 0.05  # points of distance that one covered point of a band is worth
AWAY = 8.0  # points
Box = tuple[float, float, float, float]
Point = tuple[float, float]


class TextLook(TypedDict, total=False):
    """How words are written, as matplotlib's text takes it."""

    ha: str
    va: str
    size: float
    weight: str
    color: str
    linespacing: float | None
    zorder: float
    bbox: dict[str, Any]


def write(
    ax: Axes,
    text: str,
    at: Point,
    shift: Point = (0.0, 0.0),
    *,
    coords: str | tuple[str, str] = "axes fraction",
    **look: Unpack[TextLook],
) -> Annotation:
    """Small words, shifted from a place on the axes, drawn beyond their edges too."""
    kind: dict[str, Any] = {**look, "size": style.points(look.get("size", SMALL))}
    shift = style.points(shift[0]), style.points(shift[1])
    return ax.annotate(text, at, shift, xycoords=coords, textcoords="offset points", annotation_clip=False, **kind)


def write_at(ax: Axes, text: str, x: float, y: float, **look: Unpack[TextLook]) -> Annotation:
    """Small words so far from the lower left corner of the axes."""
    kind: dict[str, Any] = {**look, "size": style.points(look.get("size", SMALL))}
    return ax.annotate(text, (style.points(x), style.points(y)), xycoords="axes points", annotation_clip=False, **kind)


def join(ax: Axes, start: Point, end: Point, *, end_in: str = "axes points", **look: object) -> None:
    """A thin line from words, so far from the axes' lower left corner, to what they name."""
    start = style.points(start[0]), style.points(start[1])
    if end_in == "axes points":
        end = style.points(end[0]), style.points(end[1])
    arrow = {"arrowstyle": "-", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 0, "color": INK, **look}
    ax.annotate("", end, start, xycoords=end_in, textcoords="axes points", annotation_clip=False, arrowprops=arrow)


def spread(centres: Sequence[float], heights: Sequence[float], *, low: float, high: float) -> FloatArray:
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


def _isotonic(values: FloatArray) -> FloatArray:
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


def name_ends(
    ax: Axes,
    names: Sequence[tuple[str, float, str]],
    room: float,
    *,
    gap: float = 5.0,
    apart: float = 0.0,
    linespacing: float | None = None,
) -> None:
    """Text, level and colour of lines: their names at the right of axes `room` points high, moved apart where close."""
    figure = figure_of(ax)
    heights = [text_size(figure, text, size=SMALL)[1] + apart for text, _, _ in names]
    scale = ax.transData + ax.transAxes.inverted()
    levels = [room * float(scale.transform((ax.get_xlim()[1], level))[1]) for _, level, _ in names]
    for (text, _, color), y in zip(names, spread(levels, heights, low=0.0, high=room), strict=True):
        write(ax, text, (1, float(y) / room), (gap, 0), va="center", color=color, linespacing=linespacing)


@dataclass(frozen=True)
class Spot:
    """A box in points of some axes; `free` when it covers no line and no words."""

    left: float
    bottom: float
    width: float
    height: float
    cost: float
    free: bool

    def nearest(self, point: Point) -> Point:
        """The point of the box that is nearest to another."""
        x, y = np.clip(point, (self.left, self.bottom), (self.left + self.width, self.bottom + self.height)).tolist()
        return x, y


class Space:
    """The area of some axes in points, and what is already drawn there."""

    def __init__(self, ax: Axes) -> None:
        """An empty area; `x` and `y` of its methods are points from the axes' lower left corner."""
        box = ax.get_window_extent()
        self._ax, self._scale = ax, style.from_inches(1 / ax.figure.dpi)
        self._origin = np.array([box.x0, box.y0])
        self.width, self.height = float(box.width) * self._scale, float(box.height) * self._scale
        self._taken = np.zeros((int(self.height) + 1, int(self.width) + 1))

    def points(self, x: ArrayLike, y: ArrayLike) -> FloatArray:
        """Data coordinates as points."""
        data = np.column_stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)])
        return np.asarray((self._ax.transData.transform(data) - self._origin) * self._scale, dtype=np.float64)

    def point(self, x: float, y: float) -> Point:
        """One place in data coordinates as a point."""
        across, up = self.points([x], [y])[0].tolist()
        return across, up

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

    def take_edges(self, edges: Iterable[float]) -> None:
        """Block upright lines across the axes."""
        for edge in edges:
            self.take_line([edge, edge], self._ax.get_ylim())

    def take_marks(self, x: ArrayLike, y: ArrayLike, reach: float = 2.0) -> None:
        """Block marks of so many points around their middle."""
        for px, py in self.points(x, y).tolist():
            self.take_box((px - reach, py - reach, px + reach, py + reach))

    def take_bars(self) -> None:
        """Block the bars that are drawn on the axes, but not what is shaded behind them."""
        for bar in (patch for patch in self._ax.patches if patch.get_zorder() > 0):
            box = bar.get_extents().transformed(self._ax.transData.inverted())
            (x0, y0), (x1, y1) = self.points([box.x0, box.x1], [box.y0, box.y1]).tolist()
            self.take_box((x0, y0, x1, y1))

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

    def take_spot(self, spot: Spot) -> None:
        """Block the box of some words and a little around it."""
        self.take_box((spot.left - 2, spot.bottom - 2, spot.left + spot.width + 2, spot.bottom + spot.height + 2))

    def find(self, width: float, height: float, *, near: Point) -> Spot:
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

    def place(self, width: float, height: float, *, near: Point) -> Spot:
        """As `find`, and the box is blocked from then on."""
        spot = self.find(width, height, near=near)
        self.take_spot(spot)
        return spot


def name_line(ax: Axes, text: str, x: ArrayLike, y: ArrayLike, space: Space, *, color: str = INK) -> None:
    """Words beside a line, or a point, where they cover least, with a thin line to it where they stand off."""
    corners = space.points(x, y)
    inside = (corners >= 0).all(axis=1) & (corners[:, 0] <= space.width) & (corners[:, 1] <= space.height)
    if not inside.any():
        return
    known = corners[inside]
    chosen = known[np.unique(np.linspace(0.05, 0.95, 13) * (len(known) - 1)).astype(int)]
    width, height = text_size(figure_of(ax), text, size=SMALL)
    shifts = [(x, y) for x in (AWAY / 2, -AWAY / 2 - width) for y in (AWAY / 2, -AWAY / 2 - height)]
    spots = [
        (space.find(width + 2, height, near=(px + dx, py + dy)), (px, py))
        for px, py in chosen.tolist()
        for dx, dy in shifts
    ]
    spot, end = min(spots, key=lambda pair: pair[0].cost)
    space.take_spot(spot)
    write_at(ax, text, spot.left + 1, spot.bottom + spot.height / 2, va="center", color=color, zorder=6)
    corner = spot.nearest(end)
    if np.hypot(end[0] - corner[0], end[1] - corner[1]) > AWAY / 2 + 1:
        join(ax, corner, end, color=color, alpha=0.8, shrinkB=2)
