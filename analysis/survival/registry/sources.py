"""Registries counted where they lie (Parquet files, DuckDB, Dask), and the faults of what was counted."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import Endpoint, first_few, nearest, numbers
from analysis.errors import AnalysisWarning, CohortError, InputError, dropped_warnings, raise_all
from analysis.kernels.times import merge_near_ties
from analysis.survival.rows import complete_rows, grouping_problems, no_rows_left, zero_time_warnings

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

SOUND, MISSING, INFINITE, NEGATIVE, LATE = range(5)
"""What may be wrong with the entry time of a row."""
MEMORY_LIMIT, MOST_THREADS = "300MB", 8
_EXITS = ["stratum", "time", "event", "fault"]
_NUMBERS = {
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
    "float", "double", "decimal", "boolean", "null",
}  # fmt: skip
_NESTED = {"list", "array", "struct", "map", "union"}
# A missing or NaN time is greater than no entry here: such a row is left out for its time.
_FAULT = f"""CASE WHEN entry IS NULL THEN {MISSING} WHEN isinf(CAST(entry AS DOUBLE)) THEN {INFINITE}
WHEN entry < 0 THEN {NEGATIVE} WHEN CAST(entry AS DOUBLE) >= CAST(time AS DOUBLE) THEN {LATE} ELSE {SOUND} END"""


@dataclass(frozen=True, eq=False)
class Tally:
    """Rows counted by the values of their outcome, as they stand in the source: a combination may come up twice.

    Attributes
    ----------
    exits : DataFrame
        Columns stratum, time, event (values as in the source, missing ones too), fault (of the entry time: `SOUND`,
        `MISSING`, `INFINITE`, `NEGATIVE` or `LATE`), latest (the last entry time of these rows; without late entry
        missing) and n, the number of rows.
    entries : DataFrame or None
        Columns stratum, entry, n of the complete and sound rows; None without an entry column.
    """

    exits: pd.DataFrame
    entries: pd.DataFrame | None


def tally_of(source: object, endpoint: Endpoint, by: str | None) -> Tally:
    """A source that is not one frame in memory, counted in one scan (two with entry times)."""
    if isinstance(source, (str, Path)):
        return _tally_of_parquet(Path(source), endpoint, by)
    if _is_from(source, "duckdb"):
        with _reading("the DuckDB relation"):
            return tally_of_relation(source, endpoint, by)  # type: ignore[arg-type]
    if _is_from(source, "dask"):
        return _tally_of_dask(source, endpoint, by)
    raise InputError(
        f"source: {type(source).__name__} is no source of rows; give a pandas data frame, the path of a Parquet file or"
        " folder, a DuckDB relation, a Dask data frame, or a frame that speaks Arrow (polars, pyarrow)"
        + ("; a lazy frame is collected first" if hasattr(source, "collect") else "")
    )


def _is_from(source: object, library: str) -> bool:
    """Whether an object is a library's own; the library is not imported for it."""
    return type(source).__module__.lstrip("_").split(".")[0] == library


def missing_columns(names: Sequence[str], held: Sequence[object]) -> list[str]:
    """A problem for each column that a source does not hold."""
    return [f"no column {name!r}{nearest(name, held)}" for name in names if name not in held]


def _tally_of_parquet(path: Path, endpoint: Endpoint, by: str | None) -> Tally:
    """A Parquet file, or every ``*.parquet`` below a folder, by DuckDB in bounded memory."""
    try:
        import duckdb
    except ImportError as error:
        raise InputError(
            f"{path}: counting a Parquet file needs DuckDB; install the extra magnesium-survival[registry],"
            " or give pandas.read_parquet(path)"
        ) from error
    files = parquet_files(path)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": min(os.cpu_count() or 1, MOST_THREADS),
        "temp_directory": tempfile.gettempdir(),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as connection, _reading(str(path)):
        _check_files(connection, files, [*endpoint.columns, *([by] if by is not None else [])])
        # By name: read by place, a file of fractional times would be rounded to the whole numbers of the first.
        relation = connection.from_parquet(files, union_by_name=True)
        return tally_of_relation(relation, endpoint, by, order=_category_order(files[0], by))


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """What DuckDB cannot read, as a fault of the source."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise CohortError(f"{what}: DuckDB cannot read it: {str(error).splitlines()[0]}") from error


def parquet_files(path: Path) -> list[str]:
    """The files of a path, in order of their names."""
    if not path.exists():
        raise CohortError(f"no file or folder {str(path)!r}")
    if path.is_file() and path.suffix.lower() in {".csv", ".tsv", ".txt", ".xlsx"}:
        raise CohortError(f"{path} is not Parquet; read it with read_cohort and give the frame")
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise CohortError(f"folder {str(path)!r} holds no *.parquet file")
    return [str(file) for file in files]


def _check_files(connection: DuckDBPyConnection, files: list[str], names: Sequence[str]) -> None:
    """Refuse files that lack a column which others hold: their rows would all read as missing."""
    if len(files) == 1:
        return
    schema = connection.execute("SELECT file_name, list(name) FROM parquet_schema(?) GROUP BY 1 ORDER BY 1", [files])
    columns_of_files = dict(schema.fetchall())
    problems = []
    for name in names:
        without = [file for file, columns in columns_of_files.items() if name not in columns]
        if 0 < len(without) < len(columns_of_files):
            problems.append(
                f"no column {name!r} in {len(without)} of {len(columns_of_files)} files ({without[0]}, ...)"
            )
    raise_all(problems)


def _category_order(file: str, by: str | None) -> list[str] | None:
    """The order of the categories of a column, where the file's writer stored one."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as parquet:
        if by is None or not keeps_order(parquet.schema_arrow, by) or not parquet.num_row_groups:
            return None
        column = parquet.read_row_group(0, columns=[by]).column(0)
        return [str(label) for label in column.chunk(0).dictionary.to_pylist()] if column.num_chunks else None


def keeps_order(schema: pa.Schema, name: str) -> bool:
    """Whether an Arrow column holds categories in an order that means something: an ordered one, or one of pandas.

    Other dictionaries (a Categorical of polars) hold their words in the order in which they came up.
    """
    import pyarrow as pa

    if name not in schema.names or not pa.types.is_dictionary(schema.field(name).type):
        return False
    return bool(schema.field(name).type.ordered) or b"pandas" in (schema.metadata or {})


def tally_of_relation(
    relation: DuckDBPyRelation, endpoint: Endpoint, by: str | None, *, order: Sequence[str] | None = None
) -> Tally:
    """A DuckDB relation: grouped in its own types, the few groups made numbers afterwards."""
    kinds: dict[str, str] = dict(zip(relation.columns, (kind.id for kind in relation.types), strict=True))
    raise_all(_relation_problems(kinds, endpoint, by))
    outcome = {"time": endpoint.duration, "event": endpoint.event, "entry": endpoint.entry, "stratum": by}
    parts = {role: _expression(name, kinds[name]) for role, name in outcome.items() if name is not None}
    rows = relation.project(", ".join(f"{part} AS {role}" for role, part in {"stratum": "'all'", **parts}.items()))
    if endpoint.entry is None:
        grouped = rows.aggregate("stratum, time, event, count(*) AS n", "stratum, time, event")
        exits = grouped.project(f"{_AS_NUMBERS}, n").df().assign(fault=SOUND, latest=np.nan)
        return Tally(_in_order(exits, order), None)
    rows = rows.project(f"*, {_FAULT} AS fault")
    grouped = rows.aggregate(f"{', '.join(_EXITS)}, max(entry) AS latest, count(*) AS n", ", ".join(_EXITS))
    exits = grouped.project(f"{_AS_NUMBERS}, fault, CAST(latest AS DOUBLE) AS latest, n").df()
    complete = f"stratum IS NOT NULL AND time IS NOT NULL AND event IS NOT NULL AND fault = {SOUND}"
    entered = rows.filter(complete).aggregate("stratum, entry, count(*) AS n", "stratum, entry")
    entries = entered.project("stratum, CAST(entry AS DOUBLE) AS entry, n").df()
    return Tally(_in_order(exits, order), _in_order(entries, order))


_AS_NUMBERS = "stratum, CAST(time AS DOUBLE) AS time, CAST(event AS DOUBLE) AS event"


def _expression(name: str, kind: str) -> str:
    """A column by its quoted name, NaN as missing."""
    quoted = '"' + name.replace('"', '""') + '"'
    return f"nullif({quoted}, 'nan')" if kind in {"float", "double"} else quoted


def _relation_problems(kinds: dict[str, str], endpoint: Endpoint, by: str | None) -> list[str]:
    """Missing columns, and columns of a type that cannot be counted."""
    problems = missing_columns([*endpoint.columns, *([by] if by is not None else [])], list(kinds))
    wanted = {endpoint.duration: "time column", endpoint.event: "event column", endpoint.entry: "entry column"}
    problems += [
        f"{role} {name!r}: holds {kinds[name].upper()}, not numbers; cast it where the source is made"
        for name, role in wanted.items()
        if name in kinds and kinds[name] not in _NUMBERS
    ]
    if by in kinds and kinds[by] in _NESTED:
        problems.append(f"column {by!r}: holds {kinds[by].upper()}, not labels of groups")
    return problems


def _in_order(frame: pd.DataFrame, order: Sequence[str] | None) -> pd.DataFrame:
    """Strata as categories in the order that their file stored; a label that is not in it comes after."""
    if order is None:
        return frame
    strata = frame["stratum"]
    more = sorted(set(strata.dropna()) - set(order))
    return frame.assign(stratum=pd.Categorical(strata, categories=[*order, *more]))


def _tally_of_dask(source: Any, endpoint: Endpoint, by: str | None) -> Tally:  # noqa: ANN401
    """A Dask data frame: each partition counted where it is, the counts brought together."""
    from dask.base import compute
    from dask.delayed import delayed

    names = [*endpoint.columns, *([by] if by is not None else [])]
    raise_all(missing_columns(names, list(source.columns)))
    raise_all(_dtype_problems(source.dtypes, endpoint))
    parts = [delayed(_partition_tally)(part, endpoint, by) for part in source[names].to_delayed()]
    counted: Sequence[Tally] = compute(*parts)  # type: ignore[no-untyped-call]
    exits, entries = zip(*((tally.exits, tally.entries) for tally in counted), strict=True)
    return Tally(
        pd.concat(exits, ignore_index=True),
        pd.concat(entries, ignore_index=True) if endpoint.entry is not None else None,
    )


def _dtype_problems(dtypes: pd.Series, endpoint: Endpoint) -> list[str]:
    """Columns of the outcome whose type is not a number's."""
    roles = zip(endpoint.columns, ("time column", "event column", "entry column"), strict=False)
    return [
        f"{role} {name!r}: holds {dtypes[name]}, not numbers; cast it with astype"
        for name, role in roles
        if not pd.api.types.is_numeric_dtype(dtypes[name])
    ]


def _partition_tally(part: pd.DataFrame, endpoint: Endpoint, by: str | None) -> Tally:
    """One partition, grouped by pandas."""
    roles = zip(("time", "event", "entry"), endpoint.columns, strict=False)
    rows = pd.DataFrame({role: numbers(part, name, []) for role, name in roles})
    rows = rows.assign(stratum="all" if by is None else part[by].array, fault=SOUND, n=1)
    if endpoint.entry is None:
        exits = rows.groupby(_EXITS, dropna=False, observed=True)["n"].sum().reset_index()
        return Tally(exits.assign(latest=np.nan), None)
    entry = rows["entry"]
    faults = [entry.isna(), np.isinf(entry), entry < 0, entry >= rows["time"]]
    rows["fault"] = np.select(faults, [MISSING, INFINITE, NEGATIVE, LATE], SOUND)
    grouped = rows.groupby(_EXITS, dropna=False, observed=True)
    exits = grouped.agg(latest=("entry", "max"), n=("n", "sum")).reset_index()
    sound = rows[(rows["fault"] == SOUND) & rows[["stratum", "time", "event"]].notna().all(axis=1)]
    return Tally(exits, sound.groupby(["stratum", "entry"], observed=True)["n"].sum().reset_index())


def sound_part(tally: Tally, endpoint: Endpoint, by: str | None) -> tuple[pd.DataFrame, tuple[AnalysisWarning, ...]]:
    """The exits of complete rows, and warnings on the others; raises with every fault of the rows."""
    rows = tally.exits[tally.exits["n"] > 0]
    if rows.empty:
        raise CohortError("the cohort has no rows")
    measured = grouping_problems(rows["stratum"].rename(by)) if by is not None else []
    raise_all([*_outcome_problems(rows, endpoint), *measured])
    missing = {endpoint.duration: rows["time"].isna(), endpoint.event: rows["event"].isna()}
    missing |= {endpoint.entry: rows["fault"] == MISSING} if endpoint.entry is not None else {}
    missing |= {by: rows["stratum"].isna()} if by is not None else {}
    complete, dropped = complete_rows(
        {name: np.asarray(absent) for name, absent in missing.items()}, rows["n"].to_numpy()
    )
    if not complete.any():
        raise no_rows_left(dropped)
    kept = rows[complete]
    raise_all(_order_problems(kept, tally.entries, endpoint))
    n_read, n_used = int(rows["n"].sum()), int(kept["n"].sum())
    at_zero = int(kept["n"][(kept["time"] == 0) & (kept["event"] == 0)].sum())
    return kept, (*dropped_warnings(n_read, n_used, dropped), *zero_time_warnings(at_zero, endpoint))


def _outcome_problems(rows: pd.DataFrame, endpoint: Endpoint) -> list[str]:
    """Infinite and negative times, and events that are not 0 or 1, with the number of rows of each."""
    time, event, fault, n = rows["time"], rows["event"], rows["fault"], rows["n"]
    problems = []
    for role, name, infinite, negative in (
        ("time", endpoint.duration, np.isinf(time), np.isfinite(time) & (time < 0)),
        ("entry", endpoint.entry, fault == INFINITE, fault == NEGATIVE),
    ):
        if infinite.any():
            problems.append(f"{role} column {name!r}: infinite values in {_rows(n[infinite])}; set them missing")
        if negative.any():
            shown = f" ({first_few(f'{value:g}' for value in sorted(set(time[negative])))})" if role == "time" else ""
            problems.append(f"{role} column {name!r}: negative values{shown} in {_rows(n[negative])}")
    odd = n[event.notna() & (event != 0) & (event != 1)].groupby(event).sum()
    if len(odd):
        shown = first_few(f"{value:g} in {_rows([count])}" for value, count in odd.items())
        problems.append(f"event column {endpoint.event!r}: {shown}; it must hold 0 and 1 (or True and False)")
    return problems


def _order_problems(kept: pd.DataFrame, entries: pd.DataFrame | None, endpoint: Endpoint) -> list[str]:
    """Nobody followed, and entries at or after the end: as written, or but for a rounding error."""
    problems = []
    if not kept["time"].any():
        problems.append(f"time column {endpoint.duration!r}: every follow-up time is 0; nobody was followed")
    late, advice = kept["fault"] == LATE, "a row must come under observation before it ends"
    if late.any():
        problems.append(
            f"entry column {endpoint.entry!r}: entry is at or after {endpoint.duration!r}"
            f" in {_rows(kept['n'][late])}; {advice}"
        )
    sound = kept[~late]
    if entries is not None and len(sound):
        columns = (sound["time"], sound["latest"], entries["entry"])
        time, latest, _ = merge_near_ties(*(column.to_numpy(dtype=np.float64) for column in columns))
        same = sound["time"][time == latest]
        if len(same):
            problems.append(
                f"entry column {endpoint.entry!r}: entry differs from {endpoint.duration!r} by rounding only at time"
                f" {first_few(f'{value:g}' for value in sorted(set(same)))}; {advice}"
            )
    return problems


def _rows(counts: pd.Series | list[int]) -> str:
    """A number of rows in words."""
    total = int(sum(counts))
    return f"{total} row{'s' if total != 1 else ''}"
