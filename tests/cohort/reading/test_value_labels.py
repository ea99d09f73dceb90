"""Labels of values, and values declared missing: each in place of its code, counted and named."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from analysis import SuspiciousValues, read_cohort

PLAIN = pd.DataFrame({"patient": ["P1", "P2", "P3"], "sex": ["male", "female", "male"], "age": [61, 70, 55]})


def test_values_that_spss_declares_missing_are_missing_and_counted(tmp_path):
    frame = PLAIN.assign(sex=[1.0, 2, 9], age=[61.0, -9, 55])
    labels = {"sex": {1: "male", 2: "female", 9: "unknown"}, "age": {-9: "refused"}}
    path = tmp_path / "cohort.sav"
    declared = {"sex": [9], "age": [{"lo": -9, "hi": -1}]}
    pyreadstat.write_sav(frame, path, variable_value_labels=labels, missing_ranges=declared)
    with pytest.warns(SuspiciousValues) as caught:
        cohort = read_cohort(path)
    assert cohort["sex"].tolist()[:2] == ["male", "female"]
    assert cohort[["sex", "age"]].isna().to_numpy().tolist() == [[False, False], [False, True], [True, False]]
    assert {str(one.message) for one in caught} == {
        "column 'sex': 9 ('unknown'), which the file declares missing, set missing in 1 rows",
        "column 'age': -9 ('refused'), which the file declares missing, set missing in 1 rows",
    }


def test_labels_of_a_few_values_leave_a_column_numbers(tmp_path):
    frame = PLAIN.assign(age=[61, 99, 90])[["patient", "age"]]
    path = tmp_path / "cohort.sav"
    pyreadstat.write_sav(frame, path, variable_value_labels={"age": {99: "Not reported", 90: "90 and over"}})
    with pytest.warns(SuspiciousValues) as caught:
        cohort = read_cohort(path)
    assert cohort["age"].tolist()[::2] == [61, 90]
    assert np.isnan(cohort["age"][1])
    note = str(caught[0].message)
    assert "99 ('Not reported') set missing in 1 rows, as the labels say" in note
    assert "90 ('90 and over') read as numbers, because other values have no label" in note
    assert "missing={'age': ['90']}" in note
