"""Log-rank tests: by hand, by their properties, and where there is nothing to compare."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    SmallStratum,
    logrank_test,
    logrank_trend,
    pairwise_logrank,
)
from analysis.survival.group_tests.logrank import adjusted

OS = Endpoint("time", "event")
FLEMING_HARRINGTON = {"weighting": "fleming-harrington"}


def arms(n: int = 60, seed: int = 3) -> pd.DataFrame:
    """A cohort large enough for no warning: three arms with different hazards, two sites, ties."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 3
    return pd.DataFrame(
        {
            "time": np.ceil(rng.exponential(12 / (1 + arm))),
            "event": rng.random(n) < 0.8,
            "arm": np.array(["a", "b", "c"])[arm],
            "site": rng.integers(0, 2, n),
        }
    )


def numbers(test) -> list[float]:
    return [test.statistic, test.df, test.p_value, test.log10_p]


# Group a: events at 1 and 3, censored at 5; group b: events at 2 and 6, censored at 4.
SIX = pd.DataFrame({"time": [1.0, 3, 5, 2, 4, 6], "event": [1, 1, 0, 1, 0, 1], "arm": list("aaabbb")})


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_six_rows_by_hand():
    test = logrank_test(SIX, OS, by="arm")
    assert test.statistic == pytest.approx((2 - 1.4) ** 2 / (0.25 + 0.24 + 0.25), rel=1e-12)
    assert test.df == 1
    assert test.groups.columns.tolist() == ["stratum", "n", "observed", "expected"]
    assert test.groups["n"].tolist() == [3, 3]
    np.testing.assert_allclose(test.groups["expected"], [1.4, 2.6], rtol=1e-12)


def test_the_result_says_what_was_run_and_on_what():
    cohort = arms()
    cohort.loc[4, "arm"] = None
    with pytest.warns(RowsDropped, match="1 of 60 rows dropped: 1 for missing arm"):
        test = logrank_test(cohort, OS, by="arm", strata="site", weighting="fleming-harrington", rho=0.5, gamma=1)
    assert test.test == "fleming-harrington (rho = 0.5, gamma = 1)"
    assert test.strata == ("site",)
    assert (test.n_read, test.n_used, test.dropped) == (60, 59, {"missing arm": 1})
    assert [type(one) for one in test.warnings] == [RowsDropped]


def test_few_events_and_small_groups_are_carried_and_said():
    with (
        pytest.warns(FewEvents, match="4 events in all, fewer than 10"),
        pytest.warns(SmallStratum, match="groups of fewer than 5 rows in 'arm': 'a' has 3, 'b' has 3"),
    ):
        test = logrank_test(SIX, OS, by="arm")
    assert {type(warning) for warning in test.warnings} == {FewEvents, SmallStratum}


# --- Properties


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_rows_does_not_matter(random):
    cohort, order = arms(), list(range(60))
    random.shuffle(order)
    np.testing.assert_allclose(
        numbers(logrank_test(cohort.iloc[order], OS, by="arm", strata="site")),
        numbers(logrank_test(cohort, OS, by="arm", strata="site")),
        rtol=1e-12,
    )


@pytest.mark.parametrize("unit", [1e-3, 30.4375, 1e6])
def test_the_unit_of_time_does_not_matter(unit):
    cohort = arms()
    scaled = cohort.assign(time=cohort["time"] * unit)
    np.testing.assert_allclose(numbers(logrank_test(scaled, OS, by="arm")), numbers(logrank_test(cohort, OS, by="arm")))


def test_the_names_of_the_groups_do_not_matter():
    cohort = arms()
    renamed = cohort.assign(arm=cohort["arm"].map({"a": "z", "b": "a", "c": "m"}))
    np.testing.assert_allclose(
        numbers(logrank_test(renamed, OS, by="arm")), numbers(logrank_test(cohort, OS, by="arm"))
    )


def test_a_group_censored_before_the_first_event_changes_nothing():
    cohort = arms().query("time > 1")
    early = pd.DataFrame({"time": [1.0] * 6, "event": 0, "arm": "early", "site": 0})
    test = logrank_test(pd.concat([cohort, early]), OS, by="arm")
    np.testing.assert_allclose(numbers(test), numbers(logrank_test(cohort, OS, by="arm")), rtol=1e-12)


def test_the_same_cohort_twice_as_two_strata_doubles_the_statistic():
    cohort = arms()
    twice = pd.concat([cohort.assign(site=0), cohort.assign(site=1)])
    once = logrank_test(cohort, OS, by="arm").statistic
    assert logrank_test(twice, OS, by="arm", strata="site").statistic == pytest.approx(2 * once, rel=1e-12)


def test_fleming_harrington_with_zero_powers_is_the_logrank_test():
    cohort = arms()
    np.testing.assert_allclose(
        numbers(logrank_test(cohort, OS, by="arm", **FLEMING_HARRINGTON)), numbers(logrank_test(cohort, OS, by="arm"))
    )


def test_combinations_of_columns_are_strata():
    cohort = arms().assign(sex=["f", "m"] * 30)
    joined = cohort.assign(both=cohort["sex"] + cohort["site"].astype(str))
    np.testing.assert_allclose(
        numbers(logrank_test(cohort, OS, by="arm", strata=["sex", "site"])),
        numbers(logrank_test(joined, OS, by="arm", strata="both")),
    )


def test_near_equal_times_are_tied():
    cohort = arms()
    noisy = cohort.assign(time=cohort["time"] * (1 + 1e-14 * np.arange(60)))
    np.testing.assert_allclose(numbers(logrank_test(noisy, OS, by="arm")), numbers(logrank_test(cohort, OS, by="arm")))


def test_late_entry_that_nobody_uses_changes_nothing():
    cohort = arms().assign(entry=0.0)
    late = Endpoint("time", "event", entry="entry")
    np.testing.assert_allclose(
        numbers(logrank_test(cohort, late, by="arm")), numbers(logrank_test(cohort, OS, by="arm"))
    )


def test_two_groups_in_trend_are_the_logrank_test():
    cohort = arms().query("arm != 'c'")
    assert logrank_trend(cohort, OS, by="arm").statistic == pytest.approx(logrank_test(cohort, OS, by="arm").statistic)


def test_scores_may_be_moved_and_stretched():
    cohort = arms()
    ours = logrank_trend(cohort, OS, by="arm")
    assert numbers(logrank_trend(cohort, OS, by="arm", scores=[10, 30, 50])) == pytest.approx(numbers(ours), rel=1e-10)
    assert (ours.df, ours.test) == (1, "trend")


def test_a_p_value_that_underflows_keeps_its_logarithm():
    n = 4000
    cohort = pd.DataFrame({"time": np.arange(1.0, n + 1), "event": 1, "arm": np.where(np.arange(n) < n / 2, "a", "b")})
    test = logrank_test(cohort, OS, by="arm")
    assert test.p_value == 0
    assert -np.inf < test.log10_p < -300


def test_the_cohort_is_not_changed():
    cohort = arms()
    before = cohort.copy(deep=True)
    logrank_test(cohort, OS, by="arm", strata="site")
    pd.testing.assert_frame_equal(cohort, before)


# --- Where there is nothing to compare


@pytest.mark.parametrize("test", [logrank_test, logrank_trend])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arm": "a"}, "need at least 2 groups to compare, column 'arm' holds 1 (a)"),
        ({"event": 0}, "no events: nothing can be compared"),
        (
            {"time": 3.0, "event": 1},
            "no information: all events at one time (3), and nobody who was at risk then lived on",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::analysis.errors.SmallStratum")
def test_no_information_is_an_error_in_words(test, change, words):
    with pytest.raises(NotEstimable, match=re.escape(words)):
        test(arms().assign(**change), OS, by="arm")


def test_one_patient_is_no_test():
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        logrank_test(arms().iloc[:1], OS, by="arm")


def test_groups_that_never_meet_are_no_test():
    cohort = arms().assign(place=lambda rows: rows["arm"])
    with pytest.raises(NotEstimable, match="two groups of 'arm' at risk together within a stratum of 'place'"):
        logrank_test(cohort, OS, by="arm", strata="place")


def test_weights_that_leave_nothing_give_no_number_and_say_so():
    """In pairs, the weight S(t-)^0 (1 - S(t-)) is zero whenever both are at risk."""
    cohort = arms().assign(pair=np.arange(60) // 2)
    with pytest.warns(FewEvents, match="the weight is zero wherever two groups of 'arm' are at risk"):
        test = logrank_test(cohort, OS, by="arm", strata="pair", gamma=1, **FLEMING_HARRINGTON)
    assert test.df == 0
    assert np.isnan([test.statistic, test.p_value, test.log10_p]).all()


def test_a_group_without_events_is_compared():
    cohort = arms()
    assert np.isfinite(
        logrank_test(cohort.assign(event=cohort["event"] & (cohort["arm"] != "a")), OS, by="arm").statistic
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weighting": "wilcoxon"}, "weighting='wilcoxon'; choose 'logrank', 'gehan-breslow'"),
        ({"rho": 1}, "rho=1, gamma=0.0 belong to weighting='fleming-harrington', not 'logrank'"),
        ({**FLEMING_HARRINGTON, "rho": -1}, "rho=-1 must be a finite number of at least 0"),
        ({**FLEMING_HARRINGTON, "gamma": np.inf}, "gamma=inf must be a finite number"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, words):
    with pytest.raises(InputError, match=re.escape(words)):
        logrank_test(arms(), OS, by="arm", **options)


@pytest.mark.parametrize("scores", [[1, 2], [1, 1, 1], [1, 2, np.nan], [[1, 2, 3]], "abc"])
def test_scores_that_mean_nothing_are_refused(scores):
    with pytest.raises(InputError, match="give a number to each of the 3 groups"):
        logrank_trend(arms(), OS, by="arm", scores=scores)


@pytest.mark.parametrize("test", [logrank_test, logrank_trend])
def test_rows_that_cannot_be_used_are_named(test):
    with pytest.raises(CohortError, match="did you mean 'arm'"):
        test(arms(), OS, by="amr")
    with pytest.raises(CohortError, match="values 1, 2, expected 0 and 1"):
        test(arms().assign(event=np.arange(60) % 2 + 1), OS, by="arm")


def test_each_pair_is_the_test_of_its_rows_alone():
    cohort = arms()
    table = pairwise_logrank(cohort, OS, by="arm")
    assert list(table.columns) == ["stratum_a", "stratum_b", "statistic", "p_value", "p_adjusted"]
    for row in table.itertuples():
        alone = logrank_test(cohort[cohort["arm"].isin([row.stratum_a, row.stratum_b])], OS, by="arm")
        assert (row.statistic, row.p_value) == pytest.approx((alone.statistic, alone.p_value), rel=1e-12)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bonferroni", [0.04, 0.16, 0.12, 1.0]),
        ("holm", [0.04, 0.09, 0.09, 0.5]),
        ("bh", [0.04, 0.16 / 3, 0.16 / 3, 0.5]),
    ],
)
def test_adjustments_by_hand(method, expected):
    np.testing.assert_allclose(adjusted(np.array([0.01, 0.04, 0.03, 0.5]), method), expected, rtol=1e-12)


def test_an_undefined_p_value_does_not_count():
    np.testing.assert_allclose(adjusted(np.array([0.01, np.nan, 0.03]), "bonferroni"), [0.02, np.nan, 0.06])


def test_a_pair_without_information_is_undefined_and_said():
    cohort = arms()
    cohort["event"] = cohort["event"] & (cohort["arm"] == "a")
    with pytest.warns(FewEvents, match="pairs of 'arm' that hold no information, left undefined: b and c"):
        table = pairwise_logrank(cohort, OS, by="arm")
    assert table["p_adjusted"].isna().tolist() == [False, False, True]


def test_rows_dropped_are_told():
    cohort = arms()
    cohort.loc[0, "time"] = np.nan
    with pytest.warns(RowsDropped, match="1 of 60 rows dropped: 1 for missing time"):
        pairwise_logrank(cohort, OS, by="arm")


def test_what_means_nothing_is_refused():
    with pytest.raises(InputError, match="adjust='tukey'; choose 'holm', 'bh' or 'bonferroni'"):
        pairwise_logrank(arms(), OS, by="arm", adjust="tukey")
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        pairwise_logrank(arms().assign(arm="a"), Endpoint("time", "event"), by="arm")
    with pytest.raises(NotEstimable, match="no events"):
        pairwise_logrank(arms().assign(event=False), OS, by="arm")


def test_groups_keep_their_order():
    cohort = arms()
    cohort["arm"] = pd.Categorical(cohort["arm"], categories=["c", "a", "b"], ordered=True)
    assert pairwise_logrank(cohort, OS, by="arm")["stratum_a"].tolist() == ["c", "c", "a"]
