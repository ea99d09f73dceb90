"""Scales that figures share: ticks of time, shares, and ratios on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import InputError
from analysis.present.canvas.style import SOFT_INK
from analysis.present.canvas.words import ENGLISH, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 50.0
TICK_LISTS = (
    (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2),
    (0.2, 0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4, 5),
    (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50),
)
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


def set_time_ticks(ax: Axes, ticks: Sequence[float], *, words: Words = ENGLISH) -> None:
    """Times below, written without needless decimals."""
    ax.set_xticks(list(ticks), [words.number(f"{time:g}") for time in ticks])


def set_time_axis(ax: Axes, last_time: float, unit: str) -> None:
    """Time from 0 to a little beyond the last, or to the next tick."""
    ticks = breaks_for(last_time, unit)
    ax.set_xlim(0, max(last_time * 1.01, ticks[-1]))
    set_time_ticks(ax, ticks)


def set_share_of_time_axes(
    ax: Axes, ticks: Sequence[float], end: float, *, top: float = 1.0, words: Words = ENGLISH
) -> None:
    """Times from 0 to the end, shares from 0 to `top` in quarters."""
    quarters = [0.25 * quarter for quarter in range(round(top / 0.25) + 1)]
    ax.set_xlim(0.0, end if end > 0 else 1.0)
    ax.set_ylim(0.0, top)
    set_time_ticks(ax, ticks, words=words)
    ax.set_yticks(quarters, [words.share(share) for share in quarters])
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis="y", color="#e6e8eb", linewidth=0.5)


def ratio_limits(*values: ArrayLike, reference: float = 1.0) -> tuple[float, float]:
    """The ends of an axis that holds these ratios, the reference among them, and a little room; none beyond fifty-fold.

    Examples
    --------
    >>> low, high = ratio_limits([0.5, 2.0], [1e9])
    >>> round(low, 2), round(high, 2)
    (0.46, 2.17)
    """
    given = np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in values])
    inside = given[np.isfinite(given) & (given > reference / WIDEST) & (given < reference * WIDEST)]
    logs = np.log(np.append(inside, reference))
    room = max(0.06 * float(np.ptp(logs)), 0.05)
    return float(np.exp(logs.min() - room)), float(np.exp(logs.max() + room))


def set_ratio_axis(
    ax: Axes, low: float, high: float, *, room: float, reference: float = 1.0, upright: bool = True, apart: float = 12.0
) -> None:
    """Make one axis logarithmic from `low` to `high`, `room` points long, with a line where there is no difference."""
    if upright:
        ax.set_yscale("log")
        ax.set_ylim(low, high)
    else:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
    ax.minorticks_off()
    line = ax.axhline if upright else ax.axvline
    line(reference, color=SOFT_INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=1, label="_no difference")
    set_ratio_ticks(ax, room, upright=upright, apart=apart)


def set_ratio_ticks(ax: Axes, room: float, *, upright: bool, apart: float) -> None:
    """Ticks from the finest list whose labels keep `apart` points from each other on an axis `room` points long."""
    low, high = ax.get_ylim() if upright else ax.get_xlim()
    for candidates in TICK_LISTS:
        inside = [tick for tick in candidates if low <= tick <= high]
        spots = room * np.log(np.array(inside) / low) / np.log(high / low)
        covers = candidates[0] / 1.3 <= low and high <= candidates[-1] * 1.3
        if covers and (len(inside) < 2 or np.diff(spots).min() >= apart):
            break
    (ax.set_yticks if upright else ax.set_xticks)(inside, [f"{tick:g}" for tick in inside])
