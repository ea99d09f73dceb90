"""Missing values: which and with whom, and a hazard ratio along what they are assumed to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.present import canvas
from analysis.present.figures.forest import LOOKS
from analysis.present.text import format_count, format_share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR, GAP, KEY_ROW = 10.0, 6.0, 11.0
SHIFT_COLUMNS = ("shift", "hazard_ratio", "conf_low", "conf_high")


def plot_missing(
    missing: pd.DataFrame,
    *,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Without a value",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(missing, "missing", ("column", "whom", "n", "n_missing", "share"))
    totals = missing.groupby("column", sort=False, observed=True)["n_missing"].sum()
    columns = [str(name) for name in totals[totals > 0].sort_values(ascending=False, kind="stable").index]
    whom = canvas.ordered_labels(missing["whom"])
    styles = canvas.stratum_styles(whom)
    step = BAR * len(whom) + GAP
    height = max(len(columns), 1) * step
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        _name_columns(target, columns, step, height)
        target.set_xlabel(x_label)
        _write_key(target, styles)
        target.set_xlim(0, 1.02 * max(float(missing["share"].max()), 0.01))
        for row in missing.astype({"column": str, "whom": str}).to_dict("records"):
            if row["column"] not in columns:
                continue
            style = styles[row["whom"]]
            y = columns.index(row["column"]) * step + BAR * (whom.index(row["whom"]) + 0.5) + GAP / 2
            target.barh(y, row["share"], height=0.8 * BAR, color=style.color, alpha=0.85, label=f"_{row['whom']}")
            words = f"{format_share(row['share'])} ({format_count(row['n_missing'])} of {format_count(row['n'])})"
            canvas.write(target, words, (row["share"], y), (3, 0), coords="data", va="center", color=style.ink)
        sheet.finish(canvas.millimetres(height))
    return sheet.figure


def _name_columns(ax: Axes, columns: list[str], step: float, height: float) -> None:
    """Columns down the left side, shares below."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = canvas.figure_of(ax)
    room = 0.3 * canvas.page_width(figure)
    ax.set_ylim(height, 0)
    ax.set_yticks(
        [step * (number + 0.5) for number in range(len(columns))],
        [canvas.wrapped(figure, name, room) for name in columns],
    )
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))


def _write_key(ax: Axes, styles: dict[str, canvas.StratumStyle]) -> None:
    """Who is drawn in which colour, in a line over the bars (one under the other where too wide)."""
    figure = canvas.figure_of(ax)
    size = canvas.SMALL
    widths = [canvas.text_size(figure, f"■ {name}", size=size, weight="bold")[0] + 12 for name in styles]
    stacked = sum(widths) > 0.6 * canvas.page_width(figure)
    x, y = 0.0, 4.0 + (KEY_ROW * (len(styles) - 1) if stacked else 0.0)
    for (name, style), wide in zip(styles.items(), widths, strict=True):
        canvas.write(ax, f"■ {name}", (0, 1), (x, y), weight="bold", color=style.ink)
        x, y = (x, y - KEY_ROW) if stacked else (x + wide, y)


def plot_shifts(
    estimates: pd.DataFrame,
    *,
    beside: pd.DataFrame | None = None,
    name: str = "imputed",
    x_label: str = "Added to each imputed value",
    y_label: str = "Hazard ratio",
    title: str = "",
    subtitle: str = "",
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(estimates, "estimates", SHIFT_COLUMNS)
    if beside is not None:
        canvas.need_columns(beside, "beside", ("label", "kind", "hazard_ratio"))
    rows = estimates.sort_values("shift", kind="stable")
    others = [] if beside is None else beside.dropna(subset=["hazard_ratio"]).to_dict("records")
    levels = [float(other["hazard_ratio"]) for other in others]
    height = 58.0 if canvas.is_wide(width) else 46.0
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target, room = sheet.ax, sheet.room(height)
        limits = canvas.ratio_limits(rows[["hazard_ratio", "conf_low", "conf_high"]], levels)
        canvas.set_ratio_axis(target, *limits, room=room)
        _draw_shifts(target, rows)
        names = [(name, float(rows["hazard_ratio"].iloc[-1]), canvas.BLUE_INK)]
        for other, level in zip(others, levels, strict=True):
            color = LOOKS.get(str(other["kind"]), LOOKS["crude"])[1]
            dashes = (1, 1.5) if other["kind"] == "truth" else (5, 2)
            target.axhline(level, color=color, linewidth=1.1, linestyle=(0, dashes), label=f"_{other['label']}")
            names.append((str(other["label"]), level, color if color != canvas.SOFT_INK else canvas.INK))
        target.set_xlabel(x_label)
        target.set_ylabel(y_label)
        canvas.name_ends(target, names, room, apart=1.0)
        sheet.finish(height)
    return sheet.figure


def _draw_shifts(ax: Axes, rows: pd.DataFrame) -> None:
    """The estimates: a line with a band, a mark at each shift, and no shift pointed out."""
    ax.fill_between(rows["shift"], rows["conf_low"], rows["conf_high"], color=canvas.BLUE, alpha=0.16, linewidth=0)
    ax.plot(rows["shift"], rows["hazard_ratio"], color=canvas.BLUE, marker="s", markersize=4, label="_imputed")
    ax.axvline(0, color=canvas.SOFT_INK, linewidth=0.6, label="_no shift")
    ax.set_xticks(rows["shift"], [f"{shift:+g}".replace("-", "−") if shift else "0" for shift in rows["shift"]])
    ax.margins(x=0.02)
