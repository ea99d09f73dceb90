"""The text of a file's bytes: UTF-8, UTF-16 by its mark, else the encoding that is named; never a guess."""

from __future__ import annotations

import codecs

from analysis.cohort.remedies import argument, toml
from analysis.errors import CohortError, InputError

CODE_PAGES = {
    "cp1252": "Windows, Western Europe",
    "cp1250": "Windows, Central Europe",
    "mac_roman": "old Macintosh",
    "cp932": "Japanese",
    "gb18030": "Chinese",
    "cp949": "Korean",
    "cp1251": "Windows, Cyrillic",
    "utf-16": "Unicode text of Excel",
}
"""Encodings that files are tried under, and where they are usual."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SHOWN = 60


def decoded(data: bytes, name: str, encoding: str | None) -> str:
    """The text of a file without a byte-order mark; where its encoding is not known, an error shows a line in each."""
    chosen = encoding or next((marked for mark, marked in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(chosen)
    except LookupError:
        known = f"{toml('utf-8')} or {toml('cp1252')}"
        raise InputError(f"{argument('encoding', encoding)} is unknown; try {known}") from None
    except UnicodeDecodeError as error:
        where = f"byte 0x{data[error.start]:02x} in line {data[: error.start].count(10) + 1}"
        found = f"{name} is not {'UTF-8' if chosen == 'utf-8' else chosen} ({where})"
        raise CohortError(f"{found}; {_candidates(data, error.start)}") from None
    if "\0" in text:
        raise CohortError(f"{name} holds bytes of 0, so it is no text in {chosen}; {_candidates(data, data.find(0))}")
    return text.removeprefix("\ufeff")


def _candidates(data: bytes, first: int) -> str:
    """The encodings under which the bytes are text, those with the same text together, each with the first odd line."""
    by_text: dict[str, list[str]] = {}
    wide = b"\0" in data
    for encoding in [known for known in CODE_PAGES if (known == "utf-16") == wide]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(character in text for character in "\0\ufffd") and _is_text(text):
            by_text.setdefault(text, []).append(encoding)
    if not by_text:
        return "it is no text under the usual encodings; export it again as UTF-8"
    start = data.rfind(b"\n", 0, first) + 1
    lines = [
        f"{' or '.join(_described(one) for one in same)}: {_odd_line(text, data, same[0], start)!r}"
        for text, same in by_text.items()
    ]
    return "read it with the encoding under which the line is right: " + "; ".join(lines)


def _described(encoding: str) -> str:
    """An encoding as it is to be written, and where it is usual."""
    return f"{argument('encoding', encoding)} ({CODE_PAGES[encoding]})"


def _is_text(text: str) -> bool:
    """Whether text is free of control characters."""
    return not any(
        (character < " " and character not in "\t\r\n\f") or "\x7f" <= character < "\xa0" for character in text
    )


def _odd_line(text: str, data: bytes, encoding: str, start: int) -> str:
    """The line that holds the first odd byte, from shortly before its first character beyond ASCII."""
    wide = encoding == "utf-16"
    line = text.splitlines()[0] if wide else data[start:].decode(encoding).split("\n", 1)[0].rstrip("\r")
    odd = next((place for place, character in enumerate(line) if character > "\x7f"), 0)
    begin = max(0, odd - _SHOWN // 3)
    return line[begin : begin + _SHOWN]
