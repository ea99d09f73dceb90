"""Cells as people write them: leading zeros, words for missing values among numbers, dates, years."""

import pandas as pd
import pytest

from analysis import CohortError, SuspiciousValues, read_cohort
from tests.cohort.reading.made_files import text_file

PLAIN = pd.DataFrame({"patient": ["P1", "P2", "P3"], "magnesium": [0.82, 0.71, 0.9], "os_months": [12.5, 30.0, 8.4]})
ROWS = [tuple(row) for row in PLAIN.itertuples(index=False)]


NUMBERED = [(place, *row) for place, row in zip((3, 7, 9), ROWS, strict=True)]


def same(path, **options):
    pd.testing.assert_frame_equal(read_cohort(path, **options), PLAIN)


def lines(*above, sep=",", below=(), rows=ROWS, names=PLAIN.columns):
    body = [sep.join(map(str, row)) for row in [tuple(names), *rows]]
    return "\n".join([*above, *body, *below]) + "\n"


def test_follow_up_with_leading_zeros_is_a_number_and_so_is_what_is_asked_for(tmp_path):
    path = text_file(tmp_path, "id,Survival months,dose,dead\n01,0007,010,1\n02,0125,020,0\n03,Blank(s),030,1\n")
    with pytest.warns(SuspiciousValues, match=r"'Blank\(s\)' among numbers set missing, in 1 row \(4 of the file\)"):
        cohort = read_cohort(path, numbers=["dose"])
    assert cohort["Survival months"].tolist()[:2] == [7, 125]
    assert cohort["dose"].tolist() == [10, 20, 30]
    assert cohort["id"].tolist() == ["01", "02", "03"]


@pytest.mark.parametrize("word", ["[Not Available]", "'--", "Blank(s)", "[Unknown]"])
def test_marks_of_missing_values_leave_numbers_numbers(tmp_path, word):
    path = text_file(tmp_path, f"id,age\n1,61\n2,{word}\n3,70\n")
    with pytest.warns(SuspiciousValues, match=r"among numbers set missing, in 1 row \(3 of the file\)"):
        assert read_cohort(path)["age"].isna().tolist() == [False, True, False]
    with pytest.warns(SuspiciousValues, match=r"set missing in column 'age' \(1 row\)"):
        assert read_cohort(path, missing=[word])["age"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("word", ["n.d.", "not done", "?"])
def test_words_that_may_say_that_nothing_was_found_are_not_missing(tmp_path, word):
    ages = "\n".join(f"{place},{50 + place}" for place in range(20))
    with pytest.warns(SuspiciousValues, match="20 numbers and 1 other values"):
        assert word in read_cohort(text_file(tmp_path, f"id,age\n{ages}\n21,{word}\n"))["age"].tolist()


def test_dates_are_read_in_the_only_way_that_fits_or_as_is_said(tmp_path):
    path = text_file(tmp_path, "id,start,seen,day\n1,1/13/1997,3/2/2002,43831\n2,12/31/2002,4/2/2003,45000\n")
    with pytest.warns(SuspiciousValues, match="column 'start': dates read with the month first"):
        cohort = read_cohort(path, dates={"seen": "%d/%m/%Y", "day": "excel"})
    assert cohort["start"].tolist() == [pd.Timestamp(1997, 1, 13), pd.Timestamp(2002, 12, 31)]
    assert cohort["seen"].tolist() == [pd.Timestamp(2002, 2, 3), pd.Timestamp(2003, 2, 4)]
    assert cohort["day"].tolist() == [pd.Timestamp(2020, 1, 1), pd.Timestamp(2023, 3, 15)]
    with pytest.raises(CohortError, match=r"column 'start': no dates in 2 rows \(2, 3 of the file\): '1/13/1997'"):
        read_cohort(path, dates={"start": "%d.%m.%Y"})
    with pytest.raises(CohortError, match=r"dates: no column 'strat'; did you mean 'start'"):
        read_cohort(path, dates={"strat": "%d.%m.%Y"})


def test_years_of_the_calendar_are_no_alarm(tmp_path):
    path = text_file(tmp_path, "id,year,dead\n1,1993,1\n2,2001,0\n")
    assert read_cohort(path)["year"].tolist() == [1993, 2001]
