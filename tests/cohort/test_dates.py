"""Dates by the calendar: every way of writing that has one reading, day numbers, and the times between them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortError, InputError, time_from_dates
from analysis.cohort import dates


def series(*dates, **options):
    return pd.Series(list(dates), **options)


@pytest.mark.parametrize(("unit", "days"), [("days", 1.0), ("weeks", 7.0), ("months", 365.25 / 12), ("years", 365.25)])
def test_units_are_parts_of_a_year_of_365_and_a_quarter_days(unit, days):
    start, end = series("2020-01-01", "2020-01-01"), series("2021-01-01", "2020-01-02")
    np.testing.assert_allclose(time_from_dates(start, end, unit=unit), [366 / days, 1 / days], rtol=1e-15)


def test_months_are_the_default():
    assert time_from_dates(series("2021-01-01"), series("2025-01-01")).tolist() == [48.0]


def test_a_series_keeps_index_and_name():
    index = ["b", "a"]
    start = pd.Series(pd.to_datetime(["2024-01-01", None]), index=index, name="infused")
    end = pd.Series(pd.to_datetime(["2024-01-31", "2024-02-01"]), index=index, name="last_seen")
    times = time_from_dates(start, end, unit="days")
    pd.testing.assert_series_equal(times, pd.Series([30.0, np.nan], index=index, name="last_seen"))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (["2024-01-31"], ["2024-02-10"]),
        ([dt.date(2024, 1, 31)], [dt.date(2024, 2, 10)]),
        ([dt.datetime(2024, 1, 31, 6)], [pd.Timestamp(2024, 2, 10, 6)]),
        (np.array(["2024-01-31"], dtype="datetime64[D]"), np.array(["2024-02-10"], dtype="datetime64[ns]")),
        (series("2024-01-31", dtype="string"), series("2024-02-10", dtype="string")),
        (series(dt.date(2024, 1, 31), dtype="date32[pyarrow]"), series(dt.date(2024, 2, 10), dtype="date32[pyarrow]")),
    ],
)
def test_every_kind_of_date_is_taken(start, end):
    times = time_from_dates(start, end, unit="days")
    assert isinstance(times, pd.Series if isinstance(end, pd.Series) else np.ndarray)
    assert list(times) == [10.0]


def test_a_day_has_hours():
    assert time_from_dates(["2024-01-31T12:00"], ["2024-02-01T00:00"], unit="days").tolist() == [0.5]


def test_time_zones_are_taken_to_utc():
    start = pd.Series(pd.to_datetime(["2024-03-30 12:00"])).dt.tz_localize("Europe/Berlin")
    end = pd.Series(pd.to_datetime(["2024-03-31 11:00"])).dt.tz_localize("UTC")
    assert time_from_dates(start, end, unit="days").tolist() == [1.0]
    text = time_from_dates(["2024-03-30T12:00+01:00"], ["2024-03-31T11:00Z"], unit="days")
    assert text.tolist() == [1.0]


def test_same_day_is_zero_or_what_it_is_given():
    start, end = series("2024-01-31", "2024-01-31"), series("2024-01-31", "2024-02-01")
    assert time_from_dates(start, end, unit="days").tolist() == [0.0, 1.0]
    assert time_from_dates(start, end, unit="days", same_day=0.5).tolist() == [0.5, 1.0]


AWARE = pd.Series(pd.to_datetime(["2024-01-31"], utc=True))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            series("2024-02-01", "2024-01-01"),
            series("2024-01-31", "2024-01-02"),
            r"end comes before the start in 1 row \(1\): 2024-02-01 to 2024-01-31",
        ),
        (series("lost"), series("2024-02-01"), r"start: no dates in 1 row \(1\): 'lost'; write them as 2024-01-31"),
        (
            series("01/02/2024", name="infused"),
            series("2024-02-01"),
            r"start column 'infused': dates such as '01/02/2024' have two readings; say which with date_format=",
        ),
        (series("2024-01-31"), series("2024-02-30"), r"end: no dates in 1 row \(1\): '2024-02-30'"),
        (series(43831), series("2024-02-01"), r"start: holds numbers \(43831\), not dates; .*date_format=\"excel\""),
        (AWARE, series("2024-02-01"), r"one of start and end has a time zone, the other has none"),
        (
            series("2024-01-31", "2024-01-31T00:00Z"),
            series("2024-02-01", "2024-02-01"),
            r"start: dates with and without a time zone",
        ),
        (series("2024-01-31"), series("2024-02-01", "2024-02-01"), r"start has 1 rows, end 2, or their indexes differ"),
        (series("2024-01-31"), series("2024-02-01", index=[5]), r"indexes differ; give two columns of one cohort"),
    ],
)
def test_dates_that_make_no_time_say_why(start, end, message):
    with pytest.raises(CohortError, match=message):
        time_from_dates(start, end)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "month"}, r"unit='month'; choose one of 'days', 'weeks', 'months', 'years'"),
        ({"same_day": -0.5}, r"same_day=-0.5"),
        ({"date_format": "%d.%m.%Y"}, r"start: no dates in 1 row \(1\): '2024-01-31'; .* not written as '%d.%m.%Y'"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        time_from_dates(series("2024-01-31"), series("2024-02-01"), **options)


@given(
    st.lists(
        st.tuples(st.dates(dt.date(1900, 1, 1), dt.date(2150, 1, 1)), st.integers(0, 40_000)), min_size=1, max_size=20
    )
)
def test_days_are_those_of_the_calendar(pairs):
    start = [begin for begin, _ in pairs]
    end = [begin + dt.timedelta(days=days) for begin, days in pairs]
    assert time_from_dates(start, end, unit="days").tolist() == [days for _, days in pairs]


# --- Ways of writing dates ----------------------------------------------------------------------------

FORMATS = ["%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%d%b%Y", "%d-%b-%Y"]


@pytest.mark.parametrize("date_format", FORMATS)
@given(days=st.lists(st.dates(dt.date(1700, 1, 1), dt.date(2150, 1, 1)), min_size=1, max_size=9))
def test_what_is_read_without_a_format_is_what_was_written(date_format, days):
    written = [f"{day:{date_format}}" for day in days]
    found = dates.only_reading(written)
    if found == dates.TWO_READINGS:
        assert all(day.day <= 12 for day in days)
    else:
        assert dates.as_dates(series(*written))[0].dt.date.tolist() == days
    by_format = dates.as_dates(series(*written), date_format)[0]
    assert by_format.dt.date.tolist() == days


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["1/13/1997", "12/31/2002"], "%m/%d/%Y"),
        (["13/1/1997", "31/12/2002"], "%d/%m/%Y"),
        (["31JAN2024", "01feb2024"], "%d%b%Y"),
        (["1/13/1997 10:30", "12/31/2002 09:00"], "%m/%d/%Y %H:%M"),
        (["1/12/1997", "2/11/2002"], dates.TWO_READINGS),
        (["1/1/1997", "2/2/2002"], "%d/%m/%Y"),  # two readings that agree
        (["1/13/1997", "13/1/1997"], ""),
        (["30.02.2024"], ""),
        ([], ""),
    ],
)
def test_dates_are_read_where_one_reading_fits_all_of_them(texts, found):
    assert dates.only_reading(texts) == found


def test_day_numbers_of_a_spreadsheet_are_days_from_the_end_of_1899():
    # 43831 is 1 January 2020 in a spreadsheet, 60 the day that 1900 did not have
    days, problem = dates.as_dates(pd.Series(["43831", 45000, None, dt.datetime(2020, 1, 2)], dtype=object), "excel")
    assert problem == ""
    assert [None if pd.isna(day) else f"{day:%Y-%m-%d}" for day in days] == [
        "2020-01-01",
        "2023-03-15",
        None,
        "2020-01-02",
    ]


def test_the_end_is_the_latest_of_several_columns():
    ends = pd.DataFrame({"death": [None, "2023-05-14", None], "seen": ["2023-12-31", "2023-05-02", None]})
    times = time_from_dates(series("2023-01-01", "2023-01-31", "2023-01-01"), ends, unit="days")
    assert times.tolist()[:2] == [364.0, 103.0]
    assert np.isnan(times[2])
    assert times.name == "death or seen"
    with pytest.raises(CohortError, match=r"end column 'seen': no dates in 1 row \(2\): 'lost'"):
        time_from_dates(series("2023-01-01", "2023-01-31"), ends[:2].assign(seen=["2023-12-31", "lost"]))
    mixed = ends.assign(seen=pd.to_datetime(ends["seen"], utc=True))
    with pytest.raises(CohortError, match="end: some columns have a time zone"):
        time_from_dates(series("2023-01-01", "2023-01-31", "2023-01-01"), mixed)
