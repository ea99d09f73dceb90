"""Magnesium in its three units, and follow-up times from dates, by calendar and by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortError, InputError, convert_magnesium, time_from_dates

UNITS = ["mmol/L", "mg/dL", "mEq/L"]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(24.305, "mg/dL", 10.0), (2.4305, "mg/dL", 1.0), (2.0, "mEq/L", 1.0), (0.8, "mmol/L", 0.8)],
)
def test_the_factors_are_the_atomic_mass_and_the_charge(value, unit, expected):
    assert convert_magnesium(value, unit=unit) == pytest.approx(expected, rel=1e-15)


@given(st.floats(0.1, 10), st.sampled_from(UNITS), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_the_way_round_comes_back_and_a_detour_changes_nothing(value, unit, to, by):
    there = convert_magnesium(value, unit=unit, to=to)
    assert convert_magnesium(there, unit=to, to=unit) == pytest.approx(value, rel=1e-14)
    detour = convert_magnesium(convert_magnesium(value, unit=unit, to=by), unit=by, to=to)
    assert detour == pytest.approx(there, rel=1e-14)


def test_the_same_kind_comes_back():
    assert type(convert_magnesium(2, unit="mEq/L")) is float
    assert isinstance(convert_magnesium([1, 2], unit="mEq/L"), np.ndarray)
    assert convert_magnesium(np.ones((2, 3)), unit="mEq/L").shape == (2, 3)
    series = pd.Series([1.0, np.nan], index=["b", "a"], name="Mg²⁺ (mEq/L)")
    expected = pd.Series([0.5, np.nan], index=["b", "a"], name="Mg²⁺ (mEq/L)")
    pd.testing.assert_series_equal(convert_magnesium(series, unit="mEq/L"), expected)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "double[pyarrow]"])
def test_missing_stays_missing_in_nullable_columns(dtype):
    converted = convert_magnesium(pd.Series([2, None], dtype=dtype), unit="mEq/L")
    assert converted.dtype == "Float64"
    assert converted.isna().tolist() == [False, True]
    assert converted[0] == 1.0


def test_what_is_given_is_never_changed():
    values, series = np.array([1.0, 2.0]), pd.Series([1.0, 2.0])
    for same in (values, series):
        converted = convert_magnesium(same, unit="mmol/L")
        converted[0] = 9.0
        assert same[0] == 1.0


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (1.7, {"unit": "mg/L"}, r"unit='mg/L' is no unit of magnesium; did you mean 'mg/dL'\? use one of 'mmol/L', "),
        (1.7, {"unit": "mmol / l"}, r"did you mean 'mmol/L'\?"),
        (1.7, {"unit": "stone"}, r"unit='stone' is no unit of magnesium; use one of 'mmol/L', 'mg/dL', 'mEq/L'"),
        (1.7, {"unit": "x", "to": "y"}, r"unit='x' is no unit(.|\n)*to='y' is no unit"),
        (["0,82"], {"unit": "mmol/L"}, r"1 values are not numbers \('0,82'\)"),
        ([np.inf], {"unit": "mmol/L"}, r"infinite values in 1 row \(1\)"),
        (pd.DataFrame({"mg": [1.0]}), {"unit": "mg/dL"}, r"got a DataFrame; choose the magnesium column"),
    ],
)
def test_what_is_no_unit_or_no_number_is_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        convert_magnesium(values, **options)


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
        (
            series("31.01.2024"),
            series("2024-02-01"),
            r"start: no dates in 1 row \(1\): '31.01.2024'; write them as 2024-01-31",
        ),
        (series("01/02/2024", name="infused"), series("2024-02-01"), r"start column 'infused': no dates"),
        (series("2024-01-31"), series("2024-02-30"), r"end: no dates in 1 row \(1\): '2024-02-30'"),
        (series(43831), series("2024-02-01"), r"start: holds numbers \(43831\), not dates; .*origin=\"1899-12-30\""),
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
