"""The product-limit curve on arrays: survival, its variance, its interval, its quantiles, the area under it."""

from __future__ import annotations

from typing import Literal

import numpy as np

from analysis.arrays import BoolArray, FloatArray
from analysis.kernels.tails import normal_quantile

ConfType = Literal["log-log", "log", "plain"]
_ROUNDING = 1e-12
_SAME = float(np.sqrt(np.finfo(np.float64).eps))


def survival_curve(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """S(t) just after each time: the running product of (n_risk - n_event) / n_risk.

    Parameters
    ----------
    n_risk, n_event : ndarray, shape (m,)
        In order of time, n_risk positive.

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> survival_curve(np.array([4.0, 2.0]), np.array([1.0, 1.0])).tolist()
    [0.75, 0.375]
    """
    return np.asarray(np.cumprod(_left(n_risk, n_event) / n_risk), dtype=np.float64)


def greenwood(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """Greenwood's sum of d / (n (n - d)): the variance of log S(t); infinite from where S is zero.

    Parameters
    ----------
    n_risk, n_event : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (m,)

    Examples
    --------
    >>> greenwood(np.array([4.0, 2.0]), np.array([1.0, 2.0])).round(6).tolist()
    [0.083333, inf]
    """
    with np.errstate(divide="ignore"):
        return np.cumsum(n_event / (n_risk * _left(n_risk, n_event)))


def _left(n_risk: FloatArray, n_event: FloatArray) -> FloatArray:
    """Those left after the events; nobody when only a rounding error of the weighted sums is."""
    left = n_risk - n_event
    return np.where(left > _ROUNDING * n_risk, left, 0.0)


def jackknife_variance(
    time: FloatArray,
    n_risk: FloatArray,
    n_event: FloatArray,
    *,
    row_time: FloatArray,
    row_event: BoolArray,
    row_entry: FloatArray,
    row_weight: FloatArray,
) -> FloatArray:
    """Infinitesimal jackknife variance of log S(t), for weights that are no counts, in linear time.

    With A(t) the sum of d / (n (n - d)), the derivative of log S(t) by the weight of row i is A(min(t, T)) - A(E), less
    1 / (n - d) at T once its event has come. The variance is the sum of squared weights times squared derivatives: a
    constant for each row that has left, and for those at risk a square in A(t) whose coefficients are running sums.

    Parameters
    ----------
    time, n_risk, n_event : ndarray, shape (m,)
        One curve (weighted sums).
    row_time, row_event, row_entry, row_weight : ndarray, shape (n,)
        Its rows; entry -inf without late entry.

    Returns
    -------
    ndarray, shape (m,)
        NaN from where S is zero.

    Notes
    -----
    Equals ``survfit(..., weights = )$std.err`` of R, squared and over S squared, when a weight is fractional.
    """
    left = _left(n_risk, n_event)
    alive = np.cumprod(left > 0).astype(bool)
    jump = np.divide(1.0, left, out=np.zeros_like(left), where=alive)
    slope = np.cumsum(n_event / n_risk * jump)

    place = np.searchsorted(time, row_time)
    begins = np.searchsorted(time, row_entry, side="right")
    before = np.r_[0.0, slope][begins]
    squared = row_weight**2
    settled = squared * (slope[place] - before - row_event * jump[place]) ** 2
    gone = np.cumsum(np.bincount(place, settled, len(time)))

    def present(values: FloatArray) -> FloatArray:
        """Sums over the rows at risk at each time that have not left at it."""
        moves = np.bincount(begins, values, len(time) + 1)[:-1] - np.bincount(place, values, len(time))
        return np.cumsum(moves)

    here = present(squared) * slope**2 - 2 * slope * present(squared * before) + present(squared * before**2)
    variance = np.where(alive, gone + np.maximum(here, 0.0), np.nan)
    # Between events nothing changes but rounding noise, which would break a flat stretch of a limit.
    last_event = np.maximum.accumulate(np.where(n_event > 0, np.arange(len(time)), -1))
    return np.where(last_event < 0, 0.0, variance[last_event])


def interval(
    survival: FloatArray, std_error: FloatArray, *, conf_level: float, conf_type: str
) -> tuple[FloatArray, FloatArray]:
    """Pointwise limits of a probability: normal on the scale of log(-log S), of log S, or of S itself.

    Parameters
    ----------
    survival, std_error : ndarray, shape (m,)
        Probabilities and the standard errors of them (not of their logarithms).
    conf_level : float
    conf_type : {"log-log", "log", "plain"}

    Returns
    -------
    conf_low, conf_high : ndarray, shape (m,)
        Within [0, 1]; NaN where S is zero, [1, 1] where it is one.

    Examples
    --------
    >>> low, high = interval(np.array([0.5]), np.array([0.1]), conf_level=0.95, conf_type="plain")
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.304], [0.696])
    """
    half = normal_quantile(conf_level)
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    error = np.where(inside, std_error, np.nan)
    with np.errstate(over="ignore"):  # beside an error that large the limits are 0 and 1, which is what follows
        if conf_type == "plain":
            low, high = s - half * error, s + half * error
        elif conf_type == "log":
            low, high = s * np.exp(-half * error / s), s * np.exp(half * error / s)
        else:
            spread = half * error / (s * -np.log(s))
            low, high = s ** np.exp(spread), s ** np.exp(-spread)
    one = survival == 1
    return np.where(one, 1.0, np.clip(low, 0, 1)), np.where(one, 1.0, np.clip(high, 0, 1))


def quantile(time: FloatArray, values: FloatArray, probability: float) -> float:
    """The first time at which a curve is at or below 1 - probability; where it is flat there, the middle of the flat.

    Parameters
    ----------
    time, values : ndarray, shape (m,)
        From the start (time 0, value 1) on; a curve, or one of its limits, NaN where that is undefined.
    probability : float

    Returns
    -------
    float
        NaN when the curve does not fall so far.

    Notes
    -----
    The rule of ``quantile.survfit`` in R, also for a limit that is not monotone: its largest value at or below
    1 - probability counts.

    Examples
    --------
    >>> quantile(np.array([0.0, 1.0, 3.0]), np.array([1.0, 0.5, 0.2]), 0.5)
    2.0
    """
    if probability == 0:
        return float(time[0])
    held = ~np.isnan(values)
    fallen, first = np.unique(1 - values[held], return_index=True)
    times = time[held][first]
    at, past = np.searchsorted(fallen, [probability - _SAME, probability + _SAME])
    if past < len(fallen):
        return float(times[at] + times[past]) / 2
    if held[-1] and at < len(fallen) and abs(1 - values[-1] - probability) < _SAME:
        return float(times[at] + time[-1]) / 2
    return float("nan")


def areas(time: FloatArray, values: FloatArray, horizon: float) -> FloatArray:
    """Area under a right-continuous step curve from each of its times to the horizon.

    Parameters
    ----------
    time, values : ndarray, shape (m,)
        From the start (time 0, value 1) on.
    horizon : float

    Returns
    -------
    ndarray, shape (m,)
        Zero from the horizon on; the last value is carried flat to it.

    Examples
    --------
    >>> areas(np.array([0.0, 2.0]), np.array([1.0, 0.5]), 3.0).tolist()
    [2.5, 0.5]
    """
    widths = np.diff(np.minimum(np.r_[time, horizon], horizon))
    return np.cumsum((widths * values)[::-1])[::-1]
