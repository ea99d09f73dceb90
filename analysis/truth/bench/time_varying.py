"""Magnesium that moves, on the bench: "ever low" beside analyses that know no more than could be known."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort import synthetic
from analysis.cohort.columns import OVERALL_SURVIVAL, Endpoint
from analysis.errors import collected
from analysis.kernels.cox import fit_arrays
from analysis.robustness.time_varying import baseline_value, start_stop
from analysis.survival.cox import fit_cox
from analysis.survival.curves import landmark
from analysis.truth.bench.markers import CLINICAL, MARKER, marker_time_event
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, as_targets, wald

NOW, AT_ZERO, AT_LANDMARK = (
    f"log hazard ratio of low magnesium {when}" for when in ("now", "at time zero", "at the landmark")
)
LANDMARK = 6.0
"""Months."""
LABS = {"key": "patient_id", "time": "month", "value": MARKER}
LOW = "low"
FORMULA = " + ".join((LOW, *synthetic.ADJUSTMENT))
SPELL = Endpoint("stop", "event", entry="start")


class Moving(NamedTuple):
    """A data set: patients, and their repeated values."""

    cohort: pd.DataFrame
    labs: pd.DataFrame


def moving_world(name: str, design: synthetic.CohortDesign, *, n_population: int, seed: int) -> BenchWorld:
    """A world in which the hazards follow current magnesium, with the effects of low magnesium at three times.

    The targets are log hazard ratios of magnesium below 0.75 mmol/L against at or above it, at the time, at time zero
    and at the landmark, in a large cohort; adjusted for everything that drives magnesium and the hazards, the growth of
    the tumour too, which no data set holds. All are zero where nothing was planted.

    Parameters
    ----------
    name : str
    design : synthetic.CohortDesign
        Of a moving world, without missing values or error of measurement.
    n_population : int
        Of the large cohort: each patient takes a row a month.
    seed : int

    Returns
    -------
    BenchWorld
    """
    draw = partial(draw_moving, design)
    if design.hazard_ratio_death == design.hazard_ratio_progression == 1:
        return BenchWorld(name, draw, as_targets(dict.fromkeys((NOW, AT_ZERO, AT_LANDMARK), 0.0)))
    return BenchWorld(name, draw, as_targets(_targets(design.of_size(n_population), seed)))


def draw_moving(design: synthetic.CohortDesign, seed: int) -> Moving:
    """One cohort with its repeated values."""
    simulated = synthetic.simulate_cohort(design, seed=seed)
    return Moving(simulated.cohort, simulated.labs)


def _targets(design: synthetic.CohortDesign, seed: int) -> dict[str, float]:
    """The three effects in one large cohort."""
    simulated = synthetic.simulate_cohort(design, seed=seed)
    path = synthetic.simulate_patients(design, seed=seed).path
    assert path is not None  # a moving world
    causes, treatment = synthetic.adjustment_terms(simulated.cohort), synthetic.treatment_codes(simulated.cohort)
    _, time, event = marker_time_event(simulated.cohort)
    patient, start, value = _samples(simulated)
    last = np.append(patient[1:] != patient[:-1], True)
    stop = np.where(last, time[patient], np.append(start[1:], 0.0))
    period = np.round(start / synthetic.INTERVAL).astype(np.int64)
    at_risk = (start <= LANDMARK) & (stop > LANDMARK)
    rows = {
        NOW: (np.ones(len(patient), dtype=bool), start, stop, last & event[patient]),
        AT_ZERO: (start == 0, np.zeros(len(patient)), time[patient], event[patient]),
        AT_LANDMARK: (at_risk, np.full(len(patient), LANDMARK), time[patient], event[patient]),
    }
    targets = {}
    for estimand, (used, entry, end, dies) in rows.items():
        who = patient[used]
        grown = path.growth[who, period[used]]
        x = np.column_stack([value[used] < CLINICAL, causes[who], *([grown] if grown.any() else [])])
        coef, _, _ = fit_arrays(x, end[used], dies[used], entry=entry[used], strata=treatment[who])
        targets[estimand] = float(coef[0])
    return targets


def _samples(simulated: synthetic.SyntheticCohort) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """The patient's row, month and value of every sample, by patient and month."""
    position = pd.Index(simulated.cohort["patient_id"]).get_indexer(simulated.labs["patient_id"])
    return position, simulated.labs["month"].to_numpy(), simulated.labs[MARKER].to_numpy()


def ever_low(data: Moving, _seed: int) -> list[BenchAnswer]:
    """Wrong: low at any time of the follow-up against never, as if it had been known at time zero."""
    lowest = data.labs.groupby("patient_id")[MARKER].min()
    rows = data.cohort.assign(**{LOW: (data.cohort["patient_id"].map(lowest) < CLINICAL).astype(float)})
    return [_fitted("ever low (wrong)", NOW, rows, OVERALL_SURVIVAL)]


def low_at_zero(data: Moving, _seed: int) -> list[BenchAnswer]:
    """Low at time zero."""
    rows = data.cohort.assign(**{LOW: (data.cohort[MARKER] < CLINICAL).astype(float)})
    return [_fitted("low at time zero", AT_ZERO, rows, OVERALL_SURVIVAL)]


def low_at_landmark(data: Moving, _seed: int) -> list[BenchAnswer]:
    """Low by the last value at the landmark, among those still at risk."""
    with collected():
        known = baseline_value(data.cohort, data.labs, **LABS, up_to=LANDMARK)
        rows = landmark(data.cohort.assign(**{LOW: (known < CLINICAL).astype(float)}), OVERALL_SURVIVAL, LANDMARK)
    return [_fitted(f"low at the landmark, {LANDMARK:g} months", AT_LANDMARK, rows, OVERALL_SURVIVAL)]


def low_now(data: Moving, _seed: int) -> list[BenchAnswer]:
    """The time-dependent Cox model: low by the latest value at each moment."""
    with collected():
        rows = start_stop(data.cohort.drop(columns=MARKER), data.labs, OVERALL_SURVIVAL, **LABS)
    rows = rows.assign(**{LOW: (rows["value"] < CLINICAL).astype(float)})
    return [_fitted("low now (time-dependent)", NOW, rows, SPELL, cluster="patient_id")]


def _fitted(
    method: str, estimand: str, rows: pd.DataFrame, endpoint: Endpoint, *, cluster: str | None = None
) -> BenchAnswer:
    """The adjusted log hazard ratio of low magnesium."""
    with collected():
        fit = fit_cox(rows, endpoint, FORMULA, strata="treatment", cluster=cluster, engine="kernel")
    row = fit.coefficients.iloc[0]
    std_error = row["std_error"] if cluster is None else row["robust_std_error"]
    return wald(method, estimand, float(row["coef"]), float(std_error))
