"""The page of agreement with R is what its command writes."""

from __future__ import annotations

from tests.reference.agreement import PAGE, STATISTICS, page


def test_the_committed_page_is_what_the_command_gives() -> None:
    """Made again: python -m tests.reference.agreement."""
    made = page()
    assert made.count("\n| ") == len(STATISTICS) + 1
    assert PAGE.read_text(encoding="utf-8") == made
