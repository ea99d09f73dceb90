"""Sizes of studies: closed forms by hand, the reverse question, and power that simulation confirms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from analysis import Endpoint, InputError, fit_cox, kaplan_meier, load_example, pilot_assumptions, plan_study

Z = norm.ppf(0.975) + norm.ppf(0.9)
FOLLOWED = {"event_rate": 0.05, "accrual": 12.0, "follow_up": 24.0}


@pytest.mark.parametrize(
    ("options", "information"),
    [
        ({"hazard_ratio": 1.3, "marker_sd": 0.8, "r_squared": 0.25}, 0.64 * 0.75),
        ({"hazard_ratio": 0.7, "design": "groups"}, 0.25),
        ({"hazard_ratio": 0.7, "design": "groups", "allocation": 0.2}, 0.16),
        ({"hazard_ratio": 0.5, "design": "interaction", "allocation": 0.5, "prevalence": 0.3}, 0.25 * 0.21),
        ({"hazard_ratio": 0.5, "design": "stratum", "prevalence": 0.3}, 0.25),
        ({"hazard_ratio": 1.3, "design": "cut"}, 2 / np.pi),
    ],
)
def test_events_by_the_closed_form(options, information):
    """(z + z)^2 over the information and the squared log hazard ratio; a cut at the median keeps 2 / pi of it."""
    planned = plan_study(**options)
    expected = Z**2 / (information * np.log(options["hazard_ratio"]) ** 2)
    assert planned.n_event == np.ceil(expected)
    half = norm.ppf(0.975) / np.sqrt(information * planned.n_event)
    assert_allclose(planned.interval_ratio, np.exp(2 * half))
    assert planned.n is None
    assert np.isnan(planned.months)


def test_hsieh_and_lavoris_own_example():
    """Log hazard ratio 1, standard deviation 0.3126, R^2 0.1837, one-sided 5 %, 80 %; 73.8 % die: 106 patients."""
    planned = plan_study(hazard_ratio=np.e, power=0.8, alpha=0.1, marker_sd=0.3126, r_squared=0.1837)
    assert planned.n_event == 78
    assert np.ceil(planned.n_event / 0.738) == 106


def test_patients_are_events_over_their_share():
    planned = plan_study(hazard_ratio=0.6, design="stratum", prevalence=0.25, **FOLLOWED)
    assert planned.n == np.ceil(planned.n_event / planned.event_share)
    assert planned.n_screened == planned.n * 4
    assert planned.months == 36


@pytest.mark.parametrize("design", ["marker", "groups", "cut"])
def test_the_reverse_gives_the_ratio_back(design):
    asked = plan_study(hazard_ratio=1.4, design=design, **FOLLOWED)
    by_events = plan_study(n_event=asked.n_event, design=design, **FOLLOWED)
    assert 1.39 < by_events.hazard_ratio <= 1.4
    by_patients = plan_study(n=asked.n, design=design, **FOLLOWED)
    assert by_patients.hazard_ratio == pytest.approx(1.4, rel=0.01)
    assert by_patients.n == asked.n


def test_simulated_power_is_what_was_planned():
    """Near a ratio of 1 the closed form holds: within four Monte-Carlo errors."""
    planned = plan_study(hazard_ratio=1.5, power=0.8, r_squared=0.3, **FOLLOWED)
    simulated = planned.simulate(seed=1, n_replicates=300)
    assert abs(simulated.power - 0.8) < 4 * simulated.std_error
    assert simulated.mean_events == pytest.approx(planned.n_event, rel=0.05)
    assert simulated.mean_log_hazard_ratio == pytest.approx(np.log(1.5), abs=0.05)
    assert simulated.n_failed == 0
    assert_allclose(simulated.std_error, np.sqrt(simulated.power * (1 - simulated.power) / 300))
    assert planned.simulate(seed=1, n_replicates=300) == simulated


def test_without_an_effect_it_rejects_as_often_as_alpha():
    planned = plan_study(n=120, design="groups", alpha=0.1, **FOLLOWED)
    null = planned.__class__(**{**vars(planned), "hazard_ratio": 1.0})
    simulated = null.simulate(seed=2, n_replicates=400)
    assert abs(simulated.power - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 400)


def test_a_pilot_gives_the_arguments():
    lung, survival = load_example("lung"), Endpoint("os_days", "os_event")
    pilot = pilot_assumptions(
        fit_cox(lung, survival, ["age", "sex"]), kaplan_meier(lung, survival, by="sex"), marker="age"
    )
    assert_allclose(pilot["event_rate"], lung["os_event"].sum() / lung["os_days"].sum())
    assert_allclose(pilot["marker_sd"], lung["age"].std())
    assert_allclose(pilot["r_squared"], lung["age"].corr(lung["sex"]) ** 2)
    assert plan_study(**pilot, follow_up=365).n > 0
    with pytest.raises(InputError, match="marker"):
        pilot_assumptions(fit_cox(lung, survival, ["age"]), kaplan_meier(lung, survival), marker="ecog")


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(InputError, match="give one of hazard_ratio, n_event and n; got hazard_ratio, n_event"):
        plan_study(hazard_ratio=1.3, n_event=100)
    with pytest.raises(InputError, match="got none"):
        plan_study()
    with pytest.raises(InputError, match="hazard_ratio=1: nothing to show"):
        plan_study(hazard_ratio=1)
    with pytest.raises(InputError, match=r"power=90 must lie between 0 and 1\n"):
        plan_study(hazard_ratio=1.3, power=90, alpha=5)
    with pytest.raises(InputError, match="give n_event instead"):
        plan_study(n=100)
    with pytest.raises(InputError, match="how many patients is not known"):
        plan_study(hazard_ratio=1.3).simulate(seed=1)
