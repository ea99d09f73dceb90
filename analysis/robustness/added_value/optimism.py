"""What models gain in the rows that they were fitted to: fitted anew in resamples, measured there and in all rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.batches import batch_bounds, in_batches
from analysis.cohort.columns import first_few
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.kernels.accuracy import net_benefits
from analysis.robustness.added_value.measures import Key, Measures, Outcome, measure
from analysis.robustness.added_value.models import FittedPair, ModelPair

BATCH = 10
MOST_FAILED = 0.5
MANY_FAILED = 0.05


def outcome_of(fitted: FittedPair, horizons: FloatArray) -> Outcome:
    """What happened to the rows that were fitted."""
    rows = fitted.fits[0].rows
    return Outcome(rows.time, rows.event, rows.strata, horizons)


def refuse_empty(outcome: Outcome, fitted: FittedPair) -> None:
    """An error where a time has no event before it, or nobody who is followed beyond it."""
    labels = fitted.fits[0].design.data.strata.labels
    problems = []
    for horizon in outcome.horizons:
        if not (outcome.event & (outcome.time <= horizon)).any():
            problems.append(f"times: no event by {horizon:g}; look later")
        ends = [label for code, label in enumerate(labels) if (outcome.time[outcome.strata == code] <= horizon).all()]
        if ends:
            where = f" in stratum {first_few(ends)}" if len(labels) > 1 else ""
            problems.append(f"times: nobody is followed beyond {horizon:g}{where}; look earlier")
    raise_all(problems, NotEstimable)


def measured_pair(
    fitted: FittedPair, outcome: Outcome, rows: pd.DataFrame, shares: FloatArray
) -> tuple[Measures, Measures]:
    """Both models measured on rows."""
    without, with_marker = (measure(outcome, predicted, shares) for predicted in fitted.of(rows))
    return without, with_marker


def pair_benefits(outcome: Outcome, measured: tuple[Measures, Measures], thresholds: FloatArray) -> FloatArray:
    """The net benefit of each strategy that a model or everybody's treatment is: shape (3, times, thresholds)."""
    everybody = np.ones_like(measured[0].risk)
    return np.array(
        [
            [
                net_benefits(outcome.time, outcome.event, risk[:, number], float(horizon), thresholds)
                for number, horizon in enumerate(outcome.horizons)
            ]
            for risk in (measured[0].risk, measured[1].risk, everybody)
        ]
    )


@dataclass(frozen=True, eq=False)
class Draw:
    """What a resample's models gain in it over all rows, of measures and of net benefit; and what they have in it."""

    optimism: tuple[dict[Key, float], dict[Key, float]]
    apparent: tuple[dict[Key, float], dict[Key, float]]
    benefit: FloatArray


def draw_optimism(
    pair: ModelPair, rows: pd.DataFrame, outcome: Outcome, thresholds: FloatArray, *, n_bootstrap: int, seed: int
) -> list[Draw]:
    """What every resample that can be fitted shows, in order."""
    bounds = batch_bounds(n_bootstrap, BATCH)
    sizes = [end - first for first, end in bounds]
    batches = list(zip(np.random.SeedSequence(seed).spawn(len(bounds)), sizes, strict=True))
    work = partial(_batch, pair, rows, outcome, thresholds)
    return [draw for part in in_batches(work, batches, sizes=sizes, label="resamples") for draw in part]


def _batch(
    pair: ModelPair,
    rows: pd.DataFrame,
    outcome: Outcome,
    thresholds: FloatArray,
    batch: tuple[np.random.SeedSequence, int],
) -> list[Draw]:
    """Some resamples."""
    stream, n_draws = batch
    drawn = np.random.default_rng(stream).integers(0, len(rows), size=(n_draws, len(rows)))
    with errors.collected():
        return [draw for index in drawn for draw in _one(pair, rows, outcome, thresholds, np.sort(index))]


def _one(
    pair: ModelPair, rows: pd.DataFrame, outcome: Outcome, thresholds: FloatArray, index: IntArray
) -> Iterator[Draw]:
    """One resample; none when it has no model, or no case or control at a time."""
    sample = rows.iloc[index]
    try:
        fitted = pair.fitted(sample)
        inside = outcome_of(fitted, outcome.horizons)
        refuse_empty(inside, fitted)
        own = measured_pair(fitted, inside, sample, inside.shares)
        others = measured_pair(fitted, outcome, rows, inside.shares)
    except InputError:
        return
    gains = tuple(
        {key: one.values[key] - other.values[key] for key in one.values} for one, other in zip(own, others, strict=True)
    )
    benefit = pair_benefits(inside, own, thresholds) - pair_benefits(outcome, others, thresholds)
    yield Draw((gains[0], gains[1]), (own[0].values, own[1].values), benefit)


def failure_warnings(n_bootstrap: int, n_failed: int) -> list[errors.AnalysisWarning]:
    """Warning when more than 5 % of the resamples have no model; an error when most have none."""
    text = f"{n_failed} of {n_bootstrap} resamples have no model (no finite estimate, a level or a control left out)"
    if n_failed > MOST_FAILED * n_bootstrap:
        raise NotEstimable(f"{text}; take a smaller model, or join levels")
    if n_failed <= MANY_FAILED * n_bootstrap:
        return []
    return [errors.FailedDraws(f"{text}; the correction for optimism rests on the others")]
