"""A study in a few lines: counts by hand."""

from __future__ import annotations

import pandas as pd

from analysis.study.overview import count_lines, first_rows, plan_lines
from tests.study.plans import study_of


def test_the_lines_count_patients_with_a_time_and_an_event(tmp_path):
    cohort = pd.DataFrame(
        {
            "age": [50, 51, 60, 61, 70, 71, 80, 81],
            "os_days": [10, 20, 30, 40, 50, 60, 70, None],
            "os_event": [1, 0, 1, 0, 1, 0, None, 1],
        }
    )
    study = study_of(cohort, tmp_path)
    assert count_lines(study) == [
        "Overall survival: 6 patients, 3 events, longest follow-up 60 days; 2 patients without a time or an event",
        "strata: Q1 4, Q2 4",
    ]
    assert plan_lines(study.plan) == [
        "marker: age (years)",
        "outcome Overall survival: time os_days (days), event os_event",
        "covariates: none",
    ]
    assert [line.split() for line in first_rows(study).splitlines()[:2]] == [
        ["age", "os_days", "os_event"],
        ["50.0", "10.0", "1.0"],
    ]
