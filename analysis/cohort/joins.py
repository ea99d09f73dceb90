"""A second file beside the first, by patient: the outcome beside the marker."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.columns import column_problems, first_few, rows_where, stratum_label, with_columns
from analysis.errors import SuspiciousValues, raise_all, warn_all


def join_cohorts(cohort: pd.DataFrame, other: pd.DataFrame, *, key: str, other_key: str | None = None) -> pd.DataFrame:
    """The columns of a second file beside those of the first, by patient.

    Parameters
    ----------
    cohort : DataFrame
        Its rows, their order and number, are kept; a patient may stand in several.
    other : DataFrame
        A row a patient.
    key : str
        Column of the patients in both. Numbers and text of the same digits are the same patient.
    other_key : str, optional
        Its name in `other`, where it has another.

    Returns
    -------
    DataFrame
        The cohort with the columns of `other`, missing where a patient has no row there. A column that both hold with
        the same values stands once.

    Raises
    ------
    CohortError
        With every fault: keys that are not there or missing, a patient in several rows of `other` (which are never
        averaged: choose one), columns of one name that differ, no patient in common.

    Warns
    -----
    SuspiciousValues
        With the number of patients that only one of the two holds.

    Examples
    --------
    >>> patients = pd.DataFrame({"id": ["a", "b"], "months": [12, 30]})
    >>> samples = pd.DataFrame({"patient": ["b", "a"], "magnesium": [0.71, 0.82]})
    >>> join_cohorts(patients, samples, key="id", other_key="patient")["magnesium"].tolist()
    [0.82, 0.71]
    """
    theirs = key if other_key is None else other_key
    raise_all([*column_problems(cohort, [key]), *(f"second file: {text}" for text in column_problems(other, [theirs]))])
    left = cohort[key].map(stratum_label, na_action="ignore")
    right = other[theirs].map(stratum_label, na_action="ignore")
    problems = [f"second file: column {theirs!r}: missing in {rows_where(right.isna().to_numpy(), other)}"] * bool(
        right.isna().any()
    )
    problems += _repeated(other, right, theirs)
    if not problems and not left.isin(right).any():
        shown = [first_few(map(repr, keys.dropna().unique()), 3) for keys in (left, right)]
        problems.append(f"no patient in common: {key!r} holds {shown[0]}, {theirs!r} of the second file {shown[1]}")
    raise_all(problems)
    places = pd.Series(np.arange(len(other)), index=pd.Index(right)).reindex(left).to_numpy()
    beside = other.drop(columns=theirs).reset_index(drop=True).reindex(places).set_axis(cohort.index)
    shared = [name for name in beside.columns if name in cohort.columns]
    differ = {name: _differ(cohort[name], beside[name]) for name in shared}
    raise_all([
        f"column {name!r} stands in both files with other values in {rows_where(wrong, cohort)}; rename or drop one"
        for name, wrong in differ.items()
        if wrong.any()
    ])  # fmt: skip
    warn_all(_unmatched(left, right, key))
    return with_columns(cohort, {name: beside[name] for name in beside.columns if name not in shared})


def _repeated(other: pd.DataFrame, keys: pd.Series, name: str) -> list[str]:
    """A problem on patients in several rows, with the columns in which these differ."""
    repeated = (keys.duplicated(keep=False) & keys.notna()).to_numpy(dtype=bool)
    if not repeated.any():
        return []
    rows = other[repeated]
    unlike = [column for column in rows if rows.drop_duplicates(list({name, column}))[name].duplicated().any()]
    who = f"{keys[repeated].nunique()} patients stand in several rows ({first_few(dict.fromkeys(keys[repeated]))})"
    what = f"they differ in {first_few(map(repr, unlike))}" if unlike else "they are alike"
    return [
        f"second file: {who}: {rows_where(repeated, other)}; {what}; keep one row of each, such as the first:"
        f" .drop_duplicates({name!r})"
    ]


def _differ(ours: pd.Series, theirs: pd.Series) -> BoolArray:
    """In which rows two columns hold different values, where both hold one."""
    pairs = zip(ours, theirs, strict=True)
    return np.array(
        [pd.notna(a) and pd.notna(b) and stratum_label(a) != stratum_label(b) for a, b in pairs], dtype=bool
    )


def _unmatched(left: pd.Series, right: pd.Series, key: str) -> list[SuspiciousValues]:
    """A warning on patients that only one of the files holds."""
    without, unused = int((~left.isin(right)).sum()), int((~right.isin(left)).sum())
    counts = [f"{without} of {len(left)} rows have no patient in the second file"] * bool(without)
    counts += [f"{unused} of {len(right)} patients of the second file are not in the first"] * bool(unused)
    return [SuspiciousValues(f"joined by {key!r}: {'; '.join(counts)}")] if counts else []
