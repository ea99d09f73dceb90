"""A checklist filled in from a study's own results: never "done" for what is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import pandas as pd

from analysis.present.pages import Prose, TableBlock
from analysis.study.blocks import table
from analysis.study.plan import FIELDS, StudyPlan
from analysis.study.report import Block, StudyFigure, StudySection, slug
from analysis.study.report.checklists.items import Checklist, Item
from analysis.study.report.checklists.remark import REMARK
from analysis.study.report.checklists.sampl import SAMPL
from analysis.study.report.checklists.strobe import STROBE

CHECKLISTS = (REMARK, STROBE, SAMPL)
DONE, IN_PART, ASKED, NOT_DONE, NOT_APPLICABLE = "done", "in part", "asked of the author", "not done", "not applicable"


def checklists_section(plan: StudyPlan, sections: Sequence[StudySection]) -> StudySection:
    """The checklists, filled in from the sections before them.

    Parameters
    ----------
    plan : StudyPlan
        Its [reporting] table holds the author's words.
    sections : sequence of StudySection
        What was computed: an item is answered by a table or figure that is there.

    Returns
    -------
    StudySection
    """
    words = (
        "What the guidelines for marker studies, cohort studies and statistics ask, in our words, and where this report"
        " answers. **Done**: a table or figure of this report, or the author's words in the plan, answers it. **In"
        " part**: something of what it asks is here, and something is not: a result, or the author's words. **Asked of"
        " the author**: no result can answer it; write it in the plan's [reporting] table under the field named."
        " **Not done**: this study did not do it. A checklist says what is reported, not whether the study is good."
    )
    blocks: list[Block] = [Prose(words)]
    for checklist in CHECKLISTS:
        blocks.append(_checklist_table(checklist, fill_checklist(checklist, plan, sections)))
    return StudySection("checklists", "Reporting checklists", tuple(blocks))


def _checklist_table(checklist: Checklist, filled: pd.DataFrame) -> TableBlock:
    """One checklist as a table, with how many items have which status."""
    counts = filled["status"].value_counts()
    told = ", ".join(f"{counts[status]} {status}" for status in _STATUSES if status in counts)
    title = f"{checklist.name}: {checklist.subject} ({told})"
    return table(f"checklist-{slug(checklist.name)}", title, filled, note=f"Source: {checklist.source}.")


_STATUSES = (DONE, IN_PART, ASKED, NOT_DONE, NOT_APPLICABLE)


def fill_checklist(checklist: Checklist, plan: StudyPlan, sections: Sequence[StudySection]) -> pd.DataFrame:
    """Each item of a checklist with its status and where it is answered.

    Returns
    -------
    DataFrame
        item, topic, asks, status, where (sections and titles, or the author's words), field (of the plan's
        [reporting] table, where the author's words are awaited).
    """
    places = _places(sections)
    endpoints = [slug(endpoint.name) for endpoint in plan.endpoints]
    rows = [_filled(item, plan.reporting, endpoints, places) for item in checklist.items]
    return pd.DataFrame(rows, columns=["item", "topic", "asks", "status", "where", "field"])


def _places(sections: Sequence[StudySection]) -> dict[str, str]:
    """Where every section, table and figure is, by its name."""
    places = {section.anchor: section.title for section in sections}
    for section in sections:
        for block in section.blocks:
            if isinstance(block, TableBlock | StudyFigure):
                places[block.name] = f"{section.title}: {block.title}"
    return places


def _filled(
    item: Item, reporting: Mapping[str, str], endpoints: Sequence[str], places: Mapping[str, str]
) -> tuple[str, ...]:
    """One item's row."""
    words = reporting.get(item.field, "").strip()
    shown = [_found(name, places) for name in _expanded(item.shown_by, endpoints)]
    where = list(dict.fromkeys(place for place in shown if place))
    status = _status(item, answered=bool(words), shown=shown)
    if words:
        where.append(f"the author: {words}")
    if item.not_applicable:
        where = [item.not_applicable]
    awaited = f"[reporting] {item.field}: {FIELDS[item.field]}" if item.field and not words else ""
    return item.number, item.topic, item.asks, status, "; ".join(where), awaited


def _status(item: Item, *, answered: bool, shown: Sequence[str]) -> str:
    """What can be said of an item, given whether the author wrote and which results are there ("" for none)."""
    if item.not_applicable:
        return NOT_APPLICABLE
    if not all(shown):
        return IN_PART if any(shown) or answered else NOT_DONE
    if item.field and not answered:
        return IN_PART if shown else ASKED
    return DONE


def _expanded(names: Sequence[str], endpoints: Sequence[str]) -> list[str]:
    """The names with each endpoint in place of its mark."""
    return [
        name.format(endpoint=endpoint) for name in names for endpoint in (endpoints if "{endpoint}" in name else [""])
    ]


def _found(pattern: str, places: Mapping[str, str]) -> str:
    """Where the first result of that name is; empty when there is none."""
    return next((place for name, place in places.items() if fnmatchcase(name, pattern)), "")
