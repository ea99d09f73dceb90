"""How far each patient moves an estimate, the farthest named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.present.canvas import (
    BLUE,
    INK,
    ONE_COLUMN,
    SMALL,
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
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("name", "event", "value", "standardised")
LOOKS = {1: ("event", "o", VERMILLION, True), 0: ("censored", "o", BLUE, False)}


def plot_influence(
    influence: pd.DataFrame,
    *,
    n_named: int = 5,
    bound: float | None = None,
    x_label: str = "Value",
    y_label: str = "Moves the log hazard ratio by (standard errors)",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
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
    need_columns(influence, "influence", COLUMNS)
    height = 62.0 if width > 1.5 * ONE_COLUMN else 48.0
    with figure_style():
        target, own = drawing_axes(ax, width)
        for event, (label, marker, color, filled) in LOOKS.items():
            rows = influence[influence["event"] == event]
            target.plot(
                rows["value"], rows["standardised"], linestyle="none", marker=marker, markersize=3.4, color=color,
                markerfacecolor=color if filled else "none", markeredgewidth=0.8, alpha=0.75, label=label,
            )  # fmt: skip
        target.axhline(0, color=SOFT_INK, linewidth=0.7, label="_none")
        for side in () if bound is None else (-bound, bound):
            target.axhline(side, color=SOFT_INK, linewidth=0.6, linestyle=(0, (1, 2)), label="_bound")
        target.margins(x=0.04, y=0.1)
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        _write_key(target)
        if own:
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
        _name(target, influence, n_named)
    return figure_of(target)


def _write_key(ax: Axes) -> None:
    """What the marks mean, over the axes."""
    for place, (event, words) in enumerate(((1, "● event"), (0, "○ censored"))):
        ax.annotate(
            words, (0, 1), (46 * place, 4), xycoords="axes fraction", textcoords="offset points", size=SMALL,
            weight="bold", color=LOOKS[event][2], annotation_clip=False,
        )  # fmt: skip


def _name(ax: Axes, influence: pd.DataFrame, n_named: int) -> None:
    """The names of the farthest patients beside their marks."""
    order = np.argsort(-influence["standardised"].abs().to_numpy(), kind="stable")[:n_named]
    space = Space(ax)
    for x, y in space.points(influence["value"], influence["standardised"]):
        space.take_box((x - 2, y - 2, x + 2, y + 2))
    for row in influence.iloc[order].to_dict("records"):
        name_line(ax, str(row["name"]), [row["value"]], [row["standardised"]], space, color=INK)
