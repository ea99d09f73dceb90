"""How fast a cut-point is searched, beside lifelines' log-rank test in a loop and R's maxstat, on the same rows.

    python -m benchmarks.search_speed

Equal results are asserted before anything is timed. Where Rscript with maxstat is missing that part is left out with a
word (R_LIBS may name a library that holds it).
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis import CutpointSearch, Endpoint, search_cutpoint
from analysis.kernels.cutpoints import chi_squares, cut_rows
from benchmarks.timing import Comparison, Peer, compare, r_seconds, table, versions

ENDPOINT = Endpoint("time", "event")
N_PERMUTATIONS = 9999
MAXSTAT = "R maxstat, condMC"
R_SCRIPT = """
options(digits = 15)
suppressMessages({library(survival); library(maxstat)})
rows <- read.csv(commandArgs(TRUE)[1])
run <- function() maxstat.test(Surv(time, event) ~ marker, data = rows, smethod = "LogRank", pmethod = "condMC",
                               B = 9999, minprop = 0.1, maxprop = 0.9)
set.seed(1)
found <- run()
seconds <- replicate(5, system.time(run())[["elapsed"]])
cat(found$statistic, found$estimate, found$p.value, median(seconds), sep = "\\n")
"""


def main() -> None:
    """Run the comparisons and print them as one table."""
    print(*table(comparisons()), sep="\n")
    print(f"\nMedians, one thread. {versions('numpy', 'numba', 'pandas', 'lifelines')}.")


def comparisons() -> list[Comparison]:
    """Every cut, then the search with its permutation p-value at two sizes."""
    return [*every_cut(1000), *permutations(500), *permutations(1000)]


def rows(n: int) -> pd.DataFrame:
    """A continuous marker, days as times (many ties), about 40 % censored."""
    rng = np.random.default_rng(1)
    marker = rng.normal(size=n)
    died, followed = rng.exponential(400 * np.exp(0.15 * marker)), rng.uniform(100, 1500, n)
    time_seen = np.ceil(np.minimum(died, followed))
    return pd.DataFrame({"time": time_seen, "event": (died <= followed).astype(int), "marker": marker})


def every_cut(n: int) -> list[Comparison]:
    """The log-rank chi-square of every cut: ours against ``lifelines.statistics.logrank_test`` cut by cut."""
    from lifelines.statistics import logrank_test

    cohort = rows(n)
    marker, days = cohort["marker"].to_numpy(), cohort["time"].to_numpy()
    event = cohort["event"].to_numpy() == 1

    def ours() -> np.ndarray:
        """The chi-square of every cut from the arrays as they are."""
        return chi_squares(cut_rows(marker, days, event, min_fraction=0.1, max_fraction=0.9))

    cuts = cut_rows(marker, days, event, min_fraction=0.1, max_fraction=0.9).cut

    def loop() -> np.ndarray:
        """The same, one test a cut."""
        low = [marker <= cut for cut in cuts]
        tests = [logrank_test(days[a], days[~a], event[a], event[~a]) for a in low]
        return np.array([test.test_statistic for test in tests])

    start = time.perf_counter()
    np.testing.assert_allclose(ours(), loop(), rtol=1e-8)
    peer = Peer("lifelines loop", loop, seconds=time.perf_counter() - start)
    work = f"chi-square of every cut ({len(cuts)}), n = {n:,}"
    return compare(work, ours, [replace(peer, run=None)], repeats=51, goals={peer.name: 10_000})


def permutations(n: int) -> list[Comparison]:
    """A search with its permutation p-value: ours, in full but for the bootstrap, against maxstat's condMC."""
    cohort = rows(n)

    def ours() -> CutpointSearch:
        """The public call."""
        return search_cutpoint(cohort, ENDPOINT, "marker", n_permutations=N_PERMUTATIONS, n_bootstrap=0, seed=1)

    work = f"search with 9,999 permutations, n = {n:,}"
    told = r_seconds(R_SCRIPT, cohort)
    if told is None:
        return compare(work, ours, [Peer(MAXSTAT, None)], repeats=11)
    statistic, cut, p_value, seconds = told
    found = ours()
    np.testing.assert_allclose([found.statistic, found.cut], [statistic, cut], rtol=1e-9)
    spread = 4 * np.sqrt(2 * found.p_permutation * (1 - found.p_permutation) / N_PERMUTATIONS)
    assert abs(found.p_permutation - p_value) < max(spread, 0.002), "permutation p-values differ"
    return compare(work, ours, [Peer(MAXSTAT, None, seconds)], repeats=11, goals={MAXSTAT: 20})


if __name__ == "__main__":
    main()
