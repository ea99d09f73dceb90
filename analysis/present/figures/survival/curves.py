"""Survival curves as a journal prints them, and follow-up in the same dress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import InputError
from analysis.present.canvas import (
    MM_PER_INCH,
    ONE_COLUMN,
    POINTS,
    TWO_COLUMNS,
    Space,
    StratumStyle,
    breaks_for,
    by_label,
    drawing_axes,
    figure_of,
    figure_style,
    finish,
    fit,
    head_axes,
    need_columns,
    stratum_styles,
)
from analysis.present.figures.survival.labels import (
    estimates_fit,
    label_ends,
    write_estimates,
    write_medians,
    write_truth,
)
from analysis.present.figures.survival.lines import Points, draw_curve, draw_truth, drawn_part
from analysis.present.figures.survival.risk_table import draw_risk_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ONE_COLUMN", "TWO_COLUMNS", "breaks_for", "plot_follow_up", "plot_survival"]

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_censor", "survival", "conf_low", "conf_high")


def plot_survival(
    curves: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    medians: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    estimates: Sequence[tuple[str, str]] = (),
    title: str = "",
    subtitle: str = "",
    x_label: str = "Months from first infusion",
    y_label: str = "Survival",
    time_unit: str = "months",
    horizon: float | None = None,
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw survival curves with their bands, labels at their ends, and the numbers at risk under the ticks.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` gives them: stratum time n_risk n_event n_censor survival std_error conf_low conf_high.
    risk : DataFrame, optional
        As `risk_table` gives it (stratum time n_risk n_event n_censor); its times are the ticks. `breaks_for` proposes
        some.
    truth : DataFrame, optional
        stratum time survival: drawn dotted.
    medians : DataFrame, optional
        As `survival_quantile` gives them (stratum probability time): read off the axis.
    descriptions : mapping, optional
        Stratum to what it means, such as "< 0.75 mmol/L"; stands under its name.
    estimates : sequence of (str, str)
        Rows of a label and a value, placed where they cover no curve.
    title, subtitle : str
        A title that says the finding, a subtitle that says the method.
    x_label, y_label : str
    time_unit : str
        For the ticks where `risk` is not given.
    horizon : float, optional
        Where the axis ends; the last follow-up time (or tick) by default.
    width : float
        Of the figure in mm: `ONE_COLUMN` (85) or `TWO_COLUMNS` (174).
    synthetic : bool
        Mark the figure as synthetic and illustrative.
    ax : Axes, optional
        Draw on these axes; leave room for what stands around them. A figure of its own by default.

    Returns
    -------
    Figure
        The figure drawn on; ``figure.axes[0]`` are its axes. It belongs to no window and needs no closing.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; adjusted curves at chosen times, whose steps between
        these are unknown.

    Notes
    -----
    Curves and bands are pale where fewer than 10 remain at risk. The table follows KMunicate: Morris et al. (2019),
    BMJ Open 9:e030215.

    Examples
    --------
    >>> curves = pd.DataFrame({"stratum": "all", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> plot_survival(curves, y_label="Overall survival").axes[0].get_ylabel()
    'Overall survival'
    """
    need_columns(curves, "curves", CURVE_COLUMNS)
    if "rows_at" in curves and (curves["rows_at"] == "chosen times").any():
        raise InputError(
            "curves: their rows stand at chosen times only; leave times out of adjusted_curves to draw steps"
        )
    groups = by_label(curves, "stratum")
    ticks = _ticks(curves, risk, horizon, time_unit)
    end = horizon if horizon is not None else max(float(curves["time"].max()), *ticks)
    words = _Words(descriptions or {}, tuple(estimates), medians, truth, risk, title, subtitle)
    with figure_style():
        target, own = drawing_axes(ax, width)
        _set_axes(target, ticks, end, x_label, y_label)
        shown = {label: drawn_part(rows, end) for label, rows in groups.items()}
        styles = stratum_styles(list(groups))
        for label, rows in shown.items():
            draw_curve(target, rows, styles[label], label)
        _write_around(target, shown, styles, words, own=own, width=width, synthetic=synthetic)
    return figure_of(target)


def plot_follow_up(
    curves: pd.DataFrame,
    *,
    time_unit: str = "months",
    time_zero: str = "",
    title: str = "",
    subtitle: str = "",
    medians: pd.DataFrame | None = None,
    width: float = TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw how long patients were followed: reverse Kaplan-Meier curves by stratum.

    Parameters
    ----------
    curves : DataFrame
        `kaplan_meier` of the cohort with its event reversed: the end of follow-up is the event.
    time_unit : str
    time_zero : str
        Where follow-up starts, for the axis, such as "first infusion".
    title, subtitle, medians, width, synthetic, ax
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
    >>> curves = pd.DataFrame({"stratum": "all", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> plot_follow_up(curves, time_zero="surgery").axes[0].get_xlabel()
    'Months from surgery'
    """
    start = f" from {time_zero}" if time_zero else ""
    return plot_survival(
        curves.assign(n_censor=0),
        medians=medians,
        title=title,
        subtitle=subtitle,
        x_label=f"{time_unit[:1].upper()}{time_unit[1:]}{start}",
        y_label="Still under follow-up",
        time_unit=time_unit,
        width=width,
        synthetic=synthetic,
        ax=ax,
    )


@dataclass(frozen=True, eq=False)
class _Words:
    """What is written around and between the curves."""

    descriptions: Mapping[str, str]
    estimates: tuple[tuple[str, str], ...]
    medians: pd.DataFrame | None
    truth: pd.DataFrame | None
    risk: pd.DataFrame | None
    title: str
    subtitle: str


def _ticks(curves: pd.DataFrame, risk: pd.DataFrame | None, horizon: float | None, time_unit: str) -> tuple[float, ...]:
    """The times of the risk table, else steps that suit the unit."""
    last = horizon if horizon is not None else float(curves["time"].max())
    if risk is None:
        return breaks_for(last, time_unit) if last > 0 else (0.0,)
    need_columns(risk, "risk", ("stratum", "time", "n_risk", "n_event", "n_censor"))
    times = sorted({float(time) for time in risk["time"]})
    return tuple(time for time in times if horizon is None or time <= horizon)


def _set_axes(ax: Axes, ticks: Sequence[float], end: float, x_label: str, y_label: str) -> None:
    """Both axes: times from 0 to the end, shares from 0 to 100 %."""
    ax.set_xlim(0.0, end if end > 0 else 1.0)
    ax.set_ylim(0.0, 1.0)
    ax.set_xticks(list(ticks), [f"{time:g}" for time in ticks])
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25%", "50%", "75%", "100%"])
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis="y", color="#e6e8eb", linewidth=0.5)
    ax.set_xlabel(x_label, labelpad=4)
    ax.set_ylabel(y_label, labelpad=4)


def _write_around(
    ax: Axes,
    groups: Mapping[str, pd.DataFrame],
    styles: Mapping[str, StratumStyle],
    words: _Words,
    *,
    own: bool,
    width: float,
    synthetic: bool,
) -> None:
    """Truth, end labels, risk table, heading and what stands between the curves, in the order that layout needs."""
    height = 78.0 if width > 1.5 * ONE_COLUMN else 58.0
    figure = figure_of(ax)
    truths = draw_truth(ax, words.truth, groups, styles) if words.truth is not None else {}
    ends = label_ends(ax, groups, styles, words.descriptions)
    tall = POINTS * height / MM_PER_INCH if own else ax.get_window_extent().height * POINTS / figure.dpi
    ends.settle(tall)
    if own:
        fit(figure, height)
    if words.risk is not None:
        known = {label: part for label, part in by_label(words.risk, "stratum").items() if label in styles}
        draw_risk_table(ax, known, styles)
    if own:
        fit(figure, height)
    space = _space_between(ax, groups, truths)
    inside = bool(words.estimates) and (not own or estimates_fit(ax, words.estimates, space))
    if own:
        rows = () if inside else words.estimates
        finish(figure, height, title=words.title, subtitle=words.subtitle, synthetic=synthetic, rows=rows)
    else:
        head_axes(ax, title=words.title, subtitle=words.subtitle, synthetic=synthetic)
    ends.join()
    if inside:
        write_estimates(ax, words.estimates, space)
    if words.medians is not None:
        write_medians(ax, words.medians, styles, space)
    write_truth(ax, truths, space)


def _space_between(ax: Axes, groups: Mapping[str, pd.DataFrame], truths: Mapping[str, Points]) -> Space:
    """What the curves, their bands and the planted curves leave free."""
    space = Space(ax)
    for rows in groups.values():
        space.take_band(rows["time"], rows["conf_low"], rows["conf_high"])
        space.take_steps(rows["time"], rows["survival"])
    for x, y in truths.values():
        space.take_line(x, y)
    return space
