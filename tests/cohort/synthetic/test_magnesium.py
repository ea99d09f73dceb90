"""Magnesium: from its causes, in time, as measured and as missing, by its closed form in a large cohort."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import CohortDesign, simulate_cohort
from analysis.cohort.synthetic.causes import CAUSES, term_values
from analysis.cohort.synthetic.magnesium import LOSS_PER_DOUBLING
from analysis.cohort.synthetic.simulation import simulate_patients

LARGE = CohortDesign(missing_share=0.0, measurement_error=0.0).of_size(40_000)
MOST_STANDARD_ERRORS = 4.0


def test_unseen_growth_takes_magnesium_with_it():
    path = simulate_patients(CohortDesign(world="moving with burden").of_size(20_000), seed=2).path
    change = path.acting[:, 24] - path.acting[:, 0]
    slope = np.cov(change, path.growth[:, 24])[0, 1] / path.growth[:, 24].var()
    assert slope == pytest.approx(-LOSS_PER_DOUBLING, abs=4 * 0.06 / np.sqrt(20_000))
    still = simulate_patients(CohortDesign(world="moving").of_size(2000), seed=2).path
    assert (still.growth == 0).all()
    assert (still.acting[:, 1] != still.acting[:, 0]).all()


def test_magnesium_has_its_causes():
    simulated = simulate_cohort(LARGE, seed=4)
    cohort = simulated.cohort
    x = np.column_stack(
        [np.ones(len(cohort)), cohort["treatment"].cat.codes, *(term_values(cohort, cause.term) for cause in CAUSES)]
    )
    y = simulated.truth["magnesium"].to_numpy()
    slopes, residual, *_ = np.linalg.lstsq(x, y, rcond=None)
    std_error = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * residual[0] / len(y))
    expected = np.array([cause.magnesium for cause in CAUSES])
    assert np.abs((slopes[2:] - expected) / std_error[2:]).max() < MOST_STANDARD_ERRORS


def test_the_independent_world_relates_magnesium_to_nothing():
    design = replace(CohortDesign(world="independent", missing_share=0.2)).of_size(40_000)
    cohort = simulate_cohort(design, seed=5).cohort
    numbers = cohort.drop(columns=["patient_id", "magnesium", "site"]).assign(
        treatment=cohort["treatment"].cat.codes, sex=cohort["sex"].cat.codes
    )
    limit = MOST_STANDARD_ERRORS / np.sqrt(len(cohort))
    assert numbers.corrwith(cohort["magnesium"].isna().astype(float)).abs().max() < limit
    assert numbers.corrwith(cohort["magnesium"]).abs().max() < limit / np.sqrt(0.8)


def test_measurement_adds_its_error_and_missing_values_their_share():
    simulated = simulate_cohort(CohortDesign(missing_share=0.09).of_size(40_000), seed=6)
    error = simulated.cohort["magnesium"] - simulated.truth["magnesium"]
    assert error.mean() == pytest.approx(0, abs=4 * 0.028 / np.sqrt(40_000))
    assert error.std() == pytest.approx(np.hypot(0.028, 0.01 / np.sqrt(12)), rel=0.02)
    missing = simulated.cohort["magnesium"].isna()
    assert missing.mean() == pytest.approx(0.09, abs=0.01)
    early = (simulated.cohort["os_months"] <= 3) & (simulated.cohort["os_event"] == 1)
    assert missing[early].mean() > 2 * missing[~early].mean()


def test_repeated_samples_come_every_three_to_six_weeks_and_drift_with_drugs():
    simulated = simulate_cohort(LARGE.of_size(3000), seed=10)
    labs = simulated.labs
    same = labs["patient_id"].eq(labs["patient_id"].shift())
    gaps = labs["month"].diff()[same] * 30.4375 / 7
    assert gaps.between(2.5, 6.5).all()
    baseline = simulated.truth.set_index("patient_id")["magnesium"]
    drugs = simulated.cohort.set_index("patient_id")[["ppi", "platinum"]].sum(axis=1)
    late = labs[labs["month"] > 12]
    drift = late["magnesium"] - late["patient_id"].map(baseline)
    by_drugs = drift.groupby(late["patient_id"].map(drugs)).mean()
    assert by_drugs[0] == pytest.approx(0, abs=0.002)
    assert by_drugs[2] == pytest.approx(-0.05, abs=0.008)
