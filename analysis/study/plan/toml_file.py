"""A plan file to its tables: text in the encodings of editors, and what is wrong with TOML that they have spoilt."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any

from analysis.errors import PlanError

_CURLY = "“”„‟‘’‚‛«»"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BACKSLASHES = re.compile(r'^\s*[\w".-]+\s*=\s*"([^"\n]*\\[^"\n]*)"', re.MULTILINE)
_SINGLE = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|#.*")


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    r"""The text of a plan and its tables.

    UTF-8 is read with and without a byte-order mark, and UTF-16 with one, as Notepad's "Unicode" writes it.

    Raises
    ------
    PlanError
        When there is no such file, it is in another encoding, or it is not TOML; then with the line, and what to type
        where curly quotes or the backslashes of a Windows path are the cause.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise PlanError(f"no plan at {path}; write one with: python -m analysis plan new COHORT_FILE") from None
    text = _decoded(data, path)
    backslashes = [_path_advice(match, text) for match in _BACKSLASHES.finditer(text) if _is_a_path(match[1])]
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        advice = backslashes + _curly_quotes(text)
        raise PlanError([f"{path} is not TOML: {one}" for one in advice or [str(error)]]) from None
    if backslashes:  # \t in "C:\trial" is a tab to TOML
        raise PlanError([f"{path}: {one}" for one in backslashes])
    return text, tables


def _decoded(data: bytes, path: Path) -> str:
    """The text of a file, its line ends as TOML wants them."""
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanError(
            f"{path} is not UTF-8 (byte 0x{data[error.start]:02x} in line {line}): save it again with the encoding"
            " UTF-8, which editors on Windows offer beside ANSI when a file is saved"
        ) from None
    return text.replace("\r\n", "\n")


def _is_a_path(text: str) -> bool:
    """Whether text is a path of Windows (a drive, a share, names before a suffix) whose backslashes are not doubled."""
    if all(len(run) % 2 == 0 for run in re.findall(r"\\+", text)):
        return False
    return bool(re.match(r"[A-Za-z]:\\|\\\\|\.{1,2}\\", text) or re.fullmatch(r"[^\\]+(?:\\[^\\]+)+\.\w{1,9}", text))


def _path_advice(match: re.Match[str], text: str) -> str:
    """What to type for a path with backslashes."""
    line = text.count("\n", 0, match.start(1)) + 1
    return (
        f"line {line} holds backslashes, which TOML reads as signs of their own between double quotes; write"
        f" single quotes: '{match[1]}'"
    )


def _curly_quotes(text: str) -> list[str]:
    """The first line with curly quotes outside text and comments, and how it is to be typed."""
    for number, line in enumerate(text.splitlines(), start=1):
        outside = _SINGLE.sub("", line)
        curly = [mark for mark in outside if mark in _CURLY]
        if curly:
            return [
                f'line {number} has curly quotes ({curly[0]}), which some editors put for straight ones; type " instead'
            ]
    return []
