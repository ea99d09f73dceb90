"""A marker that moves, as rows from one sample to the next; and whether such rows can be what they say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, first_few
from analysis.kernels.times import merge_near_ties
from analysis.robustness.time_varying.samples import Samples, counted, known_by, patient_keys, read_samples
from analysis.survival.rows import group_rows, survival_data

START, STOP, EVENT, VALUE = "start", "stop", "event", "value"
SUMMARY = ("n_rows", START, STOP, "time_at_risk", "n_event")


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
    _refuse_taken(cohort, endpoint)
    samples = read_samples(labs, keys, key=key, time=time, value=value)
    followed = _follow_up(cohort, endpoint, samples)
    first = known_by(followed.samples, followed.start)
    during = _during(followed)
    spells = _spells(followed, during, first)
    errors.warn_all([*followed.warnings, *during.warnings, *_unknown_warnings(followed, during, first, value)])
    rows = cohort.iloc[spells["patient"].to_numpy()].reset_index(drop=True)
    return rows.assign(**{name: spells[name] for name in (START, STOP, EVENT, VALUE)})


def _refuse_taken(cohort: pd.DataFrame, endpoint: Endpoint) -> None:
    """Refuse new columns whose names the cohort has already, but for the outcome's own, which they replace."""
    is_endpoint = isinstance(endpoint, Endpoint)  # what is none is refused where rows are read
    own = {endpoint.entry: START, endpoint.duration: STOP, endpoint.event: EVENT} if is_endpoint else {}
    taken = [name for name in (START, STOP, EVENT, VALUE) if name in cohort.columns and own.get(name) != name]
    if taken:
        raise errors.CohortError(f"the cohort has columns {first_few(map(repr, taken))} already; rename or drop them")


@dataclass(frozen=True, eq=False)
class _FollowUp:
    """Each patient of the cohort: followed or not, from when to when, to which end; and the samples on one clock."""

    followed: BoolArray
    start: FloatArray
    stop: FloatArray
    event: BoolArray
    samples: Samples
    warnings: tuple[errors.AnalysisWarning, ...]


def _follow_up(cohort: pd.DataFrame, endpoint: Endpoint, samples: Samples) -> _FollowUp:
    """The follow-up of each patient, near-tied times of follow-up and samples merged."""
    data, n = survival_data(cohort, endpoint), len(cohort)
    start, stop, event = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool)
    entry, last, sampled = merge_near_ties(np.maximum(data.entry, 0.0), data.time, samples.time)
    start[data.position], stop[data.position], event[data.position] = entry, last, data.event
    followed = stop > start
    n_followed = int(followed.sum())
    if not n_followed:
        raise errors.CohortError("nobody is followed for a time: are follow-up and samples in the same unit?")
    no_time = {"followed for no time": len(data.position) - n_followed} if len(data.position) > n_followed else {}
    dropped = errors.dropped_warnings(n, n_followed, {**data.dropped, **no_time})
    return _FollowUp(followed, start, stop, event, replace(samples, time=sampled), dropped)


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


def _unknown_warnings(
    followed: _FollowUp, samples: Samples, first: FloatArray, value: str
) -> list[errors.AnalysisWarning]:
    """Warning when patients are followed before their first sample, and of those who never have one."""
    unknown = followed.followed & np.isnan(first)
    if not unknown.any():
        return []
    never = int(unknown.sum()) - len(np.intersect1d(samples.patient, np.flatnonzero(unknown)))
    return [
        errors.ValueUnknown(
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
    if isinstance(endpoint, Endpoint) and endpoint.entry is None:
        raise errors.InputError(
            f"endpoint {endpoint.name!r} has no entry column: spells need one, as in"
            ' Endpoint("stop", "event", entry="start")'
        )
    data = survival_data(rows, endpoint, complete=[key])
    patients = group_rows(rows.iloc[data.position], [key])
    order = np.lexsort((data.entry, patients.codes))
    code, start, stop = patients.codes[order], data.entry[order], data.time[order]
    event, same = data.event[order], np.diff(code) == 0
    labels = np.asarray(patients.labels, dtype=object)

    def patients_of(wrong: BoolArray) -> str:
        """The first patients with such a spell."""
        return f"patients {first_few(dict.fromkeys(labels[code[1:][wrong]]))}"

    overlap, after, apart = same & (start[1:] < stop[:-1]), same & event[:-1], same & (start[1:] > stop[:-1])
    remedy = "a patient is in one spell at a time, until the event"
    faults = {"overlapping the spell before": overlap, "after the event of the patient": after}
    errors.raise_all(
        [
            f"{counted(int(wrong.sum()), 'spell')} {fault} ({patients_of(wrong)}); {remedy}"
            for fault, wrong in faults.items()
            if wrong.any()
        ]
    )
    warnings: list[errors.AnalysisWarning] = [*data.warnings]
    if apart.any():
        text = f"{counted(int(apart.sum()), 'gap')} between spells ({patients_of(apart)}), not at risk in between"
        warnings.append(errors.FollowUpGaps(text))
    disordered = same & (np.diff(data.position[order]) != 1)
    if disordered.any():
        text = f"rows out of order or apart for {patients_of(disordered)}; they are taken in order of time"
        warnings.append(errors.SuspiciousValues(text))
    errors.warn_all(warnings)
    summary = _by_patient(code, start, stop, event)
    summary.insert(0, key, labels)
    return summary[[key, *SUMMARY]]


def _by_patient(code: IntArray, start: FloatArray, stop: FloatArray, event: BoolArray) -> pd.DataFrame:
    """What the spells of each patient come to."""
    frame = pd.DataFrame({"code": code, START: start, STOP: stop, "time": stop - start, EVENT: event.astype(np.int64)})
    named = {"n_rows": (START, "size"), START: (START, "min"), STOP: (STOP, "max"), "time_at_risk": ("time", "sum")}
    return frame.groupby("code").agg(**named, n_event=(EVENT, "sum")).reset_index(drop=True)
