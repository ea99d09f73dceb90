"""A marker against its causes and companions: a panel each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    BLUE,
    INK,
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    SMALL,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    by_label,
    figure_of,
    figure_style,
    finish,
    need_columns,
    need_numbers,
    new_figure,
    stratum_styles,
    wrapped,
)
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_relations(
    cohort: pd.DataFrame,
    marker: str,
    columns: Sequence[str],
    *,
    hue: str | None = None,
    labels: Mapping[str, str] | None = None,
    correlations: pd.DataFrame | None = None,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw a marker against other columns, a panel each: points with a trend, or outlines where levels are few.

    Parameters
    ----------
    cohort : DataFrame
        Holds the marker and the columns; rows with either missing are left out of that panel.
    marker : str
        A numeric column; the upright axis of every panel.
    columns : sequence of str
        One panel each. A column of numbers with more than six values gets points and a straight trend (on a
        logarithmic axis where its largest value is over twenty times its median).
    hue : str, optional
        A column of few levels that colours the points.
    labels : mapping, optional
        Column to the words that stand for it.
    correlations : DataFrame, optional
        column correlation: written over its panel.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> cohort = pd.DataFrame({"magnesium": [0.7, 0.8, 0.8, 0.9], "ppi": [1, 0, 1, 0]})
    >>> len(plot_relations(cohort, "magnesium", ["ppi"]).axes)
    1
    """
    need_columns(cohort, "cohort", [marker, *columns, *([hue] if hue is not None else [])])
    sparse = [name for name in columns if isinstance(cohort[name].dtype, pd.SparseDtype)]
    cohort = need_numbers(cohort, "cohort", [marker, *sparse]).reset_index(drop=True).rename(columns=str)
    marker, columns, hue = str(marker), [str(name) for name in columns], None if hue is None else str(hue)
    across = min(len(columns), 3 if width > 1.5 * ONE_COLUMN else 2)
    down = -(-len(columns) // across)
    names = {name: name.replace("_", " ") for name in (marker, *columns)} | dict(labels or {})
    known = {} if correlations is None else dict(zip(correlations["column"], correlations["correlation"], strict=True))
    with figure_style():
        figure = new_figure(width, rows=down, columns=across)
        for place, ax in enumerate(list(figure.axes)):
            if place >= len(columns):
                ax.remove()
                continue
            _draw_relation(ax, cohort, marker, columns[place], hue)
            _dress(
                ax,
                names[columns[place]],
                known.get(columns[place]),
                wrapped(figure, names[marker], 85.0 if across > 2 else 70.0) if place % across == 0 else "",
            )
        panel = 31.0 if width > 1.5 * ONE_COLUMN else 25.0
        gap = _space_between_rows(figure)
        figure.subplots_adjust(hspace=gap / panel, wspace=0.18)
        height = panel * down + gap * (down - 1)
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure


def _space_between_rows(figure: Figure) -> float:
    """Room for ticks, wrapped names and the correlations of the next row, in mm."""
    lines = max(1 + ax.get_xlabel().count("\n") for ax in figure.axes)
    return (32 + 1.3 * TEXT * lines) / POINTS * MM_PER_INCH


def _draw_relation(ax: Axes, cohort: pd.DataFrame, marker: str, column: str, hue: str | None) -> None:
    """One panel."""
    import seaborn as sns

    rows = cohort.dropna(subset=[marker, column]).reset_index(drop=True)
    colors = (
        {label: style.color for label, style in stratum_styles(list(by_label(rows, hue))).items()}
        if hue is not None
        else None
    )
    if pd.api.types.is_numeric_dtype(rows[column].dtype) and rows[column].nunique() > 6:
        skewed = rows[column].min() > 0 and rows[column].max() > 20 * rows[column].median()
        sns.scatterplot(
            data=rows, x=column, y=marker, hue=hue, palette=colors, color=BLUE, s=7, alpha=0.4, linewidth=0,
            legend=False, ax=ax,
        )  # fmt: skip
        sns.regplot(
            data=rows, x=column, y=marker, scatter=False, ci=None, truncate=True, logx=bool(skewed), color=INK,
            line_kws={"linewidth": 1.3}, ax=ax,
        )  # fmt: skip
        if skewed:
            ax.set_xscale("log")
    else:
        words = _level_words(rows[column])
        levels = rows if hasattr(rows[column], "cat") else rows.assign(**{column: rows[column].map(words)})
        order = list(by_label(levels.sort_values(column, kind="stable"), column))
        sns.violinplot(
            data=levels, x=column, y=marker, order=order, hue=hue, palette=colors, color="#9cc7e3", width=0.8,
            inner="quart", cut=0, density_norm="width", linewidth=0.7, legend=False, ax=ax,
        )  # fmt: skip


def _level_words(values: pd.Series) -> Callable[[object], str]:
    """How levels are written: 0 and 1 alone as no and yes, other whole numbers without a decimal point."""
    if pd.api.types.is_numeric_dtype(values.dtype) and set(values.unique()) == {0, 1}:
        return lambda value: "yes" if value else "no"
    return lambda value: f"{value:g}" if isinstance(value, float) else str(value)


def _dress(ax: Axes, name: str, correlation: float | None, y_label: str) -> None:
    """Names of the axes, and the correlation over the panel."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    figure = figure_of(ax)
    box = ax.get_window_extent()
    ax.set_xlabel(wrapped(figure, name, box.width * POINTS / figure.dpi))
    ax.set_ylabel(y_label)
    if not y_label:
        ax.tick_params(labelleft=False)
    if ax.get_xscale() == "log":
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    elif ax.lines and len(ax.get_xticks()) > 6:
        ax.xaxis.set_major_locator(MaxNLocator(5))
    if correlation is not None:
        ax.set_title(f"rank correlation {format_number(correlation)}", loc="left", size=SMALL, color=SOFT_INK, pad=3)
