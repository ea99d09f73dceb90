"""Whether the columns that a plan names can play their parts: patients, events, covariates."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.cohort.column_names import looks_like_magnesium, looks_like_no_event, looks_like_outcome
from analysis.cohort.columns import first_few
from analysis.cohort.likely_errors import magnesium_problem, patient_problems, possible_patients, repeated_keys
from analysis.cohort.remedies import argument
from analysis.cohort.units import MAGNESIUM_UNITS
from analysis.errors import PlanError, SuspiciousValues, raise_all
from analysis.study.plan.plan import StudyPlan

_WITHOUT = frozenset(("no", "n", "dead", "died", "deceased", "death", "event"))
"""Words that, in a flag of patients alive or censored, stand for the event."""

FEWEST_COMPARED = 10
"""Rows from which a covariate that follows the event row by row is no coincidence."""


def coded_events(plan: StudyPlan, cohort: pd.DataFrame) -> tuple[str, ...]:
    """The event columns to which the plan gives codes; raises where a flag of no event has none.

    Raises
    ------
    PlanError
        When an event column's name says that it marks rows without the event (censored, alive, relapse-free), and the
        plan does not say what its codes mean.
    """
    codes = plan.data.event_codes or {}
    by_column = any(isinstance(value, dict) for value in codes.values())
    source = {one.event: one.event_from or one.event for one in plan.made}
    columns = {name: source.get(name, name) for name in _events(plan)}
    coded = tuple(name for name, column in columns.items() if codes and (not by_column or column in codes))
    uncoded = {
        column: cohort[name]
        for name, column in columns.items()
        if looks_like_no_event(column) and name not in coded and name in cohort
    }
    raise_all([_codes_wanted(column, values) for column, values in uncoded.items()], PlanError)
    return coded


def _codes_wanted(name: str, values: pd.Series) -> str:
    """What to write for a column that marks rows without the event by its name: both readings of its codes."""
    codes = _flag_codes(values)
    readings = [", ".join(f"{code} = {int(code == event)}" for code in codes) for event in codes[:2]]
    first, second = (f"event_codes = {{ {json.dumps(name, ensure_ascii=False)} = {{ {text} }} }}" for text in readings)
    return (
        f"event column {name!r} marks rows without the event by its name (censored, alive, event-free), but data sets"
        f" differ in what its codes mean; say which in [data]: {first} where {codes[0]} is the event (as CNSR of CDISC"
        f" ADTTE), or {second} where {codes[1]} is the event"
    )


def _flag_codes(values: pd.Series) -> list[str]:
    """The values of a flag as TOML writes them, at least two, first the one that its name makes the event."""
    seen = values.dropna()
    numeric = pd.to_numeric(seen, errors="coerce")
    if numeric.isna().any():
        texts = sorted({str(value) for value in seen}, key=lambda text: (text.strip().lower() not in _WITHOUT, text))
        return [json.dumps(text, ensure_ascii=False) for text in (texts if len(texts) > 1 else ["no", "yes"])]
    whole = set(numeric.astype(int))
    return [str(code) for code in sorted(whole if len(whole) > 1 else whole | {0, 1})]


def _events(plan: StudyPlan) -> tuple[str, ...]:
    """The event columns of the endpoints, each once."""
    return tuple(dict.fromkeys(endpoint.event for endpoint in plan.endpoints))


def check_columns(plan: StudyPlan, cohort: pd.DataFrame, covariates: Sequence[str]) -> list[SuspiciousValues]:
    """Warnings on columns that may not be what the plan takes them for.

    Raises
    ------
    CohortError
        When the marker is magnesium and holds values of 0 or less.
    PlanError
        With every fault: a patient in several rows without an entry time, a covariate that is the event, or a
        follow-up time, in another coding.
    """
    raise_all(_magnesium_problems(plan, cohort))
    copies, mixed = _outcome_copies(plan, cohort, covariates), _mostly_numbers(cohort, covariates)
    raise_all([*_patients(plan, cohort), *copies, *mixed], PlanError)
    named = [name for name in covariates if looks_like_outcome(name)]
    warned = [
        SuspiciousValues(f"[model] covariate {name!r} looks like an outcome by its name; an outcome is no covariate")
        for name in named
    ]
    return warned + (
        [] if plan.data.id is not None or _spells(plan) else possible_patients(cohort, _used(plan, covariates))
    )


def _magnesium_problems(plan: StudyPlan, cohort: pd.DataFrame) -> list[str]:
    """Values of 0 or less in a marker that is magnesium by its name and its unit."""
    marker = plan.marker
    values = cohort[marker.column].to_numpy(dtype=np.float64, na_value=np.nan)
    named = looks_like_magnesium(marker.column) or looks_like_magnesium(marker.label)
    if not named or marker.unit not in MAGNESIUM_UNITS or not (values <= 0).any():
        return []
    return [magnesium_problem(values, marker.column)]


def _spells(plan: StudyPlan) -> bool:
    """Whether rows may be spells: every endpoint has an entry time."""
    return all(endpoint.entry for endpoint in plan.endpoints)


def _used(plan: StudyPlan, covariates: Sequence[str]) -> tuple[str, ...]:
    """The columns that the plan uses for something."""
    outcome = [name for endpoint in plan.endpoints for name in endpoint.columns]
    return (plan.marker.column, *outcome, *covariates, *plan.model.strata, *plan.robustness.subgroups)


def _patients(plan: StudyPlan, cohort: pd.DataFrame) -> list[str]:
    """What is wrong with who the patients are: no such column, or several rows a patient."""
    key = plan.data.id
    if key is not None and key not in cohort:
        return [f"[data] id = {key!r} is no column of {plan.data.path.name}"]
    if _spells(plan):
        return []
    if key is None:
        return patient_problems(cohort)
    return [problem] if (problem := repeated_keys(cohort, key)) else []


def _outcome_copies(plan: StudyPlan, cohort: pd.DataFrame, covariates: Sequence[str]) -> list[str]:
    """Covariates that are an event or a follow-up time in another coding, such as Alive and Dead beside 0 and 1."""
    problems = []
    for endpoint in plan.endpoints:
        for name in covariates:
            if name in endpoint.columns:
                continue
            if same_codes(cohort[name], cohort[endpoint.event]):
                problems.append(
                    f"[model] covariate {name!r} is the event {endpoint.event!r} in other words: equal in every row"
                )
            elif same_scale(cohort[name], cohort[endpoint.duration]):
                problems.append(
                    f"[model] covariate {name!r} is the time {endpoint.duration!r} in another unit: proportional in"
                    " every row"
                )
    return [f"{problem}; an outcome is no covariate: leave it out" for problem in problems]


def _mostly_numbers(cohort: pd.DataFrame, covariates: Sequence[str]) -> list[str]:
    """Covariates of text that are numbers but for a few cells, such as 90+: each number would be a level of its own."""
    problems = []
    for name in covariates:
        if pd.api.types.is_numeric_dtype(cohort[name].dtype):
            continue
        cells = cohort[name].dropna().astype(str)
        words = cells[pd.to_numeric(cells, errors="coerce").isna()]
        numbers = cells.drop(words.index)
        if numbers.nunique() < FEWEST_COMPARED or 2 * len(words) >= len(cells):
            continue
        shown = list(dict.fromkeys(words))
        problems.append(
            f"[model] covariate {name!r}: {len(words)} of {len(cells)} values are not numbers"
            f" ({first_few(map(repr, shown))}), so that each number would be a level of its own; correct them in the"
            f" file, or read them as missing with {argument('missing', {name: shown[:5]})}"
        )
    return problems


def same_codes(values: pd.Series, event: pd.Series) -> bool:
    """Whether two values stand for 0 and 1 of the event in every row that has both."""
    pairs = pd.DataFrame({"value": values.astype(object), "event": event}).dropna()
    n_pairs = len(pairs.drop_duplicates())
    return len(pairs) >= FEWEST_COMPARED and n_pairs == pairs["value"].nunique() == pairs["event"].nunique() == 2


def same_scale(values: pd.Series, time: pd.Series) -> bool:
    """Whether numbers are the follow-up times times a constant, up to rounding."""
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return False
    x, t = values.to_numpy(dtype=np.float64, na_value=np.nan), time.to_numpy(dtype=np.float64, na_value=np.nan)
    both = ~np.isnan(x) & ~np.isnan(t) & (t > 0)
    if both.sum() < FEWEST_COMPARED or len(np.unique(t[both])) < 3:
        return False
    ratio = x[both] / t[both]
    centre = np.median(ratio)
    return bool(centre != 0 and (np.abs(x[both] - centre * t[both]) <= 0.01 * np.abs(x[both]).max()).all())
