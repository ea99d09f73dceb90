"""Multiple imputation: what is drawn, what is left alone, the regression by hand, and a case whose truth is known."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    AnalysisWarning,
    CohortError,
    Endpoint,
    InputError,
    MuchMissing,
    NotEstimable,
    RowsDropped,
    cox_residuals,
    fit_cox,
    impute_cohort,
    pool_cox,
)
from analysis.robustness.missing.model import hazard_at
from analysis.survival.rows.survival_data import survival_data

OS = Endpoint("time", "event")


def cohort_of(n=300, seed=1, share=0.2):
    """A marker that goes with two covariates and the hazard; some of it, and of other columns, missing."""
    rng = np.random.default_rng(seed)
    age, sex = rng.normal(60, 10, n).round(), rng.integers(0, 2, n)
    mg = 0.8 - 0.003 * (age - 60) + 0.03 * sex + rng.normal(0, 0.07, n)
    crp = np.exp(rng.normal(2, 1, n) - 3 * (mg - 0.8))
    time, end = rng.exponential(12 * np.exp(4 * (mg - 0.8))), rng.uniform(3, 30, n)
    cohort = pd.DataFrame(
        {
            "mg": mg,
            "age": age,
            "sex": sex.astype(float),
            "crp": crp,
            "site": pd.Categorical(rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]), categories=["a", "b", "c"]),
            "arm": np.where(rng.random(n) < 0.3, "new", "old"),
            "time": np.minimum(time, end),
            "event": (time <= end).astype(int),
        }
    )
    cohort.loc[rng.random(n) < share, "mg"] = np.nan
    return cohort


def with_gaps(seed=2, share=0.15):
    rng, cohort = np.random.default_rng(seed), cohort_of()
    for name in ("crp", "sex", "site", "arm"):
        cohort[name] = cohort[name].astype(object).where(rng.random(len(cohort)) >= share, None)
    cohort["crp"], cohort["sex"] = cohort["crp"].astype(float), cohort["sex"].astype(float)
    return cohort.astype({"site": pd.CategoricalDtype(["a", "b", "c"])})


def test_known_values_stay_and_missing_ones_are_filled_within_range():
    cohort = cohort_of()
    before, gaps = cohort.copy(), cohort["mg"].isna()
    found = impute_cohort(cohort, OS, "mg", predictors=["age", "sex"], n_imputations=25, seed=1)
    assert len(found.cohorts) == 25
    for completed in found.cohorts:
        pd.testing.assert_frame_equal(completed[~gaps], before[~gaps])
        pd.testing.assert_frame_equal(completed.drop(columns="mg"), before.drop(columns="mg"))
        assert completed["mg"].between(cohort["mg"].min(), cohort["mg"].max()).all()
    assert found.imputed["mg"].tolist() == gaps.tolist()
    assert found.missing.iloc[0].tolist() == ["mg", "number", 300, gaps.sum(), gaps.mean()]
    assert found.n_recommended == int(np.ceil(100 * gaps.mean()))
    assert (found.n_read, found.n_used, dict(found.dropped), found.warnings) == (300, 300, {}, ())
    pd.testing.assert_frame_equal(cohort, before)


def test_draws_are_those_of_a_regression_on_predictors_event_and_hazard():
    cohort = cohort_of(n=400)
    found = impute_cohort(cohort, OS, "mg", predictors=["age", "sex"], n_imputations=200, seed=3)
    gaps = cohort["mg"].isna().to_numpy()
    hazard = hazard_at(survival_data(cohort, OS))
    expected = cohort["event"] - cox_residuals(fit_cox(cohort, OS, "age + sex"), "martingale")["residual"]
    outcome = [cohort["event"], hazard, expected]
    design = np.column_stack([np.ones(len(cohort)), cohort["age"], cohort["sex"], *outcome])
    coef, rss, *_ = np.linalg.lstsq(design[~gaps], cohort["mg"][~gaps], rcond=None)
    variance = rss[0] / ((~gaps).sum() - design.shape[1])
    inverse = np.linalg.inv(design[~gaps].T @ design[~gaps])
    spread = np.sqrt(variance * (1 + np.einsum("ij,jk,ik->i", design[gaps], inverse, design[gaps])))
    drawn = np.array([completed["mg"][gaps] for completed in found.cohorts])
    error = spread / np.sqrt(200)
    assert (np.abs(drawn.mean(axis=0) - design[gaps] @ coef) / error).max() < 4.5  # the range cuts a little, too
    assert drawn.std(axis=0, ddof=1).mean() == pytest.approx(spread.mean(), rel=0.03)


@pytest.mark.filterwarnings("ignore::analysis.errors.MuchMissing")
def test_every_kind_of_column_keeps_its_values_and_its_shares():
    cohort = with_gaps()
    columns = ["mg", "log2(crp)", "sex", "site", "arm"]
    found = impute_cohort(cohort, OS, columns, predictors=["age", "log2(crp)", "site"], n_imputations=30, seed=4)
    assert found.missing["kind"].tolist() == ["number", "logarithm", "0/1", "category", "0/1"]
    filled = pd.concat(found.cohorts)
    assert not filled.isna().any().any()
    assert set(filled["sex"]) == {0.0, 1.0}
    assert set(filled["arm"]) == {"new", "old"}
    assert filled["site"].dtype == cohort["site"].dtype
    assert filled["crp"].min() > 0
    for name in ("sex", "site", "arm"):
        known = cohort[name].value_counts(normalize=True)
        drawn = pd.concat([one[name][found.imputed[name]] for one in found.cohorts]).value_counts(normalize=True)
        assert (drawn.reindex(known.index) - known).abs().max() < 0.09, name  # 45 rows: a share varies by 0.07


@pytest.mark.parametrize("name", ["sex", "arm"])
def test_indicators_follow_a_logistic_model_computed_apart(name):
    """Their probabilities, against scikit-learn's logistic regression on the same predictors."""
    from sklearn.linear_model import LogisticRegression

    rng, cohort = np.random.default_rng(8), cohort_of(n=800, share=0.0)
    chance = 1 / (1 + np.exp(-(1.2 + 12 * (cohort["mg"] - 0.8) - 0.05 * (cohort["age"] - 60))))
    truth = rng.random(800) < chance
    gaps = rng.random(800) < 0.25
    cohort["sex"] = np.where(gaps, np.nan, truth)
    cohort["arm"] = np.where(truth, "old", "new")
    cohort["arm"] = cohort["arm"].where(~gaps, None)
    found = impute_cohort(cohort, OS, name, predictors=["age", "mg"], n_imputations=200, seed=2)
    data = survival_data(cohort, OS)
    residual = cox_residuals(fit_cox(cohort, OS, "age + mg"), "martingale")["residual"]
    outcome = [cohort["event"], hazard_at(data), cohort["event"] - residual]
    design = np.column_stack([cohort["age"], cohort["mg"], *outcome])
    design = (design - design[~gaps].mean(axis=0)) / design[~gaps].std(axis=0)
    model = LogisticRegression(C=1e6, tol=1e-10, max_iter=1000).fit(design[~gaps], truth[~gaps])
    expected = model.predict_proba(design[gaps])[:, 1]
    drawn = np.array([one[name][gaps].isin([1.0, "old"]).to_numpy() for one in found.cohorts])
    shares = drawn.mean(axis=0)
    error = np.sqrt(expected * (1 - expected) / 200) + 0.005  # a drawn coefficient pulls shares to the middle, a little
    assert (np.abs(shares - expected) / error).max() < 4.5
    assert np.corrcoef(shares, expected)[0, 1] > 0.97
    assert drawn.mean() == pytest.approx(expected.mean(), abs=0.01)


def test_labels_depend_on_what_predicts_them():
    """A site that goes with age keeps its shares among the young and among the old."""
    rng, cohort = np.random.default_rng(9), cohort_of(n=900, share=0.0)
    old = cohort["age"].to_numpy() > 60
    site = np.where(old, rng.choice(["a", "b", "c"], 900, p=[0.1, 0.2, 0.7]), rng.choice(["a", "b", "c"], 900))
    gaps = rng.random(900) < 0.3
    cohort["site"] = pd.Categorical(np.where(gaps, None, site), categories=["a", "b", "c"])
    cohort["old"] = old * 1.0
    found = impute_cohort(cohort, OS, "site", predictors="old", n_imputations=60, seed=1)
    for group in (old, ~old):
        known = cohort["site"][group].value_counts(normalize=True)
        drawn = pd.concat([one["site"][gaps & group] for one in found.cohorts]).value_counts(normalize=True)
        assert (drawn.reindex(known.index) - known).abs().max() < 0.04


def test_missing_by_early_death_is_seen_by_an_imputation_that_knows_survival():
    """Progression is the outcome; the marker acts on death too, and is missing where death was early."""
    rng, n = np.random.default_rng(3), 3000
    mg = rng.normal(size=n)
    progressed, died = rng.exponential(8 * np.exp(0.3 * mg)), rng.exponential(10 * np.exp(1.2 * mg))
    cohort = pd.DataFrame({"mg": mg, "age": rng.normal(size=n), "time": np.minimum(progressed, 12)})
    cohort["event"] = (progressed <= 12) * 1
    cohort = cohort.assign(months=np.minimum(died, 24), dead=(died <= 24) * 1)
    lost = rng.random(n) < np.where(died < 6, 0.8, 0.05)
    gaps = cohort.assign(mg=np.where(lost, np.nan, mg))
    options = {"predictors": "age", "n_imputations": 45, "seed": 1}
    alone = impute_cohort(gaps, OS, "mg", **options).cohorts
    knowing = impute_cohort(gaps, OS, "mg", other_endpoints=Endpoint("months", "dead"), **options).cohorts
    means = [np.mean([one["mg"][lost].mean() for one in cohorts]) for cohorts in (alone, knowing)]
    truth = mg[lost].mean()
    assert abs(means[0] - truth) > 0.3
    assert abs(means[1] - truth) < 0.1


def test_delta_is_added_to_imputed_values_only_and_afterwards_just_the_same():
    cohort = cohort_of()
    options = {"predictors": ["age"], "n_imputations": 21, "seed": 2}
    plain = impute_cohort(cohort, OS, "mg", **options)
    moved = impute_cohort(cohort, OS, "mg", delta=-0.05, **options)
    shifted, by_name = plain.shifted(-0.05), impute_cohort(cohort, OS, "mg", delta={"mg": -0.05}, **options)
    difference = moved.cohorts[3]["mg"] - plain.cohorts[3]["mg"]
    assert_allclose(difference, np.where(cohort["mg"].isna(), -0.05, 0), atol=1e-12)
    for other in (shifted, by_name):
        pd.testing.assert_frame_equal(other.cohorts[3], moved.cohorts[3])
        assert dict(other.delta) == {"mg": -0.05}


@pytest.mark.filterwarnings("ignore::analysis.errors.MuchMissing")
def test_seeds_and_the_order_of_rows():
    cohort = with_gaps()
    options = {"predictors": ["age"], "n_imputations": 3}
    columns = ["mg", "log2(crp)", "sex", "site", "arm"]
    first, again, other = (impute_cohort(cohort, OS, columns, seed=seed, **options).cohorts for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first[0], again[0])
    assert not first[0].equals(other[0])
    assert not first[0]["mg"].equals(first[1]["mg"])
    mixed = impute_cohort(cohort.sample(frac=1, random_state=3), OS, columns, seed=1, **options).cohorts[0]
    pd.testing.assert_frame_equal(mixed.sort_index(), first[0], rtol=1e-9)
    fewer = impute_cohort(cohort, OS, columns, seed=1, predictors=["age"], n_imputations=2).cohorts
    pd.testing.assert_frame_equal(fewer[1], first[1])


def test_rows_without_an_outcome_are_left_as_they_were():
    cohort = cohort_of()
    cohort.loc[0, ["time", "mg"]] = np.nan
    with pytest.warns(RowsDropped, match="1 of 300 rows dropped: 1 for missing time"):
        found = impute_cohort(cohort, OS, "mg", predictors=["age"], n_imputations=25, seed=1)
    assert found.cohorts[0]["mg"].isna().tolist() == [True] + [False] * 299
    assert (found.n_read, found.n_used, dict(found.dropped)) == (300, 299, {"missing time": 1})
    assert not found.imputed["mg"][0]


def test_missing_by_early_death_biases_complete_rows_and_imputed_ones_less():
    """Half of the early deaths lack the marker, and it is seen through a covariate: the whole cohort is the truth."""
    rng, n = np.random.default_rng(7), 2000
    burden = rng.normal(size=n)
    mg = -0.8 * burden + 0.6 * rng.normal(size=n)
    time, end = rng.exponential(np.exp(-(0.5 * burden - 0.5 * mg)) * 10), rng.uniform(2, 30, n)
    whole = pd.DataFrame({"mg": mg, "burden": burden, "time": np.minimum(time, end), "event": (time <= end) * 1})
    lost = rng.random(n) < np.where(time < 4, 0.1 + 0.7 * (burden > 0), 0.05)
    cohort = whole.assign(mg=whole["mg"].where(~lost))
    imputed = impute_cohort(cohort, OS, "mg", predictors="burden", n_imputations=35, seed=1)
    pooled = pool_cox([fit_cox(rows, OS, "mg + burden", engine="kernel") for rows in imputed.cohorts]).coefficients[
        "coef"
    ]
    with pytest.warns(RowsDropped, match="497 of 2000 rows dropped: 497 for missing mg"):
        complete = fit_cox(cohort, OS, "mg + burden").coef
    known = fit_cox(whole, OS, "mg + burden").coef
    assert abs(complete[1] - known[1]) > 0.1  # what decides on missing values is burden and early death
    assert abs(pooled[1] - known[1]) < 0.4 * abs(complete[1] - known[1])
    assert abs(pooled[0] - known[0]) < 0.08


def test_warnings_when_much_or_nothing_is_missing():
    cohort = cohort_of(share=0.6)
    with (
        pytest.warns(MuchMissing, match=r"column 'mg': 62% missing"),
        pytest.warns(MuchMissing, match=r"there are 5 imputations; take 6\d"),
    ):
        found = impute_cohort(cohort, OS, "mg", predictors=["age"], n_imputations=5, seed=1)
    first, second = map(str, found.warnings)
    assert first == f"column 'mg': {found.missing['share'][0]:.0%} missing; the answer leans on the imputation model"
    assert second.endswith(f"take {found.n_recommended}")
    whole = cohort.dropna()
    with pytest.warns(AnalysisWarning, match=r"nothing is missing in 'mg'; nothing is imputed"):
        same = impute_cohort(whole, OS, "mg", predictors=["age"], seed=1)
    pd.testing.assert_frame_equal(same.cohorts[0], whole)


BAD = [
    ({"columns": ["ages"]}, CohortError, r"no column 'ages'; did you mean 'age'"),
    ({"columns": []}, InputError, r"columns: none given"),
    ({"columns": ["mg", "log(mg)"]}, InputError, r"columns: 'mg' given twice"),
    ({"columns": ["empty"]}, CohortError, r"'empty': no value is known; a column missing throughout cannot be imputed"),
    ({"columns": ["flat"]}, NotEstimable, r"'flat': every known value is the same"),
    ({"columns": ["log2(zero)"]}, CohortError, r"'zero': zero or negative in 1 row \(3\), and log2\(zero\) was asked"),
    ({"columns": ["endless"]}, CohortError, r"'endless': infinite values in 1 row"),
    ({"predictors": ["gaps"]}, InputError, r"'gaps' has 2 missing values; name 'gaps' in columns"),
    ({"predictors": ["mg:age"]}, InputError, r"'mg:age' is made from 'mg', which is imputed"),
    ({"predictors": ["agee"]}, InputError, r"no column 'agee'"),
    ({"columns": ["mg", "site"], "strata": "site"}, InputError, r"strata: 'site' is imputed; name it among the pred"),
    ({"event": 0}, NotEstimable, r"no events among 300 rows: the event is part of the imputation model"),
    ({"n_imputations": 1}, InputError, r"n_imputations=1 must be a whole number of at least 2"),
    ({"seed": None}, InputError, r"seed=None must be a whole number"),
    ({"delta": {"age": 1}}, InputError, r"delta: 'age' is not imputed; imputed are 'mg'"),
    ({"delta": float("nan")}, InputError, r"delta=nan must be a finite number"),
    ({"columns": ["sexes"], "delta": 1.0}, InputError, r"delta: 'sexes' is not a number \(0/1\)"),
    ({"predictors": [f"z{k}" for k in range(240)]}, NotEstimable, r"known values for an imputation model of 24[34]"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "message"), BAD, ids=lambda value: str(value)[:40])
def test_invalid_arguments_raise(change, error, message):
    cohort = cohort_of()
    rng, place = np.random.default_rng(1), np.arange(300)
    odd = {
        "empty": np.full(300, np.nan),
        "flat": np.full(300, 3.0),
        "zero": np.where(place == 2, 0.0, 2.0),
        "endless": np.where(place == 9, np.inf, 1.0),
        "gaps": cohort["age"].to_numpy(),
        "sexes": cohort["sex"].to_numpy(),
    }
    odd = {name: np.where(place < 2, np.nan, values) for name, values in odd.items()}
    odd |= {f"z{k}": rng.normal(size=300) for k in range(240)}
    cohort = pd.concat([cohort, pd.DataFrame(odd, index=cohort.index)], axis=1)
    cohort["event"] = change.pop("event", cohort["event"])
    options = {"columns": "mg", "predictors": ["age"], "n_imputations": 25, "seed": 1} | change
    with pytest.raises(error, match=message), warnings.catch_warnings(action="ignore"):
        impute_cohort(cohort, OS, options.pop("columns"), **options)
