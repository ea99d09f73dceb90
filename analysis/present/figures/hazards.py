"""Effects over time: a hazard ratio with its residuals, and a difference in means as the horizon moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.text import format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIFFERENCE_COLUMNS = ("horizon", "difference", "conf_low", "conf_high", "band_low", "band_high")
DIFFERENCE_KEY = "Line: estimate; dashed: 95% at each horizon; shaded: 95% over all horizons"


def plot_hazard_ratio_over_time(
    smooth: pd.DataFrame,
    residuals: pd.DataFrame,
    *,
    constant: float,
    term: str = "",
    time_unit: str = "months",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(smooth, "smooth", ("time", "coefficient", "conf_low", "conf_high"))
    canvas.need_columns(residuals, "residuals", ("time", "value"))
    height = 62.0 if canvas.is_wide(width) else 48.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        target.plot(
            residuals["time"], residuals["value"], linestyle="none", marker="o", markersize=2.2,
            color=canvas.SOFT_INK, alpha=0.45, markeredgewidth=0, label="residuals",
        )  # fmt: skip
        target.fill_between(
            smooth["time"], smooth["conf_low"], smooth["conf_high"], color=canvas.BLUE, alpha=0.18, linewidth=0
        )
        target.plot(smooth["time"], smooth["coefficient"], color=canvas.BLUE, label="smooth")
        target.axhline(0, color=canvas.SOFT_INK, linewidth=0.6)
        target.axhline(constant, color=canvas.INK, linewidth=1.0, linestyle=(0, (4, 2)), label="constant")
        canvas.set_time_axis(target, float(residuals["time"].max()), time_unit)
        target.set_ylim(*_limits(smooth, residuals, constant))
        target.set_xlabel(f"{time_unit[:1].upper()}{time_unit[1:]}")
        name = f"Log hazard ratio of {term}" if term else "Log hazard ratio"
        target.set_ylabel(canvas.wrapped(sheet.figure, name, 0.9 * sheet.room(height)))
        _name_levels(target, constant, float(smooth["coefficient"].iloc[-1]))
        _count_outside(target, residuals["value"])
        sheet.finish(height)
    return sheet.figure


def _limits(smooth: pd.DataFrame, residuals: pd.DataFrame, constant: float) -> tuple[float, float]:
    """The ends of the axis: the whole band, and the residuals but for the outermost 2 % on each side."""
    inner = np.nanquantile(residuals["value"].to_numpy(dtype=np.float64), [0.02, 0.98])
    values = [*inner, smooth["conf_low"].min(), smooth["conf_high"].max(), 0.0, constant]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _name_levels(ax: Axes, constant: float, smooth: float) -> None:
    """The fitted constant and the smooth are named at their ends, the higher one upwards."""
    fitted = f"constant: {format_number(constant)}\n(HR {format_number(float(np.exp(constant)))})"
    above = constant >= smooth
    for text, y, color, up in (
        (fitted, constant, canvas.INK, above),
        ("smooth, 95%", smooth, canvas.BLUE_INK, not above),
    ):
        canvas.write(
            ax, text, (1, y), (5, 2 if up else -2), coords=("axes fraction", "data"), va="bottom" if up else "top",
            color=color,
        )  # fmt: skip


def _count_outside(ax: Axes, values: pd.Series) -> None:
    """How many residuals lie beyond the axis, in words over it."""
    low, high = ax.get_ylim()
    outside = int(((values < low) | (values > high)).sum())
    if outside:
        words = f"{outside} of {len(values)} residuals lie beyond the axis"
        canvas.write(ax, words, (1, 1), (0, 2), ha="right", va="bottom", color=canvas.SOFT_INK)


def plot_difference_curve(
    curve: pd.DataFrame,
    *,
    truth: Mapping[float, float] | None = None,
    sides: tuple[str, str] = ("b", "a"),
    time_unit: str = "months",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(curve, "curve", DIFFERENCE_COLUMNS)
    key = DIFFERENCE_KEY + ("; open marks: target" if truth else "")
    words = f"{subtitle}\n{key}" if subtitle else key
    with canvas.sheet(width, title=title, subtitle=words, synthetic=synthetic, ax=ax) as sheet:
        target, horizon = sheet.ax, curve["horizon"]
        target.fill_between(horizon, curve["band_low"], curve["band_high"], color=canvas.BLUE, alpha=0.12, linewidth=0)
        for limit in ("conf_low", "conf_high"):
            target.plot(
                horizon, curve[limit], color=canvas.BLUE, linewidth=0.8, linestyle=(0, (4, 2)), label=f"_{limit}"
            )
        target.plot(horizon, curve["difference"], color=canvas.BLUE, label="difference")
        target.axhline(0, color=canvas.SOFT_INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1, label="_no difference")
        if truth:
            target.plot(
                list(truth), list(truth.values()), linestyle="none", marker="D", markersize=4.6,
                color=canvas.VERMILLION, markerfacecolor="white", markeredgewidth=1.1, zorder=4, label="target",
            )  # fmt: skip
        canvas.set_time_axis(target, float(horizon.max()), time_unit)
        target.set_xlabel(f"Horizon ({time_unit})")
        target.set_ylabel(f"{time_unit[:1].upper()}{time_unit[1:]} lived: {sides[0]} less {sides[1]}")
        sheet.finish(62.0)
    return sheet.figure
