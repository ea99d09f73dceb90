"""Methods and results in words, to be taken into a manuscript: every number from the report's own frames."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.present.pages.page import Prose, TableBlock
from analysis.study.report.methods_text import methods_words
from analysis.study.report.results import StudyFigure, StudySection
from analysis.study.report.results_text import results_words
from analysis.study.study import Study


def frames_of(sections: Sequence[StudySection]) -> dict[str, pd.DataFrame]:
    """The frames of the tables of some sections, by name."""
    return {
        block.name: block.frame for section in sections for block in section.blocks if isinstance(block, TableBlock)
    }


def words_section(study: Study, sections: Sequence[StudySection]) -> StudySection:
    """Methods and results in words, from the sections that were made."""
    blocks = [block for section in sections for block in section.blocks if isinstance(block, TableBlock | StudyFigure)]
    tables = frames_of(sections)
    methods = methods_words(study, {block.name for block in blocks})
    return StudySection(
        "words",
        "Methods and results in words",
        (Prose("\n\n".join(results_words(study, tables))), Prose("\n\n".join(methods))),
    )
