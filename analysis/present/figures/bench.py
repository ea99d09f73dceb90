"""The known-truth bench: each method's bias, coverage and type-I error by world, as a figure and as a table to read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.text import MISSING, format_number, format_share, is_missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PITCH, METHOD_GAP = 5.2, 6.0  # points between worlds of one method, and between methods
NAME_SHARE = 0.27
GAP, TICK_GAP, MOST_STEPS = 14.0, 5.0, 5
BAR = 1.96
MARK = 3.6

Heights = dict[str, dict[str, float]]
"""Of each method: how far down each world stands, in points."""


@dataclass(frozen=True)
class _Score:
    """A panel: its column, its name on the axis, what it should be, and the band in which it may be."""

    column: str
    label: str
    wanted: float
    band: tuple[float, float]
    share: bool


SCORES = (
    _Score("relative_bias", "Bias away from zero (standard deviations)", 0.0, (-0.4, 0.4), False),
    _Score("coverage", "Coverage of 95% intervals", 0.95, (0.93, 0.97), True),
    _Score("type_1_error", "Type-I error at 5%", 0.05, (0.05, 0.05), True),
)


def plot_bench(
    table: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw what methods are worth where the answer is known.

    Parameters
    ----------
    table : DataFrame
        world, method and, where known, relative_bias, coverage, type_1_error with their Monte-Carlo errors
        (relative_bias_error, ...), as `bench_table` gives them. Methods and worlds stand in their order of appearance.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        One panel a score that is known anywhere: a mark a world, with bars of 1.96 Monte-Carlo errors; a line where the
        score should be, and a band where it may be (bias of 0.4 standard deviations, coverage of 93 to 97 %).

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> rows = [("no effect", "cut", 0.1, 0.03, 0.94, 0.01), ("planted", "cut", -0.2, 0.03, 0.95, 0.01)]
    >>> names = ["world", "method", "relative_bias", "relative_bias_error", "coverage", "coverage_error"]
    >>> figure = plot_bench(pd.DataFrame(rows, columns=names))
    >>> [ax.get_xlabel().split()[0] for ax in figure.axes]
    ['Bias', 'Coverage']
    """
    canvas.need_columns(table, "table", ("world", "method"))
    scores = [score for score in SCORES if score.column in table and table[score.column].notna().any()] or [SCORES[0]]
    styles = canvas.stratum_styles(canvas.ordered_labels(table["world"]))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=(1, len(scores))) as sheet:
        axes = sheet.figure.axes
        room = (1 - NAME_SHARE) * sheet.width / len(scores) - GAP
        sheet.figure.subplots_adjust(wspace=GAP / room)
        methods = canvas.by_label(table, "method")
        names = {method: canvas.wrapped(sheet.figure, method, NAME_SHARE * sheet.width) for method in methods}
        heights, depth = _heights(sheet.figure, methods, names)
        for ax, score in zip(axes, scores, strict=True):
            _set_axes(ax, score, heights, depth)
            _draw(ax, score, table, heights, styles)
            _set_scale(ax, score, room)
        for method, spots in heights.items():
            middle = (min(spots.values()) + max(spots.values())) / 2
            canvas.write(
                axes[0], names[method], (0, middle), (-6, 0), coords=("axes fraction", "data"), ha="right",
                va="center", size=canvas.TEXT, linespacing=1.1,
            )  # fmt: skip
        height = canvas.millimetres(depth)
        sheet.fit(height)
        _write_key(sheet, styles)
        sheet.finish(height)
    return sheet.figure


def _heights(figure: Figure, methods: dict[str, pd.DataFrame], names: dict[str, str]) -> tuple[Heights, float]:
    """How far down each world of each method stands, in points; and how deep they go."""
    heights: Heights = {}
    depth = 0.0
    for method, rows in methods.items():
        worlds = canvas.ordered_labels(rows["world"])
        room = max(len(worlds) * PITCH, canvas.text_size(figure, names[method])[1])
        start = depth + METHOD_GAP / 2 + (room - PITCH * (len(worlds) - 1)) / 2
        heights[method] = {world: start + PITCH * number for number, world in enumerate(worlds)}
        depth += room + METHOD_GAP
    return heights, depth


def _set_axes(ax: Axes, score: _Score, heights: Heights, depth: float) -> None:
    """A score on the axis below, methods apart by hairlines, a line and a band where the score should be."""
    ax.set_ylim(depth, 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvspan(*score.band, color=canvas.SOFT_INK, alpha=0.13, linewidth=0, label="_band")
    ax.axvline(score.wanted, color=canvas.SOFT_INK, linewidth=0.8, linestyle=(0, (3, 2)), label="_wanted")
    for above, below in pairwise(heights.values()):
        middle = (max(above.values()) + min(below.values())) / 2
        ax.axhline(middle, color=canvas.HAIRLINE, linewidth=0.5, zorder=0, label="_apart")


def _set_scale(ax: Axes, score: _Score, room: float) -> None:
    """As many ticks as keep apart, and the score's name within the panel's width."""
    from matplotlib.ticker import MaxNLocator

    low, high = ax.get_xlim()
    figure = canvas.figure_of(ax)
    ticks, labels = [score.wanted], [_tick(score.wanted, score.share)]
    for steps in range(1, MOST_STEPS + 1):
        finer = [tick for tick in MaxNLocator(steps).tick_values(low, high) if low <= tick <= high]
        words = [_tick(tick, score.share) for tick in finer]
        widths = np.array([canvas.text_size(figure, word)[0] for word in words])
        apart = room * np.diff(finer) / (high - low) > (widths[1:] + widths[:-1]) / 2 + TICK_GAP
        if len(finer) > 1 and apart.all():
            ticks, labels = finer, words
    ax.set_xticks(ticks, labels)
    ax.set_xlim(low, high)
    ax.set_xlabel(canvas.wrapped(figure, score.label, room))


def _tick(value: float, share: bool) -> str:
    """A tick's label."""
    return f"{100 * value:.4g}%" if share else f"{value:.4g}".replace("-", "−")


def _draw(
    ax: Axes, score: _Score, table: pd.DataFrame, heights: Heights, styles: dict[str, canvas.StratumStyle]
) -> None:
    """One mark a method and world, with its Monte-Carlo bar."""
    error = f"{score.column}_error"
    for world, rows in canvas.by_label(table, "world").items():
        known = rows[rows[score.column].notna()]
        if known.empty:
            continue
        spots = [heights[str(method)][world] for method in known["method"]]
        values = known[score.column].to_numpy(dtype=np.float64)
        reach = BAR * known[error].fillna(0.0).to_numpy(dtype=np.float64) if error in known else 0.0 * values
        ends = np.array([values - reach, values + reach])
        low, high = np.clip(ends, 0, 1) if score.share else ends
        style = styles[world]
        ax.hlines(spots, low, high, color=style.color, linewidth=1.0, label=f"_{world}, bars")
        ax.plot(
            values, spots, linestyle="none", marker=style.marker, markersize=MARK, color=style.color,
            markeredgewidth=0, label=world, zorder=3, clip_on=False,
        )  # fmt: skip


def _write_key(sheet: canvas.Sheet, styles: dict[str, canvas.StratumStyle]) -> None:
    """The worlds' marks and names in lines over the panels, from the left edge of the page."""
    from matplotlib.transforms import ScaledTranslation

    figure, ax = sheet.figure, sheet.ax
    left = 8 - sheet.width * ax.get_position().x0
    across = 0.0
    lines: list[list[tuple[str, float]]] = [[]]
    for world in styles:
        wide = 18 + canvas.text_size(figure, world, size=canvas.SMALL)[0]
        if across and across + wide > sheet.width - 16:
            across = 0.0
            lines.append([])
        lines[-1].append((world, left + across))
        across += wide
    for number, line in enumerate(reversed(lines)):
        up = 8 + 1.5 * canvas.SMALL * number
        for world, x in line:
            style = styles[world]
            canvas.write(ax, world, (0, 1), (x + 6, up), va="center", color=style.ink)
            shift = ScaledTranslation(canvas.inches(x), canvas.inches(up), figure.dpi_scale_trans)
            ax.plot(
                [0], [1], transform=ax.transAxes + shift, marker=style.marker, markersize=MARK + 0.8,
                color=style.color, markeredgewidth=0, linestyle="none", clip_on=False, label=f"_{world}, key",
            )  # fmt: skip


def bench_display(table: pd.DataFrame) -> pd.DataFrame:
    """The table of a bench as people read it: every score with its Monte-Carlo error in brackets.

    Parameters
    ----------
    table : DataFrame
        As `bench_table` gives it.

    Returns
    -------
    DataFrame
        Strings: World, Method, Judged by (the estimand and its true value), Bias, Coverage, Rejects at 5%, Verdict, and
        Misspecification where it is known.

    Examples
    --------
    >>> row = {"world": "no effect", "method": "cut", "estimand": "effect", "target": 0.0, "bias": 0.01,
    ...        "bias_error": 0.006, "coverage": 0.941, "coverage_error": 0.007, "type_1_error": 0.052,
    ...        "type_1_error_error": 0.007, "power": float("nan"), "power_error": float("nan"),
    ...        "verdict": "no departure shown"}
    >>> bench_display(pd.DataFrame([row])).iloc[0, 2:].tolist()
    ['effect: 0.000', '0.010 (0.006)', '94.1% (0.7%)', '5.2% (0.7%)', 'no departure shown']
    """
    rejects = table["type_1_error"].notna()
    rejection = table["type_1_error"].where(rejects, table["power"])
    rejection_error = table["type_1_error_error"].where(rejects, table["power_error"])
    shown = {
        "World": table["world"].astype(str),
        "Method": table["method"].astype(str),
        "Judged by": [
            f"{name}: {format_number(value, digits=3)}"
            for name, value in zip(table["estimand"], table["target"], strict=True)
        ],
        "Bias away from zero": _cells(table["bias"], table["bias_error"]),
    }
    if "misspecification" in table and table["misspecification"].notna().any():
        shown["Misspecification"] = [format_number(value, digits=3) for value in table["misspecification"]]
    shown["Coverage"] = _cells(table["coverage"], table["coverage_error"], share=True)
    shown["Rejects at 5%"] = _cells(rejection, rejection_error, share=True)
    shown["Verdict"] = [verdict or MISSING for verdict in table["verdict"]]
    return pd.DataFrame(shown, dtype=object)


def _cells(values: pd.Series, errors: pd.Series, *, share: bool = False) -> list[str]:
    """Each value with its error in brackets."""
    cells = []
    for value, error in zip(values, errors, strict=True):
        if is_missing(value):
            cells.append(MISSING)
        elif share:
            cells.append(f"{format_share(value)} ({format_share(error)})")
        else:
            cells.append(f"{format_number(value, digits=3)} ({format_number(error, digits=3)})")
    return cells
