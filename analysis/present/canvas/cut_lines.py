"""Cut-points drawn through a panel: lines, values and sources, the range of a searched one, a histogram under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.present.canvas.layout import SYNTHETIC_MARK
from analysis.present.canvas.measuring import figure_of, page_width, renderer_of, text_size, wrapped
from analysis.present.canvas.placing import Space, join, spread, write, write_at
from analysis.present.canvas.style import BLUE, INK, SMALL, SOFT_INK, TEXT, VERMILLION, VERMILLION_INK, Dashes, points
from analysis.present.text import format_count, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USED: Dashes = (0, None)
PUBLISHED: Dashes = (0, (4, 2))
SEARCHED: Dashes = (0, (1, 1.5))
LANE = 22.0  # points over a panel for a searched cut: its bar, its words over that
BAR = 15.0
EDGES_HIGH = 24.0
MOST_BINS = 60
SAME_PLACE = 0.004  # of the axis: two points in print
KEY_START, KEY_GAP, KEY_LINE = 32.0, 1.8, 8.7


def cut_line(row: Mapping[object, object]) -> Dashes:
    """The line of one edge: solid in use, dotted when searched, dashed otherwise."""
    return SEARCHED if row["searched"] else USED if row["used"] else PUBLISHED


def cuts_within(cuts: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    """The edges among the values; of those too close to be told apart, the one in use, or in the fewest digits."""
    inside = cuts[cuts["edge"].astype(float).between(low, high)]
    ranked = inside.assign(unused=~inside["used"].astype(bool), length=inside["label"].astype(str).str.len())
    first = ranked.sort_values(["unused", "length", "edge"], kind="stable")
    kept: list[int] = []
    edges = first["edge"].to_numpy(dtype=np.float64)
    for place, edge in enumerate(edges):
        if all(abs(edge - edges[other]) > SAME_PLACE * (high - low) for other in kept):
            kept.append(place)
    return first.iloc[kept].drop(columns=["unused", "length"]).sort_values("edge", kind="stable", ignore_index=True)


def draw_cuts(ax: Axes, cuts: pd.DataFrame, *, zorder: float = 2) -> None:
    """A line for each edge, from top to bottom."""
    for row in cuts.to_dict("records"):
        ax.axvline(
            float(row["edge"]), color=INK, linestyle=cut_line(row), linewidth=1.0 if row["used"] else 0.8,
            zorder=zorder, label="_edge",
        )  # fmt: skip


def write_edges(ax: Axes, cuts: pd.DataFrame) -> None:
    """The value of each edge over a panel, moved apart where they stand close, with a thin line to its edge."""
    figure, space = figure_of(ax), Space(ax)
    values = cuts.drop_duplicates("label").sort_values("edge", kind="stable")
    texts = [str(text).split(" ")[0] for text in values["label"]]
    spots = [space.point(edge, ax.get_ylim()[1])[0] for edge in values["edge"]]
    widths = [text_size(figure, text, size=SMALL)[0] + 5 for text in texts]
    for text, spot, x in zip(texts, spots, spread(spots, widths, low=-10.0, high=space.width + 10), strict=True):
        join(ax, (float(x), space.height + 9), (spot, space.height))
        write_at(ax, text, float(x), space.height + 9, ha="center", va="bottom")


def head_over_edges(ax: Axes, title: str, subtitle: str, *, synthetic: bool, edges: bool) -> None:
    """The heading of axes in somebody else's figure, above the values of the edges where there are any."""
    words = "\n".join(filter(None, (SYNTHETIC_MARK if synthetic else "", title, subtitle)))
    ax.set_title(words, loc="left", size=points(TEXT), weight="bold", pad=points(EDGES_HIGH) if edges else None)


def write_sources(ax: Axes, cuts: pd.DataFrame, *, reached: tuple[float, float]) -> None:
    """Each source once under the axis: a piece of its line, its edges and which of them no value reaches, its words."""
    figure, depth = figure_of(ax), KEY_START
    order = cuts.assign(rank=~cuts["used"].astype(bool)).sort_values(["rank", "edge"], kind="stable")
    for source, rows in order.groupby("source", sort=False):
        beyond = ~rows["edge"].astype(float).between(*reached)
        shown = rows["label"].astype(str).where(~beyond, rows["label"].astype(str) + " (beyond all values)")
        edges = ", ".join(shown.drop_duplicates())
        words = wrapped(figure, f"{edges}: {source}", page_width(figure) - 62, size=SMALL)
        middle = -depth - 0.5 * SMALL
        join(ax, (-18, middle), (0, middle), linewidth=1.0, linestyle=cut_line(rows.iloc[0].to_dict()))
        write(ax, words, (0, 0), (4, -depth), va="top", color=SOFT_INK, linespacing=1.2)
        depth += KEY_GAP + KEY_LINE * (1 + words.count("\n"))


def draw_searched(ax: Axes, cut: float, ends: tuple[float, float] = (np.nan, np.nan), *, lane: float | None) -> None:
    """A searched cut: a heavy dotted line; at the height `lane` (in axes fraction) a point, and its range as a bar."""
    ax.axvline(
        cut, ymax=1.0 if lane is None else lane, color=VERMILLION, linestyle=SEARCHED, linewidth=1.5, zorder=3,
        label="searched",
    )  # fmt: skip
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


def name_searched(ax: Axes, name: str, cut: float, ends: tuple[float, float], *, lane: float) -> None:
    """A searched cut's name, value and range over its bar, within the axes; once these have their size."""
    known, space = bool(np.isfinite(ends).all()), Space(ax)
    value, *limits = marker_words(cut, *(ends if known else ()))
    words = f"{name}: {value} ({limits[0]} to {limits[1]})" if known else f"{name}: {value}"
    half = text_size(figure_of(ax), words, size=SMALL)[0] / 2 + 2
    x = space.point(sum(ends) / 2 if known else cut, ax.get_ylim()[1])[0]
    write_at(
        ax, words, max(min(x, space.width - half), half), space.height * lane + 5,
        ha="center", va="bottom", color=VERMILLION_INK, zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def draw_histogram(ax: Axes, values: FloatArray) -> None:
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
    space, words = Space(ax), f"n = {format_count(n)}"
    space.take_edges(edges)
    space.take_bars()
    width, height = text_size(figure_of(ax), words, size=SMALL)
    spot = space.find(width + 2, height, near=(space.width - width - 2, space.height - height))
    write_at(ax, words, spot.left + 1, spot.bottom, va="bottom")
