"""The strata: where the marker was cut, by whose authority, and who fell where."""

from __future__ import annotations

import pandas as pd

from analysis.present.figures import plot_marker
from analysis.strata.cutpoints import CLINICAL_NAMES, clinical_cutpoints, cutpoint_table
from analysis.study import report
from analysis.study.report import Blocks, Prose, table
from analysis.study.study import Study


@report.section("strata", "Strata of {marker}")
def strata_section(study: Study) -> Blocks:
    """Cut-points with their sources, the marker's distribution, and the counts."""
    label, strata, edges = study.plan.marker.label, study.plan.model.strata, edge_table(study)
    values = study.cohort[study.plan.marker.column].dropna()
    words = (
        "The marker is cut at edges set by others, not at the cut that these data favour: a search tends to find a"
        " difference even in data that hold none."
        if study.cutpoints.rule == "clinical"
        else f"The strata: {study.cutpoints.source}."
    )
    yield Prose(words + " The continuous marker loses nothing and leads in the models; strata are for seeing.")
    yield report.figure(
        study, "marker", f"{label}: distribution and cut-points", plot_marker, study.cohort, study.plan.marker.column,
        edges,
        hue=strata[0] if len(strata) == 1 else None, unit=study.unit, label=label,
        alt=f"Histogram of {study.marker_label} in {len(values)} patients, median {values.median():.3g} {study.unit},"
        f" with cut-points at {', '.join(edges['label'])}.",
        caption="Each line is a cut-point with its source; lines in use are solid.",
    )  # fmt: skip
    yield table("strata", "Patients and events by stratum", counts_table(study))
    yield table("cut-points", "Cut-points and their sources", edges.drop(columns="searched"))


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
    labels = list(study.strata_labels)
    n = study.cohort[study.stratum_column].value_counts()[labels].to_numpy()
    frame = pd.DataFrame({"stratum": labels, "interval": [study.descriptions[label] for label in labels], "n": n})
    for endpoint in study.plan.endpoints:
        analysed, events = zip(*report.stratum_counts(study, endpoint).values(), strict=True)
        frame[f"{endpoint.name}: events"] = events
        if (lost := n - analysed).any():
            frame[f"{endpoint.name}: without a time or event"] = lost
    return frame
