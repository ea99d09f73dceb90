"""What was found, in the words of a results section: every number is taken from a frame of the report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import format_number, format_ratio, format_time, inline
from analysis.study.models import CONTINUOUS, STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.plan import slug
from analysis.study.report.methods_text import methods_words
from analysis.study.report.results import StudyFigure, StudySection
from analysis.study.study import Study, horizon
from analysis.survival.curves import kaplan_meier, survival_quantile

Tables = Mapping[str, pd.DataFrame]


def results_words(study: Study, tables: Tables) -> tuple[str, ...]:
    """Paragraphs on what was found.

    Parameters
    ----------
    study : Study
        A prepared study, for its words.
    tables : mapping of str to DataFrame
        The report's frames by name; what is not there is not told.

    Returns
    -------
    tuple of str
        The patients, then a paragraph an endpoint: intervals before p-values, the continuous marker before the strata.
    """
    parts = [_patients(study, tables), *(_endpoint(study, endpoint, tables) for endpoint in study.plan.endpoints)]
    return tuple(part for part in parts if part)


def _patients(study: Study, tables: Tables) -> str:
    """How many there were, in which strata, followed how long."""
    total, known = tables["flow"]["n"].iloc[0], tables["flow"]["n"].iloc[1]
    counts = tables["strata"]
    strata = "; ".join(
        inline("{stratum} ({interval}): {n:count}, {share:share0}", row, share=row["n"] / known)
        for row in counts.to_dict("records")
    )
    words = inline(
        "**Patients.** Of {total:count} {counted}, {marker} was known in {known:count} ({share:share0}). Strata:"
        " {strata}.",
        total=total,
        counted=study.counted,
        known=known,
        share=known / total,
        marker=study.plan.marker.label,
        strata=strata,
    )
    return words + _follow_up(study, tables)


def _follow_up(study: Study, tables: Tables) -> str:
    """Median follow-up of the strata."""
    if "follow-up" not in tables:
        return ""
    unit = study.primary.time_unit
    told = "; ".join(
        inline("{stratum} {time}", row, time=_with_limits(row, "median"))
        for row in tables["follow-up"].to_dict("records")
    )
    return f" Median follow-up in {unit} (reverse Kaplan-Meier): {told}."


def _endpoint(study: Study, endpoint: Endpoint, tables: Tables) -> str:
    """The findings on one endpoint."""
    name = slug(endpoint.name)
    parts = [
        _medians(endpoint, tables.get(f"{name}-medians")),
        _means(study, endpoint, tables.get(f"{name}-restricted-mean-differences"), "difference", "crude"),
        _means(study, endpoint, tables.get(f"{name}-adjusted-mean-differences"), "standardised", "standardised"),
        _log_rank(tables.get(f"{name}-log-rank")),
        _hazards(endpoint, tables.get("hazard-ratios")),
        _proportional(tables.get(f"{name}-proportional-hazards")),
    ]
    told = " ".join(part for part in parts if part)
    return f"**{endpoint.name}.** {told}" if told else ""


def _medians(endpoint: Endpoint, frame: pd.DataFrame | None) -> str:
    """Events and the median of each stratum."""
    if frame is None:
        return ""
    told = "; ".join(
        inline("{stratum} {n_event:count} of {n:count}, {time}", row, time=_with_limits(row, "median"))
        for row in frame.to_dict("records")
    )
    return f"Events, and median in {endpoint.time_unit}: {told}."


def _means(study: Study, endpoint: Endpoint, frame: pd.DataFrame | None, column: str, words: str) -> str:
    """Differences of restricted means from the reference, crude or adjusted."""
    if frame is None:
        return ""
    pairs = frame[(frame["stratum_a"] == study.reference) | (frame["stratum_b"] == study.reference)]
    told = "; ".join(
        inline("{stratum_b} less {stratum_a} {told}", row, told=_with_limits(row, column))
        for row in pairs.to_dict("records")
    )
    return f"Difference of restricted means in {endpoint.time_unit}, {words}: {told}." if told else ""


def _log_rank(frame: pd.DataFrame | None) -> str:
    """The log-rank tests."""
    if frame is None:
        return ""
    told = "; ".join(
        inline("{test} chi-square {statistic:.1f} on {df:.0f}, p {p_value:p=}", row) for row in frame.to_dict("records")
    )
    return f"Log-rank: {told}."


def _hazards(endpoint: Endpoint, frame: pd.DataFrame | None) -> str:
    """Hazard ratios, crude and adjusted, in the table's order."""
    if frame is None:
        return ""
    mine = frame[frame["endpoint"] == endpoint.name]
    told = "; ".join(
        inline("{term}, {adjustment} {ratio} (p {p_value:p=})", row, ratio=_ratio(row))
        for row in mine.to_dict("records")
    )
    return f"Hazard ratios: {told}." if told else ""


def _proportional(frame: pd.DataFrame | None) -> str:
    """The score test of the marker and of all terms."""
    if frame is None:
        return ""
    marker, everything = frame.iloc[0], frame.iloc[-1]
    return inline(
        "Score test of proportional hazards: marker p {marker:p=}, all terms p {everything:p=}.",
        marker=marker["p_value"],
        everything=everything["p_value"],
    )


def _ratio(row: Mapping[object, object]) -> str:
    """A hazard ratio with its interval."""
    return format_ratio(*(float(str(row[name])) for name in ("hazard_ratio", "conf_low", "conf_high")))


def _with_limits(row: Mapping[object, object], estimate: str) -> str:
    """An estimate in units of time with its interval, whose columns bear its name where there are several."""
    limits = [f"{estimate}_{end}" if f"{estimate}_{end}" in row else end for end in ("conf_low", "conf_high")]
    return format_time(*(float(str(row[name])) for name in (estimate, *limits)))


def frames_of(sections: Sequence[StudySection]) -> dict[str, pd.DataFrame]:
    """The frames of the tables of some sections, by name."""
    return {
        block.name: block.frame for section in sections for block in section.blocks if isinstance(block, TableBlock)
    }


def words_section(study: Study, sections: Sequence[StudySection]) -> StudySection:
    """Methods and results in words, from the sections that were made."""
    blocks = [block for section in sections for block in section.blocks if isinstance(block, TableBlock | StudyFigure)]
    tables = frames_of(sections)
    methods = methods_words(study, {block.name for block in blocks})
    return StudySection(
        "words",
        "Methods and results in words",
        (Prose("\n\n".join(results_words(study, tables))), Prose("\n\n".join(methods))),
    )


RESTRICTED_MEAN = "restricted mean"


def summary_lines(study: Study, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Medians of the primary endpoint and hazard ratios; between them restricted means where the plan names those.

    Parameters
    ----------
    study : Study
        A prepared study.
    tables : mapping of str to DataFrame
        The report's frames by name: differences of restricted means, crude and adjusted, are taken from them.

    Returns
    -------
    tuple of str
        Hazard ratios: the continuous marker first, strata after. Differences of restricted means only where the plan
        names them; before the hazard ratios then.
    """
    endpoint = study.primary
    curves = kaplan_meier(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)
    sizes = curves.groupby("stratum", observed=True)["n_risk"].first()
    medians = "; ".join(
        f"{row['stratum']} ({study.descriptions[str(row['stratum'])]}, {sizes[row['stratum']]:g} {study.counted}):"
        f" {format_time(row['time'], row['conf_low'], row['conf_high'])}"
        for row in survival_quantile(curves, 0.5).to_dict("records")
    )
    lines = [f"{endpoint.name}, median {endpoint.time_unit}: {medians}."]
    if study.plan.summary == RESTRICTED_MEAN:
        lines += restricted_mean_lines(study, endpoint, tables)
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    for marker in (CONTINUOUS, STRATA):
        for term, rows in ratios[ratios["marker"] == marker].groupby("term", sort=False):
            lines.append(f"Hazard ratio, {term}: {_estimates(rows)}.")
    return tuple(lines)


def restricted_mean_lines(study: Study, endpoint: Endpoint, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """How much longer each stratum lives than the reference within the horizon: adjusted where it was, and crude."""
    name, unit, end = slug(endpoint.name), endpoint.time_unit, horizon(study, endpoint)
    adjusted, crude = (
        tables.get(f"{name}-{key}") for key in ("adjusted-mean-differences", "restricted-mean-differences")
    )
    frame, methods = (adjusted, _METHODS) if adjusted is not None else (crude, {"difference": "crude"})
    if frame is None:
        return []  # the section on survival says why
    lines = []
    for row in frame.to_dict("records"):
        pair = (str(row["stratum_a"]), str(row["stratum_b"]))
        if study.reference in pair:
            told = "; ".join(_mean(row, column, words) for column, words in methods.items() if column in row)
            lines.append(f"Mean {unit} within the first {end:g}, {pair[1]} less {pair[0]}: {told}.")
    return lines


_METHODS = {"crude": "crude", "standardised": "adjusted by standardisation", "weighted": "adjusted by weighting"}


def _mean(row: Mapping[Hashable, Any], column: str, words: str) -> str:
    """One difference with its interval and, where it is known, its target."""
    prefix = "" if column == "difference" else f"{column}_"
    told = format_time(row[column], row[f"{prefix}conf_low"], row[f"{prefix}conf_high"])
    target = row.get("crude_target" if column == "crude" else "adjusted_target", row.get("target", float("nan")))
    return f"{words} {told}" + (f", target {format_time(target)}" if pd.notna(target) else "")


def _estimates(rows: pd.DataFrame) -> str:
    """Crude and adjusted estimates of one contrast, each beside its target where there is one."""
    parts = []
    for row in rows.to_dict("records"):
        text = f"{row['adjustment']} {estimate_text(row)}"
        target = row.get("target", float("nan"))
        parts.append(text + (f", target {format_number(target)}" if pd.notna(target) else ""))
    return "; ".join(parts)
