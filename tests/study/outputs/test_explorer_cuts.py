"""Cuts of the explorer: who lies on either side, and curves that equal those of the two groups by themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import OVERALL_SURVIVAL, kaplan_meier, risk_table, survival_quantile
from analysis.study.outputs.explorer_cuts import Cut, spread, survival_at_cuts, used_rows

CUTS = [Cut(0.75, "left", label="0.75"), Cut(0.80, "right", label="0.80")]


@pytest.mark.parametrize(("closed", "n"), [("left", 1), ("right", 3)])
def test_a_value_equal_to_the_cut_lies_on_the_side_that_is_closed(closed, n):
    assert Cut(0.7, closed).n_low(np.array([0.6, 0.7, 0.7, 0.8])) == n


@given(st.integers(1, 500), st.integers(2, 100))
def test_spread_positions_are_ends_and_evenly_between(n, most):
    positions = spread(n, most)
    assert len(positions) == min(n, most)
    assert (positions[0], positions[-1]) == (0, n - 1)
    assert len(positions) == 1 or np.ptp(np.diff(positions)) <= 1


@pytest.fixture(scope="module")
def at_cuts(study):
    return survival_at_cuts(study, OVERALL_SURVIVAL, CUTS)


@pytest.mark.parametrize("position", [0, 1])
def test_groups_curves_and_numbers_at_risk_are_those_of_the_two_groups(study, at_cuts, position):
    groups, curves, risk, _ = at_cuts
    rows, cut = used_rows(study, OVERALL_SURVIVAL), CUTS[position]
    low = rows["magnesium"] < cut.value if cut.closed == "left" else rows["magnesium"] <= cut.value
    for name, mine in {"low": rows[low], "high": rows[~low]}.items():
        whole = kaplan_meier(mine, OVERALL_SURVIVAL, engine="kernel").set_index("time")
        row, steps, shown = (
            frame[(frame["place"] == position) & (frame["group"] == name)] for frame in (groups, curves, risk)
        )
        median = survival_quantile(whole.reset_index(), 0.5).iloc[0]
        assert (row["n"].item(), row["n_event"].item()) == (len(mine), mine["os_event"].sum())
        assert row["median"].item() == median["time"]
        steps = steps.set_index("time")
        assert steps["survival"].tolist() == whole.loc[steps.index, "survival"].tolist()
        assert steps["n_risk"].tolist() == whole.loc[steps.index, "n_risk"].tolist()
        expected = risk_table(mine, OVERALL_SURVIVAL, times=shown["time"].tolist())
        assert shown["n_risk"].tolist() == expected["n_risk"].tolist()


def test_intervals_say_which_side_is_closed(at_cuts):
    groups = at_cuts[0]
    assert groups["interval"].tolist() == ["< 0.75 mmol/L", "≥ 0.75 mmol/L", "≤ 0.80 mmol/L", "> 0.80 mmol/L"]


def test_only_complete_rows_are_used(study):
    rows = used_rows(study, OVERALL_SURVIVAL)
    assert len(rows) == 438  # 480 less 42 without magnesium
    assert list(rows.columns) == ["os_months", "os_event", "magnesium"]
    pd.testing.assert_frame_equal(rows, study.cohort.loc[rows.index, rows.columns])
