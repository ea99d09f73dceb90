"""What covariates cause: hazards inverted by definition and by hand, and covariates within the ranges of a chart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analysis import ADJUSTMENT, COHORT_SCHEMA, CohortDesign
from analysis.cohort.synthetic.causes import (
    CAUSES,
    Hazard,
    adjustment_terms,
    draw_covariates,
    effect_of_causes,
    treatment_codes,
)

POSITIVE = st.floats(0.01, 50)


@given(st.floats(0.01, 1), st.floats(0.5, 100), st.floats(0, 20), st.floats(-3, 3))
def test_event_times_invert_the_cumulative_hazard(rate, fade, exponential, log_ratio):
    time = Hazard(rate, fade).times(np.array([exponential]), np.array([log_ratio]))[0]
    whole = rate * fade * np.exp(log_ratio)
    if np.isinf(time):
        assert exponential >= whole * (1 - 1e-12)
    else:
        assert whole * -np.expm1(-time / fade) == pytest.approx(exponential, rel=1e-9, abs=1e-12)


@given(st.floats(0.01, 1), st.floats(0.5, 100), st.floats(0, 20), st.floats(-3, 3))
def test_periods_of_one_log_ratio_are_no_periods(rate, fade, exponential, log_ratio):
    hazard, one = Hazard(rate, fade), np.array([exponential])
    starts = np.array([[0.0, 0.0, 0.7, 3.0, 50.0]])
    found = hazard.times_by_period(one, starts, np.full(starts.shape, log_ratio))
    assert found == pytest.approx(hazard.times(one, np.array([log_ratio])), rel=1e-6)


def test_event_times_by_period_by_hand():
    """A hazard of nearly 1 a month, doubled in the second month and gone after it: at 0.5, 1 + 0.5 / 2, never."""
    found = Hazard(1.0, 1e9).times_by_period(
        np.array([0.5, 1.5, 3.5]), np.tile([0.0, 1.0, 2.0], (3, 1)), np.tile([0.0, np.log(2), -60.0], (3, 1))
    )
    assert found[:2] == pytest.approx([0.5, 1.25], rel=1e-6)
    assert np.isinf(found[2])


def test_a_fading_hazard_leaves_its_plateau():
    times = Hazard(0.1, 10.0).times(np.random.default_rng(1).standard_exponential(100_000), np.zeros(100_000))
    assert np.isinf(times).mean() == pytest.approx(np.exp(-1), abs=4 * 0.5 / np.sqrt(100_000))


def test_covariates_lie_within_the_ranges_of_their_columns():
    covariates = draw_covariates(CohortDesign().of_size(5000), np.random.default_rng(1))
    for name in covariates:
        column = COHORT_SCHEMA[name]
        if column.type == "category":
            assert covariates[name].cat.categories.tolist() == list(column.levels)
        elif column.type == "indicator":
            assert set(covariates[name]) == {0, 1}
        else:
            assert covariates[name].between(column.low, column.high).all()
    assert (covariates["treatment"] == "CAR T cells").sum() == round(5000 / 3)
    assert treatment_codes(covariates).tolist() == (covariates["treatment"] == "CAR T cells").astype(int).tolist()


def test_terms_are_columns_or_their_logarithms_to_base_2_and_effects_their_weighted_sums():
    covariates = draw_covariates(CohortDesign(), np.random.default_rng(2))
    terms = adjustment_terms(covariates)
    for term, values in zip(ADJUSTMENT, terms.T, strict=True):
        name = term.removeprefix("log2(").removesuffix(")")
        assert_allclose(values, np.log(covariates[name]) / np.log(2) if name != term else covariates[name])
    slopes, centres = (np.array([getattr(cause, what) for cause in CAUSES]) for what in ("magnesium", "centre"))
    assert [cause.term for cause in CAUSES] == list(ADJUSTMENT)
    assert_allclose(effect_of_causes(covariates, "magnesium"), (terms - centres) @ slopes, atol=1e-12)
