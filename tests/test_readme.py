"""The README: its examples run, and its links and figure are there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from analysis import SmallStratum

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


def test_make_has_the_targets_that_are_told():
    told = set(re.findall(r"`?make (\w+)", README.read_text(encoding="utf-8")))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert told
    assert told <= made
