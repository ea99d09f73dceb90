"""What a study came to: sections of prose, tables and figures, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analysis.present.pages import Listing, Note, Prose, TableBlock
from analysis.study.plan import slug as slug
from analysis.study.study import Study

if TYPE_CHECKING:
    from analysis.present.canvas.files import Figure


@dataclass(frozen=True, eq=False)
class StudyFigure:
    """A figure of the study: drawn from its frames only when it is written.

    Attributes
    ----------
    name : str
        The stem of its files.
    title, alt, caption : str
        A heading, what is to be seen in words, and the line under the figure.
    draw : callable
        Gives the matplotlib figure.
    """

    name: str
    title: str
    alt: str
    caption: str
    draw: Callable[[], Figure]


Block = Prose | Note | Listing | TableBlock | StudyFigure


@dataclass(frozen=True, eq=False)
class StudySection:
    """One section of the report."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, eq=False)
class StudyResults:
    """Everything that a study computed.

    Attributes
    ----------
    study : Study
        The plan and the cohort as analysed.
    summary : tuple of str
        The answer in a few lines.
    sections : tuple of StudySection
        The report, in reading order.

    Examples
    --------
    >>> from analysis.study.run import run_study, synthetic_plan
    >>> results = run_study(synthetic_plan())
    >>> "overall-survival-medians" in results.tables
    True
    """

    study: Study
    summary: tuple[str, ...]
    sections: tuple[StudySection, ...]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table of the report, by name, as the tidy frame it was computed as."""
        return {block.name: block.frame for block in self._blocks() if isinstance(block, TableBlock)}

    @property
    def figures(self) -> dict[str, StudyFigure]:
        """Every figure of the report, by name."""
        return {block.name: block for block in self._blocks() if isinstance(block, StudyFigure)}

    def _blocks(self) -> Iterator[Block]:
        """All blocks in reading order."""
        for section in self.sections:
            yield from section.blocks
