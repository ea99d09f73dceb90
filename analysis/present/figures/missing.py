"""Which values are missing, and with whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import (
    MM_PER_INCH,
    POINTS,
    SMALL,
    TWO_COLUMNS,
    StratumStyle,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    head_axes,
    need_columns,
    ordered_labels,
    stratum_styles,
    text_size,
    wrapped,
)
from analysis.present.text import format_count, format_share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR, GAP, KEY_ROW = 10.0, 6.0, 11.0


def plot_missing(
    missing: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Without a value",
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw the share of missing values of each column, by whom; columns without any are left out.

    Parameters
    ----------
    missing : DataFrame
        column whom n n_missing share.
    title, subtitle, x_label, width, synthetic, ax
        As for `plot_survival`.

    Returns
    -------
    Figure
        Columns from top to bottom, the most often missing first, each bar with its counts.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn.

    Examples
    --------
    >>> frame = pd.DataFrame({"column": "albumin", "whom": ["alive", "dead"], "n": 50, "n_missing": [2, 5],
    ...                       "share": [0.04, 0.1]})
    >>> [text.get_text() for text in plot_missing(frame).axes[0].texts][-2:]
    ['4.0% (2 of 50)', '10.0% (5 of 50)']
    """
    need_columns(missing, "missing", ("column", "whom", "n", "n_missing", "share"))
    totals = missing.groupby("column", sort=False, observed=True)["n_missing"].sum()
    columns = [str(name) for name in totals[totals > 0].sort_values(ascending=False, kind="stable").index]
    whom = ordered_labels(missing["whom"])
    styles = stratum_styles(whom)
    height = max(len(columns), 1) * (BAR * len(whom) + GAP)
    with figure_style():
        target, own = drawing_axes(ax, width)
        _set_axes(target, columns, len(whom), height, x_label)
        _write_key(target, whom, styles)
        target.set_xlim(0, 1.02 * max(float(missing["share"].max()), 0.01))
        known = missing.assign(column=missing["column"].astype(str), whom=missing["whom"].astype(str))
        for row in known[known["column"].isin(columns)].to_dict("records"):
            style = styles[row["whom"]]
            y = columns.index(row["column"]) * (BAR * len(whom) + GAP) + BAR * (whom.index(row["whom"]) + 0.5) + GAP / 2
            target.barh(y, row["share"], height=0.8 * BAR, color=style.color, alpha=0.85, label=f"_{row['whom']}")
            words = f"{format_share(row['share'])} ({format_count(row['n_missing'])} of {format_count(row['n'])})"
            target.annotate(
                words, (row["share"], y), (3, 0), textcoords="offset points", va="center", size=SMALL, color=style.ink,
                annotation_clip=False,
            )  # fmt: skip
        if own:
            mm = height / POINTS * MM_PER_INCH
            finish(figure_of(target), mm, title=title, subtitle=subtitle, synthetic=synthetic)
        else:
            head_axes(target, title=title, subtitle=subtitle, synthetic=synthetic)
    return figure_of(target)


def _set_axes(ax: Axes, columns: list[str], n_whom: int, height: float, x_label: str) -> None:
    """Columns down the left side, shares below."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = figure_of(ax)
    room = 0.3 * POINTS * figure.get_figwidth()
    step = BAR * n_whom + GAP
    ax.set_ylim(height, 0)
    ax.set_yticks(
        [step * (place + 0.5) for place in range(len(columns))], [wrapped(figure, name, room) for name in columns]
    )
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    ax.set_xlabel(x_label)


def _write_key(ax: Axes, whom: list[str], styles: dict[str, StratumStyle]) -> None:
    """Who is drawn in which colour, in a line over the bars (one under the other where too wide)."""
    figure = figure_of(ax)
    widths = [text_size(figure, f"■ {name}", size=SMALL, weight="bold")[0] + 12 for name in whom]
    stacked = sum(widths) > 0.6 * POINTS * figure.get_figwidth()
    x, y = 0.0, 4.0 + (KEY_ROW * (len(whom) - 1) if stacked else 0.0)
    for name, wide in zip(whom, widths, strict=True):
        ax.annotate(
            f"■ {name}", (0, 1), (x, y), xycoords="axes fraction", textcoords="offset points", size=SMALL,
            weight="bold", color=styles[name].ink, annotation_clip=False,
        )  # fmt: skip
        x, y = (x, y - KEY_ROW) if stacked else (x + wide, y)
