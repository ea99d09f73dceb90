"""How fast a million rows become Kaplan-Meier curves and a log-rank test, beside other tools on the same rows.

    python -m benchmarks.counting_speed [--rows 1000000]

Four groups, days as times (many ties), about 40 % censored. What is compared is asserted first: survival at 100 times
of each group and the chi-square, to 1e-8. All on one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before the Rust package is imported

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis import Endpoint, kaplan_meier, logrank_test
from analysis.kernels.counts import count, greenwood, logrank_sums, score_chi_square, survival_curve
from benchmarks.timing import Comparison, Peer, compare, r_seconds, table, versions

GROUPS = ("low", "middle", "high", "highest")
MONTH = 365.25 / 12
# What is compared: the columns of time and group.
KINDS = {
    "whole days, categorical": ("days", "arm"),
    "whole days, groups as text": ("days", "text"),
    "months (days / 30.4375), categorical": ("months", "arm"),
    "nearly every row a time of its own, categorical": ("exact", "arm"),
}
CURVE_GOALS = {"lifelines": 10.0, "survival (Rust)": 10.0, "R survfit": 150.0}
TEST_GOALS = {"lifelines": 25.0, "survival (Rust)": 10.0, "R survdiff": 100.0}
AT = np.linspace(1, 3500, 100)
R_SCRIPT = """
options(digits = 17)
suppressMessages(library(survival))
rows <- read.csv(commandArgs(TRUE)[1])
curves <- compiler::cmpfun(function() survfit(Surv(days, died) ~ arm, data = rows))
test <- compiler::cmpfun(function() survdiff(Surv(days, died) ~ arm, data = rows))
clocked <- function(run) median(replicate(3, system.time(run())[["elapsed"]]))
found <- curves()
at <- function(k) c(1, found[k]$surv)[findInterval(seq(1, 3500, length.out = 100) + 1e-6, found[k]$time) + 1]
cat(vapply(1:4, at, numeric(100)), sep = "\\n")
cat("", test()$chisq, clocked(curves), clocked(test), sep = "\\n")
"""

Curves = list[tuple[np.ndarray, np.ndarray]]  # of each group: times, and survival from each on


def main() -> None:
    """Run the comparisons and print them as one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    print(*table(comparisons(parser.parse_args().rows)), sep="\n")
    named = ("numpy", "pandas", "numba", "lifelines", "survival", "statsmodels")
    print(f"\nMedians. {versions(*named)}; one thread.")


def comparisons(n: int = 1_000_000) -> list[Comparison]:
    """Curves and tests by the public calls for columns of each kind, then by the kernels alone."""
    cohort = rows(n)
    told = r_seconds(R_SCRIPT, cohort[["days", "died"]].assign(arm=cohort["code"]))
    done = []
    for kind, (time, by) in KINDS.items():
        given = (cohort[time].to_numpy(dtype=float), cohort["died"].to_numpy(), cohort["code"].to_numpy())
        in_r = told if time == "days" and by == "arm" else None
        done += curves(cohort, Endpoint(time, "died"), by, f"n = {n:,}, {kind}", given, in_r)
        done += tests(cohort, Endpoint(time, "died"), by, f"n = {n:,}, {kind}", given, in_r)
    return done + kernels(cohort)


def rows(n: int) -> pd.DataFrame:
    """Four groups with hazards of their own; the time in days, in months, and to the last digit."""
    rng = np.random.default_rng(1)
    code = rng.integers(0, 4, n)
    died, followed = rng.exponential(1000 * 1.01**code), rng.uniform(0, 3650, n)
    exact = np.minimum(died, followed)
    days = np.ceil(exact).astype(np.int64)
    return pd.DataFrame(
        {
            "days": days,
            "months": days / MONTH,
            "exact": np.ceil(exact * 1e4) / 1e4,  # far enough apart for nobody to take two for one
            "died": (died <= followed).astype(np.int64),
            "code": code,
            "arm": pd.Categorical.from_codes(code, list(GROUPS), ordered=True),
            "text": np.array(GROUPS, dtype=object)[code],
        }
    )


Given = tuple[np.ndarray, np.ndarray, np.ndarray]


def curves(
    cohort: pd.DataFrame, endpoint: Endpoint, by: str, work: str, given: Given, in_r: list[float] | None
) -> list[Comparison]:
    """`kaplan_meier` beside the estimators of others, each given arrays ready for it."""
    unit = MONTH if endpoint.duration == "months" else 1.0
    labels = sorted(GROUPS) if by == "text" else list(GROUPS)

    def check(ours: pd.DataFrame, theirs: Curves | np.ndarray) -> None:
        parts = {str(label): part for label, part in ours.groupby("stratum", observed=True)}
        assert list(parts) == labels
        mine = np.array([survival_of((parts[label]["time"], parts[label]["survival"]), AT / unit) for label in GROUPS])
        if not isinstance(theirs, np.ndarray):
            theirs = np.array([survival_of(curve, AT / unit) for curve in theirs])
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-12)

    told = None if in_r is None else np.array(in_r[:-3]).reshape(len(GROUPS), len(AT))
    peers = [
        Peer("lifelines", partial(lifelines_curves, *given)),
        Peer("survival (Rust)", rust_curves(given)),
        Peer("statsmodels", statsmodels_curves(given)),
        *([] if told is None else [Peer("R survfit", lambda: told, in_r[-2])]),
    ]
    goals = CURVE_GOALS if endpoint.duration == "days" and by == "arm" else None
    return compare(
        f"Kaplan-Meier, {work}", lambda: kaplan_meier(cohort, endpoint, by=by), peers, check=check, goals=goals,
        repeats=3 if endpoint.duration == "exact" else 7,
    )  # fmt: skip


def survival_of(curve: tuple[Any, Any], at: np.ndarray) -> np.ndarray:
    """A curve at given times, near-equal times being one."""
    time, survival = (np.asarray(values, dtype=float) for values in curve)
    return np.r_[1.0, survival][np.searchsorted(time, at + 1e-6, side="right")]


def lifelines_curves(time: np.ndarray, event: np.ndarray, code: np.ndarray) -> Curves:
    """One fit a group."""
    from lifelines import KaplanMeierFitter

    fits = [KaplanMeierFitter().fit(time[code == k], event[code == k]) for k in range(len(GROUPS))]
    return [(fit.survival_function_.index, fit.survival_function_.iloc[:, 0]) for fit in fits]


def rust_curves(given: Given) -> Callable[[], Curves] | None:
    """The estimator under the package's R-like front, which takes a third of the time of that."""
    try:
        from survival._survival import survfitkm
    except ImportError:
        return None
    time, event, code = given[0], given[1].astype(np.int32), given[2].astype(np.int32)

    def run() -> Curves:
        found = survfitkm(time, event, strata=code, conf_type="log-log")
        ends = np.cumsum(found.strata)
        parts = [slice(end - length, end) for end, length in zip(ends, found.strata, strict=True)]
        times, survival = np.asarray(found.time), np.asarray(found.surv)
        return [(times[part], survival[part]) for part in parts]

    return run


def statsmodels_curves(given: Given) -> Callable[[], Curves] | None:
    """One fit a group."""
    try:
        from statsmodels.duration.survfunc import SurvfuncRight
    except ImportError:
        return None
    time, event, code = given

    def run() -> Curves:
        fits = [SurvfuncRight(time[code == k], event[code == k]) for k in range(len(GROUPS))]
        return [(fit.surv_times, fit.surv_prob) for fit in fits]

    return run


def tests(
    cohort: pd.DataFrame, endpoint: Endpoint, by: str, work: str, given: Given, in_r: list[float] | None
) -> list[Comparison]:
    """`logrank_test` beside the tests of others; the result is the chi-square."""
    goals = TEST_GOALS if endpoint.duration == "days" and by == "arm" else None
    return compare(
        f"log-rank, {work}",
        lambda: logrank_test(cohort, endpoint, by=by).statistic,
        [*test_peers(given), *([] if in_r is None else [Peer("R survdiff", lambda: in_r[-3], in_r[-1])])],
        check=same_statistic,
        goals=goals,
        repeats=3 if endpoint.duration == "exact" else 7,
    )


def same_statistic(ours: float, theirs: float) -> None:
    """The chi-squares are one."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_peers(given: Given) -> list[Peer]:
    """The tests of others on arrays."""
    from lifelines.statistics import multivariate_logrank_test

    time, event, code = given
    peers = [Peer("lifelines", lambda: multivariate_logrank_test(time, code, event).test_statistic)]
    for name, run in (("survival (Rust)", rust_test(given)), ("statsmodels", statsmodels_test(given))):
        peers.append(Peer(name, run))
    return peers


def rust_test(given: Given) -> Callable[[], float] | None:
    """The test under the package's R-like front."""
    try:
        from survival._survival import survdiff
    except ImportError:
        return None
    time, event, code = given[0], given[1].astype(np.int32), given[2].astype(np.int32)
    return lambda: float(survdiff(time, event, code).chisq)


def statsmodels_test(given: Given) -> Callable[[], float] | None:
    """The chi-square of the test."""
    try:
        from statsmodels.duration.survfunc import survdiff
    except ImportError:
        return None
    return lambda: float(survdiff(*given)[0])


def kernels(cohort: pd.DataFrame) -> list[Comparison]:
    """Counting and estimating on arrays, without checks of the rows and without a frame."""
    time, event = cohort["days"].to_numpy(), cohort["died"].to_numpy(dtype=bool)
    code = cohort["arm"].cat.codes.to_numpy()
    given = (time.astype(float), cohort["died"].to_numpy(), cohort["code"].to_numpy())

    def curve() -> Curves:
        counts = count(time, event, segment=code, n_segments=len(GROUPS))
        n_risk, n_event = counts.n_risk[:, 0], counts.n_event[:, 0]
        for place in counts.segments:
            greenwood(n_risk[place], n_event[place])
        return [(counts.time[place], survival_curve(n_risk[place], n_event[place])) for place in counts.segments]

    def test() -> float:
        sums = logrank_sums(count(time, event, group=code, n_groups=len(GROUPS)))
        return score_chi_square(sums.observed - sums.expected, sums.covariance)[0]

    def check(ours: Curves, theirs: Curves) -> None:
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(survival_of(mine, AT), survival_of(other, AT), rtol=1e-8, atol=1e-12)

    work = f"n = {len(cohort):,}, whole days on arrays"
    fits = Peer("lifelines", partial(lifelines_curves, *given))
    return [
        *compare(f"Kaplan-Meier kernel, {work}", curve, [fits], check=check, goals={"lifelines": 40.0}),
        *compare(
            f"log-rank kernel, {work}", test, test_peers(given)[:1], check=same_statistic, goals={"lifelines": 100.0}
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
