"""The search for a cut, shown whole: the statistic of every cut, the limit of chance, what the search does to the p."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.present.canvas import (
    BAR,
    BLUE,
    INK,
    LANE,
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    SMALL,
    SOFT_INK,
    TWO_COLUMNS,
    Space,
    draw_found,
    figure_of,
    figure_style,
    finish,
    fit,
    found_words,
    name_found,
    name_line,
    need_columns,
    new_figure,
    text_size,
    wrapped,
)
from analysis.present.text import format_p, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW_CUTS = 80
LIMIT, LIMIT_SHARE = "exceeded in 5% of permutations", 0.4


def plot_cutpoint_scan(
    scan: pd.DataFrame,
    *,
    cut: float,
    interval: tuple[float, float] | None = None,
    critical: float | None = None,
    summary: pd.DataFrame | None = None,
    label: str = "",
    unit: str = "",
    heading: str = "HR (95% CI)",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw the standardised statistic of every admissible cut, the cut chosen, and its corrected effect.

    Parameters
    ----------
    scan : DataFrame
        cut statistic, as `CutpointSearch.scan`.
    cut : float
        The cut chosen.
    interval : (float, float), optional
        Where the cut falls in resamples (NaN where unknown).
    critical : float, optional
        The limit that the largest statistic exceeds in 5 % of permutations.
    summary : DataFrame, optional
        analysis contrast hazard_ratio conf_low conf_high p_naive p_corrected, as `CutpointSearch.summary` gives it:
        written under the axis.
    label, unit : str
        Of the marker, for the axis.
    heading : str
        Over the hazard ratios of the summary.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; a summary that shows a naive p-value without the
        corrected one, or an estimate as found without the corrected one and the continuous marker beside it.

    Examples
    --------
    >>> scan = pd.DataFrame({"cut": [0.7, 0.8, 0.9], "statistic": [1.1, 2.6, 0.4]})
    >>> plot_cutpoint_scan(scan, cut=0.8, label="Serum magnesium", unit="mmol/L").axes[0].get_xlabel()
    'Serum magnesium (mmol/L)'
    """
    need_columns(scan, "scan", ("cut", "statistic"))
    ends = interval if interval is not None else (np.nan, np.nan)
    _check(scan, cut, ends)
    if summary is not None:
        check_summary(summary)
    rows = scan.sort_values("cut", kind="stable", ignore_index=True)
    height = 58.0 if width > 1.5 * ONE_COLUMN else 46.0
    room = POINTS * height / MM_PER_INCH
    with figure_style():
        figure = new_figure(width)
        (ax,) = figure.axes
        _set_axes(ax, rows, ends, critical, room)
        _draw(ax, rows, critical)
        draw_found(ax, cut, ends, lane=1 - BAR / room)
        ax.set_xlabel(f"{label or 'Marker'} ({unit})" if unit else label or "Marker")
        ax.set_ylabel(wrapped(figure, "Standardised statistic (absolute)", 0.98 * room))
        fit(figure, height)
        if summary is not None:
            write_summary(ax, summary, heading)
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
        name_found(ax, found_words("cut found", cut, ends), cut, ends, lane=1 - BAR / room)
        if critical is not None:
            _name_limit(ax, rows, cut, critical)
    return figure


def _check(scan: pd.DataFrame, cut: float, ends: tuple[float, float]) -> None:
    """Refuse a cut that was not scanned, and an interval that does not hold it."""
    cuts = scan["cut"].to_numpy(dtype=np.float64)
    if not np.isclose(cuts, cut, rtol=1e-9, atol=0).any():
        raise InputError(
            f"cut: {cut:g} is not among the {len(cuts)} cuts of the scan, {cuts.min():g} to {cuts.max():g}"
        )
    if ends[0] > cut or ends[1] < cut:
        raise InputError(f"interval: {ends[0]:g} to {ends[1]:g} does not hold the cut {cut:g}")


def _set_axes(ax: Axes, rows: pd.DataFrame, ends: tuple[float, float], critical: float | None, room: float) -> None:
    """Both scales, with a lane over the statistics for the cut found."""
    x = [rows["cut"].iloc[0], rows["cut"].iloc[-1], *(end for end in ends if np.isfinite(end))]
    margin = 0.03 * (max(x) - min(x)) or 0.5
    ax.set_xlim(min(x) - margin, max(x) + margin)
    top = 1.04 * max(float(rows["statistic"].max()), critical or 0.0) or 1.0
    ax.set_ylim(0, top * room / (room - LANE))


def _draw(ax: Axes, rows: pd.DataFrame, critical: float | None) -> None:
    """The statistics as a line, with points where there is room for them, and the limit."""
    ax.plot(
        rows["cut"], rows["statistic"], color=BLUE, linewidth=1.3, marker="o" if len(rows) <= FEW_CUTS else "",
        markersize=2.6, label="statistic", zorder=4,
    )  # fmt: skip
    if critical is not None:
        ax.axhline(critical, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), label="critical", zorder=2)


def _name_limit(ax: Axes, rows: pd.DataFrame, cut: float, critical: float) -> None:
    """The words of the limit beside its line, where they cover neither the statistics nor the cut."""
    space = Space(ax)
    space.take_line(rows["cut"], rows["statistic"])
    space.take_line(ax.get_xlim(), (critical, critical))
    space.take_line((cut, cut), ax.get_ylim())
    space.take_box((0, space.height - LANE, space.width, space.height))
    x = np.linspace(*ax.get_xlim(), 30)
    words = wrapped(figure_of(ax), LIMIT, LIMIT_SHARE * space.width, size=SMALL)
    name_line(ax, words, x, np.full(len(x), critical), space)


COLUMNS = ("analysis", "contrast", "hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected")
P_HEADINGS = ("p, naive", "p, corrected")
TOGETHER = ("searched cut, as found", "searched cut, corrected", "continuous marker")
WHY = "a searched cut is shown only with its correction and the continuous marker beside it"
START, ROW, ROW_GAP, COLUMN_GAP, MARGIN = 32.0, 9.0, 3.5, 12.0, 4.0
NARROW, NAME_GAP = 150.0, 16.0


def check_summary(summary: pd.DataFrame) -> None:
    """Refuse a summary that lacks one of its three rows, or a corrected p-value beside a naive one."""
    need_columns(summary, "summary", COLUMNS)
    absent = [name for name in TOGETHER if name not in set(summary["analysis"])]
    if absent:
        raise InputError(f"summary: no row {' and no row '.join(map(repr, absent))}; {WHY}")
    alone = summary.loc[summary["p_naive"].notna() & summary["p_corrected"].isna(), "analysis"]
    if len(alone):
        raise InputError(f"summary: no corrected p-value beside the naive one of {', '.join(map(repr, alone))}; {WHY}")


@dataclass(frozen=True)
class _Row:
    """One analysis in words."""

    name: str
    contrast: str
    numbers: tuple[str, ...]

    @property
    def words(self) -> tuple[str, str]:
        """What stands at the left."""
        return self.name, self.contrast


def write_summary(ax: Axes, summary: pd.DataFrame, heading: str) -> None:
    """Names from the left edge of the page; numbers in columns right of them or, where it is narrow, below.

    The axes must have their size.
    """
    rows, headings = _rows(summary), (heading, *P_HEADINGS)
    figure, box = figure_of(ax), ax.get_window_extent()
    left, page = (side * POINTS / figure.dpi - MARGIN for side in (box.x0, box.x1))
    widths = _widths(figure, [headings, *(row.numbers for row in rows)])
    names = max(text_size(figure, words, size=SMALL, weight="bold")[0] for row in rows for words in row.words)
    stacked = page - sum(widths) < NARROW
    room = page if stacked else min(page - sum(widths), names + NAME_GAP)
    ends = (np.cumsum(widths) + (page - sum(widths) if stacked else room) - left).tolist()
    _write_numbers(ax, headings, ends, START, color=SOFT_INK)
    depth = START
    for row in rows:
        depth += ROW_GAP
        lines = [(row.name, "bold", INK)]
        lines += [(line, "normal", SOFT_INK) for line in wrapped(figure, row.contrast, room, size=SMALL).split("\n")]
        if not stacked:
            _write_numbers(ax, row.numbers, ends, depth + ROW, color=INK)
        for line, weight, color in lines:
            depth += ROW
            _under(ax, line, -left, depth, weight=weight, color=color)
        if stacked:
            depth += ROW
            _write_numbers(ax, row.numbers, ends, depth, color=INK)


def _rows(summary: pd.DataFrame) -> list[_Row]:
    """The analyses in words."""
    return [
        _Row(
            str(row["analysis"]),
            str(row["contrast"]).replace("<=", "≤"),
            (
                format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"]),
                format_p(row["p_naive"]),
                format_p(row["p_corrected"]),
            ),
        )
        for row in summary.to_dict("records")
    ]


def _widths(figure: Figure, table: list[tuple[str, ...]]) -> list[float]:
    """How wide each column of numbers is, in points, with the gap before it."""
    columns = zip(*table, strict=True)
    return [COLUMN_GAP + max(text_size(figure, text, size=SMALL)[0] for text in column) for column in columns]


def _write_numbers(ax: Axes, texts: tuple[str, ...], ends: Sequence[float], depth: float, *, color: str) -> None:
    """Numbers on one line, each column closed up at the right."""
    for text, end in zip(texts, ends, strict=True):
        _under(ax, text, end, depth, ha="right", color=color)


def _under(
    ax: Axes, text: str, x: float, depth: float, *, ha: str = "left", weight: str = "normal", color: str = INK
) -> None:
    """One line of words under the axes, `x` points from their left side."""
    ax.annotate(
        text, (0, 0), (x, -depth - SMALL), xycoords="axes fraction", textcoords="offset points", annotation_clip=False,
        ha=ha, va="baseline", size=SMALL, weight=weight, color=color,
    )  # fmt: skip
