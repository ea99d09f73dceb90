"""The synthetic worlds on the bench, with the true value of everything that the methods estimate there."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort import synthetic
from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import CohortDesign
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoints import cut_rows, log_hazard_ratios
from analysis.strata.cutpoints import clinical_cutpoints
from analysis.strata.splines import place_knots, spline_basis
from analysis.truth.bench.scoring import BenchWorld, Target, as_targets

CUT_EFFECT = "log hazard ratio above a cut"
SLOPE = "log hazard ratio per 0.1 mmol/L"
CUT_POINT = "cut-point"
ADJUSTED_SLOPE = "log hazard ratio per 0.1 mmol/L, adjusted"
ADJUSTED_CUT = "log hazard ratio above 0.75, adjusted"
CURVE = "log hazard ratio of 0.85 against 0.70"
MONTHS = "months of 24 gained above 0.75"
MARKER = "magnesium"
FROM, TO, HORIZON = 0.70, 0.85, 24.0
CLINICAL = clinical_cutpoints("nhanes-1").edges[0]


def cutpoint_world(name: str, design: CohortDesign, *, n_population: int = 1_000_000, seed: int) -> BenchWorld:
    """A world of the synthetic cohort, overall survival by measured magnesium, with the true effect of every cut.

    The effects are crude log hazard ratios in a large cohort with the same censoring: of magnesium above a cut against
    at or below it, and along magnesium. In the threshold world the true cut-point is the last value below the
    threshold, for magnesium is reported to 0.01 mmol/L. In the independent world every effect is zero.

    Parameters
    ----------
    name : str
    design : CohortDesign
        Its sizes are those of the data sets; no magnesium is missing in them.
    n_population : int
        Patients of the large cohort.
    seed : int
        Of the large cohort.

    Returns
    -------
    BenchWorld

    Examples
    --------
    >>> world = cutpoint_world("nothing there", CohortDesign(world="independent").of_size(200), seed=1)
    >>> world.targets[CUT_EFFECT](0.75), len(world.draw(1))
    (0.0, 200)
    """
    population = _draw(design.of_size(n_population), seed) if design.world != "independent" else pd.DataFrame()
    return BenchWorld(name, partial(_draw, design), as_targets(cut_targets(design, population)))


def cut_targets(design: CohortDesign, population: pd.DataFrame) -> dict[str, Target | float]:
    """The true effects of every cut and along magnesium, and the cut-point, from a large cohort of a design."""
    if design.world == "independent":
        return {CUT_EFFECT: 0.0, SLOPE: 0.0}
    marker, time, event = marker_time_event(population)
    rows = cut_rows(marker, time, event, min_fraction=0.005, max_fraction=0.995)
    targets: dict[str, Target | float] = {
        CUT_EFFECT: partial(_between, rows.cut, log_hazard_ratios(rows)),
        SLOPE: float(fit_arrays(marker[:, None] / 0.1, time, event)[0][0]),
    }
    if design.world == "threshold":
        targets[CUT_POINT] = float(np.round(design.threshold - 0.01, 2))
    return targets


def marker_time_event(cohort: pd.DataFrame) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Magnesium and overall survival as arrays."""
    time, event = (cohort[name].to_numpy() for name in OVERALL_SURVIVAL.columns)
    return cohort[MARKER].to_numpy(), time, event == 1


def _draw(design: CohortDesign, seed: int) -> pd.DataFrame:
    """Magnesium and overall survival of one cohort."""
    patients = synthetic.simulate_patients(design, seed=seed)
    return synthetic.cohort_frame(patients, patients.measured)[[MARKER, *OVERALL_SURVIVAL.columns]]


def _between(cuts: FloatArray, effects: FloatArray, at: float) -> float:
    """The effect at a cut, between those known."""
    return float(np.interp(at, cuts, effects))


def marker_world(name: str, design: CohortDesign, *, n_population: int = 1_000_000, seed: int) -> BenchWorld:
    """A synthetic world with the truth of every common use of a marker, for overall survival by measured magnesium.

    Each target is what the same analysis gives in a large cohort with the same censoring and no magnesium missing;
    restricted means come from courses without censoring. The log hazard ratios are of more magnesium against less.

    Parameters
    ----------
    name : str
    design : CohortDesign
        Its sizes and missing values are those of the data sets: whole cohorts, as `simulate_cohort` gives them.
    n_population : int
        Patients of the large cohort.
    seed : int
        Of the large cohort.

    Returns
    -------
    BenchWorld
        Targets: those of `cutpoint_world`, and the adjusted slope, the adjusted effect of the clinical cut, two points
        of a spline, and months gained above the cut.

    Examples
    --------
    >>> world = marker_world("planted", CohortDesign().of_size(100), n_population=5000, seed=1)
    >>> world.targets[ADJUSTED_SLOPE](0.0) < 0, len(world.draw(1))
    (True, 100)
    """
    patients = synthetic.simulate_patients(design.of_size(n_population), seed=seed)
    population = synthetic.cohort_frame(patients, patients.measured)
    targets = cut_targets(design, population) | {MONTHS: _months_gained(patients)}
    if design.world == "independent":
        targets |= dict.fromkeys((ADJUSTED_SLOPE, ADJUSTED_CUT, CURVE, MONTHS), 0.0)
    else:
        targets |= _model_targets(design, population)
    return BenchWorld(name, partial(draw_cohort, design), as_targets(targets))


def draw_cohort(design: CohortDesign, seed: int) -> pd.DataFrame:
    """One cohort of a design."""
    return synthetic.simulate_cohort(design, seed=seed).cohort


def _model_targets(design: CohortDesign, population: pd.DataFrame) -> dict[str, float]:
    """The coefficients of the adjusted models and of the spline in the large cohort."""
    marker, time, event = marker_time_event(population)
    knots = place_knots(marker, 4, MARKER)
    basis, contrast = spline_basis(marker, knots), np.diff(spline_basis([FROM, TO], knots), axis=0)[0]
    curve, _, _ = fit_arrays(basis, time, event)
    return {
        ADJUSTED_SLOPE: adjusted_slope(design, population, marker),
        ADJUSTED_CUT: adjusted_effect(population, (marker >= CLINICAL).astype(np.float64))[0],
        CURVE: float(contrast @ curve),
    }


def adjusted_slope(design: CohortDesign, population: pd.DataFrame, magnesium: FloatArray) -> float:
    """The slope of magnesium (mmol/L) beside its causes in a large cohort, per 0.1 mmol/L.

    Zero, and not estimated, in worlds without an effect: what magnesium holds beyond its causes is related to nothing
    there, and its mean is linear in them, so the slope is zero even though the model is not the one simulated.
    """
    return 0.0 if design.world in ("null", "independent") else adjusted_effect(population, magnesium / 0.1)[0]


def adjusted_effect(cohort: pd.DataFrame, values: FloatArray) -> tuple[float, float]:
    """The coefficient of one column beside the terms of `ADJUSTMENT`, stratified by treatment, and its error."""
    _, time, event = marker_time_event(cohort)
    x = np.column_stack([values, synthetic.adjustment_terms(cohort)])
    coef, covariance, _ = fit_arrays(x, time, event, strata=synthetic.treatment_codes(cohort))
    return float(coef[0]), float(np.sqrt(covariance[0, 0]))


def _months_gained(patients: synthetic.Patients) -> float:
    """The difference of restricted means above and below the clinical cut, from courses without censoring."""
    lived, above = np.minimum(patients.course.death, HORIZON), patients.measured >= CLINICAL
    return float(lived[above].mean() - lived[~above].mean())
