"""How fast a Cox model is bootstrapped and a log-rank test permuted, beside other tools on the same rows.

    python -m benchmarks.resampling_speed

What is compared is asserted first: the coefficients of all rows to 1e-6, the permutation statistic to 1e-8; standard
errors and p-values, which rest on each tool's own random numbers, within their Monte-Carlo error. All on one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before the Rust package is imported

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import Endpoint, bootstrap_cox, permutation_logrank
from benchmarks.timing import Comparison, Peer, compare, r_seconds, table, versions

ENDPOINT = Endpoint("time", "event")
TERMS = ["x1", "x2", "x3", "x4", "x5"]
N_BOOTSTRAP, N_PERMUTATIONS = 1000, 10_000
FEW = 20
"""Fits or tests of lifelines that are timed; its time for all is theirs times how many there would be."""

COXPH_FIT = """
options(digits = 15)
suppressMessages(library(survival))
rows <- read.csv(commandArgs(TRUE)[1])
x <- as.matrix(rows[paste0("x", 1:5)]); y <- Surv(rows$time, rows$event); n <- nrow(x)
control <- coxph.control()
fit <- function(i) coxph.fit(x[i, ], y[i], NULL, NULL, NULL, control, NULL, "efron", NULL, resid = FALSE)$coefficients
run <- compiler::cmpfun(function() t(replicate(1000, fit(sample.int(n, replace = TRUE)))))
set.seed(1)
draws <- run()
seconds <- median(replicate(3, system.time(run())[["elapsed"]]))
cat(fit(seq_len(n)), apply(draws, 2, sd), seconds, sep = "\\n")
"""
COIN = """
options(digits = 15)
suppressMessages({library(survival); library(coin)})
rows <- read.csv(commandArgs(TRUE)[1])
rows$arm <- factor(rows$arm)
run <- compiler::cmpfun(function() {
  test <- logrank_test(Surv(time, event) ~ arm, data = rows, distribution = approximate(nresample = 10000))
  c(statistic(test)^2, pvalue(test))
})
set.seed(1)
found <- run()
seconds <- median(replicate(5, system.time(run())[["elapsed"]]))
cat(found, seconds, sep = "\\n")
"""


@dataclass(frozen=True)
class Bootstrapped:
    """The model of all rows and the standard deviation of its resamples; NaN where too few were fitted to tell."""

    coef: np.ndarray
    std_error: np.ndarray


@dataclass(frozen=True)
class Permuted:
    """A statistic and its permutation p-value; NaN where too few were drawn to tell."""

    statistic: float
    p_value: float


def main() -> None:
    """Run the comparisons and print them as one table."""
    print(*table(comparisons()), sep="\n")
    print(f"\nMedians. {versions('numpy', 'numba', 'pandas', 'lifelines', 'survival')}; one thread.")


def comparisons() -> list[Comparison]:
    """Bootstrap and permutations."""
    return [*bootstraps(rows(500)), *permutations(rows(500))]


def rows(n: int) -> pd.DataFrame:
    """Five covariates and two arms, days as times (some tied), about 40 % censored."""
    rng = np.random.default_rng(1)
    x, arm = rng.normal(size=(n, 5)), rng.integers(0, 2, n)
    died = rng.exponential(800 * np.exp(-x @ [0.5, 0.3, 0, 0, -0.2] - 0.2 * arm))
    followed = rng.uniform(120, 1800, n)
    cohort = pd.DataFrame(x, columns=TERMS).assign(arm=arm)
    return cohort.assign(time=np.ceil(np.minimum(died, followed)), event=(died <= followed).astype(int))


def bootstraps(cohort: pd.DataFrame) -> list[Comparison]:
    """1,000 resamples of a Cox model of five covariates; Rust's bootstrap knows Breslow's ties only."""

    def ours(ties: str) -> Callable[[], Bootstrapped]:
        def run() -> Bootstrapped:
            found = bootstrap_cox(cohort, ENDPOINT, TERMS, n_bootstrap=N_BOOTSTRAP, seed=1, ties=ties)
            return Bootstrapped(found.summary["coef"].to_numpy(), found.summary["std_error"].to_numpy())

        return run

    work = f"{N_BOOTSTRAP:,} bootstrap Cox fits, n = {len(cohort)}, p = 5"
    rust = Peer("Rust survival, bootstrap_cox_ci", rust_bootstrap(cohort))
    told = r_seconds(COXPH_FIT, cohort)
    looped = None if told is None else Bootstrapped(np.array(told[:5]), np.array(told[5:10]))
    r_loop = Peer("R loop over coxph.fit", None if looped is None else lambda: looped, told and told[-1])
    slow, seconds = lifelines_bootstrap(cohort)
    few = Peer(f"lifelines loop ({FEW} fits x {N_BOOTSTRAP // FEW})", lambda: slow, seconds)
    return [
        *compare(
            f"{work}, Breslow", ours("breslow"), [rust], check=check_bootstraps, repeats=9, goals={rust.name: 2}
        ),
        *compare(
            f"{work}, Efron", ours("efron"), [r_loop, few], check=check_bootstraps, goals={few.name: 300}
        ),
    ]  # fmt: skip


def rust_bootstrap(cohort: pd.DataFrame) -> Callable[[], Bootstrapped] | None:
    """The bootstrap that the Rust package brings along, given lists, as it asks for."""
    try:
        from survival.validation import bootstrap_cox_ci
    except ImportError:
        return None
    given = cohort["time"].tolist(), cohort["event"].tolist(), cohort[TERMS].to_numpy().tolist()

    def run() -> Bootstrapped:
        found = bootstrap_cox_ci(*given, n_bootstrap=N_BOOTSTRAP, seed=1)
        return Bootstrapped(np.array(found.coefficients), np.array(found.std_errors))

    return run


def lifelines_bootstrap(cohort: pd.DataFrame) -> tuple[Bootstrapped, float]:
    """A few of lifelines' fits to resampled rows, and how long all would take."""
    from lifelines import CoxPHFitter

    held, rng = cohort[["time", "event", *TERMS]], np.random.default_rng(1)
    coef = CoxPHFitter().fit(held, "time", "event").params_.to_numpy()
    start = time.perf_counter()
    for _ in range(FEW):
        CoxPHFitter().fit(held.iloc[rng.integers(0, len(held), len(held))], "time", "event")
    seconds = (time.perf_counter() - start) / FEW * N_BOOTSTRAP
    return Bootstrapped(coef, np.full(len(TERMS), np.nan)), seconds


def check_bootstraps(ours: Bootstrapped, theirs: Bootstrapped) -> None:
    """Equal coefficients (Rust stops early); errors within five Monte-Carlo errors, 1 / sqrt(2 draws) each."""
    np.testing.assert_allclose(ours.coef, theirs.coef, rtol=0, atol=1e-6)
    if not np.isnan(theirs.std_error).any():
        np.testing.assert_allclose(np.log(ours.std_error / theirs.std_error), 0, atol=5 / math.sqrt(N_BOOTSTRAP))


def permutations(cohort: pd.DataFrame) -> list[Comparison]:
    """10,000 permutations of two arms."""

    def ours() -> Permuted:
        found = permutation_logrank(cohort, ENDPOINT, by="arm", n_permutations=N_PERMUTATIONS, seed=1)
        return Permuted(found.statistic, found.p_value)

    told = r_seconds(COIN, cohort)
    by_coin = None if told is None else Permuted(*told[:2])
    coin = Peer("R coin, approximate()", None if by_coin is None else lambda: by_coin, told and told[-1])
    slow, seconds = lifelines_permutations(cohort)
    few = Peer(f"lifelines loop ({FEW} tests x {N_PERMUTATIONS // FEW})", lambda: slow, seconds)
    rust = Peer("Rust survival, loop over logrank_test", rust_permutations(cohort))
    goals = {coin.name: 5, few.name: 10_000}
    work = f"{N_PERMUTATIONS:,} permutation log-ranks, n = {len(cohort)}"
    return compare(work, ours, [coin, rust, few], check=check_permutations, goals=goals)


def rust_permutations(cohort: pd.DataFrame) -> Callable[[], Permuted] | None:
    """A loop over the Rust package's log-rank test; its chi-square has another variance, and so has its p-value."""
    try:
        from survival._survival import logrank_test
    except ImportError:
        return None
    months, event = cohort["time"].to_numpy(), cohort["event"].to_numpy().astype(np.int32)
    arm = cohort["arm"].to_numpy().astype(np.int32)

    def run() -> Permuted:
        rng, observed = np.random.default_rng(1), logrank_test(months, event, arm).statistic
        found = [logrank_test(months, event, rng.permutation(arm)).statistic for _ in range(N_PERMUTATIONS)]
        return Permuted(np.nan, (1 + np.count_nonzero(np.array(found) >= observed)) / (1 + N_PERMUTATIONS))

    return run


def lifelines_permutations(cohort: pd.DataFrame) -> tuple[Permuted, float]:
    """A few of lifelines' log-rank tests of shuffled arms, and how long all would take."""
    from lifelines.statistics import multivariate_logrank_test

    rng, arm = np.random.default_rng(1), cohort["arm"].to_numpy()
    start = time.perf_counter()
    for _ in range(FEW):
        multivariate_logrank_test(cohort["time"], rng.permutation(arm), cohort["event"])
    seconds = (time.perf_counter() - start) / FEW * N_PERMUTATIONS
    return Permuted(np.nan, np.nan), seconds


def check_permutations(ours: Permuted, theirs: Permuted) -> None:
    """Equal statistics where they are the same; p-values within five Monte-Carlo errors of their difference."""
    if not np.isnan(theirs.statistic):
        np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=1e-8)
    if not np.isnan(theirs.p_value):
        spread = math.sqrt(2 * ours.p_value * (1 - ours.p_value) / N_PERMUTATIONS)
        assert abs(ours.p_value - theirs.p_value) < 5 * spread, "permutation p-values differ"


if __name__ == "__main__":
    main()
