"""What people do with a marker, as methods on the bench: cuts, searches, slopes, curves, months gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray
from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT
from analysis.errors import collected
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoints import grouped_log_hazard_ratios
from analysis.robustness import hazards
from analysis.strata.dose_response import dose_response
from analysis.strata.search import search_cutpoint
from analysis.survival.curves import kaplan_meier, restricted_mean_difference
from analysis.survival.group_tests import logrank_test
from analysis.truth.bench import worlds
from analysis.truth.bench.scoring import BenchAnswer, Method, from_row, wald
from analysis.truth.bench.worlds import CLINICAL, CUT_EFFECT, CUT_POINT, MARKER, MONTHS

CRUDE, WITHIN, BESIDE = "search, crude", "search within treatments", "search beside ten covariates"


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
        BESIDE: (ADJUSTMENT, "treatment"),
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
    _, time, event = worlds.marker_time_event(cohort)
    estimate, std_error = grouped_log_hazard_ratios(time, event, high[None])
    return float(estimate[0]), float(std_error[0])


def continuous_marker(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Magnesium as it is, in a Cox model."""
    marker, time, event = worlds.marker_time_event(cohort)
    coef, covariance, _ = fit_arrays(marker[:, None] / 0.1, time, event)
    return [wald("continuous marker", worlds.SLOPE, float(coef[0]), float(np.sqrt(covariance[0, 0])))]


def clinical_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below: a cut fixed before any patient was seen."""
    last_below = CLINICAL - 0.01  # cuts count themselves as low, and reports have two decimals
    return [wald("clinical cut", CUT_EFFECT, *_effect(cohort, cohort[MARKER].to_numpy() >= CLINICAL), at=last_below)]


def adjusted_marker(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """Magnesium as it is, adjusted for its causes."""
    slope = worlds.adjusted_effect(cohort, cohort[MARKER].to_numpy(dtype=np.float64) / 0.1)
    return [wald("continuous marker, adjusted", worlds.ADJUSTED_SLOPE, *slope)]


def adjusted_cut(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """At or above 0.75 mmol/L against below, adjusted for magnesium's causes."""
    above = (cohort[MARKER].to_numpy() >= CLINICAL).astype(np.float64)
    return [wald("clinical cut, adjusted", worlds.ADJUSTED_CUT, *worlds.adjusted_effect(cohort, above))]


def spline(cohort: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    """The log hazard ratio between two values on a restricted cubic spline, with the test of the whole curve."""
    with collected():
        response = dose_response(cohort, OVERALL_SURVIVAL, MARKER, at=[worlds.TO], reference=worlds.FROM)
    point = response.curve.iloc[0]
    answer = wald("spline", worlds.CURVE, float(point["log_hazard_ratio"]), float(point["std_error"]))
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
        gained = restricted_mean_difference(curves, worlds.HORIZON, extend=True).iloc[0]
    return [from_row("months gained above the cut", MONTHS, gained, "difference")]
