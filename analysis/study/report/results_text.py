"""What was found, in the words of a results section: every number is taken from a frame of the report."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.present.text.words import format_ratio, format_time, inline
from analysis.study.names import slug
from analysis.study.study import Study

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
