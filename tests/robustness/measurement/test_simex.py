"""Simulation-extrapolation: by hand where it is linear, and where the truth is known."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    FewEvents,
    InputError,
    LowReliability,
    NotEstimable,
    RowsDropped,
    fit_cox,
    hazard_ratios,
    simulation_extrapolation,
)
from analysis.robustness.measurement.simex import complete_draws, extrapolated, quadratic_weights

OS = Endpoint("time", "event")


def cohort_of(n=400, slope=-6.0, error=0.04, seed=1):
    """True and measured values of a marker, whose true one acts on the hazard beside a confounder."""
    rng = np.random.default_rng(seed)
    burden = rng.normal(0, 1, n)
    true = 0.8 - 0.04 * burden + rng.normal(0, 0.08, n)
    time = rng.exponential(10 * np.exp(-(slope * (true - 0.8) + 0.4 * burden)))
    end = rng.uniform(4, 30, n)
    return pd.DataFrame(
        {
            "true": true,
            "mg": true + rng.normal(0, error, n),
            "burden": burden,
            "site": np.arange(n) % 2,
            "time": np.minimum(time, end),
            "event": (time <= end) * 1,
        }
    )


def test_a_quadratic_is_read_exactly_and_more_points_by_least_squares():
    grid = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    assert_allclose(quadratic_weights(grid, -1.0) @ (2 - 3 * grid + 0.5 * grid**2), [2 + 3 + 0.5])
    noisy, at = np.array([1.0, 0.7, 0.6, 0.4, 0.35]), np.array([-1.0, 3.0])
    assert_allclose(quadratic_weights(grid, at) @ noisy, np.polyval(np.polyfit(grid, noisy, 2), at))


def test_without_error_the_model_as_measured_stands():
    cohort = cohort_of()
    found = simulation_extrapolation(cohort, OS, "mg", measurement_error=0, adjust="burden", n_simulations=4, seed=1)
    fit = fit_cox(cohort, OS, "mg + burden")
    assert_allclose(found.coefficients["coef"], fit.coef, rtol=1e-7)
    assert_allclose(found.coefficients["std_error"], fit.coefficients["std_error"], rtol=1e-7)
    assert_allclose(found.coefficients["coef_measured"], fit.coef, rtol=1e-7)
    assert_allclose(found.coefficients["monte_carlo_error"], 0, atol=1e-9)
    assert_allclose(found.curve["log_hazard_ratio"], fit.coef[0], rtol=1e-7)
    ratios = hazard_ratios(fit)
    assert_allclose(found.hazard_ratios[["conf_low", "conf_high"]], ratios[["conf_low", "conf_high"]], rtol=1e-6)
    assert found.reliability == 1


@pytest.mark.filterwarnings("ignore::analysis.errors.LowReliability")  # 0.8, give or take
def test_the_true_coefficients_come_back():
    cohort = cohort_of(n=6000, seed=3)
    truth = fit_cox(cohort, OS, "true + burden").coef
    naive = fit_cox(cohort, OS, "mg + burden").coef
    found = simulation_extrapolation(
        cohort, OS, "mg", measurement_error=0.04, error_scale="absolute", adjust="burden", n_simulations=20, seed=1
    )
    table = found.coefficients.set_index("term")
    assert found.reliability == pytest.approx(0.8, abs=0.02)  # 0.08^2 / (0.08^2 + 0.04^2)
    assert abs(naive[0]) < 0.85 * abs(truth[0])
    assert abs(table["coef"]["mg"] - truth[0]) < 0.35 * abs(naive[0] - truth[0])
    assert abs(table["coef"]["burden"] - truth[1]) < 0.35 * abs(naive[1] - truth[1])  # the confounder's, too
    assert (table["std_error"] > table["std_error_measured"]).loc["mg"]
    assert (table["monte_carlo_error"] < table["std_error"] / 3).all()


def test_intervals_cover_the_true_slope():
    covered = []
    for seed in range(40):
        rows = cohort_of(n=300, slope=-4.0, error=0.03, seed=seed + 10)
        found = simulation_extrapolation(
            rows, OS, "mg", measurement_error=0.03, error_scale="absolute", adjust="burden", n_simulations=10, seed=seed
        )
        low, high = np.log(found.hazard_ratios.loc[0, ["conf_low", "conf_high"]].astype(float))
        covered.append(low < -4.0 < high)
    assert sum(covered) >= 34  # of 40 at 95 %, a count this small or smaller has probability 0.014


@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_a_low_reliability_is_a_warning_and_a_high_one_is_none(scale):
    cohort = cohort_of()
    size = 0.07 if scale == "absolute" else 0.09
    with pytest.warns(LowReliability, match=r"reliability 0\.\d\d, below 0.8: the extrapolation undoes only part"):
        low = simulation_extrapolation(
            cohort, OS, "mg", measurement_error=size, error_scale=scale, n_simulations=3, seed=1
        )
    assert low.reliability < 0.8
    assert low.reliability_low < low.reliability < low.reliability_high
    assert [type(one) for one in low.warnings] == [LowReliability]
    high = simulation_extrapolation(
        cohort, OS, "mg", measurement_error=size / 5, error_scale=scale, n_simulations=3, seed=1
    )
    assert high.reliability > 0.8
    assert high.warnings == ()


def test_coefficients_and_variance_by_hand():
    """Multiples 0, 1, 2 are read at -1 as 3, -3 and 1 times their values."""
    draws = np.array([[[1.0], [0.8]], [[1.2], [1.0]], [[0.8], [0.9]]]), np.full((3, 2, 1), 0.05)
    grid = np.array([0.0, 1.0, 2.0])
    coef, variance = extrapolated(np.array([1.3]), np.array([0.06]), grid, *draws)
    assert_allclose(coef, 3 * 1.3 - 3 * 1.0 + 0.9)
    assert_allclose(variance, 3 * 0.06 - 3 * (0.05 - 0.04) + (0.05 - 0.01))
    assert np.isnan(extrapolated(np.array([1.3]), np.array([-0.01]), grid, *draws)[1]).all()  # below zero


def test_simulations_that_failed_are_left_out():
    coefs = np.ones((3, 2, 1))
    coefs[0, 1] = np.nan
    assert complete_draws(coefs, coefs)[0].shape == (2, 2, 1)
    coefs[1] = np.nan
    with pytest.raises(NotEstimable, match=r"1 of 3 simulations could be fitted; two are the least"):
        complete_draws(coefs, coefs)


def test_the_curve_and_its_path():
    found = simulation_extrapolation(cohort_of(), OS, "mg", measurement_error=0.05, n_simulations=10, seed=1)
    assert found.curve["error_variance"].tolist() == [0, 1, 1.5, 2, 2.5, 3]
    assert found.curve["log_hazard_ratio"].is_monotonic_increasing  # from none of the error to the most of it
    assert found.curve["log_hazard_ratio"][0] == pytest.approx(found.coefficients["coef"][0])
    assert found.curve["monte_carlo_error"][1] == 0
    assert found.path["log_hazard_ratio"].iloc[0] == pytest.approx(found.coefficients["coef"][0])
    assert (found.error_scale, found.measurement_error, found.n_failed) == ("relative", 0.05, 0)


def test_seed_row_order_strata_and_a_cohort_left_as_it_was():
    cohort = cohort_of()
    before = cohort.copy()
    options = {"adjust": ["burden"], "strata": "site", "n_simulations": 5}
    first, again, other = (simulation_extrapolation(cohort, OS, "mg", seed=seed, **options) for seed in (1, 1, 2))
    mixed = simulation_extrapolation(cohort.sample(frac=1, random_state=2), OS, "mg", seed=1, **options)
    pd.testing.assert_frame_equal(first.coefficients, again.coefficients)
    pd.testing.assert_frame_equal(first.coefficients, mixed.coefficients, rtol=1e-8)
    assert not first.coefficients.equals(other.coefficients)
    assert_allclose(first.coefficients["coef_measured"], fit_cox(cohort, OS, "mg + burden", strata="site").coef)
    pd.testing.assert_frame_equal(cohort, before)


@pytest.mark.filterwarnings("ignore::analysis.errors.FailedDraws")
def test_missing_values_are_counted_and_few_events_are_a_warning():
    cohort = cohort_of(40)
    cohort.loc[0, "mg"] = np.nan
    cohort["event"] = cohort["event"].where(cohort["event"].cumsum() <= 8, 0)
    dropped = "1 of 40 rows dropped: 1 for missing mg"
    with pytest.warns(FewEvents, match=r"events for 2 parameters"), pytest.warns(RowsDropped, match=dropped):
        found = simulation_extrapolation(cohort, OS, "mg", adjust=["burden"], n_simulations=5, seed=1)
    assert (found.n_read, found.n_used, dict(found.dropped)) == (40, 39, {"missing mg": 1})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"marker": "magnesium"}, CohortError, r"no column 'magnesium'"),
        ({"adjust": ["mg"]}, InputError, r"adjust: 'mg' holds the marker itself"),
        ({"measurement_error": 3}, InputError, r"did you mean 0.03"),
        ({"measurement_error": 0.3, "error_scale": "absolute"}, NotEstimable, r"is it in the same unit\?"),
        ({"marker": "burden"}, InputError, r"zero or negative .* error_scale=\"absolute\""),
        ({"added": [1.0]}, InputError, r"give 2 or more multiples"),
        ({"added": [1.0, 1.0]}, InputError, r"each once"),
        ({"added": [0.0, 1.0]}, InputError, r"lie above 0"),
        ({"added": [1.0, -1.0]}, InputError, r"added: -1.0 must be finite and not negative"),
        ({"conf_level": 95}, InputError, r"did you mean 0.95"),
        ({"n_simulations": 0}, InputError, r"n_draws=0 must be a whole number|n_simulations=0"),
        ({"seed": -1}, InputError, r"seed=-1 must be a whole number of at least 0"),
    ],
)
def test_invalid_arguments_raise(options, error, message):
    options = {"marker": "mg", "n_simulations": 2, "seed": 1} | options
    with pytest.raises(error, match=message):
        simulation_extrapolation(cohort_of(), OS, options.pop("marker"), **options)
