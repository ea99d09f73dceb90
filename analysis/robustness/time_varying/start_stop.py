"""A marker that moves, as rows from one sample to the next; and whether such rows can be what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.errors import (
    AnalysisWarning,
    CohortError,
    FollowUpGaps,
    InputError,
    RowsDropped,
    SuspiciousValues,
    ValueUnknown,
    raise_all,
    warn_all,
)
from analysis.kernels.times import merge_near_ties
from analysis.robustness.time_varying.samples import Samples, counted, known_by, patient_keys, read_samples
from analysis.survival.rows import group_rows, survival_data

START, STOP, EVENT, VALUE = "start", "stop", "event", "value"


def start_stop(
    cohort: pd.DataFrame, labs: pd.DataFrame, endpoint: Endpoint, *, key: str, time: str, value: str
) -> pd.DataFrame:
    """Rows that each hold from one sample of a marker to the next, for a Cox model of its latest value.

    A patient's follow-up is cut at every sample taken during it. Each row carries the value known when it starts, so no
    row knows the future; only the last row of a patient can end in the event.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    labs : DataFrame
        One row a sample, in any order: the marker's values, those at baseline among them.
    endpoint : Endpoint
        The outcome of the cohort; with an entry column a patient's first row starts there.
    key : str
        Column of both frames that names the patient.
    time, value : str
        Columns of `labs`: when, in the unit of the follow-up and counted from its time zero, and what.

    Returns
    -------
    DataFrame
        The cohort's columns, repeated, then start, stop, event (0/1) and value; by patient in the cohort's order, then
        by time. Fit it with ``Endpoint("stop", "event", entry="start")`` and ``cluster=key``. A row's value is missing
        until the first sample.

    Raises
    ------
    CohortError
        With every fault: columns that cannot be used, patients with several rows in the cohort, no patient in common,
        two different values of one patient at one time, a column of the cohort that is named as a new one.

    Warns
    -----
    RowsDropped
        Patients left out (outcome missing, followed for no time), and samples left out, by reason: missing, of others
        than the cohort's patients, repeated, at or after the end of follow-up, superseded before it began.
    ValueUnknown
        How many patients are followed for a time before their first sample.

    Notes
    -----
    As ``tmerge(..., value = tdc(time, value))`` of R. A sample at the very time of the event comes too late to have
    gone before it, and is left out. Therneau, Crowson and Atkinson, "Using time dependent covariates" (vignette of
    survival).

    Examples
    --------
    >>> cohort = pd.DataFrame({"id": ["a", "b"], "months": [9.0, 4.0], "died": [1, 0]})
    >>> labs = pd.DataFrame({"id": ["a", "a", "b"], "month": [0.0, 2.5, 0.0], "mg": [0.8, 0.7, 0.9]})
    >>> rows = start_stop(cohort, labs, Endpoint("months", "died"), key="id", time="month", value="mg")
    >>> rows[["id", "start", "stop", "event", "value"]].to_numpy().tolist()
    [['a', 0.0, 2.5, 0, 0.8], ['a', 2.5, 9.0, 1, 0.7], ['b', 0.0, 4.0, 0, 0.9]]
    """
    keys = patient_keys(cohort, key)
    raise_all(_taken(cohort, endpoint))
    samples = read_samples(labs, keys, key=key, time=time, value=value)
    followed = _follow_up(cohort, endpoint, samples)
    first = known_by(followed.samples, followed.start)
    during = _during(followed)
    spells = _spells(followed, during, first)
    warn_all([*followed.warnings, *during.warnings, *_unknown_at_first(followed, during, first, value)])
    rows = cohort.iloc[spells["patient"].to_numpy()].reset_index(drop=True)
    return rows.assign(**{name: spells[name] for name in (START, STOP, EVENT, VALUE)})


def _taken(cohort: pd.DataFrame, endpoint: Endpoint) -> list[str]:
    """New columns whose names the cohort has already, but for the outcome's own, which they replace."""
    own = {endpoint.entry: START, endpoint.duration: STOP, endpoint.event: EVENT} if _is_endpoint(endpoint) else {}
    taken = [name for name in (START, STOP, EVENT, VALUE) if name in cohort.columns and own.get(name) != name]
    return [f"the cohort has columns {first_few(map(repr, taken))} already; rename or drop them"] if taken else []


def _is_endpoint(endpoint: object) -> bool:
    """Whether it is an endpoint; what is none is refused where rows are read."""
    return isinstance(endpoint, Endpoint)


@dataclass(frozen=True, eq=False)
class _FollowUp:
    """Each patient of the cohort: followed or not, from when to when, to which end; and the samples on one clock."""

    followed: BoolArray
    start: FloatArray
    stop: FloatArray
    event: BoolArray
    samples: Samples
    warnings: tuple[AnalysisWarning, ...]


def _follow_up(cohort: pd.DataFrame, endpoint: Endpoint, samples: Samples) -> _FollowUp:
    """The follow-up of each patient, near-tied times of follow-up and samples merged."""
    data = survival_data(cohort, endpoint)
    n = len(cohort)
    start, stop = (np.full(n, np.nan) for _ in range(2))
    event = np.zeros(n, dtype=bool)
    entry, last, sampled = merge_near_ties(np.maximum(data.entry, 0.0), data.time, samples.time)
    start[data.position], stop[data.position], event[data.position] = entry, last, data.event
    followed = stop > start
    if not followed.any():
        raise CohortError("nobody is followed for a time: are follow-up and samples in the same unit?")
    dropped = dict(data.dropped)
    if len(data.position) > followed.sum():
        dropped["followed for no time"] = len(data.position) - int(followed.sum())
    told = (RowsDropped(n, int(followed.sum()), dropped),) if dropped else ()
    moved = Samples(samples.patient, sampled, samples.value, samples.n_read, samples.dropped)
    return _FollowUp(followed, start, stop, event, moved, told)


def _during(followed: _FollowUp) -> Samples:
    """The samples that start a row, or are known where a patient's first row starts; the others counted."""
    samples = followed.samples.kept(followed.followed[followed.samples.patient], "patients who are not followed")
    in_time = samples.time < followed.stop[samples.patient]
    samples = samples.kept(in_time, "at or after the end of follow-up")
    before = samples.time <= followed.start[samples.patient]
    next_before = np.r_[before[1:] & (np.diff(samples.patient) == 0), False]
    return samples.kept(~(before & next_before), "superseded before follow-up began")


def _spells(followed: _FollowUp, samples: Samples, first: FloatArray) -> pd.DataFrame:
    """The rows: patient start stop event value, by patient and time."""
    patients = np.flatnonzero(followed.followed)
    later = samples.time > followed.start[samples.patient]
    patient = np.r_[patients, samples.patient[later]]
    start = np.r_[followed.start[patients], samples.time[later]]
    value = np.r_[first[patients], samples.value[later]]
    order = np.lexsort((start, patient))
    patient, start, value = patient[order], start[order], value[order]
    last = np.r_[np.diff(patient) != 0, True]
    stop = np.where(last, followed.stop[patient], np.r_[start[1:], np.nan])
    event = (last & followed.event[patient]).astype(np.int64)
    return pd.DataFrame({"patient": patient, START: start, STOP: stop, EVENT: event, VALUE: value})


def _unknown_at_first(followed: _FollowUp, samples: Samples, first: FloatArray, value: str) -> list[AnalysisWarning]:
    """How many patients are followed before their first sample, and how many of them never have one."""
    unknown = followed.followed & np.isnan(first)
    if not unknown.any():
        return []
    never = int(unknown.sum()) - len(np.intersect1d(samples.patient, np.flatnonzero(unknown)))
    return [
        ValueUnknown(
            f"{value!r} is not known of {int(unknown.sum())} of {int(followed.followed.sum())} patients when their"
            f" follow-up starts, and of {never} of them ever: their rows until then miss a value, and models leave"
            " those rows out"
        )
    ]


def check_start_stop(rows: pd.DataFrame, endpoint: Endpoint, *, key: str) -> pd.DataFrame:
    """Whether rows of several spells a patient can be what they say, and what they come to patient by patient.

    Parameters
    ----------
    rows : DataFrame
        A row a spell: `start_stop` gives such rows, or a registry does. Never changed; any order.
    endpoint : Endpoint
        With an entry column: ``Endpoint("stop", "event", entry="start")``.
    key : str
        Column that names the patient.

    Returns
    -------
    DataFrame
        One row a patient, in order of the key: the key, n_rows, start, stop, time_at_risk, n_event.

    Raises
    ------
    CohortError
        With every fault and its count: missing, negative or disordered times (start at or after stop), events that are
        not 0/1; then spells of one patient that overlap or repeat one another, and spells after the patient's event.
    InputError
        When the endpoint has no entry column.

    Warns
    -----
    RowsDropped
        Rows that miss a time, the event or the key.
    FollowUpGaps
        Patients who are not under observation between two of their spells.
    SuspiciousValues
        Patients whose rows stand out of order or apart.

    Notes
    -----
    The counts of R's ``survcheck``; its "teleport" needs states and has no match here.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": ["a", "a", "b"], "start": [0, 2, 0], "stop": [2, 5, 3], "event": [0, 1, 0]})
    >>> check_start_stop(rows, Endpoint("stop", "event", entry="start"), key="id").to_numpy().tolist()
    [['a', 2, 0.0, 5.0, 5.0, 1], ['b', 1, 0.0, 3.0, 3.0, 0]]
    """
    if _is_endpoint(endpoint) and endpoint.entry is None:
        raise InputError(
            f"endpoint {endpoint.name!r} has no entry column: spells need one, as in"
            ' Endpoint("stop", "event", entry="start")'
        )
    data = survival_data(rows, endpoint, complete=[key])
    patients = group_rows(rows.iloc[data.position], [key])
    order = np.lexsort((data.entry, patients.codes))
    code, start, stop = patients.codes[order], data.entry[order], data.time[order]
    event, same = data.event[order], np.diff(patients.codes[order]) == 0
    labels = np.asarray(patients.labels, dtype=object)
    overlap, after = same & (start[1:] < stop[:-1]), same & event[:-1]
    raise_all(
        [
            *_faults("overlapping the spell before", overlap, code[1:], labels),
            *_faults("after the event of the patient", after, code[1:], labels),
        ]
    )
    warn_all([*data.warnings, *_told(data.position, order, same, start[1:] > stop[:-1], code, labels)])
    frame = pd.DataFrame({"code": code, START: start, STOP: stop, "time": stop - start, EVENT: event.astype(np.int64)})
    summary = frame.groupby("code").agg(
        n_rows=(START, "size"), start=(START, "min"), stop=(STOP, "max"), time_at_risk=("time", "sum"),
        n_event=(EVENT, "sum"),
    )  # fmt: skip
    summary.insert(0, key, labels)
    return summary.reset_index(drop=True)


def _faults(fault: str, wrong: BoolArray, code: IntArray, labels: np.ndarray) -> list[str]:
    """A fault with its number of spells and its first patients."""
    if not wrong.any():
        return []
    named = first_few(dict.fromkeys(labels[code[wrong]]))
    words = f"{counted(int(wrong.sum()), 'spell')} {fault} (patients {named})"
    return [f"{words}; a patient is in one spell at a time, until the event"]


def _told(
    position: IntArray, order: IntArray, same: BoolArray, apart: BoolArray, code: IntArray, labels: np.ndarray
) -> list[AnalysisWarning]:
    """Words on gaps, and on rows out of order."""
    found: list[AnalysisWarning] = []
    gaps = same & apart
    if gaps.any():
        named = first_few(dict.fromkeys(labels[code[1:][gaps]]))
        found.append(
            FollowUpGaps(f"{counted(int(gaps.sum()), 'gap')} between spells (patients {named}), not at risk in between")
        )
    disordered = same & (np.diff(position[order]) != 1)
    if disordered.any():
        named = first_few(dict.fromkeys(labels[code[1:][disordered]]))
        found.append(
            SuspiciousValues(f"rows out of order or apart for patients {named}; they are taken in order of time")
        )
    return found
