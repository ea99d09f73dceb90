"""The known-truth bench: each method's bias, coverage and type-I error by world, as a figure and as a table to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    HAIRLINE,
    INK,
    MM_PER_INCH,
    POINTS,
    SMALL,
    SOFT_INK,
    TWO_COLUMNS,
    by_label,
    figure_of,
    figure_style,
    finish,
    fit,
    need_columns,
    new_figure,
    ordered_labels,
    stratum_styles,
    text_size,
    wrapped,
)
from analysis.present.text import MISSING, format_number, format_share, is_missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import ScaledTranslation

COLUMNS = ("world", "method")
PITCH, METHOD_GAP = 5.2, 6.0  # points between worlds of one method, and between methods
NAME_SHARE = 0.27
GAP, TICK_GAP, MOST_STEPS = 14.0, 5.0, 5
BAR = 1.96
MARK = 3.6


@dataclass(frozen=True)
class _Panel:
    """One score: its columns, its name on the axis, what it should be, and the band in which it may be."""

    column: str
    label: str
    wanted: float
    band: tuple[float, float]
    share: bool


PANELS = (
    _Panel("relative_bias", "Bias away from zero (standard deviations)", 0.0, (-0.4, 0.4), False),
    _Panel("coverage", "Coverage of 95% intervals", 0.95, (0.93, 0.97), True),
    _Panel("type_1_error", "Type-I error at 5%", 0.05, (0.05, 0.05), True),
)


def plot_bench(
    table: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
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
    need_columns(table, "table", COLUMNS)
    panels = [panel for panel in PANELS if panel.column in table and table[panel.column].notna().any()] or [PANELS[0]]
    methods, worlds = by_label(table, "method"), ordered_labels(table["world"])
    with figure_style():
        figure = new_figure(width, columns=len(panels))
        page = POINTS * figure.get_figwidth()
        room = (1 - NAME_SHARE) * page / len(panels) - GAP
        figure.subplots_adjust(wspace=GAP / room)
        names = {method: wrapped(figure, method, NAME_SHARE * page) for method in methods}
        places, depth = _places(figure, methods, names)
        for ax, panel in zip(figure.axes, panels, strict=True):
            _set_axes(ax, panel, places, depth)
            _draw(ax, panel, table, places, worlds)
            _set_scale(ax, panel, room)
        _name_methods(figure, places, names)
        height = depth / POINTS * MM_PER_INCH
        fit(figure, height)
        _key(figure, worlds)
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure


def _places(
    figure: Figure, methods: dict[str, pd.DataFrame], names: dict[str, str]
) -> tuple[dict[str, dict[str, float]], float]:
    """How far down each world of each method stands, in points; and how deep they go."""
    places: dict[str, dict[str, float]] = {}
    depth = 0.0
    for method, rows in methods.items():
        worlds = ordered_labels(rows["world"])
        room = max(len(worlds) * PITCH, text_size(figure, names[method])[1])
        start = depth + METHOD_GAP / 2 + (room - PITCH * (len(worlds) - 1)) / 2
        places[method] = {world: start + PITCH * place for place, world in enumerate(worlds)}
        depth += room + METHOD_GAP
    return places, depth


def _set_axes(ax: Axes, panel: _Panel, places: dict[str, dict[str, float]], depth: float) -> None:
    """A score on the axis below, methods apart by hairlines, a line and a band where the score should be."""
    ax.set_ylim(depth, 0)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.axvspan(*panel.band, color=SOFT_INK, alpha=0.13, linewidth=0, label="_band")
    ax.axvline(panel.wanted, color=SOFT_INK, linewidth=0.8, linestyle=(0, (3, 2)), label="_wanted")
    ends = [min(spots.values()) for spots in places.values()][1:]
    for before, after in zip([max(spots.values()) for spots in places.values()], ends, strict=False):
        ax.axhline((before + after) / 2, color=HAIRLINE, linewidth=0.5, zorder=0, label="_apart")


def _set_scale(ax: Axes, panel: _Panel, room: float) -> None:
    """As many ticks as keep apart, and the score's name within the panel's width."""
    from matplotlib.ticker import MaxNLocator

    low, high = ax.get_xlim()
    ticks, labels = [panel.wanted], [_tick(panel.wanted, panel.share)]
    for steps in range(1, MOST_STEPS + 1):
        finer = [tick for tick in MaxNLocator(steps).tick_values(low, high) if low <= tick <= high]
        words = [_tick(tick, panel.share) for tick in finer]
        spots = room * np.diff(finer) / (high - low)
        widths = np.array([text_size(figure_of(ax), word)[0] for word in words])
        if len(finer) > 1 and (spots > (widths[1:] + widths[:-1]) / 2 + TICK_GAP).all():
            ticks, labels = finer, words
    ax.set_xticks(ticks, labels)
    ax.set_xlim(low, high)
    ax.set_xlabel(wrapped(figure_of(ax), panel.label, room))


def _tick(value: float, share: bool) -> str:
    """A tick's label."""
    return f"{100 * value:.4g}%" if share else f"{value:.4g}".replace("-", "−")


def _draw(ax: Axes, panel: _Panel, table: pd.DataFrame, places: dict[str, dict[str, float]], worlds: list[str]) -> None:
    """One mark a method and world, with its Monte-Carlo bar."""
    styles = stratum_styles(worlds)
    error = f"{panel.column}_error"
    for world, rows in by_label(table, "world").items():
        known = rows[rows[panel.column].notna()]
        if known.empty:
            continue
        spots = [places[str(method)][world] for method in known["method"]]
        values = known[panel.column].to_numpy(dtype=np.float64)
        reach = BAR * known[error].fillna(0.0).to_numpy(dtype=np.float64) if error in known else 0.0 * values
        low, high = (
            (values - reach, values + reach) if not panel.share else np.clip([values - reach, values + reach], 0, 1)
        )
        color = styles[world].color
        ax.hlines(spots, low, high, color=color, linewidth=1.0, label=f"_{world}, bars")
        ax.plot(
            values, spots, linestyle="none", marker=styles[world].marker, markersize=MARK, color=color,
            markeredgewidth=0, label=world, zorder=3, clip_on=False,
        )  # fmt: skip


def _name_methods(figure: Figure, places: dict[str, dict[str, float]], names: dict[str, str]) -> None:
    """The methods' names at the left of the first panel."""
    ax = figure.axes[0]
    for method, spots in places.items():
        middle = (min(spots.values()) + max(spots.values())) / 2
        ax.annotate(
            names[method], (0, middle), (-6, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", annotation_clip=False, ha="right", va="center", color=INK, linespacing=1.1,
        )  # fmt: skip


def _key(figure: Figure, worlds: list[str]) -> None:
    """The worlds' marks and names in lines over the panels, from the left edge of the page."""
    styles, ax = stratum_styles(worlds), figure.axes[0]
    page = POINTS * figure.get_figwidth() - 16
    left = -POINTS * ax.get_position().x0 * figure.get_figwidth() + 8
    across = 0.0
    lines: list[list[tuple[str, float]]] = [[]]
    for world in worlds:
        wide = 18 + text_size(figure_of(ax), world, size=SMALL)[0]
        if across and across + wide > page:
            across = 0.0
            lines.append([])
        lines[-1].append((world, across))
        across += wide
    for place, line in enumerate(reversed(lines)):
        for world, x in line:
            up, style = 8 + 1.5 * SMALL * place, styles[world]
            ax.annotate(
                world, (0, 1), (left + x + 6, up), xycoords="axes fraction", textcoords="offset points",
                annotation_clip=False, va="center", size=SMALL, color=style.ink,
            )  # fmt: skip
            spot = ax.transAxes + _shift(figure, left + x, up)
            ax.plot(
                [0], [1], transform=spot, marker=style.marker, markersize=MARK + 0.8, color=style.color,
                markeredgewidth=0, linestyle="none", clip_on=False, label=f"_{world}, key",
            )  # fmt: skip


def _shift(figure: Figure, x: float, y: float) -> ScaledTranslation:
    """A shift by points."""
    from matplotlib.transforms import ScaledTranslation

    return ScaledTranslation(x / POINTS, y / POINTS, figure.dpi_scale_trans)


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
