"""Landmark subsets: who was still at risk at a time fixed beforehand, followed from there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, with_columns
from analysis.errors import InputError, NotEstimable, raise_all, warn_all
from analysis.kernels.times import TOLERANCE
from analysis.survival.rows import number_problems, survival_data


def landmark(cohort: pd.DataFrame, endpoint: Endpoint, at: float) -> pd.DataFrame:
    """The rows still followed after a landmark, their time counted from it.

    Groups that form during follow-up (a response, a laboratory value at month 3) may be compared only among those who
    lived to see them form: fix a landmark, take those at risk beyond it, and use what was known at it.

    Parameters
    ----------
    cohort, endpoint
        As in `kaplan_meier`.
    at : float
        The landmark, zero or more, in the unit of the follow-up. Rows with time > at are kept: an event at the landmark
        itself belongs to the past.

    Returns
    -------
    DataFrame
        The rows kept, index and other columns as they were; the duration less `at`; an entry column becomes
        max(entry - at, 0).

    Raises
    ------
    CohortError
        When the columns cannot be used; InputError when `at` is negative or no number.
    NotEstimable
        When nobody is followed beyond the landmark.

    Warns
    -----
    RowsDropped
        When rows miss the time, the event or the entry.

    Notes
    -----
    Anderson, Cain and Gelber, J Clin Oncol 1 (1983) 710.

    Examples
    --------
    >>> from analysis import Endpoint, landmark
    >>> cohort = pd.DataFrame({"months": [2.0, 3.0, 6.0], "died": [1, 1, 0]})
    >>> landmark(cohort, Endpoint("months", "died"), 3)
       months  died
    2     3.0     0
    """
    raise_all(number_problems("at", at, low=0), InputError)
    data = survival_data(cohort, endpoint)
    later = data.time > at + TOLERANCE * max(at, np.abs(data.time).mean())
    if not later.any():
        raise NotEstimable(f"0 at risk at {at:g}: follow-up in {endpoint.duration!r} ends at {data.time.max():g}")
    warn_all(data.warnings)
    kept = cohort.iloc[data.position[later]]
    shifted: dict[str, FloatArray] = {endpoint.duration: data.time[later] - at}
    if endpoint.entry is not None:
        shifted[endpoint.entry] = np.maximum(data.entry[later] - at, 0.0)
    return with_columns(kept, shifted)
