"""Whether the result holds: in subgroups, without a site or a patient, and without the error of measurement."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.kernels.tails import normal_quantile
from analysis.present.figures import plot_extrapolation, plot_influence
from analysis.present.text import format_count, format_number, format_p, in_sentence
from analysis.robustness.measurement import SimulationExtrapolation, simulation_extrapolation
from analysis.robustness.stability import ALL, NOBODY, leave_one_out, patient_influence, subgroup_effects
from analysis.study import report
from analysis.study.models import StudyModel, leading_model, marker_step, reliability_words
from analysis.study.report import RATIO, Blocks, Prose, attempted, slug, table
from analysis.study.study import Study, hazard_ratio_target
from analysis.survival.cox import hazard_ratios

N_SHOWN = 10
N_SIMULATIONS = 100
INTERACTION = {"interaction_p_value": "p", "interaction_df": "plain"}
HEADINGS = {"interaction_statistic": "Chi-square of interaction", "interaction_df": "df"}


@report.section("subgroups", "Subgroups", supplement=True)
def subgroups_section(study: Study) -> Blocks:
    """The continuous marker's hazard ratio in each level of the plan's subgroups, endpoint by endpoint."""
    if not study.plan.robustness.subgroups:
        yield Prose("The plan names no subgroups (subgroups in its table [robustness]).")
        return
    yield Prose(
        f"The marker's hazard ratio per {study.step}, adjusted as the plan says, in each level of the subgroups that"
        " the plan names. What counts is the **interaction test** beside each subgroup's name, not whether"
        " one interval contains 1 and its neighbour does not; of many subgroups one will differ by chance.\n\n"
        "A marker is **prognostic** when it is associated with the outcome whatever the treatment: a hazard ratio other"
        " than 1 that is similar in every treatment. It is **predictive** only when the benefit of one treatment over"
        " another depends on it, which shows as an interaction with treatment. Where treatments were not randomised,"
        " or are given for different diseases, an interaction can come from either, and no interaction does not prove"
        " that effects are equal: small subgroups could not show a difference."
    )
    yield from report.by_endpoint(study, {"subgroups": _subgroups})


def _subgroups(study: Study, endpoint: Endpoint) -> Blocks:
    """The forest and the table of one endpoint."""
    subgroups = study.plan.robustness.subgroups
    effects = subgroup_effects(study.cohort, endpoint, study.marker_term, subgroups=subgroups, **study.adjustment)
    parts = [mine.assign(level=_level_words(mine["level"])) for _, mine in effects.groupby("subgroup", sort=False)]
    shown = pd.concat(parts, ignore_index=True)
    caption = "Points with 95% intervals from one model a subgroup; p: likelihood-ratio test of interaction."
    if study.truth is not None:
        caption += " Open mark: the true value for everybody; the simulation has one effect for all subgroups."
    name, title = f"subgroups-{slug(endpoint.name)}", f"{endpoint.name}: {study.marker_label} in subgroups"
    yield report.forest(
        study, name, title, _subgroup_rows(study, endpoint, shown), caption=caption, title=endpoint.name
    )
    shown = shown.assign(subgroup=shown["subgroup"].map(study.label).replace(ALL, "everybody"))
    title = f"{endpoint.name}: hazard ratio per {study.step} in subgroups"
    yield table(name, title, shown, kinds=INTERACTION, headings=HEADINGS)


def _level_words(levels: pd.Series) -> list[str]:
    """The levels of one subgroup in words: an indicator's 0 and 1 are no and yes."""
    words = {"0": "no", "1": "yes"} if set(levels) == {"0", "1"} else {}
    return [words.get(str(level), str(level)) for level in levels]


def _subgroup_rows(study: Study, endpoint: Endpoint, effects: pd.DataFrame) -> pd.DataFrame:
    """The effects as the forest plot takes them: a group a subgroup with its p, a label a level with its counts."""
    rows = []
    for name, mine in effects.groupby("subgroup", sort=False):
        p_value = format_p(mine["interaction_p_value"].iloc[0])
        group = "Everybody" if name == ALL else f"{study.label(str(name))} (p of interaction {p_value})"
        for row in mine.to_dict("records"):
            label = f"{row['level']} ({format_count(row['n_event'])} events of {format_count(row['n'])})"
            rows.append(report.estimate_row(group, label, "crude" if name == ALL else "adjusted", row))
        if name == ALL and study.truth is not None:
            target = hazard_ratio_target(study.truth, endpoint, "conditional, measured magnesium")
            rows.append(report.target_row(group, "true value", target))
    return report.forest_frame(rows)


@report.section("influence", "Influence and measurement error", supplement=True)
def influence_section(study: Study) -> Blocks:
    """Sites left out in turn, patients by how far they move the estimate, the error of measurement undone in part."""
    site, error = study.plan.robustness.site, study.plan.robustness.measurement_error
    words = (
        f"Whether the result on {in_sentence(study.primary.name)} depends on one site or on a few patients is"
        " examined by leaving them out. A correct row stays in the analysis, however far it moves the estimate."
    )
    if error is not None:
        words += (
            f" The last part corrects for the error of one measurement of {study.marker_label}:"
            " simulation-extrapolation adds more error, step by step, and extrapolates the trend back to none;"
            " regression calibration divides the log hazard ratio by the reliability. Both estimate the hazard ratio"
            " of the marker without error, which is further from 1, in expectation, than that of the measured marker."
        )
    yield Prose(words)
    if model := leading_model(study, study.primary):
        if site is not None:
            yield from attempted("Leaving sites out", _site_blocks, study, model, site)
        yield from attempted("Influence by patient", _patient_blocks, study, model)
    if error is not None:
        yield from attempted("Simulation-extrapolation", _error_blocks, study, error)


def _site_blocks(study: Study, model: StudyModel, site: str) -> Blocks:
    """The marker's hazard ratio without each site."""
    rows = leave_one_out(study.cohort, study.primary, model.covariates, by=site, strata=model.strata)
    mine = rows[rows["term"] == study.marker_term].drop(columns="term").reset_index(drop=True)
    whole = mine["left_out"] == NOBODY
    words = np.where(whole, "all", "without " + mine["left_out"]) + np.array([f" (n {n})" for n in mine["n"]])
    yield report.forest(
        study,
        "without-each-site",
        f"{study.primary.name} without each {in_sentence(study.label(site))}",
        mine[RATIO].assign(group="", label=words, kind=np.where(whole, "adjusted", "crude")),
        caption=f"The {model.adjustment} model's hazard ratio per {study.step} with 95% intervals.",
    )
    note = "Change: of the log hazard ratio, in standard errors of that of all rows."
    shown = mine[["left_out", "n", "n_event", *RATIO, "change"]]
    yield table("without-each-site", "Without each site", shown, note=note)


def _patient_blocks(study: Study, model: StudyModel) -> Blocks:
    """How far each patient moves the marker's log hazard ratio."""
    plan, label, term = study.plan, study.plan.marker.label, study.marker_term
    key = plan.labs.key if plan.labs is not None else None
    patients = patient_influence(study.cohort, model.fit, term, key=key, n_refitted=N_SHOWN)
    patients = patients.assign(value=patients["value"] * marker_step(study))
    bound = 2 / math.sqrt(len(patients))
    most, beyond = patients.iloc[0], int((patients["standardised"].abs() > bound).sum())
    words = (
        f"{beyond} of {len(patients)} patients move it by more than 2 / √n = {format_number(bound)} standard errors;"
        f" {most['name']} moves it most, by {format_number(most['standardised'])}"
    )
    yield report.figure(
        study, "influence-by-patient", f"How far each patient moves the log hazard ratio of {study.marker_label}",
        plot_influence,        patients,
        bound=bound, x_label=f"{label}{study.in_unit}",
        alt=f"Influence of each patient on the {model.adjustment} model of {in_sentence(study.primary.name)} against"
        f" {study.marker_label}."
        f" {words}.",
        caption=f"{study.primary.name}, {model.adjustment} model. {words} (dotted: 2 / √n).",
    )  # fmt: skip
    first, coef = patients.head(N_SHOWN), float(model.fit.coefficients.set_index("term")["coef"][term])
    shown = first[["name", "time", "event", "value", "standardised"]]
    shown = shown.assign(hazard_ratio_without=np.exp(coef - first["change"]))
    everybody = format_number(hazard_ratios(model.fit).set_index("term")["hazard_ratio"][term])
    note = f"Hazard ratio per {study.step}, fitted again without the patient; {everybody} with everybody."
    headings = {"name": "Patient", "value": label + study.in_unit, "standardised": "Change (standard errors)"}
    yield table("influence-by-patient", "The ten patients who move it most", shown, note=note, headings=headings)


def _error_blocks(study: Study, error: float) -> Blocks:
    """The hazard ratio without error of measurement, by simulation-extrapolation."""
    plan, step = study.plan, marker_step(study)
    simex = simulation_extrapolation(
        study.cohort, study.primary, plan.marker.column, measurement_error=error, error_scale="absolute",
        n_simulations=N_SIMULATIONS, seed=plan.robustness.seed, **study.adjustment,
    )  # fmt: skip
    points = _extrapolation_points(study, simex)
    named = points[points["label"] != ""]
    caption = (
        f"{study.primary.name}, {'adjusted' if study.adjusts else 'crude'} model, per {study.step}; error of standard"
        f" deviation {error:g} {study.unit}, {simex.n_simulations} simulations, quadratic extrapolation (dashed)."
    )
    if study.truth is not None:
        caption += " Open diamonds: the true hazard ratios of the marker without and with error."
    yield report.figure(
        study, "simulation-extrapolation",
        f"The hazard ratio of {study.marker_label} corrected for measurement error", plot_extrapolation, points,
        simex.path[["error_variance"]].assign(hazard_ratio=np.exp(step * simex.path["log_hazard_ratio"])),
        y_label=f"Hazard ratio per {study.step}",
        alt=f"Hazard ratio against the variance of the error. {report.forest_words(named)}.",
        caption=caption,
    )  # fmt: skip
    frame = named[["label", *RATIO]].rename(columns={"label": "measurement"})
    frame = pd.concat([frame[:1], _over_reliability(study, simex), frame[1:]], ignore_index=True)
    monte_carlo = abs(step) * float(simex.curve["monte_carlo_error"].iloc[0])
    note = (
        f"Reliability of one measurement given the model's terms: {reliability_words(simex)}; intervals take the error"
        f" as known. Monte-Carlo error of the corrected log hazard ratio: {format_number(monte_carlo, digits=3)}."
    )
    yield table("simulation-extrapolation", "Hazard ratios with and without measurement error", frame, note=note)


def _over_reliability(study: Study, simex: SimulationExtrapolation) -> pd.DataFrame:
    """The hazard ratio without error that attenuation expects: the log hazard ratio over the reliability."""
    ratios = _ratio(simex, "_measured", marker_step(study) / simex.reliability)
    return pd.DataFrame([("as measured, over the reliability", *ratios)], columns=["measurement", *RATIO])


def _ratio(simex: SimulationExtrapolation, suffix: str, step: float) -> tuple[float, ...]:
    """The marker's hazard ratio per step with its limits, corrected or (suffix "_measured") as measured."""
    marker = simex.coefficients.set_index("term").loc[simex.marker]
    log_ratio = step * marker[f"coef{suffix}"]
    half = normal_quantile(simex.conf_level) * abs(step) * marker[f"std_error{suffix}"]
    return tuple(np.exp([log_ratio, log_ratio - half, log_ratio + half]))


def _extrapolation_points(study: Study, simex: SimulationExtrapolation) -> pd.DataFrame:
    """What the figure shows as points: error_variance label kind hazard_ratio conf_low conf_high."""
    step, unknown = marker_step(study), (math.nan, math.nan)
    rows: list[tuple[object, ...]] = [
        (0.0, "corrected", "extrapolated", *_ratio(simex, "", step)),
        (1.0, "as measured", "measured", *_ratio(simex, "_measured", step)),
    ]
    added = simex.curve[simex.curve["error_variance"] > 1]
    for variance, value in zip(added["error_variance"], np.exp(step * added["log_hazard_ratio"]), strict=True):
        rows.append((variance, "", "simulated", value, *unknown))
    if study.truth is not None and study.adjusts:
        for variance, which in ((0.0, "true"), (1.0, "measured")):
            target = hazard_ratio_target(study.truth, study.primary, f"conditional, {which} magnesium")
            rows.append((variance, f"true value for the {which} marker", "truth", target, *unknown))
    return pd.DataFrame(rows, columns=["error_variance", "label", "kind", *RATIO])
