"""Confounding: whether every kind of patient occurs in every stratum, and what a hidden confounder could have made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.text import format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS, MOST_BESIDE, MANY = 25, 4, 3
BIAS_COLUMNS = ("with_exposure", "with_outcome", "risk_ratio")
MOST_LINES = 3
STEPS = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


def plot_overlap(
    propensity: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw the probability of each stratum, of its members upwards and of the others downwards.

    Parameters
    ----------
    propensity : DataFrame
        stratum member probability: a row for each patient and stratum; member says whether the patient is in it.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        A panel a stratum; shares within members and within others, so that small strata are seen. Others whose
        probability is below that of every member are pale: nobody in the stratum is like them.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> rows = pd.DataFrame({"stratum": "low", "member": [True, True, False], "probability": [0.6, 0.4, 0.1]})
    >>> plot_overlap(rows).axes[0].get_title(loc="left")
    'low'
    """
    canvas.need_columns(propensity, "propensity", ("stratum", "member", "probability"))
    panels = canvas.by_label(propensity, "stratum")
    styles, n = canvas.stratum_styles(list(panels)), len(panels)
    stacked = not canvas.is_wide(width) or n > MOST_BESIDE
    height, grid = (30.0 * n, (n, 1)) if stacked else (44.0, (1, n))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=grid) as sheet:
        axes = sheet.figure.axes
        sheet.figure.subplots_adjust(wspace=0.2, hspace=0.3)
        highest = max(
            _draw_overlap(ax, rows, styles[label]) for ax, (label, rows) in zip(axes, panels.items(), strict=True)
        )
        for ax, label in zip(axes, panels, strict=True):
            ax.set_title(label, loc="left", size=canvas.points(canvas.TEXT), weight="bold", color=styles[label].ink)
            _set_overlap_axes(ax, 1.1 * highest, quarters=stacked or n < MANY)
            ax.label_outer()
        middle = axes[n // 2]
        (middle if stacked else axes[0]).set_ylabel("Share of those in another | in it")
        (axes[-1] if stacked else middle).set_xlabel("Probability of the stratum given the covariates")
        sheet.finish(height)
    return sheet.figure


def _draw_overlap(ax: Axes, rows: pd.DataFrame, style: canvas.StratumStyle) -> float:
    """Both histograms of one panel; how high the higher one is."""
    inside = rows["member"].to_numpy(dtype=bool)
    values = rows["probability"].to_numpy(dtype=np.float64)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    least = values[inside].min() if inside.any() else 0.0
    highest = 0.0
    for part, sign, color in ((values[inside], 1.0, style.color), (values[~inside], -1.0, canvas.GREY)):
        if not len(part):
            continue
        base = np.zeros(BINS)
        for kept, alpha in ((part[part >= least], 0.75), (part[part < least], 0.25)):
            counts = np.histogram(kept, bins=edges)[0] / len(part)
            ax.bar(
                edges[:-1], sign * counts, width=1 / BINS, bottom=sign * base, align="edge", color=color, alpha=alpha,
                edgecolor="white", linewidth=0.3,
            )  # fmt: skip
            base = base + counts
        highest = max(highest, float(base.max()))
    return highest


def _set_overlap_axes(ax: Axes, end: float, *, quarters: bool) -> None:
    """Shares without their sign, members upwards; fewer ticks where the last would touch the next panel's first."""
    ax.axhline(0, color=canvas.SOFT_INK, linewidth=0.6)
    ax.set_xlim(0, 1)
    ax.set_ylim(-end, end)
    ticks = [0, 0.25, 0.5, 0.75, 1] if quarters else [0, 0.4, 0.8]
    ax.set_xticks(ticks, [f"{tick:.0%}" if tick else "0" for tick in ticks])
    step = next(step for step in (0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if end / step <= 4)
    shares = np.arange(-int(end / step), int(end / step) + 1) * step
    ax.set_yticks(shares, [f"{abs(share):.0%}" for share in shares])
    for words, side, va in (("in the stratum", 0.97, "top"), ("in another", 0.03, "bottom")):
        canvas.write(ax, words, (0.98, side), ha="right", va=va, color=canvas.SOFT_INK)


def plot_confounder_bias(
    bias: pd.DataFrame,
    *,
    limit: pd.DataFrame | None = None,
    e_values: Sequence[tuple[str, float]] = (),
    title: str = "",
    subtitle: str = "",
    width: float = canvas.ONE_COLUMN,
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
    >>> grid = pd.DataFrame([(a, b, 1.5 * (a + b - 1) / (a * b)) for a in at for b in at], columns=list(BIAS_COLUMNS))
    >>> figure = plot_confounder_bias(grid, e_values=[("estimate", 2.37)])
    >>> figure.axes[0].get_xlabel()
    'Risk ratio of confounder and exposure'
    """
    grid = _grid(bias, "bias")
    other = None if limit is None else _grid(limit, "limit")
    height = 78.0 if canvas.is_wide(width) else 62.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        target.set_xlim(float(grid.columns.min()), float(grid.columns.max()))
        target.set_ylim(float(grid.index.min()), float(grid.index.max()))
        target.set_xlabel("Risk ratio of confounder and exposure")
        target.set_ylabel("Risk ratio of confounder and outcome")
        sheet.fit(height)
        _draw_remainders(target, grid)
        if other is not None:
            _draw_boundary(target, other, color=canvas.BLUE, dashes="--")
        sheet.fit(height)
        space = canvas.Space(target)
        for line in target.get_lines():
            space.take_line(line.get_xdata(), line.get_ydata())
        for name, value in e_values:
            if np.isfinite(value) and value <= min(target.get_xlim()[1], target.get_ylim()[1]):
                target.plot(
                    [value], [value], marker="o", markersize=5, color=canvas.INK, linestyle="none", clip_on=False,
                    zorder=5,
                )  # fmt: skip
                space.take_marks([value], [value], reach=3.0)
                canvas.name_line(target, f"{name} {format_ratio(value)}", [value], [value], space)
        sheet.finish(height)
    return sheet.figure


def _grid(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """The risk ratios with the strengths along both sides."""
    canvas.need_columns(frame, what, BIAS_COLUMNS)
    grid = frame.pivot_table(index="with_outcome", columns="with_exposure", values="risk_ratio", dropna=False)
    if grid.isna().any(axis=None) or min(grid.shape) < 2:
        raise InputError(f"{what}: needs a risk ratio for every pair of at least two strengths on each side")
    return grid.astype(np.float64)


def _draw_remainders(ax: Axes, grid: pd.DataFrame) -> None:
    """The estimate's lines of what would be left, named at their right ends, and the region where nothing would be."""
    values = grid.to_numpy()
    outside = float(values.flat[0])
    shaded = (0.0, 1.0) if outside >= 1 else (1.0, 1e300)
    if values.min() <= 1 <= values.max() and outside != 1:
        x, y = grid.columns.to_numpy(dtype=np.float64), grid.index.to_numpy(dtype=np.float64)
        ax.contourf(x, y, values, levels=list(shaded), colors=[canvas.VERMILLION], alpha=0.10)
    ends = []
    for level in _levels(outside, values):
        for x, y in _contour(grid, level):
            ax.plot(x, y, color=canvas.SOFT_INK, linewidth=0.6, label="_left")
            ends.append((f"leaves {format_ratio(level)}", float(y[np.argmax(x)]), canvas.SOFT_INK))
    _draw_boundary(ax, grid, color=canvas.VERMILLION, dashes="-")
    canvas.name_ends(ax, ends, canvas.axes_size(ax)[1], gap=4.0)


def _levels(outside: float, values: FloatArray) -> list[float]:
    """A few round ratios between the estimate and 1."""
    low, high = sorted((outside, 1.0))
    for step in STEPS:
        inside = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        levels = [float(level) for level in inside if low + 1e-9 < level < high - 1e-9 and values.min() < level]
        if len(levels) <= MOST_LINES:
            return levels
    return []


def _draw_boundary(ax: Axes, grid: pd.DataFrame, *, color: str, dashes: str) -> None:
    """Where a ratio would be moved to 1."""
    for x, y in _contour(grid, 1.0):
        ax.plot(x, y, color=color, linewidth=1.4, linestyle=dashes, label="_boundary")


def _contour(grid: pd.DataFrame, level: float) -> list[tuple[FloatArray, FloatArray]]:
    """The pieces of the line on which a grid has one value."""
    from contourpy import contour_generator

    values = grid.to_numpy()
    if not values.min() < level < values.max():
        return []
    x, y = grid.columns.to_numpy(dtype=np.float64), grid.index.to_numpy(dtype=np.float64)
    pieces = [np.asarray(piece, dtype=np.float64) for piece in contour_generator(x, y, values).lines(level)]
    return [(piece[:, 0], piece[:, 1]) for piece in pieces]
