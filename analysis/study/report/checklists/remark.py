"""REMARK: what a paper on a prognostic marker should tell."""

from __future__ import annotations

from analysis.study.report.checklists.items import Checklist, Item

REMARK = Checklist(
    "REMARK",
    "studies of prognostic markers",
    "McShane et al., J Natl Cancer Inst 2005, DOI 10.1093/jnci/dji237; Altman et al., PLoS Med 2012, DOI"
    " 10.1371/journal.pmed.1001216",
    (
        Item("1", "Aims", "the marker, the aims, hypotheses stated beforehand", field="objectives"),
        Item("2", "Patients", "who they were, from where, who was let in and left out", ("table-1",), "eligibility"),
        Item("3", "Treatments", "what was given, and how it was chosen", field="treatments"),
        Item("4", "Specimens", "what material was used, how it was kept", field="specimen"),
        Item("5", "Assay", "how the marker was measured, its quality, whether blind to outcome", field="assay"),
        Item(
            "6",
            "Design",
            "how cases were selected, over what time; how long they were followed",
            ("follow-up",),
            "design",
        ),
        Item("7", "Endpoints", "every endpoint, defined", field="endpoint_definitions"),
        Item("8", "Candidates", "every variable looked at or considered", field="candidate_variables"),
        Item("9", "Sample size", "why this many; if set by an effect to be found, which", field="sample_size"),
        Item(
            "10",
            "Statistical methods",
            "every method, how variables were chosen, how assumptions were checked, how missing values were handled",
            ("words", "software"),
            "candidate_variables",
        ),
        Item(
            "11",
            "Marker values",
            "how the marker entered the analysis, and where cut-points came from",
            ("cut-points",),
        ),
        Item("12", "Flow", "how many came to each stage and why others did not; events", ("flow", "strata")),
        Item(
            "13", "Description", "standard variables and the marker, with how many are missing", ("table-1", "missing")
        ),
        Item("14", "Marker and standard variables", "how the marker goes with them", ("correlations", "relations")),
        Item(
            "15",
            "Marker alone",
            "the crude effect with its interval, and curves",
            ("hazard-ratios", "survival-{endpoint}", "{endpoint}-milestones"),
        ),
        Item("16", "Models", "effects with intervals of the marker and of every other variable", ("{endpoint}-model",)),
        Item(
            "17",
            "Marker beside standard variables",
            "the marker's effect with all of them in, whatever their p-values",
            ("{endpoint}-model",),
        ),
        Item(
            "18",
            "Further analyses",
            "assumptions, sensitivity analyses, validation",
            ("{endpoint}-proportional-hazards", "multiverse", "*validation*"),
        ),
        Item("19", "Discussion", "results against the hypotheses and other studies; limits", field="limitations"),
        Item("20", "Implications", "for research and for care", field="implications"),
    ),
)
