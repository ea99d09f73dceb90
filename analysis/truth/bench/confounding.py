"""Crude and adjusted comparisons of strata on the bench, all judged by the curves that standardisation is to find."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, cohort_frame, simulate_patients
from analysis.errors import collected
from analysis.robustness import confounding as adjusting
from analysis.strata import cutpoints
from analysis.survival import cox, group_tests
from analysis.survival.curves import kaplan_meier, restricted_mean_difference, survival_at
from analysis.truth.bench.markers import ADJUSTED_SLOPE, MARKER, adjusted_effect, adjusted_slope, draw_cohort
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, as_targets, from_row, wald
from analysis.truth.estimands import StratumCourses, stratum_courses

AT = 24.0
"""Months at which survival is compared, and up to which months are counted."""
GAINED = "months of 24 gained, reference against low"
STRATA = cutpoints.clinical_cutpoints("nhanes-1").labels
N_LARGE = 100_000
"""Patients, at most, of the cohort in which a method's misspecification shows nearly without chance."""
N_BOOTSTRAP = 200


def survival_of(label: str) -> str:
    """The estimand of a stratum's survival."""
    return f"{AT:g}-month survival, {label}"


def confounded_world(name: str, design: CohortDesign, *, n_population: int, seed: int) -> BenchWorld:
    """A synthetic world whose targets are the standardised curves of the strata, and the conditional effect.

    Parameters
    ----------
    name : str
    design : CohortDesign
        Its sizes are those of the data sets.
    n_population : int
        Patients of the large cohort that the targets come from, from courses without censoring.
    seed : int

    Returns
    -------
    BenchWorld
        Targets: survival at 24 months of each stratum and months gained, both standardised over the confounders of the
        whole cohort; the adjusted slope of measured magnesium.
    """
    patients = simulate_patients(design.of_size(n_population), seed=seed)
    population = cohort_frame(patients, patients.measured)
    strata = stratum_courses(patients, design, cutpoints.clinical_cutpoints("nhanes-1"), seed=seed)
    targets = _standardised(strata[1:]) | {ADJUSTED_SLOPE: adjusted_slope(design, population, patients.measured)}
    if design.world == "null":
        targets[GAINED] = 0.0
    large = design.of_size(min(n_population, N_LARGE))
    return BenchWorld(name, partial(draw_strata, design), as_targets(targets), enlarged=partial(draw_strata, large))


def _standardised(strata: list[StratumCourses]) -> dict[str, float]:
    """Survival at 24 months of each stratum, and months gained, were everybody in it."""
    death = {stratum.label: stratum.standardised.death for stratum in strata}
    gained = np.minimum(death["reference"], AT).mean() - np.minimum(death["low"], AT).mean()
    return {GAINED: float(gained)} | {
        survival_of(label): float((months > AT).mean()) for label, months in death.items()
    }


def draw_strata(design: CohortDesign, seed: int) -> pd.DataFrame:
    """One cohort with its strata."""
    with collected():
        return cutpoints.stratify(draw_cohort(design, seed), cutpoints.clinical_cutpoints("nhanes-1"), marker=MARKER)


def crude(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Kaplan-Meier curves, months gained and the log-rank test, and the slope of magnesium alone."""
    with collected():
        curves = kaplan_meier(cohort, OVERALL_SURVIVAL, by="stratum", engine="kernel")
        pairs = restricted_mean_difference(curves, AT, extend=True)
        test = group_tests.logrank_test(cohort, OVERALL_SURVIVAL, by="stratum")
        slope = cox.fit_cox(cohort, OVERALL_SURVIVAL, [MARKER], engine="kernel").coefficients.iloc[0]
    return [
        *_survival("Kaplan-Meier", curves),
        _gained("Kaplan-Meier", pairs),
        BenchAnswer("log-rank test", GAINED, p_value=test.p_value),
        wald("Cox model, crude", ADJUSTED_SLOPE, 0.1 * float(slope["coef"]), 0.1 * float(slope["std_error"])),
    ]


def adjusted_model(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The slope of magnesium beside its causes, and the log-rank test weighted to balance them."""
    with collected():
        test = adjusting.adjusted_logrank(cohort, OVERALL_SURVIVAL, ADJUSTMENT, by="stratum", strata="treatment")
    slope = adjusted_effect(cohort, cohort[MARKER].to_numpy(dtype=np.float64) / 0.1)
    return [
        BenchAnswer("log-rank test, weighted", GAINED, p_value=test.p_value),
        wald("Cox model, adjusted", ADJUSTED_SLOPE, *slope),
    ]


def adjusted(
    cohort: pd.DataFrame, seed: int, *, method: adjusting.AdjustmentMethod, n_bootstrap: int = N_BOOTSTRAP
) -> list[BenchAnswer]:
    """Adjusted curves with bootstrap intervals, and months gained."""
    with collected():
        curves = _adjusted_curves(cohort, method, n_bootstrap, seed)
        pairs = adjusting.adjusted_restricted_mean(curves, AT).differences
    return [*_survival(method, curves.curves), _gained(method, pairs)]


def limit_of_adjusted(cohort: pd.DataFrame, seed: int, *, method: adjusting.AdjustmentMethod) -> list[BenchAnswer]:
    """What adjusted curves come to in a large cohort."""
    with collected():
        curves = _adjusted_curves(cohort, method, 0, seed)
    widths = np.diff(np.minimum(np.append(curves.times, AT), AT))
    area = dict(zip(curves.labels, curves.survival @ widths, strict=True))
    gained = BenchAnswer(_name(method, GAINED), GAINED, estimate=float(area["reference"] - area["low"]))
    return [
        *(replace(answer, conf_low=np.nan, conf_high=np.nan) for answer in _survival(method, curves.curves)),
        gained,
    ]


def _adjusted_curves(
    cohort: pd.DataFrame, method: adjusting.AdjustmentMethod, n_bootstrap: int, seed: int
) -> adjusting.AdjustedCurves:
    """Adjusted curves of the strata, as the report draws them."""
    return adjusting.adjusted_curves(
        cohort,
        OVERALL_SURVIVAL,
        ADJUSTMENT,
        by="stratum",
        method=method,
        strata="treatment",
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def _name(method: str, estimand: str) -> str:
    """A row of its own for each estimand of a method."""
    return f"{method}: {estimand}"


def _survival(method: str, curves: pd.DataFrame) -> list[BenchAnswer]:
    """Survival at 24 months of each stratum that the cohort has."""
    points = survival_at(curves, [AT], extend=True).set_index("stratum")
    estimands = {label: survival_of(label) for label in STRATA if label in points.index}
    return [
        from_row(_name(method, what), what, points.loc[[label]].iloc[0], "survival")
        for label, what in estimands.items()
    ]


def _gained(method: str, pairs: pd.DataFrame) -> BenchAnswer:
    """Months gained, from the differences of all pairs."""
    pair = pairs[(pairs["stratum_a"] == "low") & (pairs["stratum_b"] == "reference")]
    if pair.empty:
        return BenchAnswer(_name(method, GAINED), GAINED)
    return from_row(_name(method, GAINED), GAINED, pair.iloc[0], "difference")
