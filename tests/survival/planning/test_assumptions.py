"""What a plan takes for granted: shares with the event by integration, information by simulation of the covariates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import norm

from analysis.survival.planning.assumptions import Assumptions, share_problems


def assumed(**changes: object) -> Assumptions:
    """Two groups of a third and two thirds, followed 12 to 36 months."""
    plain: dict[str, object] = {"design": "groups", "marker_sd": 1.0, "r_squared": 0.0, "allocation": 1 / 3}
    plain |= {"prevalence": 0.4, "event_rate": 0.03, "accrual": 24.0, "follow_up": 12.0, "drop_out": 0.01}
    return Assumptions(**plain | changes)  # type: ignore[arg-type]


def share(rate: float, drop_out: float = 0.01) -> float:
    """The share with the event of patients with this rate, who enter evenly over 24 months and are followed 12 more."""

    def by(end: float) -> float:
        return quad(lambda t: rate * np.exp(-(rate + drop_out) * t), 0, end)[0]

    return quad(lambda entry: by(12 + entry) / 24, 0, 24)[0]


def test_the_share_with_the_event_is_the_integral_over_entry_and_time():
    assert_allclose(assumed().event_share(np.log(0.6)), share(0.03) * 2 / 3 + share(0.018) / 3)
    assert_allclose(assumed(accrual=0.0, follow_up=20.0, drop_out=0.0).event_share(0.0), 1 - np.exp(-0.6))
    mixed = assumed(design="interaction").event_share(np.log(0.5))
    assert_allclose(mixed, share(0.03) * (1 - 0.4 / 3) + share(0.015) * 0.4 / 3)
    assert np.isnan(assumed(event_rate=None, follow_up=None).event_share(0.1))


def test_the_share_is_averaged_over_a_normal_marker():
    expected = quad(lambda z: share(0.03 * np.exp(0.5 * 0.8 * z)) * norm.pdf(z), -7, 7)[0]
    assert_allclose(assumed(design="marker", marker_sd=0.8).event_share(0.5), expected, rtol=1e-6)


@pytest.mark.parametrize("design", ["marker", "cut", "groups", "interaction"])
def test_information_is_the_variance_of_what_the_other_covariates_leave(design):
    """Of a large draw of patients; "cut" times the square of the effect that the groups take up."""
    taken = assumed(design=design, marker_sd=0.7, r_squared=0.3)
    x, effect = taken.covariates(np.random.default_rng(1), 400_000, 1.0)
    own, others = x[:, 0] - x[:, 0].mean(), x[:, 1:] - x[:, 1:].mean(axis=0)
    left = own - others @ np.linalg.lstsq(others, own, rcond=None)[0] if others.shape[1] else own
    slope = left @ (effect - effect.mean()) / (left @ left)  # what the tested covariate takes up of the effect
    expected = slope**2 * left.var() if design == "cut" else left.var()
    assert_allclose(taken.information, expected, rtol=0.02)


def test_drop_out_and_the_end_of_the_study_censor():
    taken = assumed(drop_out=0.0)
    time, event = taken.follow(np.random.default_rng(2), np.full(20_000, 1e-9))
    assert not event.any()
    assert time.min() >= 12
    assert time.max() <= 36
    early = assumed(drop_out=1.0).follow(np.random.default_rng(2), np.full(20_000, 1e-9))[0]
    assert_allclose(early.mean(), 1, rtol=0.03)


def test_every_fault_is_named():
    wrong = assumed(design="groups", allocation=1.2, r_squared=1.0, event_rate=0.0, follow_up=None, drop_out=-1.0)
    text = "\n".join(wrong.problems())
    for part in (
        "allocation=1.2 must lie between 0 and 1",
        "r_squared=1.0 must be below 1",
        "event_rate=0 must be above 0",
        "needed together",
        "drop_out",
    ):
        assert part in text
    assert share_problems("power", 0.9) == []
