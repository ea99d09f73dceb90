"""The p-value of a maximally selected statistic, in closed form."""

from __future__ import annotations

from math import exp, isfinite, log, pi, sqrt

import numpy as np

from analysis.arrays import IntArray
from analysis.kernels.tails import two_sided


def lausen_1992(statistic: float, *, min_fraction: float, max_fraction: float) -> float:
    """The p-value of Lausen and Schumacher (1992), from the tail of a Brownian bridge's maximum between two fractions.

    p = 4 f(b) / b + f(b) (b - 1/b) log(e2 (1 - e1) / ((1 - e2) e1)), with f the normal density, for b of 1 or more; 1
    below; kept within [0, 1].

    Parameters
    ----------
    statistic : float
        b, the maximum of the absolute standardised statistics.
    min_fraction, max_fraction : float
        e1 and e2.

    Returns
    -------
    float

    Notes
    -----
    ``pLausen92`` of R's maxstat. Lausen and Schumacher, Biometrics 48 (1992) 73.

    Examples
    --------
    >>> round(lausen_1992(3.0, min_fraction=0.1, max_fraction=0.9), 4)
    0.0578
    """
    if statistic < 1:
        return 1.0
    density = exp(-(statistic**2) / 2) / sqrt(2 * pi)
    width = log(max_fraction * (1 - min_fraction) / ((1 - max_fraction) * min_fraction))
    return _within(4 * density / statistic + density * (statistic - 1 / statistic) * width)


def lausen_1994(statistic: float, *, n_low: IntArray, n: int) -> float:
    """The p-value of Lausen, Sauerbrei and Schumacher (1994): Bonferroni's, improved by what neighbouring cuts share.

    p = 2 (1 - F(b)) + sum over neighbouring cuts of exp(-b^2 / 2) / pi (t - (b^2 / 4 - 1) t^3 / 6), with
    t = sqrt(1 - m1 (n - m2) / ((n - m1) m2)) for cuts with m1 and m2 rows in the low group; kept within [0, 1].

    Parameters
    ----------
    statistic : float
        b.
    n_low : ndarray of int, shape (k,)
        Rows in the low group of each admissible cut, increasing.
    n : int
        All rows.

    Returns
    -------
    float

    Notes
    -----
    ``pLausen94`` of R's maxstat, which can exceed 1. Lausen, Sauerbrei and Schumacher, in Computational Statistics
    (Physica 1994) 1483.

    Examples
    --------
    >>> round(lausen_1994(1.959963984540054, n_low=np.array([50]), n=100), 6)  # one cut: no search
    0.05
    """
    first, second = n_low[:-1].astype(np.float64), n_low[1:].astype(np.float64)
    t = np.sqrt(1 - first * (n - second) / ((n - first) * second))
    joined = exp(-(statistic**2) / 2) / pi * float((t - (statistic**2 / 4 - 1) * t**3 / 6).sum())
    return _within(two_sided(statistic) + joined)


def _within(p_value: float) -> float:
    """A probability, whatever the approximation gave."""
    return min(max(p_value, 0.0), 1.0) if isfinite(p_value) else 1.0
