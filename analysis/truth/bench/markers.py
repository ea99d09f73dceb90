"""A marker on the bench: its worlds with their true values, and cuts, searches, slopes, curves and months gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.cohort import synthetic
from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import CohortDesign
from analysis.errors import collected
from analysis.kernels import cox, cutpoints
from analysis.robustness import hazards
from analysis.strata.cutpoints import clinical_cutpoints
from analysis.strata.dose_response import dose_response
from analysis.strata.search import search_cutpoint
from analysis.strata.splines import place_knots, spline_basis
from analysis.survival.curves import kaplan_meier, restricted_mean_difference
from analysis.survival.group_tests import logrank_test
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, Method, Target, as_targets, from_row, wald

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
CRUDE, WITHIN, BESIDE = "search, crude", "search within treatments", "search beside ten covariates"


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
    rows = cutpoints.cut_rows(marker, time, event, min_fraction=0.005, max_fraction=0.995)
    targets: dict[str, Target | float] = {
        CUT_EFFECT: partial(_between, rows.cut, cutpoints.log_hazard_ratios(rows)),
        SLOPE: float(cox.fit_arrays(marker[:, None] / 0.1, time, event)[0][0]),
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
    curve, _, _ = cox.fit_arrays(basis, time, event)
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
    coef, covariance, _ = cox.fit_arrays(x, time, event, strata=synthetic.treatment_codes(cohort))
    return float(coef[0]), float(np.sqrt(covariance[0, 0]))


def _months_gained(patients: synthetic.Patients) -> float:
    """The difference of restricted means above and below the clinical cut, from courses without censoring."""
    lived, above = np.minimum(patients.course.death, HORIZON), patients.measured >= CLINICAL
    return float(lived[above].mean() - lived[~above].mean())


def on_complete_rows(method: Method, cohort: pd.DataFrame, seed: int) -> Sequence[BenchAnswer]:
    """A method on the rows whose magnesium is known."""
    return method(cohort[cohort[MARKER].notna()], seed)


def searched_cut(
    cohort: pd.DataFrame, seed: int, *, n_permutations: int = 999, n_bootstrap: int = 200
) -> list[BenchAnswer]:
    """A search with its naive reading, its corrections, and the range of its cut.

    The naive reading takes the log-rank p-value and the hazard ratio of the cut found as if nobody had searched.
    """
    with collected():
        search = search_cutpoint(
            cohort, OVERALL_SURVIVAL, MARKER, n_permutations=n_permutations, n_bootstrap=n_bootstrap, seed=seed
        )
    naive, corrected = search.summary().to_dict("records")[:2]
    hazard = partial(
        from_row,
        estimand=CUT_EFFECT,
        estimate="hazard_ratio",
        scale=np.log,
        at=search.cut,
        direction=float(np.log(search.hazard_ratio_naive)),
    )
    tests = {
        "Lausen and Schumacher 1992": search.p_lausen92,
        "Lausen, Sauerbrei and Schumacher 1994": search.p_lausen94,
    }
    return [
        hazard("searched cut, as found", row=naive, p_value=naive["p_naive"]),
        hazard("searched cut, corrected", row=corrected, p_value=search.p_permutation),
        *(BenchAnswer(name, CUT_EFFECT, at=search.cut, p_value=p_value) for name, p_value in tests.items()),
        BenchAnswer(
            "range of the cut", CUT_POINT, estimate=search.cut, conf_low=search.cut_low, conf_high=search.cut_high
        ),
    ]


def adjusted_searches(cohort: pd.DataFrame, seed: int, *, n_permutations: int = 499) -> list[BenchAnswer]:
    """The permutation p-value of a crude search, of one within treatments, and of one beside covariates within them."""
    searches: Mapping[str, tuple[Sequence[str], str | None]] = {
        CRUDE: ((), None),
        WITHIN: ((), "treatment"),
        BESIDE: (synthetic.ADJUSTMENT, "treatment"),
    }
    answers, options = [], {"n_permutations": n_permutations, "n_bootstrap": 0, "seed": seed}
    for method, (adjust, strata) in searches.items():
        with collected():
            search = search_cutpoint(cohort, OVERALL_SURVIVAL, MARKER, adjust=adjust, strata=strata, **options)
        answers.append(BenchAnswer(method, CUT_EFFECT, at=search.cut, p_value=search.p_permutation))
    return answers


def median_split(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Above the median against at or below it: a cut that looks at no outcome."""
    marker = cohort[MARKER].to_numpy()
    cut = float(np.median(marker))
    return [wald("median split", CUT_EFFECT, *_effect(cohort, marker > cut), at=cut)]


def _effect(cohort: pd.DataFrame, high: BoolArray) -> tuple[float, float]:
    """The crude log hazard ratio of a group, and its error."""
    _, time, event = marker_time_event(cohort)
    estimate, std_error = cutpoints.grouped_log_hazard_ratios(time, event, high[None])
    return float(estimate[0]), float(std_error[0])


def continuous_marker(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Magnesium as it is, in a Cox model."""
    marker, time, event = marker_time_event(cohort)
    coef, covariance, _ = cox.fit_arrays(marker[:, None] / 0.1, time, event)
    return [wald("continuous marker", SLOPE, float(coef[0]), float(np.sqrt(covariance[0, 0])))]


def clinical_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below: a cut fixed before any patient was seen."""
    last_below = CLINICAL - 0.01  # cuts count themselves as low, and reports have two decimals
    return [wald("clinical cut", CUT_EFFECT, *_effect(cohort, cohort[MARKER].to_numpy() >= CLINICAL), at=last_below)]


def adjusted_marker(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Magnesium as it is, adjusted for its causes."""
    slope = adjusted_effect(cohort, cohort[MARKER].to_numpy(dtype=np.float64) / 0.1)
    return [wald("continuous marker, adjusted", ADJUSTED_SLOPE, *slope)]


def adjusted_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below, adjusted for magnesium's causes."""
    above = (cohort[MARKER].to_numpy() >= CLINICAL).astype(np.float64)
    return [wald("clinical cut, adjusted", ADJUSTED_CUT, *adjusted_effect(cohort, above))]


def spline(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The log hazard ratio between two values on a restricted cubic spline, with the test of the whole curve."""
    with collected():
        response = dose_response(cohort, OVERALL_SURVIVAL, MARKER, at=[TO], reference=FROM)
    point = response.curve.iloc[0]
    answer = wald("spline", CURVE, float(point["log_hazard_ratio"]), float(point["std_error"]))
    return [replace(answer, p_value=response.overall_test.p_value)]


def _cut(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort with who is above the clinical cut."""
    return cohort.assign(above=cohort[MARKER] >= CLINICAL)


def tests_at_the_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Tests that two curves are one, with weights on early and on late events, and the largest of several."""
    test = partial(logrank_test, _cut(cohort), OVERALL_SURVIVAL, by="above")
    with collected():
        p_values = {
            "log-rank": test().p_value,
            "Gehan-Breslow": test(weighting="gehan-breslow").p_value,
            "Fleming-Harrington (0, 1)": test(weighting="fleming-harrington", gamma=1.0).p_value,
            "MaxCombo": hazards.max_combo(_cut(cohort), OVERALL_SURVIVAL, by="above").p_value,
        }
    return [BenchAnswer(name, MONTHS, p_value=p_value) for name, p_value in p_values.items()]


def months_gained(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The difference of restricted means at the clinical cut, which needs no proportional hazards."""
    with collected():
        curves = kaplan_meier(_cut(cohort), OVERALL_SURVIVAL, by="above", engine="kernel")
        gained = restricted_mean_difference(curves, HORIZON, extend=True).iloc[0]
    return [from_row("months gained above the cut", MONTHS, gained, "difference")]
