"""Values that are missing or measured with error, on the bench: what people do about them, beside knowing them all."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, cohort_frame, simulate_cohort, simulate_patients
from analysis.errors import collected
from analysis.robustness.measurement import simulation_extrapolation
from analysis.robustness.missing import impute_cohort, pool_cox
from analysis.survival.cox import CoxFit, fit_cox
from analysis.survival.curves import kaplan_meier, survival_at
from analysis.truth.bench import markers
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, as_targets, from_row, wald

MEASURED, TRUE, ERROR = "magnesium with nothing missing", "magnesium without error", "error of one measurement"
TRUE_SLOPE = "log hazard ratio per 0.1 mmol/L true magnesium, adjusted"
ALIVE, AT = "12-month survival below 0.75", 12.0
N_IMPUTATIONS, N_SIMULATIONS = 10, 50
CRUDE, ADJUSTED = (
    (markers.SLOPE, markers.MARKER, None),
    (markers.ADJUSTED_SLOPE, " + ".join((markers.MARKER, *ADJUSTMENT)), "treatment"),
)
MODELS = (CRUDE, ADJUSTED)
"""Estimand, formula and strata."""


def missing_world(name: str, design: CohortDesign, *, n_population: int, seed: int) -> BenchWorld:
    """A synthetic world in which magnesium is missing, more with early death; the targets know every value.

    The data sets have the further column `MEASURED`, what would have been measured had nothing been missing.
    """
    patients = simulate_patients(design.of_size(n_population), seed=seed)
    population = cohort_frame(patients, patients.measured)
    crude, slope = (
        markers.cut_targets(design, population)[markers.SLOPE],
        markers.adjusted_slope(design, population, patients.measured),
    )
    alive = float((patients.course.death[patients.measured < markers.CLINICAL] > AT).mean())
    return BenchWorld(
        name,
        partial(draw_whole, design),
        as_targets({markers.SLOPE: crude, markers.ADJUSTED_SLOPE: slope, ALIVE: alive}),
    )


def error_world(name: str, design: CohortDesign, *, n_population: int, seed: int) -> BenchWorld:
    """A synthetic world in which the target is the slope of true magnesium, and measured magnesium is at hand."""
    patients = simulate_patients(design.of_size(n_population), seed=seed)
    slope = markers.adjusted_slope(design, cohort_frame(patients, patients.measured), patients.magnesium)
    return BenchWorld(name, partial(draw_whole, design), as_targets({TRUE_SLOPE: slope}))


def draw_whole(design: CohortDesign, seed: int) -> pd.DataFrame:
    """A cohort with what no chart holds: magnesium with nothing missing, without error, and the error's size."""
    patients = simulate_patients(design, seed=seed)
    cohort = simulate_cohort(design, seed=seed).cohort.assign(**{MEASURED: patients.measured, TRUE: patients.magnesium})
    return cohort.assign(**{ERROR: design.measurement_error})


def _models(method: str, cohort: pd.DataFrame) -> list[BenchAnswer]:
    """The crude and the adjusted slope, and survival where magnesium is low, incomplete rows left out."""
    answers = [from_row(f"{method}, survival", ALIVE, _alive(cohort), "survival")]
    for estimand, formula, strata in MODELS:
        with collected():
            row = fit_cox(cohort, OVERALL_SURVIVAL, formula, strata=strata, engine="kernel").coefficients.iloc[0]
        answers.append(wald(_name(method, estimand), estimand, 0.1 * float(row["coef"]), 0.1 * float(row["std_error"])))
    return answers


def _alive(cohort: pd.DataFrame) -> pd.Series:
    """Kaplan-Meier's survival at 12 months below the clinical cut."""
    with collected():
        curve = kaplan_meier(cohort[cohort[markers.MARKER] < markers.CLINICAL], OVERALL_SURVIVAL, engine="kernel")
    return survival_at(curve, [AT], extend=True).iloc[0]


def _name(method: str, estimand: str) -> str:
    """A row of its own for the crude and for the adjusted slope."""
    return f"{method}, {'adjusted' if estimand == markers.ADJUSTED_SLOPE else 'crude'}"


def all_known(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """What nobody has: every value."""
    return _models("every value known", cohort.assign(**{markers.MARKER: cohort[MEASURED]}))


def complete_cases(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The rows with a value."""
    return _models("complete cases", cohort)


def median_filled(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The median in place of what is missing."""
    return _models(
        "median filled in",
        cohort.assign(**{markers.MARKER: cohort[markers.MARKER].fillna(cohort[markers.MARKER].median())}),
    )


def imputed(cohort: pd.DataFrame, seed: int, *, n_imputations: int = N_IMPUTATIONS) -> list[BenchAnswer]:
    """Multiple imputation with the event and its cumulative hazard in the model.

    Models are pooled by Rubin's rules; of the survivals, the mean is taken.
    """
    with collected():
        imputations = impute_cohort(
            cohort,
            OVERALL_SURVIVAL,
            markers.MARKER,
            predictors=(*ADJUSTMENT, "treatment"),
            n_imputations=n_imputations,
            seed=seed,
        )
        alive = float(np.mean([_alive(cohort)["survival"] for cohort in imputations.cohorts]))
        mean = BenchAnswer("multiple imputation, survival", ALIVE, estimate=alive)
        return [mean, *(_pooled(imputations.cohorts, *model) for model in MODELS)]


def _pooled(cohorts: tuple[pd.DataFrame, ...], estimand: str, formula: str, strata: str | None) -> BenchAnswer:
    """One model of every imputed cohort, as one answer."""
    fits: list[CoxFit] = [
        fit_cox(cohort, OVERALL_SURVIVAL, formula, strata=strata, engine="kernel") for cohort in cohorts
    ]
    row = pool_cox(fits).hazard_ratios.iloc[0]
    return from_row(
        _name("multiple imputation", estimand), estimand, row, "hazard_ratio", scale=lambda ratio: 0.1 * np.log(ratio)
    )


def without_error(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """What nobody has: true magnesium."""
    return [wald("true magnesium", TRUE_SLOPE, *markers.adjusted_effect(cohort, cohort[TRUE].to_numpy() / 0.1))]


def as_measured(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """One measurement taken for the truth."""
    return [wald("as measured", TRUE_SLOPE, *markers.adjusted_effect(cohort, cohort[markers.MARKER].to_numpy() / 0.1))]


def extrapolated(cohort: pd.DataFrame, seed: int, *, n_simulations: int = N_SIMULATIONS) -> list[BenchAnswer]:
    """Simulation-extrapolation with the right error."""
    with collected():
        row = simulation_extrapolation(
            cohort,
            OVERALL_SURVIVAL,
            markers.MARKER,
            measurement_error=float(cohort[ERROR].iloc[0]),
            error_scale="absolute",
            adjust=ADJUSTMENT,
            strata="treatment",
            n_simulations=n_simulations,
            seed=seed,
        ).coefficients.iloc[0]
    return [wald("extrapolated to no error", TRUE_SLOPE, 0.1 * float(row["coef"]), 0.1 * float(row["std_error"]))]
