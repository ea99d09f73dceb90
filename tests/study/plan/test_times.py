"""Times that are made from other columns: from dates, the later of two, without a sign, of some rows; by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import CohortError, InputError
from analysis.study.plan.endpoints import endpoints_of
from analysis.study.plan.times import with_made_columns


def made(cohort: dict, key: str | None = None, **table):
    """The cohort with the columns of one endpoint, the endpoint, and what was said."""
    problems: list[str] = []
    endpoints, columns = endpoints_of([{"name": "OS", **table}], problems)
    assert problems == []
    frame, warned = with_made_columns(pd.DataFrame(cohort), columns, key)
    return frame, endpoints[0], "\n".join(map(str, warned))


def times(cohort: dict, **table) -> list[float]:
    frame, endpoint, _ = made(cohort, event="dead", time_unit="days", **table)
    return frame[endpoint.duration].tolist()


DAYS = {"days_to_death": [300.0, None, 5.0, None], "days_to_last": [280.0, 700.0, None, None], "dead": [1, 0, 1, 0]}


def test_the_later_of_two_times_counts_and_a_missing_one_for_nothing():
    frame, endpoint, _ = made(DAYS, duration=["days_to_death", "days_to_last"], event="dead")
    assert endpoint.duration == "the later of days_to_death and days_to_last"
    assert frame[endpoint.duration].fillna(-1).tolist() == [300, 700, 5, -1]
    assert frame["days_to_death"].equals(pd.DataFrame(DAYS)["days_to_death"])


def test_a_time_from_dates_ends_at_the_later_date():
    dates = {"start": ["2020-01-01", "2020-03-01"], "death": ["2020-01-31", None], "seen": ["2020-01-15", "2021-03-01"]}
    cohort = {name: pd.to_datetime(values) for name, values in dates.items()} | {"dead": [1, 0]}
    assert times(cohort, start="start", end=["death", "seen"]) == [30, 365]
    months, endpoint, _ = made(cohort, start="start", end="seen", event="dead")
    assert endpoint.time_unit == "months"
    assert months["start to seen"].tolist() == pytest.approx([14 / 30.4375, 12 * 365 / 365.25])


@pytest.mark.parametrize(
    ("start", "end", "date_format"),
    [
        (["31.01.2020", "01.02.2020"], ["01.03.2020", "02.02.2020"], "DD.MM.YYYY"),
        (["1/31/2020", "2/1/2020"], ["3/1/2020", "2/2/2020"], "MM/DD/YYYY"),
        (["31/1/20", "1/2/20"], ["1/3/20", "2/2/20"], "DD/MM/YY"),
        (["31-Jan-2020", "01-Feb-2020"], ["01-Mar-2020", "02-Feb-2020"], "%d-%b-%Y"),
        ([20200131, 20200201], [20200301, 20200202], "YYYYMMDD"),
        ([43861, 43862], [43891, 43863], "excel"),
    ],
)
def test_dates_are_read_by_the_format_of_the_plan(start, end, date_format):
    cohort = {"start": start, "end": end, "dead": [1, 0]}
    assert times(cohort, start="start", end="end", format=date_format) == [30, 1]


def test_dates_that_one_format_fits_need_none_and_it_is_said():
    cohort = {"start": ["1/13/1997", "12/31/2002"], "end": ["2/12/1997", "1/1/2003"], "dead": [1, 0]}
    frame, _, said = made(cohort | {"end": ["2/13/1997", "1/31/2003"]}, start="start", end="end", event="dead",
                          time_unit="days")  # fmt: skip
    assert frame["start to end"].tolist() == [31, 31]
    assert "dates such as '1/13/1997' are read by the one format that fits all, '%m/%d/%Y'" in said


def test_dates_of_several_readings_are_a_question_with_both_answers():
    cohort = {"start": ["1/2/1997", "3/4/1998"], "end": ["5/6/1999", "7/8/1999"], "dead": [1, 0]}
    with pytest.raises(CohortError, match="column 'start': dates have several readings") as asked:
        times(cohort, start="start", end="end")
    assert "format = \"%d/%m/%Y\" where '1/2/1997' is 1 February 1997" in str(asked.value)
    assert "format = \"%m/%d/%Y\" where '1/2/1997' is 2 January 1997" in str(asked.value)


def test_cells_that_are_no_dates_and_ends_before_their_start_are_named():
    cohort = {"start": ["01.02.2020", "ca. 2019"], "end": ["01.03.2020", "02.03.2020"], "dead": [1, 0]}
    with pytest.raises(
        CohortError, match=r"OS: column 'start': no dates by format = 'DD.MM.YYYY' in 1 row \(2\): 'ca. 2019'"
    ):
        times(cohort, start="start", end="end", format="DD.MM.YYYY")
    with pytest.raises(
        CohortError, match=r"OS: column 'start': 1 cells are no dates \('ca. 2019'\).*format = \"DD.MM.YYYY\""
    ):
        times(cohort, start="start", end="end")
    with pytest.raises(CohortError, match="OS: the end comes before the start in 1 row"):
        times(cohort | {"start": ["01.04.2020", "01.01.2020"]}, start="start", end="end", format="DD.MM.YYYY")


@pytest.mark.parametrize(("negative", "events"), [("censored", [1, 0, 1]), ("event", [0, 1, 0])])
def test_the_sign_of_a_time_tells_the_event(negative, events):
    frame, endpoint, _ = made({"t": [12.0, -30.0, 4.5, None]}, duration="t", negative=negative)
    assert frame[endpoint.duration].tolist()[:3] == [12, 30, 4.5]
    assert frame[endpoint.event].tolist()[:3] == events
    assert frame[[endpoint.duration, endpoint.event]].isna().sum().tolist() == [1, 1]


LONG = {
    "USUBJID": ["A", "A", "B", "B", "C"],
    "AGE": [61, 61, 48, 48, 70],
    "VISIT": [1, 2, 1, 2, 1],
    "PARAMCD": ["OS", "PFS", "OS", "PFS", "PFS"],
    "AVAL": [300.0, 110.0, 700.0, 420.0, 90.0],
    "EVENT": [1, 1, 0, 1, 0],
}


def test_an_endpoint_takes_its_rows_and_a_subject_stands_once():
    problems: list[str] = []
    tables = [
        {"name": name, "duration": "AVAL", "event": "EVENT", "where": f"PARAMCD == '{name}'"} for name in ("OS", "PFS")
    ]
    endpoints, columns = endpoints_of(tables, problems)
    frame, warned = with_made_columns(pd.DataFrame(LONG), columns, "USUBJID")
    assert frame["USUBJID"].tolist() == ["A", "B", "C"]
    assert frame["AGE"].tolist() == [61, 48, 70]
    assert [endpoint.columns for endpoint in endpoints] == [("AVAL (OS)", "EVENT (OS)"), ("AVAL (PFS)", "EVENT (PFS)")]
    assert frame["AVAL (OS)"].fillna(-1).tolist() == [300, 700, -1]
    assert frame["EVENT (PFS)"].tolist() == [1, 1, 0]
    assert "5 rows of 3 patients: columns that differ among a patient's rows are left out: 'VISIT', 'PARAMCD'" in str(
        warned[0]
    )


def test_rows_of_one_endpoint_that_hold_a_patient_twice_are_refused():
    with pytest.raises(CohortError, match=r"OS: where = .* keeps several rows of a patient: column 'USUBJID': 2 ids"):
        made(LONG, "USUBJID", duration="AVAL", event="EVENT", where="AVAL > 0")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(InputError, match="no column 'days_to_deth'; did you mean 'days_to_death'"):
        made(DAYS, duration=["days_to_deth", "days_to_last"], event="dead")
