"""The analyses of a multiverse: every row against the model fitted by itself, and the fast way through permutations."""

from contextlib import nullcontext

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    AnalysisWarning,
    RowsDropped,
    fit_cox,
    hazard_ratios,
)
from analysis.robustness.multiverse.analyses import permuted
from tests.robustness.multiverse.test_multiverse import (
    ADJUSTMENTS,
    COUNTS,
    CUTS,
    DIMENSIONS,
    ESTIMATES,
    EXCLUSIONS,
    OS,
    RULES,
    cohort_of,
    run,
)


def by_itself(cohort, row):
    """One analysis, made with pandas and fit_cox alone."""
    held = cohort[cohort["ecog"] != 2] if row["exclusion"] == "without ECOG 2" else cohort
    columns = {"none": [], "age and sex": ["age", "sex"], "curved age": ["age"]}[row["adjustment"]]
    if row["missing"] == "median imputation":
        held = held.assign(
            mg=held["mg"].fillna(held["mg"].median()),
            age=held["age"].fillna(held["age"].median()),
            sex=held["sex"].fillna(held["sex"].mode()[0]),
        )
    held = held.dropna(subset=columns)
    low = (held["mg"] < 0.75).astype(float).where(held["mg"].notna())
    low = low.fillna({"missing as lowest": 1.0, "missing as highest": 0.0}.get(row["missing"], np.nan))
    formula = " + ".join(["low", *columns, *(["I(age**2)"] if row["adjustment"] == "curved age" else [])])
    drops = low.isna().any() or held[columns].isna().any(axis=None)
    with pytest.warns(RowsDropped, match="for missing low") if drops else nullcontext():
        return fit_cox(held.assign(low=low), OS, formula, strata="site", engine="kernel")


def test_every_row_is_the_model_fitted_by_itself():
    cohort = cohort_of()
    found = run(cohort, adjustments=ADJUSTMENTS, exclusions=EXCLUSIONS, missing=RULES, strata="site")
    assert found.analyses.columns.tolist() == ["analysis", *DIMENSIONS, *COUNTS, *ESTIMATES, "note", "error"]
    assert len(found.analyses) == 2 * 1 * 3 * 2 * 4
    assert not found.analyses[DIMENSIONS].duplicated().any()
    for _, row in found.analyses.iterrows():
        fit = by_itself(cohort, row)
        assert (row["n"], row["n_event"], row["error"]) == (fit.n, fit.n_event, "")
        assert row["n"] + row["n_missing"] + row["n_excluded"] == len(cohort)
        alone = hazard_ratios(fit).set_index("term").loc["low"]
        ours = row[["hazard_ratio", "conf_low", "conf_high", "p_value"]].to_numpy(float)
        assert_allclose(ours, alone[["hazard_ratio", "conf_low", "conf_high", "p_value"]].to_numpy(float), rtol=1e-7)
        assert_allclose([row["log_hazard_ratio"], row["std_error"]], [fit.coef[0], fit.coefficients["std_error"][0]])


@pytest.mark.parametrize("contrast", ["rest", "next"])
def test_the_fast_way_through_the_permutations_finds_the_same_estimates(contrast):
    cohort = cohort_of()
    for adjustment in ADJUSTMENTS.items():
        for rule in RULES:
            one = run(
                cohort, {"cut": CUTS["reference interval"]}, adjustments=dict([adjustment]), missing=rule,
                strata="site", contrast=contrast,
            )  # fmt: skip
            assert_allclose(one.median_hazard_ratio, one.analyses["hazard_ratio"][0], rtol=1e-7)


def test_against_the_next_stratum_the_others_have_coefficients_of_their_own():
    cohort = cohort_of().dropna(subset=["mg"])
    found = run(cohort, {"three": CUTS["reference interval"]}, contrast="next").analyses.iloc[0]
    strata = cohort.assign(low=cohort["mg"] < 0.75, high=cohort["mg"] >= 0.95).astype({"low": float, "high": float})
    alone = hazard_ratios(fit_cox(strata, OS, ["low", "high"])).iloc[0]
    assert_allclose(found[["hazard_ratio", "conf_low", "conf_high"]].to_numpy(float), alone.iloc[1:4].to_numpy(float))


def test_strata_and_who_misses_the_marker_stay_as_they_are_under_permutation():
    blocks = np.array([0, 2, 1, 0, 2, 0, 1])
    for seed in range(5):
        order = permuted(blocks, np.random.default_rng(seed))
        assert sorted(order) == list(range(7))
        assert (blocks[order] == blocks).all()


def test_threads_and_the_order_of_the_rows_change_no_bit():
    cohort = cohort_of(90)  # 27 permutations are two batches
    options = {
        "adjustments": {"age and sex": ["age", "sex"]},
        "missing": RULES[1],
        "strata": "site",
        "n_permutations": 27,
        "seed": 3,
    }
    serial = run(cohort, {"0.8": 0.8}, **options)
    with joblib.parallel_config("threading", n_jobs=3):
        threads = run(cohort, {"0.8": 0.8}, **options)
    shuffled = run(cohort.sample(frac=1, random_state=5), {"0.8": 0.8}, **options)
    for other in (threads, shuffled):
        np.testing.assert_array_equal(other.null_medians, serial.null_medians)
        assert other.p_value == serial.p_value
    pd.testing.assert_frame_equal(threads.curve, serial.curve)
    pd.testing.assert_frame_equal(shuffled.curve, serial.curve, rtol=1e-9)
    assert not np.array_equal(run(cohort, {"0.8": 0.8}, **options | {"seed": 4}).null_medians, serial.null_medians)


@pytest.mark.parametrize(("term", "excluded"), [("sex", "f"), ("ecog", [0, 2]), ("I(2 * ecog)", [0, 2])])
def test_a_term_that_an_exclusion_makes_constant_is_left_out_and_noted(term, excluded):
    cohort = cohort_of().dropna()
    exclusions = {"some": {"ecog" if "ecog" in term else "sex": excluded}}
    adjustments = {"without": ["age"], "with": ["age", term], "alone": [term], "none": ()}
    table = run(cohort, {"0.75": 0.75}, adjustments=adjustments, exclusions=exclusions).analyses
    assert table["note"].tolist() == ["", *[f"constant here, so not adjusted for: {term}"] * 2, ""]
    ratios = table["hazard_ratio"].to_numpy()
    assert_allclose(ratios[[1, 2]], ratios[[0, 3]])


def test_analyses_without_an_estimate_say_why_and_leave_the_others_alone():
    cohort = cohort_of().assign(zero=0)
    quiet = cohort["mg"] < 0.68
    cohort.loc[quiet, "event"] = 0
    with pytest.warns(AnalysisWarning, match=r"6 of 8 analyses have no estimate; their column 'error' says why"):
        found = run(
            cohort, {"0.68": 0.68, "0.75": 0.75}, adjustments={"none": (), "sex": ["sex"]},
            exclusions={"none": None, "everybody": "zero == 0"}, n_permutations=9,
        )  # fmt: skip
    errors = found.analyses.set_index(DIMENSIONS)["error"]
    assert errors.loc["0.68", :, "none", "none"].item() == "no event in stratum 'low': the hazard ratio is not finite"
    assert errors.loc["0.75", :, "none", "everybody"].item() == "exclusion 'everybody' leaves no row"
    assert found.analyses.loc[found.analyses["error"] != "", "hazard_ratio"].isna().all()
    assert len(found.curve) == 2
    assert 0 < found.p_value <= 1


def test_a_cut_that_separates_early_events_from_late_ones_has_an_infinite_estimate_and_says_so():
    cohort = cohort_of().dropna(subset=["mg"])
    cohort = cohort.assign(time=np.where(cohort["mg"] < 0.8, 0.0, 1000.0) + np.arange(1.0, len(cohort) + 1), event=1)
    with pytest.warns(AnalysisWarning, match="1 of 2 analyses have no estimate"):
        found = run(cohort, {"0.8": 0.8, "0.75": 0.75}, n_permutations=4)
    (error,) = found.analyses.loc[found.analyses["cutpoint"] == "0.8", "error"]
    assert error == "monotone likelihood (separation): the estimate is infinite; adjust for less, or cut elsewhere"


def test_a_separated_term_of_the_adjustment_leaves_the_contrast_standing():
    cohort = cohort_of().dropna(subset=["mg"])
    cohort["quiet"] = (np.arange(len(cohort)) % 9 == 0).astype(float)
    cohort.loc[cohort["quiet"] == 1, "event"] = 0
    found = run(cohort, {"0.8": 0.8}, adjustments={"quiet": ["quiet"]}, n_permutations=4)
    assert found.analyses["error"].tolist() == [""]
    assert_allclose(found.median_hazard_ratio, found.analyses["hazard_ratio"][0], rtol=1e-6)
    assert np.isfinite(found.null_medians).all()
