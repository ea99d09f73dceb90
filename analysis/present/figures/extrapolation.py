"""Simulation-extrapolation: a hazard ratio against the error in the marker, and back to none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    BLUE,
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    SOFT_INK,
    TWO_COLUMNS,
    VERMILLION,
    Space,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    name_line,
    need_columns,
    ratio_limits,
    stand_ratio_axis,
)
from analysis.present.figures.forest import LOOKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("error_variance", "label", "kind", "hazard_ratio", "conf_low", "conf_high")
KINDS = {"simulated": ("o", BLUE, False), "extrapolated": ("s", BLUE, True), "measured": ("o", SOFT_INK, True)}
ASIDE = 0.035
"""How far truths stand to the right of the estimate they belong to, so that its interval is seen."""


def plot_extrapolation(
    points: pd.DataFrame,
    path: pd.DataFrame,
    *,
    x_label: str = "Variance of the error, in multiples of that of one measurement",
    y_label: str = "Hazard ratio",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
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
    >>> points = pd.DataFrame(rows, columns=list(COLUMNS))
    >>> path = pd.DataFrame({"error_variance": [0, 1, 2], "hazard_ratio": [1.4, 1.3, 1.22]})
    >>> figure = plot_extrapolation(points, path)
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['corrected', 'as measured']
    """
    need_columns(points, "points", COLUMNS)
    need_columns(path, "path", ("error_variance", "hazard_ratio"))
    height = 62.0 if width > 1.5 * ONE_COLUMN else 48.0
    with figure_style():
        target, own = drawing_axes(ax, width)
        tall = POINTS * height / MM_PER_INCH
        room = tall if own else target.get_window_extent().height * POINTS / figure_of(target).dpi
        limits = ratio_limits(points[["hazard_ratio", "conf_low", "conf_high"]].to_numpy())
        stand_ratio_axis(target, *limits, room=room)
        _draw_path(target, path)
        for row in points.to_dict("records"):
            _draw_point(target, {str(name): value for name, value in row.items()})
        target.set_xlim(-0.12, float(points["error_variance"].max()) + 0.12)
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        if own:
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
        _name(target, points, path)
    return figure_of(target)


def _draw_path(ax: Axes, path: pd.DataFrame) -> None:
    """The curve: solid where error was added, dashed where it is extrapolated."""
    ordered = path.sort_values("error_variance", kind="stable")
    for part, line in ((ordered["error_variance"] >= 1, "-"), (ordered["error_variance"] <= 1, (0, (4, 2)))):
        rows = ordered[part]
        ax.plot(rows["error_variance"], rows["hazard_ratio"], color=BLUE, linewidth=1.2, linestyle=line, zorder=2)


def _aside(row: dict[str, object]) -> float:
    """Where a point stands: truths a little to the right."""
    return float(row["error_variance"]) + (ASIDE if row["kind"] == "truth" else 0.0)  # type: ignore[arg-type]


def _draw_point(ax: Axes, row: dict[str, object]) -> None:
    """One estimate or target, with its interval where it has one."""
    marker, color, filled = KINDS.get(str(row["kind"]), LOOKS["truth"])
    x = _aside(row)
    ax.plot([x, x], [row["conf_low"], row["conf_high"]], color=color, linewidth=1.2, label="_interval")  # type: ignore[arg-type]
    ax.plot(
        [x], [row["hazard_ratio"]], marker=marker, markersize=4.6, color=color, linestyle="none", zorder=3,  # type: ignore[arg-type]
        markerfacecolor=color if filled else "white", markeredgewidth=1.1, label=str(row["label"]) or "_simulated",
    )  # fmt: skip


def _name(ax: Axes, points: pd.DataFrame, path: pd.DataFrame) -> None:
    """The names of points beside them, away from the curve and the intervals."""
    space = Space(ax)
    space.take_line(path["error_variance"], path["hazard_ratio"])
    rows = [{str(name): value for name, value in row.items()} for row in points.to_dict("records")]
    for row in rows:
        x = _aside(row)
        space.take_line([x, x], [row["conf_low"], row["conf_high"]])
        space.take_line([x, x], [row["hazard_ratio"]] * 2)
    for row in rows:
        if row["label"]:
            color = {"truth": VERMILLION, "extrapolated": "#005f95"}.get(str(row["kind"]), SOFT_INK)
            name_line(ax, str(row["label"]), [_aside(row)], [row["hazard_ratio"]], space, color=color)
