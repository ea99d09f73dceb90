"""Cut-points drawn through a panel: lines, values and sources, the range of a searched one, a histogram under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.present.canvas.layout import POINTS, SYNTHETIC_MARK, figure_of, renderer_of, text_size, wrapped
from analysis.present.canvas.placing import Space, spread
from analysis.present.canvas.style import BLUE, INK, SMALL, SOFT_INK, TEXT, VERMILLION, Dashes
from analysis.present.text import format_count, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USED: Dashes = (0, None)
PUBLISHED: Dashes = (0, (4, 2))
SEARCHED: Dashes = (0, (1, 1.5))
FOUND_INK = "#b04d00"
LANE = 22.0  # points over a panel for a searched cut: its bar, its words over that
BAR = 15.0
EDGES_HIGH = 24.0
MOST_BINS = 60
KEY_START, KEY_GAP, KEY_LINE = 32.0, 1.8, 8.7


def with_use(cutpoints: pd.DataFrame) -> pd.DataFrame:
    """The edges with a column `used`: where it was not given, none is in use."""
    return cutpoints if "used" in cutpoints else cutpoints.assign(used=False)


def cut_line(row: Mapping[object, object]) -> Dashes:
    """The line of one edge: solid in use, dotted when searched, dashed otherwise."""
    return SEARCHED if row["searched"] else USED if row["used"] else PUBLISHED


def draw_cuts(ax: Axes, cuts: pd.DataFrame) -> None:
    """A line for each edge, from top to bottom."""
    for row in cuts.to_dict("records"):
        ax.axvline(
            float(row["edge"]), color=INK, linestyle=cut_line(row), linewidth=1.0 if row["used"] else 0.8, zorder=2,
            label="_edge",
        )  # fmt: skip


def write_edges(ax: Axes, cuts: pd.DataFrame) -> None:
    """The value of each edge over a panel, moved apart where they stand close, with a thin line to its edge."""
    figure = figure_of(ax)
    values = cuts.drop_duplicates("label").sort_values("edge", kind="stable")
    texts = [str(text).split(" ")[0] for text in values["label"]]
    box, scale = ax.get_window_extent(), POINTS / figure.dpi
    spots = [(float(ax.transData.transform((edge, 1))[0]) - box.x0) * scale for edge in values["edge"]]
    widths = [text_size(figure, text, size=SMALL)[0] + 5 for text in texts]
    top = float(box.height) * scale
    look = {"arrowstyle": "-", "linewidth": 0.5, "color": INK, "shrinkA": 0, "shrinkB": 0}
    for text, spot, x in zip(texts, spots, spread(spots, widths, low=-10.0, high=box.width * scale + 10), strict=True):
        above = (float(x), top + 9)
        ax.annotate(
            "", (spot, top), above, xycoords="axes points", textcoords="axes points", annotation_clip=False,
            arrowprops=look,
        )  # fmt: skip
        ax.annotate(text, above, xycoords="axes points", annotation_clip=False, ha="center", va="bottom", size=SMALL)


def head_over_edges(ax: Axes, title: str, subtitle: str, *, synthetic: bool, edges: bool) -> None:
    """The heading of axes in somebody else's figure, above the values of the edges where there are any."""
    words = "\n".join(filter(None, (SYNTHETIC_MARK if synthetic else "", title, subtitle)))
    ax.set_title(words, loc="left", size=TEXT, weight="bold", pad=EDGES_HIGH if edges else None)


def write_sources(ax: Axes, cuts: pd.DataFrame) -> None:
    """Each source once under the axis: a piece of its line, its edges, its words."""
    figure = figure_of(ax)
    room = POINTS * figure.get_figwidth() - 62
    depth = KEY_START
    order = cuts.assign(rank=~cuts["used"].astype(bool)).sort_values(["rank", "edge"], kind="stable")
    for source, rows in order.groupby("source", sort=False):
        edges = ", ".join(str(text) for text in rows["label"].drop_duplicates())
        words = wrapped(figure, f"{edges}: {source}", room, size=SMALL)
        _sample(ax, cut_line(rows.iloc[0].to_dict()), depth + 0.5 * SMALL)
        ax.annotate(
            words, (0, 0), (4, -depth), xycoords="axes fraction", textcoords="offset points",
            annotation_clip=False, va="top", size=SMALL, color=SOFT_INK, linespacing=1.2,
        )  # fmt: skip
        depth += KEY_GAP + KEY_LINE * (1 + words.count("\n"))


def _sample(ax: Axes, line: Dashes, depth: float) -> None:
    """A piece of a line at the left of its words."""
    look = {"arrowstyle": "-", "color": INK, "linewidth": 1.0, "linestyle": line, "shrinkA": 0, "shrinkB": 0}
    corner = "axes points"
    ax.annotate(
        "", (0, -depth), (-18, -depth), xycoords=corner, textcoords=corner, annotation_clip=False, arrowprops=look
    )


def draw_found(ax: Axes, cut: float, ends: tuple[float, float] = (np.nan, np.nan), *, lane: float | None) -> None:
    """A searched cut: a heavy dotted line; at the height `lane` (in axes fraction) a point, and its range as a bar."""
    top = 1.0 if lane is None else lane
    ax.axvline(cut, ymax=top, color=VERMILLION, linestyle=SEARCHED, linewidth=1.5, zorder=3, label="searched")
    if lane is None:
        return
    if np.isfinite(ends).all():
        ax.plot(
            ends, [lane, lane], transform=ax.get_xaxis_transform(), color=VERMILLION, linewidth=1.3, marker="|",
            markersize=6, markeredgewidth=1.3, zorder=5, label="_searched, range",
        )  # fmt: skip
    ax.plot(
        [cut], [lane], transform=ax.get_xaxis_transform(), color=VERMILLION, marker="o", markersize=4.2, zorder=5,
        label="_searched, cut",
    )  # fmt: skip


def marker_words(*values: float) -> list[str]:
    """Values of a marker with the same number of decimals, as many as four digits of each need.

    Examples
    --------
    >>> marker_words(0.78, 0.69, 0.9), marker_words(1234.5, 1180.0), marker_words(0.00012)
    (['0.78', '0.69', '0.90'], ['1234', '1180'], ['0.00012'])
    """
    exponents = [int(Decimal(f"{value:.4g}").normalize().as_tuple().exponent) for value in values]
    return [format_number(value, digits=max(0, -min(exponents))) for value in values]


def found_words(name: str, cut: float, ends: tuple[float, float]) -> str:
    """What is written beside a searched cut: its value and, where it is known, its range."""
    if not np.isfinite(ends).all():
        return f"{name}: {marker_words(cut)[0]}"
    value, low, high = marker_words(cut, *ends)
    return f"{name}: {value} ({low} to {high})"


def name_found(ax: Axes, words: str, cut: float, ends: tuple[float, float], *, lane: float) -> None:
    """The words of a searched cut over its bar, within the axes; once these have their size."""
    figure, box = figure_of(ax), ax.get_window_extent()
    scale = POINTS / figure.dpi
    middle = sum(ends) / 2 if np.isfinite(ends).all() else cut
    half, room = text_size(figure, words, size=SMALL)[0] / 2 + 2, float(box.width) * scale
    x = (float(ax.transData.transform((middle, 1))[0]) - box.x0) * scale
    ax.annotate(
        words, (max(min(x, room - half), half), float(box.height) * scale * lane + 5), xycoords="axes points",
        ha="center", va="bottom", size=SMALL, color=FOUND_INK, zorder=6, annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def beside(ax: Axes, edges: Sequence[float]) -> Space:
    """What the lines of some edges leave free."""
    space = Space(ax)
    for edge in edges:
        space.take_line([edge, edge], ax.get_ylim())
    return space


def draw_histogram(ax: Axes, values: NDArray[np.float64]) -> None:
    """The distribution of a marker in a low panel."""
    bins = np.histogram_bin_edges(values, bins="fd")
    if len(bins) > MOST_BINS + 1:  # one far value would ask for thousands
        bins = np.histogram_bin_edges(values, bins=MOST_BINS)
    ax.hist(values, bins=bins.tolist(), color=BLUE, alpha=0.4, edgecolor="white", linewidth=0.4)
    ax.set_ylabel("Patients")
    ax.locator_params(axis="y", nbins=3, integer=True)


def write_count(ax: Axes, n: int, edges: Sequence[float]) -> None:
    """How many patients a histogram shows, near its upper right corner, beside bars and edges."""
    locator = ax.get_axes_locator()
    if locator is not None:  # axes that hang on others have no size until asked for it
        ax.apply_aspect(locator(ax, renderer_of(figure_of(ax))))
    space, words = beside(ax, edges), f"n = {format_count(n)}"
    for bar in ax.patches:
        left, bottom, right, top = bar.get_extents().transformed(ax.transData.inverted()).extents
        (x0, y0), (x1, y1) = space.points([left, right], [bottom, top])
        space.take_box((x0, y0, x1, y1))
    width, height = text_size(figure_of(ax), words, size=SMALL)
    spot = space.find(width + 2, height, near=(space.width - width - 2, space.height - height))
    ax.annotate(words, (spot.left + 1, spot.bottom), xycoords="axes points", va="bottom", size=SMALL)
