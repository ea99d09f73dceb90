"""SAMPL: what a survival analysis should tell of its statistics."""

from __future__ import annotations

from analysis.study.report.checklists.items import Checklist, Item

SAMPL = Checklist(
    "SAMPL",
    "survival analyses",
    "Lang and Altman, Int J Nurs Stud 2015, DOI 10.1016/j.ijnurstu.2014.09.006",
    (
        Item("1", "Purpose", "what the analysis is for", field="objectives"),
        Item("2", "Beginning and end", "what starts the clock and what stops it", field="endpoint_definitions"),
        Item(
            "3",
            "Censoring",
            "when follow-up ends without the event, and how long it was",
            ("follow-up",),
            "endpoint_definitions",
        ),
        Item("4", "Estimation", "how survival was estimated", ("words",)),
        Item("5", "Assumptions", "whether they were met", ("{endpoint}-proportional-hazards",)),
        Item("6", "Survival at times", "by group, with intervals and numbers at risk", ("{endpoint}-milestones",)),
        Item("7", "Medians", "by group, with intervals", ("{endpoint}-medians",)),
        Item("8", "Picture", "curves with numbers at risk", ("survival-{endpoint}",)),
        Item("9", "Comparison", "the test that compares the curves", ("words",)),
        Item("10", "Its result", "the p-value of the comparison", ("{endpoint}-log-rank",)),
        Item(
            "11",
            "Model",
            "the regression model, and why its variables",
            ("words", "{endpoint}-model"),
            "candidate_variables",
        ),
        Item("12", "Risk", "a hazard ratio with its interval for each variable", ("{endpoint}-model",)),
        Item("13", "Software", "the programs and their versions", ("software",)),
    ),
)
