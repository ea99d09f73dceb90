"""The permutation log-rank test against R's coin, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import CohortError, Endpoint, InputError, NotEstimable, RowsDropped, logrank_test, permutation_logrank
from tests.reference import rows

VETERAN = Endpoint("time", "status")
# R 4.2.2, coin 1.4-2: statistic of logrank_test(Surv() ~ factor(by)) (z squared for two groups), its exact p-value, or
# for veteran the asymptotic and approximate(99999) ones; with strata, independence_test(score ~ trt | celltype,
# teststat = "quadratic") of logrank_trafo's scores within celltype.
COIN = [
    ("aml", Endpoint("time", "status"), "x", None, 3.36557343500594, 0.0646930132729029),
    ("ovarian", Endpoint("futime", "fustat"), "rx", None, 1.06000873579585, 0.297407072668884),
    ("gehan", Endpoint("time", "cens"), "treat", None, 15.2364267489328, 2.6120045182327e-05),
    ("veteran", VETERAN, "trt", None, 0.00815379585691598, 0.929059290592906),
    ("veteran", VETERAN, "celltype", None, 21.4188017772518, 2.0000200002e-05),
    ("veteran", VETERAN, "trt", "celltype", 0.649886256199575, 0.421294212942129),
]


@pytest.mark.parametrize(("name", "endpoint", "by", "strata", "statistic", "p_value"), COIN)
def test_it_agrees_with_coin(name, endpoint, by, strata, statistic, p_value):
    found = permutation_logrank(rows(name), endpoint, by=by, strata=strata, n_permutations=40_000, seed=7)
    assert_allclose(found.statistic, statistic, rtol=1e-9)
    spread = np.sqrt(p_value * (1 - p_value) * (1 / 40_000 + 1 / 99_999))
    assert abs(found.p_value - p_value) < 4 * spread + 1 / 40_001
    assert_allclose(found.std_error, np.sqrt(found.p_value * (1 - found.p_value) / 40_000))


@pytest.mark.parametrize("strata", [None, "celltype"])
def test_the_chi_square_beside_it_is_the_logrank_tests(strata):
    cohort = rows("veteran")
    found = permutation_logrank(cohort, VETERAN, by="trt", strata=strata, n_permutations=50, seed=1)
    test = logrank_test(cohort, VETERAN, by="trt", strata=strata)
    assert (found.chi_square, found.chi_square_p_value, found.df) == (test.statistic, test.p_value, test.df)
    pd.testing.assert_frame_equal(found.groups, test.groups)


def test_the_same_seed_gives_the_same_answer_whatever_the_order_of_the_rows():
    cohort = rows("lung").dropna(subset=["ph_ecog"])
    ask = {"by": "ph_ecog", "strata": "sex", "n_permutations": 200, "seed": 3}
    endpoint = Endpoint("time", "event", entry="entry")
    one = permutation_logrank(cohort, endpoint, **ask)
    other = permutation_logrank(cohort.sample(frac=1, random_state=1), endpoint, **ask)
    assert one.permuted.tolist() == other.permuted.tolist()
    assert (one.statistic, one.p_value) == (other.statistic, other.p_value)
    another = permutation_logrank(cohort, endpoint, **(ask | {"seed": 4}))
    assert another.permuted.tolist() != one.permuted.tolist()


def test_rows_with_missing_values_are_counted_and_nothing_is_changed():
    cohort = rows("lung")
    before = cohort.copy()
    with pytest.warns(RowsDropped, match="1 of 228 rows dropped: 1 for missing ph_ecog"):
        found = permutation_logrank(cohort, Endpoint("time", "event"), by="ph_ecog", n_permutations=20, seed=1)
    pd.testing.assert_frame_equal(cohort, before)
    assert (found.n_read, found.n_used, dict(found.dropped)) == (228, 227, {"missing ph_ecog": 1})


def test_under_the_null_the_p_value_is_even():
    """Of the p-values of 300 small cohorts without a difference, about a fifth lie below 0.2."""
    rng = np.random.default_rng(5)
    p_values = []
    for seed in range(300):
        cohort = pd.DataFrame({"t": rng.exponential(size=24), "e": rng.integers(0, 2, 24), "g": [0] * 8 + [1] * 16})
        p_values.append(permutation_logrank(cohort, Endpoint("t", "e"), by="g", n_permutations=99, seed=seed).p_value)
    assert abs(np.mean(np.array(p_values) <= 0.2) - 0.2) < 4 * np.sqrt(0.16 / 300)


def small(**columns) -> pd.DataFrame:
    return pd.DataFrame({"t": [1.0, 2, 3, 4], "e": [1, 1, 0, 1], "g": list("abab"), "s": list("xxyy")} | columns)


@pytest.mark.parametrize(
    ("columns", "options", "error", "message"),
    [
        ({}, {"n_permutations": 0}, InputError, "n_permutations=0 must be a whole number of at least 1"),
        ({}, {"n_permutations": 10.5}, InputError, "n_permutations=10.5 must be a whole number"),
        ({}, {"seed": None}, InputError, "seed=None must be a whole number of at least 0"),
        ({}, {"seed": -1, "n_permutations": True}, InputError, "n_permutations=True.*\nseed=-1"),
        ({"g": ["a"] * 4}, {}, NotEstimable, "need at least 2 groups"),
        ({"e": [0] * 4}, {}, NotEstimable, "no events"),
        ({"t": [2.0] * 4, "e": [1] * 4}, {}, NotEstimable, "every row has the same log-rank score"),
        ({"g": list("aabb")}, {"strata": "s"}, NotEstimable, "no stratum of 's' holds two groups of 'g'"),
        ({"t": [-1.0, 2, 3, 4]}, {}, CohortError, "negative values"),
        ({}, {"by": "arm"}, CohortError, "no column 'arm'"),
    ],
)
def test_what_cannot_be_is_refused(columns, options, error, message):
    ask = {"by": "g", "n_permutations": 10, "seed": 1} | options
    with pytest.raises(error, match=message):
        permutation_logrank(small(**columns), Endpoint("t", "e"), **ask)


def test_where_no_two_groups_were_at_risk_together_the_chi_square_is_undefined():
    cohort = pd.DataFrame({"t": [2.0, 3, 6, 7, 8], "s": [0.0, 0, 4, 4, 4], "e": 1, "g": list("aabbb")})
    found = permutation_logrank(cohort, Endpoint("t", "e", entry="s"), by="g", n_permutations=20, seed=1)
    assert np.isnan([found.chi_square, found.chi_square_p_value]).all()
    assert 0 < found.p_value <= 1


@pytest.mark.parametrize("reverse", ["arm", "site"])
def test_the_order_of_categories_changes_no_seeded_answer(reverse):
    rng = np.random.default_rng(3)
    cohort = pd.DataFrame(
        {
            "time": rng.exponential(10, 90).round(1) + 0.1,
            "event": rng.integers(0, 2, 90),
            "arm": rng.choice(list("xyz"), 90),
            "site": rng.choice(list("abc"), 90, p=[0.5, 0.3, 0.2]),
        }
    )
    endpoint, options = Endpoint("time", "event"), {"by": "arm", "strata": "site", "n_permutations": 199, "seed": 1}
    expected = permutation_logrank(cohort, endpoint, **options)
    categories = sorted(cohort[reverse].unique(), reverse=True)
    recoded = cohort.assign(**{reverse: pd.Categorical(cohort[reverse], categories=categories)})
    found = permutation_logrank(recoded, endpoint, **options)
    assert found.permuted.tolist() == expected.permuted.tolist()
    assert (found.statistic, found.p_value) == (expected.statistic, expected.p_value)
