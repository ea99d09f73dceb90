"""Hazard ratios one under the other: points, intervals and numbers, the planted truth among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    BLUE,
    INK,
    MM_PER_INCH,
    POINTS,
    SOFT_INK,
    TEXT,
    TICKS,
    TWO_COLUMNS,
    VERMILLION,
    WIDEST,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    text_size,
    wrapped,
)
from analysis.present.text import format_ratio, is_missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

COLUMNS = ("group", "label", "kind", "hazard_ratio", "conf_low", "conf_high")
ROW = 12.5
LABEL_ROOM = 19.0
NAME_SHARE = 0.42
TALLER, GROUP_GAP = 0.75, 0.3  # of a row: a further line of text, and the space before a group
# kind: marker, colour, filled
LOOKS = {
    "crude": ("o", SOFT_INK, True),
    "adjusted": ("s", BLUE, True),
    "truth": ("D", VERMILLION, False),
    "wrong": ("X", INK, True),
}


def plot_forest(
    estimates: pd.DataFrame,
    *,
    reference: float = 1.0,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Hazard ratio (logarithmic axis)",
    heading: str = "HR (95% CI)",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    estimates : DataFrame
        group label kind hazard_ratio conf_low conf_high, in the order of drawing. Rows of one group stand under its
        name; kind is "crude", "adjusted", "truth" (open mark, no interval) or "wrong" (a cross); others are drawn as
        crude.
    reference : float
        Where there is no difference.
    title, subtitle, x_label : str
    heading : str
        Over the column of numbers.
    width : float
        Of the figure in mm.
    synthetic : bool
        Mark the figure as synthetic and illustrative.
    ax : Axes, optional
        Draw on these axes; a figure of its own by default.

    Returns
    -------
    Figure
        The figure drawn on. Intervals that leave the axis end in an arrow; the numbers at the right are whole.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> rows = [("Death", "crude", "crude", 1.6, 1.2, 2.1), ("Death", "planted", "truth", 1.5, None, None)]
    >>> figure = plot_forest(pd.DataFrame(rows, columns=list(COLUMNS)))
    >>> [text.get_text() for text in figure.axes[0].texts if "(" in text.get_text()]
    ['HR (95% CI)', '(1.20 to 2.10)']
    """
    need_columns(estimates, "estimates", COLUMNS)
    with figure_style():
        target, own = drawing_axes(ax, width)
        lines, depth = _lines(figure_of(target), estimates)
        low, high = _limits(estimates, reference)
        _set_axes(target, depth, low, high, reference, x_label)
        for line in lines:
            if line.row is not None:
                _draw(target, line.place, line.row, low, high)
        _write(target, lines, heading)
        if own:
            height = ROW * (depth + 0.5) / POINTS * MM_PER_INCH
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
        _thin_ticks(target, low, high)
    return figure_of(target)


@dataclass(frozen=True, eq=False)
class _Line:
    """One line of the figure: a group's name, or an estimate."""

    text: str
    place: float
    row: dict[str, float | str] | None


def _lines(figure: Figure, estimates: pd.DataFrame) -> tuple[list[_Line], float]:
    """The lines from top to bottom, a group's name over its rows, wrapped where too long; and how deep they go."""
    page = POINTS * figure.get_figwidth()
    lines: list[_Line] = []
    depth = 0.0
    for group, rows in estimates.groupby("group", sort=False, observed=True):
        if str(group):
            depth += GROUP_GAP if lines else 0.0
            name = wrapped(figure, str(group), page - 12, weight="bold")
            lines.append(_Line(name, depth + name.count("\n") * TALLER / 2, None))
            depth += 1 + name.count("\n") * TALLER
        for row in rows.to_dict("records"):
            label = wrapped(figure, str(row["label"]), NAME_SHARE * page)
            taller = label.count("\n") * TALLER
            lines.append(_Line(label, depth + taller / 2, {str(name): value for name, value in row.items()}))
            depth += 1 + taller
    return lines, depth


def _limits(estimates: pd.DataFrame, reference: float) -> tuple[float, float]:
    """The ends of the axis: all finite limits, within fifty-fold of the reference, and a little room."""
    values = estimates[["hazard_ratio", "conf_low", "conf_high"]].to_numpy(dtype=np.float64)
    inside = values[np.isfinite(values) & (values > reference / WIDEST) & (values < reference * WIDEST)]
    logs = np.log(np.append(inside, reference))
    room = max(0.06 * float(np.ptp(logs)), 0.05)
    return float(np.exp(logs.min() - room)), float(np.exp(logs.max() + room))


def _set_axes(ax: Axes, depth: float, low: float, high: float, reference: float, x_label: str) -> None:
    """A logarithmic axis below, none at the left."""
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(depth - 0.25, -0.75)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.minorticks_off()
    ax.axvline(reference, color=SOFT_INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1)
    ax.set_xlabel(x_label)
    _thin_ticks(ax, low, high)


def _draw(ax: Axes, place: float, row: dict[str, float | str], low: float, high: float) -> None:
    """One estimate: its mark, and its interval where it has one, with arrows where it leaves the axis."""
    marker, color, filled = LOOKS.get(str(row["kind"]), LOOKS["crude"])
    estimate, ends = float(row["hazard_ratio"]), (float(row["conf_low"]), float(row["conf_high"]))
    if not is_missing(ends[0]) or not is_missing(ends[1]):
        left, right = np.clip(
            [low if is_missing(ends[0]) else ends[0], high if is_missing(ends[1]) else ends[1]], low, high
        )
        ax.plot([left, right], [place, place], color=color, linewidth=1.2, label=f"_{row['label']}, interval")
        for end, edge, arrow in ((ends[0], low, "<"), (ends[1], high, ">")):
            if is_missing(end) or not low <= end <= high:
                ax.plot([edge], [place], marker=arrow, color=color, markersize=4, clip_on=False)
    if low <= estimate <= high:
        ax.plot(
            [estimate], [place], marker=marker, markersize=4.6, color=color, linestyle="none", zorder=3,
            markerfacecolor=color if filled else "white", markeredgewidth=1.1, label=str(row["label"]),
        )  # fmt: skip


def _write(ax: Axes, lines: list[_Line], heading: str) -> None:
    """Names at the left, numbers in aligned columns at the right."""
    figure = figure_of(ax)
    left = 10 + max(text_size(figure, line.text)[0] for line in lines if line.row)
    ratios = [format_ratio(_number(line, "hazard_ratio")) if line.row else "" for line in lines]
    wide = 8 + max(text_size(figure, ratio)[0] for ratio in ratios)
    _beside(ax, heading, -0.9, 1.0, 8.0, weight="bold")
    for line, ratio in zip(lines, ratios, strict=True):
        if line.row is None:
            group = _beside(ax, line.text, line.place, 0.0, -left - 6, weight="bold")
            group.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            continue
        _beside(ax, line.text, line.place, 0.0, -left)
        _beside(ax, ratio, line.place, 1.0, wide, ha="right")
        ends = _number(line, "conf_low"), _number(line, "conf_high")
        if not all(map(is_missing, ends)):
            _beside(ax, f"({format_ratio(ends[0])} to {format_ratio(ends[1])})", line.place, 1.0, wide + 4)


def _number(line: _Line, column: str) -> float:
    """A number of an estimate's row."""
    return float(line.row[column]) if line.row is not None else float("nan")


def _beside(
    ax: Axes, text: str, place: float, side: float, shift: float, *, ha: str = "left", weight: str = "normal"
) -> Annotation:
    """Words on one line, `shift` points from the left (0) or right (1) side of the axes."""
    aligned = "center" if "\n" in text else "center_baseline"
    return ax.annotate(
        text, (side, place), (shift, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        annotation_clip=False, ha=ha, va=aligned, size=TEXT, weight=weight, color=INK, linespacing=1.05,
    )  # fmt: skip


def _thin_ticks(ax: Axes, low: float, high: float) -> None:
    """Ticks from the finest list whose labels keep apart."""
    room = ax.get_window_extent().width * POINTS / figure_of(ax).dpi
    for candidates in TICKS:
        inside = [tick for tick in candidates if low <= tick <= high]
        spots = room * np.log(np.array(inside) / low) / np.log(high / low)
        covers = candidates[0] / 1.3 <= low and high <= candidates[-1] * 1.3
        if covers and (len(inside) < 2 or np.diff(spots).min() >= LABEL_ROOM):
            break
    ax.set_xticks(inside, [f"{tick:g}" for tick in inside])
