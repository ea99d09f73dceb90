"""Crude and adjusted comparisons of strata on the bench, all judged by the curves that standardisation is to find."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, cohort_frame, simulate_patients
from analysis.errors import collected
from analysis.robustness.confounding import (
    AdjustedCurves,
    AdjustmentMethod,
    adjusted_curves,
    adjusted_logrank,
    adjusted_restricted_mean,
)
from analysis.strata.cutpoints import clinical_cutpoints
from analysis.strata.groups import stratify
from analysis.survival.cox import fit_cox
from analysis.survival.curves import kaplan_meier, restricted_mean_difference, survival_at
from analysis.survival.group_tests import logrank_test
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, Target, constant, wald, zero
from analysis.truth.bench.worlds import ADJUSTED_SLOPE, MARKER, adjusted_effect, adjusted_slope, draw_cohort
from analysis.truth.estimands import StratumCourses, stratum_courses

AT = 24.0
"""Months at which survival is compared, and up to which months are counted."""
GAINED = "months of 24 gained, reference against low"
STRATA = clinical_cutpoints("nhanes-1").labels
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
    strata = stratum_courses(patients, design, clinical_cutpoints("nhanes-1"), seed=seed)
    targets = _standardised(strata[1:]) | {ADJUSTED_SLOPE: adjusted_slope(design, population, patients.measured)}
    if design.world == "null":
        targets[GAINED] = zero
    large = design.of_size(min(n_population, N_LARGE))
    return BenchWorld(name, partial(draw_strata, design), targets, enlarged=partial(draw_strata, large))


def _standardised(strata: list[StratumCourses]) -> dict[str, Target]:
    """Survival at 24 months of each stratum, and months gained, were everybody in it."""
    death = {stratum.label: stratum.standardised.death for stratum in strata}
    gained = np.minimum(death["reference"], AT).mean() - np.minimum(death["low"], AT).mean()
    targets: dict[str, Target] = {GAINED: partial(constant, float(gained))}
    for label, times in death.items():
        targets[survival_of(label)] = partial(constant, float((times > AT).mean()))
    return targets


def draw_strata(design: CohortDesign, seed: int) -> pd.DataFrame:
    """One cohort with its strata."""
    with collected():
        return stratify(draw_cohort(design, seed), clinical_cutpoints("nhanes-1"), marker=MARKER)


def crude(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Kaplan-Meier curves, months gained and the log-rank test, and the slope of magnesium alone."""
    with collected():
        curves = kaplan_meier(cohort, OVERALL_SURVIVAL, by="stratum", engine="kernel")
        points = survival_at(curves, [AT], extend=True).set_index("stratum")
        pairs = restricted_mean_difference(curves, AT, extend=True)
        test = logrank_test(cohort, OVERALL_SURVIVAL, by="stratum")
        slope = fit_cox(cohort, OVERALL_SURVIVAL, [MARKER], engine="kernel").coefficients.iloc[0]
    return [
        *(_survival("Kaplan-Meier", label, points.loc[[label]].iloc[0]) for label in STRATA if label in points.index),
        _gained("Kaplan-Meier", pairs),
        BenchAnswer("log-rank test", GAINED, p_value=test.p_value),
        wald("Cox model, crude", ADJUSTED_SLOPE, 0.1 * float(slope["coef"]), 0.1 * float(slope["std_error"])),
    ]


def adjusted_model(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The slope of magnesium beside its causes, and the log-rank test weighted to balance them."""
    with collected():
        test = adjusted_logrank(cohort, OVERALL_SURVIVAL, ADJUSTMENT, by="stratum", strata="treatment")
    slope = adjusted_effect(cohort, cohort[MARKER].to_numpy(dtype=np.float64) / 0.1)
    return [
        BenchAnswer("log-rank test, weighted", GAINED, p_value=test.p_value),
        wald("Cox model, adjusted", ADJUSTED_SLOPE, *slope),
    ]


def adjusted(
    cohort: pd.DataFrame, seed: int, *, method: AdjustmentMethod, n_bootstrap: int = N_BOOTSTRAP
) -> list[BenchAnswer]:
    """Adjusted curves with bootstrap intervals, and months gained."""
    with collected():
        found = _adjusted_curves(cohort, method, n_bootstrap, seed)
        pairs = adjusted_restricted_mean(found, AT).differences
        points = survival_at(found.curves, [AT], extend=True).set_index("stratum")
    return [
        *(_survival(method, label, points.loc[[label]].iloc[0]) for label in STRATA if label in points.index),
        _gained(method, pairs),
    ]


def limit_of_adjusted(cohort: pd.DataFrame, seed: int, *, method: AdjustmentMethod) -> list[BenchAnswer]:
    """What adjusted curves come to in a large cohort."""
    with collected():
        found = _adjusted_curves(cohort, method, 0, seed)
    area = dict(zip(found.labels, _areas(found), strict=True))
    points = survival_at(found.curves, [AT], extend=True).set_index("stratum")["survival"]
    limits = {survival_of(label): float(points.loc[[label]].iloc[0]) for label in STRATA}
    limits[GAINED] = area["reference"] - area["low"]
    return [BenchAnswer(_name(method, what), what, estimate=value) for what, value in limits.items()]


def _adjusted_curves(cohort: pd.DataFrame, method: AdjustmentMethod, n_bootstrap: int, seed: int) -> AdjustedCurves:
    """Adjusted curves of the strata, as the report draws them."""
    return adjusted_curves(
        cohort,
        OVERALL_SURVIVAL,
        ADJUSTMENT,
        by="stratum",
        method=method,
        strata="treatment",
        n_bootstrap=n_bootstrap,
        seed=seed,
    )


def _areas(found: AdjustedCurves) -> FloatArray:
    """Months up to 24 under each curve."""
    widths = np.diff(np.minimum(np.append(found.times, AT), AT))
    return np.asarray(found.survival @ widths, dtype=np.float64)


def _name(method: str, estimand: str) -> str:
    """A row of its own for each estimand of a method."""
    return f"{method}: {estimand}"


def _survival(method: str, label: str, row: pd.Series) -> BenchAnswer:
    """A point of a curve with its limits."""
    what = survival_of(label)
    estimate, low, high = (float(row[name]) for name in ("survival", "conf_low", "conf_high"))
    return BenchAnswer(_name(method, what), what, estimate=estimate, conf_low=low, conf_high=high)


def _gained(method: str, pairs: pd.DataFrame) -> BenchAnswer:
    """Months gained, from the differences of all pairs."""
    pair = pairs[(pairs["stratum_a"] == "low") & (pairs["stratum_b"] == "reference")]
    names = ("difference", "conf_low", "conf_high", "p_value")
    estimate, low, high, p_value = (float(pair[name].iloc[0]) if len(pair) else float("nan") for name in names)
    return BenchAnswer(_name(method, GAINED), GAINED, estimate=estimate, conf_low=low, conf_high=high, p_value=p_value)
