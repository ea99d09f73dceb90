"""What is told of the agreement with R is what its command writes."""

from __future__ import annotations

from tests.reference.agreement import COUNTS, PAGE, STATISTICS, documents


def test_the_committed_files_are_what_the_command_gives() -> None:
    """Made again: python -m tests.reference.agreement."""
    made = documents()
    assert made[PAGE].count("\n| ") == made[COUNTS].count("\n") == len(STATISTICS) + 1
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text
