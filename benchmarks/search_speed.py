"""How fast a cut-point is searched, beside lifelines' log-rank test in a loop and R's maxstat, on the same rows.

    python -m benchmarks.search_speed [--loops 1]

Equal results are asserted before anything is timed. Where Rscript with maxstat is missing that part is left out with a
word (R_LIBS may name a library that holds it).
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import Endpoint, search_cutpoint
from analysis.kernels.cutpoint_scan import chi_squares, cut_rows

ENDPOINT = Endpoint("time", "event")
N_PERMUTATIONS = 9999
R_SCRIPT = """
options(digits = 15)
suppressMessages({library(survival); library(maxstat)})
rows <- read.csv(commandArgs(TRUE)[1])
run <- function() maxstat.test(Surv(time, event) ~ marker, data = rows, smethod = "LogRank", pmethod = "condMC",
                               B = 9999, minprop = 0.1, maxprop = 0.9)
set.seed(1)
found <- run()
seconds <- replicate(5, system.time(run())[["elapsed"]])
cat(found$statistic, found$estimate, found$p.value, median(seconds), R.version.string,
    as.character(packageVersion("maxstat")), sep = "\\n")
"""


def main() -> None:
    """Run the comparisons and print them as one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=1, help="loops over lifelines' test (10 s each)")
    loops = parser.parse_args().loops
    lines = [
        "| work | ours | peer | ratio |",
        "| --- | --- | --- | --- |",
        every_cut(1000, loops),
        *(row for n in (500, 1000) for row in permutations(n)),
    ]
    print(*lines, sep="\n")
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "pandas", "lifelines"))
    print(f"\nMedians. Python {platform.python_version()}, {packages}; {platform.machine()}, one thread.")


def rows(n: int) -> pd.DataFrame:
    """A continuous marker, days as times (many ties), about 40 % censored."""
    rng = np.random.default_rng(1)
    marker = rng.normal(size=n)
    died, followed = rng.exponential(400 * np.exp(0.15 * marker)), rng.uniform(100, 1500, n)
    time_seen = np.ceil(np.minimum(died, followed))
    return pd.DataFrame({"time": time_seen, "event": (died <= followed).astype(int), "marker": marker})


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median time of some runs after a first one."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def every_cut(n: int, loops: int) -> str:
    """The log-rank chi-square of every cut: ours against ``lifelines.statistics.logrank_test`` cut by cut."""
    from lifelines.statistics import logrank_test

    cohort = rows(n)
    marker, months = cohort["marker"].to_numpy(), cohort["time"].to_numpy()
    event = cohort["event"].to_numpy() == 1

    def ours() -> np.ndarray:
        return chi_squares(cut_rows(marker, months, event, min_fraction=0.1, max_fraction=0.9))

    cuts = cut_rows(marker, months, event, min_fraction=0.1, max_fraction=0.9).cut

    def peer() -> np.ndarray:
        low = [marker <= cut for cut in cuts]
        return np.array(
            [logrank_test(months[a], months[~a], event[a], event[~a]).test_statistic for a in low]
        )  # fmt: skip

    before = seconds(ours, 50)
    taken, theirs = [], np.empty(0)
    for _ in range(loops):
        start = time.perf_counter()
        theirs = peer()
        taken.append(time.perf_counter() - start)
    np.testing.assert_allclose(ours(), theirs, rtol=1e-8)
    fast = statistics.median([before, seconds(ours, 50)])
    slow = statistics.median(taken)
    work = f"chi-square of every cut ({len(cuts)}), n = {n}"
    return f"| {work} | {fast * 1e3:.2f} ms | lifelines loop {slow:.2f} s | {slow / fast:,.0f}x |"


def permutations(n: int) -> list[str]:
    """A search with its permutation p-value: ours, in full but for the bootstrap, against maxstat's condMC."""
    cohort = rows(n)

    def ours() -> object:
        return search_cutpoint(
            cohort, ENDPOINT, "marker", n_permutations=N_PERMUTATIONS, n_bootstrap=0, seed=1
        )  # fmt: skip

    found = search_cutpoint(cohort, ENDPOINT, "marker", n_permutations=N_PERMUTATIONS, n_bootstrap=0, seed=1)
    before = seconds(ours, 10)
    told = _maxstat(cohort)
    if told is None:
        return [f"| search, 9,999 permutations, n = {n} | {before * 1e3:.1f} ms | maxstat not installed | |"]
    statistic, cut, p_value, slow, *versions = told
    np.testing.assert_allclose([found.statistic, found.cut], [float(statistic), float(cut)], rtol=1e-9)
    spread = 4 * np.sqrt(2 * found.p_permutation * (1 - found.p_permutation) / N_PERMUTATIONS)
    assert abs(found.p_permutation - float(p_value)) < max(spread, 0.002), "permutation p-values differ"
    fast = statistics.median([before, seconds(ours, 10)])
    peer = f"maxstat {versions[1]} condMC ({versions[0].split(' (')[0]}) {float(slow) * 1e3:.0f} ms"
    return [f"| search, 9,999 permutations, n = {n} | {fast * 1e3:.1f} ms | {peer} | {float(slow) / fast:.0f}x |"]


def _maxstat(cohort: pd.DataFrame) -> list[str] | None:
    """What R's maxstat says of these rows, and its median time; None where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder, "rows.csv"), Path(folder, "run.R")
        cohort.to_csv(data, index=False, float_format="%.17g")
        script.write_text(R_SCRIPT, encoding="utf-8")
        try:
            run = subprocess.run(["Rscript", str(script), str(data)], capture_output=True, text=True, check=True)
        except (FileNotFoundError, subprocess.CalledProcessError):
            return None
    return run.stdout.split("\n")[:6]


if __name__ == "__main__":
    main()
