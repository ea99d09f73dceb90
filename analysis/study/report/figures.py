"""The figures of a study: frames computed here, drawing left to `present` until a figure is written."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import InputError
from analysis.present.canvas import breaks_for
from analysis.present.figures.survival import plot_survival
from analysis.present.text import format_number, in_sentence
from analysis.study.models import STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.report.results import StudyFigure, slug
from analysis.study.study import Study, horizon
from analysis.survival.curves import restricted_mean_difference, risk_table, survival_quantile


def survival_figure(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> StudyFigure:
    """The curves of one endpoint with their table of numbers, and the planted truth where it is known."""
    times = breaks_for(float(curves["time"].max()), endpoint.time_unit)
    risk = risk_table(study.cohort, endpoint, times=times, by=study.stratum_column, cluster=study.cluster)
    title = finding(study, endpoint, curves)
    conf_type, conf_level = curves["conf_type"].iloc[0], curves["conf_level"].iloc[0]
    method = f"Kaplan-Meier with {conf_level:.0%} {conf_type} intervals"
    draw = partial(
        plot_survival,
        curves,
        risk=risk,
        truth=true_curves(study, endpoint),
        medians=survival_quantile(curves, 0.5),
        descriptions=study.descriptions,
        estimates=_estimates(study, endpoint),
        title=title,
        subtitle=f"{study.plan.title}. {method}.",
        x_label=time_axis(study, endpoint.time_unit),
        y_label=endpoint.name,
        time_unit=endpoint.time_unit,
        synthetic=study.plan.synthetic,
    )
    return StudyFigure(
        name=f"survival-{slug(endpoint.name)}",
        title=f"{endpoint.name} by stratum",
        alt=_curves_in_words(endpoint, curves, study.counted),
        caption=f"{endpoint.name} by stratum of {study.plan.marker.label}. {method}; curves are pale where fewer than"
        " 10"
        " remain at risk." + (" Dotted: the curve of a million simulated patients." if study.truth else ""),
        draw=draw,
    )


def time_axis(study: Study, unit: str) -> str:
    """What an axis of follow-up is called: its unit, and where follow-up starts."""
    start = f" from {study.plan.time_zero}" if study.plan.time_zero else ""
    return f"{unit[:1].upper()}{unit[1:]}{start}"


def finding(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> str:
    """What the curves show, as a title: a direction only where the interval of the restricted means excludes none."""
    name = endpoint.name
    plain = f"{name} by {study.plan.marker.label}"
    if not study.compared:
        return plain
    first = study.contrasted
    try:
        differences = restricted_mean_difference(curves, horizon(study, endpoint))
    except InputError:  # the section says so where it would have shown them
        return plain
    pair = differences[
        (differences["stratum_a"].isin([first, study.reference]))
        & (differences["stratum_b"].isin([first, study.reference]))
    ].iloc[0]
    sign = 1.0 if pair["stratum_b"] == first else -1.0
    low, high = sorted((sign * pair["conf_low"], sign * pair["conf_high"]))
    if low <= 0 <= high or pd.isna(low):
        return plain
    marker, change = in_sentence(study.plan.marker.label), "shorter" if high < 0 else "longer"
    return f"{first.capitalize()} {marker}: {change} {in_sentence(name)}"


def true_curves(study: Study, endpoint: Endpoint) -> pd.DataFrame | None:
    """The planted curves of one endpoint: stratum time survival; None where the truth is not known."""
    if study.truth is None:
        return None
    curves = study.truth.curves
    mine = curves[(curves["endpoint"] == endpoint.name) & curves["stratum"].astype(str).isin(study.strata_labels)]
    return mine[["stratum", "time", "survival"]].reset_index(drop=True) if len(mine) else None


def _estimates(study: Study, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """The hazard ratio of the headline's stratum against the reference in a few rows of text, where there is one."""
    if not study.compared:
        return ()
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    mine = ratios[(ratios["marker"] == STRATA) & (ratios["term"] == study.contrast(study.contrasted))]
    if mine.empty:
        return ()
    rows = [(f"HR, {study.contrast(study.contrasted)}", "")]
    rows += [(str(row["adjustment"]), estimate_text(row)) for row in mine.to_dict("records")]
    if study.truth is not None:
        rows += [(f"target, {row['adjustment']}", format_number(row["target"])) for row in mine.to_dict("records")]
    return tuple(rows)


def _curves_in_words(endpoint: Endpoint, curves: pd.DataFrame, counted: str) -> str:
    """Alternative text: the strata, their sizes and medians."""
    medians = survival_quantile(curves, 0.5)
    counts = curves.groupby("stratum", observed=True)["n_risk"].first()
    parts = [
        f"{row['stratum']} ({counts[row['stratum']]:g} {counted}): median"
        f" {format_number(row['time'], digits=1, missing='not reached')}"
        for row in medians.to_dict("records")
    ]
    return f"Kaplan-Meier curves of {endpoint.name} in {endpoint.time_unit} by stratum. " + "; ".join(parts) + "."
