"""The regressions of an imputation: against R, coefficients drawn once for all rows, separation, collinear columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import kstest

from analysis.robustness.confounding.exposure import fit_propensity, information, probabilities
from analysis.robustness.missing.draws import augmented, draw_imputation, draw_labels, draw_numbers

X = np.array([-1.2, -0.9, -0.5, -0.3, 0.1, 0.2, 0.6, 0.8, 1.1, 1.4])
X = ((X - X.mean()) / X.std())[:, None]
TWO = np.array([0, 0, 1, 0, 0, 1, 1, 0, 1, 1])
THREE = np.array([0, 0, 1, 0, 2, 1, 2, 1, 2, 2])
# R 4.2.2. glm(y ~ x, weights = w, family = binomial, epsilon = 1e-15) of the rows of X and two at x = 0.5, -0.5 for
# each label, which weigh 1/2 each; y2 = x > 0 separates. nnet 7.3-18: multinom(y ~ x, weights = w, Hess = TRUE), the
# added rows weigh 1/3.
GLM = (
    [[-0.00706976841105, 1.20212831805276]],
    [[0.42886190846662, -0.00972797568274], [-0.00972797568274, 0.65277859969826]],
)
SEPARATED = (
    [[-0.057871168251, 3.424667517334]],
    [[0.8839432267301, -0.0918666164883], [-0.0918666164883, 3.6458317957892]],
)
MULTINOM = (
    [[1.0690967356, 2.230761698], [0.7689976205, 3.648558779]],
    [
        [1.5675882, 1.3684115, 1.25315047, 1.52894595],
        [1.3684115, 2.6597303, 1.27272138, 2.48561261],
        [1.2531505, 1.2727214, 1.74052256, 0.90463016],
        [1.5289460, 2.4856126, 0.90463016, 3.74923736],
    ],
)


@pytest.mark.parametrize(
    ("codes", "expected"), [(TWO, GLM), ((X[:, 0] > 0) * 1, SEPARATED), (THREE, MULTINOM)], ids=["2", "separated", "3"]
)
def test_logistic_regressions_with_added_rows_are_those_of_r(codes, expected):
    rows, labels, weights = augmented(X, codes)
    coef = fit_propensity(rows, labels, weights[None])[0]
    assert_allclose(coef[0], expected[0], rtol=1e-6)
    curvature = information(rows, probabilities(rows, coef), weights[None])[0]
    assert_allclose(np.linalg.inv(curvature), expected[1], rtol=1e-6)


def test_added_rows_by_hand():
    x = np.array([[-1.0, 2.0], [1.0, 0.2], [0.3, -0.1]])
    rows, labels, weights = augmented(x, np.array([0, 1, 0]))
    added = [[0.5, 0], [-0.5, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.1], [0, 0.5], [0, -0.1]]  # -0.1: none is lower
    assert_allclose(rows[3:], np.column_stack([np.ones(8), added]))
    assert labels[3:].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    assert_allclose(weights, [1, 1, 1, *[3 / 8] * 8])


def indicators(codes):
    return (codes[:, None] == np.arange(1, codes.max() + 1)) * 1.0


def test_labels_share_their_drawn_coefficients():
    """Over imputations the share at one place varies as the coefficients do, far more than draws of single labels."""
    place, rng = np.array([1.0, 1.0]), np.random.default_rng(2)
    at, n = np.full((2000, 1), 1.0), 600
    shares = np.array([draw_labels(indicators(TWO), X, at, rng).mean() for _ in range(n)])
    coef, covariance = np.array(GLM[0][0]), np.array(GLM[1])
    eta = rng.normal(place @ coef, np.sqrt(place @ covariance @ place), 200_000)
    expected = 1 / (1 + np.exp(-eta))
    assert shares.mean() == pytest.approx(expected.mean(), abs=4 * expected.std() / np.sqrt(n))
    assert shares.std() == pytest.approx(expected.std(), rel=0.12)


def test_three_labels_come_with_their_probabilities():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(6000, 1))
    eta = np.column_stack([np.zeros(6000), 0.5 + x, -0.3 - 0.8 * x])
    chance = np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)
    codes = (rng.random(6000)[:, None] > np.cumsum(chance, axis=1)).sum(axis=1)
    x = (x - x.mean()) / x.std()
    for place in (-1.0, 0.0, 1.5):
        drawn = draw_labels(indicators(codes), x, np.full((20_000, 1), place), rng)
        near = np.abs(x[:, 0] - place) < 0.05
        assert_allclose(drawn.mean(axis=0), chance[near, 1:].mean(axis=0), atol=0.04)
        assert set(drawn.sum(axis=1)) <= {0.0, 1.0}


def test_numbers_share_their_drawn_coefficients():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(60, 2))
    x -= x.mean(axis=0)
    y = x @ [1.0, -2.0] + rng.normal(0, 0.5, 60)
    at = np.tile([[1.5, 0.0]], (1500, 1))
    draws = np.array([draw_numbers(y[:, None], x, at, rng).mean() for _ in range(2000)])
    design, place = np.column_stack([np.ones(60), x]), np.array([1.0, 1.5, 0.0])
    coef, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
    df = 60 - 3
    scale = np.sqrt(rss[0] / df * (place @ np.linalg.inv(design.T @ design) @ place))
    assert draws.mean() == pytest.approx(place @ coef, abs=4 * scale / np.sqrt(2000))
    assert draws.std() == pytest.approx(scale * np.sqrt(df / (df - 2)), rel=0.06)  # Student's, about the mean


def test_each_imputation_draws_its_variance_and_its_mean():
    """Residuals of +5 and -5 and 31 zeros: RSS 50 on 31 degrees of freedom, the range 4 standard deviations away.

    The posterior under a flat prior: RSS over the variance is chi-square, and the mean at x has the variance times
    1 / m + x^2 / sum of squares. Rows of one imputation share both.
    """
    rng, m, rss, df = np.random.default_rng(8), 33, 50.0, 31
    y = np.r_[5.0, -5.0, np.zeros(m - 2)]
    x = np.r_[0.0, 0.0, np.linspace(-1, 1, m - 2)][:, None]  # the residuals do not go with it
    at = np.repeat([0.0, 1.0], 1000)[:, None]
    draws = np.array([draw_numbers(y[:, None], x, at, rng)[:, 0].reshape(2, 1000) for _ in range(600)])
    within = draws.var(axis=2, ddof=1)
    assert kstest(rss / within[:, 0], "chi2", args=(df,)).pvalue > 0.001
    expected = rss / (df - 2) * (1 / m + np.array([0.0, 1 / (x**2).sum()]) + 1 / 1000)
    assert_allclose(draws.mean(axis=2).var(axis=0, ddof=1), expected, rtol=0.25)  # 4 standard errors


def test_numbers_spread_as_the_residuals_do():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(400, 1))
    x -= x.mean()
    y = x[:, 0] + rng.normal(0, 0.5, 400)
    drawn = draw_numbers(y[:, None], x, np.zeros((4000, 1)), rng)[:, 0]
    assert drawn.std() == pytest.approx(0.5, rel=0.1)
    assert drawn.min() >= y.min()
    assert drawn.max() <= y.max()


@given(st.floats(-40, 40), st.floats(0.01, 3))
@settings(max_examples=50, deadline=None)
def test_numbers_far_outside_the_known_range_are_drawn_within_it(place, deviation):
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 1, 30)[:, None]
    y = x + deviation * rng.normal(size=(30, 1))
    drawn = draw_numbers(y, x, np.full((50, 1), place), rng)
    assert np.isfinite(drawn).all()
    assert y.min() <= drawn.min() <= drawn.max() <= y.max()


@pytest.mark.parametrize("labelled", [False, True])
def test_collinear_and_constant_predictors_change_nothing_but_rounding(labelled):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(80, 2))
    column = ((x[:, 0] + rng.normal(size=80)) > 0) * 1.0 if labelled else x[:, 0] + rng.normal(size=80)
    column[:20] = np.nan
    more = np.column_stack([x, x[:, 0] - 2 * x[:, 1], np.full(80, 3.0)])
    seed = np.random.SeedSequence(3)
    plain, again = (
        draw_imputation([column[:, None]], [labelled], predictors, n_rounds=1, seed=seed)[0] for predictors in (x, more)
    )
    assert_allclose(plain, again, rtol=1e-8)
    assert not np.isnan(plain).any()


def test_a_label_without_predictors_keeps_its_share():
    codes = np.repeat([0.0, 1.0, np.nan], [300, 100, 4000])[:, None]
    (filled,) = draw_imputation([codes], [True], np.empty((4400, 0)), n_rounds=1, seed=np.random.SeedSequence(1))
    assert filled[400:].mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 * (1 / 400 + 1 / 4000)))
