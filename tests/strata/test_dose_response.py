"""The hazard along a marker: against R, by its properties, by its guards, and where the truth is a straight line."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import binom

from analysis import (
    OVERALL_SURVIVAL,
    CohortDesign,
    CohortError,
    CompetingEndpoint,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    Separation,
    SuspiciousValues,
    TiedKnots,
    dose_response,
    fit_cox,
    simulate_cohort,
)
from tests.reference import Case, cases, cohort, floats, rows

COLUMNS = ["marker", "log_hazard_ratio", "std_error", "hazard_ratio", "conf_low", "conf_high"]
OS = Endpoint("time", "event")


def lung():
    return rows("lung")


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", cases("rcs_cox"), ids=str)
def test_curves_and_tests_are_those_of_rms(case: Case) -> None:
    args, expected = case.args, case.expected
    names = [args["time"], args["event"], args["x"], *args["adjust"]]
    held = cohort(case, *names)
    found = dose_response(
        held, Endpoint(args["time"], args["event"]), args["x"], knots=args["n_knots"], adjust=args["adjust"],
        at=expected["x"],
    )  # fmt: skip
    assert (found.n_used, found.n_event) == (expected["n"], expected["n_event"])
    assert found.reference == pytest.approx(expected["reference"], rel=1e-9)
    assert_allclose(found.knots, floats(expected["knots"]), rtol=1e-9)
    assert_allclose(found.log_likelihood, expected["loglik"], rtol=1e-9)
    assert_allclose(found.coefficients["coef"], floats(expected["basis_coef"]), rtol=1e-6, atol=1e-9)
    assert_allclose(found.coefficients["std_error"], floats(expected["basis_se"]), rtol=1e-6)
    assert_allclose(found.curve["log_hazard_ratio"], floats(expected["log_hr"]), rtol=1e-6, atol=1e-8)
    assert_allclose(found.curve["std_error"], floats(expected["se"]), rtol=1e-6, atol=1e-12)
    assert_allclose(found.overall_test.statistic, expected["lr_overall"], rtol=1e-6, atol=1e-6)
    assert_allclose(found.nonlinear_test.statistic, expected["lr_nonlinear"], rtol=1e-6, atol=1e-6)
    assert_allclose(found.nonlinear_test.p_value, expected["lr_nonlinear_p"], rtol=1e-5, atol=1e-6)
    assert (found.overall_test.df, found.nonlinear_test.df) == (expected["lr_overall_df"], expected["lr_nonlinear_df"])


def test_given_knots_terms_and_strata_against_r():
    # survival 3.5-3: coxph(Surv(time, event) ~ basis(age) + factor(ph_ecog) + log(meal_cal) + strata(female))
    with pytest.warns(RowsDropped, match="48 of 228 rows dropped: 1 for missing ph_ecog, 47 for missing meal_cal"):
        found = dose_response(
            lung(), OS, "age", knots=[50, 58, 66, 75], adjust=["C(ph_ecog)", "log(meal_cal)"], strata="female",
            reference=62, at=[45, 60, 70, 80],
        )  # fmt: skip
    log_ratios = [-0.17813428567, 0.08389818484, -0.03618487545, 0.59791530854]
    std_errors = [0.35091185142, 0.06524347918, 0.14864629918, 0.40438367870]
    assert (found.n_read, found.n_used, found.n_event) == (228, 180, 133)
    assert found.dropped == {"missing ph_ecog": 1, "missing meal_cal": 47}
    assert_allclose(found.coefficients["coef"], [0.03592350917, -0.17757453424, 0.57024123107], rtol=1e-6)
    assert found.coefficients["term"].tolist() == ["age", "age'", "age''"]
    assert_allclose(found.log_likelihood, -481.7936342, rtol=1e-9)
    assert_allclose(found.nonlinear_test.statistic, 2 * (483.1446421 - 481.7936342), rtol=1e-6)
    assert_allclose(found.overall_test.statistic, 2 * (483.3810923 - 481.7936342), rtol=1e-6)
    assert_allclose(found.curve["log_hazard_ratio"], log_ratios, rtol=1e-6)
    assert_allclose(found.curve["std_error"], std_errors, rtol=1e-6)


def test_the_curve_as_a_frame():
    found = dose_response(lung(), OS, "age", conf_level=0.9)
    assert found.curve.columns.tolist() == COLUMNS
    assert len(found.curve) == 101
    assert found.curve["marker"].iloc[[0, -1]].tolist() == [39, 82]
    assert_allclose(np.log(found.curve["hazard_ratio"]), found.curve["log_hazard_ratio"], atol=1e-12)
    width = np.log(found.curve["conf_high"] / found.curve["conf_low"])
    assert_allclose(width, 2 * 1.6448536269514722 * found.curve["std_error"], atol=1e-12)
    at_reference = dose_response(lung(), OS, "age", at=[63]).curve.iloc[0]
    assert at_reference.tolist() == [63, 0, 0, 1, 1, 1]


def test_the_cohort_is_left_as_it_was():
    held = lung()
    dose_response(held, OS, "age", adjust=["female"])
    pd.testing.assert_frame_equal(held, lung())


@settings(max_examples=15, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-2, 2))
def test_another_unit_of_the_marker_moves_only_the_axis(factor, shift):
    held = lung()
    points = np.array([50.0, 60, 70])
    ours = dose_response(held, OS, "age", at=points)
    held["other"] = held["age"] * factor + shift
    other = dose_response(held, OS, "other", at=points * factor + shift)
    assert_allclose(other.knots, np.asarray(ours.knots) * factor + shift, rtol=1e-9)
    assert_allclose(other.curve["log_hazard_ratio"], ours.curve["log_hazard_ratio"], rtol=1e-5, atol=1e-7)
    assert_allclose(other.curve["std_error"], ours.curve["std_error"], rtol=1e-5, atol=1e-7)
    assert_allclose(other.overall_test.statistic, ours.overall_test.statistic, rtol=1e-7)


def test_another_reference_shifts_the_curve_up_or_down():
    points = [45, 55, 65, 75]
    first = dose_response(lung(), OS, "age", reference=55, at=points)
    second = dose_response(lung(), OS, "age", reference=70, at=points)
    shift = first.curve["log_hazard_ratio"] - second.curve["log_hazard_ratio"]
    assert_allclose(shift, shift.iloc[0], atol=1e-12)
    assert_allclose(shift.iloc[0], dose_response(lung(), OS, "age", reference=55, at=70).curve.iloc[0, 1], atol=1e-12)
    assert first.overall_test == second.overall_test


def test_a_marker_turned_round_turns_the_curve_round():
    held = lung().assign(younger=lambda rows: -rows["age"])
    ours, turned = dose_response(held, OS, "age", at=[50, 70]), dose_response(held, OS, "younger", at=[-50, -70])
    assert_allclose(turned.curve["log_hazard_ratio"], ours.curve["log_hazard_ratio"], rtol=1e-6)
    assert_allclose(turned.curve["std_error"], ours.curve["std_error"], rtol=1e-6)


def test_the_order_of_the_rows_does_not_matter():
    held = lung()
    shuffled = held.sample(frac=1, random_state=3)
    ours, theirs = (dose_response(rows, OS, "age", adjust=["female"]) for rows in (held, shuffled))
    assert_allclose(theirs.curve, ours.curve, rtol=1e-9, atol=1e-12)


def test_columns_with_blanks_and_text_columns_adjust_as_in_a_formula():
    held = lung().assign(**{"Mg (mmol/L)": lung()["age"] / 80, "sex at birth": np.where(lung()["female"], "f", "m")})
    named = dose_response(held, OS, "Mg (mmol/L)", adjust=["sex at birth"], at=[0.7, 0.9])
    plain = dose_response(held.assign(mg=held["Mg (mmol/L)"]), OS, "mg", adjust=["female"], at=[0.7, 0.9])
    assert_allclose(named.curve, plain.curve, rtol=1e-7)


def test_the_likelihoods_are_those_of_fit_cox():
    held = lung().dropna(subset=["ph_ecog"])
    found = dose_response(held, OS, "age", knots=3, adjust=["ph_ecog"])
    straight, without = (fit_cox(held, OS, terms).log_likelihood for terms in (["age", "ph_ecog"], ["ph_ecog"]))
    assert_allclose(found.nonlinear_test.statistic, 2 * (found.log_likelihood - straight), rtol=1e-9)
    assert_allclose(found.overall_test.statistic, 2 * (found.log_likelihood - without), rtol=1e-9)


def test_missing_markers_are_dropped_and_counted():
    held = lung()
    held.loc[:9, "age"] = np.nan
    with pytest.warns(RowsDropped, match="10 of 228 rows dropped: 10 for missing age"):
        found = dose_response(held, OS, "age")
    assert (found.n_read, found.n_used, found.dropped) == (228, 218, {"missing age": 10})


def test_nullable_and_object_numbers_are_numbers():
    held = lung()
    ours = dose_response(held, OS, "age", adjust=["female"]).curve
    for dtype in ("Int64", "float32", object):
        theirs = dose_response(held.astype({"age": dtype}), OS, "age", adjust=["female"]).curve
        assert_allclose(theirs, ours, rtol=1e-9)


def test_few_events_and_points_beyond_the_data_are_warned_of():
    few = lung().sort_values("time").assign(event=lambda rows: rows["event"].where(rows["event"].cumsum() <= 12, 0))
    with pytest.warns(FewEvents, match=r"12 events for 3 parameters"):
        found = dose_response(few, OS, "age")
    assert isinstance(found.warnings[0], FewEvents)
    with pytest.warns(SuspiciousValues, match=r"at: 20, 100 outside the range 39-82 of 'age'.*straight line"):
        found = dose_response(lung(), OS, "age", at=[20, 50, 100])
    beyond = found.curve.set_index("marker")["log_hazard_ratio"]
    assert np.isfinite(beyond).all()


def test_an_adjustment_that_separates_leaves_the_curve_standing():
    held = lung()
    early = held["time"].nlargest(20).index
    held["late"] = held.index.isin(early).astype(float)
    held.loc[early, "event"] = 0
    with pytest.warns(Separation, match=r"not estimable: 'late'"):
        found = dose_response(held, OS, "age", adjust=["late"])
    assert np.isfinite(found.curve.to_numpy()).all()
    assert found.nonlinear_test.statistic >= 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"knots": 2}, InputError, r"knots=2: give 3 to 7, or their places"),
        ({"knots": 8}, InputError, r"knots=8: give 3 to 7"),
        ({"knots": True}, InputError, r"knots=True: give a whole number"),
        ({"knots": 4.0}, InputError, r"knots=4.0: give a whole number from 3 to 7, or a list of places"),
        ({"knots": "4"}, InputError, r"knots='4': give a whole number"),
        ({"knots": [50, 60]}, InputError, r"knots: 2 given; a spline needs at least 3"),
        ({"knots": [50, 70, 60]}, InputError, r"knots: 50, 70, 60 must increase"),
        ({"knots": [50, 60, 60]}, InputError, r"must increase, each given once"),
        ({"knots": [50, np.nan, 60]}, InputError, r"knots: each place=nan must be a finite number"),
        ({"knots": [20, 50, 60, 90]}, InputError, r"knots: 20, 90 outside the range 39-82 of 'age'; are both in one"),
        ({"reference": 100}, InputError, r"reference: 100 outside the range 39-82 of 'age'"),
        ({"reference": np.nan}, InputError, r"reference=nan must be a finite number"),
        ({"at": []}, InputError, r"at=\[\]: give finite numbers"),
        ({"at": [50, np.inf]}, InputError, r"give finite numbers in the unit of the marker"),
        ({"at": "60"}, InputError, r"give finite numbers"),
        ({"conf_level": 95}, InputError, r"did you mean 0.95\?"),
        ({"adjust": ["age"]}, InputError, r"adjust: 'age' holds the marker itself"),
        ({"adjust": ["female", "log(age)"]}, InputError, r"adjust: 'log\(age\)' holds the marker itself"),
        ({"adjust": ["femal"]}, CohortError, r"no column 'femal'; did you mean 'female'"),
        ({"strata": "sx"}, CohortError, r"no column 'sx'"),
        ({"adjust": ["time"]}, ValueError, r"covariate 'time' is the follow-up time itself"),
    ],
)
def test_options_that_cannot_be_say_what_is_wrong(options, error, message):
    with pytest.raises(error, match=message):
        dose_response(lung(), OS, "age", **options)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"age": 60.0}, NotEstimable, r"4 knots: 'age' has 1 distinct value in 228 rows"),
        ({"age": np.nan}, CohortError, r"no non-missing values in 'age'"),
        ({"age": "old"}, CohortError, r"marker column 'age': 228 values are not numbers"),
        ({"age": np.inf}, CohortError, r"marker column 'age': infinite values in 228 rows"),
        ({"event": 0}, NotEstimable, r"no events among 228 rows"),
    ],
)
def test_unfit_rows_say_what_is_wrong(changes, error, message):
    with pytest.raises(error, match=message):
        dose_response(lung().assign(**changes), OS, "age")


@pytest.mark.parametrize("endpoint", ["os", CompetingEndpoint("time", "status")])
def test_only_an_endpoint_will_do(endpoint):
    with pytest.raises(InputError, match=r"endpoint"):
        dose_response(lung(), endpoint, "age")


def test_late_entry_counts_from_entry_on():
    # whoever is under observation from the start on, with or without a column that says so
    held = lung().assign(start=0.0)
    late, plain = (dose_response(held, Endpoint("time", "event", entry=entry), "age") for entry in ("start", None))
    assert_allclose(late.curve, plain.curve, rtol=1e-8, atol=1e-10)
    later = dose_response(held.assign(start=held["time"] / 2), Endpoint("time", "event", entry="start"), "age")
    assert later.log_likelihood > plain.log_likelihood  # fewer at risk at every event


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
@pytest.mark.parametrize(
    ("n_knots", "knots", "log_likelihood", "coef"),
    [  # cph(Surv(t, e) ~ rcs(x, n_knots)) of rms, eps = 1e-12; its loglik, coef and Design$parms
        (5, (0, 1, 3, 7), -518.1368180960, [-0.218558063694, 2.136782880624, -3.585681828734]),
        (7, (0, 1, 2, 4, 8), -517.97970534079, [-0.34672225134, 6.66768965853, -15.69601450796, 10.18181382177]),
    ],
)
def test_a_count_whose_knots_coincide_against_r(n_knots, knots, log_likelihood, coef):
    count = np.repeat(np.arange(10), [60, 40, 25, 15, 12, 8, 6, 5, 4, 3])
    row = np.arange(len(count))
    held = pd.DataFrame({"x": count, "t": 1 + (row * 53) % 97, "e": (row * 7) % 10 < 7})
    with pytest.warns(TiedKnots, match=rf"{n_knots} knots of 'x': 2 fall together at 0"):
        found = dose_response(held, Endpoint("t", "e"), "x", knots=n_knots)
    assert found.knots == knots
    assert found.log_likelihood == pytest.approx(log_likelihood, rel=1e-11)
    assert found.coefficients["coef"].to_numpy() == pytest.approx(coef, rel=1e-6)
    assert (found.overall_test.df, found.nonlinear_test.df) == (len(knots) - 1, len(knots) - 2)
    assert TiedKnots in map(type, found.warnings)


def test_given_knots_need_as_many_distinct_values():
    held = lung().assign(grade=np.arange(228) % 3.0)
    with pytest.raises(NotEstimable, match=r"4 knots need at least 4 distinct values of 'grade', and it has 3"):
        dose_response(held, OS, "grade", knots=[0, 0.5, 1, 2])


def test_all_faults_of_the_options_at_once():
    with pytest.raises(InputError, match="conf_level=2") as caught:
        dose_response(lung(), OS, "age", knots=1, conf_level=2, adjust=["age"])
    assert len(caught.value.problems) == 3


def test_a_straight_truth_is_covered_and_bends_are_significant_no_more_often_than_chance():
    # without confounding and measurement error the log hazard is, but for censoring, a straight line in magnesium
    design = replace(CohortDesign(), confounding=0.0, measurement_error=0.0, missing_share=0.0, scan_interval=0.25)
    n_cohorts, points = 60, np.array([0.70, 0.90])
    large = simulate_cohort(design.of_size(60_000), seed=99).cohort
    with warnings.catch_warnings(action="ignore"):
        target = fit_cox(large, OVERALL_SURVIVAL, ["magnesium"], strata="treatment", engine="kernel").coef[0]
    covered, bent = np.zeros(2), 0
    for seed in range(n_cohorts):
        found = dose_response(
            simulate_cohort(design, seed=seed).cohort, OVERALL_SURVIVAL, "magnesium", strata="treatment",
            reference=0.8, at=points,
        )  # fmt: skip
        truth = np.exp(target * (points - 0.8))
        covered += (found.curve["conf_low"] <= truth) & (truth <= found.curve["conf_high"])
        bent += found.nonlinear_test.p_value < 0.05
    assert (covered >= binom.ppf(1e-4, n_cohorts, 0.95)).all(), covered
    assert bent <= binom.ppf(1 - 1e-4, n_cohorts, 0.05), bent
