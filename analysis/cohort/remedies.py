"""What to do about a fault, in the words of its reader: arguments in Python, lines of a plan, options."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Language = Literal["Python", "plan", "command line"]

_language: ContextVar[Language] = ContextVar("language", default="Python")
_PLAN_ONLY = frozenset(("event_codes", "missing", "units"))
"""Arguments of `read_cohort` that a plan has lines for, and the command line no options."""


@contextmanager
def remedies_for(language: Language) -> Iterator[None]:
    """Within the block, remedies are worded for those who write Python, a plan, or a command.

    Examples
    --------
    >>> with remedies_for("plan"):
    ...     argument("decimal", ",")
    'decimal = "," in [data]'
    """
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def argument(name: str, value: object) -> str:
    r"""An argument of `read_cohort` as it is to be written.

    Examples
    --------
    >>> argument("event_codes", {"status": {1: 0, 2: 1}})
    "event_codes={'status': {1: 0, 2: 1}}"
    >>> with remedies_for("plan"):
    ...     argument("event_codes", {"status": {1: 0, 2: 1}}), argument("units", {"Mg": "mEq/L"})
    ('event_codes = { "status" = { 1 = 0, 2 = 1 } } in [data]', 'unit = "mEq/L" in [marker]')
    >>> with remedies_for("command line"):
    ...     argument("encoding", "cp1252")
    '--encoding cp1252'
    """
    language = _language.get()
    if language == "Python":
        return f"{name}={toml(value) if isinstance(value, str) else repr(value)}"
    if language == "command line" and name not in _PLAN_ONLY:
        text = str(value)
        return f"--{name} {text if text.isalnum() else json.dumps(text, ensure_ascii=False)}"
    if name == "units" and isinstance(value, Mapping):
        return f"unit = {toml(next(iter(value.values())))} in [marker]"
    return f"{name} = {toml(value)} in [data]"


def worded(python: str, plan: str) -> str:
    """One of two remedies: the words for Python, or those for a plan.

    Examples
    --------
    >>> worded("use time_from_dates", 'give start and end in [[endpoints]]')
    'use time_from_dates'
    """
    return python if _language.get() == "Python" else plan


def toml(value: object) -> str:
    """A value as TOML writes it; nothing, which TOML has no word for, as "missing".

    Examples
    --------
    >>> toml({"ecog": [9, "n.d."], 2: True})
    '{ "ecog" = [9, "n.d."], 2 = true }'
    """
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {toml(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml, value))}]"
    if value is None:
        return '"missing"'
    if isinstance(value, (bool, int)):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(str(value), ensure_ascii=False)


def _key(key: object) -> str:
    """The key of an inline table: whole numbers bare, anything else quoted."""
    return str(key) if isinstance(key, int) and key >= 0 else json.dumps(str(key), ensure_ascii=False)
