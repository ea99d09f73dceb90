"""What an unmeasured confounder could have made: its strength along both axes, and what would be left of a ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.errors import InputError
from analysis.present.canvas import (
    BLUE,
    INK,
    ONE_COLUMN,
    POINTS,
    SMALL,
    SOFT_INK,
    VERMILLION,
    Space,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    fit,
    head_axes,
    name_line,
    need_columns,
    spread,
    text_size,
)
from analysis.present.text import format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("with_exposure", "with_outcome", "risk_ratio")
MOST_LINES = 3
STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


def plot_confounder_bias(
    bias: pd.DataFrame,
    *,
    limit: pd.DataFrame | None = None,
    e_values: Sequence[tuple[str, float]] = (),
    title: str = "",
    subtitle: str = "",
    width: float = ONE_COLUMN,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw what a confounder of each strength would leave of a risk ratio, and where it would leave nothing.

    Parameters
    ----------
    bias : DataFrame
        with_exposure with_outcome risk_ratio on a grid of strengths, as `confounder_bias` gives it for the estimate.
    limit : DataFrame, optional
        The same for the limit of the interval: only where it would reach 1 is drawn, dashed.
    e_values : sequence of (str, float)
        Marks on the diagonal, each with a name.
    title, subtitle, width, synthetic, ax
        As for `plot_survival`.

    Returns
    -------
    Figure
        Shaded: confounders that would explain the estimate away. Thin lines: what would be left of it.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn, or that is no grid.

    Examples
    --------
    >>> at = [1.0, 2.0, 4.0]
    >>> grid = pd.DataFrame([(a, b, 1.5 * (a + b - 1) / (a * b)) for a in at for b in at], columns=list(COLUMNS))
    >>> figure = plot_confounder_bias(grid, e_values=[("estimate", 2.37)])
    >>> figure.axes[0].get_xlabel()
    'Risk ratio of confounder and exposure'
    """
    grid = _grid(bias, "bias")
    other = None if limit is None else _grid(limit, "limit")
    with figure_style():
        target, own = drawing_axes(ax, width)
        height = 62.0 if width < 1.5 * ONE_COLUMN else 78.0
        _set_axes(target, grid)
        if own:
            fit(figure_of(target), height)
        _draw(target, grid)
        if other is not None:
            _boundary(target, other, color=BLUE, dashes="--")
        if own:
            fit(figure_of(target), height)
        space = _space(target)
        for name, value in e_values:
            _mark(target, name, value, space)
        if own:
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


def _grid(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """The risk ratios with the strengths along both sides."""
    need_columns(frame, what, COLUMNS)
    grid = frame.pivot_table(index="with_outcome", columns="with_exposure", values="risk_ratio", dropna=False)
    if grid.isna().any(axis=None) or min(grid.shape) < 2:
        raise InputError(f"{what}: needs a risk ratio for every pair of at least two strengths on each side")
    return grid


def _set_axes(ax: Axes, grid: pd.DataFrame) -> None:
    """Two axes of risk ratios."""
    ax.set_xlim(float(grid.columns.min()), float(grid.columns.max()))
    ax.set_ylim(float(grid.index.min()), float(grid.index.max()))
    ax.set_xlabel("Risk ratio of confounder and exposure")
    ax.set_ylabel("Risk ratio of confounder and outcome")


def _draw(ax: Axes, grid: pd.DataFrame) -> None:
    """The estimate's lines of what would be left, and the region where nothing would be."""
    values = grid.to_numpy(dtype=np.float64)
    outside = float(values.flat[0])
    shaded = (0.0, 1.0) if outside >= 1 else (1.0, np.inf)
    x, y = grid.columns.to_numpy(dtype=np.float64), grid.index.to_numpy(dtype=np.float64)
    if values.min() <= 1 <= values.max() and outside != 1:
        ax.contourf(x, y, values, levels=[shaded[0], min(shaded[1], 1e300)], colors=[VERMILLION], alpha=0.10)
    ends = []
    for level in _levels(outside, values):
        for line in _lines(x, y, values, level):
            ax.plot(*line, color=SOFT_INK, linewidth=0.6, label="_left")
            ends.append((level, float(line[1][np.argmax(line[0])])))
    _boundary(ax, grid, color=VERMILLION, dashes="-")
    _name_levels(ax, ends)


def _name_levels(ax: Axes, ends: list[tuple[float, float]]) -> None:
    """What would be left along each thin line, at its right end; the names apart."""
    figure = figure_of(ax)
    room = ax.get_window_extent().height * POINTS / figure.dpi
    low, high = ax.get_ylim()
    centres = [room * (end - low) / (high - low) for _, end in ends]
    tall = text_size(figure, "1.00", size=SMALL)[1]
    for (level, _), centre in zip(ends, spread(centres, [tall] * len(ends), low=0.0, high=room), strict=True):
        ax.annotate(
            f"leaves {format_ratio(level)}", (1, centre / room), (4, 0), xycoords="axes fraction",
            textcoords="offset points", annotation_clip=False, va="center", size=SMALL, color=SOFT_INK,
        )  # fmt: skip


def _levels(outside: float, values: FloatArray) -> list[float]:
    """A few round ratios between the estimate and 1."""
    low, high = sorted((outside, 1.0))
    for step in STEPS:
        inside = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        found = [float(level) for level in inside if low + 1e-9 < level < high - 1e-9 and values.min() < level]
        if len(found) <= MOST_LINES:
            return found
    return []


def _boundary(ax: Axes, grid: pd.DataFrame, *, color: str, dashes: str) -> None:
    """Where a ratio would be moved to 1."""
    x, y = grid.columns.to_numpy(dtype=np.float64), grid.index.to_numpy(dtype=np.float64)
    for line in _lines(x, y, grid.to_numpy(dtype=np.float64), 1.0):
        ax.plot(*line, color=color, linewidth=1.4, linestyle=dashes, label="_boundary")


def _lines(x: FloatArray, y: FloatArray, values: FloatArray, level: float) -> list[tuple[FloatArray, FloatArray]]:
    """The pieces of one contour."""
    from contourpy import contour_generator

    if not values.min() < level < values.max():
        return []
    pieces = [np.asarray(piece, dtype=np.float64) for piece in contour_generator(x, y, values).lines(level)]
    return [(piece[:, 0], piece[:, 1]) for piece in pieces]


def _space(ax: Axes) -> Space:
    """What the lines leave free."""
    space = Space(ax)
    for line in ax.get_lines():
        space.take_line(line.get_xdata(), line.get_ydata())
    return space


def _mark(ax: Axes, name: str, value: float, space: Space) -> None:
    """An E-value on the diagonal, with its name."""
    if not np.isfinite(value) or value > min(ax.get_xlim()[1], ax.get_ylim()[1]):
        return
    ax.plot([value], [value], marker="o", markersize=5, color=INK, linestyle="none", clip_on=False, zorder=5)
    x, y = (float(part) for part in space.points([value], [value])[0])
    space.take_box((x - 3, y - 3, x + 3, y + 3))
    name_line(ax, f"{name} {format_ratio(value)}", [value], [value], space, color=INK)
