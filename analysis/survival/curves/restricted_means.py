"""Restricted mean survival time: the area under a curve up to a horizon, its difference and its ratio."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few
from analysis.errors import InputError, level_problems, number_problems, raise_all
from analysis.kernels.counts import areas
from analysis.kernels.tails import normal_quantile
from analysis.kernels.times import reached
from analysis.survival.curves.kaplan_meier import GREENWOOD
from analysis.survival.curves.milestones import difference_columns, pairs_of, strata_of, with_pairs
from analysis.survival.rows import label_column


def restricted_mean(
    curves: pd.DataFrame, horizon: float, *, extend: bool = False, conf_level: float = 0.95
) -> pd.DataFrame:
    """Mean survival time up to a horizon: the area under each curve from 0 to it.

    Parameters
    ----------
    curves : DataFrame
        As `kaplan_meier` returns them, without weights or with whole-number weights.
    horizon : float
        Positive, in the unit of the follow-up, fixed before looking.
    extend : bool
        Carry the last value flat to the horizon where follow-up ends before it.
    conf_level : float

    Returns
    -------
    DataFrame
        Columns stratum, restricted_mean, std_error, conf_low, conf_high, in the unit of the follow-up.

    Raises
    ------
    InputError
        When the horizon is not positive, or lies beyond the follow-up of a stratum with S > 0 (unless `extend`); for
        curves with fractional weights, whose error needs the rows.

    Notes
    -----
    With A(t) the area from t to the horizon, the variance is the sum of A(t)^2 d / (n (n - d)) over the event times up
    to the horizon. Equals ``print(survfit, rmean = horizon)`` of R. Royston and Parmar, BMC Med Res Methodol 13 (2013)
    152.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, restricted_mean
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> restricted_mean(kaplan_meier(cohort, Endpoint("months", "died")), 4)["restricted_mean"].round(6).tolist()
    [3.25]
    """
    strata, estimates = _estimates(curves, horizon, extend, conf_level)
    mean, std_error = estimates.T
    half = normal_quantile(conf_level) * std_error
    return pd.DataFrame(
        {
            "stratum": label_column(strata, strata),
            "restricted_mean": mean,
            "std_error": std_error,
            "conf_low": mean - half,
            "conf_high": mean + half,
        }
    )


def restricted_mean_difference(
    curves: pd.DataFrame, horizon: float, *, extend: bool = False, conf_level: float = 0.95
) -> pd.DataFrame:
    """Differences and ratios of restricted means, b against a, for every pair of strata.

    Parameters
    ----------
    curves, horizon, extend, conf_level
        As in `restricted_mean`.

    Returns
    -------
    DataFrame
        Columns stratum_a, stratum_b, difference (b - a), std_error, conf_low, conf_high, statistic (z), p_value, ratio
        (b / a), ratio_conf_low, ratio_conf_high; pairs in stratum order. The ratio's interval is symmetric in its
        logarithm (delta method); it is undefined (NaN) where a mean is 0.

    Raises
    ------
    InputError
        As `restricted_mean`; NotEstimable with fewer than 2 strata.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, kaplan_meier, restricted_mean_difference
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 1], "arm": ["a", "a", "b", "b"]})
    >>> curves = kaplan_meier(cohort, Endpoint("months", "died"), by="arm")
    >>> restricted_mean_difference(curves, 3)[["difference", "ratio"]].round(4).to_numpy().tolist()
    [[0.5, 1.2]]
    """
    strata, estimates = _estimates(curves, horizon, extend, conf_level)
    pairs = pairs_of(strata)
    a, b = (estimates[[strata.index(pair[side]) for pair in pairs]] for side in (0, 1))
    table = difference_columns(b[:, 0] - a[:, 0], np.hypot(a[:, 1], b[:, 1]), conf_level)
    mean_a, mean_b = (np.where(side[:, 0] > 0, side[:, 0], np.nan) for side in (a, b))
    ratio = b[:, 0] / mean_a
    spread = np.exp(normal_quantile(conf_level) * np.hypot(a[:, 1] / mean_a, b[:, 1] / mean_b))
    table = table.assign(ratio=ratio, ratio_conf_low=ratio / spread, ratio_conf_high=ratio * spread)
    return with_pairs(table, pairs, strata)


def _estimates(curves: pd.DataFrame, horizon: float, extend: bool, conf_level: float) -> tuple[list[str], FloatArray]:
    """The strata, and the mean and standard error of each."""
    raise_all(number_problems("horizon", horizon, low=0, open_low=True) + level_problems(conf_level), InputError)
    strata = strata_of(curves)
    check_horizon(strata, float(horizon), extend=extend)
    return list(strata), np.array([_area(rows, float(horizon)) for rows in strata.values()])


def check_horizon(strata: Mapping[str, pd.DataFrame], horizon: float, *, extend: bool) -> None:
    """Refuse curves whose error cannot be read off them, and a horizon beyond the follow-up unless it is extended."""
    if any("variance" in rows and (rows["variance"] != GREENWOOD).any() for rows in strata.values()):
        raise InputError(
            "curves with fractional weights, or adjusted ones: the standard error of a restricted mean needs the rows,"
            " not the curve; use unweighted curves, or adjusted_restricted_mean(adjusted_curves(...), horizon)"
        )
    ends = {label: rows[["time", "survival"]].iloc[-1] for label, rows in strata.items()}
    short = [
        f"{label!r} ends at {end.time:g}"
        for label, end in ends.items()
        if end.survival > 0 and not reached(np.array([horizon]), float(end.time)).all()
    ]
    if short and not extend:
        latest = min(end.time for end in ends.values() if end.survival > 0)
        raise InputError(
            f"horizon={horizon:g} lies beyond the follow-up: stratum {first_few(short)}; choose at most {latest:g}, or"
            " extend=True to carry the last value flat"
        )


def _area(rows: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """The area under one curve to the horizon, and its standard error."""
    area = areas(rows["time"].to_numpy(), rows["survival"].to_numpy(), horizon)
    n_risk, n_event = rows["n_risk"].to_numpy(dtype=np.float64), rows["n_event"].to_numpy(dtype=np.float64)
    left = n_risk - n_event
    # Once nobody is left the area is zero, and so is the term.
    terms = np.divide(area**2 * n_event, n_risk * left, out=np.zeros(len(area)), where=(left > 0) & (area > 0))
    return float(area[0]), float(np.sqrt(terms.sum()))
