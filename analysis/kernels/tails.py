"""Tail probabilities that do not underflow: the logarithm of a p-value."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc, gammaln, log_ndtr, ndtri


def chi_square_tail(statistic: float, df: int) -> tuple[float, float]:
    """P-value of a chi-square statistic, and its base-10 logarithm, which stays finite where the p-value does not.

    The upper tail Q(a, x) with a = df / 2 and x = statistic / 2 is summed upwards from Q(1/2, x) or Q(1, x) by
    Q(a + 1, x) = Q(a, x) + x^a exp(-x) / Gamma(a + 1), all terms positive and in logarithms.

    Parameters
    ----------
    statistic : float
        Zero or more.
    df : int
        One or more.

    Returns
    -------
    p_value, log10_p : float
        As R's ``pchisq(statistic, df, lower.tail = FALSE)``, without and with ``log.p = TRUE`` (over ``log(10)``).

    Examples
    --------
    >>> p_value, log10_p = chi_square_tail(3.841458820694124, 1)
    >>> round(p_value, 12), round(log10_p, 6)
    (0.05, -1.30103)
    >>> round(chi_square_tail(4000.0, 1)[1], 1)
    -870.5
    """
    half = statistic / 2
    if half <= 0:
        return 1.0, 0.0
    log_tail = float(-half if df % 2 == 0 else math.log(2) + log_ndtr(-math.sqrt(statistic)))
    order = np.arange(1.0 if df % 2 == 0 else 0.5, df / 2)
    log_terms = order * math.log(half) - half - gammaln(order + 1)
    total = float(np.logaddexp.reduce(np.r_[log_tail, log_terms]))
    return float(chdtrc(df, statistic)), min(total, 0.0) / math.log(10)


def two_sided(statistic: float) -> float:
    """The two-sided p-value of a standard normal statistic.

    Examples
    --------
    >>> round(two_sided(-1.959963984540054), 12)
    0.05
    """
    return float(2 * math.exp(log_ndtr(-abs(statistic))))


def normal_quantile(conf_level: float) -> float:
    """The half-width, in standard errors, of a two-sided interval of this level.

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    return float(-ndtri((1 - conf_level) / 2))
