"""How time and memory grow with the number of rows: one panel a piece of work, on decades, a line for each tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROWTH_COLUMNS = ("work", "tool", "n", "seconds", "peak_mb", "input_mb")
_DOTTED = (0, (1, 1.6))
_ROOM = 1.5  # beyond the outermost points, as a factor
_UNITS = {
    "rows": ((1, ""), (1e3, "k"), (1e6, "M"), (1e9, "G")),
    "time": ((1e-6, " µs"), (1e-3, " ms"), (1, " s")),
    "memory": ((1e-3, " kB"), (1, " MB"), (1e3, " GB")),
}


def plot_growth(
    growth: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw time and peak memory against the number of rows, both on decades.

    Parameters
    ----------
    growth : DataFrame
        Columns work, tool, n, seconds, peak_mb, input_mb: a row for each piece of work, tool and size; peak_mb is the
        most memory held, with the input_mb of the columns given. Missing where a tool did not finish, or where there is
        too little memory to measure.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        Time above, memory below, a column of panels for each piece of work. A slope of one decade a decade is linear
        growth; the dotted line below is three times the input.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> growth = pd.DataFrame({"work": "curves", "tool": "ours", "n": [1e3, 1e4], "seconds": [0.001, 0.01],
    ...                        "peak_mb": [1, 10], "input_mb": [0.1, 1]})
    >>> [ax.get_ylabel() for ax in plot_growth(growth).axes]
    ['Time', 'Peak memory']
    """
    canvas.need_columns(growth, "growth", GROWTH_COLUMNS)
    works = canvas.by_label(growth, "work")
    grid = (2, len(works))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=grid) as sheet:
        sheet.figure.subplots_adjust(wspace=0.12, hspace=0.12)
        panels = np.array(sheet.figure.axes).reshape(grid)
        for row, (column, kind) in enumerate((("seconds", "time"), ("peak_mb", "memory"))):
            known = growth.dropna(subset=[column])
            ends = _ends(known[column], 3 * known["input_mb"] if column == "peak_mb" else known[column])
            for ax, rows in zip(panels[row], works.values(), strict=True):
                _draw(ax, rows, column)
                _set_axes(ax, _ends(growth["n"]), ends, kind, lowest=row == 1, first=ax is panels[row, 0])
        for ax, work in zip(panels[0], works, strict=True):
            ax.set_title(work, loc="left", weight="bold")
        panels[0, 0].set_ylabel("Time")
        panels[1, 0].set_ylabel("Peak memory")
        sheet.finish(100.0 if len(works) > 1 else 90.0)
        for ax, rows in zip(panels.flat, [*works.values()] * 2, strict=True):
            _name_lines(ax, rows)
    return sheet.figure


def _ends(*values: pd.Series) -> tuple[float, float]:
    """The ends of an axis."""
    known = pd.concat(list(values)).dropna()
    return float(known.min()) / _ROOM, float(known.max()) * _ROOM


def _draw(ax: Axes, rows: pd.DataFrame, column: str) -> None:
    """A line for each tool; below, what three times the input is."""
    styles = canvas.stratum_styles(canvas.ordered_labels(rows["tool"]))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.grid(color=canvas.HAIRLINE, linewidth=0.4)
    if column == "peak_mb":
        sizes = rows.dropna(subset=[column]).groupby("n")["input_mb"].max()
        ax.plot(sizes.index, 3 * sizes, color=canvas.SOFT_INK, linestyle=_DOTTED, linewidth=1.0, label="_three times")
    for tool, part in canvas.by_label(rows, "tool").items():
        style, line = styles[tool], part.dropna(subset=[column]).sort_values("n")
        ax.plot(
            line["n"], line[column], color=style.color, linestyle=style.line, marker=style.marker, markersize=3,
            label=tool,
        )  # fmt: skip


def _set_axes(
    ax: Axes, across: tuple[float, float], up: tuple[float, float], kind: str, *, lowest: bool, first: bool
) -> None:
    """Decades in words on the outer panels."""
    ax.minorticks_off()
    for axis, (low, high), unit, outer in ((ax.xaxis, across, "rows", lowest), (ax.yaxis, up, kind, first)):
        decades = [10.0**power for power in range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)]
        axis.set_ticks(decades, [_in_words(value, unit) if outer else "" for value in decades])
    ax.set_xlim(*across)
    ax.set_ylim(*up)
    if lowest:
        ax.set_xlabel("Rows")


def _in_words(value: float, kind: str) -> str:
    """A round number with its unit.

    Examples
    --------
    >>> _in_words(0.01, "time"), _in_words(1e6, "rows"), _in_words(1e4, "memory")
    ('10 ms', '1M', '10 GB')
    """
    size, unit = next((pair for pair in reversed(_UNITS[kind]) if value >= 0.999 * pair[0]), _UNITS[kind][0])
    return f"{value / size:g}{unit}"


def _name_lines(ax: Axes, rows: pd.DataFrame) -> None:
    """The name of each line beside it."""
    styles, space = canvas.stratum_styles(canvas.ordered_labels(rows["tool"])), canvas.Space(ax)
    for line in ax.lines:
        space.take_line(line.get_xdata(), line.get_ydata())
    for line in ax.lines:
        name = str(line.get_label())
        words, color = (name, styles[name].ink) if name in styles else ("three times the input", canvas.SOFT_INK)
        canvas.name_line(ax, words, line.get_xdata(), line.get_ydata(), space, color=color)
