"""The known-truth bench: methods on many simulated data sets, their scores, and a table of these with verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.batches import in_batches
from analysis.errors import InputError, raise_all
from analysis.kernels.tails import normal_quantile, two_sided

LEVEL = 0.05
BATCH = 25
"""Replicates that travel together to a worker."""


@dataclass(frozen=True)
class BenchAnswer:
    """What one method says of one data set.

    Parameters
    ----------
    method : str
        The method's name in the scores.
    estimand : str
        The target of the world that the estimate is judged against; empty when there is no estimate.
    at : float
        Where on the target's scale (the cut found), for a target that depends on the data.
    estimate, conf_low, conf_high, p_value : float
        NaN for what the method does not give, or could not.
    direction : float
        The sign in which bias is counted where the target is zero: of the effect that a method searched for, say. NaN:
        upwards.
    """

    method: str
    estimand: str = ""
    at: float = float("nan")
    estimate: float = float("nan")
    conf_low: float = float("nan")
    conf_high: float = float("nan")
    p_value: float = float("nan")
    direction: float = float("nan")


Target = Callable[[float], float]
"""The true value of an estimand, at a place on its scale."""

Method = Callable[[Any, int], Sequence[BenchAnswer]]
"""From a data set and a seed to the answers of one method, or of several that share their work."""


@dataclass(frozen=True, eq=False)
class BenchWorld:
    """A source of data sets whose truth is known.

    Parameters
    ----------
    name : str
    draw : callable
        From a seed to a data set: a frame, or whatever the methods take.
    targets : mapping of str to callable
        The true value of each estimand, at a place on its scale.
    enlarged : callable, optional
        From a seed to one data set so large that chance hardly matters in it.
    """

    name: str
    draw: Callable[[int], Any]
    targets: Mapping[str, Target] = field(default_factory=dict)
    enlarged: Callable[[int], Any] | None = None


def as_targets(values: Mapping[str, Target | float]) -> dict[str, Target]:
    """Targets of a world, a number standing for a target that is the same everywhere on its scale."""
    return {name: value if callable(value) else partial(_constant, value) for name, value in values.items()}


def _constant(value: float, _at: float) -> float:
    """A target that is the same everywhere."""
    return value


def from_row(
    method: str,
    estimand: str,
    row: Mapping[Any, Any] | pd.Series,
    estimate: str,
    *,
    scale: Callable[[float], float] = float,
    **more: float,
) -> BenchAnswer:
    """The answer that a row of a result gives: an estimate with its limits on a scale, and its p-value if any."""
    value, low, high = (float(scale(row[name])) for name in (estimate, "conf_low", "conf_high"))
    more = {"p_value": float(row.get("p_value", np.nan))} | more
    return BenchAnswer(method, estimand, estimate=value, conf_low=low, conf_high=high, **more)


def wald(method: str, estimand: str, estimate: float, std_error: float, *, at: float = float("nan")) -> BenchAnswer:
    """An estimate with its limits and the p-value of Wald's test."""
    half = normal_quantile(0.95) * std_error
    return BenchAnswer(
        method,
        estimand,
        at=at,
        estimate=estimate,
        conf_low=estimate - half,
        conf_high=estimate + half,
        p_value=two_sided(estimate / std_error),
    )


def simulation_study(
    worlds: Sequence[BenchWorld], methods: Sequence[Method], *, n_replicates: int, seed: int
) -> pd.DataFrame:
    """Run every method on the same data sets of every world and score its answers.

    Each replicate has seeds of its own, for its data and for each method, so that neither a further method nor the
    way the work is shared out changes a number: under ``joblib.parallel_config(n_jobs=2)``, or with a cluster's back
    end, the same call runs in parallel.

    Parameters
    ----------
    worlds : sequence of BenchWorld
    methods : sequence of callable
        Each takes a data set and a seed and returns a sequence of `BenchAnswer`.
    n_replicates : int
        Data sets of each world.
    seed : int

    Returns
    -------
    DataFrame
        world, method, score, value, std_error (Monte-Carlo), n (replicates scored), estimand, target (what the method
        is judged against, the mean over data sets where it depends on them). One block a world, method and estimand,
        with these scores:

        - "bias": estimate less target; "bias away from zero": the same in the target's direction, or in the answer's
          where the target is zero.
        - "standard deviation": of the estimates around their targets' mean error; "root mean squared error".
        - "coverage": intervals that hold their target.
        - "rejection rate": p-values of at most 0.05.
        - "failed": answers without what the method gives elsewhere.

    Raises
    ------
    InputError
        No world or method, a name used twice, or a number of replicates below 2.

    Examples
    --------
    >>> def draw(seed):
    ...     return pd.DataFrame({"x": np.random.default_rng(seed).normal(1.0, 1.0, 50)})
    >>> def mean(data, seed):
    ...     return [BenchAnswer("mean", "mean", estimate=data["x"].mean())]
    >>> world = BenchWorld("normal", draw, {"mean": lambda at: 1.0})
    >>> scores = simulation_study([world], [mean], n_replicates=40, seed=1)
    >>> bias = scores.set_index("score").loc["bias"]
    >>> bool(abs(bias["value"]) < 4 * bias["std_error"])
    True
    """
    _check(worlds, methods, n_replicates)
    streams = np.random.SeedSequence(seed).spawn(len(worlds))
    batches = [
        (world, replicates[start : start + BATCH])
        for world, stream in zip(worlds, streams, strict=True)
        for replicates in [stream.spawn(n_replicates)]
        for start in range(0, n_replicates, BATCH)
    ]
    sizes = [len(replicates) for _, replicates in batches]
    answered = in_batches(partial(_run_batch, methods), batches, sizes=sizes, label="data sets")
    answers = pd.DataFrame([row for batch in answered for row in batch])
    groups = answers.groupby(["world", "method", "estimand"], sort=False)
    return pd.concat([_scores(part) for _, part in groups], ignore_index=True)


def _check(worlds: Sequence[BenchWorld], methods: Sequence[Method], n_replicates: int) -> None:
    """Every fault of what was given."""
    names = [world.name for world in worlds]
    problems = [f"world {name!r} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    problems += [] if worlds else ["worlds: none given"]
    problems += [] if methods else ["methods: none given"]
    if isinstance(n_replicates, bool) or not isinstance(n_replicates, Integral) or n_replicates < 2:
        problems.append(f"n_replicates={n_replicates!r} must be a whole number of at least 2")
    raise_all(problems, InputError)


def _run_batch(
    methods: Sequence[Method], batch: tuple[BenchWorld, Sequence[np.random.SeedSequence]]
) -> list[dict[str, object]]:
    """The answers on some of the data sets of a world, each beside its target."""
    world, streams = batch
    rows: list[dict[str, object]] = []
    for stream in streams:
        data_seed, *method_seeds = (int(child.generate_state(1)[0]) for child in stream.spawn(1 + len(methods)))
        data = world.draw(data_seed)
        for method, seed in zip(methods, method_seeds, strict=True):
            rows += [_judged(world, answer) for answer in method(data, seed)]
    return rows


def _judged(world: BenchWorld, answer: BenchAnswer) -> dict[str, object]:
    """One answer as a row, with the target of its world."""
    target = world.targets[answer.estimand](answer.at) if answer.estimand in world.targets else float("nan")
    return {"world": world.name, **vars(answer), "target": target}


_FURTHER = ("direction", "conf_low", "conf_high", "p_value")


def _scores(answers: pd.DataFrame) -> pd.DataFrame:
    """Every score that the answers of one method on one estimand of one world allow."""
    estimate, target = answers["estimate"].to_numpy(), answers["target"].to_numpy()
    error = estimate - target
    direction, low, high, p_value = (answers[name].to_numpy() for name in _FURTHER)
    own = np.sign(np.where(np.isnan(direction), 1.0, direction))
    outward = error * np.where(target == 0, own, np.sign(target))
    covered = np.where(np.isnan(low) | np.isnan(high) | np.isnan(target), np.nan, (low <= target) & (target <= high))
    rejected = np.where(np.isnan(p_value), np.nan, p_value <= LEVEL)
    given = [column for column in (estimate, low, p_value) if not np.isnan(column).all()]
    failed = np.any([np.isnan(column) for column in given], axis=0) if given else np.ones(len(answers), dtype=bool)
    means = {
        "bias": error,
        "bias away from zero": outward,
        "coverage": covered,
        "rejection rate": rejected,
        "failed": failed.astype(np.float64),
    }
    rows = [(score, *_mean(values)) for score, values in means.items()]
    rows += [("standard deviation", *_spread(error)), ("root mean squared error", *_root_mean_square(error))]
    table = pd.DataFrame(rows, columns=["score", "value", "std_error", "n"])
    table.insert(0, "method", answers["method"].iloc[0])
    table.insert(0, "world", answers["world"].iloc[0])
    table["estimand"] = answers["estimand"].iloc[0]
    table["target"] = _mean(target)[0]
    return table[table["n"] > 1]


def _mean(values: FloatArray) -> tuple[float, float, int]:
    """The mean of what is known, its Monte-Carlo error, and how many that are."""
    known = values[~np.isnan(values)]
    if len(known) < 2:
        return float("nan"), float("nan"), len(known)
    return float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known))), len(known)


def _spread(error: FloatArray) -> tuple[float, float, int]:
    """The standard deviation, its error by the delta method from the fourth moment, and the number."""
    centred = error - np.nanmean(error) if not np.isnan(error).all() else error
    return _root_mean_square(centred)


def _root_mean_square(error: FloatArray) -> tuple[float, float, int]:
    """The root of the mean square, with its error by the delta method, and the number."""
    square, std_error, n = _mean(error**2)
    root = float(np.sqrt(square))
    return root, std_error / (2 * root) if root > 0 else std_error, n


COVERAGE, LEVEL = 0.95, 0.05
"""What the coverage of an interval and the type-I error of a test should be."""
MUCH_BIAS = 0.4
"""Of the standard deviation: beyond it bias spoils intervals and tests (Collins, Schafer and Kam, Psychol Methods 6
(2001) 330)."""
ERRORS_AWAY = 2.0
"""Monte-Carlo standard errors beyond which a score departs from what it should be."""
NO_DEPARTURE = "no departure shown"


def bench_table(scores: pd.DataFrame) -> pd.DataFrame:
    """One row for each world, method and estimand.

    Parameters
    ----------
    scores : DataFrame
        As `run_bench` gives them.

    Returns
    -------
    DataFrame
        world, method, estimand, target, n, bias, bias_error, misspecification, standard_deviation, relative_bias,
        relative_bias_error, coverage, coverage_error, type_1_error, type_1_error_error, power, power_error, failed,
        verdict. Answers that no target of their world judges are left out. Bias is counted away from zero: more than 0
        exaggerates; misspecification is the part of it that no
        number of patients takes away, and the relative one is in standard deviations of the estimate. The errors are
        Monte-Carlo standard errors, NaN where a method has no such score. The verdict names every score that is more
        than two Monte-Carlo errors from what it should be: a bias ("slightly biased" up to 0.4 standard deviations of
        the estimate), coverage other than 95 %, a type-I error other than 5 %. For a share the error is the one under
        the share that should be, sqrt(0.05 0.95 / n): at the share seen it would shrink towards 0 and forgive a test
        that rejects too often. "no departure shown" says no more than that: fewer data sets show less.

    Examples
    --------
    >>> rows = [("no effect", "cut", "coverage", 0.90, 0.01, 900, "effect", 0.0)]
    >>> columns = ["world", "method", "score", "value", "std_error", "n", "estimand", "target"]
    >>> bench_table(pd.DataFrame(rows, columns=columns))["verdict"].tolist()
    ['intervals too narrow']
    """
    judged = scores[scores["target"].notna()]
    rows = [_row(part) for _, part in judged.groupby(["world", "method", "estimand"], sort=False, observed=True)]
    return pd.DataFrame(rows, columns=list(_ORDER))


_COLUMNS = {
    "bias": "bias away from zero",
    "misspecification": "misspecification",
    "coverage": "coverage",
    "type_1_error": "type-I error",
    "power": "power",
    "failed": "failed",
}
"""Column of the table to score of the bench."""

_ORDER = (
    *("world", "method", "estimand", "target", "n", "bias", "bias_error", "misspecification", "standard_deviation"),
    *("relative_bias", "relative_bias_error", "coverage", "coverage_error", "type_1_error", "type_1_error_error"),
    *("power", "power_error", "failed", "verdict"),
)


def _row(part: pd.DataFrame) -> dict[str, float | str]:
    """The scores of one method in one world, side by side."""
    known = part.set_index("score")[["value", "std_error"]].to_dict("index")
    counts = {str(score): int(n) for score, n in zip(part["score"], part["n"], strict=True)}
    row: dict[str, float] = {"target": part["target"].iloc[0], "n": part["n"].max()}
    for column, score in _COLUMNS.items():
        given = known.get(score, {})
        row |= {column: given.get("value", np.nan), f"{column}_error": given.get("std_error", np.nan)}
    square = known.get("root mean squared error", {}).get("value", np.nan) ** 2 - row["bias"] ** 2
    row["standard_deviation"] = spread = float(np.sqrt(square)) if square > 0 else np.nan
    row |= {"relative_bias": row["bias"] / spread, "relative_bias_error": row["bias_error"] / spread}
    names = {name: str(part[name].iloc[0]) for name in ("world", "method", "estimand")}
    return {**names, **row, "verdict": _verdict(row, counts)}


def errors_away(share: float, wanted: float, n: float) -> float:
    """How many standard errors a share of n data sets is from the one wanted, the error that of the one wanted.

    Examples
    --------
    >>> round(errors_away(17 / 200, 0.05, 200), 2), round(errors_away(2 / 100, 0.05, 100), 2)
    (2.27, -1.38)
    """
    return float((share - wanted) / np.sqrt(wanted * (1 - wanted) / n))


def level_verdict(type_1_error: float, n: float) -> str:
    """Whether a test rejects too often or too seldom in n data sets without an effect, or no departure is shown."""
    away = errors_away(type_1_error, LEVEL, n)
    return "rejects too often" if away > ERRORS_AWAY else "conservative" if away < -ERRORS_AWAY else NO_DEPARTURE


def _verdict(row: Mapping[str, float], counts: Mapping[str, int]) -> str:
    """Every departure of one method in one world; "" where no score says what it should be."""
    if all(np.isnan(row[score]) for score in ("relative_bias", "coverage", "type_1_error")):
        return ""
    departures = []
    if abs(row["relative_bias"]) > ERRORS_AWAY * row["relative_bias_error"]:
        departures.append("biased" if abs(row["relative_bias"]) > MUCH_BIAS else "slightly biased")
    away = errors_away(row["coverage"], COVERAGE, counts.get("coverage", 1))
    departures += ["intervals too narrow"] * (away < -ERRORS_AWAY) + ["intervals too wide"] * (away > ERRORS_AWAY)
    level = level_verdict(row["type_1_error"], counts.get("type-I error", 1))
    departures += [level] * (level != NO_DEPARTURE)
    return "; ".join(departures) or NO_DEPARTURE
