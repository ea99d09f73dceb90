"""What a figure of curves is drawn of: steps, bands, marks of censoring, the planted truth, the numbers under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.present import canvas
from analysis.present.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW_AT_RISK = 10
RISK_ROWS = {"n_risk": "At risk", "n_censor": "Censored", "n_event": "Events"}
FIRST_ROW, ROW, GAP, MARGIN = 34.0, 9.5, 4.0, 7.0
Points = tuple[FloatArray, FloatArray]


def drawn_part(rows: pd.DataFrame, end: float) -> pd.DataFrame:
    """A stratum's curve up to the end of the axis, its last step carried there when it goes on beyond."""
    inside = rows[rows["time"] <= end]
    if len(inside) == len(rows) or inside.empty:
        return inside
    last = inside.iloc[[-1]].assign(time=end, n_censor=0, n_risk=rows["n_risk"].iloc[len(inside)])
    return pd.concat([inside, last], ignore_index=True)


def draw_curve(ax: Axes, rows: pd.DataFrame, style: canvas.StratumStyle, label: str) -> None:
    """One stratum: its steps in full, pale from where fewer than 10 are at risk; its band; small censoring marks."""
    few = (rows["n_risk"] < FEW_AT_RISK).to_numpy()
    # the risk set of a row is that of the step that ends there, so the step before the first thin row is pale
    split = max(int(np.argmax(few)) - 1, 0) if few.any() else len(rows) - 1
    for part, alpha, name in (
        (rows.iloc[: split + 1], 1.0, label),
        (rows.iloc[split:], canvas.DIMMED, f"_{label}, few"),
    ):
        if len(part) < 2 and alpha < 1:
            continue
        ax.fill_between(
            part["time"], part["conf_low"], part["conf_high"], step="post", color=style.color,
            alpha=0.16 * (1 if alpha == 1 else 0.5), linewidth=0, label=f"_{label}, band",
        )  # fmt: skip
        ax.step(
            part["time"], part["survival"], where="post", color=style.color, alpha=alpha, linestyle=style.line,
            dash_capstyle="butt", solid_joinstyle="miter", label=name, zorder=3, clip_on=False,
        )  # fmt: skip
    marked = rows[rows["n_censor"] > 0]
    if len(marked):
        ax.plot(
            marked["time"], marked["survival"], linestyle="none", marker="|", markersize=4, markeredgewidth=0.6,
            color=style.color, alpha=0.75, label=f"_{label}, censored", zorder=3, clip_on=False,
        )  # fmt: skip


def draw_truth(ax: Axes, truth: pd.DataFrame | None, styles: Mapping[str, canvas.StratumStyle]) -> dict[str, Points]:
    """The planted curves, dotted in the ink of their strata; those of strata that are not drawn are left out."""
    if truth is None:
        return {}
    canvas.need_columns(truth, "truth", ("stratum", "time", "survival"))
    drawn: dict[str, Points] = {}
    for label, rows in canvas.by_label(truth, "stratum").items():
        if label in styles:
            inside = rows[rows["time"] <= ax.get_xlim()[1]]
            x, y = inside["time"].to_numpy(dtype=np.float64), inside["survival"].to_numpy(dtype=np.float64)
            ax.plot(
                x, y, color=styles[label].ink, linestyle=(0, (1, 1.6)), linewidth=1.1, label=f"_{label}, planted",
                zorder=4,
            )  # fmt: skip
            drawn[label] = (x, y)
    return drawn


def draw_risk_table(ax: Axes, risk: pd.DataFrame, styles: Mapping[str, canvas.StratumStyle]) -> None:
    """Write the numbers of each stratum under the ticks, its name above them; columns are thinned where too narrow."""
    figure = canvas.figure_of(ax)
    groups = {label: rows for label, rows in canvas.by_label(risk, "stratum").items() if label in styles}
    texts = {
        (label, column, float(time)): format_count(count)
        for label, rows in groups.items()
        for column in RISK_ROWS
        for time, count in zip(rows["time"], rows[column], strict=True)
    }
    widest = max(canvas.text_size(figure, text, size=canvas.SMALL)[0] for text in texts.values())
    times = _shown_times(ax, sorted({time for _, _, time in texts}), widest)
    canvas.set_time_ticks(ax, times)
    margin = widest / 2 + MARGIN
    left = margin + max(canvas.text_size(figure, name, size=canvas.SMALL)[0] for name in RISK_ROWS.values())
    depth = FIRST_ROW + 0.85 * canvas.SMALL
    for label in groups:
        name = canvas.wrapped(
            figure, label, canvas.POINTS * figure.get_figwidth() - 16, size=canvas.SMALL, weight="bold"
        )
        for line in name.split("\n"):
            _write_row(ax, line, (0.0, -left), depth, weight="bold", color=styles[label].ink)
            depth += ROW
        for column, heading in RISK_ROWS.items():
            color = canvas.INK if column == "n_risk" else canvas.SOFT_INK
            _write_row(ax, heading, (0.0, -margin), depth, ha="right", color=color)
            for time in times:
                number = texts.get((label, column, time), "")
                _write_row(ax, number, (time, 0.0), depth, coords="data", ha="center", color=color)
            depth += ROW
        depth += GAP


def _write_row(
    ax: Axes,
    text: str,
    across: tuple[float, float],
    depth: float,
    *,
    color: str,
    coords: str = "axes fraction",
    ha: str = "left",
    weight: str = "normal",
) -> None:
    """Words `depth` points under the axes, from a place across them and so many points beside it."""
    (x, dx), both = across, (coords, "axes fraction")
    canvas.write(
        ax, text, (x, 0.0), (dx, -depth), coords=both, ha=ha, va="baseline", weight=weight, color=color,
        linespacing=1.2,
    )  # fmt: skip


def _shown_times(ax: Axes, times: list[float], widest: float) -> list[float]:
    """Every time, or every second, third, ... so that neighbouring numbers keep apart."""
    inside = [time for time in times if ax.get_xlim()[0] - 1e-9 <= time <= ax.get_xlim()[1] + 1e-9]
    if len(inside) < 2:
        return inside
    spots = ax.transData.transform([(time, 0.0) for time in inside])[:, 0] * canvas.POINTS / canvas.figure_of(ax).dpi
    closest = float(min(spots[1:] - spots[:-1]))
    every = next(step for step in range(1, len(inside) + 1) if step * closest >= widest + 5 or step == len(inside))
    return inside[::every]
