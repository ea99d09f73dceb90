"""E-values and the bias of an unmeasured confounder: by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InputError, confounder_bias, e_value

ratios = st.floats(0.05, 20)


def test_the_published_example_of_a_rare_outcome():
    # VanderWeele and Ding's worked example: RR 3.9 (1.8 to 8.7) has E-values 7.26 and 3.0
    found = e_value(3.9, conf_low=1.8, conf_high=8.7, outcome="rare")
    assert found.estimate == pytest.approx(3.9 + math.sqrt(3.9 * 2.9), rel=1e-12)
    assert round(found.estimate, 2) == 7.26
    assert round(found.limit, 1) == 3.0


def test_a_common_outcome_by_hand():
    found = e_value(0.5, conf_low=0.4, conf_high=0.8)

    def risk_ratio(ratio):
        return (1 - 0.5 ** math.sqrt(ratio)) / (1 - 0.5 ** math.sqrt(1 / ratio))

    for held, ratio in ((found.estimate, 0.5), (found.limit, 0.8)):
        inverse = 1 / risk_ratio(ratio)
        assert held == pytest.approx(inverse + math.sqrt(inverse * (inverse - 1)), rel=1e-12)


def test_an_interval_that_holds_one_needs_nothing():
    assert e_value(1.3, conf_low=0.9, conf_high=1.9).limit == 1
    assert e_value(0.8, conf_low=0.5, conf_high=1.1).limit == 1
    assert e_value(1.0).estimate == 1
    assert math.isnan(e_value(1.3).limit)


@pytest.mark.parametrize(("low", "high"), [(0.5, math.nan), (math.nan, 2.0), (0.5, 2.0), (1.0, 2.0), (0.5, 1.0)])
def test_a_ratio_of_one_with_an_interval_however_open_needs_nothing(low, high):
    found = e_value(1.0, conf_low=low, conf_high=high)
    assert (found.estimate, found.limit, found.risk_ratio_limit) == (1, 1, 1)


def test_the_limit_nearer_to_one_counts_and_the_other_may_be_open():
    def needed(ratio):
        return ratio + math.sqrt(ratio * (ratio - 1))

    above = [e_value(2.0, conf_low=1.25, conf_high=high, outcome="rare").limit for high in (3.2, math.inf, math.nan)]
    below = [e_value(0.5, conf_low=low, conf_high=0.8, outcome="rare").limit for low in (0.3, 0.0, math.nan)]
    assert above == pytest.approx([needed(1.25)] * 3, rel=1e-12)
    assert below == pytest.approx([needed(1 / 0.8)] * 3, rel=1e-12)
    exact = e_value(1.25, conf_low=1.25, conf_high=1.25, outcome="rare")  # an interval of no width holds its ratio
    assert exact.limit == exact.estimate == pytest.approx(needed(1.25), rel=1e-12)


@given(ratios, st.sampled_from(["common", "rare"]))
def test_a_ratio_and_its_inverse_need_the_same(ratio, outcome):
    there, back = e_value(ratio, outcome=outcome), e_value(1 / ratio, outcome=outcome)
    assert there.estimate == pytest.approx(back.estimate, rel=1e-9)
    assert there.estimate >= 1


@given(ratios)
def test_a_confounder_as_strong_as_the_e_value_just_explains(ratio):
    strength = e_value(ratio).estimate
    table = confounder_bias(ratio, strengths=[strength])
    assert table["risk_ratio"].iloc[0] == pytest.approx(1, rel=1e-9)


def test_the_grid_by_hand():
    table = confounder_bias(0.5, strengths=[1, 2, 4], outcome="rare")
    last = table.iloc[-1]
    assert (last["with_exposure"], last["with_outcome"]) == (4, 4)
    assert last["bias_factor"] == pytest.approx(16 / 7)
    assert last["risk_ratio"] == pytest.approx(8 / 7)
    assert table["explained"].tolist() == [False] * 8 + [True]
    assert len(table) == 9


@pytest.mark.parametrize(("ratio", "left"), [(4 / 3, 1.0), (0.75, 1.0), (1.0, 0.75)])
def test_what_is_left_of_a_ratio_at_the_bound_is_explained(ratio, left):
    # two ratios of 2 bias by 4 / 3 at most; a ratio of one, like those above it, is divided
    (row,) = confounder_bias(ratio, strengths=2.0, outcome="rare").to_dict("records")
    assert row["risk_ratio"] == pytest.approx(left, rel=1e-15)
    assert row["explained"]
    assert not confounder_bias(1.4, strengths=[2.0], outcome="rare")["explained"].item()
    assert not confounder_bias(0.7, strengths=[2.0], outcome="rare")["explained"].item()


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({"hazard_ratio": 0}, "hazard_ratio=0 must be a finite number above 0"),
        ({"hazard_ratio": float("nan")}, "hazard_ratio=nan must be a finite number above 0"),
        ({"hazard_ratio": 1.2, "conf_low": 1.0}, "give both limits or neither"),
        ({"hazard_ratio": 1.2, "conf_low": 1.3, "conf_high": 1.5}, "1.3 to 1.5 does not hold the hazard ratio 1.2"),
        ({"hazard_ratio": 1.2, "conf_low": -1, "conf_high": 1.5}, "limits of a hazard ratio are not negative"),
        ({"hazard_ratio": 1.2, "conf_low": 0.5, "conf_high": 1.1}, "0.5 to 1.1 does not hold the hazard ratio 1.2"),
        ({"hazard_ratio": 1.2, "conf_low": True, "conf_high": 1.5}, "conf_low=True must be a number; an open limit"),
        ({"hazard_ratio": 1.2, "conf_low": 0.5, "conf_high": "2"}, "conf_high='2' must be a number; an open limit"),
        ({"hazard_ratio": 1.2, "outcome": "comon"}, "did you mean 'common'"),
    ],
)
def test_invalid_arguments_raise(given_values, message):
    with pytest.raises(InputError, match=message):
        e_value(**given_values)


@pytest.mark.parametrize("strengths", [[0.5, 2.0], [], ["a"], [1.0, np.inf], [[1.0, 2.0]], [True, True]])
def test_strengths_below_one_are_refused(strengths):
    with pytest.raises(InputError, match="must be risk ratios of at least 1"):
        confounder_bias(1.5, strengths=strengths)
