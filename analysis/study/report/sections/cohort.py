"""The cohort: who was read and used, Table 1, what is missing, how long they were followed."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from analysis.cohort.columns import first_few
from analysis.present.figures import plot_flow, plot_follow_up, plot_missing
from analysis.present.text import baseline_display, in_sentence
from analysis.study import report
from analysis.study.report import Block, Blocks, Prose, StudyFigure, attempted, table
from analysis.study.report.sections.competing import nested_endpoints
from analysis.study.report.sections.relations import causes_figure, covariate_columns, relations_blocks
from analysis.study.study import Study
from analysis.survival.baseline_table import baseline_table
from analysis.survival.curves import kaplan_meier, median_follow_up

MOST_LEVELS = 6  # further levels are counted only
ALL = "all"


@report.section("cohort", "The cohort")
def cohort_section(study: Study) -> Blocks:
    """Who is in the analysis, and how the strata differ."""
    yield _flow_figure(study)
    yield table("flow", "Rows read and used", flow_table(study))
    yield _baseline_block(study)


@report.section("data", "Columns, missing values, relations and follow-up", supplement=True)
def data_section(study: Study) -> report.Blocks:
    """What is known of the patients, and for how long."""
    if study.plan.synthetic:
        yield causes_figure(study)
    note = "Units of covariates stand in their labels, where the plan gives them. Missing: of all rows read."
    yield table("data-columns", "The columns that this study uses", column_table(study), note=note)
    yield from _missing_blocks(study)
    yield from relations_blocks(study)
    yield from attempted("The follow-up", _follow_up_blocks, study)


def _flow_figure(study: Study) -> StudyFigure:
    """Who came in, who was left out and why, and the strata with their events."""
    flow, title = patient_flow(study), f"The flow of {study.counted}"
    words = ". ".join(f"{row['n']} {row['words']}".replace("\n", "; ") for row in flow.to_dict("records"))
    return report.figure(
        study, "patient-flow", title, plot_flow, flow,
        title=title,
        alt=f"Boxes from top to bottom: {words}.",
        caption=f"Events are those of {study.counted} whose times are known.",
    )  # fmt: skip


def patient_flow(study: Study) -> pd.DataFrame:
    """The flow of patients for its figure: part ("stage", "excluded", "stratum") n words."""
    plan, cohort, key = study.plan, study.cohort, study.plan.data.id
    marked = cohort[cohort[study.stratum_column].notna()]
    whose = f" of {cohort[key].nunique():,} patients" if study.counted == "rows" and key is not None else ""
    rows = [("stage", len(cohort), f"{study.counted}{whose} in the file")]
    if len(marked) < len(cohort):
        rows.append(("excluded", len(cohort) - len(marked), f"without {in_sentence(plan.marker.label)}"))
        rows.append(("stage", len(marked), "in a stratum"))
    incomplete = int(marked[_adjusted_for(study)].isna().any(axis=1).sum())
    if incomplete:
        rows.append(("excluded", incomplete, "with a covariate missing: not in the adjusted models"))
    for label in study.strata_labels:
        inside = marked[marked[study.stratum_column] == label]
        lines = [label, study.descriptions[label]]
        for endpoint in plan.endpoints:
            known = inside[list(endpoint.columns)].dropna()
            lost = len(inside) - len(known)
            text = f"{endpoint.name}: {int(known[endpoint.event].sum())} events"
            lines.append(text + (f" ({lost} without a time or event)" if lost else ""))
        rows.append(("stratum", len(inside), "\n".join(lines)))
    return pd.DataFrame(rows, columns=["part", "n", "words"])


def flow_table(study: Study) -> pd.DataFrame:
    """Rows at each step: step n."""
    cohort, plan = study.cohort, study.plan
    marked = cohort[cohort[plan.marker.column].notna()]
    rows = [("rows read", len(cohort)), (f"{study.marker_label} known", len(marked))]
    for endpoint in plan.endpoints:
        for step, columns in (
            (f"{in_sentence(endpoint.name)} known too", [*endpoint.columns]),
            (f"{in_sentence(endpoint.name)}: all covariates known too", [*endpoint.columns, *_adjusted_for(study)]),
        ):
            rows.append((step, int(marked[columns].notna().all(axis=1).sum())))
    return pd.DataFrame(rows, columns=["step", "n"])


def _adjusted_for(study: Study) -> list[str]:
    """The columns of the adjusted models."""
    return [*covariate_columns(study), *study.plan.model.strata]


def column_table(study: Study) -> pd.DataFrame:
    """A row a column: column label unit type role n_missing.

    Returns
    -------
    DataFrame
        The marker first, then the endpoints, the models' columns, subgroups and site. `label` is the plan's (units of
        covariates stand there), `unit` known for the marker and for times; `type` is taken from the values; `role` is
        every use: "marker", "endpoint", "covariate", "stratum", "subgroup", "site", "key".
    """
    plan, cohort = study.plan, study.cohort
    units = {name: one.time_unit for one in plan.endpoints for name in (one.duration, one.entry) if name is not None}
    units[plan.marker.column] = study.unit
    labels = {one.duration: f"{one.name}, time" for one in plan.endpoints}
    labels |= {**plan.labels, plan.marker.column: plan.marker.label}
    if (nested := nested_endpoints(study)) is not None:
        first, death = (study.label(one.event) for one in nested)
        labels[nested[0].event] = f"{first} or {in_sentence(death)}"
    rows = [
        (name, labels.get(name, name), units.get(name, ""), _type(cohort[name]), "; ".join(roles),
         int(cohort[name].isna().sum()))
        for name, roles in column_roles(study).items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "label", "unit", "type", "role", "n_missing"])


def column_roles(study: Study) -> dict[str, list[str]]:
    """Every column that the plan uses, with what it is used for."""
    plan = study.plan
    uses: list[tuple[str, str | None]] = [("marker", plan.marker.column)]
    for endpoint in plan.endpoints:
        columns = {"time": endpoint.duration, "event": endpoint.event, "entry": endpoint.entry}
        uses += [(f"endpoint: {part} of {endpoint.name}", name) for part, name in columns.items()]
    uses += [("covariate", name) for name in covariate_columns(study)]
    uses += [("stratum", name) for name in plan.model.strata]
    uses += [("subgroup", name) for name in plan.robustness.subgroups]
    uses += [("site", plan.robustness.site), ("key", plan.labs.key if plan.labs else None)]
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for role, name in uses:
        if name is not None:
            roles[name].append(role)
    return dict(roles)


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


def _baseline_block(study: Study) -> Block:
    """Table 1: the marker, the covariates and the model's strata by stratum."""
    frame = characteristics(study, study.cohort, study.stratum_column, marker=True)
    title = f"Characteristics by stratum of {study.marker_label}"
    note = "SMD: the largest standardised mean difference between two strata; above 0.1 is often called imbalanced."
    return table("table-1", title, frame, display=baseline_display(frame, labels=study.plan.labels), note=note)


def characteristics(study: Study, cohort: pd.DataFrame, by: str, *, marker: bool = False) -> pd.DataFrame:
    """The covariates and the models' strata by group, then of everybody in a group; small whole numbers as levels.

    Parameters
    ----------
    study : Study
    cohort : DataFrame
        Its rows, with the column `by`.
    by : str
    marker : bool
        The marker comes first; its own standardised difference, which the cut makes, is left out.

    Returns
    -------
    DataFrame
        As `baseline_table` gives it, with the further stratum "all".
    """
    own = study.plan.marker.column
    names = [*([own] if marker else []), *study.plan.model.strata, *covariate_columns(study)]
    names = list(dict.fromkeys(names))
    grouped = cohort[cohort[by].notna()]
    rows = grouped.assign(**{name: _levels(grouped[name]) for name in names if _is_scale(grouped[name])})
    parts = [baseline_table(some, by=by, columns=names) for some in (rows, rows.assign(**{by: ALL}))]
    frame = pd.concat([part.assign(stratum=part["stratum"].astype(str)) for part in parts], ignore_index=True)
    return frame.assign(smd=frame["smd"].mask(frame["variable"] == own)) if marker else frame


def _is_scale(values: pd.Series) -> bool:
    """Whether a column holds a few whole numbers other than 0 and 1, such as a performance status."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    levels = set(values.dropna().unique())
    return 2 < len(levels) <= MOST_LEVELS and all(float(level).is_integer() for level in levels)


def _levels(values: pd.Series) -> pd.Series:
    """Whole numbers as levels in their order."""
    levels = sorted(values.dropna().unique())
    return values.map({level: f"{level:g}" for level in levels}).astype(
        pd.CategoricalDtype([f"{level:g}" for level in levels], ordered=True)
    )


def missing_table(study: Study) -> pd.DataFrame:
    """What is missing, and with whom: column whom n n_missing share, by whether the primary event was seen."""
    name, event = study.primary.name, study.cohort[study.primary.event]
    whom = event.map({1: f"{name}: event", 0: f"{name}: censored"}).fillna("outcome missing")
    rows = []
    for column in dict.fromkeys([study.plan.marker.column, *covariate_columns(study)]):
        for group, values in study.cohort[column].groupby(whom, observed=True):
            n_missing = int(values.isna().sum())
            rows.append((study.label(column), group, len(values), n_missing, n_missing / len(values)))
    return pd.DataFrame(rows, columns=["column", "whom", "n", "n_missing", "share"])


def _missing_blocks(study: Study) -> Blocks:
    """The picture of missing values, or a sentence when there are none."""
    missing = missing_table(study)
    total = missing.groupby("column", sort=False)["n_missing"].sum()
    if not total.any():
        yield Prose("No value is missing in the columns that the analysis uses.")
        return
    words = "; ".join(f"{column}: {count}" for column, count in total[total > 0].items())
    yield report.figure(
        study, "missing-values", "Missing values by outcome", plot_missing, missing,
        alt=f"Shares of missing values by column. Missing: {words}.",
        caption="Share of patients without a value, by whether the event was observed.",
    )  # fmt: skip
    complete = "; ".join(in_sentence(str(column)) for column in total.index[total == 0])
    shown = missing[~missing["column"].isin(total.index[total == 0])].reset_index(drop=True)
    yield table("missing", "Missing values", shown, note=f"Complete: {complete}." if complete else "")


def _follow_up_blocks(study: Study) -> Blocks:
    """Reverse Kaplan-Meier follow-up of the primary endpoint."""
    endpoint, cohort, by, cluster = study.primary, study.cohort, study.stratum_column, study.cluster
    medians = median_follow_up(cohort, endpoint, by=by, cluster=cluster)
    ended = 1 - cohort[endpoint.event].astype(float)
    if cluster is not None:  # of a patient's spells, only the last ends the follow-up
        last = cohort.groupby(cluster)[endpoint.duration].transform("max") == cohort[endpoint.duration]
        ended = ended.where(last | ended.isna(), 0.0)
    curves = kaplan_meier(cohort.assign(**{endpoint.event: ended}), endpoint, by=by, cluster=cluster)
    yield report.figure(
        study, "follow-up-curves", "How long patients were followed", plot_follow_up, curves,
        time_unit=endpoint.time_unit, time_zero=study.plan.time_zero,
        alt="Share still under follow-up by stratum, from the reverse Kaplan-Meier estimate.",
        caption=f"Reverse Kaplan-Meier curves of {in_sentence(endpoint.name)}: the event is the end of follow-up.",
    )  # fmt: skip
    yield table("follow-up", f"Median follow-up in {endpoint.time_unit} (reverse Kaplan-Meier)", medians)
