"""Samples of a marker: matched to patients and put in order, the value known by a time, and the guard of time zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, InputError, ValueUnknown, baseline_value
from analysis.robustness.time_varying.samples import known_by, patient_keys, read_samples
from tests.robustness.time_varying.test_start_stop import BASE, TWO, cohort_of, labs_of


def test_samples_come_by_patient_and_time_and_the_others_are_counted_by_reason():
    labs = labs_of(
        ("b", 3.0, 0.7), ("a", 5.0, 0.6), ("a", 1.0, 0.8), ("b", 3.0, 0.7), ("c", 1.0, 0.9), ("a", 2.0, None),
        (None, 1.0, 0.8),
    )  # fmt: skip
    found = read_samples(labs, patient_keys(cohort_of(), "id"), key="id", time="month", value="mg")
    assert (found.patient.tolist(), found.time.tolist(), found.value.tolist()) == (
        [0, 0, 1],
        [1, 5, 3],
        [0.8, 0.6, 0.7],
    )
    assert found.n_read == 7
    assert found.dropped == {
        "missing id": 1, "missing mg": 1, "patients who are not in the cohort": 1, "repeats of a sample": 1,
    }  # fmt: skip
    np.testing.assert_array_equal(known_by(found, np.array([4.0, 2.0])), [0.8, np.nan])
    np.testing.assert_array_equal(known_by(found, np.array([5.0, 3.0])), [0.6, 0.7])  # at this very time, it counts


@pytest.mark.parametrize("kind", ["float32", "float64", "Int64", "int16"])
def test_keys_are_matched_whatever_the_width_of_their_numbers(kind):
    cohort = cohort_of(id=[1, 2]).astype({"id": "float32"})
    labs = labs_of((1, 0.0, 0.8), (2, 0.0, 0.9)).astype({"id": kind})
    assert baseline_value(cohort, labs, **TWO).tolist() == [0.8, 0.9]


def test_a_baseline_from_after_time_zero_is_refused_unless_asked_for():
    labs = labs_of(BASE[0], ("b", 2.0, 0.9))
    with pytest.raises(CohortError, match=r"1 patient with no value of 'mg' until after time zero \(b"):
        baseline_value(cohort_of(), labs, **TWO)
    assert baseline_value(cohort_of(), labs, **TWO, up_to=2).tolist() == [0.8, 0.9]
    with pytest.warns(ValueUnknown, match="not known of 1 of 2 patients by time 1"):
        known = baseline_value(cohort_of(), labs, **TWO, up_to=1)
    assert known.isna().tolist() == [False, True]


def test_the_cohort_may_say_itself_when_its_marker_was_measured():
    cohort = cohort_of(mg=[0.8, 0.9], month=[0.0, 1.0]).set_index(pd.Index([7, 3]))
    with pytest.raises(CohortError, match="until after time zero"):
        baseline_value(cohort, cohort, **TWO)
    known = baseline_value(cohort, cohort, **TWO, up_to=1)
    assert (known.index.tolist(), known.tolist(), known.name) == ([7, 3], [0.8, 0.9], "mg")
    with pytest.raises(InputError, match="up_to"):
        baseline_value(cohort, cohort, **TWO, up_to=np.nan)
