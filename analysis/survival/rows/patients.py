"""Who is a patient when rows are spells: which rows end a follow-up, and cohorts that look like spells unannounced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, IntArray
from analysis.cohort.columns import first_few
from analysis.cohort.endpoints import Endpoint
from analysis.errors import AnalysisWarning, SuspiciousValues, raise_all
from analysis.survival.rows.survival_data import SurvivalData


@dataclass(frozen=True, eq=False)
class PatientRows:
    """Which rows end something: `ended` is not followed on at once by the same patient, `last` is a patient's last."""

    ended: BoolArray
    last: BoolArray


def patient_rows(data: SurvivalData, cluster: str | None) -> PatientRows:
    """The ends of the rows, each a patient without `cluster`; spells that overlap or follow an event are refused."""
    n = data.n_used
    if cluster is None:
        return PatientRows(np.ones(n, dtype=bool), np.ones(n, dtype=bool))
    order = np.lexsort((data.time, data.entry, data.cluster.codes))
    time, entry, event = data.time[order], data.entry[order], data.event[order]
    same = np.diff(data.cluster.codes[order]) == 0
    overlap, abut = same & (entry[1:] < time[:-1]), same & (entry[1:] == time[:-1])
    faults = {"rows that overlap": overlap, "rows after an event": same & event[:-1] & ~overlap}
    raise_all(
        [
            f"column {cluster!r}: {words} in {_patients_of(data, order[1:][wrong])}; a patient's rows are spells, one"
            " after the other, of which the last alone may have the event"
            for words, wrong in faults.items()
            if wrong.any()
        ]
    )
    ended, last = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    ended[order[:-1]], last[order[:-1]] = ~abut, ~same
    return PatientRows(ended, last)


def _patients_of(data: SurvivalData, rows: IntArray) -> str:
    """The patients of some rows, with their number."""
    labels = [repr(data.cluster.labels[code]) for code in np.unique(data.cluster.codes[rows])]
    return f"{len(labels)} patient{'s' if len(labels) > 1 else ''} ({first_few(labels)})"


_REMEDY = (
    "name the column of the patients with cluster= (where every row is a patient of its own, one that numbers the rows)"
)


def refuse_spells(cohort: pd.DataFrame, endpoint: Endpoint, data: SurvivalData, cluster: str | None) -> None:
    """Refuse rows that look like spells when nobody said whose, for an answer that depends on who is a patient.

    Late entry alone, a row a patient, is no reason. Rows look like spells when two or more enter late, and either each
    of these begins where another row ends without an event (one for one), or there is a column, or an index, whose
    equal values never overlap in time and in which at least half of them follow on such a row of their own value.
    """
    words = _spells(cohort, endpoint, data) if cluster is None else ""
    raise_all([f"rows look like several spells a patient: {words}; {_REMEDY}"] if words else [])


def spell_warnings(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    data: SurvivalData,
    cluster: str | None = None,
    *,
    wrong: str = "n_censor counts ends of spells",
    remedy: str = _REMEDY,
) -> tuple[AnalysisWarning, ...]:
    """The same as a warning, where a part of the answer alone depends on who is a patient, or nobody can be named."""
    words = _spells(cohort, endpoint, data) if cluster is None else ""
    text = f"rows look like several spells a patient: {words}, so {wrong}; {remedy}"
    return (SuspiciousValues(text),) if words else ()


def _spells(cohort: pd.DataFrame, endpoint: Endpoint, data: SurvivalData) -> str:
    """Why rows look like spells; empty when they do not."""
    late = data.entry[data.entry > 0]
    if len(late) < 2:
        return ""
    ends, n_ends = np.unique(data.time[~data.event], return_counts=True)
    starts, n_starts = np.unique(late, return_counts=True)
    n_before = np.concatenate([n_ends, [0]])[np.searchsorted(ends, starts)] * np.isin(starts, ends)
    if (n_before >= n_starts).all():
        return f"each of the {len(late)} rows that enter late begins where another row ends without an event"
    if 2 * n_starts[n_before > 0].sum() < len(late):
        return ""
    named = (name for name, codes in _columns(cohort, endpoint, data) if _follow_on(data, codes))
    name = next(named, None)
    return f"rows with the same {name} follow on one another" if name else ""


def _columns(cohort: pd.DataFrame, endpoint: Endpoint, data: SurvivalData) -> Iterator[tuple[str, IntArray]]:
    """The index and the columns that could name patients, as codes of the rows in use."""
    used = cohort.iloc[data.position]
    held = [(repr(name), column) for name, column in used.items() if name not in endpoint.columns]
    for name, values in [("index", used.index.to_series()), *held]:
        try:
            codes = pd.factorize(values)[0]
        except TypeError:  # values that cannot be compared name nobody
            continue
        if len(codes) and codes.max() + 1 < len(codes):
            yield name, codes


def _follow_on(data: SurvivalData, codes: IntArray) -> bool:
    """Whether rows of the same code never overlap, and half of those that enter late follow on one of their own."""
    order = np.lexsort((data.entry, codes))
    order = order[codes[order] >= 0]
    time, entry, same = data.time[order][:-1], data.entry[order][1:], np.diff(codes[order]) == 0
    if (same & (entry < time)).any():
        return False
    n_following = (same & (entry == time) & ~data.event[order][:-1]).sum()
    return bool(2 * n_following >= (data.entry > 0).sum())
