"""The rows of a Parquet file as a Cox model's passes read them; see `analysis.survival.registry.cox`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import Endpoint, numbers
from analysis.errors import CohortError, raise_all
from analysis.kernels import cox_registry as kernel
from analysis.kernels.times import run_starts
from analysis.survival.registry.sources import missing_columns, parquet_files
from analysis.survival.rows import NOBODY_FOLLOWED, complete_rows, group_rows, no_rows_left, survival_data

if TYPE_CHECKING:
    from analysis.kernels.cox_tiles import Rows


@dataclass(frozen=True)
class ParquetRows:
    """Where the rows are, and which of their columns are read."""

    files: tuple[str, ...]
    n_rows: int
    endpoint: Endpoint
    covariates: tuple[str, ...]
    strata: tuple[str, ...]
    chunk_rows: int

    @property
    def columns(self) -> list[str]:
        """Every column that is read, in the order in which missing values are counted."""
        return list(dict.fromkeys([*self.endpoint.columns, *self.covariates, *self.strata]))

    def frames(self) -> Iterator[pd.DataFrame]:
        """The rows, chunk by chunk."""
        from pyarrow.parquet import ParquetFile

        for name in self.files:
            with ParquetFile(name) as file:
                for batch in file.iter_batches(batch_size=self.chunk_rows, columns=self.columns):
                    yield batch.to_pandas()[self.columns]


@dataclass(frozen=True, eq=False)
class Part:
    """What a pass over some rows gathers, times as they are written; parts add up.

    `low` and `high` are the smallest and largest value of each covariate, `entries` the distinct times of entry,
    `sample` some of the rows.
    """

    tally: kernel.Tally
    entries: FloatArray
    low: FloatArray
    high: FloatArray
    sample: kernel.CoxArrays
    n_used: int
    n_event: int
    n_censored_at_zero: int

    def __add__(self, other: Part) -> Part:
        """Of the rows of both."""
        return Part(
            kernel.add_tallies([self.tally, other.tally]),
            np.union1d(self.entries, other.entries),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
            self.sample.followed_by(other.sample),
            self.n_used + other.n_used,
            self.n_event + other.n_event,
            self.n_censored_at_zero + other.n_censored_at_zero,
        )


@dataclass(frozen=True, eq=False)
class Known:
    """What the first pass finds out of all rows.

    `distinct` holds the times as they are written and `merged` what each is merged into (itself where none is), the
    tally and the sample of `rows` their merged times; `codes` those of the labels of strata; `n_read` and `dropped`
    count rows.
    """

    rows: Part
    distinct: FloatArray
    merged: FloatArray
    codes: dict[str, int]
    n_read: int
    dropped: dict[str, int]

    def merge(self, times: FloatArray) -> FloatArray:
        """Times as they are written, near-ties merged."""
        if self.merged is self.distinct:
            return times
        return np.asarray(self.merged[np.searchsorted(self.distinct, times)], dtype=np.float64)


def parquet_rows(
    path: Path, endpoint: Endpoint, covariates: tuple[str, ...], strata: tuple[str, ...], chunk_rows: int
) -> ParquetRows:
    """The files of a path, once they are known to hold the columns."""
    from pyarrow.lib import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    source = ParquetRows(tuple(parquet_files(path)), 0, endpoint, covariates, strata, chunk_rows)
    n_rows = 0
    for name in source.files:
        try:
            with ParquetFile(name) as file:
                raise_all(missing_columns(source.columns, file.schema_arrow.names))
                n_rows += file.metadata.num_rows
        except ArrowInvalid as error:
            raise CohortError(f"{name}: not a Parquet file ({str(error).splitlines()[0]})") from error
    return replace(source, n_rows=n_rows)


def first_pass(source: ParquetRows) -> Known:
    """Check every row; count events by stratum and time; keep a systematic sample.

    Raises
    ------
    CohortError
        Faults, with the rows in which they are; no rows left.
    """
    codes: dict[str, int] = {}
    dropped: Counter[str] = Counter()
    gathered: Part | None = None
    n_read, step = 0, max(1, source.n_rows // kernel.SAMPLE)
    for frame in source.frames():
        rows, own = _complete(frame)
        dropped.update(own)
        n_read += len(frame)
        if len(rows):
            _check(rows, source, n_read - len(frame), n_read)
            part = _part(_arrays(rows, source, codes), step)
            gathered = part if gathered is None else gathered + part
    if gathered is None:
        raise no_rows_left(dropped) if dropped else CohortError("no rows left: the file has none")
    if not gathered.tally.time.any():
        raise CohortError(f"time column {source.endpoint.duration!r}: {NOBODY_FOLLOWED}")
    distinct = np.union1d(gathered.tally.time, gathered.entries)
    starts = run_starts(distinct)
    merged = distinct
    if len(starts) < len(distinct):
        merged = distinct[starts][np.searchsorted(starts, np.arange(len(distinct)), side="right") - 1]
    known = Known(gathered, distinct, merged, codes, n_read, dict(dropped))
    tally = kernel.add_tallies([replace(gathered.tally, time=known.merge(gathered.tally.time))])
    return replace(known, rows=replace(gathered, tally=tally, sample=_merged(gathered.sample, known)))


def later_pass(source: ParquetRows, known: Known, events: kernel.EventTimes, index: IntArray) -> Iterator[Rows]:
    """The rows again, chunk by chunk, for the kernel; `index` is that of each time in the tally of all."""
    from analysis.kernels.cox_tiles import Rows

    nothing, nowhere = np.empty(0), np.empty(0, dtype=np.int64)
    for frame in source.frames():
        rows, _ = _complete(frame)
        if not len(rows):
            continue
        arrays = _merged(_arrays(rows, source, known.codes), known)
        own, key = kernel.tally_rows(arrays.time, arrays.event, strata=arrays.strata)
        cell = (2 * index)[kernel.positions_in(known.rows.tally, own)][key]
        cell += arrays.event
        yield Rows(
            x=arrays.x.T,
            cell=cell,
            missed=nowhere if arrays.entry is None else kernel.positions_missed(events, arrays.entry, arrays.strata),
            weight=nothing,
            stratum=nowhere if arrays.strata is None else arrays.strata,
        )


def spread(known: Known) -> tuple[FloatArray, FloatArray]:
    """What is taken off the covariates, by stratum, and what they are divided by: of the sample, where it varies."""
    sample = known.rows.sample
    centre, scale = kernel.moments_within(sample.x, sample.strata, max(1, len(known.codes)))
    return centre, np.where(np.isinf(scale), known.rows.high - known.rows.low, scale)


def _complete(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that miss nothing; the others are counted by reason."""
    kept, dropped = complete_rows({name: frame[name].isna().to_numpy(dtype=bool) for name in frame.columns})
    return frame if kept.all() else frame[kept], dropped


def _check(rows: pd.DataFrame, source: ParquetRows, start: int, end: int) -> None:
    """The gate that every estimator uses; its words with the chunk in which it found a fault."""
    try:
        survival_data(rows, source.endpoint, strata=source.strata, covariates=source.covariates)
    except CohortError as error:
        # Whether anybody was followed is known once all chunks are read.
        faults = [fault for fault in error.problems if not fault.endswith(NOBODY_FOLLOWED)]
        raise_all([f"rows {start:,} to {end - 1:,} of the file: {fault}" for fault in faults])


def _arrays(rows: pd.DataFrame, source: ParquetRows, codes: dict[str, int]) -> kernel.CoxArrays:
    """Sound rows as arrays, times as they are written; labels of strata not met before get the next codes."""
    endpoint = source.endpoint
    strata = None
    if source.strata:
        groups = group_rows(rows, source.strata)
        own = [codes.setdefault(label, len(codes)) for label in groups.labels]
        strata = np.asarray(own, dtype=np.int64)[groups.codes]
    return kernel.CoxArrays(
        x=np.array([numbers(rows, name, []) for name in source.covariates]).T,
        time=numbers(rows, endpoint.duration, []),
        event=numbers(rows, endpoint.event, []) == 1,
        entry=None if endpoint.entry is None else numbers(rows, endpoint.entry, []),
        strata=strata,
    )


def _part(arrays: kernel.CoxArrays, step: int) -> Part:
    """What is gathered from the rows of a chunk."""
    return Part(
        tally=kernel.tally_rows(arrays.time, arrays.event, strata=arrays.strata)[0],
        entries=np.empty(0) if arrays.entry is None else np.unique(arrays.entry),
        low=arrays.x.min(axis=0),
        high=arrays.x.max(axis=0),
        sample=arrays.some(np.arange(0, len(arrays.time), step)),
        n_used=len(arrays.time),
        n_event=int(arrays.event.sum()),
        n_censored_at_zero=int(((arrays.time == 0) & ~arrays.event).sum()),
    )


def _merged(arrays: kernel.CoxArrays, known: Known) -> kernel.CoxArrays:
    """The rows with near-ties merged; entry still comes before the end."""
    time = known.merge(arrays.time)
    if arrays.entry is None:
        return arrays._replace(time=time)
    entry = known.merge(arrays.entry)
    if (entry >= time).any():
        raise CohortError(f"entry and follow-up time differ only by rounding in {int((entry >= time).sum())} rows")
    return arrays._replace(time=time, entry=entry)
