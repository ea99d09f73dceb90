"""Who is a patient when rows are spells: which rows end a follow-up, and cohorts that look like spells unannounced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.column_names import looks_like_patient
from analysis.cohort.columns import Endpoint, first_few
from analysis.cohort.remedies import worded
from analysis.errors import AnalysisWarning, SuspiciousValues, raise_all
from analysis.survival.rows.groups import UNHASHABLE
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


BY_CHANCE = 0.05
"""Rows that follow on one another as often as this in a random order, or under random labels, are no sign of spells."""


def _remedy() -> str:
    """How to say whose rows they are."""
    written = worded("with cluster=", 'by id = "..." in [data]')
    return f"name the column of the patients {written} (where a row is a patient of its own, one that numbers the rows)"


def refuse_spells(cohort: pd.DataFrame, endpoint: Endpoint, data: SurvivalData, cluster: str | None) -> None:
    """Refuse rows that look like spells without a column of patients, for an answer that depends on who is a patient.

    Late entry alone, a row a patient, is no reason. Rows look like spells when two or more enter late and either each
    of these begins where the row before it ends, without an event; or there is a column, or an index, whose equal
    values never overlap in time and in which at least half of the late rows follow on such a row of their own value.
    What would come about by chance in more than 5 % of random orders of the rows is no sign, and nothing is where a
    column of patients, by its name, has a value of its own in every row.
    """
    words = _spells(cohort, endpoint, data) if cluster is None else ""
    raise_all([f"rows look like several spells a patient: {words}; {_remedy()}"] if words else [])


def spell_warnings(
    cohort: pd.DataFrame,
    endpoint: Endpoint,
    data: SurvivalData,
    cluster: str | None = None,
    *,
    wrong: str = "n_censor counts ends of spells",
    remedy: str | None = None,
) -> tuple[AnalysisWarning, ...]:
    """The same as a warning, where a part of the answer alone depends on who is a patient, or nobody can be named."""
    words = _spells(cohort, endpoint, data) if cluster is None else ""
    text = f"rows look like several spells a patient: {words}, so {wrong}; {remedy or _remedy()}"
    return (SuspiciousValues(text),) if words else ()


def _spells(cohort: pd.DataFrame, endpoint: Endpoint, data: SurvivalData) -> str:
    """Why rows look like spells; empty when they do not."""
    late = data.entry > 0
    n_late = int(late.sum())
    if n_late < 2:
        return ""
    n_before = _ends_at(data.time[~data.event], data.entry[late])
    used = cohort.iloc[data.position]
    if 2 * (n_before > 0).sum() < n_late or _one_row_a_patient(used):
        return ""
    if _follows_the_row_before(data)[late].all() and (n_before.mean() / (data.n_used - 1)) ** n_late < BY_CHANCE:
        return f"each of the {n_late} rows that enter late begins where the row before it ends, without an event"
    apart = _share_apart(data)
    named = (name for name, codes in _columns(used, endpoint) if _follow_on(data, codes, apart))
    name = next(named, None)
    return f"rows with the same {name} follow on one another" if name else ""


def _ends_at(ends: FloatArray, starts: FloatArray) -> IntArray:
    """How many of the ends are at each start."""
    ends = np.sort(ends)
    return np.searchsorted(ends, starts, side="right") - np.searchsorted(ends, starts, side="left")


def _one_row_a_patient(used: pd.DataFrame) -> bool:
    """Whether a column of patients, by its name, or such an index has a value of its own in every row."""
    named = [(used.index.name, used.index.to_series()), *used.items()]
    each = (_codes(values) for name, values in named if looks_like_patient(str(name)))
    return any(codes is not None and len(np.unique(codes[codes >= 0])) == len(used) for codes in each)


def _follows_the_row_before(data: SurvivalData) -> BoolArray:
    """Whether each row begins where the one before it, in the order of the cohort, ends without an event."""
    order = np.argsort(data.position, kind="stable")
    follows = np.zeros(data.n_used, dtype=bool)
    follows[order[1:]] = (data.entry[order[1:]] == data.time[order[:-1]]) & ~data.event[order[:-1]]
    return follows


def _share_apart(data: SurvivalData) -> float:
    """The share of all pairs of rows that do not overlap in time."""
    late = data.entry[data.entry > 0]
    n_apart = np.searchsorted(np.sort(data.time), late, side="right").sum()
    return float(n_apart / (data.n_used * (data.n_used - 1) / 2))


def _codes(values: pd.Series) -> IntArray | None:
    """A column as codes, missing values negative; None where cells cannot be compared."""
    try:
        return pd.factorize(values)[0]
    except UNHASHABLE:
        return None


def _columns(used: pd.DataFrame, endpoint: Endpoint) -> Iterator[tuple[str, IntArray]]:
    """The index and the columns that could name patients, as codes of the rows in use."""
    others = [(repr(name), column) for name, column in used.items() if name not in endpoint.columns]
    for name, values in [("index", used.index.to_series()), *others]:
        codes = _codes(values)
        if codes is not None and len(codes) and codes.max() + 1 < len(codes):
            yield name, codes


def _follow_on(data: SurvivalData, codes: IntArray, apart: float) -> bool:
    """Whether rows of the same code never overlap, beyond chance, and half of the late ones follow on one of their own.

    `apart` is the share of pairs of rows that do not overlap, whatever their codes.
    """
    order = np.lexsort((data.entry, codes))
    order = order[codes[order] >= 0]
    time, entry, same = data.time[order][:-1], data.entry[order][1:], np.diff(codes[order]) == 0
    sizes = np.bincount(codes[order])
    if (same & (entry < time)).any() or apart ** (sizes * (sizes - 1) / 2).sum() > BY_CHANCE:
        return False
    n_following = (same & (entry == time) & ~data.event[order][:-1]).sum()
    return bool(2 * n_following >= (data.entry > 0).sum())
