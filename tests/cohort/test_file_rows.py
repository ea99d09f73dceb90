"""Rows are called by their numbers in the file while they are those of a file, else counted from 1."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import read_cohort
from analysis.cohort.columns import rows_where
from analysis.cohort.file_rows import file_rows, set_file_rows


def numbered(numbers):
    cohort = pd.DataFrame({"x": np.arange(len(numbers))})
    set_file_rows(cohort, numbers)
    return cohort


@given(st.sets(st.integers(1, 60), min_size=1).map(sorted))
def test_numbers_are_kept_whatever_rows_are_left_out_between_them(numbers):
    cohort = numbered(numbers)
    assert file_rows(cohort).tolist() == numbers
    assert file_rows(cohort["x"]).tolist() == numbers
    assert file_rows(cohort[::-1]).tolist() == numbers[::-1]


@pytest.mark.parametrize("numbers", [range(2, 62), [2, *range(4, 70)]])
def test_runs_of_rows_take_little_room(numbers):
    assert len(numbered(list(numbers)).attrs["file_rows"]) <= 3


@pytest.mark.parametrize(
    "changed",
    [
        lambda cohort: cohort.iloc[[1, 2]].reset_index(drop=True),
        lambda cohort: cohort.set_index(pd.Index(["a", "b", "c"])),
        lambda cohort: cohort.iloc[[0, 0, 1]],
        lambda cohort: cohort.set_index(pd.Index([0, 1, 3])),
        lambda cohort: cohort.iloc[:0],
    ],
)
def test_rows_that_are_no_longer_those_of_the_file_are_counted(changed):
    assert file_rows(changed(numbered([2, 3, 7]))) is None
    assert file_rows(pd.DataFrame({"x": [1]})) is None


def test_messages_name_the_row_of_the_file():
    wrong = np.array([False, True, True])
    assert rows_where(wrong) == "2 rows (2, 3)"
    assert rows_where(wrong, pd.DataFrame({"x": [1, 2, 3]})) == "2 rows (2, 3)"
    assert rows_where(wrong, numbered([2, 3, 7])) == "2 rows (3, 7 of the file)"


def test_a_file_of_parquet_has_no_numbers_of_another_file(tmp_path):
    numbered([2, 3, 7]).to_parquet(tmp_path / "x.parquet")
    assert file_rows(read_cohort(tmp_path / "x.parquet")) is None
