"""The lines of a survival figure: steps, bands, marks of censoring, the planted truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.present.canvas import DIMMED, StratumStyle, by_label, need_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW_AT_RISK = 10
Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def drawn_part(rows: pd.DataFrame, end: float) -> pd.DataFrame:
    """A stratum's curve up to the end of the axis, its last step carried there when it goes on beyond."""
    inside = rows[rows["time"] <= end]
    if len(inside) == len(rows) or inside.empty:
        return inside
    last = inside.iloc[[-1]].assign(time=end, n_censor=0, n_risk=rows["n_risk"].iloc[len(inside)])
    return pd.concat([inside, last], ignore_index=True)


def draw_curve(ax: Axes, rows: pd.DataFrame, style: StratumStyle, label: str) -> None:
    """One stratum: its steps in full, pale from where fewer than 10 are at risk; its band; small censoring marks."""
    few = (rows["n_risk"] < FEW_AT_RISK).to_numpy()
    # the risk set of a row is that of the step that ends there, so the step before the first thin row is pale
    split = max(int(np.argmax(few)) - 1, 0) if few.any() else len(rows) - 1
    for part, alpha, name in ((rows.iloc[: split + 1], 1.0, label), (rows.iloc[split:], DIMMED, f"_{label}, few")):
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


def draw_truth(
    ax: Axes, truth: pd.DataFrame, groups: Mapping[str, pd.DataFrame], styles: Mapping[str, StratumStyle]
) -> dict[str, Points]:
    """The planted curves, dotted in the ink of their strata; those of strata that are not drawn are left out."""
    need_columns(truth, "truth", ("stratum", "time", "survival"))
    end = ax.get_xlim()[1]
    drawn: dict[str, Points] = {}
    for label, rows in by_label(truth, "stratum").items():
        if label in groups:
            inside = rows[rows["time"] <= end]
            x, y = inside["time"].to_numpy(dtype=np.float64), inside["survival"].to_numpy(dtype=np.float64)
            ax.plot(
                x, y, color=styles[label].ink, linestyle=(0, (1, 1.6)), linewidth=1.1, label=f"_{label}, planted",
                zorder=4,
            )  # fmt: skip
            drawn[label] = (x, y)
    return drawn
