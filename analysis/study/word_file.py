"""The tables of a paper in one Word file."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from analysis.errors import NotComputed, NotSupported, warn_all
from analysis.present.pages.page import TableBlock
from analysis.present.pages.word import write_word
from analysis.study.report.results import StudyResults

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
        None where there is no such table, or python-docx is missing.

    Warns
    -----
    NotComputed
        Without python-docx, which the extra ``word`` brings.
    """
    tables = word_tables(results)
    if not tables:
        return None
    try:
        return write_word(tables, path, title=results.study.plan.title, banner=banner)
    except NotSupported as error:
        warn_all([NotComputed(f"{Path(path).name} is not written: {error}")])
        return None


def word_tables(results: StudyResults) -> tuple[TableBlock, ...]:
    """The tables of a paper, in the report's order."""
    blocks = [block for section in results.sections for block in section.blocks if isinstance(block, TableBlock)]
    return tuple(block for block in blocks if any(fnmatchcase(block.name, pattern) for pattern in PAPER_TABLES))
