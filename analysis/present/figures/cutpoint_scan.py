"""The search for a cut, shown whole: the statistic of every cut, the limit of chance, what the search does to the p."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.text import format_p, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEW_CUTS = 80
LIMIT, LIMIT_SHARE = "exceeded in 5% of permutations", 0.4
SUMMARY_COLUMNS = ("analysis", "contrast", "hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected")
TOGETHER = ("searched cut, as found", "searched cut, corrected", "continuous marker")
WHY = "a searched cut is shown only with its correction and the continuous marker beside it"
START, ROW, ROW_GAP, COLUMN_GAP, MARGIN = 32.0, 9.0, 3.5, 12.0, 4.0
NARROW, NAME_GAP = 150.0, 16.0


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
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(scan, "scan", ("cut", "statistic"))
    ends = interval if interval is not None else (np.nan, np.nan)
    _check_cut(scan, cut, ends)
    if summary is not None:
        _check_summary(summary)
    rows = scan.sort_values("cut", kind="stable", ignore_index=True)
    height = 58.0 if canvas.is_wide(width) else 46.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic) as sheet:
        ax, room = sheet.ax, sheet.room(height)
        lane = 1 - canvas.BAR / room
        _set_limits(ax, rows, ends, critical, room)
        ax.plot(
            rows["cut"], rows["statistic"], color=canvas.BLUE, linewidth=1.3, label="statistic", zorder=4,
            marker="o" if len(rows) <= FEW_CUTS else "", markersize=2.6,
        )  # fmt: skip
        if critical is not None:
            ax.axhline(critical, color=canvas.INK, linewidth=0.9, linestyle=(0, (4, 2)), label="critical", zorder=2)
        canvas.draw_searched(ax, cut, ends, lane=lane)
        ax.set_xlabel(f"{label or 'Marker'} ({unit})" if unit else label or "Marker")
        ax.set_ylabel(canvas.wrapped(sheet.figure, "Standardised statistic (absolute)", 0.98 * room))
        sheet.fit(height)
        if summary is not None:
            _write_summary(ax, summary, heading)
        sheet.finish(height)
        canvas.name_searched(ax, "cut found", cut, ends, lane=lane)
        if critical is not None:
            _name_limit(ax, rows, cut, critical)
    return sheet.figure


def _check_cut(scan: pd.DataFrame, cut: float, ends: tuple[float, float]) -> None:
    """Refuse a cut that was not scanned, and an interval that does not hold it."""
    cuts = scan["cut"].to_numpy(dtype=np.float64)
    if not np.isclose(cuts, cut, rtol=1e-9, atol=0).any():
        raise InputError(
            f"cut: {cut:g} is not among the {len(cuts)} cuts of the scan, {cuts.min():g} to {cuts.max():g}"
        )
    if ends[0] > cut or ends[1] < cut:
        raise InputError(f"interval: {ends[0]:g} to {ends[1]:g} does not hold the cut {cut:g}")


def _check_summary(summary: pd.DataFrame) -> None:
    """Refuse a summary that lacks one of its three rows, or a corrected p-value beside a naive one."""
    canvas.need_columns(summary, "summary", SUMMARY_COLUMNS)
    absent = [name for name in TOGETHER if name not in set(summary["analysis"])]
    if absent:
        raise InputError(f"summary: no row {' and no row '.join(map(repr, absent))}; {WHY}")
    alone = summary.loc[summary["p_naive"].notna() & summary["p_corrected"].isna(), "analysis"]
    if len(alone):
        raise InputError(f"summary: no corrected p-value beside the naive one of {', '.join(map(repr, alone))}; {WHY}")


def _set_limits(ax: Axes, rows: pd.DataFrame, ends: tuple[float, float], critical: float | None, room: float) -> None:
    """Both scales, with a lane over the statistics for the cut found."""
    x = [rows["cut"].iloc[0], rows["cut"].iloc[-1], *(end for end in ends if np.isfinite(end))]
    margin = 0.03 * (max(x) - min(x)) or 0.5
    ax.set_xlim(min(x) - margin, max(x) + margin)
    top = 1.04 * max(float(rows["statistic"].max()), critical or 0.0) or 1.0
    ax.set_ylim(0, top * room / (room - canvas.LANE))


def _name_limit(ax: Axes, rows: pd.DataFrame, cut: float, critical: float) -> None:
    """The words of the limit beside its line, where they cover neither the statistics nor the cut."""
    space = canvas.Space(ax)
    space.take_line(rows["cut"], rows["statistic"])
    space.take_line(ax.get_xlim(), (critical, critical))
    space.take_edges([cut])
    space.take_box((0, space.height - canvas.LANE, space.width, space.height))
    x = np.linspace(*ax.get_xlim(), 30)
    words = canvas.wrapped(canvas.figure_of(ax), LIMIT, LIMIT_SHARE * space.width, size=canvas.SMALL)
    canvas.name_line(ax, words, x, np.full(len(x), critical), space)


def _write_summary(ax: Axes, summary: pd.DataFrame, heading: str) -> None:
    """Names from the left edge of the page; numbers in columns right of them or, where it is narrow, below.

    The axes must have their size.
    """
    figure, box, size = canvas.figure_of(ax), ax.get_window_extent(), canvas.SMALL
    left, page = (canvas.from_inches(side / figure.dpi) - MARGIN for side in (box.x0, box.x1))
    names = summary["analysis"].astype(str).tolist()
    contrasts = summary["contrast"].astype(str).str.replace("<=", "≤", regex=False).tolist()
    numbers = [
        (
            format_ratio(row["hazard_ratio"], row["conf_low"], row["conf_high"]),
            *map(format_p, (row["p_naive"], row["p_corrected"])),
        )
        for row in summary.to_dict("records")
    ]
    table = [(heading, "p, naive", "p, corrected"), *numbers]
    widths = [
        COLUMN_GAP + max(canvas.text_size(figure, text, size=size)[0] for text in column)
        for column in zip(*table, strict=True)
    ]
    widest = max(canvas.text_size(figure, words, size=size, weight="bold")[0] for words in names + contrasts)
    stacked = page - sum(widths) < NARROW
    room = page if stacked else min(page - sum(widths), widest + NAME_GAP)
    ends = (np.cumsum(widths) + (page - sum(widths) if stacked else room) - left).tolist()
    _write_numbers(ax, table[0], ends, START, color=canvas.SOFT_INK)
    depth = START
    for name, contrast, texts in zip(names, contrasts, numbers, strict=True):
        depth += ROW_GAP
        lines = canvas.wrapped(figure, contrast, room, size=size).split("\n")
        if not stacked:
            _write_numbers(ax, texts, ends, depth + ROW, color=canvas.INK)
        for number, line in enumerate((name, *lines)):
            depth += ROW
            color, weight = (canvas.SOFT_INK, "normal") if number else (canvas.INK, "bold")
            _write_under(ax, line, -left, depth, color=color, weight=weight)
        if stacked:
            depth += ROW
            _write_numbers(ax, texts, ends, depth, color=canvas.INK)


def _write_numbers(ax: Axes, texts: Sequence[str], ends: Sequence[float], depth: float, *, color: str) -> None:
    """Numbers on one line, each column closed up at the right."""
    for text, end in zip(texts, ends, strict=True):
        _write_under(ax, text, end, depth, ha="right", color=color)


def _write_under(
    ax: Axes, text: str, x: float, depth: float, *, color: str, ha: str = "left", weight: str = "normal"
) -> None:
    """One line of words under the axes, `x` points from their left side."""
    canvas.write(ax, text, (0, 0), (x, -depth - canvas.SMALL), va="baseline", color=color, ha=ha, weight=weight)
