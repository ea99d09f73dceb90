"""A specification curve: every analysis in order of its hazard ratio, and under it the choices that led there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.text import format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_COLUMNS = ("rank", "analysis", "hazard_ratio", "conf_low", "conf_high")
GRID_COLUMNS = ("rank", "analysis", "dimension", "choice")
NULL_COLUMNS = ("null_low", "null_median", "null_high")
HEADINGS = {
    "cutpoint": "Cut-point",
    "endpoint": "Endpoint",
    "adjustment": "Adjusted for",
    "exclusion": "Left out",
    "missing": "Missing values",
}
ROW, TALLER, GROUP_GAP = 9.2, 0.86, 0.35  # points; further lines and the space before a group in rows
NAME_SHARE = 0.36
GAP = 2.5  # mm between the panels
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
MOST_TICKS = 8
LEVEL_ROOM = 44.0

Line = tuple[str, float, str, str | None]
"""Of the grid: its words, its rows from the top, its dimension and, but for a dimension's name, its choice."""


def plot_specification_curve(
    curve: pd.DataFrame,
    grid: pd.DataFrame,
    *,
    median: float | None = None,
    highlight: int | None = None,
    highlight_label: str = "main analysis",
    headings: Mapping[str, str] | None = None,
    null_label: str = "marker permuted",
    y_label: str = "Hazard ratio",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw the hazard ratios of many analyses in order, each over the dots of its choices.

    Parameters
    ----------
    curve : DataFrame
        rank analysis hazard_ratio conf_low conf_high, as `Multiverse.curve`; with null_low null_median null_high, the
        range at each rank when the marker is permuted is shaded.
    grid : DataFrame
        rank analysis dimension choice, as `Multiverse.grid`. Dimensions stand in the categorical's order, choices in
        that of the analyses they first occur in.
    median : float, optional
        The median hazard ratio, to be marked.
    highlight : int, optional
        The number of an analysis to mark, such as the one planned.
    highlight_label, null_label, y_label : str
    headings : mapping, optional
        Dimension to its name in the grid; those of `cutpoint_multiverse` have one.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        The curve on ``figure.axes[0]``, the grid on ``figure.axes[1]``. Intervals that leave the axis end in an arrow.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; ranks of one frame that the other lacks; a highlighted
        analysis that is not in the curve.

    Examples
    --------
    >>> curve = pd.DataFrame({"rank": [1, 2], "analysis": [2, 1], "hazard_ratio": [1.2, 1.5], "conf_low": [0.9, 1.1],
    ...                       "conf_high": [1.6, 2.0]})
    >>> grid = pd.DataFrame({"rank": [1, 2], "analysis": [2, 1], "dimension": "cutpoint", "choice": ["0.79", "0.75"]})
    >>> figure = plot_specification_curve(curve, grid)
    >>> [text.get_text() for text in figure.axes[1].texts]
    ['Cut-point', '0.75', '0.79']
    """
    rows = _read(curve, grid, highlight)
    upper = 56.0 if canvas.is_wide(width) else 46.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=(2, 1)) as sheet:
        above, below = sheet.figure.axes
        lines, depth = _lines(sheet, grid, {**HEADINGS, **(headings or {})})
        lower = canvas.millimetres(ROW * depth)
        above.get_subplotspec().get_gridspec().set_height_ratios([upper, lower])  # type: ignore[union-attr]
        sheet.figure.subplots_adjust(hspace=2 * GAP / (upper + lower))
        room = sheet.room(upper)
        _set_axes(above, below, rows, depth, room)
        above.set_ylabel(canvas.wrapped(sheet.figure, y_label, 0.95 * room))
        _draw_curve(above, rows, median, highlight)
        _draw_grid(below, lines, grid, highlight)
        levels = [] if median is None else [(f"median\n{format_ratio(median)}", float(median), canvas.INK)]
        if _has_null(rows):
            words = canvas.wrapped(sheet.figure, null_label, LEVEL_ROOM, size=canvas.SMALL)
            levels.append((words, float(rows["null_median"].iloc[-1]), canvas.SOFT_INK))
        canvas.name_ends(above, levels, room, linespacing=1.1)
        height = upper + lower + GAP
        sheet.fit(height)
        sheet.finish(height)
        _name_highlight(above, rows, highlight, highlight_label)
    return sheet.figure


def _read(curve: pd.DataFrame, grid: pd.DataFrame, highlight: int | None) -> pd.DataFrame:
    """The curve by rank, once it is known to fit its grid."""
    canvas.need_columns(curve, "curve", CURVE_COLUMNS)
    canvas.need_columns(grid, "grid", GRID_COLUMNS)
    apart = sorted(set(curve["rank"]) ^ set(grid["rank"]))
    if apart:
        shown = ", ".join(map(str, apart[:5]))
        raise InputError(f"ranks {shown} stand in one of curve and grid only: take both from one multiverse")
    if highlight is not None and highlight not in set(curve["analysis"]):
        raise InputError(f"highlight: no analysis {highlight} among the {len(curve)} of the curve")
    return curve.sort_values("rank", kind="stable", ignore_index=True)


def _lines(sheet: canvas.Sheet, grid: pd.DataFrame, headings: Mapping[str, str]) -> tuple[list[Line], float]:
    """The lines of the grid from top to bottom, long names wrapped; and how deep they go."""
    lines: list[Line] = []
    depth = 0.0
    for dimension, rows in canvas.by_label(grid, "dimension").items():
        depth += GROUP_GAP if lines else 0.0
        name = headings.get(dimension, dimension)
        choices = rows.sort_values("analysis", kind="stable")["choice"].astype(str).drop_duplicates()
        for text, choice, weight in [(name, None, "bold"), *((choice, choice, "normal") for choice in choices)]:
            words = canvas.wrapped(sheet.figure, text, sheet.width * NAME_SHARE, size=canvas.SMALL, weight=weight)
            taller = words.count("\n") * TALLER
            lines.append((words, depth + taller / 2, dimension, choice))
            depth += 1 + taller
    return lines, depth


def _set_axes(above: Axes, below: Axes, rows: pd.DataFrame, depth: float, room: float) -> None:
    """Ranks on one axis for both panels, hazard ratios above, lines below."""
    last = int(rows["rank"].max())
    step = next((step for step in STEPS if last / step <= MOST_TICKS), last)
    ticks = sorted({1, *range(step, last + 1, step)})
    for ax in (above, below):
        ax.set_xlim(0.2, last + 0.8)
        ax.set_xticks(ticks, [f"{tick}" for tick in ticks] if ax is below else [""] * len(ticks))
    null = rows[[name for name in NULL_COLUMNS if name in rows]]
    limits = canvas.ratio_limits(rows[["hazard_ratio", "conf_low", "conf_high"]], null)
    canvas.set_ratio_axis(above, *limits, room=room)
    above.tick_params(axis="x", length=0)
    above.spines["bottom"].set_visible(False)
    below.set_ylim(depth - 0.4, -0.6)
    below.set_yticks([])
    below.spines["left"].set_visible(False)
    below.set_xlabel("Analyses in order of hazard ratio")


def _draw_curve(ax: Axes, rows: pd.DataFrame, median: float | None, highlight: int | None) -> None:
    """The band of chance, intervals and points."""
    if _has_null(rows):
        ax.fill_between(
            rows["rank"], rows["null_low"], rows["null_high"], color=canvas.SOFT_INK, alpha=0.16, linewidth=0,
            label="_permuted, band",
        )  # fmt: skip
        ax.plot(rows["rank"], rows["null_median"], color=canvas.SOFT_INK, linewidth=0.9, label="permuted")
    if median is not None:
        ax.axhline(median, color=canvas.INK, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1, label="median")
    size = _dot_size(ax)
    for part, color, marker in _parts(rows, highlight):
        ax.vlines(
            part["rank"], part["conf_low"], part["conf_high"], color=color, linewidth=min(1.1, 0.45 * size),
            alpha=0.6 if marker == "o" else 1.0, zorder=3, label="_intervals",
        )  # fmt: skip
        label = "analyses" if marker == "o" else "highlight"
        _draw_dots(ax, part["rank"], part["hazard_ratio"], size, color, marker, label)
    low, high = ax.get_ylim()
    for beyond, edge, arrow in ((rows["conf_low"] < low, low, "v"), (rows["conf_high"] > high, high, "^")):
        where = rows.loc[beyond, "rank"]
        if len(where):
            _draw_dots(ax, where, [edge] * len(where), size, canvas.BLUE, arrow, "_beyond")


def _has_null(rows: pd.DataFrame) -> bool:
    """Whether the curve knows what permutations find."""
    return set(NULL_COLUMNS) <= set(rows) and bool(rows["null_low"].notna().all())


def _draw_dots(ax: Axes, x: ArrayLike, y: ArrayLike, size: float, color: str, marker: str, label: str) -> None:
    """Marks without lines, a diamond somewhat larger."""
    ax.plot(
        x, y, linestyle="none", marker=marker, markersize=size * (1.25 if marker == "D" else 1.0), color=color,
        markeredgewidth=0, zorder=4, label=label, clip_on=False,
    )  # fmt: skip


def _parts(rows: pd.DataFrame, highlight: int | None) -> list[tuple[pd.DataFrame, str, str]]:
    """The analyses, and the highlighted one, with colour and mark."""
    chosen = rows["analysis"] == highlight
    parts = ((rows[~chosen], canvas.BLUE, "o"), (rows[chosen], canvas.VERMILLION, "D"))
    return [part for part in parts if len(part[0])]


def _dot_size(ax: Axes) -> float:
    """The size of a dot in points, so that neighbours keep apart."""
    first, last = ax.get_xlim()
    pitch = (1 - NAME_SHARE) * canvas.page_width(canvas.figure_of(ax)) / (last - first)
    return float(np.clip(0.62 * pitch, 1.0, 4.2))


def _draw_grid(ax: Axes, lines: Sequence[Line], grid: pd.DataFrame, highlight: int | None) -> None:
    """Names at the left; for each choice a faint line, and a dot at every rank that made it."""
    size = _dot_size(ax)
    for text, y, dimension, choice in lines:
        canvas.write(
            ax, text, (0, y), (-4, 0), coords=("axes fraction", "data"), ha="right", linespacing=1.1,
            va="center" if "\n" in text else "center_baseline", weight="bold" if choice is None else "normal",
        )  # fmt: skip
        if choice is None:
            continue
        ax.axhline(y, color=canvas.HAIRLINE, linewidth=0.5, zorder=1, label="_guide")
        made = grid[(grid["dimension"].astype(str) == dimension) & (grid["choice"].astype(str) == choice)]
        for part, color, marker in _parts(made, highlight):
            label = choice if marker == "o" else "_highlight"
            _draw_dots(ax, part["rank"], [y] * len(part), size, color, marker, label)


def _name_highlight(ax: Axes, rows: pd.DataFrame, highlight: int | None, label: str) -> None:
    """The name of the highlighted analysis, beside the intervals."""
    chosen = rows[rows["analysis"] == highlight]
    if chosen.empty:
        return
    space, (bottom, top) = canvas.Space(ax), ax.get_ylim()
    space.take_line(ax.get_xlim(), (1.0, 1.0))
    for rank, low, high in rows[["rank", "conf_low", "conf_high"]].itertuples(index=False):
        space.take_line((rank, rank), np.clip((low, high), bottom, top))
    canvas.name_line(ax, label, chosen["rank"], chosen["hazard_ratio"], space, color=canvas.VERMILLION_INK)
