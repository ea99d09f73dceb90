"""The first screen of a report: the question, the primary endpoint's curves, a few numbers, what calls for caution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from analysis.present.pages import Note, Prose, Tile
from analysis.present.text import format_count, format_interval, format_number, format_ratio, format_time, in_sentence
from analysis.study.models import ADJUSTED, CONTINUOUS, CRUDE, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.report.results import StudyFigure, StudyOpening, StudySection, slug
from analysis.study.study import Study, horizon

ADJUSTMENTS = {CRUDE: "before adjustment", ADJUSTED: "after adjustment"}
RESTRICTED_MEANS = {
    "adjusted-mean-differences": ("standardised", "standardised_"),
    "restricted-mean-differences": ("difference", ""),
}
"""The tables of differences of restricted means, the adjusted one first: the column of the estimate in each, and what
stands before the names of its limits."""


def study_opening(
    study: Study, sections: Iterable[StudySection], tables: Mapping[str, pd.DataFrame]
) -> tuple[StudyOpening, tuple[StudySection, ...]]:
    """The first screen, and the sections without the figure that it took from them.

    Parameters
    ----------
    study : Study
        A prepared study.
    sections : iterable of StudySection
        The report's sections, with their notes.
    tables : mapping of str to DataFrame
        The report's frames by name.

    Returns
    -------
    StudyOpening
    tuple of StudySection
        Where the figure stood, a line leads to it.
    """
    name = f"survival-{slug(study.primary.name)}"
    lead: list[StudyFigure] = []
    rest: list[StudySection] = []
    cautions: dict[str, str] = {}
    for section in sections:
        blocks = list(section.blocks)
        for position, block in enumerate(blocks):
            if isinstance(block, StudyFigure) and block.name == name:
                lead.append(block)
                text = f"The curves of {in_sentence(study.primary.name)} are [[figure-{name}]], on the first screen."
                blocks[position] = Prose(text)
            elif isinstance(block, Note) and block.kind == "caution" and section.anchor != "about":
                cautions.setdefault(block.text, section.anchor)
        rest.append(replace(section, blocks=tuple(blocks)))
    figure = lead[0] if lead else None
    tiles = (_medians(study, tables), _effect(study, tables), _truth(study) or _events(study, tables))
    shown = tuple(tile for tile in tiles if tile is not None)
    return StudyOpening(_question(study), figure, shown, cautions), tuple(rest)


def _question(study: Study) -> tuple[str, ...]:
    """The plan's own words, or what can be said from the plan."""
    plan = study.plan
    if plan.question:
        return tuple(part.strip() for part in re.split(r"\n\s*\n", plan.question.strip()))
    endpoints = " and ".join(in_sentence(endpoint.name) for endpoint in plan.endpoints)
    start = f", followed from {plan.time_zero}" if plan.time_zero else ""
    n = format_count(len(study.cohort))
    return (
        f"**Question.** Is {study.marker_label} associated with {endpoints}? {n} {study.counted}{start}; strata:"
        f" {study.cutpoints.source}.",
        "**How to read it.** The curves are as observed, before adjustment. The answer describes this cohort; it does"
        " not show what changing the marker would do.",
    )


def _medians(study: Study, tables: Mapping[str, pd.DataFrame]) -> Tile | None:
    """The median of each stratum."""
    frame = tables.get(f"{slug(study.primary.name)}-medians")
    if frame is None:
        return None
    values = {
        str(row["stratum"]): format_time(row["median"], row["conf_low"], row["conf_high"])
        for row in frame.to_dict("records")
    }
    return Tile(f"Median {in_sentence(study.primary.name)}, {study.primary.time_unit}", values)


def _effect(study: Study, tables: Mapping[str, pd.DataFrame]) -> Tile | None:
    """The summary that the plan names: the marker's hazard ratios, or differences of restricted means."""
    if study.plan.summary != "hazard ratio":
        return _restricted_means(study, tables)
    rows = _hazard_ratios(study)
    values = {ADJUSTMENTS[row["adjustment"]]: estimate_text(row) for row in rows.to_dict("records")}
    return Tile(f"Hazard ratio, {study.step}", values) if values else None


def _hazard_ratios(study: Study) -> pd.DataFrame:
    """The hazard ratios of the continuous marker for the primary endpoint, crude and adjusted."""
    ratios = marker_hazard_ratios(study, study.primary, fit_models(study, study.primary))
    return ratios[ratios["marker"] == CONTINUOUS]


def _restricted_means(study: Study, tables: Mapping[str, pd.DataFrame]) -> Tile | None:
    """How much longer each stratum lives than the reference, adjusted where it was."""
    name, endpoint = slug(study.primary.name), study.primary
    for key, (column, limits) in RESTRICTED_MEANS.items():
        frame = tables.get(f"{name}-{key}")
        if frame is not None:
            values = {
                f"{row['stratum_b']} less {row['stratum_a']}": format_number(row[column])
                + f" ({format_interval(row[f'{limits}conf_low'], row[f'{limits}conf_high'])})"
                for row in frame.to_dict("records")
                if study.reference in (row["stratum_a"], row["stratum_b"])
            }
            return Tile(f"Mean {endpoint.time_unit} within {horizon(study, endpoint):g}, difference", values)
    return None


def _truth(study: Study) -> Tile | None:
    """The true hazard ratio of a synthetic cohort after adjustment, and whether the interval holds it."""
    if study.truth is None:
        return None
    rows = _hazard_ratios(study)
    adjusted = rows[rows["adjustment"] == (ADJUSTED if study.adjusts else CRUDE)]
    if adjusted.empty or adjusted["target"].isna().all():
        return None
    row = adjusted.iloc[0]
    inside = row["conf_low"] <= row["target"] <= row["conf_high"]
    values = {ADJUSTMENTS[row["adjustment"]]: format_ratio(row["target"])}
    return Tile("True hazard ratio", values, f"The interval {'contains' if inside else 'does not contain'} it.")


def _events(study: Study, tables: Mapping[str, pd.DataFrame]) -> Tile | None:
    """How many had the event in each stratum."""
    frame = tables.get(f"{slug(study.primary.name)}-medians")
    if frame is None:
        return None
    values = {
        str(row["stratum"]): f"{format_count(row['n_event'])} of {format_count(row['n'])}"
        for row in frame.to_dict("records")
    }
    return Tile("Events", values)
