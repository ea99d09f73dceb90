"""Plans as editors on Windows save them: read, or explained so that what is said can be typed."""

from __future__ import annotations

import re

import pytest

from analysis import PlanError
from analysis.study.plan.toml_file import read_toml

TEXT = '[data]\npath = "größe.csv"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_text_in_unicode_is_read(tmp_path, encoding, line_end):
    (tmp_path / "plan.toml").write_bytes(TEXT.replace("\n", line_end).encode(encoding))
    text, tables = read_toml(tmp_path / "plan.toml")
    assert text == TEXT
    assert tables == {"data": {"path": "größe.csv"}}


def test_ansi_is_explained(tmp_path):
    (tmp_path / "plan.toml").write_bytes(TEXT.encode("cp1252"))
    with pytest.raises(PlanError, match=r"is not UTF-8 \(byte 0xf6 in line 2\): save it again with the encoding UTF-8"):
        read_toml(tmp_path / "plan.toml")


@pytest.mark.parametrize(
    "path", [r"C:\Users\me\cohort.csv", r"C:\trial\new.csv", r"\\server\share\x.csv", r"data\cohort.csv", r"..\x.csv"]
)
def test_backslashes_are_named_and_the_line_that_is_offered_is_right(tmp_path, path):
    plan = tmp_path / "plan.toml"
    plan.write_text(f'[data]\npath = "{path}"\n', encoding="utf-8")
    with pytest.raises(PlanError, match="line 2 holds backslashes") as refused:
        read_toml(plan)
    offered = re.search(r"write single quotes: ('.*')", str(refused.value))[1]
    plan.write_text(f"[data]\npath = {offered}\n", encoding="utf-8")
    assert read_toml(plan)[1] == {"data": {"path": path}}


def test_doubled_backslashes_are_as_toml_wants_them(tmp_path):
    (tmp_path / "plan.toml").write_text('[data]\npath = "C:\\\\trial\\\\x.csv"\n', encoding="utf-8")
    assert read_toml(tmp_path / "plan.toml")[1] == {"data": {"path": r"C:\trial\x.csv"}}


@pytest.mark.parametrize("quotes", ["“”", "„“", "‘’", "«»"])
def test_curly_quotes_are_named_with_their_line(tmp_path, quotes):
    (tmp_path / "plan.toml").write_text(f"[data]\npath = {quotes[0]}x.csv{quotes[1]}\n", encoding="utf-8")
    with pytest.raises(PlanError, match=f'line 2 has curly quotes \\({quotes[0]}\\).*type " instead'):
        read_toml(tmp_path / "plan.toml")


def test_curly_quotes_in_text_are_text(tmp_path):
    (tmp_path / "plan.toml").write_text('# “note”\n[study]\ntitle = "the “marker” study"\n', encoding="utf-8")
    assert read_toml(tmp_path / "plan.toml")[1] == {"study": {"title": "the “marker” study"}}


def test_anything_else_is_said_as_the_parser_says_it(tmp_path):
    (tmp_path / "plan.toml").write_text("[data\n", encoding="utf-8")
    with pytest.raises(PlanError, match="is not TOML: Expected"):
        read_toml(tmp_path / "plan.toml")
