"""The README: its examples run, and its links and figure are there."""

from __future__ import annotations

import doctest
import re
import struct
from pathlib import Path
from typing import get_args

import pytest

from analysis import SmallStratum
from analysis.cohort.synthetic.design import World

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def test_the_examples_run():
    text = README.read_text(encoding="utf-8").replace("```python\n", "").replace("\n```", "\n")
    test = doctest.DocTestParser().get_doctest(text, {}, "README", str(README), 0)
    with pytest.warns(SmallStratum, match="'high'"):
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.attempted >= 10
    assert result.failed == 0


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "data/synthetic/README.md"])
def test_links_lead_somewhere(page):
    path = ROOT / page
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", ["report", "explorer"])
def test_its_screens_are_there_and_small(page):
    picture = f"docs/{page}-screen.png"
    assert f"]({picture})" in README.read_text(encoding="utf-8")
    content = (ROOT / picture).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (1280, 800)
    assert len(content) < 150_000


def test_the_worlds_are_those_of_the_design():
    text = README.read_text(encoding="utf-8")
    assert len(get_args(World)) == 7
    assert "seven worlds" in text


def test_make_has_the_targets_that_are_told():
    told = set(re.findall(r"`?make (\w+)", README.read_text(encoding="utf-8")))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert told
    assert told <= made
