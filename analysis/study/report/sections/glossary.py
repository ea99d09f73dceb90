"""Ten words of the report, each in a sentence."""

from __future__ import annotations

import pandas as pd

from analysis.study import report
from analysis.study.report import Blocks
from analysis.study.study import Study

WORDS = {
    "Hazard ratio": "How many times as often, at any moment, the event happens in one group as in another; 1 means"
    " equally often.",
    "95% interval": "Values compatible with the data: of many such intervals, 95% contain the true value.",
    "Kaplan-Meier curve": "The share of patients who have not had the event yet, by time; each step down is an event.",
    "Censored": "Followed up to a time without the event; what happened later is unknown.",
    "At risk": "Still followed, and without the event so far.",
    "Restricted mean": "Mean time without the event within a stated horizon: the area under the curve.",
    "Adjustment": "Comparing patients as if the strata had the same covariates, so that differences in these do not"
    " count as differences due to the marker.",
    "Proportional hazards": "A hazard ratio that is the same during the whole follow-up.",
    "Effective sample size": "The number of unweighted patients that would give the precision of the weighted ones.",
    "Type I error": "Finding an effect where there is none; a test at 5% should do so in 5% of such studies.",
}
TRUE_VALUE = (
    "What the same analysis gives in a million simulated patients; known only because this cohort is simulated."
)


@report.section("glossary", "Ten words", supplement=True)
def glossary_section(study: Study) -> Blocks:
    """The glossary; the true value stands in it where it is known."""
    words = WORDS if study.truth is None else {**WORDS, "True value": TRUE_VALUE}
    frame = pd.DataFrame({"word": list(words), "meaning": list(words.values())})
    yield report.table("glossary", "What the words mean", frame)
