"""The answer in a few lines, for the top of the report."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.present.text.words import format_number, format_time
from analysis.study.models import CONTINUOUS, STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.names import slug
from analysis.study.study import Study
from analysis.study.times import horizon
from analysis.survival.curves.kaplan_meier import kaplan_meier
from analysis.survival.curves.milestones import survival_quantile

RESTRICTED_MEAN = "restricted mean"


def summary_lines(study: Study, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """Medians of the primary endpoint, then the summary that the plan names, then the other one where it was computed.

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
