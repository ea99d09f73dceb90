"""The tables of a paper in one Word file."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from analysis.errors import NotComputed, NotSupported, warn_all
from analysis.present.page import TableBlock
from analysis.present.word import write_word
from analysis.study.results import StudyResults

PAPER_TABLES = ("table-1", "*-survival-table", "*-restricted-mean-differences", "hazard-ratio-table", "*-model")
"""Names of the tables that go into the file; it keeps the report's order."""


def write_word_tables(results: StudyResults, path: str | Path, *, banner: str = "") -> Path | None:
    """Write the tables of a paper into one Word file.

    Parameters
    ----------
    results : StudyResults
        What `run_study` gave.
    path : str or Path
        The ``.docx`` file.
    banner : str
        As in the report.

    Returns
    -------
    Path or None
        None where python-docx is missing.

    Warns
    -----
    NotComputed
        Without python-docx, which the extra ``word`` brings.
    """
    try:
        return write_word(word_tables(results), path, title=results.study.plan.title, banner=banner)
    except NotSupported as error:
        warn_all([NotComputed(f"{Path(path).name} is not written: {error}")])
        return None


def word_tables(results: StudyResults) -> tuple[TableBlock, ...]:
    """The tables of a paper, in the report's order; Word numbers them, so their titles need not."""
    blocks = [block for section in results.sections for block in section.blocks if isinstance(block, TableBlock)]
    chosen = [block for block in blocks if any(fnmatchcase(block.name, pattern) for pattern in PAPER_TABLES)]
    return tuple(replace(block, title=_unnumbered(block.title)) for block in chosen)


def _unnumbered(title: str) -> str:
    """A title without a number of its own."""
    bare = title.removeprefix("Table 1: ")
    return f"{bare[:1].upper()}{bare[1:]}"
