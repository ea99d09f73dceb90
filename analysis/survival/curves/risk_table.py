"""Who is at risk at a time: the table under a survival curve, and landmark subsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint, with_columns
from analysis.errors import InputError, NotEstimable, number_problems, raise_all, warn_all
from analysis.kernels.times import n_times_to
from analysis.kernels.tolerances import SAME_TIME
from analysis.survival import rows as gate
from analysis.survival.rows import SurvivalData


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
    at = gate.times_given(times)
    read = gate.read_counts(cohort, endpoint, by=by, cluster=cluster)
    data, counts = read.rows, read.counts
    n_left, n_lost, late = counts.n_event + counts.n_censor, counts.n_censor, endpoint.entry is not None
    if data is not None and (cluster is not None or late):
        gate.refuse_spells(cohort, endpoint, data, cluster)
        n_lost = gate.counts_of_rows(data, gate.patient_rows(data, cluster).ended & ~data.event).n_event
    parts = []
    for code, segment in enumerate(counts.segments):
        entered = _entered(data, code, at) if data is not None and late else read.sizes[code]
        n = {"n_event": counts.n_event[segment, 0], "n_censor": n_lost[segment, 0], "n_left": n_left[segment, 0]}
        parts.append(risk_of_counts(counts.time[segment], at, entered=entered, **n))
    warn_all(read.warnings)
    return joined(parts, read.labels)


def _entered(data: SurvivalData, code: int, at: FloatArray) -> FloatArray:
    """How many of a stratum came under observation before each time; at 0, those that are just after it."""
    entry = np.sort(data.entry[data.by.codes == code])
    return np.asarray((entry <= 0).sum() + n_times_to(entry[entry > 0], at, side="left"), dtype=np.float64)


def joined(parts: Sequence[pd.DataFrame], labels: Sequence[str]) -> pd.DataFrame:
    """The tables of all strata in one."""
    table = pd.concat(parts, ignore_index=True)
    table.insert(
        0, "stratum", gate.label_column(np.repeat(list(labels), [len(part) for part in parts]).tolist(), labels)
    )
    return table


def risk_of_counts(
    time: FloatArray,
    at: FloatArray,
    *,
    n_event: FloatArray,
    n_censor: FloatArray,
    n_left: FloatArray,
    entered: FloatArray | float,
) -> pd.DataFrame:
    """One stratum's table from its counts in order of time; `entered` are those who came before each time asked for."""
    return pd.DataFrame(
        {
            "time": at,
            "n_risk": (entered - so_far(time, n_left, at, side="left")).astype(np.int64),
            "n_event": so_far(time, n_event, at).astype(np.int64),
            "n_censor": so_far(time, n_censor, at).astype(np.int64),
        }
    )


def so_far(time: FloatArray, n: FloatArray, at: FloatArray, *, side: Literal["left", "right"] = "right") -> FloatArray:
    """How many of n come at or before (side "left": before) each given time, near-ties being equal."""
    room = SAME_TIME * np.average(time, weights=n) if n.any() else 0.0
    index = np.searchsorted(time, at + room if side == "right" else at - room, side=side)
    return np.concatenate([[0.0], np.cumsum(n)])[index]


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
    data = gate.survival_data(cohort, endpoint)
    later = data.time > at + SAME_TIME * max(at, np.abs(data.time).mean())
    if not later.any():
        raise NotEstimable(f"0 at risk at {at:g}: follow-up in {endpoint.duration!r} ends at {data.time.max():g}")
    warn_all(data.warnings)
    kept = cohort.iloc[data.position[later]]
    shifted: dict[str, FloatArray] = {endpoint.duration: data.time[later] - at}
    if endpoint.entry is not None:
        shifted[endpoint.entry] = np.maximum(data.entry[later] - at, 0.0)
    return with_columns(kept, shifted)
