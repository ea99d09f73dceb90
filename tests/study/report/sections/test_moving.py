"""The section on a marker that moves: synthetic, bare, and of few rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import collected
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.moving import moving_section
from analysis.study.study import hazard_ratio_target
from tests.study.plans import assert_figures_are_drawn_and_described, figures, tables

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(scope="module")
def section(study):
    with collected():
        return moving_section(study)


def test_every_figure_is_drawn_and_described(section):
    assert_figures_are_drawn_and_described(section)


def test_ever_low_is_protective_by_design_and_the_others_are_not(section):
    frame = tables(section)["moving-marker"]
    for _, mine in frame.groupby("endpoint"):
        wrong = mine[mine["analysis"] == "ever low: wrong"]
        assert (wrong["conf_high"] < 1).all()
        assert (mine.drop(index=wrong.index)["hazard_ratio"] > 1).all()
    assert frame["analysis"].nunique() == 5


def test_contrasts_of_the_group_come_first_and_patients_are_counted_once(section, study):
    frame = tables(section)["moving-marker"]
    mine = frame[frame["endpoint"] == study.primary.name]
    assert mine["contrast"].drop_duplicates().tolist() == ["low against the rest", f"per {study.step}"]
    assert mine["contrast"].tolist() == sorted(mine["contrast"])
    assert (mine["n"] <= len(study.cohort)).all()


def test_the_target_of_the_low_group_is_the_inverse_of_the_planted_one(section, study):
    drawn = figures(section)["moving-marker"].draw.args[0]
    targets = drawn[drawn["kind"] == "truth"].set_index("group")["hazard_ratio"]
    above = hazard_ratio_target(study.truth, study.primary, "at or above 0.75 against below, adjusted")
    assert targets[f"{study.primary.name}: low against the rest"] == pytest.approx(1 / above, rel=1e-12)
    assert np.isfinite(targets).all()


def test_a_plan_without_repeated_values_says_so(study):
    bare = replace(study, plan=replace(study.plan, labs=None), labs=None)
    assert "no repeated values" in moving_section(bare).blocks[0].text


@quiet
def test_a_marker_that_is_worse_when_higher_and_few_rows(study):
    plan = replace(study.plan, marker=replace(study.plan.marker, direction="higher"), truth=None)
    prepared = prepare_study(plan)
    assert moving_section(replace(prepared, cohort=prepared.cohort.iloc[::8])).blocks
