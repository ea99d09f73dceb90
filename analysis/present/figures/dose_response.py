"""The hazard along a marker with every cut that was drawn through it: what dichotomising throws away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.errors import InputError
from analysis.present.canvas import (
    BAR,
    BLUE,
    DIMMED,
    INK,
    LANE,
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    TWO_COLUMNS,
    beside,
    draw_cuts,
    draw_found,
    draw_histogram,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    fit,
    found_words,
    head_over_edges,
    keep_apart,
    marker_words,
    name_found,
    name_line,
    need_columns,
    new_figure,
    ratio_limits,
    stand_ratio_axis,
    with_use,
    wrapped,
    write_count,
    write_edges,
    write_sources,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_COLUMNS = ("marker", "hazard_ratio", "conf_low", "conf_high")
CUT_COLUMNS = ("edge", "label", "source", "searched")
FEW_BEYOND = 10
STRIP = 0.28  # of the height of the curve's panel
GAP = 4.0  # mm between the panels

Searched = tuple[float, float, float]


def plot_dose_response(
    curve: pd.DataFrame,
    *,
    values: ArrayLike | None = None,
    cutpoints: pd.DataFrame | None = None,
    searched: Searched | None = None,
    reference: float | None = None,
    truth: pd.DataFrame | None = None,
    label: str = "",
    unit: str = "",
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw the hazard ratio along a marker, with the marker's distribution and the cuts drawn through it.

    Parameters
    ----------
    curve : DataFrame
        marker hazard_ratio conf_low conf_high, as `DoseResponse.curve`.
    values : array-like, optional
        The marker's values, for a histogram under the curve; missing ones are left out. With them, curve and band are
        pale where fewer than 10 patients lie beyond.
    cutpoints : DataFrame, optional
        edge label source searched, as `cutpoint_table` gives it, in the marker's unit; with a column `used`, edges in
        use are solid and the others dashed. Edges found by a search are dotted.
    searched : (float, float, float), optional
        The cut that a search found and the ends of its interval (NaN where unknown), for example
        ``(found.cut, found.cut_low, found.cut_high)``.
    reference : float, optional
        Where the hazard ratio is 1, to be marked.
    truth : DataFrame, optional
        marker hazard_ratio: drawn dotted, named "planted truth".
    label, unit : str
        Of the marker, for the axes.
    title, subtitle, width, synthetic, ax
        As for `plot_survival`. On axes given, the histogram hangs below them: leave room.

    Returns
    -------
    Figure
        The curve on ``figure.axes[0]``, the histogram on ``figure.axes[1]`` where there is one.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; values none of which is known; an interval that does
        not hold its cut.

    Examples
    --------
    >>> curve = pd.DataFrame({"marker": [0.7, 0.8, 0.9], "hazard_ratio": [1.3, 1, 0.8], "conf_low": [1.1, 1, 0.6],
    ...                       "conf_high": [1.5, 1, 1.1]})
    >>> figure = plot_dose_response(curve, reference=0.8, label="Serum magnesium", unit="mmol/L")
    >>> figure.axes[0].get_ylabel()
    'Hazard ratio against 0.8 mmol/L'
    """
    parts = _read(curve, values, cutpoints, searched, truth)
    height = 66.0 if width > 1.5 * ONE_COLUMN else 50.0
    with figure_style():
        main, strip = _panels(ax, width, height, strip=parts.values is not None)
        room = POINTS * height / MM_PER_INCH if ax is None else _tall(main)
        lane = _set_axes(main, parts, room=room)
        _draw(main, parts, reference, lane)
        _label(main, strip, parts, (label or "Marker", unit), reference, room=room)
        figure = figure_of(main)
        if ax is None:
            height *= 1 + STRIP if strip else 1
            height += GAP if strip else 0
            fit(figure, height)
        if parts.cuts is not None:
            write_edges(main, parts.cuts)
        if ax is None:
            finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_over_edges(main, title, subtitle, synthetic=synthetic, edges=parts.cuts is not None)
        _write_inside(main, strip, parts, reference, lane)
    return figure


@dataclass(frozen=True, eq=False)
class _Parts:
    """What is drawn, checked."""

    curve: pd.DataFrame
    values: NDArray[np.float64] | None
    cuts: pd.DataFrame | None
    searched: Searched | None
    truth: pd.DataFrame | None
    core: tuple[float, float]


def _read(
    curve: pd.DataFrame,
    values: ArrayLike | None,
    cutpoints: pd.DataFrame | None,
    searched: Searched | None,
    truth: pd.DataFrame | None,
) -> _Parts:
    """The frames with the columns that are drawn, in order; and between which values the curve is drawn in full."""
    need_columns(curve, "curve", CURVE_COLUMNS)
    if cutpoints is not None:
        need_columns(cutpoints, "cutpoints", CUT_COLUMNS)
    if truth is not None:
        need_columns(truth, "truth", ("marker", "hazard_ratio"))
    if searched is not None and (searched[1] > searched[0] or searched[2] < searched[0]):
        raise InputError(f"searched: the interval {searched[1]:g} to {searched[2]:g} does not hold {searched[0]:g}")
    ordered = curve.sort_values("marker", kind="stable", ignore_index=True)
    core, known = (-np.inf, np.inf), None
    if values is not None:
        given = np.asarray(pd.Series(values).to_numpy(dtype=np.float64, na_value=np.nan))
        known = np.sort(given[np.isfinite(given)])
        if not len(known):
            raise InputError(f"values: none of {len(given)} is known; nothing to draw a histogram of")
        beyond = min(FEW_BEYOND, len(known)) - 1
        core = (float(known[beyond]), float(known[-1 - beyond]))
    return _Parts(ordered, known, None if cutpoints is None else with_use(cutpoints), searched, truth, core)


def _panels(ax: Axes | None, width: float, height: float, *, strip: bool) -> tuple[Axes, Axes | None]:
    """The axes of the curve and, under them, of the histogram."""
    if not strip:
        return drawing_axes(ax, width)[0], None
    if ax is not None:
        return ax, ax.inset_axes((0, -STRIP - 0.06, 1, STRIP), sharex=ax)
    figure = new_figure(width, rows=2)
    main, below = figure.axes
    main.get_subplotspec().get_gridspec().set_height_ratios([1, STRIP])  # type: ignore[union-attr]
    figure.subplots_adjust(hspace=2 * GAP / (height * (1 + STRIP)))
    below.sharex(main)
    return main, below


def _tall(ax: Axes) -> float:
    """The height of axes in points."""
    return float(ax.get_window_extent().height) * POINTS / figure_of(ax).dpi


def _set_axes(ax: Axes, parts: _Parts, *, room: float) -> float:
    """Both scales; over the curve a lane for the searched cut, whose height (in axes fraction) is returned."""
    x = [parts.curve["marker"].min(), parts.curve["marker"].max()]
    x += [] if parts.values is None else [parts.values[0], parts.values[-1]]
    x += [] if parts.cuts is None else parts.cuts["edge"].astype(float).tolist()
    x += [] if parts.searched is None else [value for value in parts.searched if np.isfinite(value)]
    margin = 0.02 * (max(x) - min(x)) or 0.5
    ax.set_xlim(min(x) - margin, max(x) + margin)
    middle = parts.curve["marker"].between(*parts.core)
    band = parts.curve.loc[middle, ["conf_low", "conf_high"]]
    drawn = parts.curve if parts.truth is None else pd.concat([parts.curve, parts.truth])
    low, high = ratio_limits(band, drawn.loc[drawn["marker"].between(min(x), max(x)), "hazard_ratio"])
    if parts.searched is not None:
        high *= (high / low) ** (LANE / (room - LANE))
    stand_ratio_axis(ax, low, high, room=room)
    return 1 - BAR / room


def _draw(ax: Axes, parts: _Parts, reference: float | None, lane: float) -> None:
    """Band, curve, truth, cuts and reference."""
    for part, strength, name in _by_support(parts):
        ax.fill_between(
            part["marker"], part["conf_low"], part["conf_high"], color=BLUE, alpha=0.18 * strength, linewidth=0,
            label=f"_{name}, band",
        )  # fmt: skip
        ax.plot(
            part["marker"], part["hazard_ratio"], color=BLUE, alpha=1.0 if strength == 1 else DIMMED, linewidth=1.6,
            label=name, zorder=4,
        )  # fmt: skip
    if parts.cuts is not None:
        draw_cuts(ax, parts.cuts)
    if parts.searched is not None:
        draw_found(ax, parts.searched[0], parts.searched[1:], lane=lane)
    if parts.truth is not None:
        ax.plot(
            parts.truth["marker"], parts.truth["hazard_ratio"], color=INK, linestyle=(0, (1, 1.6)), linewidth=1.2,
            label="_planted", zorder=5,
        )  # fmt: skip
    if reference is not None:
        ax.plot(
            [reference], [1.0], linestyle="none", marker="o", markersize=5, markerfacecolor="white", color=BLUE,
            markeredgewidth=1.2, zorder=6, label="_reference",
        )  # fmt: skip


def _by_support(parts: _Parts) -> list[tuple[pd.DataFrame, float, str]]:
    """The curve in pieces: pale where few patients lie beyond, in full between; neighbours share a point."""
    marker = parts.curve["marker"]
    first, last = int((marker < parts.core[0]).sum()), len(marker) - 1 - int((marker > parts.core[1]).sum())
    if first >= last:
        return [(parts.curve, 1.0, "curve")]
    pieces = [
        (parts.curve.iloc[: first + 1], 0.5, "_curve, few below"),
        (parts.curve.iloc[first : last + 1], 1.0, "curve"),
        (parts.curve.iloc[last:], 0.5, "_curve, few above"),
    ]
    return [piece for piece in pieces if len(piece[0]) > 1]


def _label(
    main: Axes, strip: Axes | None, parts: _Parts, names: tuple[str, str], reference: float | None, *, room: float
) -> None:
    """The histogram, and the words around the panels."""
    label, unit = names
    against = "" if reference is None else f" against {marker_words(reference)[0]} {unit}".rstrip()
    main.set_ylabel(wrapped(figure_of(main), f"Hazard ratio{against}", 0.95 * room))
    lowest = main
    if strip is not None and parts.values is not None:
        draw_histogram(strip, parts.values)
        main.tick_params(labelbottom=False)
        if parts.cuts is not None:
            draw_cuts(strip, parts.cuts)
        if parts.searched is not None:
            draw_found(strip, parts.searched[0], lane=None)
        lowest = strip
    lowest.set_xlabel(f"{label} ({unit})" if unit else label)
    if parts.cuts is not None:
        write_sources(lowest, parts.cuts)


def _write_inside(main: Axes, strip: Axes | None, parts: _Parts, reference: float | None, lane: float) -> None:
    """Words beside what they name, where they cover neither curve nor cut."""
    edges = [] if parts.cuts is None else parts.cuts["edge"].astype(float).tolist()
    edges += [] if parts.searched is None else [parts.searched[0]]
    space, x = beside(main, edges), parts.curve["marker"]
    space.take_line(x, parts.curve["hazard_ratio"])
    space.take_band(x, parts.curve["conf_low"], parts.curve["conf_high"])
    space.take_line(main.get_xlim(), (1.0, 1.0))
    if parts.searched is not None:
        cut, low, high = parts.searched
        space.take_box((0, space.height - LANE, space.width, space.height))
        name_found(main, found_words("searched", cut, (low, high)), cut, (low, high), lane=lane)
    if parts.truth is not None:
        space.take_line(parts.truth["marker"], parts.truth["hazard_ratio"])
    if reference is not None:
        name_line(main, f"reference {marker_words(reference)[0]}", [reference], [1.0], space)
    if parts.truth is not None:
        keep_apart(main, space, parts.truth, parts.curve)
        name_line(main, "planted truth", parts.truth["marker"], parts.truth["hazard_ratio"], space)
    if strip is not None and parts.values is not None:
        write_count(strip, len(parts.values), edges)
