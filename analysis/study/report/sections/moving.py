"""A marker that moves: "ever low" shown as wrong, beside landmarks and the marker's latest value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_forest
from analysis.present.pages import Prose
from analysis.robustness.time_varying import baseline_value, start_stop
from analysis.strata.groups import stratum_codes
from analysis.strata.marker_designs import as_formula
from analysis.study.blocks import attempted, table
from analysis.study.models import estimate_text
from analysis.study.plan import LabsPlan
from analysis.study.prepare import model_columns
from analysis.study.report import Block, StudyFigure, StudySection
from analysis.study.study import Study, hazard_ratio_target
from analysis.survival.cox import CoxFit, fit_cox, hazard_ratios
from analysis.survival.curves import landmark

MARKER_AT_THE_TIME = STEP, GROUP = "marker at the time, in steps", "marker in the group at the time"
SPELL = Endpoint("stop", "event", entry="start")
WRONG = "wrong"
ESTIMATE_COLUMNS = [
    "endpoint", "contrast", "analysis", "kind", "n", "n_event", "hazard_ratio", "conf_low", "conf_high", "p_value",
]  # fmt: skip


def moving_section(study: Study) -> StudySection:
    """The same marker taken as known too late, at time zero, at landmarks, and as it stands at each moment."""
    title = "A marker that moves"
    if study.plan.labs is None or study.labs is None:
        words = "The plan names no repeated values of the marker (its table [labs]), so nothing can be said of changes."
        return StudySection("moving", title, (Prose(words),))
    blocks = attempted("The marker that moves", partial(_blocks, study, study.plan.labs, study.labs))
    return StudySection("moving", title, (_opening(study), *blocks))


def _opening(study: Study) -> Prose:
    """What each analysis asks, and why the first one is wrong."""
    group = extreme(study)
    words = (
        f"The marker was measured again and again, and it is tempting to ask who was **ever {group}**. That question"
        " looks into the future: whoever lives longer is measured more often, so has more chances to be ever"
        f" {group}, and the time until then counts as survived by design. Its hazard ratio is biased towards a"
        " protection that nobody has; it stands here as an example of what not to do.\n\n"
        "Three analyses know no more than could be known. The value at **time zero** is what the rest of this report"
        " uses. A **landmark** fixes a time, takes those still at risk, and compares them by the last value until"
        " then. The **time-dependent** model compares, at every event, all who are at risk by their latest value; its"
        " standard errors are robust, by patient. A value during treatment may itself be a result of the disease: the"
        " last two describe what the latest value goes with, not what a change of it would do."
    )
    return Prose(words)


def extreme(study: Study) -> str:
    """The stratum that the plan expects to fare worst: the lowest of a marker for which lower is worse."""
    return study.cutpoints.labels[0 if study.plan.marker.direction == "lower" else -1]


@dataclass(frozen=True, eq=False)
class _Way:
    """One way to use the marker: its rows, their outcome, whether patients have several of them, its two terms."""

    label: str
    kind: str
    rows: pd.DataFrame
    endpoint: Endpoint
    cluster: str | None
    terms: tuple[str, ...]


def _blocks(study: Study, plan: LabsPlan, labs: pd.DataFrame) -> list[Block]:
    """The figure and the table of all endpoints."""
    frames = [moving_table(study, plan, labs, endpoint) for endpoint in study.plan.endpoints]
    estimates = pd.concat(frames, ignore_index=True)
    drawn = _forest_frame(study, estimates)
    words = "; ".join(f"{row['group']}, {row['label']}: {estimate_text(row)}" for row in drawn.to_dict("records"))
    caption = "Points with 95% intervals, adjusted as the plan says; crosses: the wrong analysis."
    if study.truth is not None:
        caption += (
            " Open marks: the target of the value at time zero, on which alone the hazards of this synthetic cohort"
            " depend; later values add only noise and drift, so the other targets lie nearer to 1."
        )
    figure = StudyFigure(
        name="moving-marker",
        title=f"{study.plan.marker.label} that moves: the wrong analysis and three that are not",
        alt=f"Forest plot. {words}.",
        caption=caption,
        draw=partial(plot_forest, drawn, synthetic=study.plan.synthetic),
    )
    note = "Each row: the marker's term of a Cox model with the plan's covariates and strata. n counts patients."
    return [figure, table("moving-marker", "The marker that moves", estimates.drop(columns="kind"), note=note)]


def moving_table(study: Study, plan: LabsPlan, labs: pd.DataFrame, endpoint: Endpoint) -> pd.DataFrame:
    """The marker's hazard ratio by each way to use it.

    Returns
    -------
    DataFrame
        endpoint contrast analysis kind n n_event hazard_ratio conf_low conf_high p_value; kind is "adjusted" or
        "wrong".
    """
    rows = []
    contrasts = {GROUP: f"{extreme(study)} against the rest", STEP: f"per {study.step}"}
    for way in _ways(study, plan, labs, endpoint):
        for term in way.terms:
            rows += attempted(
                f"{endpoint.name}, {way.label}", partial(_estimate, study, plan, endpoint, way, term, contrasts[term])
            )
    frame = pd.DataFrame(rows, columns=ESTIMATE_COLUMNS)
    order = frame["contrast"].map({name: place for place, name in enumerate(contrasts.values())})
    return frame.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def _ways(study: Study, plan: LabsPlan, labs: pd.DataFrame, endpoint: Endpoint) -> Iterator[_Way]:
    """The ways in the order of the figure; the values of a row are those known by its start."""
    needed = [plan.key, *endpoint.columns, *model_columns(study.plan, study.cohort), *study.plan.model.strata]
    cohort = study.cohort[list(dict.fromkeys(needed))]
    columns = {"key": plan.key, "time": plan.time, "value": plan.value}
    spells = start_stop(cohort, labs, endpoint, **columns)
    spells = _with_terms(study, spells, spells["value"].to_numpy(dtype=np.float64))
    ever = spells.groupby(plan.key)[GROUP].max()
    wrong = cohort.assign(**{GROUP: cohort[plan.key].map(ever)})
    yield _Way(f"ever {extreme(study)}: wrong", WRONG, wrong, endpoint, None, (GROUP,))
    at_zero = _with_terms(study, cohort, study.cohort[study.plan.marker.column].to_numpy(dtype=np.float64))
    yield _Way("value at time zero", "adjusted", at_zero, endpoint, None, (GROUP, STEP))
    for at in study.plan.robustness.landmarks:
        known = baseline_value(cohort, labs, **columns, up_to=at).to_numpy(dtype=np.float64)
        rows = landmark(_with_terms(study, cohort, known), endpoint, at)
        label = f"last value by landmark {at:g} {endpoint.time_unit}"
        yield _Way(label, "adjusted", rows, endpoint, None, (GROUP, STEP))
    yield _Way("latest value, time-dependent", "adjusted", spells, SPELL, plan.key, (GROUP, STEP))


def _with_terms(study: Study, rows: pd.DataFrame, values: FloatArray) -> pd.DataFrame:
    """The rows with the marker in steps of the plan, and whether it lies in the extreme stratum."""
    marker = study.plan.marker
    codes = stratum_codes(values, study.cutpoints)
    inside = np.where(codes < 0, np.nan, codes == study.cutpoints.labels.index(extreme(study)))
    sign = -1.0 if marker.direction == "lower" else 1.0
    return rows.assign(**{GROUP: inside, STEP: sign * values / marker.per})


def _estimate(
    study: Study, plan: LabsPlan, endpoint: Endpoint, way: _Way, term: str, contrast: str
) -> list[tuple[object, ...]]:
    """One row of the table."""
    covariates = as_formula([term, *study.plan.model.covariates], way.rows)
    strata = study.plan.model.strata or None
    # lifelines takes a second for what the kernel, equal to it, does at once: rows of spells are many.
    fit = fit_cox(way.rows, way.endpoint, covariates, strata=strata, cluster=way.cluster, engine="kernel")
    ratio = hazard_ratios(fit).iloc[0]
    n = _patients(way.rows, fit, plan.key)
    estimates = (ratio["hazard_ratio"], ratio["conf_low"], ratio["conf_high"], ratio["p_value"])
    return [(endpoint.name, contrast, way.label, way.kind, n, fit.n_event, *estimates)]


def _patients(rows: pd.DataFrame, fit: CoxFit, key: str) -> int:
    """How many patients the rows of a fit belong to."""
    return int(rows[key].iloc[fit.design.data.position].nunique())


def _forest_frame(study: Study, estimates: pd.DataFrame) -> pd.DataFrame:
    """The estimates as the forest plot takes them, the target of the value at time zero under each group."""
    rows: list[tuple[object, ...]] = []
    for (endpoint, contrast), mine in estimates.groupby(["endpoint", "contrast"], sort=False):
        group = f"{endpoint}: {contrast}"
        for row in mine.to_dict("records"):
            rows.append((group, row["analysis"], row["kind"], row["hazard_ratio"], row["conf_low"], row["conf_high"]))
        target = _target(study, str(endpoint), str(contrast))
        if np.isfinite(target):
            rows.append((group, "target of the value at time zero", "truth", target, np.nan, np.nan))
    return pd.DataFrame(rows, columns=["group", "label", "kind", "hazard_ratio", "conf_low", "conf_high"])


def _target(study: Study, name: str, contrast: str) -> float:
    """The true adjusted hazard ratio of the value at time zero; NaN where none is known."""
    if study.truth is None:
        return float("nan")
    endpoint = next(one for one in study.plan.endpoints if one.name == name)
    if contrast.startswith("per "):
        return hazard_ratio_target(study.truth, endpoint, "conditional, measured magnesium")
    lower = study.plan.marker.direction == "lower"
    edge = f"{study.cutpoints.edges[0 if lower else -1]:.2f}"
    above = hazard_ratio_target(study.truth, endpoint, f"at or above {edge} against below, adjusted")
    return 1 / above if lower else above
