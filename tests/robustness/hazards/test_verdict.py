"""What is said of proportional hazards, case by case, and how often where hazards are proportional or fade."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    InputError,
    fit_cox,
    piecewise_effects,
    proportional_hazards_test,
    proportional_hazards_verdict,
)


def periods(*limits: tuple[float, float], n_event: int = 40) -> pd.DataFrame:
    low, high = (np.array(side) for side in zip(*limits, strict=True))
    return pd.DataFrame({"hazard_ratio": np.sqrt(low * high), "conf_low": low, "conf_high": high, "n_event": n_event})


STEADY = periods((1.1, 1.8), (0.82, 1.92))
ACROSS = periods((1.1, 2.0), (0.5, 0.9))


@pytest.mark.parametrize(
    ("frame", "score", "period", "departure"),
    [
        (STEADY, 0.4, 0.6, "not shown"),
        (STEADY, 0.025, 0.9, "not shown"),  # two tests: 0.025 each
        (STEADY, 0.024, 0.9, "shown"),
        (STEADY, 0.9, 0.024, "shown"),
        (ACROSS, 0.01, 0.01, "opposite sides"),
        (ACROSS, 0.4, 0.4, "not shown"),
        (periods((1.1, 2.0), (0.5, 1.01)), 0.01, 0.01, "shown"),  # estimates on both sides, one interval holds 1
        (periods((0.99, 2.0), (0.5, 0.9)), 0.01, 0.01, "shown"),
        (periods((0.5, 0.9), (0.9, 1.2), (1.1, 1.4)), 0.04, 0.01, "opposite sides"),
        (periods((1.1, 1.8), (0.9, 1.9), n_event=24), 0.001, 0.001, "undecided"),
        (periods((1.1, 1.8), (0.9, float("nan"))), 0.4, 0.4, "undecided"),
    ],
)
def test_each_case_of_the_rule(frame, score, period, departure):
    verdict = proportional_hazards_verdict(frame, score_p_value=score, period_p_value=period)
    assert verdict.departure == departure
    assert verdict.sentence.endswith(".")


def test_no_departure_is_told_with_its_events_and_what_the_ratios_are_compatible_with():
    sentence = proportional_hazards_verdict(STEADY, score_p_value=0.4, period_p_value=0.6).sentence
    assert "could be shown with 80 events" in sentence
    assert "compatible with values from 0.82 to 1.92" in sentence
    assert "describes this follow-up" not in sentence


@pytest.mark.parametrize("column", ["hazard_ratio", "conf_low", "conf_high", "n_event"])
def test_a_frame_that_is_none_is_refused(column):
    with pytest.raises(InputError, match="piecewise_effects"):
        proportional_hazards_verdict(STEADY.drop(columns=column), score_p_value=0.5, period_p_value=0.5)


def verdicts(late: float, n: int = 80, *, n_cohorts: int = 40) -> list[str]:
    """The verdicts on cohorts whose log hazard ratio is 0.5 up to month 6 and `late` after it."""
    found = []
    for seed in range(n_cohorts):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=n)
        early = rng.exponential(8 / np.exp(0.5 * x))
        time = np.where(early <= 6, early, 6 + rng.exponential(8 / np.exp(late * x)))
        cohort = pd.DataFrame({"t": np.minimum(time, 24), "e": (time <= 24) * 1, "x": x})
        endpoint = Endpoint("t", "e")
        effects = piecewise_effects(cohort, endpoint, "x", cuts=[6])
        score = proportional_hazards_test(fit_cox(cohort, endpoint, ["x"]))["p_value"].iloc[0]
        verdict = proportional_hazards_verdict(
            effects.periods, score_p_value=float(score), period_p_value=effects.test.p_value
        )
        found.append(verdict.departure)
    return found


def test_proportional_hazards_are_seldom_doubted_and_a_fading_effect_is_seldom_said_to_turn():
    proportional = verdicts(0.5)
    # at most 5 % asked for: 7 or more of 40 have probability 0.003
    assert sum(departure in {"shown", "opposite sides"} for departure in proportional) <= 6
    fading = verdicts(0.0)
    assert fading.count("opposite sides") <= 4  # one interval in forty lies below 1: 5 or more have probability 0.003
    assert fading.count("shown") > 5
