"""The strata: where the marker was cut, by whose authority, and who fell where."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.present.figures import plot_marker
from analysis.present.pages import Prose
from analysis.strata.cutpoints import CLINICAL_NAMES, clinical_cutpoints, cutpoint_table
from analysis.study.blocks import table
from analysis.study.report import StudyFigure, StudySection, stratum_counts
from analysis.study.study import Study


def strata_section(study: Study) -> StudySection:
    """Cut-points with their sources, the marker's distribution, and the counts."""
    edges = edge_table(study)
    words = (
        "The marker is cut at edges set by others, not at the cut that these data favour: a search tends to find a"
        " difference even in data that hold none."
        if study.cutpoints.rule == "clinical"
        else f"The strata: {study.cutpoints.source}."
    )
    blocks = (
        Prose(words + " The continuous marker loses nothing and leads in the models; strata are for seeing."),
        _marker_figure(study, edges),
        table("strata", "Patients and events by stratum", counts_table(study)),
        table("cut-points", "Cut-points and their sources", edges.drop(columns="searched")),
    )
    return StudySection("strata", f"Strata of {study.plan.marker.label}", blocks)


def edge_table(study: Study) -> pd.DataFrame:
    """The edges in use, and for magnesium the other published ones: edge label source searched used."""
    others = []
    if study.plan.marker.analyte == "magnesium":
        published = [clinical_cutpoints(name).to_unit(study.unit) for name in CLINICAL_NAMES]
        others = [cut for cut in published if cut != study.cutpoints]
    frame = cutpoint_table(study.cutpoints, *others)
    return frame.assign(used=frame["source"] == study.cutpoints.source)


def counts_table(study: Study) -> pd.DataFrame:
    """Rows in each stratum and their events: stratum interval n, n_event of each endpoint.

    Events are those of the rows that are analysed: where a time, an entry or an event is missing, a further column of
    the endpoint counts the rows without.
    """
    counts = study.cohort[study.stratum_column].value_counts()
    rows: list[dict[str, object]] = [
        {"stratum": label, "interval": study.descriptions[label], "n": int(counts[label])}
        for label in study.strata_labels
    ]
    for endpoint in study.plan.endpoints:
        analysed = stratum_counts(study, endpoint)
        lost = {label: int(counts[label]) - n for label, (n, _) in analysed.items()}
        for row, (label, (_, n_event)) in zip(rows, analysed.items(), strict=True):
            row[f"{endpoint.name}: events"] = n_event
            if any(lost.values()):
                row[f"{endpoint.name}: without a time or event"] = lost[label]
    return pd.DataFrame(rows)


def _marker_figure(study: Study, edges: pd.DataFrame) -> StudyFigure:
    """The marker's distribution with every cut-point."""
    plan, values = study.plan, study.cohort[study.plan.marker.column].dropna()
    hue = plan.model.strata[0] if len(plan.model.strata) == 1 else None
    draw = partial(
        plot_marker,
        study.cohort,
        plan.marker.column,
        edges,
        hue=hue,
        unit=study.unit,
        label=plan.marker.label,
        synthetic=plan.synthetic,
    )
    return StudyFigure(
        name="marker",
        title=f"{plan.marker.label}: distribution and cut-points",
        alt=f"Histogram of {plan.marker.label} in {len(values)} patients, median {values.median():.3g} {study.unit},"
        f" with cut-points at {', '.join(edges['label'])}.",
        caption="Each line is a cut-point with its source; lines in use are solid.",
        draw=draw,
    )
