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
