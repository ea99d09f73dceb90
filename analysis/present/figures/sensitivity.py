"""How firm an estimate is: led back to no measurement error, and without each patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.figures.forest import LOOKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINT_COLUMNS = ("error_variance", "label", "kind", "hazard_ratio", "conf_low", "conf_high")
# kind: marker, colour, filled
POINT_LOOKS = {
    "simulated": ("o", canvas.BLUE, False),
    "extrapolated": ("s", canvas.BLUE, True),
    "measured": ("o", canvas.SOFT_INK, True),
}
INKS = {"truth": canvas.VERMILLION, "extrapolated": canvas.BLUE_INK}
ASIDE = 0.035
"""How far truths stand to the right of the estimate they belong to, so that its interval is seen."""
INFLUENCE_COLUMNS = ("name", "event", "value", "standardised")
EVENT_LOOKS = {1: ("event", "●", canvas.VERMILLION), 0: ("censored", "○", canvas.BLUE)}


def plot_extrapolation(
    points: pd.DataFrame,
    path: pd.DataFrame,
    *,
    x_label: str = "Variance of the error, in multiples of that of one measurement",
    y_label: str = "Hazard ratio",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a hazard ratio as measured, with error added, and led back to none.

    Parameters
    ----------
    points : DataFrame
        error_variance (0 without error, 1 as measured), label ("" for none), kind ("measured", "simulated",
        "extrapolated" or "truth"), hazard_ratio, conf_low, conf_high (NaN for no interval).
    path : DataFrame
        error_variance hazard_ratio: the curve that leads back; dashed below 1, where nothing was observed.
    x_label, y_label, title, subtitle, width, synthetic, ax
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
    >>> rows = [(0, "corrected", "extrapolated", 1.4, 1.1, 1.8), (1, "as measured", "measured", 1.3, 1.1, 1.6),
    ...         (2, "", "simulated", 1.22, None, None)]
    >>> points = pd.DataFrame(rows, columns=list(POINT_COLUMNS))
    >>> path = pd.DataFrame({"error_variance": [0, 1, 2], "hazard_ratio": [1.4, 1.3, 1.22]})
    >>> figure = plot_extrapolation(points, path)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['corrected', 'as measured']
    """
    canvas.need_columns(points, "points", POINT_COLUMNS)
    canvas.need_columns(path, "path", ("error_variance", "hazard_ratio"))
    height = 62.0 if canvas.is_wide(width) else 48.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        limits = canvas.ratio_limits(points[["hazard_ratio", "conf_low", "conf_high"]])
        canvas.set_ratio_axis(target, *limits, room=sheet.room(height))
        ordered = path.sort_values("error_variance", kind="stable")
        for part, line in ((ordered["error_variance"] >= 1, "-"), (ordered["error_variance"] <= 1, (0, (4, 2)))):
            target.plot(
                ordered["error_variance"][part], ordered["hazard_ratio"][part], color=canvas.BLUE, linewidth=1.2,
                linestyle=line, zorder=2,
            )  # fmt: skip
        aside = points["error_variance"].astype(float) + np.where(points["kind"] == "truth", ASIDE, 0.0)
        rows = points.assign(x=aside).to_dict("records")
        for row in rows:
            _draw_point(target, row)
        target.set_xlim(-0.12, float(points["error_variance"].max()) + 0.12)
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        sheet.finish(height)
        _name_points(target, rows, path)
    return sheet.figure


def _draw_point(ax: Axes, row: Mapping[Any, Any]) -> None:
    """One estimate or target, with its interval where it has one."""
    marker, color, filled = POINT_LOOKS.get(str(row["kind"]), LOOKS["truth"])
    ax.plot([row["x"]] * 2, [row["conf_low"], row["conf_high"]], color=color, linewidth=1.2, label="_interval")
    ax.plot(
        [row["x"]], [row["hazard_ratio"]], marker=marker, markersize=4.6, color=color, linestyle="none", zorder=3,
        markerfacecolor=color if filled else "white", markeredgewidth=1.1, label=str(row["label"]) or "_simulated",
    )  # fmt: skip


def _name_points(ax: Axes, rows: list[dict[Any, Any]], path: pd.DataFrame) -> None:
    """The names of points beside them, away from the curve and the intervals."""
    space = canvas.Space(ax)
    space.take_line(path["error_variance"], path["hazard_ratio"])
    for row in rows:
        space.take_line([row["x"]] * 2, [row["conf_low"], row["conf_high"]])
        space.take_line([row["x"]] * 2, [row["hazard_ratio"]] * 2)
    for row in rows:
        if row["label"]:
            color = INKS.get(str(row["kind"]), canvas.SOFT_INK)
            canvas.name_line(ax, str(row["label"]), [row["x"]], [row["hazard_ratio"]], space, color=color)


def plot_influence(
    influence: pd.DataFrame,
    *,
    n_named: int = 5,
    bound: float | None = None,
    x_label: str = "Value",
    y_label: str = "Moves the log hazard ratio by (standard errors)",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw each patient's influence on one coefficient against the covariate's value.

    Parameters
    ----------
    influence : DataFrame
        name event value standardised, as `patient_influence` gives it.
    n_named : int
        So many patients of the largest influence are named.
    bound : float, optional
        Thin lines at so many standard errors on both sides.
    x_label, y_label, title, subtitle, width, synthetic, ax
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
    >>> rows = pd.DataFrame({"name": ["A", "B"], "event": [1, 0], "value": [0.7, 0.9], "standardised": [0.3, -0.1]})
    >>> figure = plot_influence(rows, n_named=1)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['● event', '○ censored', 'A']
    """
    canvas.need_columns(influence, "influence", INFLUENCE_COLUMNS)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        for number, (event, (label, mark, color)) in enumerate(EVENT_LOOKS.items()):
            rows = influence[influence["event"] == event]
            target.plot(
                rows["value"], rows["standardised"], linestyle="none", marker="o", markersize=3.4, color=color,
                markerfacecolor=color if event else "none", markeredgewidth=0.8, alpha=0.75, label=label,
            )  # fmt: skip
            canvas.write(target, f"{mark} {label}", (0, 1), (46 * number, 4), weight="bold", color=color)
        target.axhline(0, color=canvas.SOFT_INK, linewidth=0.7, label="_none")
        for side in () if bound is None else (-bound, bound):
            target.axhline(side, color=canvas.SOFT_INK, linewidth=0.6, linestyle=(0, (1, 2)), label="_bound")
        target.margins(x=0.04, y=0.1)
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        sheet.finish(62.0 if canvas.is_wide(width) else 48.0)
        space = canvas.Space(target)
        space.take_marks(influence["value"], influence["standardised"])
        farthest = np.argsort(-influence["standardised"].abs().to_numpy(), kind="stable")[:n_named]
        for row in influence.iloc[farthest].to_dict("records"):
            canvas.name_line(target, str(row["name"]), [row["value"]], [row["standardised"]], space)
    return sheet.figure
