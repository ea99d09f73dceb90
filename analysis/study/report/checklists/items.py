"""What a checklist asks, and what answers it: results by name, or the author's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One item of a reporting guideline, in our words.

    Parameters
    ----------
    number : str
        As the guideline counts.
    topic, asks : str
        What it is about, and what it wants told.
    shown_by : tuple of str
        Names of the report's tables and figures that answer it, all of them; ``*`` stands for anything, and
        ``{endpoint}`` for each endpoint of the plan in turn.
    field : str
        Key in the plan's [reporting] table under which the author answers what no result can.
    not_applicable : str
        Why the item never applies, where it does not.
    """

    number: str
    topic: str
    asks: str
    shown_by: tuple[str, ...] = ()
    field: str = ""
    not_applicable: str = ""


@dataclass(frozen=True)
class Checklist:
    """A reporting guideline: its name, what it is for, where it was published, its items."""

    name: str
    subject: str
    source: str
    items: tuple[Item, ...]


FIELDS = {
    "abstract": "a balanced summary, with the design in the title or abstract",
    "background": "why the question is asked, and what is known",
    "objectives": "the aims, and any hypothesis stated beforehand",
    "design": "prospective or retrospective, and how the cases were selected",
    "setting": "places, and dates of recruitment, treatment and follow-up",
    "eligibility": "who could enter, from where, and who was excluded",
    "treatments": "what the patients were given, and how that was chosen",
    "specimen": "the material, its handling and storage",
    "assay": "how the marker was measured, its quality control, and whether blind to the outcome",
    "endpoint_definitions": "how each endpoint is defined, and what ends follow-up without it",
    "prespecification": "what was decided before the outcome was seen, how variables were chosen, and where that can be"
    " checked (a registration, a date)",
    "later_treatment": "whether follow-up goes on past a change of treatment, and how death before an event is counted",
    "candidate_variables": "every variable that was looked at or considered",
    "bias": "what was done about possible bias",
    "sample_size": "why this many patients",
    "non_participation": "who was eligible and did not take part, and why",
    "key_results": "the findings in words, against the aims",
    "limitations": "what limits the study, with the direction of likely bias",
    "interpretation": "what the results mean beside other evidence",
    "generalisability": "to whom the results carry over",
    "implications": "what follows for research and for care",
    "funding": "who paid, and what part they had",
}
"""Every key of [reporting], and what the author is asked for."""
