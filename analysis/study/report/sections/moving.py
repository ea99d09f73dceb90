"""A marker that moves: "ever low" shown as wrong, beside landmarks and the marker's latest value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.robustness.time_varying import baseline_value, start_stop
from analysis.strata.cutpoints import stratum_codes
from analysis.strata.marker_designs import as_formula
from analysis.study import report
from analysis.study.models import marker_step
from analysis.study.plan import LabsPlan
from analysis.study.prepare import model_columns
from analysis.study.report import Blocks, Prose, attempted, table
from analysis.study.study import Study, hazard_ratio_target
from analysis.survival.cox import fit_cox, hazard_ratios
from analysis.survival.curves import landmark

MARKER_AT_THE_TIME = STEP, GROUP = "marker at the time, in steps", "marker in the group at the time"
SPELL = Endpoint("stop", "event", entry="start")
COLUMNS = ["endpoint", "contrast", "analysis", "kind", "n", "n_event", *report.RATIO, "p_value"]


@report.section("moving", "A marker that changes over time", supplement=True)
def moving_section(study: Study) -> Blocks:
    """The same marker taken as known too late, at time zero, at landmarks, and as it stands at each moment."""
    if study.plan.labs is None or study.labs is None:
        yield Prose(
            "The plan names no repeated values of the marker (its table [labs]): changes over time cannot be analysed."
        )
        return
    group = extreme(study)
    yield Prose(
        f"The marker was measured repeatedly, and it is tempting to ask who was **ever {group}**. That question looks"
        " into the future: patients who live longer are measured more often, so have more chances to be ever"
        f" {group}, and the time until then is survived by definition (immortal time). The hazard ratio is biased"
        " towards a protection that does not exist; it stands here as an example of what not to do.\n\n"
        "Three analyses use only what was known at the time. The value at **time zero** is used in the rest of this"
        " report. A **landmark** analysis fixes a time, takes the patients still at risk, and compares them by their"
        " last value until then. The **time-dependent** model compares, at every event, all patients at risk by their"
        " latest value; its standard errors are robust, by patient. A value during treatment may itself be a result"
        " of the disease: the last two describe an association with the latest value, not what changing it would do."
    )
    yield from attempted("The analysis of repeated values", _blocks, study, study.plan.labs, study.labs)


def extreme(study: Study) -> str:
    """The stratum that the plan expects to fare worst: the lowest of a marker for which lower is worse."""
    return study.cutpoints.labels[0 if study.plan.marker.direction == "lower" else -1]


def _blocks(study: Study, plan: LabsPlan, labs: pd.DataFrame) -> Blocks:
    """The figure and the table of all endpoints."""
    frames = [moving_table(study, plan, labs, endpoint) for endpoint in study.plan.endpoints]
    estimates = pd.concat(frames, ignore_index=True)
    caption = "Points with 95% intervals, adjusted as the plan says; crosses: the wrong analysis."
    if study.truth is not None:
        caption += (
            " Open marks: the true value for the marker at time zero, on which alone the hazards of this synthetic"
            " cohort depend; later values add only noise and drift, so the other true values lie nearer to 1."
        )
    title = f"Repeated values of {study.marker_label}: one wrong analysis and three valid ones"
    yield report.forest(study, "moving-marker", title, _rows(study, estimates), caption=caption)
    note = "Each row: the marker's term of a Cox model with the plan's covariates and strata. n counts patients."
    yield table(
        "moving-marker",
        f"Hazard ratios from repeated values of {study.marker_label}",
        estimates.drop(columns="kind"),
        note=note,
    )


def moving_table(study: Study, plan: LabsPlan, labs: pd.DataFrame, endpoint: Endpoint) -> pd.DataFrame:
    """The marker's hazard ratio by each way to use it.

    Returns
    -------
    DataFrame
        endpoint contrast analysis kind n n_event hazard_ratio conf_low conf_high p_value; kind is "adjusted" or
        "wrong".
    """
    contrasts = {GROUP: f"{extreme(study)} against the rest", STEP: f"per {study.step}"}
    rows = []
    for analysis in _analyses(study, plan, labs, endpoint):
        for term in (GROUP,) if analysis.kind == "wrong" else (GROUP, STEP):
            for estimates in attempted(f"{endpoint.name}, {analysis.label}", _estimate, study, plan, analysis, term):
                rows.append((endpoint.name, contrasts[term], analysis.label, analysis.kind, *estimates))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    order = frame["contrast"].map(list(contrasts.values()).index)
    return frame.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


class _Analysis(NamedTuple):
    """One way to use the marker: its rows, their outcome, and the patients' column where they have several rows."""

    label: str
    kind: str
    rows: pd.DataFrame
    endpoint: Endpoint
    cluster: str | None = None


def _analyses(study: Study, plan: LabsPlan, labs: pd.DataFrame, endpoint: Endpoint) -> Iterator[_Analysis]:
    """The ways in the order of the figure; the values of a row are those known by its start."""
    needed = [plan.key, *endpoint.columns, *model_columns(study.plan, study.cohort), *study.plan.model.strata]
    cohort = study.cohort[list(dict.fromkeys(needed))]
    columns = {"key": plan.key, "time": plan.time, "value": plan.value}
    spells = start_stop(cohort, labs, endpoint, **columns)
    spells = _with_terms(study, spells, spells["value"])
    ever = spells.groupby(plan.key)[GROUP].max()
    wrong = cohort.assign(**{GROUP: cohort[plan.key].map(ever)})
    yield _Analysis(f"ever {extreme(study)}: wrong", "wrong", wrong, endpoint)
    at_zero = _with_terms(study, cohort, study.cohort[study.plan.marker.column])
    yield _Analysis("value at time zero", "adjusted", at_zero, endpoint)
    for at in study.plan.robustness.landmarks:
        known = _with_terms(study, cohort, baseline_value(cohort, labs, **columns, up_to=at))
        label = f"last value by landmark {at:g} {endpoint.time_unit}"
        yield _Analysis(label, "adjusted", landmark(known, endpoint, at), endpoint)
    yield _Analysis("latest value, time-dependent", "adjusted", spells, SPELL, plan.key)


def _with_terms(study: Study, rows: pd.DataFrame, marker: pd.Series) -> pd.DataFrame:
    """The rows with the marker in steps of the plan, and whether it lies in the extreme stratum."""
    values: FloatArray = marker.to_numpy(dtype=np.float64)
    codes = stratum_codes(values, study.cutpoints)
    inside = np.where(codes < 0, np.nan, codes == study.cutpoints.labels.index(extreme(study)))
    return rows.assign(**{GROUP: inside, STEP: values / marker_step(study)})


def _estimate(study: Study, plan: LabsPlan, analysis: _Analysis, term: str) -> list[tuple[object, ...]]:
    """Patients, events, and the hazard ratio of a term with its limits and p-value."""
    rows = analysis.rows
    covariates = as_formula([term, *study.plan.model.covariates], rows)
    strata = study.plan.model.strata or None
    # lifelines takes a second for what the kernel, equal to it, does at once: rows of spells are many.
    fit = fit_cox(rows, analysis.endpoint, covariates, strata=strata, cluster=analysis.cluster, engine="kernel")
    patients = int(rows[plan.key].iloc[fit.design.data.position].nunique())
    return [(patients, fit.n_event, *hazard_ratios(fit).iloc[0][[*report.RATIO, "p_value"]])]


def _rows(study: Study, estimates: pd.DataFrame) -> pd.DataFrame:
    """The estimates as the forest plot takes them, the target of the value at time zero under each group."""
    rows = []
    for (endpoint, contrast), mine in estimates.groupby(["endpoint", "contrast"], sort=False):
        group = f"{endpoint}: {contrast}"
        rows += [report.estimate_row(group, row["analysis"], row["kind"], row) for row in mine.to_dict("records")]
        target = _target(study, str(endpoint), str(contrast))
        if np.isfinite(target):
            rows.append(report.target_row(group, "true value for the marker at time zero", target))
    return report.forest_frame(rows)


def _target(study: Study, name: str, contrast: str) -> float:
    """The true adjusted hazard ratio of the value at time zero; NaN where none is known."""
    endpoint = next(one for one in study.plan.endpoints if one.name == name)
    if contrast.startswith("per "):
        return hazard_ratio_target(study.truth, endpoint, "conditional, measured magnesium")
    lower = study.plan.marker.direction == "lower"
    edge = f"{study.cutpoints.edges[0 if lower else -1]:.2f}"
    above = hazard_ratio_target(study.truth, endpoint, f"at or above {edge} against below, adjusted")
    return 1 / above if lower else above
