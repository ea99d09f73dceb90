"""The survival curves of an endpoint: their figure, what a paper reads off them, and the counts of the strata."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.errors import InputError
from analysis.present.canvas import breaks_for
from analysis.present.figures import plot_survival
from analysis.present.text import format_number, in_sentence
from analysis.study.models import STRATA, estimate_text, fit_models, marker_hazard_ratios
from analysis.study.report.results import StudyFigure, figure, slug, time_axis
from analysis.study.study import Study, horizon, milestones
from analysis.survival import curves as estimates

WHEN = {"crude": "before adjustment", "adjusted": "after adjustment"}
"""Adjustments as figures say them."""


def study_curves(study: Study, endpoint: Endpoint) -> pd.DataFrame:
    """The Kaplan-Meier curves of the strata."""
    return estimates.kaplan_meier(study.cohort, endpoint, by=study.stratum_column, cluster=study.cluster)


def survival_figure(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> StudyFigure:
    """The curves of one endpoint with their table of numbers, and the true curves where they are known."""
    times = breaks_for(float(curves["time"].max()), endpoint.time_unit)
    conf_type, conf_level = curves["conf_type"].iloc[0], curves["conf_level"].iloc[0]
    method = f"Kaplan-Meier with {conf_level:.0%} {conf_type} intervals"
    medians = estimates.survival_quantile(curves, 0.5)
    return figure(
        study, f"survival-{slug(endpoint.name)}", f"{endpoint.name} by stratum", plot_survival, curves,
        risk=estimates.risk_table(study.cohort, endpoint, times=times, by=study.stratum_column, cluster=study.cluster),
        truth=true_curves(study, endpoint, "survival"), medians=medians, descriptions=study.descriptions,
        estimates=_hazard_ratios(study, endpoint), title=curves_title(study, endpoint, curves),
        subtitle=f"{study.plan.title}. {method}.", x_label=time_axis(study, endpoint.time_unit),
        y_label=endpoint.name, time_unit=endpoint.time_unit,
        alt=_curves_in_words(study, endpoint, curves, medians),
        caption=f"{endpoint.name} by stratum of {study.marker_label}. {method}; curves are pale where fewer than"
        " 10 remain at risk." + (" Dotted: the curve of a million simulated patients." if study.truth else ""),
    )  # fmt: skip


def curves_title(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> str:
    """A direction only where the interval of the difference in restricted means excludes none."""
    plain = f"{endpoint.name} by {study.plan.marker.label}"
    if not study.compared:
        return plain
    first = study.contrasted
    try:
        differences = estimates.restricted_mean_difference(curves, horizon(study, endpoint))
    except InputError:  # the section says so where it would have shown them
        return plain
    both = {first, study.reference}
    pair = differences[differences["stratum_a"].isin(both) & differences["stratum_b"].isin(both)].iloc[0]
    sign = 1.0 if pair["stratum_b"] == first else -1.0
    low, high = sorted((sign * pair["conf_low"], sign * pair["conf_high"]))
    if low <= 0 <= high or pd.isna(low):
        return plain
    marker, change = in_sentence(study.plan.marker.label), "shorter" if high < 0 else "longer"
    return f"{first.capitalize()} {marker}: {change} {in_sentence(endpoint.name)}"


def true_curves(study: Study, endpoint: Endpoint, column: str) -> pd.DataFrame | None:
    """One kind of the true curves of an endpoint: stratum time survival; None where the truth is not known."""
    if study.truth is None:
        return None
    curves = study.truth.curves
    mine = curves[(curves["endpoint"] == endpoint.name) & curves["stratum"].astype(str).isin(study.strata_labels)]
    shown = mine[["stratum", "time", column]].rename(columns={column: "survival"})
    return shown.reset_index(drop=True) if len(shown) else None


def _hazard_ratios(study: Study, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """The hazard ratio of the headline's stratum against the reference in a few rows of text, where there is one."""
    if not study.compared:
        return ()
    contrast = study.contrast(study.contrasted)
    ratios = marker_hazard_ratios(study, endpoint, fit_models(study, endpoint))
    mine = ratios[(ratios["marker"] == STRATA) & (ratios["term"] == contrast)].to_dict("records")
    if not mine:
        return ()
    rows = [(f"HR, {contrast}", ""), *((WHEN[str(row["adjustment"])], estimate_text(row)) for row in mine)]
    if study.truth is not None:
        rows += [(f"true value, {WHEN[str(row['adjustment'])]}", format_number(row["target"])) for row in mine]
    return tuple(rows)


def _curves_in_words(study: Study, endpoint: Endpoint, curves: pd.DataFrame, medians: pd.DataFrame) -> str:
    """Alternative text: the strata, their sizes and medians."""
    counts = curves.groupby("stratum", observed=True)["n_risk"].first()
    parts = [
        f"{row['stratum']} ({counts[row['stratum']]:g} {study.counted}): median"
        f" {format_number(row['time'], digits=1, missing='not reached')}"
        for row in medians.to_dict("records")
    ]
    return (
        f"Kaplan-Meier curves of {in_sentence(endpoint.name)} in {endpoint.time_unit} by stratum. "
        + "; ".join(parts)
        + "."
    )


def survival_table(study: Study, endpoint: Endpoint, curves: pd.DataFrame) -> pd.DataFrame:
    """What is read off the curves of one endpoint: patients, events, median, milestones, restricted mean.

    Parameters
    ----------
    study : Study
    endpoint : Endpoint
    curves : DataFrame
        Its Kaplan-Meier curves by stratum.

    Returns
    -------
    DataFrame
        stratum, n, n_event, estimate ("median", "survival", "restricted mean"), time (milestone or horizon; NaN for a
        median), value, conf_low, conf_high, conf_level. No restricted means where a stratum ends before the horizon.
    """
    end = horizon(study, endpoint)
    medians = estimates.survival_quantile(curves, 0.5).drop(columns="probability")
    points = estimates.survival_at(curves, milestones(study, endpoint))
    parts = [
        medians.rename(columns={"time": "value"}).assign(estimate="median", time=float("nan")),
        points.rename(columns={"survival": "value"}).assign(estimate="survival"),
    ]
    with suppress(InputError):  # the table of restricted means says why there are none
        means = estimates.restricted_mean(curves, end).rename(columns={"restricted_mean": "value"})
        parts.append(means.assign(estimate="restricted mean", time=end))
    columns = ["stratum", "estimate", "time", "value", "conf_low", "conf_high"]
    rows = with_counts(study, endpoint, pd.concat([part[columns] for part in parts], ignore_index=True))
    rows = rows.assign(conf_level=float(curves["conf_level"].iloc[0]))
    return rows.sort_values("stratum", kind="stable", ignore_index=True)


def with_counts(study: Study, endpoint: Endpoint, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by stratum with the columns n and n_event after the first."""
    counts = stratum_counts(study, endpoint)
    labels = rows["stratum"].astype(str)
    counted = rows.copy()
    for index, name in enumerate(("n", "n_event")):
        counted.insert(1 + index, name, [counts[label][index] for label in labels])
    return counted


def stratum_counts(study: Study, endpoint: Endpoint, *, complete: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    """Patients and events of each stratum, among the rows complete in the endpoint's columns and in others named."""
    columns = [study.stratum_column, *endpoint.columns, *complete]
    used = study.cohort[list(dict.fromkeys(columns))].dropna()
    counts = {}
    for label in study.strata_labels:
        inside = used[used[study.stratum_column] == label]
        counts[label] = (len(inside), int(inside[endpoint.event].sum()))
    return counts
