"""A logarithmic axis of hazard ratios, standing: its ends, and ticks whose labels keep apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from analysis.present.canvas.style import SOFT_INK
from analysis.present.figures.forest import TICKS, WIDEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICK_ROOM = 12.0


def ratio_limits(*values: ArrayLike) -> tuple[float, float]:
    """The ends of an axis that holds these ratios, 1 among them, and a little room; none beyond fifty-fold is held.

    Examples
    --------
    >>> low, high = ratio_limits([0.5, 2.0], [1e9])
    >>> round(low, 2), round(high, 2)
    (0.46, 2.17)
    """
    given = np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in values])
    inside = given[np.isfinite(given) & (given > 1 / WIDEST) & (given < WIDEST)]
    logs = np.log(np.append(inside, 1.0))
    room = max(0.06 * float(np.ptp(logs)), 0.05)
    return float(np.exp(logs.min() - room)), float(np.exp(logs.max() + room))


def stand_ratio_axis(ax: Axes, low: float, high: float, *, room: float) -> None:
    """Make the upright axis logarithmic from `low` to `high`, `room` points long, with a line where the ratio is 1."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.minorticks_off()
    ax.axhline(1.0, color=SOFT_INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1, label="_no difference")
    for candidates in TICKS:
        inside = [tick for tick in candidates if low <= tick <= high]
        spots = room * np.log(np.array(inside) / low) / np.log(high / low)
        covers = candidates[0] / 1.3 <= low and high <= candidates[-1] * 1.3
        if covers and (len(inside) < 2 or np.diff(spots).min() >= TICK_ROOM):
            break
    ax.set_yticks(inside, [f"{tick:g}" for tick in inside])
