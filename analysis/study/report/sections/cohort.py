"""The cohort: who was read and used, Table 1, what is missing, how long they were followed."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.present.figures import plot_causes, plot_flow, plot_missing, plot_relations
from analysis.present.figures.survival import plot_follow_up
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import baseline_display, in_sentence
from analysis.study.blocks import attempted, table
from analysis.study.prepare import model_columns
from analysis.study.report import Block, StudyFigure, StudySection, column_table, diagram_arrows, diagram_nodes
from analysis.study.study import Study
from analysis.survival.baseline_table import baseline_table
from analysis.survival.curves import kaplan_meier, median_follow_up


def cohort_section(study: Study) -> StudySection:
    """Who is in the analysis, and what is known of them."""
    blocks: list[Block] = [_flow_figure(study), table("flow", "Rows read and used", flow_table(study))]
    if study.plan.synthetic:
        blocks.append(_causes_figure(study))
    blocks += [_columns_block(study), _baseline_block(study), *_missing_blocks(study), *_relations_blocks(study)]
    blocks += attempted("The follow-up", partial(_follow_up_blocks, study))
    return StudySection("cohort", "The cohort", tuple(blocks))


def _flow_figure(study: Study) -> StudyFigure:
    """Who came in, who was left out and why, and the strata with their events."""
    flow = patient_flow(study)
    told = "; ".join(f"{row['n']} {row['words']}".replace("\n", ", ") for row in flow.to_dict("records"))
    return StudyFigure(
        name="patient-flow",
        title=f"The flow of {study.counted}",
        alt=f"Boxes from top to bottom: {told}.",
        caption=f"Nobody is left out in silence; events are those of {study.counted} whose times are known.",
        draw=partial(plot_flow, flow, title=f"The flow of {study.counted}", synthetic=study.plan.synthetic),
    )


def patient_flow(study: Study) -> pd.DataFrame:
    """The flow of patients for its figure: part ("stage", "excluded", "stratum") n words."""
    plan, cohort = study.plan, study.cohort
    marked = cohort[cohort[study.stratum_column].notna()]
    key = plan.data.id
    whose = f" of {cohort[key].nunique():,} patients" if study.counted == "rows" and key is not None else ""
    rows = [("stage", len(cohort), f"{study.counted}{whose} in the file")]
    if len(marked) < len(cohort):
        rows.append(("excluded", len(cohort) - len(marked), f"without {in_sentence(plan.marker.label)}"))
        rows.append(("stage", len(marked), "in a stratum"))
    covariates = [*covariate_columns(study), *plan.model.strata]
    incomplete = int(marked[covariates].isna().any(axis=1).sum())
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
    rows = [("rows read", len(cohort)), (f"{plan.marker.label} known", len(marked))]
    for endpoint in plan.endpoints:
        known = marked[list(endpoint.columns)].notna().all(axis=1)
        rows.append((f"{endpoint.name} known too", int(known.sum())))
        adjusted = [*endpoint.columns, *covariate_columns(study), *plan.model.strata]
        rows.append((f"{endpoint.name}: all covariates known too", int(marked[adjusted].notna().all(axis=1).sum())))
    return pd.DataFrame(rows, columns=["step", "n"])


def covariate_columns(study: Study) -> list[str]:
    """The columns behind the plan's formula terms, in the cohort's order."""
    named = set(model_columns(study.plan, study.cohort))
    return [str(name) for name in study.cohort.columns if name in named]


def _columns_block(study: Study) -> TableBlock:
    """The columns that the plan uses."""
    note = "Units of covariates stand in their labels, where the plan gives them. Missing: of all rows read."
    return table("data-columns", "The columns that this study uses", column_table(study), note=note)


def _baseline_block(study: Study) -> TableBlock:
    """Table 1: the marker, the covariates and the model's strata by stratum."""
    columns = [study.plan.marker.column, *study.plan.model.strata, *covariate_columns(study)]
    frame = baseline_table(study.cohort, by=study.stratum_column, columns=list(dict.fromkeys(columns)))
    return TableBlock(
        name="table-1",
        title=f"Table 1: the cohort by stratum of {study.plan.marker.label}",
        frame=frame,
        display=baseline_display(frame, labels=study.plan.labels),
        note="Standardised mean differences are the largest between two strata; above 0.1 is often called imbalanced.",
    )


def missing_table(study: Study) -> pd.DataFrame:
    """What is missing, and with whom: column whom n n_missing share, by whether the primary event was seen."""
    event = study.cohort[study.primary.event]
    whom = event.map({1: f"{study.primary.name}: event", 0: f"{study.primary.name}: censored"}).fillna(
        "outcome missing"
    )
    columns = [study.plan.marker.column, *covariate_columns(study)]
    rows = []
    for column in dict.fromkeys(columns):
        for name, rows_of in study.cohort.groupby(whom, observed=True):
            n_missing = int(rows_of[column].isna().sum())
            rows.append((study.label(column), name, len(rows_of), n_missing, n_missing / len(rows_of)))
    return pd.DataFrame(rows, columns=["column", "whom", "n", "n_missing", "share"])


def _missing_blocks(study: Study) -> list[Block]:
    """The picture of missing values, or a sentence when there are none."""
    missing = missing_table(study)
    if not missing["n_missing"].any():
        return [Prose("No value is missing in the columns that the analysis uses.")]
    draw = partial(plot_missing, missing, synthetic=study.plan.synthetic)
    total = missing.groupby("column", sort=False)["n_missing"].sum()
    words = "; ".join(f"{column}: {count}" for column, count in total[total > 0].items())
    figure = StudyFigure(
        name="missing-values",
        title="What is missing, and with whom",
        alt=f"Shares of missing values by column. Missing: {words}.",
        caption="Share of patients without a value, by whether the event was seen. Analyses here use complete rows.",
        draw=draw,
    )
    held = missing.groupby("column")["n_missing"].transform("sum") > 0
    complete = missing.loc[~held, "column"].unique()
    note = f"Complete: {', '.join(complete)}." if len(complete) else ""
    return [figure, table("missing", "Missing values", missing[held].reset_index(drop=True), note=note)]


def correlation_table(study: Study) -> pd.DataFrame:
    """Spearman's correlation of the marker with each numeric covariate: column correlation n."""
    marker = study.cohort[study.plan.marker.column]
    rows = []
    for column in covariate_columns(study):
        values = study.cohort[column]
        if column != marker.name and pd.api.types.is_numeric_dtype(values.dtype) and len(values.dropna().unique()) > 1:
            both = marker.notna() & values.notna()
            rank = marker[both].rank().corr(values[both].rank())
            rows.append((column, float(rank), int(both.sum())))
    return pd.DataFrame(rows, columns=["column", "correlation", "n"])


def _relations_blocks(study: Study) -> list[Block]:
    """The marker against the covariates, as a figure and as correlations."""
    correlations = correlation_table(study)
    if correlations.empty:
        return []
    strongest = correlations.reindex(correlations["correlation"].abs().sort_values(ascending=False).index)
    shown = strongest["column"].head(6).tolist()
    labels = {**study.plan.labels, study.plan.marker.column: f"{study.plan.marker.label} ({study.unit})"}
    draw = partial(
        plot_relations,
        study.cohort,
        study.plan.marker.column,
        shown,
        labels=labels,
        correlations=correlations,
        synthetic=study.plan.synthetic,
    )
    words = "; ".join(f"{study.label(row['column'])} {row['correlation']:.2f}" for row in strongest.to_dict("records"))
    figure = StudyFigure(
        name="relations",
        title=f"{study.plan.marker.label} and what goes with it",
        alt=f"{study.plan.marker.label} against covariates. Spearman correlations: {words}.",
        caption="The covariates with the strongest rank correlation with the marker.",
        draw=draw,
    )
    named = strongest.assign(column=strongest["column"].map(study.label)).reset_index(drop=True)
    return [figure, table("correlations", f"Rank correlation of {study.plan.marker.label} with the covariates", named)]


def _follow_up_blocks(study: Study) -> list[Block]:
    """Reverse Kaplan-Meier follow-up of the primary endpoint."""
    endpoint = study.primary
    medians = median_follow_up(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
    ended = 1 - study.cohort[endpoint.event].astype(float)
    if study.cluster is not None:  # of a patient's spells, only the last ends the follow-up
        last = (
            study.cohort.groupby(study.cluster)[endpoint.duration].transform("max") == study.cohort[endpoint.duration]
        )
        ended = ended.where(last | ended.isna(), 0.0)
    reversed_events = study.cohort.assign(**{endpoint.event: ended})
    curves = kaplan_meier(reversed_events, endpoint, by=study.stratum_column, cluster=study.cluster)
    draw = partial(
        plot_follow_up,
        curves,
        time_unit=endpoint.time_unit,
        time_zero=study.plan.time_zero,
        synthetic=study.plan.synthetic,
    )
    figure = StudyFigure(
        name="follow-up-curves",
        title="How long patients were followed",
        alt="Share still under follow-up by stratum, from the reverse Kaplan-Meier estimate.",
        caption=f"Reverse Kaplan-Meier curves of {endpoint.name}: the event is the end of follow-up.",
        draw=draw,
    )
    return [figure, table("follow-up", f"Median follow-up in {endpoint.time_unit} (reverse Kaplan-Meier)", medians)]


def _causes_figure(study: Study) -> StudyFigure:
    """How the synthetic world works."""
    return StudyFigure(
        name="causes",
        title="How the synthetic world works",
        alt="Causal diagram: tumour burden, inflammation, kidney function, proton-pump inhibitors, diuretics and"
        " platinum lower or raise magnesium; burden, inflammation, proton-pump inhibitors and platinum act on"
        " progression and death by themselves; magnesium acts on both through T cells.",
        caption="Arrows are what the simulation does. What lowers magnesium also shortens survival by other ways, so"
        " the crude curves show more than magnesium does.",
        draw=partial(plot_causes, diagram_arrows(), diagram_nodes(), synthetic=study.plan.synthetic),
    )
