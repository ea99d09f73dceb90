"""The section on the cohort: columns with their roles, rows at each step, missing values, follow-up."""

from __future__ import annotations

import pytest

from analysis import load_example, median_follow_up
from analysis.errors import collected
from analysis.present.pages.page import Prose
from analysis.study.report.sections.cohort import column_table, data_section, flow_table, missing_table, patient_flow
from tests.study.plans import HOSTILE, study_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def test_every_column_of_the_plan_has_its_role_and_what_is_missing(study):
    table = column_table(study).set_index("column")
    assert table.loc["magnesium"].tolist() == ["Serum magnesium", "mmol/L", "number", "marker", 42]
    assert table.loc["os_months", ["unit", "role"]].tolist() == ["months", "endpoint: time of Overall survival"]
    assert table.loc["ppi", ["type", "role"]].tolist() == ["0 or 1", "covariate; subgroup"]
    assert table.loc["treatment", "role"] == "stratum; subgroup"
    assert table.loc["site", "role"] == "site"
    assert table.loc["patient_id", "role"] == "key"
    assert set(table.index) <= set(study.cohort.columns)


def test_columns_of_any_kind_are_described(hostile):
    table = column_table(hostile.study).set_index("column")
    assert table.loc["entry", "role"] == f"endpoint: entry of {HOSTILE}"
    assert table.loc["entry", "unit"] == "days"
    assert table.loc["weight_loss", "n_missing"] == 14
    assert table.loc["weight_loss", "type"] == "whole number"


def test_the_flow_loses_rows_step_by_step_and_its_strata_hold_all_that_are_marked(study):
    steps = flow_table(study).set_index("step")["n"]
    assert steps["rows read"] == len(study.cohort)
    assert steps["serum magnesium known"] == study.cohort["magnesium"].notna().sum()
    assert steps["overall survival: all covariates known too"] <= steps["overall survival known too"]
    flow = patient_flow(study)
    assert flow.loc[flow["part"] == "stratum", "n"].sum() == steps["serum magnesium known"]
    assert flow.loc[flow["part"] == "excluded", "n"].iloc[0] == 480 - steps["serum magnesium known"]


def test_what_is_missing_is_counted_by_whether_the_event_was_seen(study):
    frame = missing_table(study)
    marker = frame[frame["column"] == study.label("magnesium")]
    assert marker["n"].sum() == len(study.cohort)
    assert marker["n_missing"].sum() == study.cohort["magnesium"].isna().sum()
    seen = study.cohort[study.cohort["os_event"] == 1]
    row = marker[marker["whom"] == "Overall survival: event"].iloc[0]
    assert row["share"] == seen["magnesium"].isna().mean()


def test_a_cohort_with_nothing_missing_has_a_sentence_for_the_picture(tmp_path):
    section = data_section(study_of(load_example("lung"), tmp_path))
    assert Prose("No value is missing in the columns that the analysis uses.") in section.blocks


def test_follow_up_is_that_of_the_primary_endpoint(main_results, study):
    with collected():
        expected = median_follow_up(study.cohort, study.primary, by=study.stratum_column)
    assert main_results.tables["follow-up"]["median"].tolist() == pytest.approx(expected["median"].tolist())
