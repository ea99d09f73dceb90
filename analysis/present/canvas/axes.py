"""Where an axis of time has its ticks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.present.canvas.style import SOFT_INK

WIDEST = 50.0

TICKS = (
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2),
    (0.2, 0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4, 5),
    (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50),
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = {
    "months": (1, 3, 6, 12, 24, 36, 60, 120, 240),
    "days": (1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 1095, 1825, 3650),
    "weeks": (1, 2, 4, 13, 26, 52, 104, 260, 520),
    "years": (1, 2, 5, 10, 20, 50),
    "hours": (1, 3, 6, 12, 24, 48, 72, 168),
}


def breaks_for(last_time: float, unit: str = "months", *, most: int = 9) -> tuple[float, ...]:
    """Ticks of a time axis, in steps that the unit's readers expect (months: 1, 3, 6, 12, ...).

    Parameters
    ----------
    last_time : float
        The end of the axis.
    unit : str
        "months", "days", "weeks", "years", "hours"; any other unit takes steps of 1, 2 or 5 times a power of ten.
    most : int
        The largest number of steps.

    Returns
    -------
    tuple of float
        From 0 to the last step within `last_time`; the next one too where the axis all but reaches it.

    Raises
    ------
    InputError
        An end that is not a positive number.

    Examples
    --------
    >>> breaks_for(41.2), breaks_for(2.5, "years"), breaks_for(1022, "days")
    ((0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0), (0.0, 1.0, 2.0), (0.0, 180.0, 360.0, 540.0, 720.0, 900.0))
    """
    if not (math.isfinite(last_time) and last_time > 0):
        raise InputError(f"the end of the time axis is {last_time:g}: give a positive time")
    known = [step for step in STEPS.get(unit, ()) if last_time / step <= most and last_time >= 2 * step]
    step = float(known[0]) if known else _decimal_step(last_time, most)
    count = math.floor(last_time / step * 1.02 + 1e-9)
    return tuple(float(time) for time in np.arange(count + 1) * step)


def _decimal_step(last_time: float, most: int) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that gives at most `most` steps."""
    power = 10.0 ** math.floor(math.log10(last_time / most))
    return next(factor * power for factor in (1, 2, 5, 10, 20) if last_time / (factor * power) <= most)


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
