"""Rows from sample to sample against R's tmerge, what a checked row may be, and the guard of time zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    OVERALL_SURVIVAL,
    PROGRESSION_FREE_SURVIVAL,
    CohortError,
    Endpoint,
    FollowUpGaps,
    InputError,
    RowsDropped,
    SuspiciousValues,
    ValueUnknown,
    baseline_value,
    check_start_stop,
    fit_cox,
    landmark,
    load_cohort,
    load_labs,
    start_stop,
)
from analysis.robustness.time_varying.start_stop import known_by, patient_keys, read_samples
from tests.reference import rows

COLUMNS = {"key": "patient_id", "time": "month", "value": "magnesium"}
SPELL = Endpoint("stop", "event", entry="start")
DIED = Endpoint("months", "died")
TWO = {"key": "id", "time": "month", "value": "mg"}

# R 4.2.2, survival 3.5-3, on the committed cohort and labs: tmerge(..., mg = tdc(month, magnesium)), then
# coxph(Surv(tstart, tstop, ev) ~ mg + strata(treatment) + cluster(patient_id)): rows, events, rows without a value,
# coefficient, its model-based and robust errors, log-likelihood
TMERGE = {
    "os": (OVERALL_SURVIVAL, 8672, 302, 42, -4.485016548288, 0.638256471396, 0.607931415750, -1468.939784075555),
    "pfs": (
        PROGRESSION_FREE_SURVIVAL,
        5873,
        364,
        42,
        -3.972773361732,
        0.571777258763,
        0.537901528760,
        -1760.185167780633,
    ),
}


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("name", TMERGE)
def test_time_dependent_model_as_tmerge_and_coxph(name):
    endpoint, n_rows, n_event, n_unknown, coef, std_error, robust, log_likelihood = TMERGE[name]
    spells = start_stop(load_cohort(), load_labs(), endpoint, **COLUMNS)
    assert (len(spells), spells["event"].sum(), spells["value"].isna().sum()) == (n_rows, n_event, n_unknown)
    fit = fit_cox(spells, SPELL, ["value"], strata="treatment", cluster="patient_id", engine="kernel")
    np.testing.assert_allclose(
        fit.coefficients[["coef", "std_error", "robust_std_error"]].iloc[0], [coef, std_error, robust], rtol=1e-9
    )
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)


# R: the rows with time > 3, their last value by month 3, coxph(Surv(time - 3, event) ~ mg + strata(treatment))
LANDMARK = {
    "os": (OVERALL_SURVIVAL, -4.021724675703, 0.688279841408, 431),
    "pfs": (PROGRESSION_FREE_SURVIVAL, -3.990498223627, 0.750780686074, 334),
}


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("name", LANDMARK)
def test_landmark_of_the_last_value_as_in_r(name):
    endpoint, coef, std_error, n = LANDMARK[name]
    cohort = load_cohort()
    known = cohort.assign(now=baseline_value(cohort, load_labs(), **COLUMNS, up_to=3))
    fit = fit_cox(landmark(known, endpoint, 3), endpoint, ["now"], strata="treatment")
    np.testing.assert_allclose(fit.coefficients[["coef", "std_error"]].iloc[0], [coef, std_error], rtol=1e-8)
    assert fit.n == n


def cohort_of(**columns) -> pd.DataFrame:
    return pd.DataFrame({"id": ["a", "b"], "months": [9.0, 4.0], "died": [1, 0], **columns})


def labs_of(*samples) -> pd.DataFrame:
    return pd.DataFrame(samples, columns=["id", "month", "mg"])


BASE = (("a", 0.0, 0.8), ("b", 0.0, 0.9))


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ((*BASE, ("a", 9.0, 0.5)), "1 for at or after the end of follow-up"),  # at the death itself
        ((*BASE, ("b", 7.0, 0.5)), "1 for at or after the end of follow-up"),
        ((*BASE, ("c", 1.0, 0.5)), "1 for patients who are not in the cohort"),
        ((*BASE, ("a", 2.0, np.nan)), "1 for missing mg"),
        ((*BASE, ("a", np.nan, 0.5)), "1 for missing month"),
        ((*BASE, (None, 2.0, 0.5)), "1 for missing id"),
        ((*BASE, ("a", 0.0, 0.8)), "1 for repeats of a sample"),
    ],
)
def test_a_sample_that_cannot_be_used_is_counted(samples, reason):
    with pytest.warns(RowsDropped, match=reason):
        spells = start_stop(cohort_of(), labs_of(*samples), DIED, **TWO)
    assert spells["value"].tolist() == [0.8, 0.9]


def test_samples_before_time_zero_are_a_warning_and_the_last_one_counts():
    labs = labs_of(("a", -3.0, 0.6), ("a", -1.0, 0.7), ("b", -0.5, 0.9))
    with pytest.warns() as caught:
        spells = start_stop(cohort_of(), labs, DIED, **TWO)
    messages = [str(one.message) for one in caught]
    assert any("superseded before follow-up began" in text for text in messages)
    with pytest.warns(SuspiciousValues, match="3 samples from before time zero, the first at -3"):
        known = baseline_value(cohort_of(), labs, **TWO)
    assert spells["value"].tolist() == known.tolist() == [0.7, 0.9]


def test_patients_followed_before_their_first_sample_are_a_warning():
    with pytest.warns(ValueUnknown, match=r"not known for 2 of 2 patients .* and never known for 1 of them"):
        spells = start_stop(cohort_of(), labs_of(("a", 2.0, 0.7)), DIED, **TWO)
    assert spells["value"].isna().tolist() == [True, False, True]


def test_a_sample_at_the_very_start_of_follow_up_is_the_value_of_the_first_row_and_supersedes_the_one_before():
    with (
        pytest.warns(RowsDropped, match=r"^1 of 3 rows dropped: 1 for superseded before follow-up began$"),
        pytest.warns(SuspiciousValues, match=r"^1 sample from before time zero, the first at -1"),
    ):
        spells = start_stop(cohort_of(), labs_of(("a", -1.0, 0.6), ("b", -1.0, 0.9), ("a", 0.0, 0.8)), DIED, **TWO)
    assert spells[["id", "start", "value"]].to_numpy().tolist() == [["a", 0, 0.8], ["b", 0, 0.9]]


def test_late_entry_starts_the_first_row():
    with pytest.warns(RowsDropped, match="superseded"):
        spells = start_stop(
            cohort_of(seen=[2.0, 1.0]),
            labs_of(*BASE, ("a", 1.5, 0.7), ("a", 5.0, 0.6)),
            Endpoint("months", "died", entry="seen"),
            **TWO,
        )
    assert spells[["start", "stop", "value"]].to_numpy().tolist() == [[2, 5, 0.7], [5, 9, 0.6], [1, 4, 0.9]]


def test_a_patient_followed_for_no_time_is_counted():
    with pytest.warns(RowsDropped, match="1 for followed for no time"):
        spells = start_stop(cohort_of(months=[9.0, 0.0]), labs_of(BASE[0]), DIED, **TWO)
    assert spells["id"].tolist() == ["a"]
    with pytest.raises(CohortError, match="nobody was followed"):
        start_stop(cohort_of(months=[0.0, 0.0]), labs_of(*BASE), DIED, **TWO)


def test_a_sample_a_rounding_error_before_the_end_starts_no_row():
    with pytest.warns(RowsDropped, match="at or after the end"):
        spells = start_stop(cohort_of(months=[0.3, 4.0]), labs_of(*BASE, ("a", 0.1 * 3 - 1e-12, 0.7)), DIED, **TWO)
    assert len(spells) == 2


@pytest.mark.parametrize(
    ("cohort", "labs", "error", "words"),
    [
        (cohort_of(id=["a", "a"]), labs_of(*BASE), CohortError, "1 patient with several rows"),
        (cohort_of(id=["a", None]), labs_of(*BASE), CohortError, "missing in 1 row"),
        (cohort_of(), labs_of(("x", 0.0, 0.8)), CohortError, "no value of 'id' is in the cohort"),
        (cohort_of(), labs_of((1, 0.0, 0.8)), CohortError, "are both of one kind"),
        (cohort_of(), labs_of(*BASE, ("a", 0.0, 0.7)), CohortError, r"1 sample with another value .*a at 0"),
        (cohort_of(), labs_of(*BASE, ("a", np.inf, 0.7)), CohortError, "infinite values in 1 row"),
        (cohort_of(), labs_of(*BASE).rename(columns={"mg": "Mg"}), CohortError, "labs: no column 'mg'"),
        (cohort_of(), labs_of(*BASE).assign(mg=["0,8", "0,9"]), CohortError, "labs: value column 'mg'"),
        (cohort_of(value=1.0), labs_of(*BASE), CohortError, "has columns 'value' already"),
        (cohort_of(months=[-1.0, 4.0]), labs_of(*BASE), CohortError, "negative values"),
    ],
)
def test_invalid_arguments_raise(cohort, labs, error, words):
    with pytest.raises(error, match=words):
        start_stop(cohort, labs, DIED, **TWO)


def test_an_endpoint_of_the_new_names_gives_way_to_the_spells():
    cohort = cohort_of().rename(columns={"months": "stop", "died": "event"})
    spells = start_stop(cohort, labs_of(*BASE, ("a", 2.0, 0.7)), Endpoint("stop", "event"), **TWO)
    assert spells["event"].tolist() == [0, 1, 0]


samples = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(-2, 12), st.sampled_from([0.6, 0.7, 0.8])),
    min_size=1, max_size=12, unique_by=lambda sample: sample[:2],
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@settings(max_examples=60, deadline=None)
@given(samples=samples, data=st.data())
def test_rows_cover_each_follow_up_once_and_know_no_future(samples, data):
    ends = data.draw(st.lists(st.integers(1, 10), min_size=4, max_size=4))
    died = data.draw(st.lists(st.integers(0, 1), min_size=4, max_size=4))
    cohort = pd.DataFrame({"id": list("abcd"), "months": [float(end) for end in ends], "died": died})
    labs = pd.DataFrame(samples, columns=["id", "month", "mg"])
    spells = start_stop(cohort, labs, DIED, **TWO)
    summary = check_start_stop(spells, SPELL, key="id").set_index("id")
    assert summary["time_at_risk"].tolist() == cohort["months"].tolist()
    assert summary["n_event"].tolist() == died
    for row in spells.to_dict("records"):
        past = labs[(labs["id"] == row["id"]) & (labs["month"] <= row["start"])].sort_values("month")
        known = past["mg"].iloc[-1] if len(past) else np.nan
        assert row["value"] == known or (np.isnan(row["value"]) and np.isnan(known))
    again = start_stop(cohort, labs.sample(frac=1, random_state=1), DIED, **TWO)
    pd.testing.assert_frame_equal(again, spells)


def spells_of(*spells) -> pd.DataFrame:
    return pd.DataFrame(spells, columns=["id", "start", "stop", "event"])


@pytest.mark.parametrize(
    ("spells", "words"),
    [
        ((("a", 0, 5, 0), ("a", 3, 8, 0)), r"1 spell overlapping the spell before \(patients a"),
        ((("a", 0, 5, 0), ("a", 0, 5, 0)), "1 spell overlapping"),
        ((("a", 0, 5, 1), ("a", 5, 8, 0)), "1 spell after the event"),
        ((("a", 5, 5, 0), ("b", 0, 1, 0)), "stop"),
        ((("a", -1, 5, 0), ("b", 0, 1, 0)), "negative values"),
        ((("a", 0, 5, 2), ("b", 0, 1, 0)), r"expected 0 and 1"),
    ],
)
def test_spells_that_cannot_be_are_refused(spells, words):
    with pytest.raises(CohortError, match=words):
        check_start_stop(spells_of(*spells), SPELL, key="id")


def test_all_faults_of_spells_are_reported_at_once():
    with pytest.raises(CohortError, match="overlap") as caught:
        check_start_stop(spells_of(("a", 0, 5, 1), ("a", 3, 8, 0), ("b", 0, 2, 1), ("b", 2, 3, 0)), SPELL, key="id")
    assert len(caught.value.problems) == 2


def test_gaps_disorder_and_missing_times_are_warnings():
    with pytest.warns(FollowUpGaps, match=r"1 gap between spells \(patients a"):
        check_start_stop(spells_of(("a", 0, 2, 0), ("a", 3, 5, 1)), SPELL, key="id")
    with pytest.warns(SuspiciousValues, match="out of order or apart for patients a"):
        summary = check_start_stop(spells_of(("a", 2, 5, 1), ("b", 0, 3, 0), ("a", 0, 2, 0)), SPELL, key="id")
    assert summary["time_at_risk"].tolist() == [5, 3]
    with pytest.warns(RowsDropped, match="1 for missing stop"):
        check_start_stop(spells_of(("a", 0, 2, 0), ("b", 0, np.nan, 0)), SPELL, key="id")
    with pytest.raises(InputError, match="no entry column"):
        check_start_stop(spells_of(("a", 0, 2, 0)), Endpoint("stop", "event"), key="id")


def test_stanford_heart_rows_are_sound():
    heart = rows("heart")
    summary = check_start_stop(heart, SPELL, key="id")
    assert len(summary) == 103
    assert summary["n_event"].sum() == 75
    assert summary["time_at_risk"].sum() == pytest.approx((heart["stop"] - heart["start"]).sum(), rel=1e-12)


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
    with pytest.warns(ValueUnknown, match="not known for 1 of 2 patients by time 1"):
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
