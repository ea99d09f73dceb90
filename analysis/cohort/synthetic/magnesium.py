"""Serum magnesium: the true value from its causes and in time, its measurement, what goes missing, repeated values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort.synthetic.causes import DISEASES, effect_of_causes
from analysis.cohort.synthetic.design import LABS_SCHEMA, CohortDesign

REFERENCE_MAGNESIUM = 0.80
"""mmol/L at which the planted slope has no effect on a hazard."""

EFFECT_MONTHS = 6.0
""""fading" world: months from first infusion after which magnesium has no effect."""

INTERVAL = 1.05
"""Moving worlds: months from sample to sample; a value holds until the next."""

KEPT, CHANGE_SD = 0.8, 0.035
"""Moving worlds: the share of a departure from baseline left at the next sample, and what chance adds, mmol/L."""

GROWTH_SD, GROWTH_MONTHS, LOSS_PER_DOUBLING = 1.0, 6.0, 0.04
""""moving with burden": doublings of the tumour in the end, how fast they come, magnesium (mmol/L) lost by each."""


@dataclass(frozen=True, eq=False)
class MagnesiumPath:
    """What acts on the hazards, by period; the last period never ends.

    Attributes
    ----------
    starts : ndarray, shape (m,)
        Months from first infusion at which the periods start; the first is 0.
    acting : ndarray, shape (n, m)
        True magnesium that the hazards know, mmol/L; the reference where there is no effect.
    growth : ndarray, shape (n, m)
        Doublings of tumour burden since baseline, in no chart.
    """

    starts: FloatArray
    acting: FloatArray
    growth: FloatArray


def magnesium_path(magnesium: FloatArray, design: CohortDesign, rng: np.random.Generator) -> MagnesiumPath | None:
    """The path of everybody's magnesium from its baseline (mmol/L); None in a world where baseline acts for good.

    In the moving worlds departures from baseline are an autoregression, the first of them zero; growth is
    g (1 - exp(-t / GROWTH_MONTHS)) doublings with g normal, and takes its magnesium with it.

    Examples
    --------
    >>> path = magnesium_path(np.array([0.70]), CohortDesign(world="fading"), np.random.default_rng(1))
    >>> path.starts.tolist(), path.acting.tolist()
    ([0.0, 6.0], [[0.7, 0.8]])
    """
    n = len(magnesium)
    if design.world == "fading":
        acting = np.column_stack([magnesium, np.full(n, REFERENCE_MAGNESIUM)])
        return MagnesiumPath(np.array([0.0, EFFECT_MONTHS]), acting, np.zeros((n, 2)))
    if not design.world.startswith("moving"):
        return None
    periods = int((design.accrual_months + design.minimum_follow_up) / INTERVAL) + 2
    starts = np.round(INTERVAL * np.arange(periods), 2)
    growth = np.zeros((n, periods))
    if design.world == "moving with burden":
        growth += GROWTH_SD * rng.standard_normal((n, 1)) * -np.expm1(-starts / GROWTH_MONTHS)
    departure = np.zeros((n, periods))
    for period in range(1, periods):
        departure[:, period] = KEPT * departure[:, period - 1] + CHANGE_SD * rng.standard_normal(n)
    return MagnesiumPath(starts, magnesium[:, None] + departure - LOSS_PER_DOUBLING * growth, growth)


INDEPENDENT_MEAN, INDEPENDENT_SD = 0.81, 0.083
"""True magnesium, mmol/L, in the world where it is related to nothing."""

EARLY_DEATH = 3.0
"""Months; charts of patients who died by then are thinner."""

LAB_INTERVAL, LAB_JITTER = INTERVAL, 0.2
"""Months between repeated samples, and how far one falls from its appointment at most: about every 3 to 6 weeks."""

WITHIN_PERSON_SD = 0.03
"""mmol/L; what one patient's true magnesium moves from sample to sample."""


@dataclass(frozen=True, eq=False)
class MagnesiumLaw:
    """The normal distribution of true magnesium given a patient's causes, mmol/L, each of shape (n,)."""

    mean: FloatArray
    sd: FloatArray


def magnesium_law(covariates: pd.DataFrame, design: CohortDesign) -> MagnesiumLaw:
    """Mean and standard deviation of each patient's true magnesium, given treatment and causes.

    The planted, null and threshold worlds share it; in the independent world nobody's magnesium depends on anything.
    """
    n = len(covariates)
    if design.world == "independent":
        return MagnesiumLaw(np.full(n, INDEPENDENT_MEAN), np.full(n, INDEPENDENT_SD))
    codes = covariates["treatment"].cat.codes.to_numpy()
    mean = np.array([disease.magnesium_mean for disease in DISEASES.values()])[codes]
    sd = np.array([disease.magnesium_sd for disease in DISEASES.values()])[codes]
    return MagnesiumLaw(mean + design.confounding * effect_of_causes(covariates, "magnesium"), sd)


def draw_magnesium(law: MagnesiumLaw, rng: np.random.Generator) -> FloatArray:
    """True magnesium, mmol/L."""
    return law.mean + law.sd * rng.standard_normal(len(law.mean))


def measure(magnesium: FloatArray, sd: float, rng: np.random.Generator) -> FloatArray:
    """One measurement of each true value with normal error, rounded to 0.01 mmol/L as a laboratory reports it."""
    column = LABS_SCHEMA["magnesium"]
    values = np.clip(magnesium + sd * rng.standard_normal(len(magnesium)), column.low, column.high)
    return np.asarray(np.round(values, 2), dtype=np.float64)


def goes_missing(
    covariates: pd.DataFrame, death: FloatArray, design: CohortDesign, rng: np.random.Generator
) -> BoolArray:
    """Which baseline values are missing: more with high CRP, low albumin, early death; or by chance alone."""
    log_relative = np.zeros(len(covariates))
    if design.world != "independent":
        by_crp = 0.15 * (np.log2(covariates["crp"].to_numpy()) - 4)
        by_albumin = -0.04 * (covariates["albumin"].to_numpy() - 36.5)
        log_relative = by_crp + by_albumin + 1.0 * (death <= EARLY_DEATH) - 0.2
    probability = np.minimum(design.missing_share * np.exp(log_relative), 0.95)
    return rng.random(len(covariates)) < probability


def draw_labs(
    covariates: pd.DataFrame,
    magnesium: FloatArray,
    last_seen: FloatArray,
    design: CohortDesign,
    rng: np.random.Generator,
    *,
    path: MagnesiumPath | None = None,
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Repeated samples of every patient after baseline and before death or the end of follow-up.

    True magnesium drifts down by up to 0.03 mmol/L under a proton-pump inhibitor and by up to 0.02 after platinum, over
    about a year, and moves from sample to sample; measurement adds its error. The hazards know the baseline value only.
    In a moving world a sample falls on the day of each change, so that the last value measured is the current one.

    Returns
    -------
    tuple of ndarray
        Row of the patient, month of the sample, measured magnesium (mmol/L); by patient, then by time.
    """
    n_samples = np.floor((last_seen + LAB_JITTER) / LAB_INTERVAL).astype(np.int64)
    patient = np.repeat(np.arange(len(last_seen)), n_samples)
    number = np.arange(len(patient)) - np.repeat(np.cumsum(n_samples) - n_samples, n_samples) + 1
    if path is not None and design.world.startswith("moving"):
        month, true = path.starts[number], path.acting[patient, number]
        values, before_end = measure(true, design.measurement_error, rng), month < last_seen[patient]
        return patient[before_end], month[before_end], values[before_end]
    month = np.round(LAB_INTERVAL * number + rng.uniform(-LAB_JITTER, LAB_JITTER, len(patient)), 2)
    true = magnesium[patient] + WITHIN_PERSON_SD * rng.standard_normal(len(patient))
    if design.world != "independent":
        loss = 0.03 * covariates["ppi"].to_numpy() + 0.02 * covariates["platinum"].to_numpy()
        true -= loss[patient] * -np.expm1(-month / 6)
    values = measure(true, design.measurement_error, rng)
    before_end = month < last_seen[patient]
    return patient[before_end], month[before_end], values[before_end]
