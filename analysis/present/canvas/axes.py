"""Where an axis of time has its ticks."""

from __future__ import annotations

import math

import numpy as np

from analysis.errors import InputError

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
