"""Whether every kind of patient occurs in every stratum: probabilities of a stratum, in it and outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    GREY,
    ONE_COLUMN,
    SMALL,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    StratumStyle,
    by_label,
    figure_style,
    finish,
    need_columns,
    new_figure,
    ordered_labels,
    stratum_styles,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("stratum", "member", "probability")
BINS, MOST_BESIDE = 25, 4


def plot_overlap(
    propensity: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw the probability of each stratum, of its members upwards and of the others downwards.

    Parameters
    ----------
    propensity : DataFrame
        stratum member probability: a row for each patient and stratum; member says whether the patient is in it.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        A panel a stratum; shares within members and within others, so that small strata are seen. Others whose
        probability is below that of every member are pale: nobody in the stratum is like them.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> rows = pd.DataFrame({"stratum": "low", "member": [True, True, False], "probability": [0.6, 0.4, 0.1]})
    >>> plot_overlap(rows).axes[0].get_title(loc="left")
    'low'
    """
    need_columns(propensity, "propensity", COLUMNS)
    panels = by_label(propensity, "stratum")
    styles = stratum_styles(ordered_labels(propensity["stratum"]))
    with figure_style():
        stacked = width < 1.5 * ONE_COLUMN or len(panels) > MOST_BESIDE
        figure = new_figure(width, **({"rows": len(panels)} if stacked else {"columns": len(panels)}))
        figure.subplots_adjust(wspace=0.2, hspace=0.3)
        heights = [
            _draw(ax, rows, styles[label]) for ax, (label, rows) in zip(figure.axes, panels.items(), strict=True)
        ]
        for ax, label in zip(figure.axes, panels, strict=True):
            _set_axes(ax, label, styles[label], max(heights))
        for ax in figure.axes[:-1] if stacked else figure.axes[1:]:
            ax.tick_params(labelbottom=not stacked, labelleft=stacked)
        middle = figure.axes[len(panels) // 2]
        (middle if stacked else figure.axes[0]).set_ylabel("Share of the rest | of the stratum")
        (figure.axes[-1] if stacked else middle).set_xlabel("Probability of the stratum given the covariates")
        height = 30.0 * len(panels) if stacked else 44.0
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure


def _draw(ax: Axes, rows: pd.DataFrame, style: StratumStyle) -> float:
    """Both histograms of one panel; how high the higher one is."""
    inside = rows["member"].to_numpy(dtype=bool)
    values = rows["probability"].to_numpy(dtype=np.float64)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    least = values[inside].min() if inside.any() else 0.0
    highest = 0.0
    for part, sign, color in ((values[inside], 1.0, style.color), (values[~inside], -1.0, GREY)):
        if not len(part):
            continue
        alike = part >= least
        base = np.zeros(BINS)
        for kept, alpha in ((part[alike], 0.75), (part[~alike], 0.25)):
            counts = np.histogram(kept, bins=edges)[0] / len(part)
            ax.bar(
                edges[:-1], sign * counts, width=1 / BINS, bottom=sign * base, align="edge", color=color, alpha=alpha,
                edgecolor="white", linewidth=0.3,
            )  # fmt: skip
            base = base + counts
        highest = max(highest, float(base.max()))
    return highest


def _set_axes(ax: Axes, label: str, style: StratumStyle, highest: float) -> None:
    """The stratum's name, and shares without their sign."""
    end = 1.1 * highest
    ax.set_title(label, loc="left", size=TEXT, weight="bold", color=style.ink)
    ax.axhline(0, color=SOFT_INK, linewidth=0.6)
    ax.set_xlim(0, 1)
    ax.set_ylim(-end, end)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    step = next(step for step in (0.05, 0.1, 0.2, 0.25, 0.5, 1.0) if end / step <= 4)
    ticks = np.arange(-int(end / step), int(end / step) + 1) * step
    ax.set_yticks(ticks, [f"{abs(tick):.0%}" for tick in ticks])
    for words, side, va in (("in it", 0.97, "top"), ("in another", 0.03, "bottom")):
        ax.annotate(words, (0.98, side), xycoords="axes fraction", ha="right", va=va, size=SMALL, color=SOFT_INK)
