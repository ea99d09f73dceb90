"""The answer in a few lines, for the top of the report."""

from __future__ import annotations

import pandas as pd

from analysis.present.words import format_number, format_time
from analysis.study.models import CONTINUOUS, STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.study import Study
from analysis.survival.curves import kaplan_meier
from analysis.survival.milestones import survival_quantile


def summary_lines(study: Study) -> tuple[str, ...]:
    """Medians of the primary endpoint, then its hazard ratios: continuous first, strata after."""
    endpoint = study.primary
    curves = kaplan_meier(study.cohort, endpoint, by=study.stratum_column)
    sizes = curves.groupby("stratum", observed=True)["n_risk"].first()
    medians = "; ".join(
        f"{row['stratum']} ({study.descriptions[str(row['stratum'])]}, {sizes[row['stratum']]:g} patients):"
        f" {format_time(row['time'], row['conf_low'], row['conf_high'])}"
        for row in survival_quantile(curves, 0.5).to_dict("records")
    )
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    lines = [f"{endpoint.name}, median {endpoint.time_unit}: {medians}."]
    for marker in (CONTINUOUS, STRATA):
        for term, rows in ratios[ratios["marker"] == marker].groupby("term", sort=False):
            lines.append(f"Hazard ratio, {term}: {_estimates(rows)}.")
    return tuple(lines)


def _estimates(rows: pd.DataFrame) -> str:
    """Crude and adjusted estimates of one contrast, each beside its target where there is one."""
    parts = []
    for row in rows.to_dict("records"):
        text = f"{row['adjustment']} {estimate_text(row)}"
        target = row.get("target", float("nan"))
        parts.append(text + (f", target {format_number(target)}" if pd.notna(target) else ""))
    return "; ".join(parts)
