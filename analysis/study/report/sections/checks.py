"""The checks: proportional hazards, and the truth against the estimate."""

from __future__ import annotations

from functools import partial

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_hazard_ratio_over_time
from analysis.present.pages import Prose
from analysis.study.blocks import attempted, table
from analysis.study.models import CONTINUOUS, StudyModel, fit_models, marker_hazard_ratios
from analysis.study.report import Block, StudyFigure, StudySection, slug
from analysis.study.report.sections.about import NOT_EVIDENCE
from analysis.study.study import Study
from analysis.survival.cox import coefficient_over_time, cox_residuals, proportional_hazards_test
from analysis.truth.estimands import TrueEstimands


def checks_section(study: Study) -> StudySection:
    """What would have to hold for the models to be believed, and whether it does."""
    blocks: list[Block] = []
    for endpoint in study.plan.endpoints:
        for model in _leading_model(study, endpoint):
            what = f"{endpoint.name}, the check of proportional hazards ({model.adjustment} model)"
            blocks += attempted(what, partial(_proportional_hazards_blocks, study, endpoint, model))
    if study.truth is not None:
        blocks += _truth_blocks(study, study.truth)
    return StudySection("checks", "Checks", tuple(blocks))


def _leading_model(study: Study, endpoint: Endpoint) -> list[StudyModel]:
    """The continuous marker's adjusted model, or the crude one where that is all; none where none was fitted."""
    return [model for model in fit_models(study, endpoint) if model.marker == CONTINUOUS][-1:]


def _proportional_hazards_blocks(study: Study, endpoint: Endpoint, model: StudyModel) -> list[Block]:
    """The score test of one endpoint and the marker's hazard ratio over time."""
    test = proportional_hazards_test(model.fit)
    residuals = cox_residuals(model.fit, "scaled-schoenfeld")
    smooth = coefficient_over_time(model.fit, study.marker_term)
    coefficients = model.fit.coefficients.set_index("term")["coef"]
    p_value = float(test.set_index("term")["p_value"][study.marker_term])
    draw = partial(
        plot_hazard_ratio_over_time,
        smooth,
        residuals[["time", study.marker_term]].rename(columns={study.marker_term: "value"}),
        constant=float(coefficients[study.marker_term]),
        term=study.marker_term,
        time_unit=endpoint.time_unit,
        title=endpoint.name,
        synthetic=study.plan.synthetic,
    )
    figure = StudyFigure(
        name=f"proportional-hazards-{slug(endpoint.name)}",
        title=f"{endpoint.name}: the hazard ratio of {study.plan.marker.label} over time",
        alt=f"Scaled Schoenfeld residuals of {study.marker_term} against time with a smooth and its band; score test p"
        f" {p_value:.3g}.",
        caption="A flat smooth means proportional hazards; the dashed line is the fitted constant.",
        draw=draw,
    )
    named = test.assign(term=test["term"].map(study.label))
    title = f"{endpoint.name}: score test of proportional hazards ({model.adjustment} model)"
    return [figure, table(f"{slug(endpoint.name)}-proportional-hazards", title, named)]


def recovery_table(study: Study) -> pd.DataFrame:
    """Each hazard ratio beside its own target, and whether its interval covers it."""
    ratios = pd.concat(
        [marker_hazard_ratios(study, endpoint, fit_models(study, endpoint)) for endpoint in study.plan.endpoints],
        ignore_index=True,
    )
    covered = (ratios["conf_low"] <= ratios["target"]) & (ratios["target"] <= ratios["conf_high"])
    columns = ["endpoint", "term", "adjustment", "hazard_ratio", "conf_low", "conf_high", "target"]
    return ratios[columns].assign(covered=covered.map({True: "yes", False: "no"}))


def _truth_blocks(study: Study, truth: TrueEstimands) -> list[Block]:
    """The targets, and what was planted."""
    words = (
        "Each estimate is judged against its own target: what the same analysis gives in a million simulated patients."
        " The crude target is the larger one, because what lowers magnesium also shortens survival by other ways. The"
        " adjusted target is not what was planted on each transition: an endpoint mixes transitions (an earlier"
        " progression also brings an earlier death), and magnesium is measured with error. An interval misses its"
        f" target in one cohort of twenty by chance. {NOT_EVIDENCE}"
    )
    return [
        Prose(words),
        table("recovery", "Estimates beside their targets", recovery_table(study)),
        table(
            "targets",
            "What was planted, and what follows from it",
            truth.log_hazard_ratios,
            note=f"n = {truth.n:,} simulated patients.",
        ),
    ]
