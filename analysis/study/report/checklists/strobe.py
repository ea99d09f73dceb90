"""STROBE for cohort studies: what an observational study should tell."""

from __future__ import annotations

from analysis.study.report.checklists.items import Checklist, Item

STROBE = Checklist(
    "STROBE",
    "cohort studies",
    "von Elm et al., PLoS Med 2007, DOI 10.1371/journal.pmed.0040296",
    (
        Item("1", "Title and abstract", "the design in the title or abstract; a balanced summary", field="abstract"),
        Item("2", "Background", "why the question is asked", field="background"),
        Item("3", "Objectives", "aims and hypotheses stated beforehand", field="objectives"),
        Item("4", "Design", "the design, early on", field="design"),
        Item("5", "Setting", "places and dates", field="setting"),
        Item("6a", "Participants", "eligibility, sources, how they were followed", ("follow-up",), "eligibility"),
        Item("6b", "Matching", "criteria and numbers", not_applicable="strata of the cohort are compared, unmatched"),
        Item(
            "7",
            "Variables",
            "outcomes, marker, confounders, effect modifiers, defined",
            ("data-columns",),
            "endpoint_definitions",
        ),
        Item("8", "Measurement", "where values come from and how they were measured", field="assay"),
        Item("9", "Bias", "what was done about it", field="bias"),
        Item("10", "Study size", "how it was arrived at", field="sample_size"),
        Item("11", "Quantitative variables", "how they were handled; groups, and why those", ("cut-points",)),
        Item("12a", "Methods", "every statistical method, with control of confounding", ("words",)),
        Item("12b", "Subgroups", "how subgroups and interactions were examined", ("subgroups-{endpoint}",)),
        Item("12c", "Missing data", "how they were handled", ("missing", "imputed")),
        Item("12d", "Loss to follow-up", "how it was handled", ("follow-up",), "later_treatment"),
        Item("12e", "Sensitivity", "sensitivity analyses", ("multiverse",)),
        Item("13a", "Numbers", "how many at each stage", ("flow",), "non_participation"),
        Item("13b", "Reasons", "why people did not take part at each stage", ("flow",), "non_participation"),
        Item("13c", "Flow diagram", "a picture of it", ("patient-flow",)),
        Item("14a", "Characteristics", "participants, exposures, confounders", ("table-1",)),
        Item("14b", "Missing values", "how many for each variable", ("missing",)),
        Item("14c", "Follow-up time", "its average and total", ("follow-up", "incidence-rates")),
        Item("15", "Outcomes", "events or summaries over time", ("strata", "{endpoint}-milestones")),
        Item(
            "16a",
            "Main results",
            "crude and adjusted estimates with intervals; which confounders",
            ("hazard-ratios", "{endpoint}-model"),
        ),
        Item("16b", "Boundaries", "category boundaries of grouped variables", ("cut-points",)),
        Item(
            "16c",
            "Absolute risk",
            "risk differences over a meaningful time",
            ("{endpoint}-milestone-differences", "{endpoint}-adjusted-milestone-differences"),
        ),
        Item(
            "17",
            "Other analyses",
            "subgroups, interactions, sensitivity, and which were decided before the outcome was seen",
            ("subgroups-{endpoint}", "multiverse"),
            "prespecification",
        ),
        Item("18", "Key results", "against the aims", field="key_results"),
        Item("19", "Limitations", "bias and imprecision, with direction and size", field="limitations"),
        Item(
            "20",
            "Interpretation",
            "cautious, with aims, limits, multiplicity and other evidence",
            field="interpretation",
        ),
        Item("21", "Generalisability", "to whom it carries over", field="generalisability"),
        Item("22", "Funding", "sources and their role", field="funding"),
    ),
)
