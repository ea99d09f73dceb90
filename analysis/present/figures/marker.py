"""A marker's distribution with the cuts that others drew through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    BLUE,
    INK,
    ONE_COLUMN,
    TEXT,
    TWO_COLUMNS,
    Space,
    by_label,
    cut_line,
    figure_of,
    figure_style,
    finish,
    fit,
    need_columns,
    need_numbers,
    new_figure,
    text_size,
    write_edges,
    write_sources,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REFERENCE = "_reference"


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
    width: float = TWO_COLUMNS,
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
    need_columns(cohort, "cohort", [marker, *([hue] if hue is not None else [])])
    need_columns(cutpoints, "cutpoints", ("edge", "label", "source", "searched"))
    cohort = need_numbers(cohort, "cohort", [marker])
    known = cohort[cohort[marker].notna()].reset_index(drop=True)
    need_columns(known, f"cohort with {marker} known", [marker])
    panels = by_label(known, hue) if hue is not None else {"": known}
    cuts = cutpoints.assign(used=cutpoints["used"] if "used" in cutpoints else ~cutpoints["searched"].astype(bool))
    with figure_style():
        figure = new_figure(width, rows=len(panels))
        figure.subplots_adjust(hspace=0.32)
        axes = figure.axes
        bins = np.histogram_bin_edges(known[marker].to_numpy(dtype=np.float64), bins="fd")
        for ax, rows in zip(axes, panels.values(), strict=True):
            _draw_panel(ax, rows, marker, bins)
            _draw_cuts(ax, cuts, reference)
        name = label or str(marker)
        axes[-1].set_xlabel(f"{name} ({unit})" if unit else name)
        height = (46.0 if len(panels) == 1 else 34.0 * len(panels)) * (1 if width > 1.5 * ONE_COLUMN else 0.85)
        write_sources(axes[-1], cuts)
        fit(figure, height)
        write_edges(axes[0], cuts)
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
        for ax, (level, rows) in zip(axes, panels.items(), strict=True):
            _name_panel(ax, level, len(rows), cuts)
    return figure


def _draw_panel(ax: Axes, rows: pd.DataFrame, marker: str, bins: np.ndarray) -> None:
    """One histogram with a smooth density over it, on the same bins as every other panel."""
    import seaborn as sns

    spread_out = len(set(rows[marker])) > 1
    sns.histplot(
        data=rows.reset_index(drop=True), x=marker, bins=bins.tolist(), kde=spread_out, color=BLUE, alpha=0.35,
        edgecolor="white", linewidth=0.4, line_kws={"linewidth": 1.3}, ax=ax,
    )  # fmt: skip
    ax.set_xlabel("")
    ax.set_ylabel("Patients")
    ax.set_xlim(bins[0], bins[-1])
    ax.margins(y=0.08)


def _draw_cuts(ax: Axes, cuts: pd.DataFrame, reference: tuple[float, float] | None) -> None:
    """A line for each edge in the axis, and the shaded interval between the two in use."""
    used = sorted(set(cuts.loc[cuts["used"].astype(bool), "edge"].astype(float)))
    low, high = ax.get_xlim()
    edges = cuts["edge"].astype(float)
    ax.set_xlim(min(low, edges.min() - 0.02 * (high - low)), max(high, edges.max() + 0.02 * (high - low)))
    shaded = reference if reference is not None else (used if len(used) == 2 else None)
    if shaded is not None:
        ax.axvspan(shaded[0], shaded[1], color="#e9f2f9", linewidth=0, zorder=0, label=REFERENCE)
    for row in cuts.to_dict("records"):
        ax.axvline(
            float(row["edge"]), color=INK, linestyle=cut_line(row), linewidth=1.0 if row["used"] else 0.8, zorder=4
        )


def _name_panel(ax: Axes, level: str, n: int, cuts: pd.DataFrame) -> None:
    """Who the panel shows, near its upper right corner, beside lines and bars."""
    from matplotlib.patches import Rectangle

    space = Space(ax)
    for bar in ax.patches:
        if isinstance(bar, Rectangle) and bar.get_label() != REFERENCE:
            right, high = bar.get_x() + bar.get_width(), bar.get_height()
            corners = space.points([bar.get_x(), right], [0.0, high]).ravel().tolist()
            space.take_box((corners[0], corners[1], corners[2], corners[3]))
    for edge in cuts["edge"].astype(float):
        space.take_line([edge, edge], ax.get_ylim())
    words = f"{level}\nn = {n:,}" if level else f"n = {n:,}"
    width, height = text_size(figure_of(ax), words)
    spot = space.place(width, height, near=(space.width - width - 2, space.height - height - 2))
    ax.annotate(
        words, (spot.left + width, spot.bottom + height), xycoords="axes points", ha="right", va="top",
        size=TEXT, linespacing=1.2, zorder=6,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip
