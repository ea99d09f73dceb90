"""The notebooks: their form, and that each runs from top to bottom and loads nothing from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.study.outputs.notebooks import execute_notebook, notebook_paths

NOTEBOOKS = notebook_paths()
MOST_CELLS, MOST_LINES = 12, 10

by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_on_any_worker = pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=pytest.mark.xdist_group(path.stem)) for path in NOTEBOOKS]
)


@by_name
def test_the_form_is_the_same_everywhere(path):
    import nbformat  # takes seconds, which other workers need not spend

    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    banner = notebook.cells[0].source.lower()
    assert "illustrative" in banner
    assert ("real data" if path.stem.startswith("06") else "synthetic") in banner
    assert len(code) <= MOST_CELLS
    text = "\n".join(cell.source for cell in notebook.cells)
    assert text.count("**Try this:**") == 1
    assert "seed = " in code[1].source or "endpoint = " in code[1].source or "plan = " in code[1].source
    for cell in code:
        assert not cell.outputs
        assert cell.execution_count is None
        assert cell.source.count("\n") < MOST_LINES
        assert cell is code[0] or "import" not in cell.source
        assert "lifelines" not in cell.source
        assert not re.search(r"^\s*(def|for|while|class)\s", cell.source, re.MULTILINE)


@each_on_any_worker
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_runs_and_loads_nothing_from_outside(path, tmp_path):
    page = execute_notebook(path, tmp_path).read_text(encoding="utf-8")
    outside = re.findall(r"""<(?:script|link|img|iframe)[^>]+(?:src|href)=["'](https?:[^"']+)""", page)
    assert not outside
    assert "Traceback" not in page
    links = set(re.findall(r'href="((?!https?:|#)[^"]+)"', page))
    assert links <= {"../report.html", *(f"{other.stem}.html" for other in NOTEBOOKS)}
    assert "../report.html" in links
    assert "ipykernel_" not in page, "a warning that nobody asked for: its text changes with every run"


def test_there_are_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]
    assert all(isinstance(path, Path) for path in NOTEBOOKS)
