"""The columns that a study uses: what each is called, holds, and is used for, and how often it is missing."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from analysis.cohort.columns import first_few
from analysis.study.prepare import model_columns
from analysis.study.study import Study

MOST_LEVELS = 6  # further levels are counted only


def column_table(study: Study) -> pd.DataFrame:
    """A row a column: column label unit type role n_missing.

    Returns
    -------
    DataFrame
        The marker first, then the endpoints, the models' columns, subgroups and site. `label` is the plan's (units of
        covariates stand there), `unit` known for the marker and for times; `type` is taken from the values; `role` is
        every use: "marker", "endpoint", "covariate", "stratum", "subgroup", "site", "key".
    """
    plan = study.plan
    units = {endpoint.duration: endpoint.time_unit for endpoint in plan.endpoints}
    units |= {endpoint.entry: endpoint.time_unit for endpoint in plan.endpoints if endpoint.entry is not None}
    units[plan.marker.column] = study.unit
    labels = {**plan.labels, plan.marker.column: plan.marker.label}
    rows = [
        (
            name,
            labels.get(name, name),
            units.get(name, ""),
            _type(study.cohort[name]),
            "; ".join(roles),
            _missing(study, name),
        )
        for name, roles in column_roles(study).items()
    ]
    return pd.DataFrame(rows, columns=["column", "label", "unit", "type", "role", "n_missing"])


def column_roles(study: Study) -> dict[str, list[str]]:
    """Every column that the plan uses, with what it is used for."""
    plan = study.plan
    roles: defaultdict[str, list[str]] = defaultdict(list)
    roles[plan.marker.column].append("marker")
    for endpoint in plan.endpoints:
        roles[endpoint.duration].append(f"endpoint: time of {endpoint.name}")
        roles[endpoint.event].append(f"endpoint: event of {endpoint.name}")
        if endpoint.entry is not None:
            roles[endpoint.entry].append(f"endpoint: entry of {endpoint.name}")
    named = set(model_columns(plan, study.cohort))
    used = [
        ("covariate", [str(name) for name in study.cohort.columns if name in named]),
        ("stratum", plan.model.strata),
        ("subgroup", plan.robustness.subgroups),
        ("site", (plan.robustness.site,)),
        ("key", (plan.labs.key if plan.labs else None,)),
    ]
    for role, names in used:
        for name in names:
            if name is not None:
                roles[name].append(role)
    return dict(roles)


def _missing(study: Study, name: str) -> int:
    """How many values of a column are missing."""
    return int(study.cohort[name].isna().sum())


def _type(values: pd.Series) -> str:
    """What a column holds: a number, a whole number, 0/1, or one of some levels."""
    known = values.dropna()
    if known.empty:
        return "nothing"
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = known.to_numpy(dtype=np.float64)
        if np.isin(numbers, (0, 1)).all():
            return "0 or 1"
        return "whole number" if (numbers == np.round(numbers)).all() else "number"
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return "date"
    levels = known.cat.remove_unused_categories().cat.categories if hasattr(known, "cat") else known.unique()
    if len(levels) > MOST_LEVELS:
        return f"text, {len(levels)} values"
    return f"one of {first_few(map(str, levels), MOST_LEVELS)}"
