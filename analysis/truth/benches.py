"""The benches that can be run by name: their worlds, their methods, and how large they are by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.design import CohortDesign
from analysis.errors import InputError
from analysis.truth.bench import BenchWorld, Method, simulation_study
from analysis.truth.bench_cutpoints import continuous_marker, median_split, searched_cut
from analysis.truth.bench_methods import (
    adjusted_cut,
    adjusted_marker,
    clinical_cut,
    months_gained,
    on_complete_rows,
    spline,
)
from analysis.truth.bench_worlds import marker_world

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
    null_worlds : tuple of str
        Worlds in which magnesium does nothing: to reject there is an error.
    n_replicates, seed, n_population : int
        By default.
    """

    title: str
    about: str
    worlds: Callable[[int, int], Sequence[BenchWorld]]
    methods: tuple[Method, ...]
    null_worlds: tuple[str, ...]
    n_replicates: int
    seed: int
    n_population: int = 1_000_000


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
    >>> sorted(BENCHES)[0], BENCHES["markers"].title
    ('markers', 'A marker and what people do with it')
    """
    sizes = bench_sizes(name, n_replicates=n_replicates, seed=seed, n_population=n_population)
    bench, seed = BENCHES[name], sizes["seed"]
    worlds = bench.worlds(sizes["n_population"], seed)
    if progress is not None:
        progress(f"targets of {len(worlds)} worlds")
    scores = simulation_study(worlds, bench.methods, n_replicates=sizes["n_replicates"], seed=seed)
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


def _with_wanted(scores: pd.DataFrame, null_worlds: Sequence[str]) -> pd.DataFrame:
    """The scores with rejections named by what they mean, and what each score should be."""
    rejects, null = scores["score"] == "rejection rate", scores["world"].isin(null_worlds)
    named = scores.assign(
        score=np.select([rejects & null, rejects], ["type-I error", "power"], scores["score"].to_numpy(dtype=object))
    )
    return named.assign(wanted=[WANTED.get(score, float("nan")) for score in named["score"]])


_MARKER_WORLDS = {
    "planted": CohortDesign(missing_share=0.0),
    "null": CohortDesign(world="null", missing_share=0.0),
    "independent": CohortDesign(world="independent", missing_share=0.0),
    "threshold": CohortDesign(world="threshold", missing_share=0.0),
    "fading": CohortDesign(world="fading", missing_share=0.0),
    "missing values": CohortDesign(missing_share=0.25),
}


def _marker_worlds(n_population: int, seed: int) -> list[BenchWorld]:
    """The synthetic worlds in which a marker is put to use."""
    from joblib import Parallel, delayed

    build = partial(marker_world, n_population=n_population, seed=seed)
    return list(Parallel()(delayed(build)(name, design) for name, design in _MARKER_WORLDS.items()))


_MARKER_METHODS = (
    median_split,
    clinical_cut,
    partial(searched_cut, n_permutations=499, n_bootstrap=200),
    continuous_marker,
    spline,
    months_gained,
    adjusted_marker,
    adjusted_cut,
)

BENCHES: Mapping[str, Bench] = {
    "markers": Bench(
        title="A marker and what people do with it",
        about="Overall survival by baseline magnesium in cohorts of 480. Crude methods are judged by the crude truth of"
        " the same contrast, adjusted ones by the conditional truth, each from a million patients with the same"
        " censoring; the confounded worlds differ in the two.",
        worlds=_marker_worlds,
        methods=tuple(partial(on_complete_rows, method) for method in _MARKER_METHODS),
        null_worlds=("null", "independent"),
        n_replicates=1000,
        seed=20221,
    ),
}
