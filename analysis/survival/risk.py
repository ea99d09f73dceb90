"""The table under a survival curve: who is at risk, and who has had the event or was censored by then."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.cohort.columns import BoolArray, FloatArray
from analysis.cohort.endpoints import Endpoint
from analysis.errors import warn_all
from analysis.kernels.times import n_times_to
from analysis.survival.curve_frames import label_column
from analysis.survival.data import SurvivalData, survival_data
from analysis.survival.options import times_given


def risk_table(cohort: pd.DataFrame, endpoint: Endpoint, *, times: ArrayLike, by: str | None = None) -> pd.DataFrame:
    """Numbers at risk at given times, with events and censorings so far.

    Parameters
    ----------
    cohort, endpoint, by
        As in `kaplan_meier`.
    times : sequence of numbers
        In the unit of the follow-up; may lie beyond it.

    Returns
    -------
    DataFrame
        Columns stratum, time, n_risk, n_event, n_censor; the times in the order given. n_risk is the number with
        entry < t <= time (at t = 0, as in the first row of a curve, those under observation just after 0); n_event and
        n_censor count up to and including t.

    Raises
    ------
    CohortError
        When the columns cannot be used; InputError when a time is negative or no number.

    Warns
    -----
    RowsDropped, SuspiciousValues

    Notes
    -----
    n_risk equals that of ``summary(survfit, times = )`` of R (which with late entry counts at the next follow-up time
    instead). The layout is KMunicate's (Morris et al., BMJ Open 9 (2019) e030215).

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import Endpoint, risk_table
    >>> cohort = pd.DataFrame({"months": [2, 3, 3, 5], "died": [1, 0, 1, 0]})
    >>> risk_table(cohort, Endpoint("months", "died"), times=[0, 3, 6])[["n_risk", "n_event", "n_censor"]]
       n_risk  n_event  n_censor
    0       4        0         0
    1       3        2         1
    2       0        2         2
    """
    at = times_given(times)
    data = survival_data(cohort, endpoint, by=by)
    labels = list(data.by.labels)
    parts = [_one_stratum(data, data.by.codes == code, at) for code in range(len(labels))]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "stratum", label_column([label for label in labels for _ in at], labels))
    warn_all(data.frame_warnings)
    return table


def _one_stratum(data: SurvivalData, rows: BoolArray, at: FloatArray) -> pd.DataFrame:
    """The counts of one stratum at the times."""
    time, event, entry = data.time[rows], data.event[rows], np.sort(data.entry[rows])
    entered = np.where(at > 0, n_times_to(entry, at, side="left"), (entry <= 0).sum())
    return pd.DataFrame(
        {
            "time": at,
            "n_risk": entered - n_times_to(np.sort(time), at, side="left"),
            "n_event": n_times_to(np.sort(time[event]), at),
            "n_censor": n_times_to(np.sort(time[~event]), at),
        }
    )
