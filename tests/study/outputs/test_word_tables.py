"""The Word file of a study: the tables of a paper in order, and labels that come through unharmed."""

from __future__ import annotations

import sys

import pytest

from analysis import StudyResults
from analysis.errors import NotComputed
from analysis.study.outputs.write import word_tables, write_word_tables
from tests.study.plans import HOSTILE


def test_the_word_file_holds_the_tables_of_a_paper_in_order(main_results):
    names = [block.name for block in word_tables(main_results)]
    assert names[:2] == ["table-1", "overall-survival-survival-table"]
    assert {"hazard-ratio-table", "overall-survival-model"} <= set(names)


def test_labels_come_through_word_unharmed(hostile, tmp_path):
    docx = pytest.importorskip("docx", reason="python-docx (the extra word) is not installed")
    document = docx.Document(str(write_word_tables(hostile, tmp_path / "tables.docx")))
    cells = {cell.text for table in document.tables for row in table.rows for cell in row.cells}
    assert HOSTILE in cells
    assert any(text.startswith(f"{HOSTILE} (< 63") for text in cells)
    assert any(HOSTILE in paragraph.text for paragraph in document.paragraphs)


def test_without_tables_or_python_docx_there_is_no_file(main_results, tmp_path, monkeypatch):
    assert write_word_tables(StudyResults(main_results.study, (), ()), tmp_path / "tables.docx") is None
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.warns(NotComputed, match=r"tables.docx is not written.*magnesium-survival\[word\]"):
        assert write_word_tables(main_results, tmp_path / "tables.docx") is None
    assert not list(tmp_path.iterdir())
