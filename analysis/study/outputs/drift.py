"""What a report's numbers would be today: an earlier run's tables beside those of a new one."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from analysis.errors import InputError, PlanError
from analysis.present.text import csv_text
from analysis.study.outputs.write import read_manifest
from analysis.study.run import load_plan, run_study

TOLERANCE = 1e-8
"""Relative, and absolute near zero: far above rounding, far below what anybody would print."""

COLUMNS = ("table", "row", "column", "before", "now")
SOFTWARE = "software"
"""The table of versions: a change of it explains others and is none by itself."""

Cells = list[list[str]]


def find_drift(
    directory: str | Path, *, tolerance: float = TOLERANCE, progress: Callable[[str], object] | None = None
) -> pd.DataFrame:
    """Run the study of an earlier report again and list every cell of its tables that changed.

    Parameters
    ----------
    directory : str or Path
        Where `write_outputs` wrote a report, with its ``manifest.json``.
    tolerance : float
        Numbers a and b agree when their difference is at most ``tolerance * max(1, abs(a), abs(b))``.
    progress : callable, optional
        Called with the title of each section when it is done.

    Returns
    -------
    DataFrame
        table, row (counted from 1, without the heading), column, before, now, as text; a table that came or went is one
        row, and so is one whose rows or columns changed. Versions of software are listed too.

    Raises
    ------
    InputError
        When the directory holds no report, its tables were removed, or the tolerance is no positive number.
    """
    directory = Path(directory)
    if not 0 < tolerance < math.inf:
        raise InputError(f"tolerance={tolerance!r}: a positive number, as in 1e-8")
    before = _written(directory)
    results = run_study(load_plan(_plan_path(directory)), progress=progress)
    now = {name: _cells(csv_text(frame)) for name, frame in results.tables.items()}
    names = dict.fromkeys([*before, *now])
    rows = [row for name in names for row in _changes(name, before.get(name), now.get(name), tolerance)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _written(directory: Path) -> dict[str, Cells]:
    """The tables that an earlier run wrote, as its manifest lists them."""
    paths = [directory / name for name in read_manifest(directory)["files"] if name.startswith("tables/")]
    lost = [path.name for path in paths if not path.is_file()]
    if lost:
        raise InputError(f"{directory}: {len(lost)} tables of its manifest are gone ({lost[0]}, ...); run report again")
    return {path.stem: _cells(path) for path in paths}


def _plan_path(directory: Path) -> Path | None:
    """The plan that the earlier run was made by; None for the synthetic cohort's."""
    named = read_manifest(directory).get("plan")
    if named is None:
        return None
    path = directory / str(named)
    if not path.is_file():
        raise PlanError(f"the plan of {directory} was at {path} and is gone; put it back, or run report again")
    return path


def _cells(table: Path | str) -> Cells:
    """A table as text, heading first: a file's, or of CSV text."""
    try:
        text = table if isinstance(table, str) else table.read_text(encoding="utf-8")
        return [*csv.reader(text.splitlines())] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} is no table of a report ({error}); run report again") from None


def _changes(
    name: str, before: Cells | None, now: Cells | None, tolerance: float
) -> Iterator[tuple[str, int | str, str, str, str]]:
    """Every change of one table."""
    if before is None or now is None:
        yield name, "", "", "" if before is None else "a table", "" if now is None else "a table"
        return
    if before[0] != now[0] or len(before) != len(now):
        yield name, "", "rows and columns", _shape(before), _shape(now)
        return
    for place, (old_row, new_row) in enumerate(zip(before[1:], now[1:], strict=True), start=1):
        for column, old, new in zip(before[0], old_row, new_row, strict=True):
            if not agree(old, new, tolerance):
                yield name, place, column, old, new


def _shape(cells: Cells) -> str:
    """A table's size and heading in words."""
    return f"{len(cells) - 1} rows of {', '.join(cells[0])}"


def agree(old: str, new: str, tolerance: float) -> bool:
    """Whether two cells say the same: as text, or as numbers within the tolerance."""
    if old == new:
        return True
    try:
        a, b = float(old), float(new)
    except ValueError:
        return False
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))
