"""A Love plot: how far strata differ in each covariate, before and after weighting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    BLUE,
    HAIRLINE,
    MM_PER_INCH,
    POINTS,
    SMALL,
    SOFT_INK,
    TEXT,
    TWO_COLUMNS,
    figure_of,
    figure_style,
    finish,
    need_columns,
    new_figure,
    ordered_labels,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("covariate", "stratum_a", "stratum_b", "difference", "weighted_difference")
BOUND = 0.1
ROW, TALLER, NAME_SHARE = 11.5, 0.85, 0.3
MOST_PANELS = 3


def plot_balance(
    balance: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    bound: float = BOUND,
    title: str = "",
    subtitle: str = "",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
) -> Figure:
    """Draw standardised differences before and after weighting, a panel for each pair of strata.

    Parameters
    ----------
    balance : DataFrame
        covariate stratum_a stratum_b difference weighted_difference, as `covariate_balance` gives it. More than three
        pairs share one panel, which shows the largest difference of each covariate.
    labels : mapping, optional
        Covariate to the words that stand for it.
    bound : float
        Below which a difference counts as balanced; shaded.
    title, subtitle, width, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        Covariates with the largest unweighted difference at the top; differences without their sign.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> balance = pd.DataFrame({"covariate": ["age", "crp"], "stratum_a": "low", "stratum_b": "high",
    ...                         "difference": [-0.3, 0.6], "weighted_difference": [0.02, 0.05]})
    >>> [text.get_text() for text in plot_balance(balance).axes[0].get_yticklabels()]
    ['crp', 'age']
    """
    need_columns(balance, "balance", COLUMNS)
    panels = _panels(balance)
    largest = pd.concat(panels.values()).groupby("covariate", sort=False)["difference"].max()
    order = list(largest.sort_values(ascending=False, kind="stable").index)
    with figure_style():
        figure = new_figure(width, columns=len(panels))
        figure.subplots_adjust(wspace=0.1)
        sizes = pd.concat(panels.values())[["difference", "weighted_difference"]]
        end = max(2 * bound, 1.06 * float(sizes.max().max()))  # in this order: NaN where no difference is defined
        for ax, (name, rows) in zip(figure.axes, panels.items(), strict=True):
            _draw(ax, rows.set_index("covariate").reindex(order), bound, end)
            ax.set_title(wrapped(figure, name, POINTS * width / MM_PER_INCH / len(panels) * 0.7), loc="left", size=TEXT)
        names = [str((labels or {}).get(name, name)) for name in order]
        lines = _name_rows(figure.axes[0], names, width)
        for ax in figure.axes[1:]:
            ax.set_yticks(range(len(order)), [""] * len(order))
        figure.axes[len(panels) // 2].set_xlabel("Standardised mean difference (absolute)")
        _write_key(figure.axes[0])
        height = ROW * (1 + TALLER * (lines - 1)) * (len(order) + 1) / POINTS * MM_PER_INCH
        finish(figure, height, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure


def _panels(balance: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each panel: of each pair, or the largest of all pairs; differences without their sign."""
    sizes = balance[["difference", "weighted_difference"]].abs()
    rows = balance.assign(difference=sizes["difference"], weighted_difference=sizes["weighted_difference"])
    pairs = rows["stratum_a"].astype(str) + " and " + rows["stratum_b"].astype(str)
    if pairs.nunique() > MOST_PANELS:
        largest = rows.groupby("covariate", sort=False)[["difference", "weighted_difference"]].max().reset_index()
        return {f"largest of {pairs.nunique()} pairs of strata": largest}
    return {name: rows[pairs == name] for name in ordered_labels(pairs)}


def _draw(ax: Axes, rows: pd.DataFrame, bound: float, end: float) -> None:
    """One panel: open marks before, filled ones after weighting, a thin line between the two."""
    places = range(len(rows))
    ax.axvspan(0, bound, color=BLUE, alpha=0.08, linewidth=0, label="_balanced")
    ax.axvline(bound, color=SOFT_INK, linewidth=0.6, linestyle=(0, (3, 2)), label="_bound")
    ax.hlines(list(places), 0, end, color=HAIRLINE, linewidth=0.4, zorder=0)
    both = rows["weighted_difference"].notna()
    ax.hlines(
        [place for place in places if both.iloc[place]], rows["difference"][both], rows["weighted_difference"][both],
        color=BLUE, linewidth=0.8, alpha=0.6,
    )  # fmt: skip
    look = {"linestyle": "none", "markersize": 4.6, "markeredgewidth": 1.0, "clip_on": False}
    ax.plot(rows["difference"], places, marker="o", color=SOFT_INK, markerfacecolor="white", label="_as it is", **look)  # type: ignore[arg-type]
    ax.plot(rows["weighted_difference"], places, marker="s", color=BLUE, label="_weighted", **look)  # type: ignore[arg-type]
    ax.set_xlim(0, end)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _name_rows(ax: Axes, names: list[str], width: float) -> int:
    """The covariates at the left, wrapped where too long; the lines of the longest."""
    room = POINTS * width / MM_PER_INCH * NAME_SHARE
    written = [wrapped(figure_of(ax), name, room) for name in names]
    ax.set_yticks(range(len(names)), written)
    return 1 + max(name.count("\n") for name in written)


def _write_key(ax: Axes) -> None:
    """What the marks mean, under the first panel."""
    for place, (words, color) in enumerate((("○ as it is", SOFT_INK), ("■ weighted", BLUE))):
        ax.annotate(
            words, (0, 0), (54 * place, -32), xycoords="axes fraction", textcoords="offset points", size=SMALL,
            weight="bold", color=color, annotation_clip=False,
        )  # fmt: skip
