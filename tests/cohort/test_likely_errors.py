"""Likely data errors: values on both sides of every threshold, in files as they are read."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, SuspiciousValues, read_cohort
from analysis.cohort import likely_errors

ZERO_AND_LESS = {
    "a flag": [0, 1, 0, 1, 1, 0],
    "true and false": [True, False, True, True, False, False],
    "a dose with placebo": [0, 400, 0, 200, 400, 0],
    "a grade": [0, 1, 2, 0, 4, 1],
    "a change": [-0.05, 0.1, 0, -0.2, 0.03, 0.01],
}


@pytest.mark.parametrize("values", ZERO_AND_LESS.values(), ids=ZERO_AND_LESS)
@pytest.mark.parametrize(
    "name", ["mg", "hypomagnesemia", "magnesium_supplement", "magnesium_change", "Magnesium grade (CTCAE)", "magnesium"]
)
def test_columns_that_only_sound_like_magnesium_are_read(tmp_path, name, values):
    frame = pd.DataFrame({"who": list("abcdef"), name: values})
    frame.to_csv(tmp_path / "x.csv", index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read_cohort(tmp_path / "x.csv")[name].tolist() == values
    assert all(f"magnesium column {name!r}" in str(one.message) for one in caught)
    assert not any("[0" in str(one.message) for one in caught)
    if set(values) <= {0, 1} or name not in ("mg", "magnesium"):
        assert not caught


@pytest.mark.parametrize(("name", "options"), [("mg", {"units": {"mg": "mmol/L"}}), ("magnesium_mmol", {})])
@pytest.mark.parametrize("values", [[0, 1, 0, 1], [0.8, 0.9, -9, 0.7]])
def test_magnesium_by_declaration_or_unit_is_refused_at_zero_or_less(tmp_path, name, options, values):
    pd.DataFrame({"who": list("abcd"), name: values}).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(CohortError, match=f"magnesium column '{name}': (0|-9) is no concentration"):
        read_cohort(tmp_path / "x.csv", **options)


@pytest.mark.parametrize(
    ("ages", "named"),
    [
        ([61, 999, 55, 48, 70, 66], "999"),
        ([61, -9, 55, 48, 70, -99], "-9, -99"),
        ([61, 58, 55, 48, 70, 66], ""),
        ([61, 99, 95, 88, 90, 66], ""),
        ([-9, -12, 4, 3, 8, 1], ""),
    ],
)
def test_codes_that_lie_far_from_the_other_values_are_named(tmp_path, ages, named):
    pd.DataFrame({"who": list("abcdef"), "age": ages}).to_csv(tmp_path / "x.csv", index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_cohort(tmp_path / "x.csv")
    wanted = [f"column 'age': {named} lies far"] if named else []
    assert [str(one.message)[: len(wanted[0])] for one in caught if wanted] == wanted
    assert len(caught) == len(wanted)
    if named:
        codes = [int(code) for code in named.split(", ")]
        assert f"read with missing={{'age': [{named}]}}" in str(caught[0].message)
        with pytest.warns(SuspiciousValues, match=rf"set missing in column 'age' \({len(codes)} rows?\)$"):
            assert read_cohort(tmp_path / "x.csv", missing={"age": codes})["age"].isna().sum() == len(codes)


# --- Thresholds, as numbers ------------------------------------------------------------------------


def is_warned(warnings_or_problems):
    return len(warnings_or_problems) > 0


@pytest.mark.parametrize(("n_event", "n", "warned"), [(19, 20, False), (20, 21, True), (9, 9, False), (10, 10, True)])
def test_events_in_more_than_95_percent_of_ten_rows_or_more_look_like_a_censoring_flag(n_event, n, warned):
    values = np.array([1.0] * n_event + [0.0] * (n - n_event))
    assert is_warned(likely_errors.reversed_event(values, "dead")) == warned


@pytest.mark.parametrize(
    ("unit", "longest", "warned"),
    [("months", 600.0, False), ("months", 600.1, True), ("years", 50.0, False), ("years", 50.1, True)],
)
def test_follow_up_beyond_fifty_years_looks_like_another_unit(unit, longest, warned):
    assert is_warned(likely_errors.long_follow_up(np.array([3.0, longest, np.nan]), "os", unit)) == warned


@pytest.mark.parametrize(("highest", "warned"), [(1.4, False), (1.41, True)])
def test_magnesium_above_1_4_looks_like_another_unit(highest, warned):
    assert is_warned(likely_errors.mixed_units(np.array([0.8, 0.9, highest]), "mg")) == warned
    in_mg_dl = np.array([0.8, 0.9, highest]) * 24.305 / 10
    assert is_warned(likely_errors.mixed_units(in_mg_dl, "mg", unit="mg/dL")) == warned


@pytest.mark.parametrize(
    ("median", "words"),
    [(0.4, ""), (1.2, ""), (1.21, "looks like mg/dL or mEq/L"), (0.39, "fits none of"), (2.5, "looks like mg/dL;")],
)
def test_the_median_of_magnesium_lies_between_0_4_and_1_2(median, words):
    problem = likely_errors.magnesium_problem(np.array([median - 0.1, median, median + 0.1]), "mg")
    assert problem == "" if not words else words in problem


@pytest.mark.parametrize(
    ("first", "last", "is_dates"),
    [(20_000, 80_000, True), (19_999, 40_000, False), (30_000, 80_001, False), (40_000.5, 40_001, False)],
)
def test_whole_numbers_from_20000_to_80000_are_dates_of_a_spreadsheet(first, last, is_dates):
    assert is_warned(likely_errors.serial_dates(np.array([first, last, np.nan]), "os")) == is_dates


@pytest.mark.parametrize(
    ("first", "last", "is_years"), [(1900, 2100, True), (1899, 2000, False), (1990, 2101, False), (1990.5, 2000, False)]
)
def test_whole_numbers_from_1900_to_2100_are_years_of_the_calendar(first, last, is_years):
    assert likely_errors.calendar_years(np.array([first, last, np.nan], dtype=float)) == is_years


@pytest.mark.parametrize(("lowest", "named"), [(41, False), (42, True)])  # 99 - 70 = 29 = 70 - 41 > 70 - 42
def test_a_code_lies_further_above_the_largest_value_than_the_values_spread(lowest, named):
    ages = np.array([lowest, 50, 60, 70, 99], dtype=float)
    assert is_warned(likely_errors.missing_codes(ages, "age")) == named


@pytest.mark.parametrize(
    ("name", "n_rows", "refused"),
    [("patient_id", 40, True), ("patient_id", 41, False), ("id", 4, True), ("id", 5, False)],
)
def test_an_identifier_is_the_patients_from_a_share_of_different_values_on(name, n_rows, refused):
    cohort = pd.DataFrame({name: ["A", "B"] + ["A"] * (n_rows - 2), "x": range(n_rows)})
    assert is_warned(likely_errors.patient_problems(cohort)) == refused


@pytest.mark.parametrize(
    ("different", "n_rows", "warned"), [(5, 10, True), (4, 10, False), (5, 9, False), (10, 10, False)]
)
def test_text_that_is_half_different_and_repeats_may_be_the_patients(different, n_rows, warned):
    words = [f"w{number % different}" for number in range(n_rows)]
    assert is_warned(likely_errors.possible_patients(pd.DataFrame({"who": words}), [])) == warned


def test_copies_of_rows_are_counted():
    (warning,) = likely_errors.copied_rows(pd.DataFrame({"a": [1, 1, 2], "b": [3, 3, 3]}))
    assert str(warning) == "1 row (2) equal an earlier row in every column; does a patient stand twice?"
    assert likely_errors.copied_rows(pd.DataFrame({"a": [1, 1, 2], "b": [3, 4, 3]})) == []
