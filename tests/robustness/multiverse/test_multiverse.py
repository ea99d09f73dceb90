"""A multiverse: every row against the model fitted by itself, its permutations by hand, and what chance makes of it."""

import warnings
from contextlib import nullcontext

import joblib
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
    InputError,
    RowsDropped,
    SuspiciousValues,
    clinical_cutpoints,
    cutpoint_multiverse,
    fit_cox,
    hazard_ratios,
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
    told = [one.message.dropped for one in caught if isinstance(one.message, RowsDropped)]
    assert told == ([found.dropped] if found.dropped else [])
    for one in caught:
        if not isinstance(one.message, RowsDropped):
            warnings.warn(one.message, stacklevel=2)
    return found


ADJUSTMENTS = {"none": (), "age and sex": ["age", "sex"], "curved age": "age + I(age**2)"}
EXCLUSIONS = {"none": None, "without ECOG 2": "ecog == 2"}
RULES = ["complete case", "median imputation", "missing as lowest", "missing as highest"]


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
    found = run(cohort, {"a": 0.78, "b": 0.84, "c": 0.86}, n_permutations=12, seed=7)
    medians = []
    for stream in np.random.SeedSequence(7).spawn(12):
        order = permuted(np.zeros(len(ordered), dtype=int), np.random.default_rng(stream))
        again = ordered.assign(mg=ordered["mg"].to_numpy()[order])
        fits = [fit_cox(again.assign(low=(again["mg"] < cut) * 1.0), OS, ["low"]) for cut in (0.78, 0.84, 0.86)]
        medians.append(np.median([fit.coef[0] for fit in fits]))
    assert_allclose(found.null_medians, medians, rtol=1e-6, atol=2e-9)
    observed = np.log(found.median_hazard_ratio)
    centre = np.mean([observed, *medians])
    count = sum(abs(median - centre) >= abs(observed - centre) - 1e-8 for median in medians)
    assert found.p_value == pytest.approx((1 + count) / 13)


def test_strata_and_who_misses_the_marker_stay_as_they_are_under_permutation():
    blocks = np.array([0, 2, 1, 0, 2, 0, 1])
    for seed in range(5):
        order = permuted(blocks, np.random.default_rng(seed))
        assert sorted(order) == list(range(7))
        assert (blocks[order] == blocks).all()


def test_workers_and_the_order_of_the_rows_change_no_bit():
    cohort = cohort_of()
    options = {"adjustments": ADJUSTMENTS, "missing": RULES[:2], "strata": "site", "n_permutations": 23, "seed": 3}
    serial = run(cohort, **options)
    with joblib.parallel_config(n_jobs=2):
        processes = run(cohort, **options)
    with joblib.parallel_config("threading", n_jobs=3):
        threads = run(cohort, **options)
    shuffled = run(cohort.sample(frac=1, random_state=5), **options)
    for other in (processes, threads, shuffled):
        np.testing.assert_array_equal(other.null_medians, serial.null_medians)
        assert other.p_value == serial.p_value
    pd.testing.assert_frame_equal(processes.curve, serial.curve)
    pd.testing.assert_frame_equal(shuffled.curve, serial.curve, rtol=1e-9)
    assert not np.array_equal(run(cohort, **options | {"seed": 4}).null_medians, serial.null_medians)


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


def test_exclusions_as_query_values_and_function_agree():
    cohort = cohort_of()
    forms = {
        "query": "ecog == 2 or sex == 'm'",
        "values": {"ecog": [2], "sex": "m"},
        "function": lambda rows: (rows["ecog"] == 2) | (rows["sex"] == "m"),
        "array": lambda rows: ((rows["ecog"] == 2) | (rows["sex"] == "m")).to_numpy(),
        "nullable": lambda rows: (rows["ecog"] == 2).astype("boolean") | (rows["sex"] == "m"),
    }
    table = run(cohort, {"0.75": 0.75}, exclusions=forms).analyses
    assert (table["n_excluded"] == ((cohort["ecog"] == 2) | (cohort["sex"] == "m")).sum()).all()
    assert (table["hazard_ratio"] == table["hazard_ratio"][0]).all()


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


def test_a_separated_term_of_the_adjustment_leaves_the_contrast_standing():
    cohort = cohort_of().dropna(subset=["mg"])
    cohort["quiet"] = (np.arange(len(cohort)) % 9 == 0).astype(float)
    cohort.loc[cohort["quiet"] == 1, "event"] = 0
    found = run(cohort, {"0.8": 0.8}, adjustments={"quiet": ["quiet"]}, n_permutations=4)
    assert found.analyses["error"].tolist() == [""]
    assert_allclose(found.median_hazard_ratio, found.analyses["hazard_ratio"][0], rtol=1e-6)
    assert np.isfinite(found.null_medians).all()


def test_when_nothing_can_be_estimated_there_is_no_p_value():
    cohort = cohort_of()
    cohort.loc[cohort["mg"] < 0.7, "event"] = 0
    with pytest.warns(AnalysisWarning, match=r"1 of 1 analyses have no estimate"):
        found = run(cohort, {"0.7": 0.7}, n_permutations=3)
    assert np.isnan([found.p_value, found.median_hazard_ratio]).all()
    assert found.curve.empty
    assert found.grid.empty


def test_few_events_and_idle_exclusions_are_worth_a_word():
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


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cutpoints": {}}, InputError, r"cutpoints: none given"),
        ({"cutpoints": {"x": [0.9, 0.8]}}, InputError, r"'x': cut-points: edges 0.9, 0.8 must increase"),
        ({"cutpoints": {"x": "low"}}, InputError, r"'x': cut-points: edges must be finite numbers"),
        ({"cutpoints": {"mayo": clinical_cutpoints("mayo")}}, CohortError, r"'mayo': cut 1.7 mg/dL: outside the range"),
        ({"endpoints": []}, InputError, r"endpoints: none given"),
        (
            {"endpoints": ["time", "event"]},
            InputError,
            r"endpoints: expected Endpoint\(duration, event\), got str, str",
        ),
        ({"endpoints": [OS, OS]}, InputError, r"endpoints: 'survival' given twice; each needs a name of its own"),
        ({"endpoints": Endpoint("tim", "event")}, CohortError, r"no column 'tim'; did you mean 'time'"),
        ({"adjustments": {"a": ["aeg"]}}, CohortError, r"no column 'aeg'; did you mean 'age'"),
        ({"adjustments": {"a": ["log(mg)"]}}, InputError, r"'a': adjust: 'log\(mg\)' holds the marker itself"),
        ({"exclusions": {"x": "mg > 1"}}, InputError, r"exclusion 'x': cannot be evaluated .* but the marker 'mg'"),
        ({"exclusions": {"x": "ecog =="}}, InputError, r"exclusion 'x': cannot be evaluated"),
        (
            {"exclusions": {"x": "age"}},
            InputError,
            r"exclusion 'x': cannot be evaluated .* True or False for every row",
        ),
        ({"exclusions": {"x": {"ecgo": 2}}}, InputError, r"exclusion 'x': no column 'ecgo'"),
        ({"exclusions": {"x": lambda rows: [True]}}, InputError, r"exclusion 'x': 1 answers for 150 rows"),
        ({"missing": "complete"}, InputError, r"missing='complete'; choose .*did you mean 'complete case'\?"),
        ({"missing": []}, InputError, r"missing: none given"),
        ({"contrast": "others"}, InputError, r"contrast='others'; choose 'rest' or 'next'"),
        ({"n_permutations": -1}, InputError, r"n_permutations=-1 must be a whole number of at least 0"),
        ({"seed": None}, InputError, r"seed=None must be a whole number"),
        ({"conf_level": 95}, InputError, r"did you mean 0.95"),
        ({"strata": "sight"}, CohortError, r"no column 'sight'; did you mean 'site'"),
    ],
)
def test_choices_that_cannot_be_say_what_is_wrong(options, error, message):
    with pytest.raises(error, match=message):
        run(cohort_of(), options.pop("cutpoints", {"0.75": 0.75}), **options)


def test_all_faults_of_the_choices_at_once():
    with pytest.raises(InputError, match="missing") as caught:
        run(cohort_of(), {"a": [0.9, 0.8]}, adjustments={"m": ["mg"]}, missing="none", exclusions={"x": "mg < 1"})
    assert len(caught.value.problems) == 4


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
    design, n_cohorts = CohortDesign(world="independent").of_size(150), 60
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
