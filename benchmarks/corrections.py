"""Ways to correct the hazard ratio of a searched cut, side by side where the answer is known, as docs/corrections.md.

    python -m benchmarks.corrections [--replicates 400] [--seed 20261] [--jobs 2]

The search of the package uses the iterated bootstrap; this page says why.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import parallel_config

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.kernels.cutpoints import first_maximum
from analysis.strata.search.correction import Effect, corrected, searched_gain
from analysis.strata.search.scans import Scan, search_rows
from analysis.truth.bench.markers import CUT_EFFECT, MARKER
from analysis.truth.bench.scoring import BenchAnswer, simulation_study
from benchmarks.calibration import SIZES, bench_worlds, head, number, percent, table

PAGE = Path(__file__).parents[1] / "docs" / "corrections.md"
N_BOOTSTRAP = 150
N_SPLITS = 20
N_FOLDS = (2, 5, 10)


def main() -> None:
    """Run the study and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20261)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    commit, worlds = head(), bench_worlds(SIZES, seed=options.seed)
    with parallel_config(n_jobs=options.jobs):
        scores = simulation_study(worlds, [corrections], n_replicates=options.replicates, seed=options.seed)
    PAGE.write_text(page(scores, options, commit), encoding="utf-8")
    print(f"{PAGE} written")


def corrections(cohort: pd.DataFrame, seed: int) -> list[BenchAnswer]:
    """The effect of one searched cut as found and in every correction."""
    rows = search_rows(cohort, OVERALL_SURVIVAL, MARKER, adjust=(), strata=(), fractions=(0.1, 0.9))
    scan = rows.scan
    cut = float(scan.cut[first_maximum(scan.table()["statistic"].to_numpy())])
    estimate, std_error = (values[0] for values in scan.hazard_of((scan.marker > cut)[None]))
    found = Effect(float(estimate), float(std_error))
    one, two, *splits = np.random.SeedSequence(seed).spawn(2 + len(N_FOLDS))
    iterated = corrected(scan, found, one, n_bootstrap=N_BOOTSTRAP)
    effects = {
        "as found": found,
        "single bootstrap": single_bootstrap(scan, found, two, spread=iterated.std_error),
        "iterated bootstrap": iterated,
    }
    effects |= {f"cross-fitted, {k} folds": cross_fitted(scan, s, k) for k, s in zip(N_FOLDS, splits, strict=True)}
    return [_answer(name, cut, effect, found) for name, effect in effects.items()]


def single_bootstrap(scan: Scan, found: Effect, stream: np.random.SeedSequence, *, spread: float) -> Effect:
    """Less the mean of what the search adds in resamples; with the limits' width of the iterated one."""
    n = len(scan.marker)
    counts = np.random.default_rng(stream).multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAP).astype(np.float64)
    gain, _ = searched_gain(scan, counts, None)
    return Effect(found.estimate - float(np.sign(found.estimate) * np.nanmean(gain)), spread)


def cross_fitted(scan: Scan, stream: np.random.SeedSequence, n_folds: int) -> Effect:
    """A row is above or below the cut searched in the other folds; over splits the mean, with the spread in the error.

    The squared error is the mean of se^2 + (b - mean)^2: Chernozhukov et al., Econometrics J 21 (2018) C1, section 3.4.
    """
    n, rng = len(scan.marker), np.random.default_rng(stream)
    fold = rng.permuted(np.tile(np.arange(n) % n_folds, (N_SPLITS, 1)), axis=1)
    others = (fold[:, None, :] != np.arange(n_folds)[:, None]).reshape(-1, n).astype(np.float64)
    cuts = scan.cuts_of(others).reshape(N_SPLITS, n_folds)
    estimate, std_error = scan.hazard_of(scan.marker > np.take_along_axis(cuts, fold, axis=1))
    centre = float(np.nanmean(estimate))
    return Effect(centre, float(np.sqrt(np.nanmean(std_error**2 + (estimate - centre) ** 2))))


def _answer(name: str, cut: float, effect: Effect, found: Effect) -> BenchAnswer:
    """One correction's effect with its limits."""
    half = 1.959964 * effect.std_error
    return BenchAnswer(
        name,
        CUT_EFFECT,
        at=cut,
        estimate=effect.estimate,
        conf_low=effect.estimate - half,
        conf_high=effect.estimate + half,
        direction=found.estimate,
    )


def page(scores: pd.DataFrame, options: argparse.Namespace, commit: str) -> str:
    """The page, with all that is needed to make it again."""
    found = scores.set_index(["world", "method", "score"]).sort_index()
    worlds, methods = list(dict.fromkeys(scores["world"])), list(dict.fromkeys(scores["method"]))
    command = f"python -m benchmarks.corrections --replicates {options.replicates} --seed {options.seed}"
    parts = [
        "# Corrections of a searched hazard ratio, side by side",
        "",
        f"Made by `{command} --jobs {options.jobs}` at commit `{commit}`: {options.replicates} simulated"
        f" cohorts of each world and size, {N_BOOTSTRAP} resamples, {N_SPLITS} splits. In brackets: Monte-Carlo"
        " standard errors.",
        "",
        "Log hazard ratio above the cut found against at or below it, judged by that of the same cut in a million"
        " patients with the same censoring; bias is counted away from zero (independent world: in the direction of the"
        " effect as found).",
        "",
    ]
    for title, score, shown in (
        ("Bias", "bias away from zero", number),
        ("Root mean squared error", "root mean squared error", number),
        ("Coverage of 95 % intervals", "coverage", percent),
    ):
        rows = [[world, *(shown(found.loc[(world, method, score)]) for method in methods)] for world in worlds]
        parts += [f"## {title}", "", *table(["world", *methods], rows), ""]
    return "\n".join(parts)


if __name__ == "__main__":
    main()
