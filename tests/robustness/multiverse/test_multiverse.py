"""A multiverse: every row against the model fitted by itself, its permutations by hand, and what chance makes of it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

from analysis import (
    OVERALL_SURVIVAL,
    PROGRESSION_FREE_SURVIVAL,
    AnalysisWarning,
    CohortDesign,
    CohortError,
    Cutpoints,
    Endpoint,
    FewEvents,
    RowsDropped,
    SuspiciousValues,
    clinical_cutpoints,
    cutpoint_multiverse,
    fit_cox,
    simulate_cohort,
)
from analysis.robustness.multiverse.analyses import permuted

OS = Endpoint("time", "event", label="survival")
DIMENSIONS = ["cutpoint", "endpoint", "adjustment", "exclusion", "missing"]
COUNTS = ["n", "n_event", "n_low", "n_excluded", "n_missing"]
ESTIMATES = ["hazard_ratio", "conf_low", "conf_high", "log_hazard_ratio", "std_error", "p_value"]
CUTS = {"0.75": 0.75, "reference interval": clinical_cutpoints("nhanes-1")}


def cohort_of(n=150, seed=1, slope=-4.0):
    """A small cohort with text, missing markers and missing covariates."""
    rng = np.random.default_rng(seed)
    mg = np.round(rng.normal(0.82, 0.09, n), 3)
    age = np.round(rng.normal(62, 9, n))
    time = np.round(rng.exponential(np.exp(-slope * (mg - 0.8) - 0.02 * (age - 60)) * 10) + 0.1, 2)
    end = rng.uniform(2, 25, n).round(2)
    cohort = pd.DataFrame(
        {
            "mg": mg, "age": age, "ecog": rng.integers(0, 3, n), "sex": np.where(rng.random(n) < 0.5, "f", "m"),
            "site": rng.integers(0, 2, n), "time": np.minimum(time, end), "event": (time <= end).astype(int),
        }
    )  # fmt: skip
    cohort.loc[rng.choice(n, 12, replace=False), "mg"] = np.nan
    cohort.loc[rng.choice(n, 9, replace=False), "age"] = np.nan
    cohort.loc[rng.choice(n, 7, replace=False), "sex"] = None
    return cohort


def run(cohort, cutpoints=CUTS, **options):
    """A multiverse, which warns of rows in no analysis exactly when there are some; other warnings are passed on."""
    options = {"n_permutations": 0, "seed": 1} | options
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = cutpoint_multiverse(cohort, options.pop("endpoints", OS), "mg", cutpoints=cutpoints, **options)
    dropped = [one.message.dropped for one in caught if isinstance(one.message, RowsDropped)]
    assert dropped == ([found.dropped] if found.dropped else [])
    for one in caught:
        if not isinstance(one.message, RowsDropped):
            warnings.warn(one.message, stacklevel=2)
    return found


ADJUSTMENTS = {"none": (), "age and sex": ["age", "sex"], "curved age": "age + I(age**2)"}
EXCLUSIONS = {"none": None, "without ECOG 2": "ecog == 2"}
RULES = ["complete case", "median imputation", "missing as lowest", "missing as highest"]


def test_curve_and_grid_are_the_analyses_in_order():
    found = run(cohort_of(), adjustments=ADJUSTMENTS, exclusions=EXCLUSIONS, missing=RULES[:2])
    curve, analyses = found.curve, found.analyses.set_index("analysis")
    assert curve["rank"].tolist() == list(range(1, len(analyses) + 1))
    assert curve["hazard_ratio"].is_monotonic_increasing
    assert_allclose(curve["hazard_ratio"], analyses.loc[curve["analysis"], "hazard_ratio"])
    assert found.grid.groupby("rank")["dimension"].apply(list).map(lambda held: held == DIMENSIONS).all()
    for row in found.grid.itertuples():
        assert analyses.loc[row.analysis, row.dimension] == row.choice
    assert found.median_hazard_ratio == pytest.approx(np.exp(analyses["log_hazard_ratio"].median()), rel=1e-7)
    assert found.share_below_one == pytest.approx((analyses["hazard_ratio"] < 1).mean())
    assert np.isnan(found.p_value)
    assert curve[["null_low", "null_median", "null_high"]].isna().all(axis=None)


def test_permutations_by_hand():
    # the canonical order begins with the marker: with distinct values it is the order of the marker
    cohort = cohort_of(60).dropna(subset=["mg"]).drop_duplicates("mg")
    ordered = cohort.sort_values("mg", ignore_index=True)
    found = run(cohort, {"a": 0.78, "b": 0.84, "c": 0.86}, n_permutations=12, seed=7, conf_level=0.8)
    curves = []
    for stream in np.random.SeedSequence(7).spawn(12):
        order = permuted(np.zeros(len(ordered), dtype=int), np.random.default_rng(stream))
        again = ordered.assign(mg=ordered["mg"].to_numpy()[order])
        fits = [fit_cox(again.assign(low=(again["mg"] < cut) * 1.0), OS, ["low"]) for cut in (0.78, 0.84, 0.86)]
        curves.append(np.sort([fit.coef[0] for fit in fits]))
    medians = np.median(curves, axis=1)
    assert_allclose(found.null_medians, medians, rtol=1e-6, atol=2e-9)
    limits = np.quantile(curves, [0.1, 0.5, 0.9], axis=0).T
    assert_allclose(np.log(found.curve[["null_low", "null_median", "null_high"]]), limits, rtol=1e-6, atol=2e-9)
    observed = np.log(found.median_hazard_ratio)
    centre = np.mean([observed, *medians])
    count = sum(abs(median - centre) >= abs(observed - centre) - 1e-8 for median in medians)
    assert found.p_value == pytest.approx((1 + count) / 13)


def test_a_column_nobody_uses_changes_nothing():
    cohort = cohort_of()
    plain = run(cohort, n_permutations=5)
    more = run(cohort.assign(noise=np.random.default_rng(8).random(len(cohort))), n_permutations=5)
    np.testing.assert_array_equal(plain.null_medians, more.null_medians)


def test_nothing_is_printed_and_the_cohort_is_left_as_it_was(capsys):
    cohort = cohort_of()
    before = cohort.copy()
    run(cohort, adjustments=ADJUSTMENTS, missing=RULES, exclusions=EXCLUSIONS, n_permutations=3)
    assert capsys.readouterr() == ("", "")
    pd.testing.assert_frame_equal(cohort, before)


def test_nullable_columns_and_a_repeated_index_change_nothing():
    cohort = cohort_of()
    options = {"adjustments": {"age": ["age", "sex"]}, "missing": RULES, "exclusions": EXCLUSIONS, "n_permutations": 4}
    nullable = cohort.astype({"mg": "Float64", "age": "Int64", "sex": "string", "event": "boolean"})
    nullable.index = np.arange(len(cohort)) // 2
    ours, theirs = run(cohort, strata="site", **options), run(nullable, strata="site", **options)
    pd.testing.assert_frame_equal(ours.analyses, theirs.analyses, rtol=1e-10)
    np.testing.assert_array_equal(ours.null_medians, theirs.null_medians)


def test_when_nothing_can_be_estimated_there_is_no_p_value():
    cohort = cohort_of()
    cohort.loc[cohort["mg"] < 0.7, "event"] = 0
    with pytest.warns(AnalysisWarning, match=r"1 of 1 analyses have no estimate"):
        found = run(cohort, {"0.7": 0.7}, n_permutations=3)
    assert np.isnan([found.p_value, found.median_hazard_ratio]).all()
    assert found.curve.empty
    assert found.grid.empty


def test_warnings_of_few_events_and_of_idle_exclusions():
    cohort = cohort_of()
    cohort["event"] = cohort["event"].where(cohort["event"].cumsum() <= 9, 0)
    with pytest.warns(FewEvents, match=r"2 of 2 analyses have fewer than 5 events per parameter"):
        run(cohort, {"0.8": 0.8}, adjustments={"age": ["age"]}, missing=RULES[:2])
    with pytest.warns(SuspiciousValues, match=r"exclusions 'none', 'children' leave out nobody and repeat each other"):
        run(cohort_of(), exclusions={"none": None, "children": "age < 18"})


def test_rows_in_no_analysis_are_counted():
    found = run(cohort_of(), {"0.8": 0.8})
    assert (found.n_read, found.n_used, found.dropped) == (150, 138, {"in no analysis": 12})
    assert run(cohort_of(), {"0.8": 0.8}, missing=RULES[1]).dropped == {}


@pytest.mark.parametrize("change", [{"mg": np.nan}, {"mg": "low"}, {"mg": np.inf}])
def test_unfit_markers_are_refused(change):
    with pytest.raises(CohortError, match=r"'mg'"):
        run(cohort_of().assign(**change))


CHANCE = {
    "cutpoints": {"0.75": 0.75, "0.79": 0.79, "0.83": Cutpoints((0.83,), ("low", "high"), source="by hand")},
    "adjustments": {"none": (), "age and ECOG": ["age", "ecog"]},
    "strata": "treatment",
}


def test_chance_alone_rejects_no_more_often_than_it_says():
    design, n_cohorts = CohortDesign(world="independent").of_size(100), 60
    with pytest.warns(RowsDropped, match="in no analysis"):
        p_values = [
            cutpoint_multiverse(
                simulate_cohort(design, seed=seed).cohort,
                OVERALL_SURVIVAL,
                "magnesium",
                n_permutations=19,
                seed=seed,
                **CHANCE,
            ).p_value
            for seed in range(n_cohorts)
        ]
    for level in (0.05, 0.2, 0.5):
        rejected = sum(p <= level + 1e-9 for p in p_values)
        assert binom.ppf(1e-3, n_cohorts, level) <= rejected <= binom.ppf(1 - 1e-3, n_cohorts, level), level


def test_the_planted_effect_stands_out_of_the_permuted_curves():
    cohort = simulate_cohort(CohortDesign(), seed=2).cohort
    endpoints = [OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL]
    with pytest.warns(RowsDropped, match="53 of 480 rows dropped: 53 for in no analysis"):
        found = cutpoint_multiverse(cohort, endpoints, "magnesium", n_permutations=39, seed=1, **CHANCE)
    assert found.p_value == pytest.approx(1 / 40)
    assert found.median_hazard_ratio > 1.2
    middle = found.curve.iloc[len(found.curve) // 2]
    assert middle["hazard_ratio"] > middle["null_high"]
    assert found.curve["null_low"].lt(found.curve["null_high"]).all()
