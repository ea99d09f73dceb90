"""A difference as the horizon moves: its curve, pointwise limits, and the band that holds over all of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    BLUE,
    SOFT_INK,
    TWO_COLUMNS,
    VERMILLION,
    breaks_for,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("horizon", "difference", "conf_low", "conf_high", "band_low", "band_high")
HEIGHT = 62.0
KEY = "Line: estimate; dashed: 95% at each horizon; shaded: 95% over all horizons"


def plot_difference_curve(
    curve: pd.DataFrame,
    *,
    truth: Mapping[float, float] | None = None,
    sides: tuple[str, str] = ("b", "a"),
    time_unit: str = "months",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw the difference in restricted mean survival time of one pair of strata over the horizons.

    Parameters
    ----------
    curve : DataFrame
        horizon difference conf_low conf_high band_low band_high: the rows of one pair of `restricted_mean_curve`.
    truth : mapping, optional
        Horizon to true difference, drawn as open marks.
    sides : tuple of str
        The strata whose means are subtracted: the first less the second.
    time_unit, title, subtitle, width, synthetic, ax
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
    >>> curve = pd.DataFrame({"horizon": [6.0, 12.0], "difference": [0.4, 1.1], "conf_low": [0.1, 0.2],
    ...                       "conf_high": [0.7, 2.0], "band_low": [0.0, 0.0], "band_high": [0.8, 2.2]})
    >>> plot_difference_curve(curve, sides=("normal", "low")).axes[0].get_ylabel()
    'Months lived: normal less low'
    """
    need_columns(curve, "curve", COLUMNS)
    with figure_style():
        target, own = drawing_axes(ax, width)
        horizon = curve["horizon"]
        target.fill_between(horizon, curve["band_low"], curve["band_high"], color=BLUE, alpha=0.12, linewidth=0)
        for limit in ("conf_low", "conf_high"):
            target.plot(horizon, curve[limit], color=BLUE, linewidth=0.8, linestyle=(0, (4, 2)), label=f"_{limit}")
        target.plot(horizon, curve["difference"], color=BLUE, label="difference")
        target.axhline(0, color=SOFT_INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1, label="_no difference")
        if truth:
            target.plot(
                list(truth), list(truth.values()), linestyle="none", marker="D", markersize=4.6, color=VERMILLION,
                markerfacecolor="white", markeredgewidth=1.1, zorder=4, label="target",
            )  # fmt: skip
        _set_axes(target, float(horizon.max()), sides, time_unit)
        key = KEY + ("; open marks: target" if truth else "")
        words = f"{subtitle}\n{key}" if subtitle else key
        if own:
            finish(figure_of(target), HEIGHT, title=title, subtitle=words, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=words, synthetic=synthetic)
    return figure_of(target)


def _set_axes(ax: Axes, last: float, sides: tuple[str, str], time_unit: str) -> None:
    """Horizons below, the difference in words at the left."""
    ticks = breaks_for(last, time_unit)
    ax.set_xlim(0, max(last * 1.01, ticks[-1]))
    ax.set_xticks(list(ticks), [f"{time:g}" for time in ticks])
    unit = f"{time_unit[:1].upper()}{time_unit[1:]}"
    ax.set_xlabel(f"Horizon ({time_unit})")
    ax.set_ylabel(f"{unit} lived: {sides[0]} less {sides[1]}")
