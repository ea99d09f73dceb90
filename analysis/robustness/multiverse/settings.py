"""The rows of every analysis of a multiverse but for its cut, read once; and the columns that a cut adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.columns import Endpoint, holds_numbers, numbers, with_columns
from analysis.errors import InputError, NotEstimable
from analysis.robustness.multiverse.choices import COMPLETE, DIMENSIONS, HIGHEST, LOWEST, MEDIAN, Choices
from analysis.strata.cutpoints import Cutpoints
from analysis.strata.groups import stratum_codes
from analysis.survival.cox import Design, read_term_design
from analysis.survival.rows import SurvivalData, survival_data

Contrast = Literal["rest", "next"]
"""The lowest stratum against all others, or against the next one up."""


@dataclass(frozen=True, eq=False)
class Setting:
    """An analysis but for its cut: its rows, complete in all columns but the marker, and the terms it adjusts for.

    Attributes
    ----------
    endpoint : Endpoint
    adjustment, exclusion, missing : str
        The other choices.
    design : Design or None
        None when no row is left.
    position : ndarray of int
        The places of its rows in the cohort.
    n_excluded, n_incomplete : int
        Rows that the exclusion left out, and rows of the others that miss an outcome or a term.
    constant : tuple of str
        Columns to adjust for that hold one value in what the exclusion leaves, and so are not needed.
    error : str
        Why there is no design.
    """

    endpoint: Endpoint
    adjustment: str
    exclusion: str
    missing: str
    design: Design | None
    position: IntArray
    n_excluded: int
    n_incomplete: int
    constant: tuple[str, ...] = ()
    error: str = ""


def read_settings(cohort: pd.DataFrame, marker: str, choices: Choices, strata: Sequence[str]) -> tuple[Setting, ...]:
    """Every setting of the choices, in their order.

    Parameters
    ----------
    cohort : DataFrame
        Its columns known to be sound.
    marker : str
    choices : Choices
        Whose exclusions follow the cohort's rows.
    strata : sequence of str

    Returns
    -------
    tuple of Setting
    """
    return tuple(
        _read_setting(cohort, marker, choices, strata, choices.endpoints[endpoint], names)
        for endpoint, names in ((setting[0], setting[1:]) for setting in choices.settings())
    )


def _read_setting(
    cohort: pd.DataFrame,
    marker: str,
    choices: Choices,
    strata: Sequence[str],
    endpoint: Endpoint,
    names: tuple[str, str, str],
) -> Setting:
    """The rows of one adjustment, exclusion and rule for missing values."""
    adjustment, exclusion, rule = names
    rows = np.flatnonzero(~choices.exclusions[exclusion])
    held, n_excluded = cohort.iloc[rows], len(cohort) - len(rows)
    if held.empty:
        error = f"exclusion {exclusion!r} leaves no row"
        return Setting(endpoint, *names, None, rows, n_excluded, 0, error=error)
    if rule == MEDIAN:
        held = with_medians(held, kept_as_is={marker, *endpoint.columns, *strata})
    terms = choices.adjustments[adjustment]
    constant = tuple(term for term in terms if term in held.columns and held[term].nunique() < 2)
    try:
        design = read_terms(held, endpoint, [term for term in terms if term not in constant], strata)
    except InputError as problem:
        return Setting(endpoint, *names, None, rows[:0], n_excluded, len(rows), error=str(problem))
    position = rows[design.data.position]
    return Setting(endpoint, *names, design, position, n_excluded, len(rows) - len(position), constant)


def read_terms(cohort: pd.DataFrame, endpoint: Endpoint, terms: Sequence[str], strata: Sequence[str]) -> Design:
    """The design of the terms to adjust for; without terms, the rows alone."""
    if terms:
        return read_term_design(cohort, endpoint, terms, strata=strata)
    data = survival_data(cohort, endpoint, strata=strata)
    return Design(data, data.covariates, (), {})


def with_medians(cohort: pd.DataFrame, *, kept_as_is: set[str]) -> pd.DataFrame:
    """Missing numbers set to their column's median, anything else that is missing to its most frequent value.

    Examples
    --------
    >>> cohort = pd.DataFrame({"crp": [1.0, None, 3.0, 8.0], "site": ["b", None, "b", "a"]})
    >>> with_medians(cohort, kept_as_is=set()).values.tolist()
    [[1.0, 'b'], [3.0, 'b'], [3.0, 'b'], [8.0, 'a']]
    """
    filled: dict[Any, Any] = {}
    for name, column in cohort.items():
        if name in kept_as_is or not column.isna().any() or column.isna().all():
            continue
        if holds_numbers(column) and pd.api.types.infer_dtype(column, skipna=True) != "boolean":
            numeric = numbers(column.to_frame("values"), "values", [])
            filled[name] = np.where(np.isnan(numeric), np.nanmedian(numeric), numeric)
        else:
            filled[name] = column.fillna(column.mode().iloc[0])
    return with_columns(cohort, filled) if filled else cohort


def setting_codes(setting: Setting, cut: Cutpoints, codes: IntArray, values: FloatArray) -> IntArray:
    """The stratum of each row of a setting, -1 where the rule for missing values drops it.

    Parameters
    ----------
    setting : Setting
    cut : Cutpoints
    codes : ndarray of int, shape (n,)
        Strata of the whole cohort, -1 where the marker is missing.
    values : ndarray, shape (n,)
        The marker of the whole cohort.

    Returns
    -------
    ndarray of int, shape (k,)
    """
    here = codes[setting.position]
    if setting.missing == COMPLETE or (here >= 0).all():
        return here
    if setting.missing == MEDIAN:
        own = values[setting.position]
        filler = -1 if np.isnan(own).all() else int(stratum_codes(np.array([np.nanmedian(own)]), cut)[0])
    else:
        filler = {LOWEST: 0, HIGHEST: len(cut.labels) - 1}[setting.missing]
    return np.where(here < 0, filler, here)


def contrast_columns(codes: IntArray, cut: Cutpoints, contrast: str) -> FloatArray:
    """Indicators, along one more axis, of the lowest stratum and, against the next one up, of each beyond that."""
    held = [0] if contrast == "rest" else [0, *range(2, len(cut.labels))]
    return np.asarray(codes[..., None] == np.asarray(held), dtype=np.float64)


def refuse_empty(codes: IntArray, event: BoolArray, cut: Cutpoints, contrast: str) -> None:
    """An error when one side of the comparison holds no row, or no event so that the ratio is not finite."""
    other = codes > 0 if contrast == "rest" else codes == 1
    words = "the other strata" if contrast == "rest" and len(cut.labels) > 2 else f"stratum {cut.labels[1]!r}"
    for side, name in ((codes == 0, f"stratum {cut.labels[0]!r}"), (other, words)):
        if not side.any():
            raise NotEstimable(f"{name} holds no row")
        if not event[side].any():
            raise NotEstimable(f"no event in {name}: the hazard ratio is not finite")


def chosen_rows(data: SurvivalData, kept: BoolArray) -> SurvivalData:
    """Some of the rows."""
    by, strata, cluster = (replace(groups, codes=groups.codes[kept]) for groups in (data.by, data.strata, data.cluster))
    return replace(
        data, time=data.time[kept], event=data.event[kept], entry=data.entry[kept], weights=data.weights[kept],
        covariates=data.covariates[kept], by=by, strata=strata, cluster=cluster, position=data.position[kept],
    )  # fmt: skip


def choice_names(setting: Setting, cut: str) -> dict[str, str]:
    """The choices of one analysis by dimension."""
    names = (cut, setting.endpoint.name, setting.adjustment, setting.exclusion, setting.missing)
    return dict(zip(DIMENSIONS, names, strict=True))


def canonical_order(cohort: pd.DataFrame, values: FloatArray, choices: Choices, strata: Sequence[str]) -> IntArray:
    """An order of the rows that follows from what they hold, so that shuffled rows get the same permutations."""
    outcomes = [name for endpoint in choices.endpoints.values() for name in endpoint.columns]
    text = " ".join(str(term) for terms in choices.adjustments.values() for term in terms)
    used = [name for name in cohort.columns if str(name) in text or name in (*outcomes, *strata)]
    return np.lexsort([*choices.exclusions.values(), *(_as_numbers(cohort[name]) for name in used), values])


def _as_numbers(column: pd.Series) -> FloatArray:
    """A column as numbers in whose order its values stand."""
    if holds_numbers(column):
        return numbers(column.to_frame("values"), "values", [])
    return np.asarray(pd.factorize(column.astype("string"), sort=True)[0], dtype=np.float64)


def permutation_blocks(cohort: pd.DataFrame, strata: Sequence[str], values: FloatArray) -> IntArray:
    """The rows among which the marker is permuted: those of one stratum in which it was measured.

    Who misses the marker stays as it is, so that missing values that tell of the outcome do not pass for the marker's.
    """
    absent = np.isnan(values).astype(np.int64)
    if not strata:
        return absent
    return absent + 2 * np.asarray(cohort.groupby(list(strata), dropna=False, observed=True).ngroup(), dtype=np.int64)
