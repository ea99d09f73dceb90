"""What people do with a marker, as methods on the bench: cuts, searches, slopes, curves, months gained."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import (
    ADJUSTMENT,
)
from analysis.errors import collected
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoints import grouped_log_hazard_ratios
from analysis.robustness import hazards
from analysis.strata.dose_response import dose_response
from analysis.strata.search import CutpointSearch, search_cutpoint
from analysis.survival.curves import kaplan_meier, restricted_mean_difference
from analysis.survival.group_tests import logrank_test
from analysis.truth.bench.scoring import BenchAnswer, Method, wald
from analysis.truth.bench.worlds import (
    ADJUSTED_CUT,
    ADJUSTED_SLOPE,
    CLINICAL,
    CURVE,
    CUT_EFFECT,
    CUT_POINT,
    FROM,
    HORIZON,
    MARKER,
    MONTHS,
    SLOPE,
    TO,
    adjusted_effect,
)

CRUDE, WITHIN, BESIDE = "search, crude", "search within treatments", "search beside ten covariates"
_TIME, _EVENT = OVERALL_SURVIVAL.duration, OVERALL_SURVIVAL.event


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
        found = search_cutpoint(
            cohort, OVERALL_SURVIVAL, MARKER, n_permutations=n_permutations, n_bootstrap=n_bootstrap, seed=seed
        )
    naive, corrected = found.summary().to_dict("records")[:2]
    return [
        _hazard("searched cut, as found", found, naive, naive["p_naive"]),
        _hazard("searched cut, corrected", found, corrected, found.p_permutation),
        BenchAnswer("Lausen and Schumacher 1992", CUT_EFFECT, at=found.cut, p_value=found.p_lausen92),
        BenchAnswer("Lausen, Sauerbrei and Schumacher 1994", CUT_EFFECT, at=found.cut, p_value=found.p_lausen94),
        BenchAnswer(
            "range of the cut", CUT_POINT, estimate=found.cut, conf_low=found.cut_low, conf_high=found.cut_high
        ),
    ]


def _hazard(method: str, found: CutpointSearch, row: Mapping[Hashable, float], p_value: float) -> BenchAnswer:
    """A row of a search's summary on the scale of the logarithm."""
    estimate, low, high = (float(np.log(row[name])) for name in ("hazard_ratio", "conf_low", "conf_high"))
    return BenchAnswer(
        method,
        CUT_EFFECT,
        at=found.cut,
        estimate=estimate,
        conf_low=low,
        conf_high=high,
        p_value=p_value,
        direction=float(np.log(found.hazard_ratio_naive)),
    )


def adjusted_searches(cohort: pd.DataFrame, seed: int, *, n_permutations: int = 499) -> list[BenchAnswer]:
    """The permutation p-value of a crude search, of one within treatments, and of one beside covariates within them."""
    searches: Mapping[str, tuple[Sequence[str], str | None]] = {
        CRUDE: ((), None),
        WITHIN: ((), "treatment"),
        BESIDE: (ADJUSTMENT, "treatment"),
    }
    answers, options = [], {"n_permutations": n_permutations, "n_bootstrap": 0, "seed": seed}
    for method, (adjust, strata) in searches.items():
        with collected():
            found = search_cutpoint(cohort, OVERALL_SURVIVAL, MARKER, adjust=adjust, strata=strata, **options)
        answers.append(BenchAnswer(method, CUT_EFFECT, at=found.cut, p_value=found.p_permutation))
    return answers


def median_split(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Above the median against at or below it: a cut that looks at no outcome."""
    marker, time, event = cohort[MARKER].to_numpy(), cohort[_TIME].to_numpy(), cohort[_EVENT].to_numpy() == 1
    cut = float(np.median(marker))
    estimate, std_error = grouped_log_hazard_ratios(time, event, (marker > cut)[None])
    return [wald("median split", CUT_EFFECT, float(estimate[0]), float(std_error[0]), at=cut)]


def continuous_marker(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Magnesium as it is, in a Cox model."""
    marker, time, event = cohort[MARKER].to_numpy(), cohort[_TIME].to_numpy(), cohort[_EVENT].to_numpy() == 1
    coef, covariance, _ = fit_arrays(marker[:, None] / 0.1, time, event)
    return [wald("continuous marker", SLOPE, float(coef[0]), float(np.sqrt(covariance[0, 0])))]


def clinical_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below: a cut fixed before any patient was seen."""
    above = cohort[MARKER].to_numpy() >= CLINICAL
    time, event = (cohort[name].to_numpy() for name in (OVERALL_SURVIVAL.duration, OVERALL_SURVIVAL.event))
    estimate, std_error = grouped_log_hazard_ratios(time, event == 1, above[None])
    last_below = CLINICAL - 0.01  # cuts count themselves as low, and reports have two decimals
    return [wald("clinical cut", CUT_EFFECT, float(estimate[0]), float(std_error[0]), at=last_below)]


def adjusted_marker(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Magnesium as it is, adjusted for its causes."""
    found = adjusted_effect(cohort, cohort[MARKER].to_numpy(dtype=np.float64) / 0.1)
    return [wald("continuous marker, adjusted", ADJUSTED_SLOPE, *found)]


def adjusted_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below, adjusted for magnesium's causes."""
    above = (cohort[MARKER].to_numpy() >= CLINICAL).astype(np.float64)
    return [wald("clinical cut, adjusted", ADJUSTED_CUT, *adjusted_effect(cohort, above))]


def spline(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The log hazard ratio between two values on a restricted cubic spline, with the test of the whole curve."""
    with collected():
        found = dose_response(cohort, OVERALL_SURVIVAL, MARKER, at=[TO], reference=FROM)
    point = found.curve.iloc[0]
    answer = wald("spline", CURVE, float(point["log_hazard_ratio"]), float(point["std_error"]))
    return [replace(answer, p_value=found.overall_test.p_value)]


def _cut(cohort: pd.DataFrame) -> pd.DataFrame:
    """The cohort with who is above the clinical cut."""
    return cohort.assign(above=cohort[MARKER] >= CLINICAL)


def tests_at_the_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Tests that two curves are one, with weights on early and on late events, and the largest of several."""
    rows = _cut(cohort)
    with collected():
        plain = logrank_test(rows, OVERALL_SURVIVAL, by="above")
        early = logrank_test(rows, OVERALL_SURVIVAL, by="above", weighting="gehan-breslow")
        late = logrank_test(rows, OVERALL_SURVIVAL, by="above", weighting="fleming-harrington", gamma=1.0)
        largest = hazards.max_combo(rows, OVERALL_SURVIVAL, by="above")
    return [
        BenchAnswer("log-rank", MONTHS, p_value=plain.p_value),
        BenchAnswer("Gehan-Breslow", MONTHS, p_value=early.p_value),
        BenchAnswer("Fleming-Harrington (0, 1)", MONTHS, p_value=late.p_value),
        BenchAnswer("MaxCombo", MONTHS, p_value=largest.p_value),
    ]


def months_gained(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The difference of restricted means at the clinical cut, which needs no proportional hazards."""
    with collected():
        curves = kaplan_meier(_cut(cohort), OVERALL_SURVIVAL, by="above", engine="kernel")
        found = restricted_mean_difference(curves, HORIZON, extend=True).iloc[0]
    return [
        BenchAnswer(
            "months gained above the cut",
            MONTHS,
            estimate=float(found["difference"]),
            conf_low=float(found["conf_low"]),
            conf_high=float(found["conf_high"]),
            p_value=float(found["p_value"]),
        )
    ]
