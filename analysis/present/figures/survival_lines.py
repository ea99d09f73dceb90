"""What a figure of curves is drawn of: steps, bands, marks of censoring, the true curves, the numbers under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.present import canvas
from analysis.present.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RiskRows = Literal["at_risk", "at_risk_events", "kmunicate"]
FEW_AT_RISK = 10
KMUNICATE = {"n_risk": "At risk", "n_censor": "Censored", "n_event": "Events"}
UNDER, ROW, GAP, MARGIN, NAME_SHARE = 6.0, 9.5, 4.0, 7.0, 0.2
Points = tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Look:
    """How the strata of a figure of curves are drawn and worded."""

    styles: Mapping[str, canvas.StratumStyle]
    words: canvas.Words = field(default_factory=canvas.Words)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    band: bool = True
    censor_marks: bool = True
    risk_rows: RiskRows = "at_risk"


def drawn_part(rows: pd.DataFrame, end: float) -> pd.DataFrame:
    """A stratum's curve up to the end of the axis, its last step carried there when it goes on beyond."""
    inside = rows[rows["time"] <= end]
    if len(inside) == len(rows) or inside.empty:
        return inside
    last = inside.iloc[[-1]].assign(time=end, n_censor=0, n_risk=rows["n_risk"].iloc[len(inside)])
    return pd.concat([inside, last], ignore_index=True)


def draw_curve(ax: Axes, rows: pd.DataFrame, look: Look, label: str) -> None:
    """One stratum: its steps in full, pale from where fewer than 10 are at risk; its band; small censoring marks."""
    style, few = look.styles[label], (rows["n_risk"] < FEW_AT_RISK).to_numpy()
    # the risk set of a row is that of the step that ends there, so the step before the first thin row is pale
    split = max(int(np.argmax(few)) - 1, 0) if few.any() else len(rows) - 1
    for part, alpha, name in (
        (rows.iloc[: split + 1], 1.0, label),
        (rows.iloc[split:], canvas.DIMMED, f"_{label}, few"),
    ):
        if len(part) < 2 and alpha < 1:
            continue
        if look.band:
            shade = 0.16 * (1 if alpha == 1 else 0.5)
            limits = part["time"], part["conf_low"], part["conf_high"]
            name_of_band = f"_{label}, band"
            ax.fill_between(*limits, step="post", color=style.color, alpha=shade, linewidth=0, label=name_of_band)
        ax.step(
            part["time"], part["survival"], where="post", color=style.color, alpha=alpha, linestyle=style.line,
            dash_capstyle="butt", solid_joinstyle="miter", label=name, zorder=3, clip_on=False,
        )  # fmt: skip
    marked = rows[rows["n_censor"] > 0]
    if look.censor_marks and len(marked):
        ax.plot(
            marked["time"], marked["survival"], linestyle="none", marker="|", markersize=canvas.points(4),
            markeredgewidth=canvas.stroke(0.6), color=style.color, alpha=0.75, label=f"_{label}, censored", zorder=3,
            clip_on=False,
        )  # fmt: skip


def true_points(ax: Axes, truth: pd.DataFrame | None, look: Look) -> dict[str, Points]:
    """The points of the true curves within the axes; those of strata that are not drawn are left out."""
    if truth is None:
        return {}
    canvas.need_columns(truth, "truth", ("stratum", "time", "survival"))
    inside = truth[(truth["time"] <= ax.get_xlim()[1]) & truth["stratum"].astype(str).isin(list(look.styles))]
    return {
        label: (rows["time"].to_numpy(dtype=np.float64), rows["survival"].to_numpy(dtype=np.float64))
        for label, rows in canvas.by_label(inside, "stratum").items()
    }


def draw_truth(ax: Axes, truth: pd.DataFrame | None, look: Look) -> None:
    """The true curves, dotted in the ink of their strata."""
    for label, (x, y) in true_points(ax, truth, look).items():
        ax.plot(
            x, y, color=look.styles[label].ink, linestyle=(0, (1, 1.6)), linewidth=canvas.stroke(1.1),
            label=f"_{label}, true", zorder=4,
        )  # fmt: skip


def widest_number(ax: Axes, tables: Sequence[pd.DataFrame], look: Look) -> float:
    """The width of the widest entry of the tables under the panels of one figure."""
    rows = [row for risk in tables for part in canvas.by_label(risk, "stratum").values() for row in _cells(part, look)]
    texts = {text for row in rows for text in row.numbers.values()}
    return max(canvas.text_size(canvas.figure_of(ax), text, size=canvas.SMALL)[0] for text in texts)


def draw_risk_table(ax: Axes, risk: pd.DataFrame, look: Look, widest: float, *, named: bool = True) -> None:
    """Write the numbers of each stratum under the ticks, rows `named` at the left; columns are thinned where narrow."""
    groups = {label: rows for label, rows in canvas.by_label(risk, "stratum").items() if label in look.styles}
    cells = {label: _cells(rows, look) for label, rows in groups.items()}
    figure = canvas.figure_of(ax)
    times = _shown_times(ax, sorted({float(time) for time in risk["time"]}), widest)
    canvas.set_time_ticks(ax, times, words=look.words)
    table = _Table(ax, times, -canvas.hangs_below(ax.xaxis) - UNDER - canvas.SMALL, widest / 2 + MARGIN, named)
    if look.risk_rows == "kmunicate":
        _write_blocks(table, cells, look)
        return
    heading = look.words["At risk" if look.risk_rows == "at_risk" else "At risk (events)"]
    if list(groups) == ["all"]:
        table.row(heading, cells["all"][0].numbers, color=canvas.INK)
        return
    names = {
        label: canvas.wrapped(figure, label, NAME_SHARE * canvas.page_width(figure), size=canvas.SMALL, weight="bold")
        for label in groups
    }
    sizes = [canvas.text_size(figure, name, size=canvas.SMALL, weight="bold")[0] for name in names.values()]
    table.heading(heading, max(sizes), color=canvas.SOFT_INK, weight="normal")
    for label, name in names.items():
        table.row(name, cells[label][0].numbers, color=look.styles[label].ink, weight="bold")


@dataclass(frozen=True)
class _Row:
    """A row of the table: what it counts, and the numbers by time."""

    heading: str
    numbers: Mapping[float, str]


def _cells(rows: pd.DataFrame, look: Look) -> list[_Row]:
    """The rows of one stratum."""
    times = [float(time) for time in rows["time"]]
    texts = {name: [look.words.number(format_count(count)) for count in rows[name]] for name in KMUNICATE}
    if look.risk_rows == "kmunicate":
        return [_Row(look.words[KMUNICATE[name]], dict(zip(times, texts[name], strict=True))) for name in KMUNICATE]
    numbers = texts["n_risk"]
    if look.risk_rows == "at_risk_events":
        numbers = [f"{left} ({events})" for left, events in zip(numbers, texts["n_event"], strict=True)]
    return [_Row("", dict(zip(times, numbers, strict=True)))]


def _write_blocks(table: _Table, cells: Mapping[str, Sequence[_Row]], look: Look) -> None:
    """Three rows a stratum under its name, as KMunicate proposes."""
    figure, at_risk = canvas.figure_of(table.ax), look.words["At risk"]
    wide = max(canvas.text_size(figure, row.heading, size=canvas.SMALL)[0] for rows in cells.values() for row in rows)
    for label, rows in cells.items():
        room = canvas.page_width(figure) - 16
        name = canvas.wrapped(figure, label, room, size=canvas.SMALL, weight="bold")
        table.heading(name, wide, color=look.styles[label].ink, weight="bold")
        for row in rows:
            table.row(row.heading, row.numbers, color=canvas.INK if row.heading == at_risk else canvas.SOFT_INK)
        table.depth -= GAP


@dataclass
class _Table:
    """Rows of numbers under the ticks of some axes, each below the last: `depth` is the next one's baseline."""

    ax: Axes
    times: list[float]
    depth: float
    margin: float
    named: bool

    def heading(self, text: str, wide: float, *, color: str, weight: str) -> None:
        """Words from the left end of names that are so `wide`, over the rows that follow."""
        for line in text.split("\n"):
            if self.named:
                self._write(line, (0.0, -self.margin - wide), "axes fraction", color=color, weight=weight)
            self.depth -= ROW

    def row(self, name: str, numbers: Mapping[float, str], *, color: str, weight: str = "normal") -> None:
        """A name at the left, on several lines where it has them, and numbers at their times."""
        for time in self.times:
            ink = canvas.INK if weight == "bold" else color
            self._write(numbers.get(time, ""), (time, 0.0), "data", color=ink, ha="center")
        for line in name.split("\n"):
            if self.named:
                self._write(line, (0.0, -self.margin), "axes fraction", color=color, weight=weight, ha="right")
            self.depth -= ROW

    def _write(
        self, text: str, across: canvas.Point, coords: str, *, color: str, ha: str = "left", weight: str = "normal"
    ) -> None:
        """Words at the depth of the row, from a place across the axes and so far beside it."""
        at, shift, both = (across[0], 0.0), (across[1], self.depth), (coords, "axes fraction")
        canvas.write(self.ax, text, at, shift, coords=both, ha=ha, va="baseline", color=color, weight=weight)


def _shown_times(ax: Axes, times: list[float], widest: float) -> list[float]:
    """Every time, or every second, third, ... so that neighbouring numbers keep apart."""
    inside = [time for time in times if ax.get_xlim()[0] - 1e-9 <= time <= ax.get_xlim()[1] + 1e-9]
    if len(inside) < 2:
        return inside
    spots = [canvas.Space(ax).point(time, 0.0)[0] for time in inside]
    closest = min(second - first for first, second in pairwise(spots))
    every = next(step for step in range(1, len(inside) + 1) if step * closest >= widest + 5 or step == len(inside))
    return inside[::every]
