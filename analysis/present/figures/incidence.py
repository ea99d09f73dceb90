"""Cumulative incidence of events that compete: a panel a cause, a curve a stratum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    TEXT,
    TWO_COLUMNS,
    breaks_for,
    by_label,
    figure_style,
    finish,
    fit,
    need_columns,
    new_figure,
    ordered_labels,
    stratum_styles,
)
from analysis.present.figures.survival import draw_curve, drawn_part, label_ends

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("stratum", "cause", "time", "incidence", "conf_low", "conf_high", "n_risk")
HEIGHT = 62.0
MOST_BESIDE = 2


def plot_incidence(
    curves: pd.DataFrame,
    *,
    descriptions: Mapping[str, str] | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Months from first infusion",
    y_label: str = "Cumulative incidence",
    time_unit: str = "months",
    horizon: float | None = None,
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw how many have come to each kind of first event, with bands, a panel a cause on one scale.

    Parameters
    ----------
    curves : DataFrame
        As `cumulative_incidence` gives them: stratum cause time incidence conf_low conf_high n_risk.
    descriptions : mapping, optional
        Stratum to what it means, such as "< 0.75 mmol/L"; stands under its name.
    y_label : str
        What is counted; the same for all panels.
    title, subtitle, x_label, time_unit, horizon, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        Panels in the order of the causes, side by side or, in one column's width, one under the other. Curves and bands
        are pale where fewer than 10 remain at risk.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> curves = pd.DataFrame({"stratum": "low", "cause": ["death", "death"], "time": [0, 6], "incidence": [0, 0.25],
    ...                        "conf_low": [0, 0.1], "conf_high": [0, 0.4], "n_risk": [20, 20]})
    >>> plot_incidence(curves).axes[0].get_title(loc="left")
    'death'
    """
    need_columns(curves, "curves", COLUMNS)
    panels = by_label(curves, "cause")
    stacked = width < 1.5 * ONE_COLUMN or len(panels) > MOST_BESIDE
    end = horizon if horizon is not None else float(curves["time"].max())
    top = min(1.0, math.ceil(float(curves.loc[curves["time"] <= end, "conf_high"].max()) / 0.25 + 1e-9) * 0.25)
    with figure_style():
        figure = new_figure(width, **({"rows": len(panels)} if stacked else {"columns": len(panels)}))
        figure.subplots_adjust(wspace=0.12, hspace=0.28)
        for ax, (cause, rows) in zip(figure.axes, panels.items(), strict=True):
            ax.set_title(cause, loc="left", size=TEXT, weight="bold")
            _set_axes(ax, breaks_for(end, time_unit) if end > 0 else (0.0,), end, top or 0.25)
            _draw(ax, rows, ordered_labels(curves["stratum"]), end)
        _name_axes(figure, stacked, x_label, y_label)
        height = 0.8 * HEIGHT * len(panels) if stacked else HEIGHT
        _label(figure, panels, ordered_labels(curves["stratum"]), descriptions or {}, height, stacked, end)
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure


def _set_axes(ax: Axes, ticks: tuple[float, ...], end: float, top: float) -> None:
    """Times from 0 to the end, shares from 0 to the highest that any panel needs."""
    steps = [0.25 * step for step in range(round(top / 0.25) + 1)]
    ax.set_xlim(0.0, end if end > 0 else 1.0)
    ax.set_ylim(0.0, top)
    ax.set_xticks(list(ticks), [f"{time:g}" for time in ticks])
    ax.set_yticks(steps, [f"{step:.0%}" if step else "0" for step in steps])
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis="y", color="#e6e8eb", linewidth=0.5)


def _draw(ax: Axes, rows: pd.DataFrame, strata: list[str], end: float) -> None:
    """The curves of one cause."""
    styles = stratum_styles(strata)
    for label, part in _as_curves(rows).items():
        draw_curve(ax, drawn_part(part, end), styles[label], label)


def _as_curves(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The curves of one cause by stratum, in the columns that curves are drawn from."""
    return by_label(rows.assign(survival=rows["incidence"], n_censor=0), "stratum")


def _name_axes(figure: Figure, stacked: bool, x_label: str, y_label: str) -> None:
    """The share is named at every row of panels, time once."""
    for ax in figure.axes if stacked else figure.axes[:1]:
        ax.set_ylabel(y_label)
    for ax in figure.axes[:-1] if stacked else figure.axes[1:]:
        ax.tick_params(labelbottom=not stacked, labelleft=stacked)
    for ax in figure.axes[-1:] if stacked else figure.axes:
        ax.set_xlabel(x_label)


def _label(
    figure: Figure,
    panels: Mapping[str, pd.DataFrame],
    strata: list[str],
    descriptions: Mapping[str, str],
    height: float,
    stacked: bool,
    end: float,
) -> None:
    """Names of the strata at the ends of the curves of the panel on the right (of every panel where stacked)."""
    styles = stratum_styles(strata)
    tall = POINTS * height / MM_PER_INCH / (1.28 * len(panels) if stacked else 1.0)
    places = range(len(panels)) if stacked else (len(panels) - 1,)
    ends = []
    for place in places:
        ax, rows = figure.axes[place], list(panels.values())[place]
        shown = {label: drawn_part(part, end) for label, part in _as_curves(rows).items()}
        ends.append(label_ends(ax, shown, styles, descriptions))
        ends[-1].settle(tall)
    fit(figure, height)
    for labels in ends:
        labels.join()
