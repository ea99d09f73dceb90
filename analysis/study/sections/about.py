"""What the study is and is not, and what was decided before looking."""

from __future__ import annotations

from analysis.present.page import Note, Prose
from analysis.study.results import Block, StudySection
from analysis.study.study import Study

SYNTHETIC = (
    "Every patient here is simulated, and every effect was planted by us. No patient and no published estimate is"
    " reproduced. The one thing echoed is the direction of one published observation: in patients given CAR T cells or"
    " checkpoint antibodies, low serum magnesium went with faster progression and shorter survival (Loetscher et al.,"
    " Cell 2022, DOI 10.1016/j.cell.2021.12.039)."
)
NOT_EVIDENCE = (
    "Recovering what was planted is a test of the software, and not evidence about magnesium. Association is not"
    " effect: a placebo-controlled trial is testing the effect (NCT07149649)."
)
OBSERVATIONAL = (
    "This is an analysis of one cohort as it was given. It describes with whom the marker goes; it does not show what"
    " changing the marker would do. The numbers are only as good as the columns they rest on."
)


def about_section(study: Study) -> StudySection:
    """The frame in which everything else is to be read."""
    plan = study.plan
    blocks: list[Block] = []
    if plan.synthetic:
        blocks += [Note(SYNTHETIC, "synthetic"), Prose(NOT_EVIDENCE)]
    else:
        blocks.append(Note(OBSERVATIONAL, "caution"))
    endpoints = "; ".join(
        f"{endpoint.name} ({endpoint.time_unit}, columns {endpoint.duration} and {endpoint.event})"
        for endpoint in plan.endpoints
    )
    named = ", ".join(map(study.label, plan.model.covariates))
    within = f"stratified by {', '.join(map(study.label, plan.model.strata))}" if plan.model.strata else ""
    adjusted = ", ".join(part for part in (named and f"adjusted for {named}", within) if part)
    models = f"Beside the crude models stand models {adjusted}." if adjusted else "Every model is crude."
    blocks.append(
        Prose(
            "**Decided before looking.** Marker: "
            f"{plan.marker.label} ({study.unit or 'no unit'}), hazard ratios per {study.step}. Strata:"
            f" {study.cutpoints.source}. Endpoints: {endpoints}. {models}"
            f" The plan stands at the end of this report; its SHA-256 is {plan.sha256}."
        )
    )
    return StudySection("about", "What this is and is not", tuple(blocks))
