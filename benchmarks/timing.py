"""Ours and the peers' in one interleaved run: equal results first, then medians and ratios, as a Markdown table."""

from __future__ import annotations

import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

Run = Callable[[], Any]


@dataclass(frozen=True)
class Peer:
    """Another tool's way to the same result; `run` is None where it is not installed.

    `seconds` is for a tool that times itself (R): `run` then gives its result only, once.
    """

    name: str
    run: Run | None
    seconds: float | None = None


@dataclass(frozen=True)
class Comparison:
    """One row: a piece of work, our median time, a peer's, and the ratio that was wanted."""

    work: str
    ours: float
    peer: str
    theirs: float | None
    goal: float | None

    @property
    def ratio(self) -> float | None:
        """How many times longer the peer took."""
        return None if self.theirs is None else self.theirs / self.ours


def compare(
    work: str,
    ours: Run,
    peers: Sequence[Peer],
    *,
    check: Callable[[Any, Any], None] | None = None,
    repeats: int = 7,
    goals: dict[str, float] | None = None,
) -> list[Comparison]:
    """Check that every peer says the same, then time ours and theirs in turn.

    Parameters
    ----------
    work : str
        What is done, in words, with its size.
    ours : callable
        Our call.
    peers : sequence of Peer
    check : callable, optional
        Takes our result and a peer's; raises where they differ. Not needed for peers that were compared and timed
        before, whose `run` is None.
    repeats : int
        Timed rounds after one that warms up.
    goals : dict, optional
        The ratio wanted of a peer, by its name.

    Returns
    -------
    list of Comparison
        One row a peer.
    """
    result = ours()
    for peer in peers:
        if peer.run is not None:
            assert check is not None, f"{peer.name}: nothing says that the results are equal"
            check(result, peer.run())
    timed = [peer for peer in peers if peer.run is not None and peer.seconds is None]
    taken: dict[str, list[float]] = {"": [], **{peer.name: [] for peer in timed}}
    for _ in range(repeats):
        taken[""].append(_clocked(ours))
        for peer in timed:
            taken[peer.name].append(_clocked(peer.run))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    rows = []
    for peer in peers:
        theirs = peer.seconds if peer.seconds is not None else medians.get(peer.name)
        rows.append(Comparison(work, medians[""], peer.name, theirs, (goals or {}).get(peer.name)))
    return rows


def _clocked(run: Run | None) -> float:
    """The seconds of one call."""
    assert run is not None
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def r_seconds(script: str, frame: pd.DataFrame, *arguments: str) -> list[float] | None:
    """What an R script prints, one number a line, given `frame` as a CSV; None where R or a package is missing.

    The script reads ``commandArgs(TRUE)[1]``, compares byte-compiled and warm, and prints its median seconds last.
    """
    with tempfile.TemporaryDirectory() as folder:
        data, code = Path(folder, "rows.csv"), Path(folder, "run.R")
        frame.to_csv(data, index=False, float_format="%.17g")
        code.write_text(script, encoding="utf-8")
        try:
            run = subprocess.run(
                ["Rscript", str(code), str(data), *arguments], capture_output=True, text=True, check=True
            )
        except (FileNotFoundError, subprocess.CalledProcessError):
            return None
    return [float(line) for line in run.stdout.split()]


def table(comparisons: Iterable[Comparison]) -> list[str]:
    """The rows as a Markdown table; a ratio short of its goal says so."""
    lines = ["| work | ours | peer | theirs | ratio | goal |", "| --- | ---: | --- | ---: | ---: | --- |"]
    for row in comparisons:
        if row.ratio is None:
            lines.append(f"| {row.work} | {duration(row.ours)} | {row.peer} | not installed | | |")
            continue
        goal = "" if row.goal is None else times(row.goal) + ("" if row.ratio >= row.goal else ": not reached")
        assert row.theirs is not None
        lines.append(
            f"| {row.work} | {duration(row.ours)} | {row.peer} | {duration(row.theirs)} | {times(row.ratio)} | {goal} |"
        )
    return lines


def times(ratio: float) -> str:
    """A ratio in three digits, or in full where it is large."""
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.3g}x"


def duration(seconds: float) -> str:
    """Seconds in the unit that reads well."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def versions(*names: str) -> str:
    """The versions of what ran, those that are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
