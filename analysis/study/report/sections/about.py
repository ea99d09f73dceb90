"""What the study is and is not, what the plan says, and what is estimated."""

from __future__ import annotations

from analysis.present.text import in_sentence
from analysis.study import report
from analysis.study.report import Blocks, Note, Prose
from analysis.study.report.sections.competing import nested_endpoints
from analysis.study.study import Study, horizon

NOT_EVIDENCE = (
    "That an estimate comes close to its true value is a test of the software, not evidence about the marker."
)
SYNTHETIC = (
    "Every patient here is simulated from a design whose effects are known. No patient and no published estimate is"
    f" reproduced. {NOT_EVIDENCE}"
)
OBSERVATIONAL = (
    "This is an analysis of one cohort as it was given. It describes an association; it does not show what changing"
    " the marker would do. The numbers are only as good as the data they rest on."
)
UNCLAIMED = (
    "Whether it was written before the outcome was seen is for its author to say ([reporting] prespecification); the"
    " software cannot know."
)
LATER_UNKNOWN = (
    "follow-up is analysed to the times in the file, whatever was given later; whether these end at a change of"
    " treatment is for the author to say ([reporting] later_treatment)."
)


@report.section("about", "The question, and what was decided beforehand")
def about_section(study: Study) -> Blocks:
    """The frame in which everything else is to be read."""
    if study.plan.synthetic:
        yield Note(SYNTHETIC, "synthetic")
    else:
        yield Note(OBSERVATIONAL, "caution")
    yield Prose(_plan_words(study))
    yield Prose(estimand_words(study))


def _plan_words(study: Study) -> str:
    """What the plan says, what its author claims of when that was decided, and which endpoint is primary."""
    plan = study.plan
    endpoints = "; ".join(
        f"{in_sentence(one.name)} ({'primary' if one == study.primary else 'secondary'}, in {one.time_unit})"
        for one in plan.endpoints
    )
    covariates, strata = (study.listed(names) for names in (plan.model.covariates, plan.model.strata))
    parts = (covariates and f"adjusted for {covariates}", strata and f"stratified by {strata}")
    adjusted = ", and ".join(filter(None, parts))
    models = f"Models are crude and {adjusted}." if adjusted else "Every model is crude."
    claim = plan.reporting.get("prespecification", "")
    decided = f"The author on what was decided before the outcome was seen: {claim}" if claim else UNCLAIMED
    return (
        f"**The plan.** Marker: {study.marker_label} ({study.unit or 'no unit'}), hazard ratios per {study.step}."
        f" Strata: {study.cutpoints.source}. Endpoints: {endpoints}. {models} {decided} The plan as"
        " written stands in the supplement, its SHA-256 in [[table-inputs]]."
    )


def estimand_words(study: Study) -> str:
    """What is estimated: contrast, population, later treatment and death before the event, summary, multiplicity.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    str
        A paragraph; what only the author can know is given as the author's words.
    """
    plan, primary = study.plan, study.primary
    end = f"{horizon(study, primary):g} {primary.time_unit}"
    summary = "a hazard ratio" if plan.summary == "hazard ratio" else f"a difference in restricted means up to {end}"
    assay = plan.reporting.get("assay", "")
    measured = f"as in the file (the author on the assay: {assay.rstrip('.')})" if assay else "as in the file"
    later = plan.reporting.get("later_treatment", "") or LATER_UNKNOWN
    others = " and of ".join(in_sentence(endpoint.name) for endpoint in plan.endpoints[1:])
    secondary = f"Analyses of {others}, and all other p-values, are" if others else "All other p-values are"
    known = "the marker and, where adjusted, the covariates known" if study.adjusts else "the marker known"
    return (
        f"**What is estimated.** Contrast: {in_sentence(plan.marker.label)} {measured}, {_contrast(study)}. Population:"
        f" patients like those of the file with {known}. Later treatment and death: {later}{_nested_words(study)}"
        f" Summary: {summary}, as the plan names it. Primary endpoint: {in_sentence(primary.name)}. {secondary}"
        " secondary, and not adjusted for multiplicity unless a table says so."
    )


def _contrast(study: Study) -> str:
    """What the summary compares: steps of the marker and strata by hazard ratios, strata alone by restricted means."""
    against = f"{', '.join(study.compared)} against {study.reference}" if study.compared else ""
    if study.plan.summary != "hazard ratio" and against:
        averaged = "standardised over the covariates of the plan" if study.adjusts else "crude"
        return f"strata: {against}, {averaged}"
    given = "given the covariates of the plan" if study.adjusts else "crude"
    return f"{study.step}, {given}" + (f"; strata: {against}" if against else "")


def _nested_words(study: Study) -> str:
    """How a death before the event of a shorter endpoint is counted, where the file shows it."""
    nested = nested_endpoints(study)
    if nested is None:
        return ""
    inner, outer = nested
    return (
        f" In the file {in_sentence(study.label(outer.event))} without an earlier event counts as an event of"
        f" {in_sentence(inner.name)}."
    )
