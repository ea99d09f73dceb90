"""The documentation: its examples run, it is made in one command, and the folder stands alone."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import analysis

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FIRST = ("adjust-a-curve", "read-a-sas-file", "change-colours", "get-the-output-of-r-s-survfit", "cite-this")


class Links(HTMLParser):
    """What a page points to, what it loads, and where in it one can be sent."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        (self.targets if tag == "a" else self.loads).extend(given[key] for key in ("href", "src") if key in given)
        self.ids += [given["id"]] if "id" in given else []


@pytest.mark.parametrize("page", [path.name for path in DOCS.glob("*.md") if ">>>" in path.read_text(encoding="utf-8")])
def test_examples_with_prompts_run(page):
    text = (DOCS / page).read_text(encoding="utf-8").replace("```python\n", "").replace("\n```", "\n")
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_every_figure_is_in_the_gallery():
    code = "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / "gallery.md").read_text(encoding="utf-8"), re.DOTALL))
    figures = {name for name in analysis.__all__ if name.startswith("plot_")}
    assert {name for name in figures if f"{name}(" not in code} == set()


@pytest.mark.parametrize("page", [path.name for path in DOCS.glob("*.md")])
def test_paths_in_the_pages_are_there(page):
    named = re.findall(r"`(analysis/[\w./]+)`", (DOCS / page).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_one_command_makes_a_folder_that_stands_alone(tmp_path):
    command = [sys.executable, str(DOCS / "build.py"), str(tmp_path)]  # every block without prompts is run
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    pages = {path.name: Links(path) for path in tmp_path.glob("*.html")}
    assert links_that_lead_nowhere(pages, tmp_path) == []
    assert {name for name in analysis.__all__ if not any(name in page.ids for page in pages.values())} == set()
    answers = {target.partition("#")[2] for target in pages["index.html"].targets if target.startswith("recipes.html#")}
    assert set(FIRST) <= answers
    loads_nothing_from_outside(pages, tmp_path)


def links_that_lead_nowhere(pages: dict[str, Links], folder: Path) -> list[tuple[str, str]]:
    """Links to files that are not in the folder, or to places that the page has not."""
    lost = []
    for name, page in pages.items():
        for target in [*page.targets, *page.loads]:
            file, _, place = target.partition("#")
            inside = pages.get(file or name)
            if not target.startswith(("http:", "https:")) and (
                not (folder / (file or name)).is_file() or (place and inside is not None and place not in inside.ids)
            ):
                lost.append((name, target))
    return lost


def loads_nothing_from_outside(pages: dict[str, Links], folder: Path) -> None:
    """No script, no font, picture or style from the net, no identifier twice."""
    for name, page in pages.items():
        assert "script" not in page.tags, name
        assert not [load for load in page.loads if "//" in load], name
        assert len(page.ids) == len(set(page.ids)), name
    for path in (*folder.glob("*.css"), *folder.glob("*.svg")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(?!#)|<script|<image|href=\"(?!#)", text), path.name
