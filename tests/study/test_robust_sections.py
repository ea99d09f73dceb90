"""The sections on a marker that moves, doubtful hazards, subgroups and competing events: synthetic, bare and broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import load_cohort, synthetic_plan
from analysis.study.models import period_cuts
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyFigure
from analysis.study.report.sections.competing import competing_section, first_event, nested_endpoints
from analysis.study.report.sections.hazards import hazards_section
from analysis.study.report.sections.moving import moving_section
from analysis.study.report.sections.stability import subgroups_section

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SECTIONS = (moving_section, hazards_section, subgroups_section, competing_section)


@pytest.fixture(scope="module")
def study():
    return prepare_study(synthetic_plan())


def tables_of(section) -> dict[str, pd.DataFrame]:
    return {block.name: block.frame for block in section.blocks if hasattr(block, "frame")}


@pytest.mark.parametrize("build", SECTIONS)
def test_every_figure_is_drawn_and_told_in_words(study, build):
    figures = [block for block in build(study).blocks if isinstance(block, StudyFigure)]
    assert figures
    for figure in figures:
        assert figure.draw().axes
        assert len(figure.alt) > 80
        assert figure.caption.endswith(".")


def test_ever_low_is_protective_by_design_and_the_others_are_not(study):
    frame = tables_of(moving_section(study))["moving-marker"]
    for _, mine in frame.groupby("endpoint"):
        wrong = mine[mine["analysis"] == "ever low: wrong"]
        assert (wrong["conf_high"] < 1).all()
        assert (mine.drop(index=wrong.index)["hazard_ratio"] > 1).all()
    assert frame["analysis"].nunique() == 5


def test_a_plan_without_labs_or_subgroups_says_so(study):
    plan = replace(study.plan, labs=None, robustness=replace(study.plan.robustness, subgroups=(), landmarks=()))
    bare = prepare_study(plan)
    assert "no repeated values" in moving_section(bare).blocks[0].text
    assert "no subgroups" in subgroups_section(bare).blocks[0].text


def test_a_plan_of_one_endpoint_has_no_competing_events(study):
    plan = replace(study.plan, endpoints=study.plan.endpoints[:1])
    assert "no events compete" in competing_section(prepare_study(plan)).blocks[0].text


def test_first_events_are_those_that_the_cohort_holds(study):
    inner, outer = nested_endpoints(study)
    cohort = load_cohort()
    assert (inner.duration, outer.duration) == ("pfs_months", "os_months")
    np.testing.assert_array_equal(first_event(cohort, inner, outer), cohort["progression_status"])


def test_every_period_holds_events_enough(study):
    frames = tables_of(hazards_section(study))
    for name, frame in frames.items():
        if name.endswith("-periods"):
            assert (frame["n_event"] >= 10).all()
    assert period_cuts(study, study.primary) == [6, 12, 24]


def test_cause_specific_events_add_up_to_the_composite(study):
    frame = tables_of(competing_section(study))["competing-hazard-ratios"]
    continuous = frame[frame["term"] == study.marker_term].drop_duplicates("cause")
    n_event = study.cohort.dropna(subset=[study.marker_term])["pfs_event"].sum()
    assert continuous["n_event"].sum() == n_event


@pytest.mark.parametrize("build", SECTIONS)
def test_a_marker_that_is_worse_when_higher_and_few_rows(study, build):
    plan = replace(study.plan, marker=replace(study.plan.marker, direction="higher"), truth=None)
    prepared = prepare_study(plan)
    small = replace(prepared, cohort=prepared.cohort.iloc[::8])
    assert build(small).blocks
