"""The section on survival: rates, medians, means and tests by stratum, each that of the function it comes from."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import kaplan_meier, logrank_test, pairwise_logrank, restricted_mean
from analysis.errors import collected
from analysis.study.report.sections.survival import medians, rate_table
from analysis.study.study import horizon


def test_the_survival_table_repeats_medians_milestones_and_means(main_results):
    tables = main_results.tables
    for endpoint in ("overall-survival", "progression-free-survival"):
        table = tables[f"{endpoint}-survival-table"].set_index(["estimate", "stratum", "time"])
        for kind, name, column in (
            ("median", "medians", "median"),
            ("survival", "milestones", "survival"),
            ("restricted mean", "restricted-means", "restricted_mean"),
        ):
            mine, other = table.loc[kind], tables[f"{endpoint}-{name}"]
            assert mine["value"].tolist() == other[column].tolist()
            assert mine["conf_low"].tolist() == other["conf_low"].tolist()


def test_counts_are_of_rows_even_with_late_entry(hostile):
    study = hostile.study
    endpoint = study.primary
    counts = study.cohort.groupby(study.stratum_column, observed=True)[endpoint.event].agg(["size", "sum"])
    frame = medians(study, endpoint, kaplan_meier(study.cohort, endpoint, by=study.stratum_column))
    assert frame[["n", "n_event"]].to_numpy().tolist() == counts.to_numpy().tolist()


def test_rates_are_events_over_person_time_per_100_person_years(main_results):
    study = main_results.study
    frame = rate_table(study)
    whole = frame[(frame["stratum"] == "everybody") & (frame["endpoint"] == study.primary.name)].iloc[0]
    months, events = study.cohort["os_months"].sum(), study.cohort["os_event"].sum()
    assert (whole["n_event"], whole["unit"], whole["per"]) == (events, "months", "100 person-years")
    assert whole["rate"] == pytest.approx(events / months * 1200)
    assert frame[frame["stratum"] != "everybody"]["n"].sum() == 2 * study.cohort["magnesium"].notna().sum()


def test_log_rank_tests_are_plain_and_within_the_strata_of_the_plan_and_by_pairs(main_results):
    study = main_results.study
    with collected():
        plain = logrank_test(study.cohort, study.primary, by=study.stratum_column)
        within = logrank_test(study.cohort, study.primary, by=study.stratum_column, strata="treatment")
        pairs = pairwise_logrank(study.cohort, study.primary, by=study.stratum_column)
    frame = main_results.tables["overall-survival-log-rank"]
    assert frame["test"].tolist() == ["all patients", "stratified by treatment"]
    assert frame["statistic"].tolist() == [plain.statistic, within.statistic]
    pd.testing.assert_frame_equal(main_results.tables["overall-survival-log-rank-pairs"], pairs)


def test_restricted_means_reach_to_the_horizon_and_stand_beside_their_targets(main_results):
    study, means = main_results.study, main_results.tables["overall-survival-restricted-means"]
    with collected():
        curves = kaplan_meier(study.cohort, study.primary, by=study.stratum_column)
    expected = restricted_mean(curves, horizon(study, study.primary))
    assert means["restricted_mean"].tolist() == expected["restricted_mean"].tolist()
    differences = main_results.tables["overall-survival-restricted-mean-differences"]
    by_stratum = means.set_index("stratum")["target"]
    for row in differences.to_dict("records"):
        assert row["target"] == pytest.approx(by_stratum[row["stratum_b"]] - by_stratum[row["stratum_a"]])
