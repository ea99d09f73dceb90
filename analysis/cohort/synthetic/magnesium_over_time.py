"""Magnesium in time: the value that acts on the hazards, where that is not the baseline's for good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import FloatArray
from analysis.cohort.synthetic.design import CohortDesign

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
