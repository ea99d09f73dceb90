"""The tables of a paper as tidy frames: survival by stratum, and crude beside adjusted hazard ratios."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import InputError
from analysis.study.models import ADJUSTED, CONTINUOUS, StudyModel
from analysis.study.prepare import model_columns
from analysis.study.study import Study, horizon, milestones
from analysis.survival.cox import hazard_ratios
from analysis.survival.curves import restricted_mean, survival_at, survival_quantile

RATIO_COLUMNS = (
    "endpoint", "marker", "label", "reference", "adjustment", "n", "n_event",
    "hazard_ratio", "conf_low", "conf_high", "p_value",
)  # fmt: skip
REFERENCE = (1.0, float("nan"), float("nan"), float("nan"))


def survival_table(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> pd.DataFrame:
    """What is read off the curves of one endpoint: patients, events, median, milestones, restricted mean.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
    curves : DataFrame
        Its Kaplan-Meier curves by stratum.

    Returns
    -------
    DataFrame
        stratum, n, n_event, estimate ("median", "survival", "restricted mean"), time (milestone or horizon; NaN for a
        median), value, conf_low, conf_high, conf_level. No restricted means where a stratum ends before the horizon.
    """
    end = horizon(study, endpoint)
    medians = survival_quantile(curves, 0.5).drop(columns="probability")
    parts = [medians.rename(columns={"time": "value"}).assign(estimate="median", time=float("nan"))]
    points = survival_at(curves, milestones(study, endpoint))
    parts.append(points.rename(columns={"survival": "value"}).assign(estimate="survival"))
    with suppress(InputError):  # the table of restricted means tells why there are none
        means = restricted_mean(curves, end).rename(columns={"restricted_mean": "value"})
        parts.append(means.assign(estimate="restricted mean", time=end))
    columns = ["stratum", "estimate", "time", "value", "conf_low", "conf_high"]
    rows = pd.concat([part[columns] for part in parts], ignore_index=True)
    counts = stratum_counts(study, endpoint)
    labels = rows["stratum"].astype(str)
    rows.insert(1, "n", [counts[label][0] for label in labels])
    rows.insert(2, "n_event", [counts[label][1] for label in labels])
    rows = rows.assign(conf_level=float(curves["conf_level"].iloc[0]))
    return rows.sort_values("stratum", kind="stable", ignore_index=True)


def hazard_ratio_table(study: Study, endpoint: Endpoint, models: Sequence[StudyModel]) -> pd.DataFrame:
    """The marker's hazard ratios of one endpoint, crude and adjusted, with a row for the reference stratum.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
    models : sequence of StudyModel
        As `fit_models` gives them.

    Returns
    -------
    DataFrame
        endpoint, marker, label (the step of the marker, or a stratum), reference (whether it is the reference
        stratum), adjustment, n, n_event, hazard_ratio (1 for the reference), conf_low, conf_high, p_value. Counts are
        of the rows that each model rests on.
    """
    rows = [row for model in models for row in _model_rows(study, endpoint, model)]
    return pd.DataFrame(rows, columns=pd.Index(RATIO_COLUMNS))


def _model_rows(study: Study, endpoint: Endpoint, model: StudyModel) -> list[tuple[object, ...]]:
    """The rows of one model: its one line for the continuous marker, else a line for each stratum."""
    ratios = hazard_ratios(model.fit).set_index("term")[["hazard_ratio", "conf_low", "conf_high", "p_value"]]
    if model.marker == CONTINUOUS:
        counts = (model.fit.n, model.fit.n_event)
        named = (study.marker_term, False, model.adjustment)
        return [(endpoint.name, model.marker, *named, *counts, *ratios.loc[study.marker_term])]
    rows: list[tuple[object, ...]] = []
    columns = [*model_columns(study.plan, study.cohort), *study.plan.model.strata]
    counted = stratum_counts(study, endpoint, complete=columns if model.adjustment == ADJUSTED else ())
    for label, counts in counted.items():
        is_reference = label == study.reference
        named = (f"{label} ({study.descriptions[label]})", is_reference, model.adjustment)
        estimate = REFERENCE if is_reference else ratios.loc[study.contrast(label)]
        rows.append((endpoint.name, model.marker, *named, *counts, *estimate))
    return rows


def stratum_counts(study: Study, endpoint: Endpoint, *, complete: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    """Patients and events of each stratum, among the rows complete in the endpoint's columns and in others named."""
    columns = [study.stratum_column, *endpoint.columns, *complete]
    used = study.cohort[list(dict.fromkeys(columns))].dropna()
    counts = {}
    for label in study.strata_labels:
        inside = used[used[study.stratum_column] == label]
        counts[label] = (len(inside), int(inside[endpoint.event].sum()))
    return counts
