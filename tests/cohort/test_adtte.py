"""CDISC ADTTE: 0 is the event, any other number a censoring; one parameter at a time, a subject once."""

import pandas as pd
import pytest

from analysis import CohortError, Endpoint, endpoint_from_adtte, kaplan_meier


def adtte(**columns):
    return pd.DataFrame(
        {
            "USUBJID": ["X-1", "X-2", "X-3"] * 2,
            "PARAMCD": ["OS"] * 3 + ["PFS"] * 3,
            "PARAM": ["Overall Survival (Months)"] * 3 + ["Progression-Free Survival (Months)"] * 3,
            "AVAL": [30.0, 70.0, 80.0, 11.0, 42.0, 50.0],
            "CNSR": [0, 1, 2, 0, 3, 0],
        }
        | columns
    )


def test_zero_is_the_event_and_any_other_number_is_not():
    given = adtte()
    before = given.copy()
    cohort, endpoint = endpoint_from_adtte(given, "PFS")
    pd.testing.assert_frame_equal(given, before)
    assert endpoint == Endpoint("AVAL", "event", label="Progression-Free Survival", time_unit="months")
    assert cohort["event"].tolist() == [1, 0, 1]
    assert cohort["AVAL"].tolist() == [11, 42, 50]
    # by hand: 2/3 at 11, then one of one at risk at 50
    assert kaplan_meier(cohort, endpoint)["survival"].tolist()[-1] == 0


@pytest.mark.parametrize(
    ("columns", "unit"),
    [
        ({"AVALU": "DAYS"}, "days"),
        ({"AVALU": "Weeks"}, "weeks"),
        ({"AVALU": "MONTH"}, "months"),
        ({"AVALU": None}, "months"),
        ({"PARAM": "Overall Survival"}, "days"),
        ({"PARAM": "Overall Survival (Years)"}, "years"),
    ],
)
def test_the_unit_is_that_of_avalu_else_of_param_else_days(columns, unit):
    assert endpoint_from_adtte(adtte(**columns), "OS")[1].time_unit == unit


@pytest.mark.parametrize(
    ("columns", "parameter", "message"),
    [
        ({}, "OSS", r"PARAMCD holds no 'OSS'; did you mean 'OS'\?"),
        ({}, "TTR", r"PARAMCD holds no 'TTR'; it holds: OS, PFS"),
        ({"USUBJID": "X-1"}, "OS", r"parameter 'OS': column 'USUBJID': 1 ids stand more than once \(X-1\)"),
        (
            {"CNSR": [0, -1, None] * 2},
            "OS",
            r"'CNSR': missing, or no whole number from 0, in 2 rows \(2, 3\); 0 is",
        ),
        ({"CNSR": "N"}, "OS", r"censoring column 'CNSR': 3 values are not numbers"),
        ({"AVAL": "lost"}, "OS", r"time column 'AVAL': 3 values are not numbers"),
        (
            {"AVALU": ["DAYS", "MONTHS", "DAYS"] * 2},
            "OS",
            r"AVALU holds 'DAYS', 'MONTHS'; give the parameter one",
        ),
        ({"AVALU": "cycles"}, "OS", r"AVALU holds 'CYCLES'"),
        ({"event": 1}, "OS", r"column 'event' is there already"),
    ],
)
def test_what_is_no_parameter_of_a_cohort_is_refused(columns, parameter, message):
    with pytest.raises(CohortError, match=message):
        endpoint_from_adtte(adtte(**columns), parameter)


def test_a_column_of_the_standard_that_is_not_there_is_named():
    with pytest.raises(CohortError, match=r"no column 'CNSR'"):
        endpoint_from_adtte(adtte().drop(columns="CNSR"), "OS")
