"""Repeated values of a marker: read, matched to their patients, put in order; and the last one by a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import column_problems, first_few, numbers, rows_where
from analysis.survival.rows import label_problems


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
    text = f"{value!r} is not known of {int(unknown.sum())} of {len(known)} patients by time {at:g}"
    errors.warn_all([*samples.warnings, *([errors.ValueUnknown(text)] if unknown.any() else [])])
    return pd.Series(known, index=cohort.index, name=value)


def known_by(samples: Samples, at: FloatArray) -> FloatArray:
    """The last value of each patient at or before a time of his own, NaN without one."""
    in_time = samples.time <= at[samples.patient]
    last = np.full(len(at), np.nan)
    # Samples are in order of time, so the last one written stays.
    last[samples.patient[in_time]] = samples.value[in_time]
    return last
