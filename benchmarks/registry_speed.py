"""A registry in a Parquet file: Kaplan-Meier curves and a log-rank test, beside the bare group-by of DuckDB and Polars.

    python -m benchmarks.registry_speed [--rows 100000000] [--repeats 5]

The peers only count; ours goes on to curves, limits and the test. Equal counts are asserted before anything is timed.
Then each runs once in a process of its own, whose peak memory is told. The file is written to a temporary folder and
removed. A hundred million rows take 190 MB of disk.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import Endpoint, event_counts, kaplan_meier_from_counts, logrank_test_from_counts
from benchmarks.memory import alone, peak
from benchmarks.timing import Comparison, Peer, compare, table, versions

ENDPOINT = Endpoint("time", "event", time_unit="days")
ROW_GROUP = 1_000_000
GOAL = 1.0
"""As fast as the engine's own group-by."""


def main() -> None:
    """Print times and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peak", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        name, file = options.peak
        TOOLS[name](Path(file))
        print(peak())
        return
    with tempfile.TemporaryDirectory() as folder:
        path = write_registry(Path(folder, "registry.parquet"), options.rows)
        print(*table(compared(path, options.rows, options.repeats)), "", *memory(path), sep="\n")
    print("\n" + versions("duckdb", "polars", "pandas", "pyarrow", "numpy"))


def comparisons(rows: int = 100_000_000) -> list[Comparison]:
    """A hundred million rows beside each peer."""
    with tempfile.TemporaryDirectory() as folder:
        return compared(write_registry(Path(folder, "registry.parquet"), rows), rows, 5)


def write_registry(path: Path, n: int) -> Path:
    """Days as times, 60 % with an event, four arms; a row group at a time."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    kinds = pa.schema([("time", pa.int32()), ("event", pa.int8()), ("arm", pa.string())])
    arms = np.array(["a", "b", "c", "d"])
    with ParquetWriter(path, kinds) as writer:
        for place, seed in enumerate(np.random.SeedSequence(1).spawn(-(-n // ROW_GROUP))):
            rng, rows = np.random.default_rng(seed), min(ROW_GROUP, n - place * ROW_GROUP)
            arm = rng.integers(0, 4, rows)
            time = np.minimum(np.ceil(rng.exponential(900 + 100 * arm)), 3650).astype(np.int32)
            event = ((rng.random(rows) < 0.6) & (time < 3650)).astype(np.int8)
            writer.write_table(pa.table({"time": time, "event": event, "arm": arms[arm]}, schema=kinds))
    return path


def ours(path: Path) -> pd.DataFrame:
    """Counts, then curves with limits and the log-rank test."""
    counts = event_counts(path, ENDPOINT, by="arm")
    kaplan_meier_from_counts(counts)
    logrank_test_from_counts(counts)
    return counts


def by_duckdb(path: Path) -> pd.DataFrame:
    """The group-by of DuckDB, as its user would write it."""
    import duckdb

    with duckdb.connect() as connection:
        rows = "SELECT arm, time, event, count(*) AS n FROM read_parquet(?) GROUP BY ALL"
        return connection.execute(rows, [str(path)]).df()


def by_polars(path: Path) -> pd.DataFrame:
    """The group-by of Polars' streaming engine."""
    import polars as pl

    rows = pl.scan_parquet(path).group_by("arm", "time", "event").agg(pl.len().alias("n"))
    found = rows.collect(engine="streaming")
    return pd.DataFrame({name: found[name].to_list() for name in found.columns})


def same_counts(counts: pd.DataFrame, found: pd.DataFrame) -> None:
    """Every count is the peer's."""
    wanted = counts.melt(["stratum", "time"], ["n_event", "n_censor"], value_name="n")
    wanted = wanted[wanted["n"] > 0].assign(event=lambda rows: (rows["variable"] == "n_event").astype(int))
    key = ["arm", "time", "event"]
    ours_sorted = wanted.rename(columns={"stratum": "arm"}).astype({"arm": str}).sort_values(key)
    np.testing.assert_array_equal(ours_sorted[[*key, "n"]].to_numpy(), found.sort_values(key)[[*key, "n"]].to_numpy())


TOOLS: dict[str, Callable[[Path], pd.DataFrame]] = {"ours": ours, "duckdb": by_duckdb, "polars": by_polars}


def compared(path: Path, n: int, repeats: int) -> list[Comparison]:
    """Ours beside each peer that is installed."""
    peers = [
        Peer(f"{name} group-by, counts only", partial(TOOLS[name], path) if find_spec(name) else None)
        for name in ("duckdb", "polars")
    ]
    work = f"Kaplan-Meier and log-rank of a Parquet file, n = {n:,}"
    goals = {peer.name: GOAL for peer in peers}
    return compare(work, partial(ours, path), peers, check=same_counts, repeats=repeats, goals=goals)


def memory(path: Path) -> list[str]:
    """Peak memory of each in a process of its own, libraries included."""
    lines = ["| process | peak memory |", "| --- | ---: |"]
    for name in TOOLS:
        if name == "ours" or find_spec(name):
            found = alone("benchmarks.registry_speed", "--peak", name, str(path))
            assert found is not None
            lines.append(f"| {name} | {float(found[0]):.0f} MB |")
    return [*lines, "", f"The file: {path.stat().st_size / 1e6:.0f} MB."]


if __name__ == "__main__":
    main()
