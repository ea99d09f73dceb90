"""The hazard along a marker with every cut that was drawn through it: what dichotomising throws away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.errors import InputError
from analysis.present import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_COLUMNS = ("marker", "hazard_ratio", "conf_low", "conf_high")
CUT_COLUMNS = ("edge", "label", "source", "searched")
FEW_BEYOND = 10
STRIP = 0.28  # of the height of the curve's panel
GAP = 4.0  # mm between the panels
SLABS = 60

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
    width: float = canvas.TWO_COLUMNS,
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
        marker hazard_ratio: drawn dotted, named "true curve".
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
    parts = _read(curve, values, cutpoints, searched, truth, reference)
    height = 66.0 if canvas.is_wide(width) else 50.0
    with canvas.sheet(
        width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax, grid=(1 if values is None else 2, 1)
    ) as sheet:
        main, room = sheet.ax, sheet.room(height)
        strip = None if parts.values is None else _strip(sheet, height)
        _set_axes(main, parts, room)
        lane = 1 - canvas.BAR / room
        _draw(main, parts, lane)
        against = "" if reference is None else f" against {canvas.marker_words(reference)[0]} {unit}".rstrip()
        main.set_ylabel(canvas.wrapped(sheet.figure, f"Hazard ratio{against}", 0.95 * room))
        lowest = main if strip is None else _draw_strip(main, strip, parts)
        lowest.set_xlabel(f"{label or 'Marker'} ({unit})" if unit else label or "Marker")
        if parts.cuts is not None:
            canvas.write_sources(lowest, parts.cuts, reached=parts.reached)
        height = height if strip is None else height * (1 + STRIP) + GAP
        sheet.fit(height)
        if parts.cuts is not None:
            canvas.write_edges(main, parts.drawn_cuts)
        if sheet.own:
            sheet.finish(height)
        else:
            canvas.head_over_edges(main, title, subtitle, synthetic=synthetic, edges=parts.cuts is not None)
        _write_inside(main, parts, lane)
        if strip is not None and parts.values is not None:
            canvas.write_count(strip, len(parts.values), parts.edges)
    return sheet.figure


@dataclass(frozen=True, eq=False)
class _Parts:
    """What is drawn, checked, and between which values the curve is drawn in full."""

    curve: pd.DataFrame
    values: FloatArray | None
    cuts: pd.DataFrame | None
    searched: Searched | None
    truth: pd.DataFrame | None
    reference: float | None
    core: tuple[float, float]

    @property
    def reached(self) -> tuple[float, float]:
        """The smallest and the largest value of the curve and of the patients."""
        values = [] if self.values is None else [float(self.values[0]), float(self.values[-1])]
        both = [float(self.curve["marker"].min()), float(self.curve["marker"].max()), *values]
        return min(both), max(both)

    @property
    def drawn_cuts(self) -> pd.DataFrame:
        """The edges that values reach, each once."""
        return pd.DataFrame() if self.cuts is None else canvas.cuts_within(self.cuts, *self.reached)

    @property
    def edges(self) -> list[float]:
        """Where lines of cuts stand."""
        edges = [] if self.cuts is None else self.drawn_cuts["edge"].astype(float).tolist()
        return edges if self.searched is None else [*edges, self.searched[0]]


def _read(
    curve: pd.DataFrame,
    values: ArrayLike | None,
    cutpoints: pd.DataFrame | None,
    searched: Searched | None,
    truth: pd.DataFrame | None,
    reference: float | None,
) -> _Parts:
    """The frames with the columns that are drawn, in order."""
    canvas.need_columns(curve, "curve", CURVE_COLUMNS)
    if cutpoints is not None:
        canvas.need_columns(cutpoints, "cutpoints", CUT_COLUMNS)
        cutpoints = cutpoints if "used" in cutpoints else cutpoints.assign(used=False)
    if truth is not None:
        canvas.need_columns(truth, "truth", ("marker", "hazard_ratio"))
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
    return _Parts(ordered, known, cutpoints, searched, truth, reference, core)


def _strip(sheet: canvas.Sheet, height: float) -> Axes:
    """The axes of the histogram under those of the curve."""
    if not sheet.own:
        return sheet.ax.inset_axes((0, -STRIP - 0.06, 1, STRIP), sharex=sheet.ax)
    main, below = sheet.figure.axes
    main.get_subplotspec().get_gridspec().set_height_ratios([1, STRIP])  # type: ignore[union-attr]
    sheet.figure.subplots_adjust(hspace=2 * GAP / (height * (1 + STRIP)))
    below.sharex(main)
    return below


def _set_axes(ax: Axes, parts: _Parts, room: float) -> None:
    """Both scales; over the curve a lane for the searched cut."""
    x = [*parts.reached, *parts.edges]
    x += [] if parts.searched is None else [value for value in parts.searched if np.isfinite(value)]
    margin = 0.02 * (max(x) - min(x)) or 0.5
    ax.set_xlim(min(x) - margin, max(x) + margin)
    band = parts.curve.loc[parts.curve["marker"].between(*parts.core), ["conf_low", "conf_high"]]
    drawn = parts.curve if parts.truth is None else pd.concat([parts.curve, parts.truth])
    low, high = canvas.ratio_limits(band, drawn.loc[drawn["marker"].between(min(x), max(x)), "hazard_ratio"])
    if parts.searched is not None:
        high *= (high / low) ** (canvas.LANE / (room - canvas.LANE))
    canvas.set_ratio_axis(ax, low, high, room=room)


def _draw(ax: Axes, parts: _Parts, lane: float) -> None:
    """Band, curve, truth, cuts and reference."""
    for part, strength, name in _by_support(parts):
        ax.fill_between(
            part["marker"], part["conf_low"], part["conf_high"], color=canvas.BLUE, alpha=0.18 * strength,
            linewidth=0, label=f"_{name}, band",
        )  # fmt: skip
        ax.plot(
            part["marker"], part["hazard_ratio"], color=canvas.BLUE, alpha=1.0 if strength == 1 else canvas.DIMMED,
            linewidth=1.6, label=name, zorder=4,
        )  # fmt: skip
    if parts.cuts is not None:
        canvas.draw_cuts(ax, parts.drawn_cuts)
    if parts.searched is not None:
        canvas.draw_searched(ax, parts.searched[0], parts.searched[1:], lane=lane)
    if parts.truth is not None:
        ax.plot(
            parts.truth["marker"], parts.truth["hazard_ratio"], color=canvas.INK, linestyle=(0, (1, 1.6)),
            linewidth=1.2, label="_true", zorder=5,
        )  # fmt: skip
    if parts.reference is not None:
        ax.plot(
            [parts.reference], [1.0], linestyle="none", marker="o", markersize=5, markerfacecolor="white",
            color=canvas.BLUE, markeredgewidth=1.2, zorder=6, label="_reference",
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


def _draw_strip(main: Axes, strip: Axes, parts: _Parts) -> Axes:
    """The histogram with the cuts; gives its axes."""
    if parts.values is not None:
        canvas.draw_histogram(strip, parts.values)
    main.tick_params(labelbottom=False)
    if parts.cuts is not None:
        canvas.draw_cuts(strip, parts.drawn_cuts)
    if parts.searched is not None:
        canvas.draw_searched(strip, parts.searched[0], lane=None)
    return strip


def _write_inside(main: Axes, parts: _Parts, lane: float) -> None:
    """Words beside what they name, where they cover neither curve nor cut."""
    space, x = canvas.Space(main), parts.curve["marker"]
    space.take_edges(parts.edges)
    space.take_line(x, parts.curve["hazard_ratio"])
    space.take_band(x, parts.curve["conf_low"], parts.curve["conf_high"])
    space.take_line(main.get_xlim(), (1.0, 1.0))
    if parts.searched is not None:
        space.take_box((0, space.height - canvas.LANE, space.width, space.height))
        canvas.name_searched(main, "searched", parts.searched[0], parts.searched[1:], lane=lane)
    if parts.truth is not None:
        space.take_line(parts.truth["marker"], parts.truth["hazard_ratio"])
    if parts.reference is not None:
        words = f"reference {canvas.marker_words(parts.reference)[0]}"
        canvas.name_line(main, words, [parts.reference], [1.0], space)
    if parts.truth is not None:
        _keep_apart(main, space, parts.truth, parts.curve)
        canvas.name_line(main, "true curve", parts.truth["marker"], parts.truth["hazard_ratio"], space)


def _keep_apart(ax: Axes, space: canvas.Space, line: pd.DataFrame, other: pd.DataFrame) -> None:
    """Block what lies beyond another line: words beside one are then not the other's."""
    line = line.sort_values("marker", kind="stable")
    x = np.linspace(max(line["marker"].min(), other["marker"].min()), other["marker"].max(), SLABS)
    border = np.interp(x, other["marker"], other["hazard_ratio"])
    above = np.interp(x, line["marker"], line["hazard_ratio"]) >= border
    low, high = ax.get_ylim()
    for at, height, stay_above in zip(x, border, above, strict=True):
        space.take_line((at, at), (height, low if stay_above else high))
