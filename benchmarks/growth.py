"""From a thousand rows to ten million: the time and the peak memory of three pieces of work, ours and lifelines'.

    python -m benchmarks.growth [--most 10000000] [--limit 120] [--output docs]     measure, write growth.csv, draw it
    python -m benchmarks.growth --draw [--output docs]                              draw growth.csv again

Every size runs in a process of its own, once to warm up on at most 150,000 rows, then timed until three seconds have
gone by; the median counts. Ours are the kernels, which large cohorts get by default; up to 20,000 rows the default
engine is lifelines itself. Peak memory is what is held at most while it runs beyond what was held before, with the
columns that were given. A tool whose run takes longer than the limit is not asked for more rows.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import Endpoint, fit_cox, kaplan_meier, logrank_test, save_figure
from benchmarks.growth_figure import plot_growth
from benchmarks.memory import alone, forget_peak, held, peak

ENDPOINT = Endpoint("time", "event", time_unit="days")
COVARIATES = [f"x{place}" for place in range(1, 6)]
WARM, ENOUGH, MOST_RUNS = 150_000, 3.0, 7
DOCS = Path(__file__).parents[1] / "docs"
ALT = (
    "Time (above) and peak memory (below) against the number of rows from 1,000 to 10 million, on decades, for"
    " Kaplan-Meier curves, the log-rank test and a Cox model with 5 covariates; this package and lifelines."
)


def main() -> None:
    """Measure unless only drawing is asked for; draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one process")
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        work, tool, n = options.one
        print(*measured(WORKS[work][tool], rows(int(n))))
        return
    if not options.draw:
        growth(options.most, options.limit).to_csv(options.output / "growth.csv", index=False)
    found = pd.read_csv(options.output / "growth.csv")
    print(*markdown(found), sep="\n")
    draw(found, options.output / "growth.svg")


def rows(n: int) -> pd.DataFrame:
    """Whole days as times, about 40 % censored, four arms, five covariates with an effect."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, len(COVARIATES)))
    died = rng.exponential(900 * np.exp(-x @ np.array([0.3, -0.2, 0.1, 0.0, 0.2])))
    followed = rng.uniform(200, 3000, n)
    arm = pd.Categorical.from_codes(rng.integers(0, 4, n).astype(np.int8), categories=["a", "b", "c", "d"])
    frame = pd.DataFrame({"time": np.ceil(np.minimum(died, followed)), "event": (died <= followed).astype(np.int64)})
    return frame.assign(arm=arm, **dict(zip(COVARIATES, x.T.copy(), strict=True)))


def our_curves(cohort: pd.DataFrame) -> object:
    """Four curves."""
    return kaplan_meier(cohort, ENDPOINT, by="arm", engine="kernel")


def our_test(cohort: pd.DataFrame) -> object:
    """The log-rank test of four groups."""
    return logrank_test(cohort, ENDPOINT, by="arm")


def our_model(cohort: pd.DataFrame) -> object:
    """A Cox model with five covariates, Efron's ties."""
    return fit_cox(cohort, ENDPOINT, COVARIATES, engine="kernel").coefficients


def their_curves(cohort: pd.DataFrame) -> object:
    """The same by ``lifelines.KaplanMeierFitter``, arm by arm."""
    from lifelines import KaplanMeierFitter

    parts = cohort.groupby("arm", observed=True)
    return [KaplanMeierFitter().fit(part["time"], part["event"]) for _, part in parts]


def their_test(cohort: pd.DataFrame) -> object:
    """The same by ``lifelines.statistics.multivariate_logrank_test``."""
    from lifelines.statistics import multivariate_logrank_test

    return multivariate_logrank_test(cohort["time"], cohort["arm"], cohort["event"])


def their_model(cohort: pd.DataFrame) -> object:
    """The same by ``lifelines.CoxPHFitter``."""
    from lifelines import CoxPHFitter

    return CoxPHFitter().fit(cohort[["time", "event", *COVARIATES]], "time", "event")


Work = Callable[[pd.DataFrame], object]
WORKS: dict[str, dict[str, Work]] = {
    "Kaplan-Meier, 4 groups": {"this package": our_curves, "lifelines": their_curves},
    "Log-rank, 4 groups": {"this package": our_test, "lifelines": their_test},
    "Cox, 5 covariates": {"this package": our_model, "lifelines": their_model},
}


def measured(work: Work, cohort: pd.DataFrame) -> tuple[float, float, float]:
    """Median seconds, peak and input in MB of one piece of work."""
    used = ["time", "event", *(COVARIATES if work in (our_model, their_model) else ["arm"])]
    cohort = cohort[used].copy()
    work(cohort.iloc[:WARM])
    before = held()
    forget_peak()
    taken: list[float] = []
    while len(taken) < MOST_RUNS and sum(taken) < ENOUGH:
        start = time.perf_counter()
        work(cohort)
        taken.append(time.perf_counter() - start)
    size = float(cohort.memory_usage(index=False).sum()) / 1e6
    return statistics.median(taken), size + max(peak() - before, 0.0), size


def growth(most: int, limit: float) -> pd.DataFrame:
    """Every piece of work by every tool at every size, as far as the limit allows."""
    found = []
    sizes = [10**power for power in range(3, len(str(most)))]
    for work, tools in WORKS.items():
        for tool in tools:
            for n in sizes:
                words = alone("benchmarks.growth", "--one", work, tool, str(n), limit=limit)
                numbers = [float(word) for word in words] if words else [np.nan] * 3
                found.append((work, tool, n, *numbers))
                if words is None:
                    break
    return pd.DataFrame(found, columns=["work", "tool", "n", "seconds", "peak_mb", "input_mb"]).round(6)


def markdown(found: pd.DataFrame) -> list[str]:
    """Seconds, and peak memory as multiples of the input, by size."""
    sizes = sorted(set(found["n"]))
    lines = ["| work | tool | " + " | ".join(f"{n:,}" for n in sizes) + " |", "| --- | --- |" + " ---: |" * len(sizes)]
    for (work, tool), part in found.groupby(["work", "tool"], sort=False):
        cells = part.set_index("n").reindex(sizes)[["seconds", "peak_mb", "input_mb"]]
        lines.append(f"| {work} | {tool} | " + " | ".join(map(_cell, cells.itertuples(index=False))) + " |")
    note = "Seconds (-: not within the limit); in brackets the most memory held, in multiples of the columns given."
    return [*lines, "", note]


def _cell(run: tuple[float, float, float]) -> str:
    """One size in words; empty where the tool was not asked."""
    seconds, peak_mb, input_mb = run
    if not np.isfinite(seconds):
        return "-"
    return f"{seconds:.3g}" + (f" ({peak_mb / input_mb:.1f}x)" if input_mb >= 1 else "")


def draw(found: pd.DataFrame, path: Path) -> None:
    """The figure, as one SVG; below a megabyte of input, memory is the allocator's rather than the work's."""
    figure = plot_growth(
        found.assign(peak_mb=found["peak_mb"].where(found["input_mb"] >= 1)),
        title="Time and memory grow with the rows",
        subtitle="Whole days as times, about 40 % censored; each size in a process of its own; this package by its own"
        " kernels. A line ends where a run takes longer than the limit.",
    )
    with tempfile.TemporaryDirectory() as folder:
        _, svg, _ = save_figure(figure, Path(folder, path.stem), alt=ALT, title="Growth of time and memory")
        shutil.copy(svg, path)


if __name__ == "__main__":
    main()
