"""Standardised courses: drawn within their stratum, and equal to weighting by the stratum's known probability."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from analysis.cohort.synthetic.design import CohortDesign
from analysis.cohort.synthetic.simulation import simulate_patients
from analysis.strata.cutpoints import clinical_cutpoints
from analysis.truth.true_curves import curve_table, magnesium_within, restricted_mean_table, stratum_courses

DESIGN = CohortDesign()
CUTS = clinical_cutpoints("nhanes-1")
N = 100_000


@pytest.fixture(scope="module")
def patients():
    return simulate_patients(DESIGN.of_size(N), seed=1)


@pytest.fixture(scope="module")
def strata(patients):
    return stratum_courses(patients, DESIGN, CUTS, seed=1)


def test_everybody_is_in_one_stratum_and_all_are_put_in_each(strata):
    sizes = [len(stratum.found.death) for stratum in strata]
    assert sizes[0] == sum(sizes[1:]) == N
    assert all(len(stratum.standardised.death) == N for stratum in strata)


@pytest.mark.parametrize(("label", "low", "high"), [("low", -np.inf, 0.745), ("reference", 0.745, 0.945)])
def test_standardising_equals_weighting_by_the_probability_of_the_stratum(patients, strata, label, low, high):
    sd = np.hypot(patients.law.sd, DESIGN.measurement_error)
    probability = ndtr((high - patients.law.mean) / sd) - ndtr((low - patients.law.mean) / sd)
    inside = (patients.measured > low) & (patients.measured < high)
    weights = inside / probability
    spent = np.minimum(patients.course.death, 24)
    weighted = weights @ spent / weights.sum()
    error = np.sqrt(np.square(weights * (spent - weighted)).sum()) / weights.sum()
    standardised = next(stratum.standardised for stratum in strata if stratum.label == label)
    mean = np.minimum(standardised.death, 24).mean()
    assert abs(mean - weighted) < 4 * np.hypot(error, spent.std() / np.sqrt(N))


@pytest.mark.parametrize("error", [0.0, 0.028, 0.1])
def test_true_magnesium_is_drawn_given_its_measurement(patients, error):
    design = CohortDesign(measurement_error=error)
    drawn = magnesium_within(patients, design, -np.inf, np.inf, np.random.default_rng(1))
    residual = (drawn - patients.law.mean) / patients.law.sd
    assert residual.mean() == pytest.approx(0, abs=4 / np.sqrt(N))
    assert residual.std() == pytest.approx(1, abs=4 / np.sqrt(2 * N))

    total = np.hypot(patients.law.sd, error)
    bound = (0.745 - patients.law.mean) / total
    within = magnesium_within(patients, design, -np.inf, 0.745, np.random.default_rng(2))
    expected = patients.law.mean - patients.law.sd**2 / total * norm.pdf(bound) / norm.cdf(bound)
    assert within.mean() == pytest.approx(expected.mean(), abs=4 * 0.09 / np.sqrt(N))
    assert error > 0 or (within < 0.745).all()


def test_the_area_under_a_curve_is_its_restricted_mean(strata):
    curves, means = curve_table(strata), restricted_mean_table(strata)
    for row in means.itertuples():
        mine = curves[(curves["endpoint"] == row.endpoint) & (curves["stratum"] == row.stratum)]
        mine = mine[mine["time"] <= row.horizon]
        for curve, mean in (
            ("survival", row.restricted_mean),
            ("standardised_survival", row.standardised_restricted_mean),
        ):
            area = np.trapezoid(mine[curve], mine["time"])
            assert area == pytest.approx(mean, abs=0.06)


def test_curves_fall_and_start_at_one(strata):
    for _, curve in curve_table(strata).groupby(["endpoint", "stratum"]):
        for name in ("survival", "standardised_survival"):
            assert curve[name].iloc[0] == 1
            assert curve[name].is_monotonic_decreasing
