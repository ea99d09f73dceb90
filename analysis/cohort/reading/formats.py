"""Kinds of files by their names: what is read, what is written, what to do about the others, and what is packed."""

from __future__ import annotations

import difflib
import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from zipfile import BadZipFile, ZipFile

from analysis.cohort.columns import first_few
from analysis.errors import CohortError, raise_all

FileFormat = Literal["text", "Excel", "spreadsheet", "Parquet", "Feather", "JSON", "Stata", "SAS", "SPSS"]

FORMATS: dict[str, FileFormat] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".dat"), "text"),
    **dict.fromkeys((".xlsx", ".xlsm"), "Excel"),
    **dict.fromkeys((".xls", ".xlsb", ".ods"), "spreadsheet"),
    **dict.fromkeys((".parquet", ".pq"), "Parquet"),
    ".feather": "Feather",
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "JSON"),
    ".dta": "Stata",
    **dict.fromkeys((".sas7bdat", ".xpt"), "SAS"),
    **dict.fromkeys((".sav", ".zsav", ".por"), "SPSS"),
}
"""What a file is by its suffix."""

WRITTEN = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".xlsx")
PACKED = (".gz", ".zip")

_IN_R = {
    ".rds": "write.csv(readRDS({name!r}), {csv!r}, row.names = FALSE)",
    **dict.fromkeys(
        (".rda", ".rdata"),
        "e <- new.env(); write.csv(e[[load({name!r}, e)[1]]], {csv!r}, row.names = FALSE)",
    ),
}
"""How R writes its own files as CSV."""


def path_problems(path: Path) -> list[str]:
    """What is wrong with the path: nothing there (with the nearest names), a folder, an unknown suffix, no content."""
    if path.is_dir():
        return [f"{path} is a folder; give a file"]
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=3)
        return [f"no file {path}" + (f"; did you mean {first_few(map(repr, near))}?" if near else "")]
    problems = [] if path.suffix.lower() in PACKED else suffix_problems(path)
    if not problems and path.stat().st_size == 0:
        problems = [f"{path.name} is empty"]
    return problems


def suffix_problems(path: Path, *, writing: bool = False) -> list[str]:
    """A problem when the suffix is none that is read, or written, here."""
    suffix = path.suffix.lower()
    if suffix in (WRITTEN if writing else FORMATS):
        return []
    advice = f"use one of {first_few(WRITTEN if writing else FORMATS, 24)}"
    if not writing and suffix in _IN_R:
        advice = f"in R: {_IN_R[suffix].format(name=path.name, csv=f'{path.stem}.csv')}"
    if not writing and suffix == ".numbers":
        advice = "export it as .xlsx or .csv"
    doing = "written" if writing else "read"
    return [f"{path.name}: files ending in {suffix!r} are not {doing} here; {advice}"]


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The file itself; where it is packed (.gz, .zip), what is in it, for as long as the block lasts."""
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        yield path
        return
    with TemporaryDirectory() as folder:
        try:
            inner = _from_zip(path, Path(folder)) if suffix == ".zip" else _from_gzip(path, Path(folder))
        except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
            raise CohortError(f"{path.name} cannot be unpacked ({error}); unpack it by hand") from None
        raise_all(path_problems(inner))
        yield inner


def _from_gzip(path: Path, folder: Path) -> Path:
    """The one file of a .gz, named without the ending; text where nothing else is said."""
    inner = folder / path.stem
    if not inner.suffix:
        inner = inner.with_suffix(".txt")
    with gzip.open(path) as packed, inner.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return inner


def _from_zip(path: Path, folder: Path) -> Path:
    """The one file of a .zip that can be read here."""
    with ZipFile(path) as archive:
        names = [entry for entry in archive.namelist() if not entry.startswith("__MACOSX/") and not entry.endswith("/")]
        known = [name for name in names if Path(name).suffix.lower() in FORMATS]
        if len(known) != 1:
            held = f"{len(known)} of its files can be read here ({first_few(map(repr, known or names), 12)})"
            raise CohortError(f"{path.name}: {held}; unpack it and give one of them")
        inner = folder / Path(known[0]).name
        with archive.open(known[0]) as packed, inner.open("wb") as file:
            shutil.copyfileobj(packed, file)
    return inner
