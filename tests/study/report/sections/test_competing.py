"""The section on competing events: which came first, what adds up, and plans without any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis import load_cohort
from analysis.errors import collected
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.competing import competing_section, first_event, nested_endpoints
from tests.study.plans import assert_figures_are_drawn_and_described, tables

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(scope="module")
def section(study):
    with collected():
        return competing_section(study)


def test_every_figure_is_drawn_and_described(section):
    assert_figures_are_drawn_and_described(section)


def test_a_plan_of_one_endpoint_has_no_competing_events(study):
    plan = replace(study.plan, endpoints=study.plan.endpoints[:1])
    assert "no events compete" in competing_section(replace(study, plan=plan)).blocks[0].text


def test_first_events_are_those_that_the_cohort_holds(study):
    inner, outer = nested_endpoints(study)
    cohort = load_cohort()
    assert (inner.duration, outer.duration) == ("pfs_months", "os_months")
    np.testing.assert_array_equal(first_event(cohort, inner, outer), cohort["progression_status"])


@pytest.mark.parametrize(
    ("changes", "nested"),
    [({}, True), ({"pfs_months": 99.0}, False), ({"pfs_event": 0}, False), ({"pfs_months": "os_months"}, False)],
    ids=["nested", "later", "without the event", "never earlier"],
)
def test_endpoints_are_nested_only_where_the_inner_one_ends_no_later_with_every_event(study, changes, nested):
    cohort = study.cohort.assign(
        **{name: study.cohort[value] if isinstance(value, str) else value for name, value in changes.items()}
    )
    if changes.get("pfs_months") == "os_months":
        cohort["pfs_event"] = cohort["os_event"]
    assert (nested_endpoints(replace(study, cohort=cohort)) is not None) == nested


def test_cause_specific_events_add_up_to_the_composite(section, study):
    frame = tables(section)["competing-hazard-ratios"]
    continuous = frame[frame["term"] == study.marker_term].drop_duplicates("cause")
    n_event = study.cohort.dropna(subset=[study.marker_term])["pfs_event"].sum()
    assert continuous["n_event"].sum() == n_event


def test_incidences_and_the_event_free_share_add_up(section, study):
    incidence = tables(section)["competing-incidence"].groupby(["stratum", "time"], observed=True)["incidence"].sum()
    assert (incidence < 1).all()
    assert incidence.groupby(level="stratum", observed=True).is_monotonic_increasing.all()


@quiet
def test_a_marker_that_is_worse_when_higher_and_few_rows(study):
    plan = replace(study.plan, marker=replace(study.plan.marker, direction="higher"), truth=None)
    prepared = prepare_study(plan)
    assert competing_section(replace(prepared, cohort=prepared.cohort.iloc[::8])).blocks
