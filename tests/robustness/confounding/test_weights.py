"""Propensity weights and balance: by hand, against R and scikit-learn, and what cannot be weighted."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    ExtremeWeights,
    InputError,
    NoOverlap,
    NotEstimable,
    RowsDropped,
    balance_weights,
    covariate_balance,
)
from analysis.robustness.confounding.weights import weight_warnings
from tests.reference import rows

COVARIATES = ["age", "wt_loss", "sex"]


def lung():
    """The rows of lung that the R values below belong to: three strata of performance status."""
    cohort = rows("lung").dropna(subset=["ph_ecog", "age", "sex", "meal_cal", "wt_loss"]).reset_index(drop=True)
    return cohort.assign(g=cohort["ph_ecog"].clip(upper=2).astype(int), sex=cohort["sex"].astype(str))


def two_arms(n=200, seed=1, slope=1.0):
    rng = np.random.default_rng(seed)
    age = rng.normal(60, 10, n)
    arm = np.where(rng.random(n) < 1 / (1 + np.exp(-slope * (age - 60) / 10)), "b", "a")
    return pd.DataFrame({"arm": arm, "age": age})


def test_one_binary_covariate_by_hand():
    cohort = pd.DataFrame({"arm": ["a"] * 10 + ["b"] * 10, "x": [1] * 8 + [0] * 2 + [1] * 3 + [0] * 7})
    found = balance_weights(cohort, ["x"], by="arm", stabilised=False)
    # of the 11 rows with x = 1, 8 are in a; of the 9 with x = 0, 2 are
    by_hand = [11 / 8] * 8 + [9 / 2] * 2 + [11 / 3] * 3 + [9 / 7] * 7
    assert_allclose(found.weights, by_hand, rtol=1e-7)
    stabilised = balance_weights(cohort, ["x"], by="arm")
    assert_allclose(stabilised.weights, np.array(by_hand) / 2, rtol=1e-7)
    assert_allclose(found.propensity.sum(axis=1), 1, rtol=1e-12)
    a = np.array(by_hand[:10])
    row = found.summary.set_index("stratum").loc["a"]
    assert row["effective_n"] == pytest.approx(a.sum() ** 2 / (a**2).sum(), rel=1e-7)
    assert row["largest_weight"] == pytest.approx(9 / 2, rel=1e-7)


def test_three_strata_are_those_of_multinom():
    """R 4.2.2: nnet::multinom(g ~ age + wt.loss + factor(sex)), weights stabilised."""
    found = balance_weights(lung(), COVARIATES, by="g")
    assert_allclose(
        found.weights.iloc[:4], [1.27283599947919, 0.829631958789185, 1.23916866667245, 0.613492768289149], rtol=2e-5
    )
    assert found.weights.sum() == pytest.approx(173.54289790928, rel=2e-5)
    assert found.weights.max() == pytest.approx(4.56815159102531, rel=2e-5)


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_the_propensities_are_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    cohort = lung()
    x = np.column_stack([cohort["age"], cohort["wt_loss"], cohort["sex"] == "2"]).astype(float)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(scaled, cohort["g"])
    found = balance_weights(cohort, COVARIATES, by="g")
    assert_allclose(found.propensity, model.predict_proba(scaled), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e6]))
def test_weights_balance_their_covariate_whatever_its_unit(seed, unit):
    cohort = two_arms(seed=seed, slope=0.5)
    with warnings.catch_warnings(action="ignore"):
        plain = balance_weights(cohort, ["age"], by="arm")
        found = balance_weights(cohort.assign(age=cohort["age"] * unit), ["age"], by="arm")
    assert_allclose(found.weights, plain.weights, rtol=1e-6)
    # the score equations of the logistic model: within rows of each arm, weights of 1 / P sum to about n
    residual = (cohort["arm"] == "b") - plain.propensity["b"]
    assert_allclose([residual.sum(), (residual * cohort["age"]).sum()], 0, atol=1e-5)


def test_shuffled_rows_keep_their_weights_and_the_index():
    cohort = two_arms().set_index(pd.Index([f"p{place}" for place in range(200)]))
    shuffled = cohort.sample(frac=1, random_state=3)
    first, second = (balance_weights(frame, ["age"], by="arm").weights for frame in (cohort, shuffled))
    assert_allclose(second.loc[first.index], first, rtol=1e-9)


def test_collinear_covariates_cost_nothing():
    cohort = two_arms()
    once = balance_weights(cohort, ["age"], by="arm").weights
    twice = balance_weights(cohort.assign(months=cohort["age"] * 12), ["age", "months"], by="arm").weights
    assert_allclose(twice, once, rtol=1e-7)


def test_truncation_sets_weights_to_the_quantiles():
    cohort = two_arms()
    plain = balance_weights(cohort, ["age"], by="arm").weights
    cut = balance_weights(cohort, ["age"], by="arm", truncate=0.05).weights
    assert_allclose(cut, plain.clip(plain.quantile(0.05), plain.quantile(0.95)))


def test_missing_values_are_counted_and_have_no_weight():
    cohort = two_arms()
    cohort.loc[[0, 5], "age"] = np.nan
    cohort.loc[7, "arm"] = None
    with pytest.warns(RowsDropped, match="3 of 200 rows dropped: 1 for missing arm, 2 for missing age"):
        found = balance_weights(cohort, ["age"], by="arm")
    assert found.dropped == {"missing arm": 1, "missing age": 2}
    assert found.weights.isna().to_numpy().nonzero()[0].tolist() == [0, 5, 7]
    assert (found.n_read, found.n_used) == (200, 197)


@pytest.mark.filterwarnings("ignore::analysis.errors.NoOverlap")
def test_weights_that_explode_are_a_warning():
    cohort = two_arms(n=300, slope=3.0, seed=4)
    with pytest.warns(ExtremeWeights, match="a few rows carry much of the weight"):
        balance_weights(cohort, ["age"], by="arm")


@pytest.mark.filterwarnings("ignore::analysis.errors.ExtremeWeights")
def test_a_stratum_without_overlap_is_a_warning():
    cohort = two_arms(n=200, slope=0.0)
    cohort = pd.concat([cohort, pd.DataFrame({"arm": "c", "age": np.linspace(88, 95, 12)})], ignore_index=True)
    with pytest.warns(NoOverlap, match=r"scores of many other rows lie outside the range of a stratum.*'c' \(\d+%\)"):
        balance_weights(cohort, ["age"], by="arm")


def test_strata_that_the_covariates_separate_are_refused():
    cohort = pd.DataFrame({"arm": ["a"] * 20 + ["b"] * 20, "x": np.arange(40.0)})
    with pytest.raises(NotEstimable, match=r"tell the strata of 'arm'.*apart completely"):
        balance_weights(cohort, ["x"], by="arm")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "arms"}, CohortError, "no column 'arms'; did you mean 'arm'"),
        ({"covariates": []}, InputError, "covariates: none given"),
        ({"covariates": ["age", "arm"]}, InputError, "covariates: 'arm' holds what is compared"),
        ({"covariates": ["ages"]}, CohortError, "no column 'ages'"),
        ({"truncate": 0.99}, InputError, "truncate=0.99 must be a quantile.*did you mean 0.01"),
        ({"truncate": 0}, InputError, "truncate=0 must be a quantile"),
        ({"by": "age", "covariates": ["arm"]}, CohortError, "a measurement, not groups"),
    ],
)
def test_invalid_arguments_raise(options, error, message):
    given_options = {"covariates": ["age"], "by": "arm", **options}
    with pytest.raises(error, match=message):
        balance_weights(two_arms(), given_options.pop("covariates"), **given_options)


def test_one_stratum_is_refused():
    with pytest.raises(NotEstimable, match="need at least 2 groups to compare, column 'arm' holds 1"):
        balance_weights(two_arms().assign(arm="a"), ["age"], by="arm")


def test_more_columns_than_rows_are_refused():
    cohort = two_arms(n=8).assign(**{f"x{k}": np.random.default_rng(k).random(8) for k in range(8)})
    with pytest.raises(NotEstimable, match="8 complete rows cannot carry"):
        balance_weights(cohort, [f"x{k}" for k in range(8)], by="arm")


def test_balance_is_that_of_r():
    """R 4.2.2: differences of (weighted) means over sqrt((var(a) + var(b)) / 2)."""
    cohort = lung()
    weights = balance_weights(cohort, COVARIATES, by="g")
    balance = covariate_balance(cohort, ["age", "wt_loss"], by="g", weights=weights)
    found = balance.set_index(["covariate", "stratum_a", "stratum_b"])[["difference", "weighted_difference"]]
    assert_allclose(found.loc[("age", "0", "2")], [0.868780214580146, -0.304953888603261], rtol=1e-4)
    assert_allclose(found.loc[("wt_loss", "0", "1")], [0.385551779799167, -0.0823177856927137], rtol=1e-4)


def test_balance_without_weights_and_of_levels():
    cohort = pd.DataFrame({"arm": ["a"] * 4 + ["b"] * 4, "sex": list("ffmmfmmm"), "one": 1.0})
    balance = covariate_balance(cohort, ["sex", "one"], by="arm").set_index("covariate")
    # shares of men 1/2 and 3/4; p (1 - p) is 1/4 and 3/16
    assert balance.loc["sex[m]", "difference"] == pytest.approx(0.25 / np.sqrt((1 / 4 + 3 / 16) / 2), rel=1e-12)
    assert balance.loc["one", "difference"] == 0
    assert balance["weighted_difference"].isna().all()


def test_balance_has_a_row_for_every_level_of_a_category():
    # By hand: A has shares 0.50 and 0.20, (0.20 - 0.50) / sqrt((0.25 + 0.16) / 2); B to F have 0.10 and 0.16.
    shares = {"a": [10, 2, 2, 2, 2, 2], "b": [5, 4, 4, 4, 4, 4]}
    parts = [pd.DataFrame({"arm": arm, "site": np.repeat(list("ABCDEF"), n)}) for arm, n in shares.items()]
    cohort = pd.concat(parts, ignore_index=True)
    found = covariate_balance(cohort, ["site"], by="arm").set_index("covariate")["difference"]
    assert found.index.tolist() == [f"site[{level}]" for level in "ABCDEF"]
    assert found["site[A]"] == pytest.approx(-0.3 / np.sqrt((0.25 + 0.16) / 2), rel=1e-12)
    assert found["site[B]"] == pytest.approx(0.06 / np.sqrt((0.09 + 0.1344) / 2), rel=1e-12)


@pytest.mark.parametrize(("term", "levels"), [("grade", "xyz"), ("C(number)", "123"), ("`the site`", "xyz")])
@settings(max_examples=15, deadline=None)
@given(order=st.permutations([0, 1, 2]), seed=st.integers(0, 10**6))
def test_balance_of_a_category_does_not_depend_on_the_level_it_is_coded_against(term, levels, order, seed):
    rng = np.random.default_rng(seed)
    codes = np.r_[0:3, 0:3, rng.integers(0, 3, 54)]
    text = np.array(list("xyz"))[codes]
    cohort = pd.DataFrame({"arm": np.repeat(["a", "b"], 30)[np.argsort(rng.random(60))], "number": codes + 1})
    named = cohort.assign(**{"grade": text, "the site": text})
    first = [str(text[codes == code][0]) for code in order]
    coded = named.assign(**{name: pd.Categorical(named[name], categories=first) for name in ("grade", "the site")})
    weights = pd.Series(rng.random(60) + 0.5)
    plain, other = (
        covariate_balance(frame, [term, "number"], by="arm", weights=weights).set_index("covariate")
        for frame in (named, coded)
    )
    name = term.strip("`").removeprefix("C(").removesuffix(")")
    assert sorted(plain.index) == sorted([*(f"{name}[{level}]" for level in levels), "number"])
    columns = ["difference", "weighted_difference"]
    pd.testing.assert_frame_equal(plain[columns], other.loc[plain.index, columns])


def test_balance_counts_the_rows_it_left_out():
    cohort = two_arms()
    cohort.loc[0, "age"] = np.nan
    with pytest.warns(RowsDropped, match="1 of 200 rows dropped: 1 for missing age"):
        covariate_balance(cohort, ["age"], by="arm")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0] * 200, "expected what balance_weights returns, or a Series, got list"),
        (pd.Series(1.0, index=range(100)), "their index is not that of the cohort"),
        (pd.Series([0.0, *[1.0] * 199]), r"zero or negative in 1 row \(1\)"),
    ],
)
def test_weights_of_other_rows_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        covariate_balance(two_arms(), ["age"], by="arm", weights=weights)


def test_a_level_of_one_stratum_alone_is_a_warning():
    rng = np.random.default_rng(1)
    arm = rng.choice(["a", "b"], 200)
    cohort = pd.DataFrame({"arm": arm, "x": rng.normal(size=200), "level": 0})
    cohort.loc[np.flatnonzero(arm == "a")[:15], "level"] = 1
    with pytest.warns(NoOverlap, match=r"could not have been, given their covariates: 'b' \(15 rows\);"):
        balance_weights(cohort, ["x", "level"], by="arm")


# Of stratum "a", 40 rows: effective number, largest weight, share outside, smallest probability; and what is warned of.
AT_THE_LIMITS = [
    ((20.0, 50.0, 0.2, 1.1e-6), []),
    (
        (19.9, 1.0, 0.0, 0.5),
        ["much of the weight of 'a': effective sample size 19.9 of 40, largest weight 1"],
    ),
    (
        (40.0, 50.1, 0.0, 0.5),
        ["much of the weight of 'a': effective sample size 40.0 of 40, largest weight 50.1"],
    ),
    ((40.0, 1.0, 0.21, 0.9e-6), ["lie outside the range of a stratum (share): 'a' (21%); estimates"]),
    ((40.0, 1.0, 0.2, 0.9e-6), ["could not have been, given their covariates: 'a' (2 rows); a level"]),
]


@pytest.mark.parametrize(("values", "messages"), AT_THE_LIMITS)
def test_warnings_of_weights_begin_beyond_their_limits(values, messages):
    effective_n, largest, outside, smallest = values
    summary = pd.DataFrame(
        {
            "stratum": ["a", "b"],
            "n": 40,
            "effective_n": [effective_n, 40.0],
            "largest_weight": [largest, 1.0],
            "share_outside": [outside, 0.0],
        }
    )
    propensity = np.column_stack([[smallest, smallest, 0.5], [0.5, 0.5, 0.5]])
    found = weight_warnings(summary, propensity, "arm")
    assert len(found) == len(messages)
    for warning, message in zip(found, messages, strict=True):
        assert message in str(warning)
