"""Adjusted survival curves over the crude ones, with the numbers of the cohort as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import SMALL, SOFT_INK, TWO_COLUMNS, by_label, figure_style, need_columns, stratum_styles
from analysis.present.figures.survival import drawn_part, plot_survival

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_adjusted(
    curves: pd.DataFrame,
    crude: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Months from first infusion",
    y_label: str = "Survival",
    time_unit: str = "months",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw adjusted curves with their bands, and the crude curves as thin lines behind them.

    Parameters
    ----------
    curves : DataFrame
        As `AdjustedCurves.curves`.
    crude : DataFrame
        As `kaplan_meier` gives them: stratum time survival, drawn thin, without bands.
    risk : DataFrame, optional
        As `risk_table` gives it: the numbers of the cohort, not weighted.
    truth : DataFrame, optional
        stratum time survival: what the adjusted curves estimate, drawn dotted.
    descriptions, title, subtitle, x_label, y_label, time_unit, width, synthetic, ax
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
    >>> curves = pd.DataFrame({"stratum": "low", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> figure = plot_adjusted(curves, curves.assign(survival=[1, 0.6]))
    >>> [text.get_text() for text in figure.axes[0].texts if "thin" in text.get_text()]
    ['thin lines: crude']
    """
    need_columns(crude, "crude", ("stratum", "time", "survival", "n_risk"))
    figure = plot_survival(
        curves.assign(n_censor=0),
        risk=risk,
        truth=truth,
        descriptions=descriptions,
        title=title,
        subtitle=subtitle,
        x_label=x_label,
        y_label=y_label,
        time_unit=time_unit,
        width=width,
        synthetic=synthetic,
        ax=ax,
    )
    target = ax if ax is not None else figure.axes[0]
    groups = by_label(curves, "stratum")
    styles = stratum_styles(list(groups))
    with figure_style():
        for label, rows in by_label(crude, "stratum").items():
            if label in styles:
                shown = drawn_part(rows, target.get_xlim()[1])
                target.step(
                    shown["time"], shown["survival"], where="post", label=f"_{label}, crude", zorder=2.5,
                    color=styles[label].color, linewidth=0.7, alpha=0.75,
                )  # fmt: skip
        target.annotate(
            "thin lines: crude", (1, 1), (-2, -2), xycoords="axes fraction", textcoords="offset points", ha="right",
            va="top", size=SMALL, color=SOFT_INK,
        )  # fmt: skip
    return figure
