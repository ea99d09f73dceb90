"""A second file by patient: every row of the first once, nothing averaged, and patients without a partner counted."""

import warnings

import pandas as pd
import pytest

from analysis import CohortError, SuspiciousValues, join_cohorts

PATIENTS = pd.DataFrame({"id": ["c", "a", "b"], "months": [8, 12, 30], "site": ["x", "y", "x"]})
SAMPLES = pd.DataFrame({"id": ["a", "b", "c"], "magnesium": [0.82, 0.71, 0.9]})


def test_columns_stand_beside_their_patient_whatever_the_order():
    left, right = PATIENTS.copy(), SAMPLES.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        joined = join_cohorts(left, right, key="id")
    pd.testing.assert_frame_equal(joined, PATIENTS.assign(magnesium=[0.9, 0.82, 0.71]))
    pd.testing.assert_frame_equal(left, PATIENTS)
    pd.testing.assert_frame_equal(right, SAMPLES)
    pd.testing.assert_frame_equal(joined, PATIENTS.merge(SAMPLES, on="id", how="left"))


def test_numbers_and_text_of_the_same_digits_are_one_patient():
    left, right = PATIENTS.assign(id=[3, 1, 2]), SAMPLES.assign(id=["1", "2", "3"])
    assert join_cohorts(left, right.rename(columns={"id": "who"}), key="id", other_key="who").magnesium.tolist() == [
        0.9,
        0.82,
        0.71,
    ]


def test_a_patient_may_stand_in_several_rows_of_the_first_file():
    spells = pd.concat([PATIENTS, PATIENTS])
    assert join_cohorts(spells, SAMPLES, key="id")["magnesium"].tolist() == [0.9, 0.82, 0.71] * 2


def test_patients_without_a_partner_are_counted_and_missing():
    left, right = PATIENTS.assign(id=["c", "a", None]), SAMPLES.assign(id=["a", "c", "d"])
    words = "joined by 'id': 1 of 3 rows have no patient in the second file; 1 of 3 patients of the second file are not"
    with pytest.warns(SuspiciousValues, match=words):
        joined = join_cohorts(left, right, key="id")
    assert joined["magnesium"].tolist()[:2] == [0.71, 0.82]
    assert joined["magnesium"].isna().tolist() == [False, False, True]


def test_a_column_in_both_files_stands_once_where_it_is_the_same():
    same = SAMPLES.assign(site=["y", "x", "x"])
    assert join_cohorts(PATIENTS, same, key="id").columns.tolist() == ["id", "months", "site", "magnesium"]
    with pytest.raises(CohortError, match=r"column 'site' stands in both files with other values in 1 row \(2\)"):
        join_cohorts(PATIENTS, same.assign(site=["z", "x", "x"]), key="id")


@pytest.mark.parametrize(
    ("other", "options", "message"),
    [
        (
            pd.concat([SAMPLES, SAMPLES[:1].assign(magnesium=0.6)]),
            {},
            r"1 patients stand in several rows \(a\): 2 rows \(1, 4\); they differ in 'magnesium'; keep one row of",
        ),
        (pd.concat([SAMPLES, SAMPLES]), {}, r"3 patients stand in several rows .*; they are alike"),
        (SAMPLES.assign(id=["A", "B", "C"]), {}, r"no patient in common: 'id' holds 'c', 'a', 'b', 'id' of the second"),
        (SAMPLES.assign(id=["a", None, "c"]), {}, r"second file: column 'id': missing in 1 row \(2\)"),
        (SAMPLES, {"other_key": "patient"}, r"second file: no column 'patient'"),
    ],
)
def test_files_that_do_not_fit_are_refused(other, options, message):
    with pytest.raises(CohortError, match=message):
        join_cohorts(PATIENTS, other, key="id", **options)
