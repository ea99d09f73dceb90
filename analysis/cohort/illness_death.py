"""Progression, death without it and death after it, as one illness-death process; scans and the end of follow-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cohort.causes import DISEASES, TRANSITIONS, effect_of_causes
from analysis.cohort.design import CohortDesign

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

REFERENCE_MAGNESIUM = 0.80
"""mmol/L at which the planted slope has no effect on a hazard."""


@dataclass(frozen=True, eq=False)
class Course:
    """Every patient's course without censoring, in months, shape (n,): infinity where an event never comes.

    `progression` is when it truly begins, `seen` the scan that would show it, `death` after either transition.
    """

    progression: FloatArray
    seen: FloatArray
    death: FloatArray

    @property
    def pfs(self) -> FloatArray:
        """Progression-free survival: the scan that shows progression, or death before it."""
        return np.minimum(self.seen, self.death)

    def status(self, follow_up: FloatArray) -> IntArray:
        """What comes first: 0 the end of follow-up, 1 progression at a scan, 2 death without progression seen."""
        seen_first = np.where(self.seen <= self.death, 1, 2)
        return np.where(self.pfs <= follow_up, seen_first, 0).astype(np.int64)


def magnesium_log_ratio(magnesium: FloatArray, design: CohortDesign, transition: str) -> FloatArray:
    """The planted log hazard ratio of each patient's true magnesium (mmol/L) on a transition, by the design's world."""
    on = "progression" if transition == "progression" else "death"
    if design.world == "planted":
        per_tenth = np.log(getattr(design, f"hazard_ratio_{on}"))
        return np.asarray(per_tenth * (REFERENCE_MAGNESIUM - magnesium) / 0.1, dtype=np.float64)
    if design.world == "threshold":
        step = np.log(getattr(design, f"threshold_hazard_ratio_{on}"))
        return np.where(magnesium < design.threshold, step, 0.0)
    return np.zeros(len(magnesium))


def draw_course(
    covariates: pd.DataFrame,
    magnesium: FloatArray,
    design: CohortDesign,
    rng: np.random.Generator,
    scans: np.random.Generator,
) -> Course:
    """Draw every patient's course: two competing transitions from the start, then death after progression.

    Each transition has the proportional hazards rate * exp(-t / fade) * exp(causes + magnesium); the clock of death
    after progression starts at progression. Times are rounded up to 0.01 month.

    Parameters
    ----------
    covariates : DataFrame
        From `draw_covariates`.
    magnesium : ndarray, shape (n,)
        True magnesium, mmol/L.
    design : CohortDesign
        Planted effects and scan interval.
    rng, scans : numpy.random.Generator
        The streams of the transitions and of the scan dates.

    Returns
    -------
    Course
    """
    log_ratio = {
        transition: effect_of_causes(covariates, transition) + magnesium_log_ratio(magnesium, design, transition)
        for transition in TRANSITIONS
    }
    waits = {transition: np.empty(len(covariates)) for transition in TRANSITIONS}
    exponentials = {transition: rng.standard_exponential(len(covariates)) for transition in TRANSITIONS}
    for treatment, disease in DISEASES.items():
        rows = (covariates["treatment"] == treatment).to_numpy()
        for transition in TRANSITIONS:
            hazard = getattr(disease, transition)
            waits[transition][rows] = hazard.times(exponentials[transition][rows], log_ratio[transition][rows])

    progressed = waits["progression"] < waits["death_without_progression"]
    progression = np.where(progressed, waits["progression"], np.inf)
    after = progression + waits["death_after_progression"]
    death = np.where(progressed, after, waits["death_without_progression"])
    return Course(round_up(progression), round_up(next_scan(progression, design, scans)), round_up(death))


def next_scan(progression: FloatArray, design: CohortDesign, rng: np.random.Generator) -> FloatArray:
    """The first scan at or after progression: every `scan_interval`, shifted by a quarter of it at most, by patient."""
    interval = design.scan_interval
    shift = interval * rng.uniform(-0.25, 0.25, len(progression))
    return np.maximum(np.ceil((progression - shift) / interval), 1) * interval + shift


def draw_follow_up(design: CohortDesign, rng: np.random.Generator) -> FloatArray:
    """Months from each patient's entry to the data cut, or to an earlier drop-out."""
    data_cut = design.minimum_follow_up + design.accrual_months * rng.random(design.n)
    lost, share = rng.random(design.n) < design.drop_out_share, rng.random(design.n)
    return round_up(np.where(lost, share * data_cut, data_cut))


def round_up(months: FloatArray) -> FloatArray:
    """Times rounded up to 0.01 month, so that none is 0 and the order of two events is kept.

    Examples
    --------
    >>> round_up(np.array([0.001, 1.23, 1.2301])).tolist()
    [0.01, 1.23, 1.24]
    """
    return np.asarray(np.ceil(np.round(months * 100, 6)) / 100, dtype=np.float64)
