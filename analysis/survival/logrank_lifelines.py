"""The log-rank test as lifelines computes it: a second opinion on our own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.errors import NotSupported
from analysis.survival.rows.survival_data import late_entry, survival_data


def lifelines_logrank(cohort: pd.DataFrame, endpoint: Endpoint, *, by: str) -> float:
    """The chi-square of ``lifelines.statistics.multivariate_logrank_test`` on the rows that `logrank_test` takes.

    Raises
    ------
    NotSupported
        With late entry, which lifelines' test does not know.

    Examples
    --------
    >>> cohort = pd.DataFrame({"months": range(1, 21), "died": 1, "arm": ["a", "b"] * 5 + ["b", "b"] * 5})
    >>> round(lifelines_logrank(cohort, Endpoint("months", "died"), by="arm"), 4)
    10.2248
    """
    data = survival_data(cohort, endpoint, by=by)
    if late_entry(data) is not None:
        raise NotSupported("lifelines' log-rank test does not know late entry")
    from lifelines.statistics import multivariate_logrank_test

    with np.errstate(all="ignore"):
        test = multivariate_logrank_test(data.time, data.by.codes, data.event)
    return float(test.test_statistic)
