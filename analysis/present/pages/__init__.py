"""Whole pages: the report, the explorer, the Word file."""

from __future__ import annotations

from analysis.present.pages.explorer import FEW_AT_RISK, ExplorerFrames, explorer_page
from analysis.present.pages.page import (
    Block,
    FigureBlock,
    Listing,
    Note,
    Opening,
    Prose,
    Section,
    TableBlock,
    Tile,
    render_page,
)
from analysis.present.pages.word import WordFigure, write_word
