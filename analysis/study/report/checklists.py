"""Reporting guidelines (REMARK, STROBE, SAMPL) filled in from a study's own results: "done" only where it is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files

import pandas as pd

from analysis.present.pages import Prose, TableBlock
from analysis.present.text import display_frame
from analysis.study.blocks import table
from analysis.study.plan import FIELDS, StudyPlan, slug
from analysis.study.report.results import StudyFigure, StudySection

DONE, IN_PART, ASKED, NOT_DONE, NOT_APPLICABLE = STATUSES = (
    "done", "in part", "asked of the author", "not done", "not applicable",
)  # fmt: skip
WORDS = (
    "What the guidelines for marker studies, cohort studies and statistics ask, in our words, and where this report"
    " answers. **Done**: a table or figure of this report, or the author's words in the plan, answers it. **In"
    " part**: something of what it asks is here, and something is not: a result, or the author's words. **Asked of"
    " the author**: no result can answer it; write it in the plan's [reporting] table under the field named."
    " **Not done**: this study did not do it. A checklist says what is reported, not whether the study is good."
)


@dataclass(frozen=True)
class Item:
    """One item of a guideline; checklists.toml, from which they are read, says what each key means."""

    number: str
    topic: str
    asks: str
    shown_by: Sequence[str] = ()
    field: str = ""
    not_applicable: str = ""


@dataclass(frozen=True)
class Checklist:
    """A reporting guideline: its name, what it is for, where it was published, its items."""

    name: str
    subject: str
    source: str
    items: tuple[Item, ...]


def read_checklists() -> tuple[Checklist, ...]:
    """The guidelines of checklists.toml.

    Examples
    --------
    >>> [checklist.name for checklist in read_checklists()]
    ['REMARK', 'STROBE', 'SAMPL']
    """
    text = files("analysis.study.report").joinpath("checklists.toml").read_text(encoding="utf-8")
    return tuple(
        Checklist(**{**checklist, "items": tuple(Item(**item) for item in checklist["items"])})
        for checklist in tomllib.loads(text)["checklists"]
    )


def checklists_section(plan: StudyPlan, sections: Sequence[StudySection]) -> StudySection:
    """The checklists, filled in from the sections before them and from the author's words in the plan."""
    tables = [_checklist_table(checklist, plan, sections) for checklist in read_checklists()]
    return StudySection("checklists", "Reporting checklists", (Prose(WORDS), *tables), supplement=True)


def _checklist_table(checklist: Checklist, plan: StudyPlan, sections: Sequence[StudySection]) -> TableBlock:
    """One checklist as a table, with how many items have which status."""
    frame = fill_checklist(checklist, plan, sections)
    counts = frame["status"].value_counts()
    summary = ", ".join(f"{counts[status]} {status}" for status in STATUSES if status in counts)
    title = f"{checklist.name}: {checklist.subject} ({summary})"
    shown = display_frame(_filled_in(checklist, plan, _references(sections)))
    return table(f"checklist-{slug(checklist.name)}", title, frame, note=f"Source: {checklist.source}.", display=shown)


def fill_checklist(checklist: Checklist, plan: StudyPlan, sections: Sequence[StudySection]) -> pd.DataFrame:
    """Each item of a checklist with its status and where it is answered.

    Returns
    -------
    DataFrame
        item, topic, asks, status, where (sections and titles, or the author's words), field (of the plan's
        [reporting] table, where the author's words are awaited).
    """
    titles = {section.anchor: section.title for section in sections}
    titles |= {block.name: f"{section.title}: {block.title}" for section, block in _numbered(sections)}
    return _filled_in(checklist, plan, titles)


def _references(sections: Sequence[StudySection]) -> dict[str, str]:
    """What stands for everything that is there, by name: a section's title, the number of a table or figure."""
    titles = {section.anchor: section.title for section in sections}
    kinds = {block.name: "table" if isinstance(block, TableBlock) else "figure" for _, block in _numbered(sections)}
    return titles | {name: f"[[{kind}-{name}]]" for name, kind in kinds.items()}


def _numbered(sections: Sequence[StudySection]) -> Iterator[tuple[StudySection, TableBlock | StudyFigure]]:
    """Every table and figure with its section."""
    for section in sections:
        for block in section.blocks:
            if isinstance(block, TableBlock | StudyFigure):
                yield section, block


def _filled_in(checklist: Checklist, plan: StudyPlan, titles: Mapping[str, str]) -> pd.DataFrame:
    """The rows of a checklist; `titles` of everything that is there, by name."""
    rows = [_filled(item, plan, titles) for item in checklist.items]
    return pd.DataFrame(rows, columns=["item", "topic", "asks", "status", "where", "field"])


def _filled(item: Item, plan: StudyPlan, titles: Mapping[str, str]) -> tuple[str, ...]:
    """One item's row; `titles` of everything that is there, by name."""
    words = plan.reporting.get(item.field, "").strip()
    endpoints = [slug(endpoint.name) for endpoint in plan.endpoints]
    patterns = [
        name.format(endpoint=endpoint)
        for name in item.shown_by
        for endpoint in (endpoints if "{endpoint}" in name else endpoints[:1])
    ]
    shown = [next((title for name, title in titles.items() if fnmatchcase(name, one)), "") for one in patterns]
    where = [*dict.fromkeys(filter(None, shown)), *([f"the author: {words}"] if words else [])]
    if item.not_applicable:
        where = [item.not_applicable]
    awaited = f"[reporting] {item.field}: {FIELDS[item.field]}" if item.field and not words else ""
    status = _status(item, answered=bool(words), shown=shown)
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
