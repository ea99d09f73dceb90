"""Why these numbers can be believed: two computations of each headline, and the agreement with R."""

from __future__ import annotations

from functools import partial

from analysis.cohort.endpoints import Endpoint
from analysis.present.pages.page import Listing, Prose, TableBlock
from analysis.present.text.tables import display_frame
from analysis.study.blocks import attempted, table
from analysis.study.report.results import Block, StudySection, slug
from analysis.study.study import Study
from analysis.study.verification import TwoComputations, engine_table, headline_table, r_agreement, two_computations


def verification_section(study: Study) -> StudySection:
    """The study's own numbers by two engines where there are two, and R's where there is one."""
    words = (
        "Curves, log-rank tests and Cox models are computed twice here from the same checked rows: by lifelines, whose"
        " curves and models this report prints (up to 20,000 rows), and by this package's own array code, the kernel,"
        " whose log-rank tests it prints. Medians and restricted means are read off both curves by one rule."
        " A difference of the size of rounding says that two people's code found the same; it does not say that the"
        " rows, or the question, are right."
    )
    blocks: list[Block] = [Prose(words)]
    computed: list[TwoComputations] = []
    for endpoint in study.plan.endpoints:
        what = f"{endpoint.name}, the second computation"
        computed += attempted(what, partial(_computed, study, endpoint))
    if computed:
        blocks.append(table("two-engines", "Largest difference between two computations", engine_table(computed)))
    blocks += [_headlines(study, both) for both in computed]
    return StudySection("verification", "Verification", (*blocks, *_r_blocks()))


def _computed(study: Study, endpoint: Endpoint) -> list[TwoComputations]:
    """One endpoint, as what can fail."""
    return [two_computations(study, endpoint)]


def _headlines(study: Study, both: TwoComputations) -> TableBlock:
    """The headline numbers of one endpoint."""
    kinds = {"lifelines": "digits", "kernel": "digits", "absolute_difference": "tiny"}
    frame = headline_table(study, both)
    title = f"{both.endpoint.name}: headline numbers by lifelines and by the kernel"
    return table(f"{slug(both.endpoint.name)}-verification", title, frame, kinds=kinds)


def _r_blocks() -> list[Block]:
    """What has one engine, and in how many cases the test-suite finds it equal to R."""
    counts = r_agreement()
    cases, values, bound = counts["n_cases"].sum(), counts["n_values"].sum(), counts["bound"].max()
    words = (
        "Everything else comes from one piece of code: standard errors and limits, numbers at risk, stratified and"
        " weighted tests, the test of proportional hazards, concordance, competing risks, splines and searched cuts."
        f" It is **equal to R in {cases:,} cases** ({values:,} values, relative differences below {bound:.0e}), whose"
        " data sets and R's answers lie in the source tree; the test-suite compares them each time it runs. The"
        " commands make the table again, in a source tree, and tell whether a report still follows from its inputs:"
    )
    headings = {"equals_in_r": "Equals in R", "n_cases": "Cases", "n_values": "Values", "bound": "Differences below"}
    return [
        Prose(words),
        Listing("python -m tests.reference.agreement\npython -m analysis check FOLDER_OF_THE_REPORT"),
        TableBlock(
            name="r-agreement",
            title="Equal to R: what the test-suite compares",
            frame=counts,
            display=display_frame(counts, headings=headings, kinds={"bound": "tiny"}),
            note="Differences are relative to R's value; 0: none was found. R 4.2.2, survival, rms, cmprsk, maxstat.",
        ),
    ]
