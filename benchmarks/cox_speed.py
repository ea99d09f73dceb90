"""How fast a Cox model is fitted to a million rows, to two hundred, and to a file, beside other tools on the same rows.

    python -m benchmarks.cox_speed [--rows 1000000]

Equal coefficients are asserted first. All on one thread. "kernel" is the call on arrays, beside the peers' calls on
arrays; "public" is `fit_cox` on a data frame, with its checks, tests and tables.
"""

from __future__ import annotations

import os

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before the Rust package is imported

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import Endpoint, fit_cox, fit_cox_counts, fit_cox_file
from analysis.errors import AnalysisWarning
from analysis.kernels.cox_registry import CoxArrays, fit_large
from analysis.kernels.cox_resamples import fit_weighted_batch
from benchmarks.memory import alone, peak
from benchmarks.timing import Comparison, Peer, compare, duration, r_seconds, table, versions

ENDPOINT = Endpoint("time", "event")
EFFECTS = np.array([0.5, 0.3, 0.0, 0.0, -0.2, 0.1, 0.0, -0.1, 0.05, 0.0])
COXPH_FIT = """
options(digits = 15)
suppressMessages(library(survival))
rows <- read.csv(commandArgs(TRUE)[1]); repeats <- as.integer(commandArgs(TRUE)[2])
x <- as.matrix(rows[grep("^x", names(rows))]); y <- Surv(rows$time, rows$event); control <- coxph.control()
run <- compiler::cmpfun(function()
  coxph.fit(x, y, NULL, NULL, NULL, control, NULL, "efron", NULL, resid = FALSE)$coefficients)
found <- run()
several <- if (nrow(rows) > 1e4) 1 else 200  # a call on few rows is shorter than the clock's tick
seconds <- median(replicate(repeats, system.time(for (i in seq_len(several)) run())[["elapsed"]])) / several
cat(found, seconds, sep = "\\n")
"""
RESAMPLES = 1000


def main() -> None:
    """Run the comparisons and print them as one table, then what a file costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--peak", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore", AnalysisWarning)
    if options.peak:
        print(*_way(*options.peak))
        return
    print(*table(comparisons(options.rows)), "", *memory(10 * options.rows), sep="\n")
    print(f"\nMedians. {versions('numpy', 'numba', 'pandas', 'lifelines', 'survival', 'coxstream')}; one thread.")


def comparisons(n: int = 1_000_000) -> list[Comparison]:
    """Many rows, then few."""
    return [*many_rows(rows_of(n, 10)), *few_rows(rows_of(200, 5)), *one_call(rows_of(200, 5))]


def rows_of(n: int, p: int) -> pd.DataFrame:
    """Covariates, days as times (many ties), about 40 % censored."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, p))
    died, followed = rng.exponential(1000 * np.exp(-x @ EFFECTS[:p])), rng.exponential(1500, n)
    cohort = pd.DataFrame(x, columns=[f"x{place}" for place in range(p)])
    return cohort.assign(time=np.ceil(np.minimum(died, followed)), event=(died <= followed).astype(int))


def check(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal coefficients; peers stop at a change of 1e-9 in the likelihood."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def many_rows(cohort: pd.DataFrame) -> list[Comparison]:
    """The kernel, and the public call, on a million rows."""
    x, months, event = arrays_of(cohort)
    work = f"Cox, Efron, n = {len(cohort):,}, p = {x.shape[1]}"

    def kernel() -> np.ndarray:
        problem, solution = fit_large(CoxArrays(x, months, event))
        return solution.point.beta / problem.scale

    told = r_seconds(COXPH_FIT, cohort, "3")
    in_r = Peer("R coxph.fit", None if told is None else lambda: np.array(told[:-1]), told and told[-1])
    peers = [
        Peer("coxstream", coxstream(x, months, event)),
        in_r,
        Peer("Rust survival, coxph_fit_raw", rust(x, months, event)),
        slow("lifelines", lambda: lifelines(cohort)),
    ]
    goals = dict(zip([peer.name for peer in peers], (4, 4, 12, 20), strict=True))
    return [
        *compare(f"{work}, kernel", kernel, peers, check=check, repeats=5, goals=goals),
        *compare(f"{work}, public", lambda: public(cohort), [in_r], check=check, repeats=5, goals={in_r.name: 2.5}),
    ]


def few_rows(cohort: pd.DataFrame) -> list[Comparison]:
    """A thousand models of two hundred rows each, from coefficients zero: resamples, which the peers get as rows."""
    x, months, event = arrays_of(cohort)
    n, p = x.shape
    weights = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    places = [np.repeat(np.arange(n), counts) for counts in weights]

    def kernel() -> np.ndarray:
        return fit_weighted_batch(x, months, event, weights, start=np.zeros(p))[0]

    def loop() -> np.ndarray:
        return np.array([rust(x[rows], months[rows], event[rows])() for rows in places])  # type: ignore[misc]

    one = rust(x, months, event)
    name = "Rust survival, loop over coxph_fit_raw"
    return compare(
        f"{RESAMPLES:,} Cox fits, Efron, n = {n}, p = {p}, kernel",
        kernel,
        [Peer(name, None if one is None else loop)],
        check=check,
        goals={name: 1.5},
    )


def one_call(cohort: pd.DataFrame) -> list[Comparison]:
    """One public call on two hundred rows."""
    told = r_seconds(COXPH_FIT, cohort, "7")
    in_r = Peer("R coxph.fit (bare)", None if told is None else lambda: np.array(told[:-1]), told and told[-1])
    peers = [Peer("lifelines", lambda: lifelines(cohort)), in_r]
    return compare(
        f"Cox, Efron, n = {len(cohort)}, p = {cohort.shape[1] - 2}, public, engine='kernel'",
        lambda: public(cohort),
        peers,
        check=check,
        repeats=31,
        goals={"lifelines": 5},
    )


def arrays_of(cohort: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariates row by row, times and events."""
    x = np.ascontiguousarray(cohort.drop(columns=["time", "event"]).to_numpy())
    return x, cohort["time"].to_numpy(), cohort["event"].to_numpy() == 1


def public(cohort: pd.DataFrame) -> np.ndarray:
    """`fit_cox` by the kernel, whatever the number of rows."""
    terms = [name for name in cohort.columns if name not in ("time", "event")]
    return fit_cox(cohort, ENDPOINT, terms, engine="kernel").coefficients["coef"].to_numpy()


def lifelines(cohort: pd.DataFrame) -> np.ndarray:
    """lifelines, in the mode that is fast for many rows."""
    from lifelines import CoxPHFitter

    return CoxPHFitter().fit(cohort, "time", "event", batch_mode=True).params_.to_numpy()


def slow(name: str, run: Callable[[], np.ndarray]) -> Peer:
    """A peer that is timed once."""
    start = time.perf_counter()
    found = run()
    return Peer(f"{name} (once)", lambda: found, time.perf_counter() - start)


def rust(x: np.ndarray, months: np.ndarray, event: np.ndarray) -> Callable[[], np.ndarray] | None:
    """The Rust package's fit of arrays."""
    try:
        from survival.regression import coxph_fit_raw
    except ImportError:
        return None
    status = event.astype(np.int32)
    return lambda: np.array(coxph_fit_raw(months, status, x, resid=False).coefficients)


def coxstream(x: np.ndarray, months: np.ndarray, event: np.ndarray) -> Callable[[], np.ndarray] | None:
    """Coxstream's fit of arrays, which it sorts itself."""
    try:
        from coxstream import CoxStream
    except ImportError:
        return None
    return lambda: CoxStream().fit(months, event, x).coef_


def memory(n: int) -> list[str]:
    """Time and peak memory of a Parquet file's model, in chunks and from counts, each in a process of its own."""
    lines = ["| work | time | peak memory |", "| --- | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), n)
        for way, words in WAYS.items():
            seconds, megabytes = alone("benchmarks.cox_speed", "--peak", way, folder) or ("nan", "nan")
            lines.append(f"| {words.format(n=n)} | {duration(float(seconds))} | {float(megabytes):,.0f} MB |")
    return lines


WAYS = {
    "nothing": "imports, and the same model of 1,000 rows",
    "chunks": "Cox of a Parquet file, n = {n:,}, p = 4, in chunks (fit_cox_file)",
    "counts": "Cox of the same rows counted by DuckDB, then fit_cox_counts",
    "rows": "Cox of the same rows in memory (fit_cox)",
}


def _write(folder: Path, n: int) -> None:
    """Rows with four covariates of three values each; a row group at a time."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    rng, writer = np.random.default_rng(1), None
    for size in [1000, *[min(500_000, n - start) for start in range(0, n, 500_000)]]:
        x = rng.integers(0, 3, (size, 4))
        died, followed = rng.exponential(1000 * np.exp(-x @ EFFECTS[:4])), rng.exponential(1500, size)
        part = pd.DataFrame(x.astype(np.int8), columns=[f"x{place}" for place in range(4)])
        part = part.assign(time=np.ceil(np.minimum(died, followed)).astype(np.int32), event=died <= followed)
        if size == 1000:
            part.to_parquet(folder / "few.parquet")
            continue
        batch = pa.Table.from_pandas(part)
        writer = writer or ParquetWriter(folder / "many.parquet", batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()


def _way(way: str, folder: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of one way to the model."""
    terms, many = [f"x{place}" for place in range(4)], f"{folder}/many.parquet"
    fit_cox_file(f"{folder}/few.parquet", ENDPOINT, terms)  # imports, and compiled code from the disk
    start = time.perf_counter()
    if way == "chunks":
        fit_cox_file(many, ENDPOINT, terms)
    elif way == "counts":
        import duckdb

        names = ", ".join([*terms, "time", "event"])
        counts = duckdb.sql(f"select {names}, count(*) as n from '{many}' group by all").df()
        fit_cox_counts(counts, ENDPOINT, terms)
    elif way == "rows":
        fit_cox(pd.read_parquet(many), ENDPOINT, terms)
    return time.perf_counter() - start, peak()


if __name__ == "__main__":
    main()
