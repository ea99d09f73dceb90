"""A hazard ratio over time: scaled residuals, their smooth, and the constant that the model fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    BLUE,
    INK,
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    SMALL,
    SOFT_INK,
    TWO_COLUMNS,
    breaks_for,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    wrapped,
)
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_hazard_ratio_over_time(
    smooth: pd.DataFrame,
    residuals: pd.DataFrame,
    *,
    constant: float,
    term: str = "",
    time_unit: str = "months",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw how a coefficient of a Cox model moves over time.

    Parameters
    ----------
    smooth : DataFrame
        time coefficient conf_low conf_high, as `coefficient_over_time` gives it.
    residuals : DataFrame
        time value: scaled Schoenfeld residuals (with the coefficient added).
    constant : float
        The coefficient that the model fitted.
    term : str
        What the coefficient belongs to, for the axis.
    time_unit, title, subtitle, width, synthetic, ax
        As for `plot_survival`.

    Returns
    -------
    Figure
        Residuals beyond the axis (which holds the band and the middle 96 % of them) are counted in words.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> smooth = pd.DataFrame({"time": [1, 9], "coefficient": 0.2, "conf_low": -0.1, "conf_high": 0.5})
    >>> residuals = pd.DataFrame({"time": [1, 5, 9], "value": [0.1, 0.4, -0.2]})
    >>> figure = plot_hazard_ratio_over_time(smooth, residuals, constant=0.2, term="age")
    >>> figure.axes[0].get_ylabel()
    'Log hazard ratio of age'
    """
    need_columns(smooth, "smooth", ("time", "coefficient", "conf_low", "conf_high"))
    need_columns(residuals, "residuals", ("time", "value"))
    with figure_style():
        target, own = drawing_axes(ax, width)
        low, high = _limits(smooth, residuals, constant)
        target.plot(
            residuals["time"], residuals["value"], linestyle="none", marker="o", markersize=2.2, color=SOFT_INK,
            alpha=0.45, markeredgewidth=0, label="residuals",
        )  # fmt: skip
        target.fill_between(
            smooth["time"], smooth["conf_low"], smooth["conf_high"], color=BLUE, alpha=0.18, linewidth=0
        )
        target.plot(smooth["time"], smooth["coefficient"], color=BLUE, label="smooth")
        target.axhline(0, color=SOFT_INK, linewidth=0.6)
        target.axhline(constant, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), label="constant")
        height = 62.0 if width > 1.5 * ONE_COLUMN else 48.0
        room = (
            POINTS * height / MM_PER_INCH if own else target.get_window_extent().height * POINTS / figure_of(target).dpi
        )
        _set_axes(target, residuals, low, high, (term, time_unit), room)
        _write(target, smooth, residuals, constant, (low, high))
        if own:
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


def _limits(smooth: pd.DataFrame, residuals: pd.DataFrame, constant: float) -> tuple[float, float]:
    """The ends of the axis: the whole band, and the residuals but for the outermost 2 % on each side."""
    inner = np.nanquantile(residuals["value"].to_numpy(dtype=np.float64), [0.02, 0.98])
    values = [*inner, smooth["conf_low"].min(), smooth["conf_high"].max(), 0.0, constant]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _set_axes(ax: Axes, residuals: pd.DataFrame, low: float, high: float, words: tuple[str, str], room: float) -> None:
    """Time below, the coefficient at the left."""
    term, time_unit = words
    last = float(residuals["time"].max())
    ticks = breaks_for(last, time_unit)
    ax.set_xlim(0, max(last * 1.01, ticks[-1]))
    ax.set_xticks(list(ticks), [f"{time:g}" for time in ticks])
    ax.set_ylim(low, high)
    ax.set_xlabel(f"{time_unit[:1].upper()}{time_unit[1:]}")
    name = f"Log hazard ratio of {term}" if term else "Log hazard ratio"
    ax.set_ylabel(wrapped(figure_of(ax), name, 0.9 * room))


def _write(
    ax: Axes, smooth: pd.DataFrame, residuals: pd.DataFrame, constant: float, limits: tuple[float, float]
) -> None:
    """The fitted constant and the smooth are named at their ends; residuals off the axis are counted."""
    last = smooth.iloc[-1]
    words = f"constant: {format_number(constant)}\n(HR {format_number(float(np.exp(constant)))})"
    above = constant >= last["coefficient"]
    for text, y, color, over in (
        (words, constant, INK, above),
        ("smooth, 95%", float(last["coefficient"]), "#005f95", not above),
    ):
        ax.annotate(
            text, (1, y), (5, 2 if over else -2), xycoords=("axes fraction", "data"), textcoords="offset points",
            annotation_clip=False, va="bottom" if over else "top", size=SMALL, color=color,
        )  # fmt: skip
    outside = int(((residuals["value"] < limits[0]) | (residuals["value"] > limits[1])).sum())
    if outside:
        ax.annotate(
            f"{outside} of {len(residuals)} residuals lie beyond the axis", (1, 1), (0, 2), xycoords="axes fraction",
            textcoords="offset points", ha="right", va="bottom", size=SMALL, color=SOFT_INK,
        )  # fmt: skip
