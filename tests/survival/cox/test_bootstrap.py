"""The bootstrap of a Cox model: against every resample there is, boot.ci's limits in R, and what it refuses."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import factorial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    FailedDraws,
    InputError,
    NotEstimable,
    RowsDropped,
    bootstrap_cox,
    fit_cox,
    hazard_ratios,
)
from analysis.kernels.cox.likelihood import fit_arrays
from analysis.survival.cox.bootstrap import summarised
from tests.reference import rows

VETERAN = Endpoint("time", "status")
SMALL = Endpoint("t", "e")
quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def small() -> pd.DataFrame:
    x = [0.3, -1.2, 0.8, 1.9, -0.4, 0.1]
    return pd.DataFrame({"t": [2.0, 7, 3, 1, 5, 3], "e": [1, 1, 0, 1, 1, 1], "x": x, "site": list("abcabb")})


def every_resample(cohort: pd.DataFrame, units: np.ndarray, ties: str) -> pd.Series:
    """The coefficient of x in every resample of the units, rows written out, by its probability."""
    n = int(units.max()) + 1
    chances: dict[float, float] = {}
    for drawn in combinations_with_replacement(range(n), n):
        counts = np.bincount(drawn, minlength=n)
        places = np.repeat(np.arange(len(cohort)), counts[units])
        held = cohort.iloc[places]
        event, x = held["e"].to_numpy() == 1, held[["x"]].to_numpy()
        coef = np.nan
        if len(np.unique(x)) > 1:
            coef = fit_arrays(x, held["t"].to_numpy(), event, ties=ties)[0][0]
        ways = factorial(n) / np.prod([factorial(count) for count in counts])
        key = round(float(coef), 6) if np.isfinite(coef) else np.nan
        chances[key] = chances.get(key, 0.0) + ways / n**n
    return pd.Series(chances)


@quiet
@pytest.mark.parametrize(("cluster", "ties"), [(None, "efron"), (None, "breslow"), ("site", "efron")])
def test_the_draws_are_those_of_all_resamples(cluster, ties):
    cohort = small()
    units = np.arange(6) if cluster is None else pd.factorize(cohort["site"])[0]
    chances = every_resample(cohort, units, ties)
    failing, chances = chances[chances.index.isna()].sum(), chances[chances.index.notna()]
    found = bootstrap_cox(cohort, SMALL, ["x"], n_bootstrap=4000, seed=2, cluster=cluster, ties=ties)
    draws = found.draws["x"].dropna().round(6)
    assert set(draws) <= set(chances.index)
    assert found.n_failed == found.draws["x"].isna().sum()
    assert abs(found.n_failed / 4000 - failing) < 4 * np.sqrt(failing * (1 - failing) / 4000) + 1e-9
    for value in (-1.0, 0.0, 1.0, 2.0):
        share = chances[chances.index <= value].sum() / (1 - failing)
        assert abs((draws <= value).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(draws)) + 1e-9


# boot.ci(type = c("perc", "bca"), L = residuals(fit, "dfbeta")) of boot in R 4.2.2 for the draws made below.
LIMITS = [
    (0, 0.90, (-0.0416960730556715, -0.0215054416402649), (-0.0433469196358314, -0.0239959349812372)),
    (0, 0.95, (-0.0433710478919647, -0.0191315747459157), (-0.0448217662543134, -0.0214677309132815)),
    (1, 0.90, (-0.0154341610100726, 0.0198213217334173), (-0.0207741524955176, 0.0125630469618283)),
    (1, 0.95, (-0.0183588861076569, 0.0239664037572122), (-0.0236642103301655, 0.0164639303438357)),
]
# The same with L summed by celltype.
CLUSTERED = [
    (0, 0.95, (-0.0433710478919647, -0.0191315747459157), (-0.0445906756703632, -0.0211857574004395)),
    (1, 0.95, (-0.0183588861076569, 0.0239664037572122), (-0.0262999599131694, 0.0149017311167477)),
]


@pytest.mark.parametrize(
    ("cluster", "term", "conf_level", "percentile", "bca"),
    [(None, *limits) for limits in LIMITS] + [("celltype", *limits) for limits in CLUSTERED],
)
def test_limits_are_those_of_boot_ci(cluster, term, conf_level, percentile, bca):
    from scipy.special import ndtri

    cohort = rows("veteran")
    errors = fit_cox(cohort, VETERAN, ["karno", "age"], engine="kernel").coefficients["std_error"].to_numpy()
    fit = fit_cox(cohort, VETERAN, ["karno", "age"], cluster=cluster, engine="kernel")
    p = (np.arange(1, 2000) - 0.5) / 1999
    shape = (ndtri(p) - 0.2 * np.log1p(-p))[:, None]
    draws = fit.coef + errors * (np.array([0.1, 0.2]) + shape)
    found = summarised(fit, draws, conf_level).iloc[term]
    # boot.ci interpolates between two draws on the normal scale: it differs by a part of their distance
    room = 2e-3 * errors[term]
    assert_allclose(found[["percentile_low", "percentile_high"]].to_numpy(float), percentile, atol=room)
    assert_allclose(found[["conf_low", "conf_high"]].to_numpy(float), bca, atol=10 * room)
    assert_allclose(found["std_error"], draws[:, term].std(ddof=1))
    assert_allclose(found["bias"], draws[:, term].mean() - fit.coef[term])


def test_it_says_what_the_model_says_where_the_model_holds():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 2))
    t, c = rng.exponential(np.exp(-x @ [0.7, 0.0])), rng.uniform(0.5, 3, 600)
    cohort = pd.DataFrame({"t": np.minimum(t, c), "e": (t <= c).astype(int), "a": x[:, 0], "b": x[:, 1]})
    found = bootstrap_cox(cohort, SMALL, "a + b", n_bootstrap=1500, seed=3)
    model = found.fit.coefficients
    assert_allclose(found.summary["coef"], model["coef"])
    assert_allclose(found.summary["std_error"], model["std_error"], rtol=0.15)
    limits = hazard_ratios(found.fit)
    assert_allclose(np.log(found.hazard_ratios["conf_low"]), np.log(limits["conf_low"]), atol=0.03)
    assert_allclose(np.log(found.hazard_ratios["conf_high"]), np.log(limits["conf_high"]), atol=0.03)
    assert (found.summary["bias"].abs() < 0.02).all()
    assert (found.n_failed, found.warnings, found.draws.shape) == (0, (), (1500, 2))


def test_the_same_seed_gives_the_same_resamples_whatever_the_order_of_the_rows():
    cohort = rows("lung")
    ask = {"n_bootstrap": 50, "seed": 5, "strata": "sex", "ties": "breslow"}
    endpoint = Endpoint("time", "event", entry="entry")
    cohort = cohort[cohort["ph_ecog"].notna()]
    one = bootstrap_cox(cohort, endpoint, ["age", "ph_ecog"], **ask)
    other = bootstrap_cox(cohort.sample(frac=1, random_state=2), endpoint, ["age", "ph_ecog"], **ask)
    pd.testing.assert_frame_equal(one.draws, other.draws, check_exact=True)
    assert_allclose(one.summary.iloc[:, 1:], other.summary.iloc[:, 1:], rtol=1e-9)
    more = bootstrap_cox(cohort, endpoint, ["age", "ph_ecog"], **(ask | {"n_bootstrap": 120}))
    pd.testing.assert_frame_equal(more.draws.iloc[:50], one.draws, check_exact=True)


@quiet  # many ties: every row is there twice
def test_whole_clusters_are_drawn():
    """Every patient twice: drawn by patient, the coefficients vary as those of the patients once."""
    cohort = rows("veteran").assign(patient=range(137))
    twice = pd.concat([cohort, cohort])
    one = bootstrap_cox(cohort, VETERAN, ["karno"], n_bootstrap=600, seed=1, ties="breslow")
    both = bootstrap_cox(twice, VETERAN, ["karno"], n_bootstrap=600, seed=1, ties="breslow", cluster="patient")
    assert_allclose(both.summary["std_error"], one.summary["std_error"], rtol=0.15)
    apart = bootstrap_cox(twice, VETERAN, ["karno"], n_bootstrap=600, seed=1, ties="breslow")
    assert apart.summary["std_error"].item() < 0.85 * one.summary["std_error"].item()


def test_rows_with_missing_values_are_counted_and_nothing_is_changed():
    cohort = rows("lung")
    before = cohort.copy()
    with pytest.warns(RowsDropped, match="1 of 228 rows dropped: 1 for missing ph_ecog"):
        found = bootstrap_cox(cohort, Endpoint("time", "event"), ["ph_ecog"], n_bootstrap=39, seed=1)
    pd.testing.assert_frame_equal(cohort, before)
    assert (found.n_read, found.n_used, dict(found.dropped)) == (228, 227, {"missing ph_ecog": 1})


def rare(n: int = 40, n_rare: int = 3) -> pd.DataFrame:
    """A cohort in which a handful carry a covariate, so that resamples may hold none of them."""
    rng = np.random.default_rng(6)
    x = (np.arange(n) < n_rare).astype(float)
    return pd.DataFrame({"t": rng.exponential(size=n), "e": 1, "x": x, "z": rng.normal(size=n)})


def test_resamples_that_cannot_be_fitted_are_counted_and_told():
    with pytest.warns(FailedDraws, match=r"\d+ of 400 resamples have no maximum .* left out"):
        found = bootstrap_cox(rare(), SMALL, ["x", "z"], n_bootstrap=400, seed=1)
    assert 0 < found.n_failed < 100  # nobody of the three: 5 in 100; separation comes on top
    assert found.n_failed == found.draws.isna().any(axis=1).sum() == found.draws.isna().all(axis=1).sum()
    assert any(isinstance(warning, FailedDraws) for warning in found.warnings)
    assert np.isfinite(found.summary.iloc[:, 1:].to_numpy(float)).all()


@quiet
def test_too_many_of_them_are_an_error():
    cohort = pd.DataFrame({"t": [1.0, 2, 3, 4, 5], "e": [0, 1, 0, 0, 1], "x": [0.2, 0.5, 1.0, 0.1, 0.4]})
    with pytest.raises(NotEstimable, match=r"of 45 resamples have no maximum .*: too few are left for limits"):
        bootstrap_cox(cohort, SMALL, ["x"], n_bootstrap=45, seed=1)


@quiet
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_bootstrap": 38}, InputError, "n_bootstrap=38 is too few .* draw at least 39"),
        ({"n_bootstrap": 100, "conf_level": 0.99}, InputError, "n_bootstrap=100 is too few .* draw at least 199"),
        ({"n_bootstrap": 99.5}, InputError, "n_bootstrap=99.5 must be a whole number"),
        ({"seed": None}, InputError, "seed=None must be a whole number of at least 0"),
        ({"ties": "exact"}, InputError, "ties='exact'; choose 'efron' or 'breslow'"),
        ({"conf_level": 95}, InputError, "did you mean 0.95"),
        ({"covariates": ["x", "u"]}, CohortError, "no column 'u'"),
        ({"covariates": []}, InputError, "none given"),
        ({"covariates": ["one"]}, NotEstimable, "'one' is constant"),
        ({"covariates": ["early"]}, NotEstimable, "coefficients of 'early' are not finite"),
        ({"cluster": "one"}, NotEstimable, "one cluster only"),
    ],
)
def test_what_cannot_be_is_refused(options, error, message):
    cohort = small().assign(one=1.0, early=lambda held: (held["t"] <= 2).astype(float))
    ask = {"covariates": ["x"], "n_bootstrap": 50, "seed": 1} | options
    with pytest.raises(error, match=message):
        bootstrap_cox(cohort, SMALL, ask.pop("covariates"), **ask)


@pytest.mark.parametrize("reverse", ["site", "patient"])
def test_the_order_of_categories_changes_no_seeded_answer(reverse):
    rng = np.random.default_rng(3)
    cohort = pd.DataFrame(
        {
            "time": rng.exponential(10, 80).round(1) + 0.1,
            "event": rng.integers(0, 2, 80),
            "x": rng.normal(size=80).round(1),
            "site": rng.choice(list("abc"), 80),
            "patient": rng.choice(["p1", "p2", "p10", *(f"q{i}" for i in range(20))], 80),
        }
    )
    endpoint, options = (
        Endpoint("time", "event"),
        {"strata": "site", "cluster": "patient", "n_bootstrap": 39, "seed": 1},
    )
    expected = bootstrap_cox(cohort, endpoint, ["x"], **options)
    categories = sorted(cohort[reverse].unique(), reverse=True)
    recoded = cohort.assign(**{reverse: pd.Categorical(cohort[reverse], categories=categories)})
    found = bootstrap_cox(recoded, endpoint, ["x"], **options)
    pd.testing.assert_frame_equal(found.draws, expected.draws, check_exact=True)
