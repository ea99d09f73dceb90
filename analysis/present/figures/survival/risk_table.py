"""At risk, censored, events: the table under a survival curve, aligned to the ticks of its axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.canvas import INK, POINTS, SMALL, SOFT_INK, StratumStyle, figure_of, text_size, wrapped
from analysis.present.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = {"n_risk": "At risk", "n_censor": "Censored", "n_event": "Events"}
FIRST_ROW, ROW, GAP, MARGIN = 34.0, 9.5, 4.0, 7.0


def draw_risk_table(ax: Axes, groups: Mapping[str, pd.DataFrame], styles: Mapping[str, StratumStyle]) -> None:
    """Write the numbers of each stratum under the ticks, its name above them; columns are thinned where too narrow."""
    figure = figure_of(ax)
    texts = {
        (label, column, float(time)): format_count(count)
        for label, rows in groups.items()
        for column in ROWS
        for time, count in zip(rows["time"], rows[column], strict=True)
    }
    widest = max(text_size(figure, text, size=SMALL)[0] for text in texts.values())
    times = _shown_times(ax, sorted({time for _, _, time in texts}), widest)
    ax.set_xticks(times, [f"{time:g}" for time in times])
    margin = widest / 2 + MARGIN
    left = margin + max(text_size(figure, name, size=SMALL)[0] for name in ROWS.values())
    depth = FIRST_ROW
    for label in groups:
        name = wrapped(figure, label, POINTS * figure.get_figwidth() - 16, size=SMALL, weight="bold")
        for line in name.split("\n"):
            _write(ax, line, -left, depth, ha="left", weight="bold", color=styles[label].ink)
            depth += ROW
        for column, heading in ROWS.items():
            color = INK if column == "n_risk" else SOFT_INK
            _write(ax, heading, -margin, depth, ha="right", color=color)
            for time in times:
                _write(ax, texts.get((label, column, time), ""), 0.0, depth, time=time, color=color)
            depth += ROW
        depth += GAP


def _shown_times(ax: Axes, times: list[float], widest: float) -> list[float]:
    """Every time, or every second, third, ... so that neighbouring numbers keep apart."""
    inside = [time for time in times if ax.get_xlim()[0] - 1e-9 <= time <= ax.get_xlim()[1] + 1e-9]
    if len(inside) < 2:
        return inside
    spots = ax.transData.transform([(time, 0.0) for time in inside])[:, 0] * POINTS / figure_of(ax).dpi
    closest = float(min(spots[1:] - spots[:-1]))
    every = next(step for step in range(1, len(inside) + 1) if step * closest >= widest + 5 or step == len(inside))
    return inside[::every]


def _write(
    ax: Axes, text: str, shift: float, depth: float, *, time: float | None = None, ha: str = "center",
    weight: str = "normal", color: str = INK,
) -> None:  # fmt: skip
    """One piece of text, `depth` points under the axis, at a time or `shift` points beside the axis' start."""
    ax.annotate(
        text,
        (0.0 if time is None else time, 0.0),
        (shift, -depth - 0.85 * SMALL),
        xycoords=("axes fraction" if time is None else "data", "axes fraction"),
        textcoords="offset points",
        annotation_clip=False,
        ha=ha,
        va="baseline",
        size=SMALL,
        weight=weight,
        color=color,
        linespacing=1.2,
    )
