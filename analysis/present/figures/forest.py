"""Estimates one under the other: hazard ratios with their intervals, and how far strata differ in each covariate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.errors import InputError, raise_all
from analysis.present import canvas
from analysis.present.text import format_count, format_p, format_ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    from analysis.present.canvas.words import Language

COLUMNS = ("group", "label", "kind", "hazard_ratio", "conf_low", "conf_high")
RATIO = ("hazard_ratio", "conf_low", "conf_high")
BALANCE_COLUMNS = ("covariate", "stratum_a", "stratum_b", "difference", "weighted_difference")
ROW, TALLER, GROUP_GAP = 12.5, 0.75, 0.3  # points; of a row: a further line of text, and the space before a group
TICKS_APART, NAME_SHARE, NARROW_NAME_SHARE = 19.0, 0.42, 0.29
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
    x_label: str | None = None,
    heading: str | None = None,
    palette: Mapping[str, str] | None = None,
    words: Language | Mapping[str, str] = "en",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    estimates : DataFrame
        As `hazard_ratios` gives them (term hazard_ratio conf_low conf_high, a row a term), or `subgroup_effects`
        (subgroup level ..., with the p-value of the interaction behind the subgroup's name), or several estimates of
        your own in the order of drawing: label hazard_ratio conf_low conf_high, and at choice group (its name stands
        over the rows) and kind: "crude", "adjusted", "truth" (open mark, no interval) or "wrong" (a cross); others are
        drawn as crude. Columns n and n_event, where they are there, are written beside the names.
    reference : float
        Where there is no difference.
    title, subtitle, x_label : str, optional
    heading : str, optional
        Over the column of numbers: "HR (95% CI)" by default.
    palette : mapping, optional
        Kind to colour.
    words : {"en", "de", "fr", "it", "es"} or mapping
        As for `plot_survival`.
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
    estimates, language = _read(estimates), canvas.words_of(words)
    looks = _looks(palette)
    limits = canvas.ratio_limits(estimates[["hazard_ratio", "conf_low", "conf_high"]], reference=reference)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        lines, depth = _lines(sheet.figure, estimates, language)
        room = canvas.axes_size(target)[0]
        canvas.set_ratio_axis(target, *limits, room=room, reference=reference, upright=False, apart=TICKS_APART)
        target.set_ylim(depth - 0.25, -0.75)
        target.set_yticks([])
        target.spines["left"].set_visible(False)
        target.set_xlabel(language["Hazard ratio (logarithmic axis)"] if x_label is None else x_label)
        for _, y, row in lines:
            if row is not None:
                _draw_estimate(target, y, row, limits, looks.get(str(row["kind"]), looks["crude"]))
        _write_lines(target, lines, language["HR (95% CI)"] if heading is None else heading, language)
        sheet.finish(canvas.millimetres(ROW * (depth + 0.5)))
        canvas.set_ratio_ticks(target, canvas.axes_size(target)[0], upright=False, apart=TICKS_APART)
    return sheet.figure


def _read(estimates: pd.DataFrame) -> pd.DataFrame:
    """The estimates with the columns that are drawn, whichever function gave them."""
    name = next((column for column in ("label", "term", "level") if column in estimates), "label")
    canvas.need_columns(estimates, "estimates", (name, *RATIO))
    rows = estimates.assign(label=estimates[name].astype(str))
    if "group" not in rows:
        rows["group"] = rows["subgroup"].astype(str) if name == "level" and "subgroup" in rows else ""
        if name == "level":
            rows.loc[rows["group"] == rows["label"], "group"] = ""  # "all", of all
    return rows if "kind" in rows else rows.assign(kind="crude")


def _looks(palette: Mapping[str, str] | None) -> dict[str, tuple[str, str, bool]]:
    """Marker, colour and filling of each kind, some colours replaced."""
    given = dict(palette or {})
    kinds = ", ".join(map(repr, LOOKS))
    problems = [f"palette: no kind {kind!r}; the kinds are {kinds}" for kind in given if kind not in LOOKS]
    raise_all([*problems, *canvas.color_problems(given.values())], InputError)
    return {kind: (marker, given.get(kind, color), filled) for kind, (marker, color, filled) in LOOKS.items()}


def _lines(figure: Figure, estimates: pd.DataFrame, language: canvas.Words) -> tuple[list[Line], float]:
    """Text, height and estimate of each line, a group's name over its rows, wrapped where too long; and the depth."""
    page = canvas.page_width(figure)
    share = NAME_SHARE if canvas.is_wide(canvas.MM_PER_INCH * figure.get_figwidth()) else NARROW_NAME_SHARE
    lines: list[Line] = []
    depth = 0.0
    for group, rows in estimates.groupby("group", sort=False, observed=True):
        if str(group):
            depth += GROUP_GAP if lines else 0.0
            heading = f"{group}{_interaction(rows, language)}"
            name = canvas.wrapped(figure, heading, page - 12, weight="bold")
            lines.append((name, depth + name.count("\n") * TALLER / 2, None))
            depth += 1 + name.count("\n") * TALLER
        for row in rows.to_dict("records"):
            label = canvas.wrapped(figure, str(row["label"]), share * page)
            taller = label.count("\n") * TALLER
            lines.append((label, depth + taller / 2, row))
            depth += 1 + taller
    return lines, depth


def _interaction(rows: pd.DataFrame, language: canvas.Words) -> str:
    """The p-value of a subgroup's interaction, behind its name."""
    p_value = rows["interaction_p_value"].iloc[0] if "interaction_p_value" in rows else None
    return "" if pd.isna(p_value) else f" ({language['interaction p']} {language.number(format_p(p_value))})"


def _draw_estimate(
    ax: Axes, y: float, row: Mapping[Any, Any], limits: tuple[float, float], look: tuple[str, str, bool]
) -> None:
    """One estimate: its mark, and its interval where it has one, with an arrow where that leaves the axis."""
    marker, color, filled = look
    low, high = limits
    estimate, left, right = (float(row[name]) for name in ("hazard_ratio", "conf_low", "conf_high"))
    if not (math.isnan(left) and math.isnan(right)):
        ends = np.clip([low if math.isnan(left) else left, high if math.isnan(right) else right], low, high)
        ax.plot(ends, [y, y], color=color, linewidth=canvas.stroke(1.2), label=f"_{row['label']}, interval")
        for end, edge, arrow in ((left, low, "<"), (right, high, ">")):
            if not low <= end <= high:  # beyond the axis, or undefined
                ax.plot([edge], [y], marker=arrow, color=color, markersize=canvas.points(4), clip_on=False)
    if low <= estimate <= high:
        ax.plot(
            [estimate], [y], marker=marker, markersize=canvas.points(4.6), color=color, linestyle="none", zorder=3,
            markerfacecolor=color if filled else "white", markeredgewidth=1.1, label=str(row["label"]),
        )  # fmt: skip


def _write_lines(ax: Axes, lines: list[Line], heading: str, language: canvas.Words) -> None:
    """Names at the left with numbers of patients where known, estimates in aligned columns at the right."""
    figure = canvas.figure_of(ax)
    counts = ["" if row is None else _counts(row, language) for *_, row in lines]
    wide = max(canvas.text_size(figure, text)[0] for text in counts)
    if wide:
        wide = max(wide, canvas.text_size(figure, language["n (events)"], weight="bold")[0])
        _beside(ax, language["n (events)"], -0.9, 0.0, -10.0, ha="right", weight="bold")
    left = 10 + max(canvas.text_size(figure, text)[0] for text, _, row in lines if row) + (wide and wide + 12)
    ratios = ["" if row is None else language.number(format_ratio(float(row["hazard_ratio"]))) for *_, row in lines]
    right = 8 + max(canvas.text_size(figure, ratio)[0] for ratio in ratios)
    _beside(ax, heading, -0.9, 1.0, 8.0, weight="bold")
    for (text, y, row), ratio, count in zip(lines, ratios, counts, strict=True):
        if row is None:
            group = _beside(ax, text, y, 0.0, -left - 6, weight="bold")
            group.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            continue
        _beside(ax, text, y, 0.0, -left)
        _beside(ax, count, y, 0.0, -10.0, ha="right")
        _beside(ax, ratio, y, 1.0, right, ha="right")
        low, high = float(row["conf_low"]), float(row["conf_high"])
        if not (math.isnan(low) and math.isnan(high)):
            between, limits = f" {language['to']} ", (language.number(format_ratio(limit)) for limit in (low, high))
            _beside(ax, f"({between.join(limits)})", y, 1.0, right + 4)


def _counts(row: Mapping[Any, Any], language: canvas.Words) -> str:
    """Patients and their events, where the frame has them."""
    if "n" not in row or pd.isna(row["n"]):
        return ""
    events = f" ({format_count(row['n_event'])})" if "n_event" in row and not pd.isna(row["n_event"]) else ""
    return language.number(f"{format_count(row['n'])}{events}")


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
                canvas.wrapped(sheet.figure, name, sheet.width / len(panels) * 0.7),
                loc="left",
                size=canvas.points(canvas.TEXT),
            )
            ax.set_yticks(range(len(order)), [""] * len(order))
        names = [str((labels or {}).get(name, name)) for name in order]
        names = [canvas.wrapped(sheet.figure, name, sheet.width * BALANCE_NAME_SHARE) for name in names]
        axes[0].set_yticks(range(len(order)), names)
        axes[len(panels) // 2].set_xlabel("Standardised mean difference (absolute)")
        for x, words, color in ((0, "○ as it is", canvas.SOFT_INK), (54, "■ weighted", canvas.BLUE)):
            canvas.write(axes[0], words, (0, 0), (x, -32), weight="bold", color=color)
        taller = 1 + BALANCE_TALLER * max(name.count("\n") for name in names)
        sheet.finish(canvas.millimetres(BALANCE_ROW * taller * (len(order) + 1)))
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
