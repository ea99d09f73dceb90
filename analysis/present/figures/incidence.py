"""Cumulative incidence of events that compete: a panel a cause, a curve a stratum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present import canvas
from analysis.present.figures.survival_labels import join_ends, label_ends
from analysis.present.figures.survival_lines import draw_curve, drawn_part

if TYPE_CHECKING:
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
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(curves, "curves", COLUMNS)
    panels = canvas.by_label(curves.assign(survival=curves["incidence"], n_censor=0), "cause")
    styles = canvas.stratum_styles(canvas.ordered_labels(curves["stratum"]))
    n, stacked = len(panels), not canvas.is_wide(width) or len(panels) > MOST_BESIDE
    end = horizon if horizon is not None else float(curves["time"].max())
    ticks = canvas.breaks_for(end, time_unit) if end > 0 else (0.0,)
    top = min(1.0, math.ceil(float(curves.loc[curves["time"] <= end, "conf_high"].max()) / 0.25 + 1e-9) * 0.25)
    height, grid = (0.8 * HEIGHT * n, (n, 1)) if stacked else (HEIGHT, (1, n))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=grid) as sheet:
        sheet.figure.subplots_adjust(wspace=0.12, hspace=0.28)
        axes, shown = sheet.figure.axes, []
        for ax, (cause, rows) in zip(axes, panels.items(), strict=True):
            ax.set_title(cause, loc="left", size=canvas.TEXT, weight="bold")
            canvas.set_share_of_time_axes(ax, ticks, end, top=top or 0.25)
            shown.append({label: drawn_part(part, end) for label, part in canvas.by_label(rows, "stratum").items()})
            for label, part in shown[-1].items():
                draw_curve(ax, part, styles[label], label)
            ax.set(xlabel=x_label, ylabel=y_label)
            ax.label_outer()
        # strata are named in every row of panels, at the right
        first = 0 if stacked else n - 1
        tall = sheet.room(height) / (1.28 * n if stacked else 1.0)
        ends = [
            label_ends(ax, curves, styles, descriptions, tall)
            for ax, curves in zip(axes[first:], shown[first:], strict=True)
        ]
        sheet.fit(height)
        for ax, labels in zip(axes[first:], ends, strict=True):
            join_ends(ax, labels)
        sheet.finish(height)
    return sheet.figure
