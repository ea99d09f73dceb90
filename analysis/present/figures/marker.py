"""A marker: its distribution with the cuts that others drew through it, and its causes and companions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CUT_COLUMNS = ("edge", "label", "source", "searched")


def plot_marker(
    cohort: pd.DataFrame,
    marker: str,
    cutpoints: pd.DataFrame,
    *,
    hue: str | None = None,
    unit: str = "",
    label: str = "",
    reference: tuple[float, float] | None = None,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw a marker's distribution, one panel a level of `hue`, with every cut-point and its source.

    Parameters
    ----------
    cohort : DataFrame
        Holds `marker` (and `hue`); missing values are left out.
    marker : str
        A numeric column.
    cutpoints : DataFrame
        edge label source searched, as `cutpoint_table` gives it; where a column `used` is there, the edges in use are
        solid lines. Edges found by a search are dotted.
    hue : str, optional
        A column of few levels.
    unit, label : str
        For the axis; the column's name by default.
    reference : (float, float), optional
        An interval to shade; the two edges in use, where there are two, by default.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        Edges are labelled over the panels, sources listed below.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> cohort = pd.DataFrame({"magnesium": [0.7, 0.8, 0.82, 0.9]})
    >>> cuts = pd.DataFrame({"edge": [0.75], "label": ["0.75"], "source": ["a survey"], "searched": [False]})
    >>> plot_marker(cohort, "magnesium", cuts, unit="mmol/L").axes[0].get_xlabel()
    'magnesium (mmol/L)'
    """
    canvas.need_columns(cohort, "cohort", [marker, *([hue] if hue is not None else [])])
    canvas.need_columns(cutpoints, "cutpoints", CUT_COLUMNS)
    cohort = canvas.need_numbers(cohort, "cohort", [marker])
    known = cohort[cohort[marker].notna()].reset_index(drop=True)
    canvas.need_columns(known, f"cohort with {marker} known", [marker])
    panels = canvas.by_label(known, hue) if hue is not None else {"": known}
    cuts = cutpoints if "used" in cutpoints else cutpoints.assign(used=~cutpoints["searched"].astype(bool))
    values = known[marker].to_numpy(dtype=np.float64)
    reached, bins = (float(values.min()), float(values.max())), np.histogram_bin_edges(values, bins="fd")
    drawn = canvas.cuts_within(cuts, *reached)
    height = (46.0 if len(panels) == 1 else 34.0 * len(panels)) * (1 if canvas.is_wide(width) else 0.85)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=(len(panels), 1)) as sheet:
        sheet.figure.subplots_adjust(hspace=0.32)
        axes = sheet.figure.axes
        for ax, rows in zip(axes, panels.values(), strict=True):
            _draw_distribution(ax, rows, marker, bins)
            _draw_cuts(ax, drawn, reference)
        name = label or str(marker)
        axes[-1].set_xlabel(f"{name} ({unit})" if unit else name)
        canvas.write_sources(axes[-1], cuts, reached=reached)
        sheet.fit(height)
        canvas.write_edges(axes[0], drawn)
        sheet.finish(height)
        for ax, (level, rows) in zip(axes, panels.items(), strict=True):
            _name_panel(ax, f"{level}\nn = {len(rows):,}".lstrip("\n"), drawn)
    return sheet.figure


def _draw_distribution(ax: Axes, rows: pd.DataFrame, marker: str, bins: np.ndarray) -> None:
    """One histogram with a smooth density over it, on the same bins as every other panel."""
    import seaborn as sns

    sns.histplot(
        data=rows.reset_index(drop=True), x=marker, bins=bins.tolist(), kde=len(set(rows[marker])) > 1,
        color=canvas.BLUE, alpha=0.35, edgecolor="white", linewidth=0.4, line_kws={"linewidth": 1.3}, ax=ax,
    )  # fmt: skip
    ax.set_xlabel("")
    ax.set_ylabel("Patients")
    ax.set_xlim(bins[0], bins[-1])
    ax.margins(y=0.08)


def _draw_cuts(ax: Axes, cuts: pd.DataFrame, reference: tuple[float, float] | None) -> None:
    """A line for each edge in the axis, and the shaded interval between the two in use."""
    used = sorted(set(cuts.loc[cuts["used"].astype(bool), "edge"].astype(float)))
    shaded = reference if reference is not None else (used if len(used) == 2 else None)
    if shaded is not None:
        ax.axvspan(shaded[0], shaded[1], color="#e9f2f9", linewidth=0, zorder=0, label="_reference")
    canvas.draw_cuts(ax, cuts, zorder=4)


def _name_panel(ax: Axes, words: str, cuts: pd.DataFrame) -> None:
    """Who the panel shows, near its upper right corner, beside lines and bars."""
    space = canvas.Space(ax)
    space.take_bars()
    space.take_edges(cuts["edge"].astype(float))
    width, height = canvas.text_size(canvas.figure_of(ax), words)
    spot = space.find(width, height, near=(space.width - width - 2, space.height - height - 2))
    canvas.write_at(
        ax, words, spot.left + width, spot.bottom + height, ha="right", va="top", size=canvas.TEXT, linespacing=1.2,
        zorder=6, bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


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
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(cohort, "cohort", [marker, *columns, *([hue] if hue is not None else [])])
    sparse = [name for name in columns if isinstance(cohort[name].dtype, pd.SparseDtype)]
    cohort = canvas.need_numbers(cohort, "cohort", [marker, *sparse]).reset_index(drop=True).rename(columns=str)
    marker, columns, hue = str(marker), [str(name) for name in columns], None if hue is None else str(hue)
    wide = canvas.is_wide(width)
    across = min(len(columns), 3 if wide else 2)
    down = -(-len(columns) // across)
    names = {name: name.replace("_", " ") for name in (marker, *columns)} | dict(labels or {})
    known = {} if correlations is None else dict(zip(correlations["column"], correlations["correlation"], strict=True))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=(down, across)) as sheet:
        for ax in sheet.figure.axes[len(columns) :]:
            ax.remove()
        y_label = canvas.wrapped(sheet.figure, names[marker], 85.0 if across > 2 else 70.0)
        for number, (ax, column) in enumerate(zip(sheet.figure.axes, columns, strict=True)):
            _draw_relation(ax, cohort, marker, column, hue)
            _name_relation(ax, names[column], known.get(column), "" if number % across else y_label)
        # room for ticks, wrapped names and the correlations of the next row
        lines = max(1 + ax.get_xlabel().count("\n") for ax in sheet.figure.axes)
        gap = canvas.millimetres(32 + 1.3 * canvas.TEXT * lines)
        panel = 31.0 if wide else 25.0
        sheet.figure.subplots_adjust(hspace=gap / panel, wspace=0.18)
        sheet.finish(panel * down + gap * (down - 1))
    return sheet.figure


def _draw_relation(ax: Axes, cohort: pd.DataFrame, marker: str, column: str, hue: str | None) -> None:
    """One panel: points with a trend for numbers, outlines for levels."""
    import seaborn as sns

    rows = cohort.dropna(subset=[marker, column]).reset_index(drop=True)
    styles = canvas.stratum_styles(list(canvas.by_label(rows, hue))) if hue is not None else {}
    colors = {label: style.color for label, style in styles.items()} or None
    if pd.api.types.is_numeric_dtype(rows[column].dtype) and rows[column].nunique() > 6:
        skewed = rows[column].min() > 0 and rows[column].max() > 20 * rows[column].median()
        sns.scatterplot(
            data=rows, x=column, y=marker, hue=hue, palette=colors, color=canvas.BLUE, s=7, alpha=0.4, linewidth=0,
            legend=False, ax=ax,
        )  # fmt: skip
        sns.regplot(
            data=rows, x=column, y=marker, scatter=False, ci=None, truncate=True, logx=bool(skewed),
            color=canvas.INK, line_kws={"linewidth": 1.3}, ax=ax,
        )  # fmt: skip
        if skewed:
            ax.set_xscale("log")
        return
    words = _level_words(rows[column])
    levels = rows if hasattr(rows[column], "cat") else rows.assign(**{column: rows[column].map(words)})
    order = list(canvas.by_label(levels.sort_values(column, kind="stable"), column))
    sns.violinplot(
        data=levels, x=column, y=marker, order=order, hue=hue, palette=colors, color="#9cc7e3", width=0.8,
        inner="quart", cut=0, density_norm="width", linewidth=0.7, legend=False, ax=ax,
    )  # fmt: skip


def _level_words(values: pd.Series) -> Callable[[object], str]:
    """How levels are written: 0 and 1 alone as no and yes, other whole numbers without a decimal point."""
    if pd.api.types.is_numeric_dtype(values.dtype) and set(values.unique()) == {0, 1}:
        return lambda value: "yes" if value else "no"
    return lambda value: f"{value:g}" if isinstance(value, float) else str(value)


def _name_relation(ax: Axes, name: str, correlation: float | None, y_label: str) -> None:
    """Names of the axes, and the correlation over the panel."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    ax.set_xlabel(canvas.wrapped(canvas.figure_of(ax), name, canvas.axes_size(ax)[0]))
    ax.set_ylabel(y_label)
    if not y_label:
        ax.tick_params(labelleft=False)
    if ax.get_xscale() == "log":
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    elif ax.lines and len(ax.get_xticks()) > 6:
        ax.xaxis.set_major_locator(MaxNLocator(5))
    if correlation is not None:
        words = f"rank correlation {format_number(correlation)}"
        ax.set_title(words, loc="left", size=canvas.points(canvas.SMALL), color=canvas.SOFT_INK, pad=3)
