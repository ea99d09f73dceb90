"""A hazard ratio along an assumption that the data cannot check: by how much imputed values are shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    ratio_limits,
    spread,
    stand_ratio_axis,
    text_size,
)
from analysis.present.figures.forest import LOOKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("shift", "hazard_ratio", "conf_low", "conf_high")
DASHES = {"truth": (0, (1, 1.5)), "crude": (0, (5, 2)), "adjusted": (0, (5, 2))}


def plot_shifts(
    estimates: pd.DataFrame,
    *,
    beside: pd.DataFrame | None = None,
    name: str = "imputed",
    x_label: str = "Added to each imputed value",
    y_label: str = "Hazard ratio",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a hazard ratio with its intervals along a shift, other estimates as level lines beside it.

    Parameters
    ----------
    estimates : DataFrame
        shift hazard_ratio conf_low conf_high.
    beside : DataFrame, optional
        label kind hazard_ratio: lines to compare with; kind is "crude", "adjusted" or "truth".
    name : str
        Of the estimates, where their line ends.
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
    >>> shifts = pd.DataFrame({"shift": [-0.1, 0, 0.1], "hazard_ratio": [1.3, 1.2, 1.1], "conf_low": 1.0,
    ...                        "conf_high": 1.5})
    >>> beside = pd.DataFrame({"label": ["complete case"], "kind": ["crude"], "hazard_ratio": [1.15]})
    >>> sorted(text.get_text() for text in plot_shifts(shifts, beside=beside).axes[0].texts)
    ['complete case', 'imputed']
    """
    need_columns(estimates, "estimates", COLUMNS)
    if beside is not None:
        need_columns(beside, "beside", ("label", "kind", "hazard_ratio"))
    rows = estimates.sort_values("shift", kind="stable")
    lines = [] if beside is None else beside.dropna(subset=["hazard_ratio"]).to_dict("records")
    height = 58.0 if width > 1.5 * ONE_COLUMN else 46.0
    with figure_style():
        target, own = drawing_axes(ax, width)
        tall = POINTS * height / MM_PER_INCH
        room = tall if own else target.get_window_extent().height * POINTS / figure_of(target).dpi
        levels = [float(line["hazard_ratio"]) for line in lines]
        limits = ratio_limits(rows[["hazard_ratio", "conf_low", "conf_high"]].to_numpy(), levels)
        stand_ratio_axis(target, *limits, room=room)
        _draw(target, rows)
        names = [(name, float(rows["hazard_ratio"].iloc[-1]), "#005f95")]
        for line, level in zip(lines, levels, strict=True):
            color = LOOKS.get(str(line["kind"]), LOOKS["crude"])[1]
            dashes = DASHES.get(str(line["kind"]), DASHES["crude"])
            target.axhline(level, color=color, linewidth=1.1, linestyle=dashes, label=f"_{line['label']}")
            names.append((str(line["label"]), level, color))
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        _name_ends(target, names, room, limits)
        if own:
            finish(figure_of(target), height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


def _draw(ax: Axes, rows: pd.DataFrame) -> None:
    """The estimates: a line with a band, a mark at each shift, and no shift pointed out."""
    ax.fill_between(rows["shift"], rows["conf_low"], rows["conf_high"], color=BLUE, alpha=0.16, linewidth=0)
    ax.plot(rows["shift"], rows["hazard_ratio"], color=BLUE, marker="s", markersize=4, label="_imputed")
    ax.axvline(0, color=SOFT_INK, linewidth=0.6, label="_no shift")
    ax.set_xticks(rows["shift"], [f"{shift:+g}".replace("-", "−") if shift else "0" for shift in rows["shift"]])
    ax.margins(x=0.02)


def _name_ends(ax: Axes, names: list[tuple[str, float, str]], room: float, limits: tuple[float, float]) -> None:
    """Every line named where it ends, the names apart."""
    import numpy as np

    tall = text_size(figure_of(ax), "Ag", size=SMALL)[1] + 1
    low, high = np.log(limits)
    centres = [room * (np.log(level) - low) / (high - low) for _, level, _ in names]
    for (name, _, color), centre in zip(names, spread(centres, [tall] * len(names), low=0, high=room), strict=True):
        ax.annotate(
            name, (1, centre / room), (5, 0), xycoords="axes fraction", textcoords="offset points",
            annotation_clip=False, va="center", size=SMALL, color=color if color != SOFT_INK else INK,
        )  # fmt: skip
