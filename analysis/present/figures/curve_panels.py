"""Panels of curves on one page: laid out with the numbers at risk under each, their words where they cover nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import pandas as pd

from analysis.errors import InputError, choice_problems, number_problems, raise_all
from analysis.present import canvas
from analysis.present.figures import survival_labels as labels
from analysis.present.figures import survival_lines as lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVE_COLUMNS = ("stratum", "time", "n_risk", "n_censor", "survival", "conf_low", "conf_high")
RISK_COLUMNS = ("stratum", "time", "n_risk", "n_event", "n_censor")
HEIGHTS = {1: 78.0, 2: 62.0, 3: 50.0}  # mm, by the number of panels side by side
NARROW_HEIGHT, STACKED_HEIGHT, LOWEST = 58.0, 50.0, 15.0
BESIDE = 0.12  # of a panel's width, between panels
MOST_BESIDE = 3
AROUND = "around"


@dataclass(frozen=True)
class Panel:
    """What is drawn on one pair of axes."""

    curves: pd.DataFrame
    risk: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    medians: pd.DataFrame | None = None
    title: str = ""


@dataclass(frozen=True)
class Scales:
    """The axes that all panels share."""

    ticks: tuple[float, ...]
    end: float
    x_label: str
    y_label: str
    top: float = 1.0


def check_options(risk_rows: str, height: float | None) -> None:
    """Raise where an option of a figure of curves has another value than it may."""
    problems = choice_problems("risk_rows", risk_rows, get_args(lines.RiskRows))
    if height is not None:
        problems += number_problems("height", height, low=LOWEST)
    raise_all(problems, InputError)


def check_curves(curves: pd.DataFrame, what: str = "curves") -> None:
    """Raise where curves lack a column that is drawn, or their steps are unknown."""
    canvas.need_columns(curves, what, CURVE_COLUMNS)
    if "rows_at" in curves and (curves["rows_at"] == "chosen times").any():
        raise InputError(
            f"{what}: their rows stand at chosen times only; leave times out of adjusted_curves to draw steps"
        )


def time_scale(
    curves: pd.DataFrame, risk: pd.DataFrame | None, horizon: float | None, time_unit: str
) -> tuple[tuple[float, ...], float]:
    """The ticks (the times of the risk table, else steps that suit the unit) and the end of the axis of time."""
    last = horizon if horizon is not None else float(curves["time"].max())
    if risk is None:
        ticks = canvas.breaks_for(last, time_unit) if last > 0 else (0.0,)
    else:
        canvas.need_columns(risk, "risk", RISK_COLUMNS)
        times = sorted({float(time) for time in risk["time"]})
        ticks = tuple(time for time in times if horizon is None or time <= horizon)
    return ticks, last if horizon is not None else max(last, *ticks)


def faceted(panel: Panel, column: str | None) -> list[Panel]:
    """A panel for each level of a column that all frames have; the panel itself without one."""
    if column is None:
        return [panel]
    frames = {"curves": panel.curves, "risk": panel.risk, "truth": panel.truth, "medians": panel.medians}
    given = {name: frame for name, frame in frames.items() if frame is not None}
    without = [name for name, frame in given.items() if column not in frame]
    if without:
        raise InputError(
            f"facet={column!r}: no such column in {', '.join(without)}; make each level's frames with"
            f" .assign({column}=level) and join them by pd.concat"
        )
    parts = {name: canvas.by_label(frame, column) for name, frame in given.items()}
    levels = parts["curves"]
    lacking = [f"{name} has no rows for {level!r}" for name in parts for level in levels if level not in parts[name]]
    raise_all([f"facet={column!r}: {words}" for words in lacking], InputError)
    return [replace(panel, title=level, **{name: parts[name][level] for name in parts}) for level in levels]


def panel_grid(n: int, width: float) -> tuple[int, int]:
    """Rows and columns of panels on a page of so many mm."""
    across = 1 if not canvas.is_wide(width) else 2 if n == 4 else min(n, MOST_BESIDE)
    return math.ceil(n / across), across


def draw_panels(
    sheet: canvas.Sheet,
    panels: Sequence[Panel],
    look: lines.Look,
    scales: Scales,
    *,
    grid: tuple[int, int] = (1, 1),
    height: float | None = None,
    estimates: Sequence[tuple[str, str]] = (),
) -> None:
    """Draw every panel on its axes of the sheet and lay the page out; estimates where they cover nothing."""
    down, across = grid
    axes = _axes(sheet, len(panels), across)
    high = height if height is not None else _height(sheet, down, across)
    shown = [_draw(ax, panel, look, scales) for ax, panel in zip(axes, panels, strict=True)]
    if not sheet.own:  # once to see what room it takes
        canvas.fit_rows(sheet, high, down, head=())
        _surround(sheet, axes, shown, panels, look, grid, high)
        canvas.make_room(sheet.ax)
        for text in [text for text in sheet.ax.texts if text.get_gid() == AROUND]:
            text.remove()
    ends = _surround(sheet, axes, shown, panels, look, grid, high)
    spaces = [_space(ax, curves, panel, look) for ax, curves, panel in zip(axes, shown, panels, strict=True)]
    inside = len(panels) == 1 and bool(estimates)
    inside = inside and (not sheet.own or labels.estimates_fit(axes[0], estimates, spaces[0]))
    if sheet.own:
        canvas.fit_rows(sheet, high, down, head=() if inside else estimates)
    for number, (ax, panel, space) in enumerate(zip(axes, panels, spaces, strict=True)):
        labels.join_ends(ax, ends[number])
        if inside:
            labels.write_estimates(ax, estimates, space)
        if panel.medians is not None:
            labels.write_medians(ax, panel.medians, look, space)
        labels.write_truth(ax, panel.truth, look, space)


def _surround(
    sheet: canvas.Sheet,
    axes: Sequence[Axes],
    shown: Sequence[Mapping[str, pd.DataFrame]],
    panels: Sequence[Panel],
    look: lines.Look,
    grid: tuple[int, int],
    high: float,
) -> list[list[labels.EndLabel]]:
    """What stands around the panels: names at the right of each row, numbers at risk under them; the names."""
    down, across = grid
    before, ends = [list(ax.texts) for ax in axes], []
    for number, (ax, curves) in enumerate(zip(axes, shown, strict=True)):
        last_in_row = number % across == across - 1 or number == len(panels) - 1
        ends.append(labels.label_ends(ax, curves, look, sheet.room(high)) if last_in_row else [])
    canvas.fit_rows(sheet, high, down)
    _draw_tables(axes, panels, look, across)
    canvas.fit_rows(sheet, high, down)
    for ax, others in zip(axes, before, strict=True):
        for text in ax.texts:
            text.set_gid(text.get_gid() if text in others else AROUND)
    return ends


def _axes(sheet: canvas.Sheet, n: int, across: int) -> list[Axes]:
    """The axes of the panels; those of the grid beyond them are removed."""
    if not sheet.own:
        return [sheet.ax]
    sheet.figure.subplots_adjust(wspace=BESIDE if across > 1 else 0.0)
    for ax in sheet.figure.axes[n:]:
        ax.remove()
    return sheet.figure.axes


def _draw_tables(axes: Sequence[Axes], panels: Sequence[Panel], look: lines.Look, across: int) -> None:
    """The numbers at risk under their panels, and no label of an axis twice."""
    tables = [panel.risk for panel in panels if panel.risk is not None]
    widest = lines.widest_number(axes[0], tables, look) if tables else 0.0
    for number, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
        if panel.risk is not None:
            lines.draw_risk_table(ax, panel.risk, look, widest, named=number % across == 0)
        if number % across:
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)
        below = number + across < len(panels)
        if below and all(other.risk is None for other in panels):
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)


def _height(sheet: canvas.Sheet, down: int, across: int) -> float:
    """How high a panel is by default, in mm."""
    if canvas.is_wide(sheet.figure.get_figwidth() * canvas.MM_PER_INCH):
        return HEIGHTS[across]
    return NARROW_HEIGHT if down == 1 else STACKED_HEIGHT


def _draw(ax: Axes, panel: Panel, look: lines.Look, scales: Scales) -> dict[str, pd.DataFrame]:
    """One panel's axes, curves and true curves; the part of each curve that is drawn."""
    canvas.set_share_of_time_axes(ax, scales.ticks, scales.end, top=scales.top, words=look.words)
    ax.set_xlabel(scales.x_label, labelpad=4)
    ax.set_ylabel(scales.y_label, labelpad=4)
    if panel.title:
        ax.set_title(panel.title, loc="left", size=canvas.points(canvas.TEXT), weight="bold")
    shown = {
        label: lines.drawn_part(rows, scales.end) for label, rows in canvas.by_label(panel.curves, "stratum").items()
    }
    for label, rows in shown.items():
        lines.draw_curve(ax, rows, look, label)
    lines.draw_truth(ax, panel.truth, look)
    return shown


def _space(ax: Axes, shown: Mapping[str, pd.DataFrame], panel: Panel, look: lines.Look) -> canvas.Space:
    """The room of a panel beside its curves, bands and true curves."""
    space = canvas.Space(ax)
    for rows in shown.values():
        if look.band:
            space.take_band(rows["time"], rows["conf_low"], rows["conf_high"])
        space.take_steps(rows["time"], rows["survival"])
    for x, y in lines.true_points(ax, panel.truth, look).values():
        space.take_line(x, y)
    return space
