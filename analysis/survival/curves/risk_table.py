"""The table under a survival curve: who is at risk, and who has had the event or was censored by then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort.columns import Endpoint
from analysis.errors import warn_all
from analysis.kernels.counts import Counts
from analysis.kernels.times import TOLERANCE, n_times_to
from analysis.survival.rows import (
    SurvivalData,
    counted_curves,
    label_column,
    patient_rows,
    refuse_spells,
    survival_data,
    times_given,
)


def risk_table(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    *,
    times: ArrayLike,
    by: str | None = None,
    cluster: str | None = None,
) -> pd.DataFrame:
    """Numbers at risk at given times, with events and censorings so far.

    Parameters
    ----------
    cohort, endpoint, by, cluster
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
        When the columns cannot be used, or rows look like spells (as `kaplan_meier` says) and no `cluster` was given:
        n_censor would count ends of spells; InputError when a time is negative or no number.

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
    counted = None if cluster is not None else counted_curves(cohort, endpoint, by=by)
    if counted is not None:
        counts, rows = counted
        warn_all(rows.warnings)
        return joined([_counted_stratum(counts, place, at) for place in counts.segments], rows.labels)
    data = survival_data(cohort, endpoint, by=by, cluster=cluster)
    refuse_spells(cohort, endpoint, data, cluster)
    labels, censored = data.by.labels, patient_rows(data, cluster).ended & ~data.event
    parts = [_one_stratum(data, censored, data.by.codes == code, at) for code in range(len(labels))]
    warn_all(data.warnings)
    return joined(parts, labels)


def joined(parts: Sequence[pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """The tables of all strata in one."""
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "stratum", label_column(np.repeat(list(labels), [len(part) for part in parts]).tolist(), labels))
    return table


def _one_stratum(data: SurvivalData, censored: BoolArray, rows: BoolArray, at: FloatArray) -> pd.DataFrame:
    """The counts of one stratum at the times."""
    time, event, entry = data.time[rows], data.event[rows], np.sort(data.entry[rows])
    entered = (entry <= 0).sum() + n_times_to(entry[entry > 0], at, side="left")
    return pd.DataFrame(
        {
            "time": at,
            "n_risk": entered - n_times_to(np.sort(time), at, side="left"),
            "n_event": n_times_to(np.sort(time[event]), at),
            "n_censor": n_times_to(np.sort(data.time[rows & censored]), at),
        }
    )


def _counted_stratum(counts: Counts, place: slice, at: FloatArray) -> pd.DataFrame:
    """The same from counts, nobody having entered late."""
    n_event, n_censor = counts.n_event[place, 0], counts.n_censor[place, 0]
    return risk_of_counts(counts.time[place], n_event, n_censor, at, entered=(n_event + n_censor).sum())


def risk_of_counts(
    time: FloatArray, n_event: FloatArray, n_censor: FloatArray, at: FloatArray, *, entered: FloatArray | float
) -> pd.DataFrame:
    """One stratum's table from its counts in order of time; `entered` are those who came before each time asked for."""
    return pd.DataFrame(
        {
            "time": at,
            "n_risk": (entered - so_far(time, n_event + n_censor, at, side="left")).astype(np.int64),
            "n_event": so_far(time, n_event, at).astype(np.int64),
            "n_censor": so_far(time, n_censor, at).astype(np.int64),
        }
    )


def so_far(time: FloatArray, n: FloatArray, at: FloatArray, *, side: Literal["left", "right"] = "right") -> FloatArray:
    """How many of n come at or before (side "left": before) each given time, near-ties being equal."""
    room = TOLERANCE * np.average(time, weights=n) if n.any() else 0.0
    place = np.searchsorted(time, at + room if side == "right" else at - room, side=side)
    return np.concatenate([[0.0], np.cumsum(n)])[place]
