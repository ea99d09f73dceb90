"""What one more error takes from a log hazard ratio: by hand, by drawing, and where the truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    OVERALL_SURVIVAL,
    CohortDesign,
    CohortError,
    Endpoint,
    FewEvents,
    InputError,
    NotEstimable,
    RowsDropped,
    attenuation,
    clinical_cutpoints,
    fit_cox,
    reclassification,
    simulate_cohort,
    simulation_extrapolation,
)
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic.design import ADJUSTMENT
from analysis.study.synthetic_data.write import read_truth

OS = Endpoint("time", "event")
ROWS = ["without error, expected", "as measured", "one more error, expected", "one more error, drawn"]


def cohort_of(n=400, slope=3.0, seed=1):
    rng = np.random.default_rng(seed)
    burden = rng.normal(0, 1, n)
    mg = 0.8 - 0.05 * burden + rng.normal(0, 0.07, n)
    time = rng.exponential(np.exp(slope * (mg - 0.8) - 0.3 * burden) * 10)
    end = rng.uniform(2, 25, n)
    return pd.DataFrame(
        {
            "mg": mg,
            "burden": burden,
            "time": np.minimum(time, end),
            "event": (time <= end) * 1,
            "site": np.arange(n) % 2,
        }
    )


def test_the_shares_are_the_reliability_ratios_by_hand():
    cohort = cohort_of()
    found = attenuation(cohort, OS, "mg", measurement_error=0.03, error_scale="absolute", n_draws=5, seed=1)
    variance, extra = cohort["mg"].var(ddof=1), 0.03**2
    measured = fit_cox(cohort, OS, ["mg"]).coef[0]
    table = found.table.set_index("measurement")
    assert table.index.tolist() == ROWS
    assert found.reliability == pytest.approx(1 - extra / variance, rel=1e-12)
    assert_allclose(
        table["log_hazard_ratio"].iloc[:3],
        [measured / (1 - extra / variance), measured, measured * variance / (variance + extra)],
        rtol=1e-6,
    )
    assert_allclose(table["share"], table["log_hazard_ratio"] / table.loc["as measured", "log_hazard_ratio"])
    assert table["monte_carlo_error"].iloc[:3].tolist() == [0, 0, 0]


def test_limits_are_those_of_the_model_scaled_by_the_shares():
    cohort = cohort_of()
    found = attenuation(
        cohort, OS, "mg", measurement_error=0.03, error_scale="absolute", n_draws=20, conf_level=0.9, seed=1
    )
    std_error = fit_cox(cohort, OS, ["mg"]).coefficients["std_error"].iloc[0]
    table = found.table
    assert_allclose(table["std_error"].iloc[:3], std_error * table["share"].iloc[:3], rtol=1e-6)
    assert_allclose(table["conf_high"] - table["log_hazard_ratio"], 1.6448536 * table["std_error"], rtol=1e-6)
    assert_allclose(table["log_hazard_ratio"] - table["conf_low"], 1.6448536 * table["std_error"], rtol=1e-6)
    drawn = table.set_index("measurement")["std_error"][ROWS[3]]
    assert 0.75 * std_error < drawn < std_error  # the mean over draws varies less than the estimate as measured


def test_limits_of_the_reliability_cover_it():
    # a normal marker of SD 0.1 with an error of SD 0.05: reliability 1 - 0.25
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        cohort = pd.DataFrame({"mg": rng.normal(0.8, 0.1, 60), "time": rng.exponential(5, 60), "event": 1})
        found = attenuation(cohort, OS, "mg", measurement_error=0.05, error_scale="absolute", n_draws=1, seed=1)
        covered.append(found.reliability_low < 0.75 < found.reliability_high)
    assert 181 <= sum(covered) <= 197  # 190 expected of 200; outside with probability 0.006


def test_the_adjustment_leaves_less_variance_for_the_same_error():
    cohort = cohort_of()
    found = attenuation(
        cohort, OS, "mg", adjust=["burden"], strata="site", measurement_error=0.03, error_scale="absolute",
        n_draws=2, seed=1,
    )  # fmt: skip
    others = np.column_stack([cohort["site"] == 0, cohort["site"] == 1, cohort["burden"]]).astype(float)
    residual = np.linalg.lstsq(others, cohort["mg"], rcond=None)[1][0]
    assert found.reliability == pytest.approx(1 - 0.03**2 / (residual / (len(cohort) - 3)), rel=1e-9)
    assert (found.adjust, found.strata) == (("burden",), ("site",))


@pytest.mark.parametrize(("scale", "size"), [("absolute", 0.04), ("relative", 0.05)])
def test_drawing_finds_what_is_expected_where_the_effect_is_small(scale, size):
    cohort = cohort_of(n=4000, slope=1.0, seed=2)
    options = {"measurement_error": size, "error_scale": scale, "n_draws": 60, "seed": 3}
    table = attenuation(cohort, OS, "mg", adjust=["burden"], **options).table.set_index("measurement")
    expected, drawn = table.loc[ROWS[2]], table.loc[ROWS[3]]
    # one cohort's own covariance of marker and error vanishes over the draws; the Cox model's curvature stays, small
    assert abs(drawn["log_hazard_ratio"] - expected["log_hazard_ratio"]) < 4 * drawn["monte_carlo_error"] + 0.01
    assert drawn["share"] < 0.9


@pytest.mark.filterwarnings("ignore::analysis.errors.ManyTies")
def test_reliability_is_what_separates_measured_from_true_magnesium_in_the_planted_world():
    targets = read_truth(synthetic_folder() / "truth.json").log_hazard_ratios
    targets = targets[targets["endpoint"] == OVERALL_SURVIVAL.name].set_index("target")["log_hazard_ratio"]
    design = replace(CohortDesign(), missing_share=0.0)
    found = attenuation(
        simulate_cohort(design.of_size(20_000), seed=7).cohort, OVERALL_SURVIVAL, "magnesium",
        adjust=ADJUSTMENT, strata="treatment", measurement_error=design.measurement_error, error_scale="absolute",
        n_draws=1, seed=1,
    )  # fmt: skip
    ratio = targets["conditional, measured magnesium"] / targets["conditional, true magnesium"]
    assert found.reliability == pytest.approx(ratio, abs=0.025)  # three Monte-Carlo errors of the two targets


def test_without_error_nothing_is_lost():
    found = attenuation(cohort_of(), OS, "mg", measurement_error=0, n_draws=3, seed=1)
    assert_allclose(found.table["share"], 1, rtol=1e-7)
    assert_allclose(found.table["monte_carlo_error"], 0, atol=1e-9)


def test_seed_row_order_and_a_cohort_left_as_it_was():
    cohort = cohort_of()
    before = cohort.copy()
    first, again, other = (
        attenuation(cohort, OS, "mg", adjust=["burden"], n_draws=10, seed=seed).table for seed in (1, 1, 2)
    )
    shuffled = attenuation(cohort.sample(frac=1, random_state=4), OS, "mg", adjust=["burden"], n_draws=10, seed=1).table
    pd.testing.assert_frame_equal(first, again)
    pd.testing.assert_frame_equal(first, shuffled, rtol=1e-9)
    assert not first.equals(other)
    pd.testing.assert_frame_equal(cohort, before)


def test_missing_values_are_counted_and_few_events_are_a_warning():
    cohort = cohort_of(40)
    cohort.loc[0, "mg"], cohort.loc[1, "burden"] = np.nan, np.nan
    cohort["event"] = cohort["event"].where(cohort["event"].cumsum() <= 8, 0)
    dropped = "2 of 40 rows dropped: 1 for missing mg, 1 for missing burden"
    with pytest.warns(FewEvents, match=r"events for 2 parameters"), pytest.warns(RowsDropped, match=dropped):
        found = attenuation(cohort, OS, "mg", adjust=["burden"], n_draws=5, seed=1)
    assert (found.n_read, found.n_used) == (40, 38)
    assert found.dropped == {"missing mg": 1, "missing burden": 1}


OF_ONE_MARKER = {
    "attenuation": lambda cohort, **options: attenuation(cohort, OS, "mg", n_draws=2, **options),
    "extrapolation": lambda cohort, **options: simulation_extrapolation(cohort, OS, "mg", n_simulations=2, **options),
    "reclassification": lambda cohort, **options: reclassification(
        cohort, clinical_cutpoints("ejc-2024"), marker="mg", n_draws=2, **options
    ),
}


@pytest.mark.parametrize("name", OF_ONE_MARKER)
def test_rows_left_out_are_counted_before_an_error_as_large_as_the_spread_of_the_others_is_refused(name):
    cohort = cohort_of()
    cohort.loc[(cohort["mg"] < 0.75) | (cohort["mg"] > 0.85), "mg"] = np.nan
    options = {"measurement_error": 0.06, "error_scale": "absolute", "seed": 1}
    lost = int(cohort["mg"].isna().sum())
    with (
        pytest.warns(RowsDropped, match=f"{lost} of 400 rows dropped: {lost} for missing mg") as caught,
        pytest.raises(NotEstimable, match=r"a standard deviation of 0.06 is as large as that of 'mg' itself"),
    ):
        OF_ONE_MARKER[name](cohort, **options)
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"marker": "magnesium"}, CohortError, r"no column 'magnesium'"),
        ({"adjust": ["mg"]}, InputError, r"adjust: 'mg' holds the marker itself"),
        ({"measurement_error": 3}, InputError, r"did you mean 0.03"),
        ({"measurement_error": 0.2, "error_scale": "absolute"}, NotEstimable, r"is it in the same unit\?"),
        ({"marker": "burden"}, InputError, r"'burden': \d+ values are zero or negative .* error_scale=\"absolute\""),
        ({"seed": -1}, InputError, r"seed=-1 must be a whole number of at least 0"),
    ],
)
def test_invalid_arguments_raise(options, error, message):
    options = {"marker": "mg", "n_draws": 2, "seed": 1} | options
    with pytest.raises(error, match=message):
        attenuation(cohort_of(), OS, options.pop("marker"), **options)
