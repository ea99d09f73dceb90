"""The answer in a few lines, for the top of the report."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.errors import InputError
from analysis.present.words import format_number, format_time
from analysis.study.models import CONTINUOUS, STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.study import Study
from analysis.study.times import horizon
from analysis.survival.curves import kaplan_meier
from analysis.survival.milestones import survival_quantile
from analysis.survival.restricted_means import restricted_mean_difference


def summary_lines(study: Study, *, doubted: bool = False) -> tuple[str, ...]:
    """Medians of the primary endpoint, then its hazard ratios: continuous first, strata after.

    Where proportional hazards are in doubt, differences of restricted means stand before the hazard ratios.
    """
    endpoint = study.primary
    curves = kaplan_meier(study.cohort, endpoint, by=study.stratum_column)
    sizes = curves.groupby("stratum", observed=True)["n_risk"].first()
    medians = "; ".join(
        f"{row['stratum']} ({study.descriptions[str(row['stratum'])]}, {sizes[row['stratum']]:g} patients):"
        f" {format_time(row['time'], row['conf_low'], row['conf_high'])}"
        for row in survival_quantile(curves, 0.5).to_dict("records")
    )
    means = restricted_mean_lines(study, endpoint, curves) if doubted else []
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    lines = [f"{endpoint.name}, median {endpoint.time_unit}: {medians}.", *means]
    for marker in (CONTINUOUS, STRATA):
        for term, rows in ratios[ratios["marker"] == marker].groupby("term", sort=False):
            lines.append(f"Hazard ratio, {term}: {_estimates(rows)}.")
    return tuple(lines)


def restricted_mean_lines(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> list[str]:
    """How many months each stratum lives more or less than the reference within the horizon; none past follow-up."""
    end = horizon(study, endpoint)
    try:
        differences = restricted_mean_difference(curves, end)
    except InputError:
        return []  # the section on survival says why
    lines = []
    for row in differences.to_dict("records"):
        pair = (str(row["stratum_a"]), str(row["stratum_b"]))
        if study.reference in pair:
            told = format_time(row["difference"], row["conf_low"], row["conf_high"])
            unit = endpoint.time_unit
            lines.append(f"Mean {unit} within the first {end:g}, {pair[1]} less {pair[0]}: {told}.")
    return lines


def _estimates(rows: pd.DataFrame) -> str:
    """Crude and adjusted estimates of one contrast, each beside its target where there is one."""
    parts = []
    for row in rows.to_dict("records"):
        text = f"{row['adjustment']} {estimate_text(row)}"
        target = row.get("target", float("nan"))
        parts.append(text + (f", target {format_number(target)}" if pd.notna(target) else ""))
    return "; ".join(parts)
