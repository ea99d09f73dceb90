"""The search for a cut: against R, by what must not change it, by its guards, and where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    Separation,
    fit_cox,
    logrank_test,
    search_cutpoint,
    stratify,
)
from tests.reference import Case, cases, cohort, floats
from tests.reference import rows as reference_rows

OS = Endpoint("time", "event")
QUICK = {"n_permutations": 99, "n_bootstrap": 0, "seed": 1}
SCAN = ["cut", "n_low", "statistic", "chi_square", "log_hazard_ratio", "p_adjusted"]


def drawn(n: int = 150, seed: int = 1, *, effect: float = 0.5, **more) -> pd.DataFrame:
    """A marker whose hazard steps down above 0.4; a third censored, some ties."""
    rng = np.random.default_rng(seed)
    marker = rng.uniform(size=n).round(2)
    died, followed = rng.exponential(20 * np.exp(effect * (marker > 0.4))), rng.exponential(40, n)
    time = np.ceil(10 * np.minimum(died, followed)) / 10
    return pd.DataFrame({"marker": marker, "time": time, "event": (died <= followed).astype(int)} | more)


# --- R


def searched(case: Case, n_permutations: int):
    args = case.args
    endpoint = Endpoint(args["time"], args["event"])
    fractions = {"min_fraction": args["minprop"], "max_fraction": args["maxprop"]}
    rows = cohort(case, args["time"], args["event"], args["x"])
    return search_cutpoint(rows, endpoint, args["x"], **fractions, **QUICK | {"n_permutations": n_permutations})


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", cases("maxstat"), ids=str)
def test_cut_statistics_and_p_values_are_those_of_maxstat(case: Case):
    expected = case.expected
    monte_carlo = expected["p_condMC"]
    found = searched(case, 99 if monte_carlo is None else 1999)
    assert_allclose([found.cut, found.statistic], [expected["cutpoint"], expected["statistic"]], rtol=1e-8)
    assert len(found.scan) == expected["n_cuts"]
    at = found.scan.set_index("cut").loc[floats(expected["cuts"])]
    assert_allclose(at["statistic"], floats(expected["stats"]), rtol=1e-8)
    assert_allclose(found.p_lausen92, min(expected["p_lau92"], 1), rtol=1e-7)
    assert_allclose(found.p_lausen94, min(expected["p_lau94"], 1), rtol=1e-7)
    if monte_carlo is not None:
        assert abs(found.p_permutation - monte_carlo) < 4 * (0.25 / 1999 + 0.25 / 9999) ** 0.5


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", cases("cutpoint_scan"), ids=str)
def test_every_cut_is_that_of_survdiff_and_coxph(case: Case):
    expected = case.expected
    at = searched(case, 1).scan.set_index("cut").loc[floats(expected["cuts"])]
    assert_allclose(at["n_low"], floats(expected["n_low"]))
    assert_allclose(at["chi_square"], floats(expected["chisq"]), rtol=1e-8)
    log_ratio = floats(expected["log_hr_high_vs_low"])
    finite = np.abs(log_ratio) < 10
    assert_allclose(at["log_hazard_ratio"][finite], log_ratio[finite], rtol=1e-6, atol=1e-7)
    assert at["log_hazard_ratio"][~finite].isna().all()


# R 4.2.2, coin 1.4-2: maxstat_test(score ~ x | celltype, distribution = approximate(nresample = 99999)) of veteran, the
# score by logrank_trafo(ties.method = "Hothorn-Lausen") in each cell type, less its mean there: cut, statistic,
# p-value, and standardised statistics of some cuts.
WITHIN_CELL_TYPE = [
    ("karno", 0.1, 50, 4.34178937679652, 9.00009e-05, {30: 3.881832, 60: 4.320255, 75: 3.603433}),
    ("age", 0.11, 64, 1.47264689438684, 0.6394264, {42: 0.836550470859, 52: 0.101486808315, 68: 1.251305648034}),
]


@pytest.mark.parametrize(("marker", "min_fraction", "cut", "statistic", "p_value", "cuts"), WITHIN_CELL_TYPE)
def test_within_strata_it_is_coins_maximally_selected_statistic(marker, min_fraction, cut, statistic, p_value, cuts):
    options = QUICK | {"n_permutations": 9999, "min_fraction": min_fraction, "strata": "celltype"}
    found = search_cutpoint(reference_rows("veteran"), Endpoint("time", "status"), marker, **options)
    assert found.cut == cut
    assert_allclose(found.statistic, statistic, rtol=1e-12)
    assert_allclose(found.scan.set_index("cut").loc[list(cuts), "statistic"], list(cuts.values()), rtol=1e-6)
    assert abs(found.p_permutation - p_value) < 4 * (p_value * (1 - p_value) / 9999) ** 0.5 + 1e-4


# --- What it says


def test_the_scan_is_a_frame_of_every_cut():
    found = search_cutpoint(drawn(), OS, "marker", **QUICK)
    assert list(found.scan.columns) == SCAN
    assert found.scan["cut"].is_monotonic_increasing
    assert found.statistic == found.scan["statistic"].max()
    assert found.cut == found.scan["cut"][found.scan["statistic"].idxmax()]


@pytest.mark.parametrize("more", [{}, {"adjust": "marker2"}])
def test_each_cut_has_its_p_value_among_all_cuts(more):
    rows = drawn(marker2=np.random.default_rng(2).normal(size=150))
    found = search_cutpoint(rows, OS, "marker", **QUICK | {"n_permutations": 499}, **more)
    scan = found.scan.sort_values("statistic")
    assert scan["p_adjusted"].is_monotonic_decreasing
    assert scan["p_adjusted"].iloc[-1] == found.p_permutation
    assert ((scan["statistic"] > found.critical_value) == (scan["p_adjusted"] <= 0.05)).all()
    few = search_cutpoint(rows, OS, "marker", **QUICK | {"n_permutations": 18}, **more)
    assert few.critical_value == np.inf


def test_the_naive_p_value_stands_beside_the_corrected_one_only():
    found = search_cutpoint(drawn(), OS, "marker", n_permutations=99, n_bootstrap=50, seed=1)
    assert not [name for name in vars(found) if "naive" in name and name.startswith("p")]
    summary = found.summary().set_index("analysis")
    assert list(summary.columns) == ["contrast", "hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected"]
    naive, corrected, continuous = (summary.loc[name] for name in summary.index)
    groups = drawn().assign(high=lambda rows: (rows["marker"] > found.cut).astype(int))
    assert_allclose(naive["p_naive"], logrank_test(groups, OS, by="high").p_value, rtol=1e-8)
    assert naive["p_corrected"] == corrected["p_corrected"] == found.p_permutation
    fit = fit_cox(drawn(), OS, ["marker"])
    assert_allclose(continuous["p_naive"], fit.coefficients["p_value"].iloc[0], rtol=1e-6)
    per_sd = np.exp(fit.coefficients["coef"].iloc[0] * drawn()["marker"].std())
    assert_allclose(continuous["hazard_ratio"], per_sd, rtol=1e-6)
    assert_allclose(
        naive["hazard_ratio"], np.exp(fit_cox(groups, OS, ["high"]).coefficients["coef"].iloc[0]), rtol=1e-6
    )


def test_the_summary_is_a_copy():
    found = search_cutpoint(drawn(), OS, "marker", **QUICK)
    summary = found.summary()
    summary.loc[0, "p_corrected"] = 0.0
    assert found.summary()["p_corrected"].iloc[0] == found.p_permutation


def test_the_cut_goes_to_stratify_with_the_rows_on_its_own_side():
    rows = drawn()
    found = search_cutpoint(rows, OS, "marker", **QUICK)
    groups = stratify(rows, found.cutpoints(("low", "high")), marker="marker")["stratum"]
    assert (groups == "low").sum() == found.scan.set_index("cut").loc[found.cut, "n_low"]
    assert "permutation" in found.cutpoints().source


def test_without_a_bootstrap_there_is_neither_correction_nor_interval():
    found = search_cutpoint(drawn(), OS, "marker", **QUICK)
    skipped = (found.hazard_ratio_corrected, found.conf_low, found.conf_high, found.cut_low, found.cut_high)
    assert np.isnan(skipped).all()
    assert found.hazard_ratio_naive > 0


def test_the_correction_goes_towards_no_effect_and_the_limits_surround_it():
    found = search_cutpoint(drawn(effect=0.0, seed=4), OS, "marker", n_permutations=99, n_bootstrap=100, seed=1)
    naive, corrected = np.log(found.hazard_ratio_naive), np.log(found.hazard_ratio_corrected)
    assert corrected * np.sign(naive) < abs(naive)
    assert found.conf_low < found.hazard_ratio_corrected < found.conf_high
    assert found.cut_low <= found.cut <= found.cut_high
    assert {found.cut_low, found.cut_high} <= set(drawn(seed=4)["marker"])


def test_a_wider_level_gives_wider_limits():
    options = {"n_permutations": 9, "n_bootstrap": 60, "seed": 1}
    usual, narrow = (search_cutpoint(drawn(), OS, "marker", **options, conf_level=level) for level in (0.95, 0.5))
    assert usual.conf_low < narrow.conf_low < narrow.conf_high < usual.conf_high
    assert usual.cut_low <= narrow.cut_low <= narrow.cut_high <= usual.cut_high


# --- What must not change it


def answers(found) -> list[float]:
    names = ("cut", "statistic", "p_lausen92", "p_permutation", "hazard_ratio_naive", "hazard_ratio_corrected",
             "conf_low", "conf_high", "cut_low", "cut_high")  # fmt: skip
    return [getattr(found, name) for name in names]


@pytest.mark.parametrize(
    "options", [{}, {"adjust": "age"}, {"strata": "site"}], ids=["plain", "adjusted", "stratified"]
)
def test_shuffled_rows_give_the_same_seeded_answer(options):
    rng = np.random.default_rng(2)
    rows = drawn(80, age=rng.normal(60, 9, 80).round(), site=rng.integers(0, 2, 80))
    shuffled = rows.sample(frac=1, random_state=3)
    before = rows.copy()
    first, second = (
        search_cutpoint(held, OS, "marker", n_permutations=50, n_bootstrap=12, seed=7, **options)
        for held in (rows, shuffled)
    )
    assert_allclose(answers(first), answers(second), rtol=1e-9)
    pd.testing.assert_frame_equal(rows, before)
    other = search_cutpoint(rows, OS, "marker", n_permutations=50, n_bootstrap=12, seed=8, **options)
    assert answers(other) != answers(first)


def test_another_unit_moves_the_cut_only():
    rows = drawn()
    first = search_cutpoint(rows, OS, "marker", **QUICK)
    second = search_cutpoint(rows.assign(marker=rows["marker"] * 8), OS, "marker", **QUICK)
    assert_allclose(second.cut, 8 * first.cut)
    assert_allclose(answers(second)[1:5], answers(first)[1:5], rtol=1e-9)


def test_a_marker_turned_round_turns_the_hazard_ratio_round():
    rows = drawn(101)
    wide = QUICK | {"min_fraction": 0.01, "max_fraction": 0.999}
    first = search_cutpoint(rows, OS, "marker", **wide)
    second = search_cutpoint(rows.assign(marker=-rows["marker"]), OS, "marker", **wide)
    assert_allclose(second.statistic, first.statistic)
    assert_allclose(second.hazard_ratio_naive, 1 / first.hazard_ratio_naive, rtol=1e-7)


def test_missing_values_are_dropped_and_counted():
    rows = drawn()
    with_gaps = pd.concat([rows, rows.iloc[:5].assign(marker=np.nan), rows.iloc[:3].assign(time=np.nan)])
    with pytest.warns(RowsDropped, match="8 of 158 rows dropped: 3 for missing time, 5 for missing marker"):
        found = search_cutpoint(with_gaps, OS, "marker", **QUICK)
    assert (found.n_read, found.n_used) == (158, 150)
    assert found.dropped == {"missing time": 3, "missing marker": 5}
    assert_allclose(answers(found)[:5], answers(search_cutpoint(rows, OS, "marker", **QUICK))[:5])


def test_integers_and_nullable_types_are_numbers():
    rows = drawn()
    first = search_cutpoint(rows.assign(marker=(rows["marker"] * 100).round()), OS, "marker", **QUICK)
    nullable = (rows["marker"] * 100).round().astype("Int64")
    second = search_cutpoint(rows.assign(marker=nullable), OS, "marker", **QUICK)
    assert answers(second)[:5] == answers(first)[:5]


# --- Beside covariates and strata


def test_one_stratum_is_no_strata():
    rows = drawn(200, site="a")
    plain = search_cutpoint(rows, OS, "marker", n_permutations=999, n_bootstrap=0, seed=1)
    stratified = search_cutpoint(rows, OS, "marker", n_permutations=999, n_bootstrap=0, seed=1, strata="site")
    assert stratified.cut == plain.cut
    assert_allclose(stratified.scan["statistic"], plain.scan["statistic"], rtol=1e-10)
    assert_allclose(stratified.scan["log_hazard_ratio"], plain.scan["log_hazard_ratio"], rtol=1e-6, atol=1e-8)
    assert_allclose(stratified.scan["chi_square"], plain.scan["chi_square"], rtol=0.1, atol=0.05)
    p = plain.p_permutation
    assert abs(stratified.p_permutation - p) < 4 * (2 * p * (1 - p) / 999) ** 0.5


def test_strata_that_differ_in_marker_and_hazard_are_no_effect():
    rng = np.random.default_rng(4)
    site = rng.integers(0, 2, 300)
    rows = drawn(300, effect=0.0, site=site)
    rows["marker"] = (rows["marker"] + site).round(2)
    rows["time"] = rows["time"] * np.where(site == 1, 6, 1)
    crude, within = (search_cutpoint(rows, OS, "marker", **QUICK, strata=strata) for strata in (None, "site"))
    assert crude.p_permutation == 0.01
    assert within.p_permutation > 0.05


def test_it_says_what_was_permuted_and_what_level_that_gives():
    rows = drawn(site=np.repeat(["a", "b"], 75), other=np.random.default_rng(2).normal(size=150))
    found = [search_cutpoint(rows, OS, "marker", **QUICK, **more).permutation for more in ({}, {"strata": "site"})]
    assert found == [
        "log-rank scores over the marker; exact where the marker is related to neither outcome nor censoring",
        "log-rank scores over the marker within strata; exact where the marker is related to neither outcome nor"
        " censoring within strata",
    ]
    adjusted = search_cutpoint(rows, OS, "marker", **QUICK, adjust="other", strata="site").permutation
    assert adjusted == "residuals of the marker given the covariates within strata; large-sample level"
    one = search_cutpoint(rows.assign(site="a"), OS, "marker", **QUICK, adjust="other", strata="site").permutation
    assert one == "residuals of the marker given the covariates; large-sample level"


def test_resamples_within_strata_search_the_same_statistic():
    rows = drawn(200, effect=1.5, site=np.arange(200) % 2)
    found = search_cutpoint(rows, OS, "marker", n_permutations=99, n_bootstrap=60, seed=1, strata="site")
    assert found.cut_low <= found.cut <= found.cut_high
    assert found.conf_low < found.hazard_ratio_corrected < found.conf_high


def test_a_confounder_explains_the_cut_away():
    rng = np.random.default_rng(5)
    burden = rng.normal(size=300)
    marker = (burden + 0.5 * rng.normal(size=300)).round(2)
    died, followed = rng.exponential(20 * np.exp(-0.8 * burden)), rng.exponential(40, 300)
    rows = pd.DataFrame({"marker": marker, "burden": burden, "time": np.minimum(died, followed)})
    rows["event"] = (died <= followed).astype(int)
    crude = search_cutpoint(rows, OS, "marker", **QUICK)
    adjusted = search_cutpoint(rows, OS, "marker", **QUICK, adjust=["burden"])
    assert crude.p_permutation == 0.01
    assert adjusted.p_permutation > 0.05
    at = fit_cox(rows.assign(high=(marker > adjusted.cut) * 1), OS, ["high", "burden"]).coefficients["coef"].iloc[0]
    assert_allclose(np.log(adjusted.hazard_ratio_naive), at, rtol=1e-6)


def test_late_entry_is_respected():
    rows = drawn(120)
    late = rows.assign(entry=np.where(np.arange(120) % 3 == 0, rows["time"] / 2, 0))
    found = search_cutpoint(late, Endpoint("time", "event", entry="entry"), "marker", **QUICK)
    high = late.assign(high=(late["marker"] > found.cut) * 1)
    coef = fit_cox(high, Endpoint("time", "event", entry="entry"), ["high"]).coefficients["coef"].iloc[0]
    assert_allclose(np.log(found.hazard_ratio_naive), coef, rtol=1e-6)


# --- Bad input


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"marker": [1.0] * 150}, NotEstimable, r"one value \(1\) in all 150 rows"),
        ({"marker": [1.0] * 145 + [2.0] * 5}, NotEstimable, "no admissible cut; 15 to 135 of 150 rows"),
        ({"marker": [np.inf] * 2 + [0.5] * 148}, CohortError, r"'marker': infinite values in 2 rows \(1, 2\)"),
        ({"marker": [np.nan] * 150}, CohortError, "no non-missing values in 'marker'"),
        ({"marker": ["low"] * 150}, CohortError, "150 values are not numbers"),
        ({"event": [0] * 150}, NotEstimable, "no events"),
        ({"event": [2] * 150}, CohortError, "values 2, expected 0 and 1"),
        ({"time": [3.0] * 150, "event": [1] * 150}, NotEstimable, "one time"),
    ],
)
def test_rows_that_cannot_be_searched_are_refused(change, error, match):
    with pytest.raises(error, match=match):
        search_cutpoint(drawn().assign(**change), OS, "marker", **QUICK)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"min_fraction": 0.6, "max_fraction": 0.4}, "min_fraction=0.6 must be below max_fraction=0.4"),
        ({"min_fraction": 0.0}, "min_fraction=0.0 must be a finite number above 0"),
        ({"max_fraction": 1}, "max_fraction=1 must be below 1"),
        ({"min_fraction": np.nan}, "min_fraction=nan must be a finite number"),
        ({"n_permutations": 0}, "n_permutations=0 must be a whole number of at least 1"),
        ({"n_bootstrap": -1}, "n_bootstrap=-1 must be a whole number of at least 0"),
        ({"seed": None}, "seed=None must be a whole number"),
        ({"seed": 1.5}, "seed=1.5 must be a whole number"),
        ({"conf_level": 95}, "did you mean 0.95"),
        ({"adjust": "log2(marker)"}, "holds the marker itself"),
    ],
)
def test_options_that_cannot_be_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        search_cutpoint(drawn(), OS, "marker", **QUICK | options)


def test_one_error_lists_all_invalid_options():
    with pytest.raises(InputError, match="n_permutations") as caught:
        search_cutpoint(drawn(), OS, "marker", min_fraction=-1, n_permutations=0, n_bootstrap=-2, seed=None)
    assert len(caught.value.problems) == 4


def test_a_misspelt_marker_gets_its_nearest_name():
    with pytest.raises(CohortError, match="no column 'markr'; did you mean 'marker'"):
        search_cutpoint(drawn(), OS, "markr", **QUICK)


def test_a_marker_with_three_values_has_two_cuts():
    rows = drawn().assign(marker=lambda held: (held["marker"] * 3).astype(int))
    found = search_cutpoint(rows, OS, "marker", **QUICK)
    assert found.scan["cut"].tolist() == [0, 1]
    assert 0 < found.p_permutation <= 1


def test_few_events_are_warned_of_and_stay_with_the_result():
    rows = drawn().assign(event=lambda held: (held.index < 15) * held["event"])
    with pytest.warns(FewEvents, match="a cut searched among fewer than 20 is mostly chance"):
        found = search_cutpoint(rows, OS, "marker", **QUICK)
    assert [type(warning) for warning in found.warnings] == [FewEvents]


def test_few_events_beside_covariates_are_warned_of():
    rng = np.random.default_rng(3)
    others = {f"x{k}": rng.normal(size=150) for k in range(10)}
    rows = drawn(**others)
    with pytest.warns(FewEvents, match="87 events for 11 coefficients, fewer than 10 each"):
        found = search_cutpoint(rows, OS, "marker", **QUICK, adjust=list(others))
    assert [type(warning) for warning in found.warnings] == [FewEvents]
    enough = search_cutpoint(rows, OS, "marker", **QUICK, adjust=list(others)[:7])
    assert enough.warnings == ()


def test_a_group_without_events_is_warned_of():
    rows = pd.DataFrame({"marker": np.arange(60.0), "time": np.arange(60, 0, -1.0), "event": np.arange(60) >= 30})
    rows["event"] = rows["event"].astype(int)
    with pytest.warns(Separation, match="one group has no event while the other was at risk"):
        found = search_cutpoint(rows, OS, "marker", n_permutations=99, n_bootstrap=20, seed=1)
    assert np.isnan(found.hazard_ratio_naive)
    assert found.p_permutation == 0.01
    assert np.isfinite([found.p_lausen92, found.p_lausen94, found.cut_low]).all()


# --- Where the truth is known


def test_a_clear_threshold_is_recovered_with_its_effect():
    rows = drawn(600, effect=1.0)
    found = search_cutpoint(rows, OS, "marker", n_permutations=99, n_bootstrap=60, seed=1)
    assert abs(found.cut - 0.4) < 0.05
    assert found.cut_low <= 0.4 <= found.cut_high
    assert found.conf_low < np.exp(-1.0) < found.conf_high
    assert found.p_permutation == 0.01


@pytest.mark.parametrize("adjust", [(), ("other",)], ids=["strata alone", "beside a covariate"])
@pytest.mark.parametrize("categories", [["a", "b", "c"], ["c", "b", "a"], ["b", "unused", "c", "a"]])
def test_the_order_of_categories_changes_no_seeded_answer(adjust, categories):
    rng = np.random.default_rng(8)
    rows = drawn(120, site=rng.choice(list("abc"), 120), other=rng.normal(size=120))
    options = {"n_permutations": 99, "n_bootstrap": 5, "seed": 3, "strata": "site", "adjust": adjust}
    expected = search_cutpoint(rows, OS, "marker", **options)
    recoded = rows.assign(site=pd.Categorical(rows["site"], categories=categories))
    found = search_cutpoint(recoded, OS, "marker", **options)
    pd.testing.assert_frame_equal(found.scan, expected.scan, check_exact=True)
    pd.testing.assert_frame_equal(found.summary(), expected.summary(), rtol=1e-12)
    assert (found.cut_low, found.cut_high) == (expected.cut_low, expected.cut_high)
