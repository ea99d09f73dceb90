"""Progression, death without it and death after it, as one illness-death process; scans and the end of follow-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.cohort.synthetic.causes import CAUSES, DISEASES, TRANSITIONS, effect_of_causes
from analysis.cohort.synthetic.design import CohortDesign
from analysis.cohort.synthetic.magnesium import REFERENCE_MAGNESIUM, MagnesiumPath

SLOPED = ("planted", "fading", "moving", "moving with burden")
"""Worlds in which the log hazard is a line in magnesium."""


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

    def take(self, rows: BoolArray) -> Course:
        """The courses of some patients."""
        return Course(self.progression[rows], self.seen[rows], self.death[rows])

    def status(self, follow_up: FloatArray) -> IntArray:
        """What comes first: 0 the end of follow-up, 1 progression at a scan, 2 death without progression seen."""
        seen_first = np.where(self.seen <= self.death, 1, 2)
        return np.where(self.pfs <= follow_up, seen_first, 0).astype(np.int64)


def magnesium_log_ratio(magnesium: FloatArray, design: CohortDesign, transition: str) -> FloatArray:
    """The planted log hazard ratio of true magnesium (mmol/L, any shape) on a transition, by the design's world."""
    on = "progression" if transition == "progression" else "death"
    if design.world in SLOPED:
        per_tenth = np.log(getattr(design, f"hazard_ratio_{on}"))
        return np.asarray(per_tenth * (REFERENCE_MAGNESIUM - magnesium) / 0.1, dtype=np.float64)
    if design.world == "threshold":
        step = np.log(getattr(design, f"threshold_hazard_ratio_{on}"))
        return np.where(magnesium < design.threshold, step, 0.0)
    return np.zeros(np.shape(magnesium))


def draw_course(
    covariates: pd.DataFrame,
    magnesium: FloatArray,
    design: CohortDesign,
    rng: np.random.Generator,
    scans: np.random.Generator,
    *,
    path: MagnesiumPath | None = None,
) -> Course:
    """Draw every patient's course: two competing transitions from the start, then death after progression.

    Each transition has the proportional hazards rate * exp(-t / fade) * exp(causes + magnesium); the clock of death
    after progression starts at progression. Where magnesium moves, its effect is that of its current value, on the
    clock that starts at the first infusion. Times are rounded up to 0.01 month.

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
    path : MagnesiumPath, optional
        Where what acts on the hazards changes in time, in place of `magnesium`.

    Returns
    -------
    Course
    """
    exponentials = {transition: rng.standard_exponential(len(covariates)) for transition in TRANSITIONS}

    def wait(transition: str, since: FloatArray) -> FloatArray:
        """The months that each patient waits for a transition whose clock starts at `since`."""
        return _wait(transition, exponentials[transition], since, covariates, magnesium, design, path)

    zero = np.zeros(len(covariates))
    first, without = wait("progression", zero), wait("death_without_progression", zero)
    progressed = first < without
    progression = np.where(progressed, first, np.inf)
    after = progression + wait("death_after_progression", np.where(progressed, first, 0.0))
    death = np.where(progressed, after, without)
    return Course(round_up(progression), round_up(next_scan(progression, design, scans)), round_up(death))


def _wait(
    transition: str,
    exponentials: FloatArray,
    since: FloatArray,
    covariates: pd.DataFrame,
    magnesium: FloatArray,
    design: CohortDesign,
    path: MagnesiumPath | None,
) -> FloatArray:
    """Months from `since` to a transition, infinity where it never comes."""
    months, causes = np.empty(len(covariates)), effect_of_causes(covariates, transition)
    for treatment, disease in DISEASES.items():
        rows = (covariates["treatment"] == treatment).to_numpy()
        hazard = getattr(disease, transition)
        if path is None:
            log_ratio = causes[rows] + magnesium_log_ratio(magnesium[rows], design, transition)
            months[rows] = hazard.times(exponentials[rows], log_ratio)
        else:
            starts, moving = _acting(path, rows, since, design, transition)
            months[rows] = hazard.times_by_period(exponentials[rows], starts, causes[rows, None] + moving)
    return months


def _acting(
    path: MagnesiumPath, rows: BoolArray, since: FloatArray, design: CohortDesign, transition: str
) -> tuple[FloatArray, FloatArray]:
    """When the periods of some patients start on a clock that starts at `since`, and the log hazard ratios in them."""
    growing = next(getattr(cause, transition) for cause in CAUSES if cause.term == "log2(tumour_burden)")
    log_ratio = magnesium_log_ratio(path.acting[rows], design, transition) + growing * path.growth[rows]
    return np.maximum(path.starts - since[rows, None], 0.0), log_ratio


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
