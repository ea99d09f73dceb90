"""Accuracy of risks under censoring: R's Score, by hand, and influences that are derivatives by the rows' weights."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis import Endpoint, fit_cox, kaplan_meier, load_example, predict_survival, survival_at
from analysis.kernels.accuracy import (
    area_under_curve,
    brier_score,
    censoring_weights,
    net_benefits,
    observed_over_expected,
    prediction_accuracy_index,
)

SURVIVAL = Endpoint("os_days", "os_event")
LUNG = load_example("lung").dropna(subset=["ecog"])
TIME, EVENT = LUNG["os_days"].to_numpy(float), LUNG["os_event"].to_numpy() == 1
# riskRegression 2022.11: Score(list(coxph(~ age + sex), coxph(~ age + sex + ph.ecog)), Surv(time, status) ~ 1,
#   times = c(180, 365), cens.model = "km", summary = "ipa", null.model = TRUE): AUC, se, Brier, se, IPA
SCORE = {
    ("age + sex", 180): (0.641185961419, 0.0405575778674, 0.1904133016, 0.012926564216, 0.04527246947),
    ("age + sex", 365): (0.598087574242, 0.0429321866728, 0.2366087143, 0.009913972465, 0.02262904679),
    ("age + sex + ecog", 180): (0.698024965769, 0.0384943433773, 0.1786855403, 0.012714399254, 0.10407517148),
    ("age + sex + ecog", 365): (0.647397660015, 0.0418661137365, 0.2255963093, 0.011879884698, 0.06811851565),
}


def risks(formula: str, horizon: float) -> np.ndarray:
    """The risks of the lung patients by a Cox model."""
    return 1 - predict_survival(fit_cox(LUNG, SURVIVAL, formula), LUNG, horizon)["survival"].to_numpy()


def null_risks(horizon: float) -> np.ndarray:
    """Kaplan-Meier's risk for everybody."""
    return np.full(len(TIME), 1 - survival_at(kaplan_meier(LUNG, SURVIVAL), horizon)["survival"].iloc[0])


@pytest.mark.parametrize(("formula", "horizon"), SCORE)
def test_estimates_are_those_of_score_and_errors_near_them(formula, horizon):
    auc, auc_error, brier, brier_error, ipa = SCORE[formula, horizon]
    weights, risk = censoring_weights(TIME, EVENT, horizon), risks(formula, horizon)
    area, score = area_under_curve(weights, risk), brier_score(weights, risk)
    assert_allclose(area[0], auc, rtol=1e-10)
    assert_allclose(score[0], brier, rtol=2e-9)
    assert_allclose(prediction_accuracy_index(score, brier_score(weights, null_risks(horizon)))[0], ipa, rtol=1e-8)
    # Score divides by n - 1 and takes the martingale of the censoring for its derivative
    assert_allclose(np.sqrt(area[1] @ area[1]), auc_error, rtol=3e-3)
    assert_allclose(np.sqrt(score[1] @ score[1]), brier_error, rtol=5e-3)


@pytest.mark.parametrize(("what", "error"), [(area_under_curve, 0.0346190162418), (brier_score, 0.00813346117180)])
def test_the_error_of_a_difference_is_near_that_of_score(what, error):
    weights = censoring_weights(TIME, EVENT, 365)
    moved = what(weights, risks("age + sex + ecog", 365))[1] - what(weights, risks("age + sex", 365))[1]
    assert_allclose(np.sqrt(moved @ moved), error, rtol=3e-3)


def draws(seed: int, n: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times with ties, events, risks and strata."""
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 12, n).astype(float)
    return time, rng.random(n) < 0.6, rng.random(n).round(1) * 0.8 + 0.1, np.arange(n) % 2


@pytest.mark.parametrize("what", [area_under_curve, brier_score, observed_over_expected])
@pytest.mark.parametrize("stratified", [False, True])
def test_an_influence_is_the_derivative_by_a_rows_weight(what, stratified):
    """Every row 2,000 times: one copy more or less moves the measure by the influence over 2,000."""
    time, event, risk, strata = draws(1)
    copies = np.full(len(time), 2000)

    def value(counts: np.ndarray) -> float:
        again = [np.repeat(part, counts) for part in (time, event, risk, strata)]
        return what(censoring_weights(again[0], again[1], 6, again[3] if stratified else None), again[2])[0]

    influence = what(censoring_weights(time, event, 6, strata if stratified else None), risk)[1]
    for row in range(0, len(time), 3):
        step = (np.arange(len(time)) == row).astype(int)
        numeric = (value(copies + step) - value(copies - step)) * 2000 / 2
        assert_allclose(influence[row], numeric, rtol=1e-4, atol=1e-7)


def test_without_censoring_everything_is_plain():
    time, event = np.array([1.0, 2, 3, 4, 5]), np.ones(5, dtype=bool)
    risk = np.array([0.9, 0.2, 0.6, 0.4, 0.1])
    weights = censoring_weights(time, event, 2)
    assert weights.case.tolist() == [1, 1, 0, 0, 0]
    assert weights.control.tolist() == [0, 0, 1, 1, 1]
    assert area_under_curve(weights, risk)[0] == pytest.approx((3 + 1) / 6)
    assert brier_score(weights, risk)[0] == pytest.approx(np.mean((np.array([1, 1, 0, 0, 0]) - risk) ** 2))
    assert observed_over_expected(weights, risk)[0] == pytest.approx(2 / risk.sum())


def test_ties_of_the_score_count_half():
    weights = censoring_weights(np.array([1.0, 2, 3, 4]), np.ones(4, dtype=bool), 2)
    assert area_under_curve(weights, np.array([0.5, 0.5, 0.5, 0.1]))[0] == 0.75


def test_censoring_weights_by_hand_within_strata():
    """At the tie at 2 the event leaves before the censoring: G falls to 1/2 of the two that are left."""
    time, event = np.array([2.0, 2, 3, 1, 4]), np.array([True, False, True, False, True])
    together = censoring_weights(time, event, 3)
    assert_allclose(together.case, [1 / 0.8, 0, 1 / (0.8 * 2 / 3), 0, 0])
    assert_allclose(together.control, [0, 0, 0, 0, 1 / (0.8 * 2 / 3)])
    apart = censoring_weights(time, event, 3, np.array([0, 0, 0, 1, 1]))
    assert_allclose(apart.case, [1, 0, 2, 0, 0])
    assert_allclose(apart.control, [0, 0, 0, 0, 2])


def test_the_sum_of_case_weights_is_kaplan_meiers_share():
    weights = censoring_weights(TIME, EVENT, 365)
    assert_allclose(weights.case.mean(), null_risks(365)[0], rtol=1e-12)


def test_net_benefit_by_hand():
    """Three of five are treated; among them an event at 1, a censoring at 2, an event at 4."""
    time, event = np.array([1.0, 2, 4, 3, 5]), np.array([True, False, True, True, False])
    risk = np.array([0.9, 0.8, 0.7, 0.1, 0.2])
    survival = 2 / 3 * 0
    expected = 3 / 5 * ((1 - survival) - survival * 0.5 / 0.5)
    assert_allclose(net_benefits(time, event, risk, 4, np.array([0.5])), [expected])
    early = 3 / 5 * (1 / 3 - 2 / 3 * 0.25 / 0.75)
    assert_allclose(net_benefits(time, event, risk, 3, np.array([0.25, 0.95])), [early, 0])
