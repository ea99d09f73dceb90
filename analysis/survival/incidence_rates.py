"""Person-time and incidence rates: events over the time at risk, with exact Poisson limits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint
from analysis.errors import InputError, raise_all, warn_all
from analysis.survival.rows import label_column, level_problems, number_problems, survival_data

__all__ = ["incidence_rates"]


def incidence_rates(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    by: str | None = None,
    per: float = 1.0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Events, person-time and the incidence rate of each stratum, with exact Poisson limits.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient, or a spell of one (then n counts spells); never changed.
    endpoint : Endpoint
        With late entry, time at risk counts from the entry.
    by : str, optional
        The column of the strata; everybody in one, "all", when None.
    per : float
        The person-time that rates are given for, in the endpoint's unit: 1200 for rates per 100 person-years of
        follow-up in months.
    conf_level : float

    Returns
    -------
    DataFrame
        stratum, n, n_event, person_time (in the endpoint's unit), rate (events per `per` of it), conf_low, conf_high.

    Raises
    ------
    CohortError
        Faults of the columns, all at once.
    InputError
        Options that cannot be; a stratum without any time at risk.

    Warns
    -----
    RowsDropped, SuspiciousValues

    Notes
    -----
    With d events in a person-time T the limits are those of a Poisson mean over T: half the a/2 quantile of chi-square
    on 2 d degrees of freedom (0 where d = 0) and half the 1 - a/2 quantile on 2 d + 2 (Garwood 1936, Biometrika
    28:437). Exact for a constant rate; they cover at least as often as they say. As R's ``poisson.test(d, T)``, and
    ``survival::pyears(Surv(time, event) ~ stratum, scale = 1)`` for events and person-time.

    Examples
    --------
    >>> cohort = pd.DataFrame({"months": [2.0, 3, 5, 10], "died": [1, 0, 1, 1], "arm": list("aabb")})
    >>> incidence_rates(cohort, Endpoint("months", "died"), by="arm").round(3).to_numpy().tolist()
    [['a', 2, 1, 5.0, 0.2, 0.005, 1.114], ['b', 2, 2, 15.0, 0.133, 0.016, 0.482]]
    """
    problems = level_problems(conf_level) + number_problems("per", per, low=0, open_low=True)
    raise_all(problems, InputError)
    data = survival_data(cohort, endpoint, by=by)
    warn_all(data.warnings)
    labels, codes = data.by.labels, data.by.codes
    n = np.bincount(codes, minlength=len(labels))
    events = np.bincount(codes, weights=data.event, minlength=len(labels)).astype(np.int64)
    person_time = np.bincount(codes, weights=data.time - np.maximum(data.entry, 0.0), minlength=len(labels))
    empty = [repr(label) for label, time in zip(labels, person_time, strict=True) if time <= 0]
    if empty:
        raise InputError(f"no time at risk in stratum {', '.join(empty)}: a rate needs some follow-up above 0")
    low, high = _poisson_limits(events, conf_level)
    scale = per / person_time
    return pd.DataFrame(
        {
            "stratum": label_column(list(labels), list(labels)),
            "n": n,
            "n_event": events,
            "person_time": person_time,
            "rate": events * scale,
            "conf_low": low * scale,
            "conf_high": high * scale,
        }
    )


def _poisson_limits(events: IntArray, conf_level: float) -> tuple[FloatArray, FloatArray]:
    """Exact limits of Poisson means: a chi-square quantile is twice a gamma quantile of half its degrees of freedom."""
    from scipy.special import gammaincinv

    tail = (1 - conf_level) / 2
    low = np.where(events > 0, gammaincinv(np.maximum(events, 1), tail), 0.0)
    return low, np.asarray(gammaincinv(events + 1.0, 1 - tail), dtype=np.float64)
