"""The times at which a study is read and the targets beside its estimates, worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import load_example
from analysis.study.study import (
    common_follow_up,
    horizon,
    milestones,
    quotable,
    with_difference_targets,
    with_restricted_mean_targets,
    with_survival_targets,
)
from tests.study.plans import study_of


@pytest.fixture
def lung(tmp_path):
    """The lung cohort by age, its younger half followed for at most 400 days."""
    cohort = load_example("lung")[["os_days", "os_event", "age"]]
    young = cohort["age"] <= cohort["age"].median()
    return study_of(cohort.assign(os_days=cohort["os_days"].where(~young, cohort["os_days"].clip(upper=400))), tmp_path)


def test_common_follow_up_is_the_shorter_of_the_strata_and_limits_the_customary_times(lung):
    assert common_follow_up(lung, lung.primary) == 400
    assert milestones(lung, lung.primary) == (90, 180, 365)
    assert horizon(lung, lung.primary) == 365


def test_the_times_of_the_plan_come_first(lung):
    planned = replace(lung, plan=replace(lung.plan, milestones=(50.0, 70.0), horizon=300.0))
    assert milestones(planned, planned.primary) == (50, 70)
    assert horizon(planned, planned.primary) == 300
    assert horizon(replace(planned, plan=replace(planned.plan, horizon=None)), planned.primary) == 70


@pytest.mark.parametrize(("longest", "time"), [(78.9, 78), (8.67, 8.6), (0.0456, 0.045)])
def test_below_every_customary_time_the_follow_up_is_rounded_down_to_two_digits(lung, longest, time):
    days = lung.cohort["os_days"].clip(upper=longest)
    assert milestones(replace(lung, cohort=lung.cohort.assign(os_days=days)), lung.primary) == pytest.approx((time,))


def test_a_backtick_is_no_part_of_a_column_that_a_formula_quotes():
    assert quotable("a`b") == "a'b"


def test_a_target_stands_after_the_interval_and_is_missing_where_it_is_not_known(study):
    endpoint, truth = study.primary, study.truth
    points = pd.DataFrame({"stratum": ["low", "low"], "time": [12.0, 12.5], "conf_high": 1.0, "n": 3})
    placed = with_survival_targets(points, truth, endpoint)
    assert placed.columns.tolist() == ["stratum", "time", "conf_high", "target", "n"]
    curves = truth.curves.query("endpoint == @endpoint.name and stratum == 'low' and time == 12")
    assert placed["target"].iloc[0] == curves["survival"].item()
    assert np.isnan(placed["target"].iloc[1])
    assert with_survival_targets(points, None, endpoint) is points


def test_the_target_of_a_difference_is_b_less_a(study):
    pairs = pd.DataFrame({"stratum_a": ["low"], "stratum_b": ["reference"], "conf_high": [1.0]})
    means = pd.DataFrame({"stratum": ["low", "reference"], "conf_high": 1.0})
    known = with_restricted_mean_targets(means, study.truth, study.primary, 24)["target"]
    assert known.notna().all()
    difference = with_difference_targets(pairs, study.truth, study.primary, 24)["target"]
    assert difference.item() == known[1] - known[0]
