"""What people do with a marker, as methods on the bench: cuts, slopes, curves, adjusted and not, months gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.kernels.cutpoints import grouped_log_hazard_ratios
from analysis.robustness.hazards import max_combo
from analysis.strata.dose_response import dose_response
from analysis.survival.curves import kaplan_meier, restricted_mean_difference
from analysis.survival.group_tests import logrank_test
from analysis.truth.bench.cutpoints import CUT_EFFECT, MARKER, wald
from analysis.truth.bench.scoring import BenchAnswer, Method, quietly
from analysis.truth.bench.worlds import (
    ADJUSTED_CUT,
    ADJUSTED_SLOPE,
    CLINICAL,
    CURVE,
    FROM,
    HORIZON,
    MONTHS,
    TO,
    adjusted_effect,
)


def on_complete_rows(method: Method, cohort: pd.DataFrame, seed: int) -> Sequence[BenchAnswer]:
    """A method on the rows whose magnesium is known."""
    return method(cohort[cohort[MARKER].notna()], seed)


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
    with quietly():
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
    with quietly():
        plain = logrank_test(rows, OVERALL_SURVIVAL, by="above")
        early = logrank_test(rows, OVERALL_SURVIVAL, by="above", weighting="gehan-breslow")
        late = logrank_test(rows, OVERALL_SURVIVAL, by="above", weighting="fleming-harrington", gamma=1.0)
        largest = max_combo(rows, OVERALL_SURVIVAL, by="above")
    return [
        BenchAnswer("log-rank", MONTHS, p_value=plain.p_value),
        BenchAnswer("Gehan-Breslow", MONTHS, p_value=early.p_value),
        BenchAnswer("Fleming-Harrington (0, 1)", MONTHS, p_value=late.p_value),
        BenchAnswer("MaxCombo", MONTHS, p_value=largest.p_value),
    ]


def months_gained(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The difference of restricted means at the clinical cut, which needs no proportional hazards."""
    with quietly():
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
