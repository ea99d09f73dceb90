"""Estimates one under the other: hazard ratios with their intervals, and how far strata differ in each covariate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.present import canvas
from analysis.present.text import format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

COLUMNS = ("group", "label", "kind", "hazard_ratio", "conf_low", "conf_high")
BALANCE_COLUMNS = ("covariate", "stratum_a", "stratum_b", "difference", "weighted_difference")
ROW, TALLER, GROUP_GAP = 12.5, 0.75, 0.3  # points; of a row: a further line of text, and the space before a group
TICKS_APART, NAME_SHARE = 19.0, 0.42
BALANCE_ROW, BALANCE_TALLER, BALANCE_NAME_SHARE, MOST_PANELS = 11.5, 0.85, 0.3, 3
# kind: marker, colour, filled
LOOKS = {
    "crude": ("o", canvas.SOFT_INK, True),
    "adjusted": ("s", canvas.BLUE, True),
    "truth": ("D", canvas.VERMILLION, False),
    "wrong": ("X", canvas.INK, True),
}
Line = tuple[str, float, dict[Any, Any] | None]


def plot_forest(
    estimates: pd.DataFrame,
    *,
    reference: float = 1.0,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Hazard ratio (logarithmic axis)",
    heading: str = "HR (95% CI)",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    estimates : DataFrame
        group label kind hazard_ratio conf_low conf_high, in the order of drawing. Rows of one group stand under its
        name; kind is "crude", "adjusted", "truth" (open mark, no interval) or "wrong" (a cross); others are drawn as
        crude.
    reference : float
        Where there is no difference.
    title, subtitle, x_label : str
    heading : str
        Over the column of numbers.
    width : float
        Of the figure in mm.
    synthetic : bool
        Mark the figure as synthetic and illustrative.
    ax : Axes, optional
        Draw on these axes; a figure of its own by default.

    Returns
    -------
    Figure
        The figure drawn on. Intervals that leave the axis end in an arrow; the numbers at the right are whole.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> rows = [("Death", "crude", "crude", 1.6, 1.2, 2.1), ("Death", "planted", "truth", 1.5, None, None)]
    >>> figure = plot_forest(pd.DataFrame(rows, columns=list(COLUMNS)))
    >>> [text.get_text() for text in figure.axes[0].texts if "(" in text.get_text()]
    ['HR (95% CI)', '(1.20 to 2.10)']
    """
    canvas.need_columns(estimates, "estimates", COLUMNS)
    limits = canvas.ratio_limits(estimates[["hazard_ratio", "conf_low", "conf_high"]], reference=reference)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        lines, depth = _lines(sheet.figure, estimates)
        room = canvas.axes_size(target)[0]
        canvas.set_ratio_axis(target, *limits, room=room, reference=reference, upright=False, apart=TICKS_APART)
        target.set_ylim(depth - 0.25, -0.75)
        target.set_yticks([])
        target.spines["left"].set_visible(False)
        target.set_xlabel(x_label)
        for _, y, row in lines:
            if row is not None:
                _draw_estimate(target, y, row, limits)
        _write_lines(target, lines, heading)
        sheet.finish(ROW * (depth + 0.5) / canvas.POINTS * canvas.MM_PER_INCH)
        canvas.set_ratio_ticks(target, canvas.axes_size(target)[0], upright=False, apart=TICKS_APART)
    return sheet.figure


def _lines(figure: Figure, estimates: pd.DataFrame) -> tuple[list[Line], float]:
    """Text, height and estimate of each line, a group's name over its rows, wrapped where too long; and the depth."""
    page = canvas.POINTS * figure.get_figwidth()
    lines: list[Line] = []
    depth = 0.0
    for group, rows in estimates.groupby("group", sort=False, observed=True):
        if str(group):
            depth += GROUP_GAP if lines else 0.0
            name = canvas.wrapped(figure, str(group), page - 12, weight="bold")
            lines.append((name, depth + name.count("\n") * TALLER / 2, None))
            depth += 1 + name.count("\n") * TALLER
        for row in rows.to_dict("records"):
            label = canvas.wrapped(figure, str(row["label"]), NAME_SHARE * page)
            taller = label.count("\n") * TALLER
            lines.append((label, depth + taller / 2, row))
            depth += 1 + taller
    return lines, depth


def _draw_estimate(ax: Axes, y: float, row: Mapping[Any, Any], limits: tuple[float, float]) -> None:
    """One estimate: its mark, and its interval where it has one, with an arrow where that leaves the axis."""
    marker, color, filled = LOOKS.get(str(row["kind"]), LOOKS["crude"])
    low, high = limits
    estimate, left, right = (float(row[name]) for name in ("hazard_ratio", "conf_low", "conf_high"))
    if not (math.isnan(left) and math.isnan(right)):
        ends = np.clip([low if math.isnan(left) else left, high if math.isnan(right) else right], low, high)
        ax.plot(ends, [y, y], color=color, linewidth=1.2, label=f"_{row['label']}, interval")
        for end, edge, arrow in ((left, low, "<"), (right, high, ">")):
            if not low <= end <= high:  # beyond the axis, or undefined
                ax.plot([edge], [y], marker=arrow, color=color, markersize=4, clip_on=False)
    if low <= estimate <= high:
        ax.plot(
            [estimate], [y], marker=marker, markersize=4.6, color=color, linestyle="none", zorder=3,
            markerfacecolor=color if filled else "white", markeredgewidth=1.1, label=str(row["label"]),
        )  # fmt: skip


def _write_lines(ax: Axes, lines: list[Line], heading: str) -> None:
    """Names at the left, numbers in aligned columns at the right."""
    figure = canvas.figure_of(ax)
    left = 10 + max(canvas.text_size(figure, text)[0] for text, _, row in lines if row)
    ratios = ["" if row is None else format_ratio(float(row["hazard_ratio"])) for *_, row in lines]
    wide = 8 + max(canvas.text_size(figure, ratio)[0] for ratio in ratios)
    _beside(ax, heading, -0.9, 1.0, 8.0, weight="bold")
    for (text, y, row), ratio in zip(lines, ratios, strict=True):
        if row is None:
            group = _beside(ax, text, y, 0.0, -left - 6, weight="bold")
            group.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            continue
        _beside(ax, text, y, 0.0, -left)
        _beside(ax, ratio, y, 1.0, wide, ha="right")
        low, high = float(row["conf_low"]), float(row["conf_high"])
        if not (math.isnan(low) and math.isnan(high)):
            _beside(ax, f"({format_ratio(low)} to {format_ratio(high)})", y, 1.0, wide + 4)


def _beside(
    ax: Axes, text: str, y: float, side: float, shift: float, *, ha: str = "left", weight: str = "normal"
) -> Annotation:
    """Words on one line, `shift` points from the left (0) or right (1) side of the axes."""
    return canvas.write(
        ax, text, (side, y), (shift, 0), coords=("axes fraction", "data"), ha=ha, size=canvas.TEXT, weight=weight,
        va="center" if "\n" in text else "center_baseline", linespacing=1.05,
    )  # fmt: skip


def plot_balance(
    balance: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    bound: float = 0.1,
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(balance, "balance", BALANCE_COLUMNS)
    panels = _panels(balance)
    shown = pd.concat(panels.values())
    order = list(
        shown.groupby("covariate", sort=False)["difference"].max().sort_values(ascending=False, kind="stable").index
    )
    end = max(2 * bound, 1.06 * float(shown[["difference", "weighted_difference"]].max().max()))  # NaN: 2 bounds
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=(1, len(panels))) as sheet:
        axes = sheet.figure.axes
        sheet.figure.subplots_adjust(wspace=0.1)
        for ax, (name, rows) in zip(axes, panels.items(), strict=True):
            _draw_balance(ax, rows.set_index("covariate").reindex(order), bound, end)
            ax.set_title(
                canvas.wrapped(sheet.figure, name, sheet.width / len(panels) * 0.7), loc="left", size=canvas.TEXT
            )
            ax.set_yticks(range(len(order)), [""] * len(order))
        names = [str((labels or {}).get(name, name)) for name in order]
        names = [canvas.wrapped(sheet.figure, name, sheet.width * BALANCE_NAME_SHARE) for name in names]
        axes[0].set_yticks(range(len(order)), names)
        axes[len(panels) // 2].set_xlabel("Standardised mean difference (absolute)")
        for x, words, color in ((0, "○ as it is", canvas.SOFT_INK), (54, "■ weighted", canvas.BLUE)):
            canvas.write(axes[0], words, (0, 0), (x, -32), weight="bold", color=color)
        taller = 1 + BALANCE_TALLER * max(name.count("\n") for name in names)
        sheet.finish(BALANCE_ROW * taller * (len(order) + 1) / canvas.POINTS * canvas.MM_PER_INCH)
    return sheet.figure


def _panels(balance: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each panel: of each pair, or the largest of all pairs; differences without their sign."""
    names = ["difference", "weighted_difference"]
    rows = balance.assign(**balance[names].abs())
    pairs = rows["stratum_a"].astype(str) + " and " + rows["stratum_b"].astype(str)
    if pairs.nunique() > MOST_PANELS:
        largest = rows.groupby("covariate", sort=False)[names].max().reset_index()
        return {f"largest of {pairs.nunique()} pairs of strata": largest}
    return {name: rows[pairs == name] for name in canvas.ordered_labels(pairs)}


def _draw_balance(ax: Axes, rows: pd.DataFrame, bound: float, end: float) -> None:
    """One panel: open marks before, filled ones after weighting, a thin line between the two."""
    heights = np.arange(len(rows))
    ax.axvspan(0, bound, color=canvas.BLUE, alpha=0.08, linewidth=0, label="_balanced")
    ax.axvline(bound, color=canvas.SOFT_INK, linewidth=0.6, linestyle=(0, (3, 2)), label="_bound")
    ax.hlines(heights, 0, end, color=canvas.HAIRLINE, linewidth=0.4, zorder=0)
    both = rows["weighted_difference"].notna()
    ax.hlines(
        heights[both], rows["difference"][both], rows["weighted_difference"][both], color=canvas.BLUE, linewidth=0.8,
        alpha=0.6,
    )  # fmt: skip
    look: dict[str, Any] = {"linestyle": "none", "markersize": 4.6, "markeredgewidth": 1.0, "clip_on": False}
    ax.plot(
        rows["difference"], heights, marker="o", color=canvas.SOFT_INK, markerfacecolor="white", label="_as it is",
        **look,
    )  # fmt: skip
    ax.plot(rows["weighted_difference"], heights, marker="s", color=canvas.BLUE, label="_weighted", **look)
    ax.set_xlim(0, end)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
