"""The synthetic cohort: patients, magnesium, courses and repeated samples, drawn from a design and a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import FloatArray
from analysis.cohort.synthetic.causes import draw_covariates
from analysis.cohort.synthetic.design import COHORT_SCHEMA, DEFAULT_DESIGN, CohortDesign
from analysis.cohort.synthetic.illness_death import Course, draw_course, draw_follow_up
from analysis.cohort.synthetic.magnesium import (
    MagnesiumLaw,
    MagnesiumPath,
    draw_labs,
    draw_magnesium,
    goes_missing,
    magnesium_law,
    magnesium_path,
    measure,
)

STREAMS = ("covariates", "magnesium", "measurement", "course", "scans", "follow_up", "missing", "labs")


@dataclass(frozen=True, eq=False)
class SyntheticCohort:
    """A simulated cohort, its repeated magnesium values, and what no chart would hold.

    Attributes
    ----------
    cohort : DataFrame
        One row a patient: the columns of `COHORT_SCHEMA`.
    labs : DataFrame
        Repeated magnesium: the columns of `LABS_SCHEMA`, by patient and month; month 0 is the cohort's value.
    truth : DataFrame
        patient_id, magnesium (true baseline, mmol/L), progression_months (when it truly began), death_months (NaN where
        never), follow_up_months (data cut or drop-out, whatever came before).
    design : CohortDesign
        What was planted.
    """

    cohort: pd.DataFrame
    labs: pd.DataFrame
    truth: pd.DataFrame
    design: CohortDesign


@dataclass(frozen=True, eq=False)
class Patients:
    """The parts of a simulation before files: covariates, law, values, course, end of follow-up, magnesium in time."""

    covariates: pd.DataFrame
    law: MagnesiumLaw
    magnesium: FloatArray
    measured: FloatArray
    course: Course
    follow_up: FloatArray
    path: MagnesiumPath | None = None


def simulate_cohort(design: CohortDesign = DEFAULT_DESIGN, *, seed: int) -> SyntheticCohort:
    """Simulate a cohort as its design says.

    Covariates are drawn and rounded first, true magnesium from its causes among them, then an illness-death process
    whose hazards are proportional in covariates and true magnesium; the chart holds one measurement of magnesium, and
    progression at the scan that shows it. Each component draws from a stream of its own: missing values, say, change
    no time of death.

    Parameters
    ----------
    design : CohortDesign
        Sizes, planted effects, confounding, missing values, censoring.
    seed : int
        The same seed gives the same cohort.

    Returns
    -------
    SyntheticCohort
        Frames `cohort` (`COHORT_SCHEMA`), `labs` (`LABS_SCHEMA`), `truth`; times in months, magnesium in mmol/L.

    Examples
    --------
    >>> simulated = simulate_cohort(seed=1)
    >>> len(simulated.cohort), bool((simulated.cohort["pfs_months"] <= simulated.cohort["os_months"]).all())
    (480, True)
    """
    streams = _streams(seed)
    patients = simulate_patients(design, seed=seed)
    missing = goes_missing(patients.covariates, patients.course.death, design, streams["missing"])
    baseline = np.where(missing, np.nan, patients.measured)
    identifiers = _identifiers(design.n)
    cohort = cohort_frame(patients, baseline)
    cohort.insert(0, "patient_id", identifiers)
    return SyntheticCohort(
        cohort=cohort[list(COHORT_SCHEMA.names)],
        labs=_labs_frame(patients, baseline, identifiers, design, streams["labs"]),
        truth=_truth_frame(patients, identifiers),
        design=design,
    )


def simulate_patients(design: CohortDesign, *, seed: int) -> Patients:
    """The patients of `simulate_cohort` for this design and seed, with nothing missing and without repeated samples."""
    streams = _streams(seed)
    covariates = draw_covariates(design, streams["covariates"])
    law = magnesium_law(covariates, design)
    magnesium = draw_magnesium(law, streams["magnesium"])
    path = magnesium_path(magnesium, design, streams["magnesium"].spawn(1)[0])
    return Patients(
        covariates=covariates,
        law=law,
        magnesium=magnesium,
        measured=measure(magnesium, design.measurement_error, streams["measurement"]),
        course=draw_course(covariates, magnesium, design, streams["course"], streams["scans"], path=path),
        follow_up=draw_follow_up(design, streams["follow_up"]),
        path=path,
    )


def cohort_frame(patients: Patients, magnesium: FloatArray) -> pd.DataFrame:
    """The columns of the cohort but patient_id, with the magnesium given (measured or true, mmol/L)."""
    course, follow_up = patients.course, patients.follow_up
    status = course.status(follow_up)
    outcome = {
        "magnesium": magnesium,
        "os_months": np.minimum(course.death, follow_up),
        "os_event": (course.death <= follow_up).astype(np.int64),
        "pfs_months": np.minimum(course.pfs, follow_up),
        "pfs_event": (status > 0).astype(np.int64),
        "progression_status": status,
    }
    return patients.covariates.assign(**outcome)


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """One independent stream a component."""
    children = np.random.SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(STREAMS, children, strict=True)}


def _identifiers(n: int) -> NDArray[np.object_]:
    """MG-0001, MG-0002, ...; as many digits as the last one needs."""
    digits = max(4, len(str(n)))
    return np.array([f"MG-{number:0{digits}d}" for number in range(1, n + 1)], dtype=object)


def _labs_frame(
    patients: Patients,
    baseline: FloatArray,
    identifiers: NDArray[np.object_],
    design: CohortDesign,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Baseline and repeated values by patient and month."""
    last_seen = np.minimum(patients.course.death, patients.follow_up)
    patient, month, values = draw_labs(
        patients.covariates, patients.magnesium, last_seen, design, rng, path=patients.path
    )
    measured = np.flatnonzero(~np.isnan(baseline))
    row = np.concatenate([measured, patient])
    order = np.argsort(row, kind="stable")
    return pd.DataFrame(
        {
            "patient_id": identifiers[row[order]],
            "month": np.concatenate([np.zeros(len(measured)), month])[order],
            "magnesium": np.concatenate([baseline[measured], values])[order],
        }
    )


def _truth_frame(patients: Patients, identifiers: NDArray[np.object_]) -> pd.DataFrame:
    """What no chart holds, NaN for what never comes."""
    progression, death = patients.course.progression, patients.course.death
    return pd.DataFrame(
        {
            "patient_id": identifiers,
            "magnesium": patients.magnesium,
            "progression_months": np.where(np.isfinite(progression), progression, np.nan),
            "death_months": np.where(np.isfinite(death), death, np.nan),
            "follow_up_months": patients.follow_up,
        }
    )
