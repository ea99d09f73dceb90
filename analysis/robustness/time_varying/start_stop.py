"""A marker that moves: its samples matched to their patients, the last value by a time, rows from sample to sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, column_problems, first_few, numbers, rows_where
from analysis.kernels.times import merge_near_ties
from analysis.survival.rows import group_rows, label_problems, survival_data

START, STOP, EVENT, VALUE = "start", "stop", "event", "value"
SUMMARY = ("n_rows", START, STOP, "time_at_risk", "n_event")


def counted(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "sample"), counted(2, "sample")
    ('1 sample', '2 samples')
    """
    return f"{n} {noun}{'' if n == 1 else 's'}"


@dataclass(frozen=True, eq=False)
class Samples:
    """Values by patient and time, each patient's times distinct; `patient` is a position among the keys."""

    patient: IntArray
    time: FloatArray
    value: FloatArray
    n_read: int
    dropped: Mapping[str, int]

    def kept(self, wanted: BoolArray, reason: str) -> Samples:
        """The samples wanted; the others are counted under a reason."""
        lost = int((~wanted).sum())
        dropped = {**self.dropped, **({reason: lost} if lost else {})}
        return Samples(self.patient[wanted], self.time[wanted], self.value[wanted], self.n_read, dropped)

    @property
    def warnings(self) -> list[errors.AnalysisWarning]:
        """One `RowsDropped` when samples were left out, and a warning of those from before time zero."""
        dropped = errors.dropped_warnings(self.n_read, len(self.time), self.dropped)
        early = self.time < 0
        if early.any():
            text = f"{counted(int(early.sum()), 'sample')} from before time zero, the first at {self.time.min():g}"
            text += "; the last of each patient is the value known at time zero"
            return [*dropped, errors.SuspiciousValues(text)]
        return [*dropped]


def patient_keys(cohort: pd.DataFrame, key: str) -> pd.Index:
    """The keys of a cohort that has one row a patient; raises when one is missing or stands twice."""
    errors.raise_all(column_problems(cohort, [key]))
    errors.raise_all(label_problems(cohort[key]))
    keys, problems = cohort[key], []
    missing, twice = keys.isna().to_numpy(dtype=bool), keys.duplicated(keep=False) & keys.notna()
    if missing.any():
        problems.append(f"key column {key!r}: missing in {rows_where(missing)}")
    if twice.any():
        named = first_few(dict.fromkeys(map(str, keys[twice])))
        problems.append(
            f"key column {key!r}: {counted(keys[twice].nunique(), 'patient')} with several rows ({named}); the cohort"
            " must hold one row a patient, the repeated values belong in labs"
        )
    errors.raise_all(problems)
    return _key_index(keys)


def _key_index(column: pd.Series) -> pd.Index:
    """Keys as an index, which takes floats of one width only."""
    is_float = isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"
    index: pd.Index = pd.Index(column.astype(np.float64) if is_float else column)
    return index


def read_samples(labs: pd.DataFrame, keys: pd.Index, *, key: str, time: str, value: str) -> Samples:
    """The samples of a cohort's patients by patient and time, each row that cannot be used counted.

    Parameters
    ----------
    labs : DataFrame
        A row a sample, in any order; never changed.
    keys : Index
        As `patient_keys` gives them.
    key, time, value : str
        Columns of `labs`.

    Returns
    -------
    Samples

    Raises
    ------
    CohortError
        With every fault: columns missing or not numeric, no patient in common, one patient with two different values at
        one time.
    """
    errors.raise_all([f"labs: {problem}" for problem in column_problems(labs, [key, time, value])])
    errors.raise_all([f"labs: {problem}" for problem in label_problems(labs[key])])
    problems: list[str] = []
    times = numbers(labs, time, problems, role="labs: time column")
    values = numbers(labs, value, problems, role="labs: value column")
    errors.raise_all(problems)
    patient = np.asarray(keys.get_indexer(_key_index(labs[key])), dtype=np.int64)
    if not (patient >= 0).any():
        raise errors.CohortError(
            f"labs: no value of {key!r} is in the cohort; are both of one kind?"
            f" {first_few(map(repr, labs[key].tolist()), 2)} in labs, {first_few(map(repr, keys.tolist()), 2)} in the"
            " cohort"
        )
    samples = Samples(patient, times, values, len(labs), {})
    absent = {key: labs[key].isna().to_numpy(dtype=bool), time: np.isnan(times), value: np.isnan(values)}
    usable = np.ones(len(labs), dtype=bool)
    for name, missing in absent.items():
        samples = samples.kept(~missing[usable], f"missing {name}")
        usable &= ~missing
    samples = samples.kept(samples.patient >= 0, "patients who are not in the cohort")
    if not len(samples.time):
        reasons = ", ".join(f"{count} dropped for {reason}" for reason, count in samples.dropped.items())
        raise errors.CohortError(f"labs: no samples left: {reasons}")
    order = np.lexsort((samples.time, samples.patient))
    samples = replace(samples, patient=samples.patient[order], time=samples.time[order], value=samples.value[order])
    return _distinct(samples, keys)


def _distinct(samples: Samples, keys: pd.Index) -> Samples:
    """Samples in order without repeats; two different values of one patient at one time are an error."""
    again = np.r_[False, (np.diff(samples.patient) == 0) & (np.diff(samples.time) == 0)]
    differs = again & np.r_[False, np.diff(samples.value) != 0]
    if differs.any():
        named = (f"{keys[samples.patient[row]]} at {samples.time[row]:g}" for row in np.flatnonzero(differs))
        raise errors.CohortError(
            f"labs: {counted(int(differs.sum()), 'sample')} with another value than one of the same patient at the same"
            f" time ({first_few(named)}); keep one of each, or their mean"
        )
    return samples.kept(~again, "repeats of a sample")


def baseline_value(
    cohort: pd.DataFrame, labs: pd.DataFrame, *, key: str, time: str, value: str, up_to: float | None = None
) -> pd.Series:
    """The last value of each patient's marker by time zero, or by a later time that is asked for.

    A marker measured after time zero is known only of those who lived to be measured: as a baseline it hands the time
    until the sample to its group as if nobody could die in it (immortal time). So a patient all of whose values come
    later is refused, unless `up_to` is given; what is known by month 3, say, is then analysed from
    ``landmark(cohort, endpoint, 3)`` on, or with `start_stop`.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    labs : DataFrame
        One row a sample, in any order. It may be the cohort itself, where that says when its marker was measured.
    key : str
        Column of both frames that names the patient.
    time, value : str
        Columns of `labs`: when, in the unit of the follow-up and counted from its time zero, and what.
    up_to : float, optional
        The latest time of a value; time zero when not given. Values at this very time count.

    Returns
    -------
    Series
        On the cohort's index, named as `value`; missing where nothing was measured by then.

    Raises
    ------
    CohortError
        Faults of the columns; patients with several rows in the cohort; two values of one patient at one time; without
        `up_to`, patients all of whose values come after time zero.

    Warns
    -----
    RowsDropped
        Samples that could not be used (missing, of others than the cohort's patients, repeated), by reason.
    ValueUnknown
        How many patients have no value by then.

    Examples
    --------
    >>> cohort = pd.DataFrame({"id": ["a", "b"], "months": [9.0, 4.0]})
    >>> labs = pd.DataFrame({"id": ["a", "a", "b"], "month": [0.0, 2.5, 0.0], "mg": [0.8, 0.7, 0.9]})
    >>> baseline_value(cohort, labs, key="id", time="month", value="mg").tolist()
    [0.8, 0.9]
    >>> baseline_value(cohort, labs, key="id", time="month", value="mg", up_to=3).tolist()
    [0.7, 0.9]
    """
    errors.raise_all([] if up_to is None else errors.number_problems("up_to", up_to), errors.InputError)
    keys = patient_keys(cohort, key)
    samples = read_samples(labs, keys, key=key, time=time, value=value)
    at = 0.0 if up_to is None else float(up_to)
    known = known_by(samples, np.full(len(keys), at))
    unknown = np.isnan(known)
    later = np.intersect1d(samples.patient, np.flatnonzero(unknown))
    if up_to is None and len(later):
        raise errors.CohortError(
            f"{counted(len(later), 'patient')} with no value of {value!r} until after time zero"
            f" ({first_few(keys[later])}): taken as"
            " a baseline it would count the time until the sample as survived by design. Leave later samples out"
            " (their patients then miss a baseline), or ask for values by a later time with up_to= and follow from"
            " there with landmark, or let the value change with start_stop"
        )
    text = f"{value!r} is not known for {int(unknown.sum())} of {len(known)} patients by time {at:g}"
    errors.warn_all([*samples.warnings, *([errors.ValueUnknown(text)] if unknown.any() else [])])
    return pd.Series(known, index=cohort.index, name=value)


def known_by(samples: Samples, at: FloatArray) -> FloatArray:
    """The last value of each patient at or before a time of his own, NaN without one."""
    in_time = samples.time <= at[samples.patient]
    last = np.full(len(at), np.nan)
    # Samples are in order of time, so the last one written stays.
    last[samples.patient[in_time]] = samples.value[in_time]
    return last


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
            f"{value!r} is not known for {int(unknown.sum())} of {int(followed.followed.sum())} patients when their"
            f" follow-up starts, and never known for {never} of them: models leave out their rows until it is known"
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
