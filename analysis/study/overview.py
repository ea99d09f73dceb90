"""A study in a few lines, before it is carried out: what was taken for what, patients, events, the first rows."""

from __future__ import annotations

import pandas as pd

from analysis.study.plan import StudyPlan
from analysis.study.study import Study

N_FIRST = 3


def plan_lines(plan: StudyPlan) -> list[str]:
    """The marker, the outcomes and the covariates that a plan names, a line each."""
    unit = f" ({plan.marker.unit})" if plan.marker.unit else ""
    lines = [f"marker: {plan.marker.column}{unit}"]
    for endpoint in plan.endpoints:
        entry = f", from {endpoint.entry}" if endpoint.entry else ""
        time = f"{endpoint.duration} ({endpoint.time_unit}){entry}"
        lines.append(f"outcome {endpoint.name}: time {time}, event {endpoint.event}")
    lines += [f"patient: {plan.data.id}"] if plan.data.id else []
    return [*lines, f"covariates: {', '.join(plan.model.covariates) or 'none'}"]


def count_lines(study: Study) -> list[str]:
    """Patients and events of each outcome as they will be counted, and the patients of each stratum."""
    lines = []
    for endpoint in study.plan.endpoints:
        known = study.cohort[list(endpoint.columns)].dropna()
        n_event = int(known[endpoint.event].astype(bool).sum())
        lost = len(study.cohort) - len(known)
        without = f"; {lost} {study.counted} without a time or an event" if lost else ""
        lines.append(
            f"{endpoint.name}: {len(known)} {study.counted}, {n_event} events,"
            f" longest follow-up {known[endpoint.duration].max():g} {endpoint.time_unit}{without}"
        )
    counts = study.cohort[study.stratum_column].value_counts(sort=False)
    return [*lines, f"strata: {', '.join(f'{label} {count}' for label, count in counts.items())}"]


def first_rows(study: Study) -> str:
    """The first rows of the columns that the plan names, as they were read."""
    plan = study.plan
    named = [plan.data.id, plan.marker.column, *(name for one in plan.endpoints for name in one.columns)]
    names = [name for name in dict.fromkeys(named) if name is not None]
    with pd.option_context("display.width", 120, "display.max_columns", None):
        return study.cohort[names].head(N_FIRST).to_string(index=False)
