"""Survival curves as a journal prints them; follow-up, adjusted curves and cumulative incidence in the same dress."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from analysis.errors import InputError
from analysis.present import canvas
from analysis.present.figures import curve_panels as panels
from analysis.present.figures.survival_lines import Look, RiskRows, drawn_part
from analysis.present.text import format_p

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.present.canvas.strata import Linestyles, Palette
    from analysis.present.canvas.words import Language

INCIDENCE_COLUMNS = ("stratum", "cause", "time", "incidence", "conf_low", "conf_high", "n_risk")


def plot_survival(
    curves: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    medians: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    estimates: Sequence[tuple[str, str]] = (),
    logrank_p: float | None = None,
    facet: str | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str | None = None,
    y_label: str | None = None,
    time_unit: str = "months",
    horizon: float | None = None,
    palette: Palette | None = None,
    linestyles: Linestyles | None = None,
    band: bool = True,
    censor_marks: bool = True,
    risk_rows: RiskRows = "at_risk",
    words: Language | Mapping[str, str] = "en",
    width: float = canvas.TWO_COLUMNS,
    height: float | None = None,
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
    logrank_p : float, optional
        Such as ``logrank_test(...).p_value``: a last row of the estimates.
    facet : str, optional
        A column of all frames given: a panel for each of its levels, on shared axes, each over its numbers at risk.
    title, subtitle : str
        A title that says the finding, a subtitle that says the method.
    x_label, y_label : str, optional
        By default the unit of time, and "Survival", in the figure's language.
    time_unit : str
        For the ticks where `risk` is not given, and the label of the axis.
    horizon : float, optional
        Where the axis ends; the last follow-up time (or tick) by default.
    palette : str, sequence or mapping, optional
        Colours: the name of one of seaborn's palettes, a colour for each stratum, or stratum to colour.
    linestyles : str, sequence or mapping, optional
        matplotlib's line styles ("-", "--", (0, (4, 2)), ...): one for all, one for each, or stratum to style.
    band, censor_marks : bool
        Whether intervals are shaded, and censored times marked.
    risk_rows : {"at_risk", "at_risk_events", "kmunicate"}
        Under the ticks one row a stratum, the number at risk; the events so far in brackets behind it; or three rows:
        at risk, censored and events.
    words : {"en", "de", "fr", "it", "es"} or mapping
        The language of the figure's own words and of its decimals; a mapping of English words to others, with
        "decimal", "thousands" and "percent" for the marks.
    width : float
        Of the figure in mm: `ONE_COLUMN` (85) or `TWO_COLUMNS` (174).
    height : float, optional
        Of a panel's axes in mm, 78 by default (58 in one column); what stands around them comes on top.
    synthetic : bool
        Mark the figure as synthetic and illustrative.
    ax : Axes, optional
        Draw on these axes, which are made smaller until the names and numbers around them have room. A figure of its
        own by default.

    Returns
    -------
    Figure
        The figure drawn on; ``figure.axes[0]`` are its (first) axes. pyplot knows it: ``plt.show()``, ``plt.savefig``.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; adjusted curves at chosen times, whose steps between
        these are unknown; an option with a value that it has not; axes too small for what stands around them.

    Notes
    -----
    Curves and bands are pale where fewer than 10 remain at risk. The table in three rows follows KMunicate: Morris et
    al. (2019), BMJ Open 9:e030215. Font, sizes and colours that you have set in matplotlib or seaborn are respected;
    `figure_style` draws in the house style whatever is set.

    Examples
    --------
    >>> curves = pd.DataFrame({"stratum": "all", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> plot_survival(curves, y_label="Overall survival").axes[0].get_ylabel()
    'Overall survival'
    >>> plot_survival(curves, words="de").axes[0].get_xlabel()
    'Monate'
    """
    panels.check_options(risk_rows, height)
    panels.check_curves(curves)
    if facet is not None and ax is not None:
        raise InputError(f"facet={facet!r} makes axes of its own, and ax was given; leave one of the two out")
    language = canvas.words_of(words)
    if logrank_p is not None:
        estimates = (*estimates, (language["Log-rank p"], language.number(format_p(logrank_p))))
    ticks, end = panels.time_scale(curves, risk, horizon, time_unit)
    scales = panels.Scales(
        ticks=ticks,
        end=end,
        x_label=language.unit(time_unit) if x_label is None else x_label,
        y_label=language["Survival"] if y_label is None else y_label,
    )
    look = Look(
        canvas.stratum_styles(canvas.ordered_labels(curves["stratum"]), palette=palette, linestyles=linestyles),
        words=language,
        descriptions=descriptions or {},
        band=band,
        censor_marks=censor_marks,
        risk_rows=risk_rows,
    )
    parts = panels.faceted(panels.Panel(curves, risk, truth, medians), facet)
    grid = panels.panel_grid(len(parts), width)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax, grid=grid) as sheet:
        panels.draw_panels(sheet, parts, look, scales, grid=grid, height=height, estimates=tuple(estimates))
    return sheet.figure


def plot_follow_up(
    curves: pd.DataFrame,
    *,
    time_unit: str = "months",
    time_zero: str = "",
    title: str = "",
    subtitle: str = "",
    medians: pd.DataFrame | None = None,
    palette: Palette | None = None,
    linestyles: Linestyles | None = None,
    band: bool = True,
    words: Language | Mapping[str, str] = "en",
    width: float = canvas.TWO_COLUMNS,
    height: float | None = None,
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
        Where follow-up starts, for the axis, such as "first infusion"; for English words.
    title, subtitle, medians, palette, linestyles, band, words, width, height, synthetic, ax
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
    language = canvas.words_of(words)
    start = f" from {time_zero}" if time_zero else ""
    return plot_survival(
        curves,
        medians=medians,
        title=title,
        subtitle=subtitle,
        x_label=f"{language.unit(time_unit)}{start}",
        y_label=language["Still under follow-up"],
        time_unit=time_unit,
        palette=palette,
        linestyles=linestyles,
        band=band,
        censor_marks=False,
        words=words,
        width=width,
        height=height,
        synthetic=synthetic,
        ax=ax,
    )


def plot_adjusted(
    curves: pd.DataFrame,
    crude: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str | None = None,
    y_label: str | None = None,
    time_unit: str = "months",
    palette: Palette | None = None,
    linestyles: Linestyles | None = None,
    band: bool = True,
    risk_rows: RiskRows = "at_risk",
    words: Language | Mapping[str, str] = "en",
    width: float = canvas.TWO_COLUMNS,
    height: float | None = None,
    synthetic: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw curves before and after adjustment, each with its bands, a panel each on shared axes.

    Parameters
    ----------
    curves : DataFrame
        As `AdjustedCurves.curves`.
    crude : DataFrame
        As `kaplan_meier` gives them.
    risk : DataFrame, optional
        As `risk_table` gives it: the numbers of the cohort, not weighted; they stand under the curves before
        adjustment.
    truth : DataFrame, optional
        stratum time survival: what the adjusted curves estimate, drawn dotted.
    ax : Axes, optional
        One pair of axes for both: the curves before adjustment are thin, without bands, behind the others.
    risk_rows : {"at_risk", "at_risk_events", "kmunicate"}
    descriptions, title, subtitle, x_label, y_label, time_unit, palette, linestyles, band, words
        As for `plot_survival`.
    width, height, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; an option with a value that it has not.

    Examples
    --------
    >>> curves = pd.DataFrame({"stratum": "low", "time": [0, 6], "n_risk": [20, 20], "n_event": [0, 5], "n_censor": 0,
    ...                        "survival": [1, 0.75], "conf_low": [1, 0.5], "conf_high": [1, 0.9]})
    >>> [ax.get_title(loc="left") for ax in plot_adjusted(curves, curves.assign(survival=[1, 0.6])).axes]
    ['Before adjustment', 'After adjustment']
    """
    panels.check_options(risk_rows, height)
    panels.check_curves(curves)
    panels.check_curves(crude, "crude")
    language, both = canvas.words_of(words), pd.concat([crude["time"], curves["time"]]).to_frame()
    ticks, end = panels.time_scale(both, risk, None, time_unit)
    scales = panels.Scales(
        ticks=ticks,
        end=end,
        x_label=language.unit(time_unit) if x_label is None else x_label,
        y_label=language["Survival"] if y_label is None else y_label,
    )
    look = Look(
        canvas.stratum_styles(canvas.ordered_labels(curves["stratum"]), palette=palette, linestyles=linestyles),
        words=language,
        descriptions=descriptions or {},
        band=band,
        censor_marks=False,
        risk_rows=risk_rows,
    )
    known = crude[crude["stratum"].astype(str).isin(list(look.styles))]
    parts = [
        panels.Panel(known, risk, title=language["Before adjustment"]),
        panels.Panel(curves, truth=truth, title=language["After adjustment"]),
    ]
    if ax is not None:
        parts = [panels.Panel(curves, risk, truth)]
    grid = panels.panel_grid(len(parts), width)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, ax=ax, grid=grid) as sheet:
        if ax is not None:
            _draw_thin(ax, known, look, end)
        panels.draw_panels(sheet, parts, look, scales, grid=grid, height=height)
    return sheet.figure


def _draw_thin(ax: Axes, crude: pd.DataFrame, look: Look, end: float) -> None:
    """The curves before adjustment as thin lines, and what they are."""
    for label, rows in canvas.by_label(crude, "stratum").items():
        shown = drawn_part(rows, end)
        ax.step(
            shown["time"], shown["survival"], where="post", label=f"_{label}, crude", zorder=2.5,
            color=look.styles[label].color, linewidth=canvas.stroke(0.7), alpha=0.75,
        )  # fmt: skip
    thin = look.words["thin lines: before adjustment"]
    canvas.write(ax, thin, (1, 1), (-2, -2), ha="right", va="top", color=canvas.SOFT_INK)


def plot_cumulative_incidence(
    curves: pd.DataFrame,
    *,
    risk: pd.DataFrame | None = None,
    descriptions: Mapping[str, str] | None = None,
    title: str = "",
    subtitle: str = "",
    x_label: str | None = None,
    y_label: str | None = None,
    time_unit: str = "months",
    horizon: float | None = None,
    palette: Palette | None = None,
    linestyles: Linestyles | None = None,
    band: bool = True,
    risk_rows: RiskRows = "at_risk",
    words: Language | Mapping[str, str] = "en",
    width: float = canvas.TWO_COLUMNS,
    height: float | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw how many have come to each kind of first event, with bands, a panel a cause on one scale.

    Parameters
    ----------
    curves : DataFrame
        As `cumulative_incidence` gives them: stratum cause time incidence conf_low conf_high n_risk.
    risk : DataFrame, optional
        As `risk_table` gives it for any first event; stands under the first panel, for all causes share it.
    y_label : str, optional
        What is counted; the same for all panels.
    risk_rows : {"at_risk", "at_risk_events", "kmunicate"}
    descriptions, title, subtitle, x_label, time_unit, horizon, palette, linestyles, band, words
        As for `plot_survival`.
    width, height, synthetic
        As for `plot_survival`.

    Returns
    -------
    Figure
        Panels in the order of the causes, side by side or, in one column's width, one under the other. Curves and bands
        are pale where fewer than 10 remain at risk.

    Raises
    ------
    InputError
        A frame without rows, or without a column that is drawn; an option with a value that it has not.

    Examples
    --------
    >>> curves = pd.DataFrame({"stratum": "low", "cause": ["death", "death"], "time": [0, 6], "incidence": [0, 0.25],
    ...                        "conf_low": [0, 0.1], "conf_high": [0, 0.4], "n_risk": [20, 20]})
    >>> plot_cumulative_incidence(curves).axes[0].get_title(loc="left")
    'death'
    """
    panels.check_options(risk_rows, height)
    canvas.need_columns(curves, "curves", INCIDENCE_COLUMNS)
    language = canvas.words_of(words)
    ticks, end = panels.time_scale(curves, risk, horizon, time_unit)
    highest = float(curves.loc[curves["time"] <= end, "conf_high"].max())
    scales = panels.Scales(
        ticks=ticks,
        end=end,
        x_label=language.unit(time_unit) if x_label is None else x_label,
        y_label=language["Cumulative incidence"] if y_label is None else y_label,
        top=min(1.0, math.ceil(highest / 0.25 + 1e-9) * 0.25) or 0.25,
    )
    look = Look(
        canvas.stratum_styles(canvas.ordered_labels(curves["stratum"]), palette=palette, linestyles=linestyles),
        words=language,
        descriptions=descriptions or {},
        band=band,
        risk_rows=risk_rows,
    )
    rows = canvas.by_label(curves.assign(survival=curves["incidence"], n_censor=0), "cause")
    parts = [
        panels.Panel(part, risk if number == 0 else None, title=cause)
        for number, (cause, part) in enumerate(rows.items())
    ]
    grid = panels.panel_grid(len(parts), width)
    with canvas.sheet(width, title=title, subtitle=subtitle, synthetic=synthetic, grid=grid) as sheet:
        panels.draw_panels(sheet, parts, look, scales, grid=grid, height=height)
    return sheet.figure
