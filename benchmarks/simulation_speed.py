"""How fast 1,000 cohorts are simulated and analysed: our bench on stacked cohorts beside a loop over the Rust package.

    python -m benchmarks.simulation_speed

Each cohort has 500 patients: two arms at random, four standard normal covariates, exponential times (log hazard ratio
0.4 between the arms) in days, censoring uniform between 200 and 1500 days. Each is analysed three times: the median of
each arm by Kaplan-Meier, the log-rank test, and a Cox model (Efron) of arm and covariates, of which the arm's log
hazard ratio and standard error are kept. Ours is `simulation_study` with 50 cohorts to a data set; the Rust package
is called cohort by cohort, with its arrays, on the very same numbers. Both sides draw them in the same way; scoring is
in ours only. Every answer of the two is asserted equal first (the Rust fit stops within 1e-6). One thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # before the Rust package is imported

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import BenchAnswer, BenchWorld, simulation_study
from analysis.kernels.counts import Counts, count
from analysis.kernels.cox import fit_arrays
from analysis.kernels.tails import normal_quantile
from benchmarks.timing import Comparison, Peer, compare, table, versions

N_COHORTS, N_PATIENTS, STACK, SEED = 1000, 500, 50, 1
EFFECT = 0.4
HALF = 0.5 + 1e-12  # a curve that is one half but for rounding has come to its median
SLOPES = np.array([EFFECT, 0.3, 0.2, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class Stack:
    """Cohorts one below the other."""

    time: np.ndarray
    event: np.ndarray
    x: np.ndarray

    @property
    def cohort(self) -> np.ndarray:
        """The cohort of each row."""
        return np.repeat(np.arange(STACK), N_PATIENTS)

    @property
    def arm(self) -> np.ndarray:
        """The arm of each row."""
        return self.x[:, 0].astype(np.int64)


def main() -> None:
    """Run the comparison and print it as a table."""
    print(*table(comparisons()), sep="\n")
    print(f"\nMedians. {versions('numpy', 'pandas', 'survival')}; one thread.")


def comparisons() -> list[Comparison]:
    """Ours and the Rust package's."""
    peer = Peer("Rust survival, cohort by cohort", rust())
    work = f"{N_COHORTS:,} cohorts simulated and analysed, n = {N_PATIENTS}"
    return compare(work, ours, [peer], check=check, repeats=5)


def draw(seed: int) -> Stack:
    """A stack of cohorts."""
    rng, n = np.random.default_rng(seed), STACK * N_PATIENTS
    x = np.column_stack([rng.integers(0, 2, n), rng.normal(size=(n, 4))])
    died, followed = rng.exponential(400 * np.exp(-x @ SLOPES)), rng.uniform(200, 1500, n)
    return Stack(np.ceil(np.minimum(died, followed)), died <= followed, x)


def curves_and_test(data: Stack, _seed: int) -> list[BenchAnswer]:
    """The median survival of each arm of each cohort, and the log-rank chi-square, from one table of counts."""
    counts = count(data.time, data.event, segment=data.cohort, group=data.arm, n_segments=STACK, n_groups=2)
    return [
        *(BenchAnswer(f"median of arm {arm}", estimate=value) for arm in (0, 1) for value in medians(counts, arm)),
        *(BenchAnswer("log-rank", estimate=value) for value in logrank(counts)),
    ]


def medians(counts: Counts, arm: int) -> list[float]:
    """The median survival of an arm in each cohort, NaN where the curve does not get there."""
    kept = 1 - counts.n_event[:, arm] / np.maximum(counts.n_risk[:, arm], 1)
    found = []
    for place in counts.segments:
        reached = np.cumprod(kept[place]) <= HALF
        first = int(reached.argmax())
        found.append(float(counts.time[place][first]) if reached[first] else float("nan"))
    return found


def logrank(counts: Counts) -> list[float]:
    """The log-rank chi-square of each cohort."""
    n, d = counts.n_risk.sum(axis=1), counts.n_event.sum(axis=1)
    share = counts.n_risk[:, 1] / n
    score = np.add.reduceat(counts.n_event[:, 1] - d * share, counts.start[:-1])
    spread = np.add.reduceat(d * (n - d) / np.maximum(n - 1, 1) * share * (1 - share), counts.start[:-1])
    found: list[float] = (score**2 / spread).tolist()
    return found


def cox(data: Stack, _seed: int) -> list[BenchAnswer]:
    """The arm's log hazard ratio in each cohort, with its limits."""
    answers = []
    for rows in np.split(np.arange(len(data.time)), STACK):
        coef, covariance, _ = fit_arrays(data.x[rows], data.time[rows], data.event[rows])
        estimate, reach = float(coef[0]), normal_quantile(0.95) * float(np.sqrt(covariance[0, 0]))
        limits = {"conf_low": estimate - reach, "conf_high": estimate + reach}
        answers.append(BenchAnswer("Cox", "log hazard ratio", estimate=estimate, **limits))
    return answers


def planted(_at: float) -> float:
    """The effect of the arm."""
    return EFFECT


def ours() -> pd.DataFrame:
    """The scores of all answers."""
    world = BenchWorld("two arms", draw, {"log hazard ratio": planted})
    return simulation_study([world], [curves_and_test, cox], n_replicates=N_COHORTS // STACK, seed=SEED)


def data_seeds() -> list[int]:
    """The seeds that `simulation_study` gives its data sets: each replicate's first stream."""
    (world,) = np.random.SeedSequence(SEED).spawn(1)
    return [int(child.spawn(3)[0].generate_state(1)[0]) for child in world.spawn(N_COHORTS // STACK)]


def rust() -> Callable[[], pd.DataFrame] | None:
    """The same answers by the Rust package, of the same data sets."""
    try:
        from survival._survival import coxph_fit, logrank_test, survfitkm
    except ImportError:
        return None

    def analysed(time: np.ndarray, event: np.ndarray, x: np.ndarray) -> tuple[float, ...]:
        arm = x[:, 0].astype(np.int32)
        found = []
        for code in (0, 1):
            curve = survfitkm(time[arm == code], event[arm == code].astype(np.float64), se_fit=False)
            reached = np.flatnonzero(np.asarray(curve.surv) <= HALF)
            found.append(float(curve.time[reached[0]]) if len(reached) else float("nan"))
        fit = coxph_fit(time, event, x)
        return *found, logrank_test(time, event, arm).statistic, fit.coefficients[0], float(np.sqrt(fit.var[0][0]))

    def run() -> pd.DataFrame:
        found = []
        for seed in data_seeds():
            data = draw(seed)
            time, event = data.time.reshape(STACK, -1), data.event.reshape(STACK, -1).astype(np.int32)
            x = data.x.reshape(STACK, N_PATIENTS, -1)
            found += [analysed(time[place], event[place], x[place]) for place in range(STACK)]
        return pd.DataFrame(found, columns=["median of arm 0", "median of arm 1", "log-rank", "coef", "std_error"])

    return run


def check(scores: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """The same answers for every cohort, and the same coverage."""
    found = pd.concat([answers(draw(seed)) for seed in data_seeds()], ignore_index=True)
    np.testing.assert_allclose(found, theirs, rtol=1e-6, atol=1e-6)
    reach = normal_quantile(0.95) * theirs["std_error"]
    covered = ((theirs["coef"] - EFFECT).abs() <= reach).mean()
    np.testing.assert_allclose(scores.set_index(["method", "score"])["value"][("Cox", "coverage")], covered)


def answers(data: Stack) -> pd.DataFrame:
    """Our answers, a row a cohort."""
    half, half_other, chi_square = np.array([answer.estimate for answer in curves_and_test(data, 0)]).reshape(3, STACK)
    hazards = cox(data, 0)
    return pd.DataFrame(
        {
            "median of arm 0": half,
            "median of arm 1": half_other,
            "log-rank": chi_square,
            "coef": [answer.estimate for answer in hazards],
            "std_error": [(answer.conf_high - answer.estimate) / normal_quantile(0.95) for answer in hazards],
        }
    )


if __name__ == "__main__":
    main()
