"""A new plan: what is guessed from a file's columns, and that it leads to a study without more than a look."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import CohortError, StudyPlan, load_cohort, load_example, write_cohort
from analysis.study.plan.guess import guess_columns
from analysis.study.plan.new_plan import new_plan
from analysis.study.prepare import prepare_study


@pytest.fixture
def plan_from(tmp_path):
    def write(cohort: pd.DataFrame) -> StudyPlan:
        write_cohort(cohort, tmp_path / "cohort.csv")
        path = tmp_path / "plan.toml"
        path.write_text(new_plan(tmp_path / "cohort.csv", folder=tmp_path), encoding="utf-8")
        return StudyPlan.from_toml(path)

    return write


def test_the_synthetic_cohort_is_recognised(plan_from):
    plan = plan_from(load_cohort())
    assert plan.marker.column == "magnesium"
    assert plan.marker.unit == "mmol/L"
    assert {(endpoint.duration, endpoint.event) for endpoint in plan.endpoints} >= {
        ("os_months", "os_event"),
        ("pfs_months", "pfs_event"),
    }
    assert {endpoint.time_unit for endpoint in plan.endpoints} == {"months"}
    assert "patient_id" not in plan.model.covariates


def test_a_plan_of_real_data_can_be_carried_out_as_written(plan_from):
    plan = plan_from(load_example("gbsg2"))
    assert plan.endpoints[0].duration == "rfs_days"
    assert plan.endpoints[0].time_unit == "days"
    study = prepare_study(plan)
    assert len(study.strata_labels) == 3


def test_codes_1_and_2_are_read_as_censored_and_event(plan_from):
    lung = load_example("lung")
    lung["os_event"] = lung["os_event"] + 1
    plan = plan_from(lung.rename(columns={"os_event": "status"}))
    assert plan.data.event_codes == {"status": {1: 0, 2: 1}}
    study = prepare_study(plan)
    assert int(study.cohort["status"].sum()) == 165  # deaths in the lung data, as R's survival documents them


@pytest.mark.parametrize(
    ("codes", "expected"),
    [({0: "alive", 1: "dead"}, {"alive": 0, "dead": 1}), ({0: "No", 1: "Yes"}, {"No": 0, "Yes": 1})],
)
def test_events_in_words_are_given_codes_to_check(plan_from, codes, expected):
    lung = load_example("lung")
    plan = plan_from(lung.assign(os_event=lung["os_event"].map(codes)))
    assert plan.data.event_codes == {"os_event": expected}
    assert int(prepare_study(plan).cohort["os_event"].sum()) == 165  # deaths in the lung data, as R's survival says


def test_an_outcome_nobody_had_is_still_an_outcome():
    cohort = pd.DataFrame({"os_time": [1.0, 2.0, 3.0], "os_event": [0, 0, 0], "crp": [3.0, 4.0, 5.0]})
    assert guess_columns(cohort).endpoints == (("os_time", "os_event"),)


def test_an_event_with_a_third_code_is_named_by_validation_rather_than_passed_over(plan_from):
    lung = load_example("lung")
    lung.loc[3, "os_event"] = 2
    plan = plan_from(lung)
    assert "os_event" not in plan.model.covariates
    with pytest.raises(CohortError, match="'os_event': values 0, 1, 2"):
        prepare_study(plan)


def test_how_the_file_is_read_stands_in_the_plan(tmp_path):
    load_example("gbsg2").to_csv(tmp_path / "cohort.csv", sep=";", decimal=",", index=False, encoding="cp1252")
    text = new_plan(tmp_path / "cohort.csv", folder=tmp_path, decimal=",", encoding="cp1252")
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    data = StudyPlan.from_toml(tmp_path / "plan.toml").data
    assert (data.sep, data.decimal, data.encoding, data.limits) == (None, ",", "cp1252", "error")


def test_what_cannot_be_guessed_is_named_by_validation(plan_from):
    plan = plan_from(pd.DataFrame({"a": range(30), "b": range(30)}))
    with pytest.raises(CohortError, match="no column 'TIME_COLUMN'"):
        prepare_study(plan)


def test_names_with_blanks_and_quotes_are_quoted(plan_from):
    cohort = load_example("gbsg2").rename(columns={"nodes": 'positive "nodes"', "tumour_size": "size (mm)"})
    plan = plan_from(cohort)
    assert "`size (mm)`" in plan.model.covariates
    assert '`positive "nodes"`' in plan.model.covariates
    prepare_study(plan)


def test_a_time_column_goes_with_the_event_that_shares_its_name():
    cohort = pd.DataFrame(
        {"pfs_time": [1.0, 2.0], "os_time": [2.0, 3.0], "os_event": [1, 0], "pfs_event": [1, 0], "crp": [3.0, 4.0]}
    )
    assert set(guess_columns(cohort).endpoints) == {("os_time", "os_event"), ("pfs_time", "pfs_event")}


def guessed(plan_from, longest: float, *, time: str = "os_time", marker: str = "crp"):
    """The plan of 25 patients: times up to the longest, a marker of 0.6 to 1.08 (standard deviation 0.147)."""
    rows = range(25)
    times = [longest if row == 24 else 1.0 + row for row in rows]
    events, values = [row % 2 for row in rows], [0.6 + 0.02 * row for row in rows]
    return plan_from(pd.DataFrame({time: times, "os_event": events, marker: values}))


def test_the_step_is_1_2_or_5_within_half_a_standard_deviation(plan_from):
    assert guessed(plan_from, 50).marker.per == 0.05
    assert guessed(plan_from, 50, marker="magnesium").marker.per == 0.1


@pytest.mark.parametrize(
    ("time", "longest", "unit"),
    [("os_time", 400, "months"), ("os_time", 401, "days"), ("os_weeks", 500, "weeks"), ("os_days", 30, "days")],
)
def test_times_are_in_the_unit_of_their_name_else_in_days_where_some_are_beyond_400(plan_from, time, longest, unit):
    assert guessed(plan_from, longest, time=time).endpoints[0].time_unit == unit
