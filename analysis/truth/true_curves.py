"""True survival curves and restricted means by magnesium stratum, from simulated courses without censoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from analysis.arrays import FloatArray
from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL
from analysis.cohort.synthetic import STREAMS, CohortDesign, Course, Patients, draw_course, magnesium_path
from analysis.strata.cutpoints import Cutpoints

MONTHS = np.arange(61)
HORIZONS = (12, 24, 36)


@dataclass(frozen=True, eq=False)
class StratumCourses:
    """One stratum: the courses of the patients found in it, and those of the whole cohort were it put there."""

    label: str
    found: Course
    standardised: Course


def stratum_courses(
    patients: Patients, design: CohortDesign, cutpoints: Cutpoints, *, seed: int
) -> list[StratumCourses]:
    """The courses of everybody ("all"), then of each stratum of measured magnesium, observed and standardised.

    Parameters
    ----------
    patients : Patients
        The large cohort.
    design : CohortDesign
        Its design.
    cutpoints : Cutpoints
        In mmol/L, closed on the left.
    seed : int
        Seed of the large cohort; the standardised courses draw from further streams of it.

    Returns
    -------
    list of StratumCourses
    """
    bounds = [-np.inf, *(_reported_from(edge) for edge in cutpoints.edges), np.inf]
    streams = np.random.SeedSequence(seed).spawn(len(STREAMS) + len(cutpoints.labels))[len(STREAMS) :]
    strata = [StratumCourses("all", patients.course, patients.course)]
    for label, low, high, stream in zip(cutpoints.labels, bounds[:-1], bounds[1:], streams, strict=True):
        inside = (patients.measured > low) & (patients.measured < high)
        draw, transitions, scans = (np.random.default_rng(child) for child in stream.spawn(3))
        magnesium = magnesium_within(patients, design, low, high, draw)
        path = magnesium_path(magnesium, design, draw.spawn(1)[0])
        put_there = draw_course(patients.covariates, magnesium, design, transitions, scans, path=path)
        strata.append(StratumCourses(label, _subset(patients.course, inside), put_there))
    return strata


def magnesium_within(
    patients: Patients, design: CohortDesign, low: float, high: float, rng: np.random.Generator
) -> FloatArray:
    """Everybody's true magnesium, drawn given their causes and a measurement between `low` and `high` (mmol/L).

    Given the causes, the true value is normal (mean m, variance s^2) and measuring adds error of variance e^2: the
    measurement is a truncated normal, and the true value given it has mean m + s^2 / (s^2 + e^2) (measurement - m) and
    variance s^2 e^2 / (s^2 + e^2).
    """
    mean, sd, error = patients.law.mean, patients.law.sd, design.measurement_error
    total = np.hypot(sd, error)
    below, up_to = ndtr((low - mean) / total), ndtr((high - mean) / total)
    measurement = mean + total * ndtri(below + rng.random(len(mean)) * (up_to - below))
    true_mean = mean + (sd / total) ** 2 * (measurement - mean)
    return np.asarray(true_mean + sd * error / total * rng.standard_normal(len(mean)), dtype=np.float64)


def _reported_from(edge: float) -> float:
    """The unrounded concentration from which a report to 0.01 mmol/L is at or above the edge."""
    return float(np.ceil(np.round(edge * 100, 6)) / 100 - 0.005)


def _subset(course: Course, rows: NDArray[np.bool_]) -> Course:
    """The courses of some patients."""
    return Course(course.progression[rows], course.seen[rows], course.death[rows])


def curve_table(strata: Sequence[StratumCourses]) -> pd.DataFrame:
    """Survival at whole months: endpoint stratum time survival standardised_survival, and their Monte-Carlo errors."""
    tables = []
    for endpoint, times in _TIMES.items():
        for stratum in strata:
            found, standardised = getattr(stratum.found, times), getattr(stratum.standardised, times)
            survival, after_setting = _survival(found), _survival(standardised)
            tables.append(
                pd.DataFrame(
                    {
                        "endpoint": endpoint,
                        "stratum": stratum.label,
                        "time": MONTHS,
                        "survival": survival,
                        "standardised_survival": after_setting,
                        "std_error": np.sqrt(survival * (1 - survival) / len(found)),
                        "standardised_std_error": np.sqrt(after_setting * (1 - after_setting) / len(standardised)),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


_TIMES = {OVERALL_SURVIVAL.name: "death", PROGRESSION_FREE_SURVIVAL.name: "pfs"}
"""The attribute of a course that holds the times of each endpoint."""


def _survival(times: FloatArray) -> FloatArray:
    """The share still without the event after each month of `MONTHS`."""
    month = np.ceil(np.minimum(times, MONTHS[-1] + 1)).astype(np.int64)
    failed = np.cumsum(np.bincount(month, minlength=len(MONTHS) + 1))[:-1]
    return np.asarray(1 - failed / len(times), dtype=np.float64)


def restricted_mean_table(strata: Sequence[StratumCourses]) -> pd.DataFrame:
    """Mean months up to each horizon: endpoint stratum horizon restricted_mean standardised_restricted_mean, errors."""
    rows = []
    for endpoint, times in _TIMES.items():
        for stratum in strata:
            for horizon in HORIZONS:
                found = np.minimum(getattr(stratum.found, times), horizon)
                standardised = np.minimum(getattr(stratum.standardised, times), horizon)
                rows.append(
                    {
                        "endpoint": endpoint,
                        "stratum": stratum.label,
                        "horizon": horizon,
                        "restricted_mean": found.mean(),
                        "standardised_restricted_mean": standardised.mean(),
                        "std_error": found.std() / np.sqrt(len(found)),
                        "standardised_std_error": standardised.std() / np.sqrt(len(standardised)),
                    }
                )
    return pd.DataFrame(rows)
