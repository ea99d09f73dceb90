"""The checks: proportional hazards, and the truth against the estimate."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.present.figures import plot_hazard_ratio_over_time
from analysis.present.pages import Prose
from analysis.study import report
from analysis.study.blocks import attempted, table
from analysis.study.models import StudyModel, fit_models, leading_model, marker_hazard_ratios
from analysis.study.report import Block, slug
from analysis.study.report.sections.about import NOT_EVIDENCE
from analysis.study.study import Study
from analysis.survival.cox import coefficient_over_time, cox_residuals, proportional_hazards_test
from analysis.truth.estimands import TrueEstimands


@report.section("checks", "Checks")
def checks_section(study: Study) -> Iterator[Block]:
    """What would have to hold for the models to be believed, and whether it does."""
    for endpoint in study.plan.endpoints:
        if model := leading_model(study, endpoint):
            what = f"{endpoint.name}, the check of proportional hazards ({model.adjustment} model)"
            yield from attempted(what, _proportional_hazards, study, endpoint, model)
    if study.truth is not None:
        yield from _truth_blocks(study, study.truth)


def _proportional_hazards(study: Study, endpoint: Endpoint, model: StudyModel) -> Iterator[Block]:
    """The score test of one endpoint and the marker's hazard ratio over time."""
    term = study.marker_term
    test = proportional_hazards_test(model.fit)
    residuals = cox_residuals(model.fit, "scaled-schoenfeld")[["time", term]]
    smooth = coefficient_over_time(model.fit, term)
    p_value = float(test.set_index("term")["p_value"][term])
    yield report.figure(
        study,
        f"proportional-hazards-{slug(endpoint.name)}",
        f"{endpoint.name}: the hazard ratio of {study.plan.marker.label} over time",
        plot_hazard_ratio_over_time,
        smooth,
        residuals.rename(columns={term: "value"}),
        alt=f"Scaled Schoenfeld residuals of {term} against time with a smooth and its band; score test p"
        f" {p_value:.3g}.",
        caption="A flat smooth means proportional hazards; the dashed line is the fitted constant.",
        constant=float(model.fit.coefficients.set_index("term")["coef"][term]),
        term=term,
        time_unit=endpoint.time_unit,
        title=endpoint.name,
    )
    title = f"{endpoint.name}: score test of proportional hazards ({model.adjustment} model)"
    named = test.assign(term=test["term"].map(study.label))
    yield table(f"{slug(endpoint.name)}-proportional-hazards", title, named)


def recovery_table(study: Study) -> pd.DataFrame:
    """Each hazard ratio beside its own target, and whether its interval covers it."""
    ratios = pd.concat(
        [marker_hazard_ratios(study, endpoint, fit_models(study, endpoint)) for endpoint in study.plan.endpoints],
        ignore_index=True,
    )
    covered = (ratios["conf_low"] <= ratios["target"]) & (ratios["target"] <= ratios["conf_high"])
    columns = ["endpoint", "term", "adjustment", *report.RATIO, "target"]
    return ratios[columns].assign(covered=covered.map({True: "yes", False: "no"}))


def _truth_blocks(study: Study, truth: TrueEstimands) -> Iterator[Block]:
    """The targets, and what was planted."""
    yield Prose(
        "Each estimate is judged against its own target: what the same analysis gives in a million simulated patients."
        " The crude target is the larger one, because what lowers magnesium also shortens survival by other ways. The"
        " adjusted target is not what was planted on each transition: an endpoint mixes transitions (an earlier"
        " progression also brings an earlier death), and magnesium is measured with error. An interval misses its"
        f" target in one cohort of twenty by chance. {NOT_EVIDENCE}"
    )
    yield table("recovery", "Estimates beside their targets", recovery_table(study))
    title, note = "What was planted, and what follows from it", f"n = {truth.n:,} simulated patients."
    yield table("targets", title, truth.log_hazard_ratios, note=note)
