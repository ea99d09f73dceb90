"""The benches that can be run by name: their worlds, their methods, and how large they are by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.synthetic import CohortDesign
from analysis.errors import InputError
from analysis.robustness.confounding import AdjustmentMethod
from analysis.truth.bench import confounding, markers, missing_and_mismeasured, scoring, time_varying

WANTED = {"bias": 0.0, "bias away from zero": 0.0, "coverage": 0.95, "type-I error": 0.05, "failed": 0.0}
"""What a score should be; the others depend on the world."""


@dataclass(frozen=True)
class Bench:
    """A simulation study that can be run again by its name.

    Attributes
    ----------
    title : str
    about : str
        What is compared and what each method is judged against, in a sentence or two.
    worlds : callable
        From the size of the large cohorts that the targets come from, and a seed, to the worlds.
    methods : tuple of callable
    limits : tuple of callable
        Methods that are also run on one very large data set of each world that has one: what is left of their bias
        there is misspecification.
    null_worlds : tuple of str
        Worlds in which magnesium does nothing: to reject there is an error.
    n_replicates, seed, n_population : int
        By default.
    """

    title: str
    about: str
    worlds: Callable[[int, int], Sequence[scoring.BenchWorld]]
    methods: tuple[scoring.Method, ...]
    null_worlds: tuple[str, ...]
    n_replicates: int
    seed: int
    n_population: int = 1_000_000
    limits: tuple[scoring.Method, ...] = ()


def run_bench(
    name: str,
    *,
    n_replicates: int | None = None,
    seed: int | None = None,
    n_population: int | None = None,
    progress: Callable[[str], object] | None = None,
) -> pd.DataFrame:
    """Run a bench: every method on the same cohorts of every world, judged by what is true there.

    Parameters
    ----------
    name : str
        One of `BENCHES`.
    n_replicates, seed, n_population : int, optional
        Cohorts of each world, the seed of all of them, and patients of the large cohort that each world's targets come
        from; the bench's own by default.
    progress : callable, optional
        Called with a few words when a part is done.

    Returns
    -------
    DataFrame
        As `simulation_study`, with "rejection rate" told apart as "type-I error" (in a world without an effect) and
        "power", and the column wanted: what the score should be, NaN where no number can be named.

    Raises
    ------
    InputError
        A name that no bench has, or a number of replicates below 2.

    Notes
    -----
    Runs in parallel under ``joblib.parallel_config(n_jobs=2)``, with the same numbers.

    Examples
    --------
    >>> BENCHES["markers"].title
    'A marker and what people do with it'
    """
    sizes = bench_sizes(name, n_replicates=n_replicates, seed=seed, n_population=n_population)
    bench, seed = BENCHES[name], sizes["seed"]
    worlds = bench.worlds(sizes["n_population"], seed)
    if progress is not None:
        progress(f"targets of {len(worlds)} worlds")
    scores = scoring.simulation_study(worlds, bench.methods, n_replicates=sizes["n_replicates"], seed=seed)
    scores = pd.concat([scores, *(_misspecification(world, bench.limits, seed) for world in worlds)], ignore_index=True)
    if progress is not None:
        progress(f"{bench.title}: {scores['n'].max()} cohorts of each world")
    return _with_wanted(scores, bench.null_worlds)


def bench_sizes(
    name: str, *, n_replicates: int | None = None, seed: int | None = None, n_population: int | None = None
) -> dict[str, int]:
    """The sizes and the seed that a bench runs with: those given, else its own."""
    if name not in BENCHES:
        raise InputError(f"no bench {name!r}: use one of {', '.join(BENCHES)}")
    given = {"n_replicates": n_replicates, "seed": seed, "n_population": n_population}
    return {size: getattr(BENCHES[name], size) if value is None else value for size, value in given.items()}


def _misspecification(world: scoring.BenchWorld, limits: Sequence[scoring.Method], seed: int) -> pd.DataFrame:
    """What each limit leaves of its target in a very large data set, away from zero; rows as of `simulation_study`."""
    if not limits or world.enlarged is None:
        return pd.DataFrame()
    data, rows = world.enlarged(seed), []
    for answer in (answer for method in limits for answer in method(data, seed)):
        target = world.targets[answer.estimand](answer.at)
        away = (answer.estimate - target) * (np.sign(target) or 1.0)
        values = (world.name, answer.method, "misspecification", away, float("nan"), 1, answer.estimand, target)
        rows.append(dict(zip(SCORE_COLUMNS, values, strict=True)))
    return pd.DataFrame(rows)


def _with_wanted(scores: pd.DataFrame, null_worlds: Sequence[str]) -> pd.DataFrame:
    """The scores with rejections named by what they mean, and what each score should be."""
    rejects, null = scores["score"] == "rejection rate", scores["world"].isin(null_worlds)
    named = scores.assign(
        score=np.select([rejects & null, rejects], ["type-I error", "power"], scores["score"].to_numpy(dtype=object))
    )
    return named.assign(wanted=[WANTED.get(score, float("nan")) for score in named["score"]])


SCORE_COLUMNS = ("world", "method", "score", "value", "std_error", "n", "estimand", "target")


def _each(
    build: Callable[..., scoring.BenchWorld], designs: Mapping[str, CohortDesign], n_population: int, seed: int
) -> list[scoring.BenchWorld]:
    """A world for each design, with its targets: one after the other, so that they are the same to the last bit."""
    return [build(name, design, n_population=n_population, seed=seed) for name, design in designs.items()]


_PLAIN = CohortDesign(missing_share=0.0)
_MISSING = CohortDesign(missing_share=0.3)
_MOVING = replace(_PLAIN, world="moving", measurement_error=0.0)
_BURDEN = replace(_MOVING, world="moving with burden")
_UNCONFOUNDED = replace(_PLAIN, confounding=0.0)

_MARKER_WORLDS = {
    "planted": _PLAIN,
    "no effect": replace(_PLAIN, world="null"),
    "independent": replace(_PLAIN, world="independent"),
    "threshold": replace(_PLAIN, world="threshold"),
    "fading": replace(_PLAIN, world="fading"),
    "missing values": CohortDesign(missing_share=0.25),
}
_CONFOUNDED_WORLDS = {name: _MARKER_WORLDS[name] for name in ("planted", "no effect", "threshold")}
_MISSING_WORLDS = {"planted": _MISSING, "no effect": replace(_MISSING, world="null")}
_ERROR_WORLDS = {
    "planted, error 0.028": _PLAIN,
    "planted, error 0.05": replace(_PLAIN, measurement_error=0.05),
    "no effect, error 0.05": replace(_PLAIN, world="null", measurement_error=0.05),
}
_MOVING_WORLDS = {
    "by chance, no effect": replace(_MOVING, hazard_ratio_death=1.0, hazard_ratio_progression=1.0),
    "by chance": _MOVING,
    "with burden, no effect": replace(_BURDEN, hazard_ratio_death=1.0, hazard_ratio_progression=1.0),
    "with burden": _BURDEN,
}
_HAZARD_WORLDS = {
    "independent": replace(_UNCONFOUNDED, world="independent"),
    "proportional": _UNCONFOUNDED,
    "fading": replace(_UNCONFOUNDED, world="fading"),
}

_MARKER_METHODS = (
    markers.median_split,
    markers.clinical_cut,
    partial(markers.searched_cut, n_permutations=499, n_bootstrap=200),
    markers.continuous_marker,
    markers.spline,
    markers.months_gained,
    markers.adjusted_marker,
    markers.adjusted_cut,
)
_CURVES: tuple[AdjustmentMethod, ...] = ("standardisation", "weighting")

BENCHES: Mapping[str, Bench] = {
    "markers": Bench(
        title="A marker and what people do with it",
        about="Overall survival by baseline magnesium in cohorts of 480. Crude methods are judged by the crude truth of"
        " the same contrast, adjusted ones by the conditional truth, each from a million patients with the same"
        " censoring; where there is confounding the two differ, and crude tests reject without an effect.",
        worlds=partial(_each, markers.marker_world, _MARKER_WORLDS),
        methods=tuple(partial(markers.on_complete_rows, method) for method in _MARKER_METHODS),
        null_worlds=("no effect", "independent"),
        n_replicates=1000,
        seed=20221,
    ),
    "confounding": Bench(
        title="Crude and adjusted, judged by the same truth",
        about="Overall survival by stratum of magnesium in cohorts of 480. Curves, crude or adjusted, are judged by the"
        " curves of a million patients who were all put in the stratum; models by the conditional effect of measured"
        " magnesium. Misspecification is a method's error in 100,000 patients.",
        worlds=partial(_each, confounding.confounded_world, _CONFOUNDED_WORLDS),
        methods=(
            confounding.crude,
            confounding.adjusted_model,
            *(partial(confounding.adjusted, method=method) for method in _CURVES),
        ),
        limits=tuple(partial(confounding.limit_of_adjusted, method=method) for method in _CURVES),
        null_worlds=("no effect",),
        n_replicates=500,
        seed=20222,
    ),
    "missing": Bench(
        title="Magnesium that is missing",
        about="Cohorts of 480 in which three in ten values of magnesium are missing, more with high C-reactive protein,"
        " low albumin and death within three months. Slopes, and survival where magnesium is low, are judged by what"
        " they would be with all values.",
        worlds=partial(_each, missing_and_mismeasured.missing_world, _MISSING_WORLDS),
        methods=(
            missing_and_mismeasured.all_known,
            missing_and_mismeasured.complete_cases,
            missing_and_mismeasured.median_filled,
            missing_and_mismeasured.imputed,
        ),
        null_worlds=("no effect",),
        n_replicates=500,
        seed=20223,
    ),
    "measurement": Bench(
        title="Magnesium that is measured with error",
        about="The adjusted slope of magnesium in cohorts of 480, judged by that of true magnesium; the extrapolation"
        " knows how large the error of a measurement is.",
        worlds=partial(_each, missing_and_mismeasured.error_world, _ERROR_WORLDS),
        methods=(
            missing_and_mismeasured.without_error,
            missing_and_mismeasured.as_measured,
            missing_and_mismeasured.extrapolated,
        ),
        null_worlds=("no effect, error 0.05",),
        n_replicates=500,
        seed=20224,
    ),
    "moving": Bench(
        title="Magnesium that moves",
        about="Hazards that follow current magnesium, which changes by chance or falls as the tumour grows unseen."
        " Adjusted log hazard ratios of magnesium below 0.75 mmol/L in cohorts of 480; the true values allow for the"
        " growth.",
        worlds=partial(_each, time_varying.moving_world, _MOVING_WORLDS),
        methods=(time_varying.ever_low, time_varying.low_at_zero, time_varying.low_at_landmark, time_varying.low_now),
        null_worlds=("by chance, no effect", "with burden, no effect"),
        n_replicates=1000,
        seed=20225,
        n_population=100_000,
    ),
    "hazards": Bench(
        title="Tests where hazards are not proportional",
        about="Overall survival above and below 0.75 mmol/L in cohorts of 480 without confounding; the planted effect"
        " lasts, or is gone after six months.",
        worlds=partial(_each, markers.marker_world, _HAZARD_WORLDS),
        methods=(markers.tests_at_the_cut, markers.months_gained),
        null_worlds=("independent",),
        n_replicates=1000,
        seed=20226,
    ),
}
