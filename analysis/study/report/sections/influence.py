"""Whose rows the result rests on, and what the marker's error of measurement hides."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pandas as pd

from analysis.kernels.tails import normal_quantile
from analysis.present.figures import plot_extrapolation, plot_forest, plot_influence
from analysis.present.pages import Prose
from analysis.present.text import format_number, in_sentence
from analysis.robustness.measurement import SimulationExtrapolation, simulation_extrapolation
from analysis.robustness.stability import NOBODY, leave_one_out, patient_influence
from analysis.study.blocks import attempted, table
from analysis.study.models import CONTINUOUS, StudyModel, estimate_text, fit_models, marker_step, reliability_words
from analysis.study.report import Block, StudyFigure, StudySection
from analysis.study.study import Study, hazard_ratio_target
from analysis.survival.cox import hazard_ratios

N_SHOWN = 10
N_SIMULATIONS = 100
RATIO = ["hazard_ratio", "conf_low", "conf_high"]


def influence_section(study: Study) -> StudySection:
    """Sites left out in turn, patients by how far they move the estimate, the error of measurement undone in part."""
    title = "Influence and measurement error"
    blocks: list[Block] = [_opening(study)]
    for model in _leading_model(study):
        if study.plan.robustness.site is not None:
            blocks += attempted("Leaving sites out", partial(_site_blocks, study, model, study.plan.robustness.site))
        blocks += attempted("Influence by patient", partial(_patient_blocks, study, model))
    if study.plan.robustness.measurement_error is not None:
        error = study.plan.robustness.measurement_error
        blocks += attempted("Simulation-extrapolation", partial(_error_blocks, study, error))
    return StudySection("influence", title, tuple(blocks))


def _opening(study: Study) -> Prose:
    """What is asked, and what is not done about the answer."""
    words = (
        f"Whether the result on {study.primary.name} hangs on one site or on a few patients is asked by leaving them"
        " out. A row that is right stays in, however far it moves the estimate: this is a picture of what the result"
        " rests on, not a reason to drop anybody."
    )
    if study.plan.robustness.measurement_error is not None:
        words += (
            f" The last part undoes in part what the error of one measurement of {in_sentence(study.plan.marker.label)}"
            " takes from the hazard ratio: more error is added, step by step, and the trend is followed back to none."
            " Beside it stands the estimate as measured over its reliability, which rests on another approximation."
            " Both ask for the hazard ratio of the true value: one further from 1, in expectation, than that of the"
            " measured value which the models above estimate."
        )
    return Prose(words)


def _leading_model(study: Study) -> list[StudyModel]:
    """The continuous marker's adjusted model of the primary endpoint, or the crude one where that is all."""
    return [model for model in fit_models(study, study.primary) if model.marker == CONTINUOUS][-1:]


def _site_blocks(study: Study, model: StudyModel, site: str) -> list[Block]:
    """The marker's hazard ratio without each site."""
    rows = leave_one_out(study.cohort, study.primary, model.covariates, by=site, strata=model.strata)
    mine = rows[rows["term"] == study.marker_term].drop(columns="term").reset_index(drop=True)
    whole = mine["left_out"] == NOBODY
    words = np.where(whole, "all", "without " + mine["left_out"]) + np.array([f" (n {n})" for n in mine["n"]])
    estimates = mine[RATIO].assign(group="", label=words, kind=np.where(whole, "adjusted", "crude"))
    said = "; ".join(f"{row['label']}: {estimate_text(row)}" for row in estimates.to_dict("records"))
    figure = StudyFigure(
        name="without-each-site",
        title=f"{study.primary.name} without each {study.label(site)}",
        alt=f"Forest plot. {said}.",
        caption=f"The {model.adjustment} model's hazard ratio per {study.step} with 95% intervals.",
        draw=partial(plot_forest, estimates, synthetic=study.plan.synthetic),
    )
    shown = mine[["left_out", "n", "n_event", *RATIO, "change"]]
    note = "Change: of the log hazard ratio, in standard errors of that of all rows."
    return [figure, table("without-each-site", "Without each site", shown, note=note)]


def _patient_blocks(study: Study, model: StudyModel) -> list[Block]:
    """How far each patient moves the marker's log hazard ratio."""
    plan = study.plan
    key = plan.labs.key if plan.labs is not None else None
    found = patient_influence(study.cohort, model.fit, study.marker_term, key=key, n_refitted=N_SHOWN)
    bound = 2 / math.sqrt(len(found))
    most, beyond = found.iloc[0], int((found["standardised"].abs() > bound).sum())
    words = (
        f"{beyond} of {len(found)} patients move it by more than 2 / √n = {format_number(bound)} standard errors;"
        f" {most['name']} moves it most, by {format_number(most['standardised'])}"
    )
    drawn = found.assign(value=found["value"] * marker_step(study))
    axis = f"{plan.marker.label} ({study.unit})" if study.unit else plan.marker.label
    figure = StudyFigure(
        name="influence-by-patient",
        title=f"How far each patient moves the log hazard ratio of {plan.marker.label}",
        alt=f"Influence of each patient on the {model.adjustment} model of {study.primary.name} against"
        f" {plan.marker.label}. {words}.",
        caption=f"{study.primary.name}, {model.adjustment} model. {words} (dotted: 2 / √n).",
        draw=partial(plot_influence, drawn, bound=bound, x_label=axis, synthetic=plan.synthetic),
    )
    shown = drawn.head(N_SHOWN)[["name", "time", "event", "value", "standardised"]]
    coef = float(model.fit.coefficients.set_index("term")["coef"][study.marker_term])
    without = np.exp(coef - found["change"].head(N_SHOWN))
    everybody = format_number(hazard_ratios(model.fit).set_index("term")["hazard_ratio"][study.marker_term])
    note = f"Hazard ratio per {study.step}, fitted again without the patient; {everybody} with everybody."
    title = "The patients who move it most"
    return [figure, table("influence-by-patient", title, shown.assign(hazard_ratio_without=without), note=note)]


def _error_blocks(study: Study, error: float) -> list[Block]:
    """The hazard ratio without error of measurement, by simulation-extrapolation."""
    plan = study.plan
    found = simulation_extrapolation(
        study.cohort, study.primary, plan.marker.column, measurement_error=error, error_scale="absolute",
        adjust=plan.model.covariates, strata=plan.model.strata or None, n_simulations=N_SIMULATIONS,
        seed=plan.robustness.seed,
    )  # fmt: skip
    points = _points(study, found)
    path = pd.DataFrame(
        {
            "error_variance": found.path["error_variance"],
            "hazard_ratio": np.exp(marker_step(study) * found.path["log_hazard_ratio"]),
        }
    )
    named = points[points["label"] != ""]
    said = "; ".join(f"{row['label']}: {estimate_text(row)}" for row in named.to_dict("records"))
    adjusted = "adjusted" if plan.model.covariates or plan.model.strata else "crude"
    caption = (
        f"{study.primary.name}, {adjusted} model, per {study.step}; error of standard deviation {error:g} {study.unit},"
        f" {found.n_simulations} simulations, quadratic extrapolation (dashed)."
    )
    if study.truth is not None:
        caption += " Open diamonds: the targets with true and with measured values."
    figure = StudyFigure(
        name="simulation-extrapolation",
        title=f"The hazard ratio of {plan.marker.label} without its error of measurement",
        alt=f"Hazard ratio against the variance of the error. {said}.",
        caption=caption,
        draw=partial(
            plot_extrapolation, points, path, y_label=f"Hazard ratio per {study.step}", synthetic=plan.synthetic
        ),
    )
    frame = named[["label", *RATIO]].rename(columns={"label": "measurement"})
    frame = pd.concat([frame[:1], _over_reliability(study, found), frame[1:]], ignore_index=True)
    note = (
        f"Reliability of one measurement given the model's terms: {reliability_words(found)}; intervals take the error"
        " as known. Monte-Carlo error of the corrected log hazard ratio:"
        f" {format_number(_monte_carlo(study, found), digits=3)}."
    )
    return [figure, table("simulation-extrapolation", "With and without error of measurement", frame, note=note)]


def _over_reliability(study: Study, found: SimulationExtrapolation) -> pd.DataFrame:
    """The hazard ratio without error that attenuation expects: the log hazard ratio over the reliability."""
    marker, step = found.coefficients.set_index("term").loc[found.marker], marker_step(study) / found.reliability
    log_ratio = step * marker["coef_measured"]
    half = normal_quantile(found.conf_level) * abs(step) * marker["std_error_measured"]
    ratios = np.exp([log_ratio, log_ratio - half, log_ratio + half])
    return pd.DataFrame([("as measured, over the reliability", *ratios)], columns=["measurement", *RATIO])


def _monte_carlo(study: Study, found: SimulationExtrapolation) -> float:
    """The Monte-Carlo error of the corrected log hazard ratio per step."""
    return abs(marker_step(study)) * float(found.curve["monte_carlo_error"].iloc[0])


def _points(study: Study, found: SimulationExtrapolation) -> pd.DataFrame:
    """What the figure shows as points: error_variance label kind hazard_ratio conf_low conf_high."""
    step, reach = marker_step(study), normal_quantile(found.conf_level)
    marker = found.coefficients.set_index("term").loc[found.marker]
    rows = []
    ends = ((0.0, "extrapolated", "corrected", ""), (1.0, "measured", "as measured", "_measured"))
    for place, kind, label, suffix in ends:
        log_ratio, half = step * marker[f"coef{suffix}"], reach * abs(step) * marker[f"std_error{suffix}"]
        rows.append((place, label, kind, *np.exp([log_ratio, log_ratio - half, log_ratio + half])))
    added = found.curve[found.curve["error_variance"] > 1]
    for place, value in zip(added["error_variance"], np.exp(step * added["log_hazard_ratio"]), strict=True):
        rows.append((place, "", "simulated", value, math.nan, math.nan))
    if study.truth is not None and (study.plan.model.covariates or study.plan.model.strata):
        for place, which in ((0.0, "true"), (1.0, "measured")):
            target = hazard_ratio_target(study.truth, study.primary, f"conditional, {which} magnesium")
            rows.append((place, f"target, {which} value", "truth", target, math.nan, math.nan))
    return pd.DataFrame(rows, columns=["error_variance", "label", "kind", *RATIO])
