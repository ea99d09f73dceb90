"""Survival curves as a journal prints them, and follow-up and adjusted curves in the same dress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.figures.survival_labels import (
    estimates_fit,
    join_ends,
    label_ends,
    write_estimates,
    write_medians,
    write_truth,
)
from analysis.present.figures.survival_lines import draw_curve, draw_risk_table, draw_truth, drawn_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_censor", "survival", "conf_low", "conf_high")
RISK_COLUMNS = ("stratum", "time", "n_risk", "n_event", "n_censor")


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
    width: float = canvas.TWO_COLUMNS,
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
    canvas.need_columns(curves, "curves", CURVE_COLUMNS)
    if "rows_at" in curves and (curves["rows_at"] == "chosen times").any():
        raise InputError(
            "curves: their rows stand at chosen times only; leave times out of adjusted_curves to draw steps"
        )
    groups, estimates = canvas.by_label(curves, "stratum"), tuple(estimates)
    ticks = _ticks(curves, risk, horizon, time_unit)
    end = horizon if horizon is not None else max(float(curves["time"].max()), *ticks)
    height, styles = 78.0 if canvas.is_wide(width) else 58.0, canvas.stratum_styles(list(groups))
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax) as sheet:
        target = sheet.ax
        canvas.set_share_of_time_axes(target, ticks, end)
        target.set_xlabel(x_label, labelpad=4)
        target.set_ylabel(y_label, labelpad=4)
        shown = {label: drawn_part(rows, end) for label, rows in groups.items()}
        for label, rows in shown.items():
            draw_curve(target, rows, styles[label], label)
        truths = draw_truth(target, truth, styles)
        ends = label_ends(target, shown, styles, descriptions, sheet.room(height))
        sheet.fit(height)
        if risk is not None:
            draw_risk_table(target, risk, styles)
        sheet.fit(height)
        space = canvas.Space(target)
        for rows in shown.values():
            space.take_band(rows["time"], rows["conf_low"], rows["conf_high"])
            space.take_steps(rows["time"], rows["survival"])
        for x, y in truths.values():
            space.take_line(x, y)
        inside = bool(estimates) and (not sheet.own or estimates_fit(target, estimates, space))
        sheet.finish(height, rows=() if inside else estimates)
        join_ends(target, ends)
        if inside:
            write_estimates(target, estimates, space)
        if medians is not None:
            write_medians(target, medians, styles, space)
        write_truth(target, truths, space)
    return sheet.figure


def _ticks(curves: pd.DataFrame, risk: pd.DataFrame | None, horizon: float | None, time_unit: str) -> tuple[float, ...]:
    """The times of the risk table, else steps that suit the unit."""
    last = horizon if horizon is not None else float(curves["time"].max())
    if risk is None:
        return canvas.breaks_for(last, time_unit) if last > 0 else (0.0,)
    canvas.need_columns(risk, "risk", RISK_COLUMNS)
    times = sorted({float(time) for time in risk["time"]})
    return tuple(time for time in times if horizon is None or time <= horizon)


def plot_follow_up(
    curves: pd.DataFrame,
    *,
    time_unit: str = "months",
    time_zero: str = "",
    title: str = "",
    subtitle: str = "",
    medians: pd.DataFrame | None = None,
    width: float = canvas.TWO_COLUMNS,
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
        curves.assign(n_censor=0), medians=medians, title=title, subtitle=subtitle, time_unit=time_unit, width=width,
        x_label=f"{time_unit[:1].upper()}{time_unit[1:]}{start}", y_label="Still under follow-up",
        synthetic=synthetic, ax=ax,
    )  # fmt: skip


def plot_adjusted(
    curves: pd.DataFrame,
    crude: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str = "Months from first infusion",
    y_label: str = "Survival",
    time_unit: str = "months",
    width: float = canvas.TWO_COLUMNS,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw adjusted curves with their bands, and the crude curves as thin lines behind them.

    Parameters
    ----------
    curves : DataFrame
        As `AdjustedCurves.curves`.
    crude : DataFrame
        As `kaplan_meier` gives them: stratum time survival, drawn thin, without bands.
    risk : DataFrame, optional
        As `risk_table` gives it: the numbers of the cohort, not weighted.
    truth : DataFrame, optional
        stratum time survival: what the adjusted curves estimate, drawn dotted.
    descriptions, title, subtitle, x_label, y_label, time_unit, width, synthetic, ax
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
    >>> curves = pd.DataFrame({"stratum": "low", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> figure = plot_adjusted(curves, curves.assign(survival=[1, 0.6]))
    >>> [text.get_text() for text in figure.axes[0].texts if "thin" in text.get_text()]
    ['thin lines: crude']
    """
    canvas.need_columns(crude, "crude", ("stratum", "time", "survival", "n_risk"))
    figure = plot_survival(
        curves.assign(n_censor=0), risk=risk, truth=truth, descriptions=descriptions, title=title, subtitle=subtitle,
        x_label=x_label, y_label=y_label, time_unit=time_unit, width=width, synthetic=synthetic, ax=ax,
    )  # fmt: skip
    target = ax if ax is not None else figure.axes[0]
    styles = canvas.stratum_styles(list(canvas.by_label(curves, "stratum")))
    with canvas.figure_style():
        for label, rows in canvas.by_label(crude, "stratum").items():
            if label in styles:
                shown = drawn_part(rows, target.get_xlim()[1])
                target.step(
                    shown["time"], shown["survival"], where="post", label=f"_{label}, crude", zorder=2.5,
                    color=styles[label].color, linewidth=0.7, alpha=0.75,
                )  # fmt: skip
        canvas.write(target, "thin lines: crude", (1, 1), (-2, -2), ha="right", va="top", color=canvas.SOFT_INK)
    return figure
