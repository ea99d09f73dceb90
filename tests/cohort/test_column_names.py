"""What names of columns say: names of published data sets, with what their documentation says that they hold."""

import pytest

from analysis.cohort import column_names

# TCGA's clinical data resource, CDISC ADTTE, and data sets of the survival and MASS packages of R.
HOLDS = {
    "event": [
        "vital_status",
        "DSS_STATUS",
        "status",
        "death",
        "dead",
        "cens",
        "censored",
        "CNSR",
        "delta",
        "recur",
    ],
    "time": ["OS.time", "os_months", "futime", "survival_days", "AVAL", "follow_up", "time_years", "rfs_weeks"],
    "patient": ["patient_id", "USUBJID", "_PATIENT", "bcr_patient_barcode", "pat_no", "MRN", "subject"],
    "magnesium": ["magnesium", "serum Mg", "Mg (mmol/L)", "mg_baseline", "Magnesium_mmol_l"],
    "none of these": ["age", "sex", "ecog", "site_id", "ldh", "karno", "mg_dl", "trt", "crp", "birth_date", "patience"],
}


@pytest.mark.parametrize("name", HOLDS["event"])
def test_events_are_recognised(name):
    assert column_names.looks_like_event(name)
    assert column_names.looks_like_outcome(name)


@pytest.mark.parametrize("name", HOLDS["time"])
def test_times_are_recognised_and_are_no_events(name):
    assert column_names.time_unit_of(name) is not None
    assert not column_names.looks_like_event(name)
    assert column_names.looks_like_outcome(name)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("os_months", "months"), ("OS.mo", "months"), ("survival_days", "days"), ("rfs weeks", "weeks"),
        ("osYears", "years"), ("OS.time", "time"), ("age_years", None), ("date_of_death", None), ("sometimes", None),
    ],
)  # fmt: skip
def test_a_time_has_the_unit_that_its_name_says(name, unit):
    assert column_names.time_unit_of(name) == unit


@pytest.mark.parametrize("name", HOLDS["patient"])
def test_patients_are_recognised(name):
    assert column_names.looks_like_patient(name)
    assert column_names.names_a_person(name)


@pytest.mark.parametrize("name", HOLDS["magnesium"])
def test_magnesium_is_recognised(name):
    assert column_names.looks_like_magnesium(name)


@pytest.mark.parametrize("name", HOLDS["none of these"])
def test_other_columns_are_none_of_these(name):
    assert not column_names.looks_like_outcome(name)
    assert not column_names.looks_like_patient(name)
    assert not column_names.looks_like_magnesium(name)


@pytest.mark.parametrize(
    ("name", "no_event"),
    [("cens", True), ("still living", True), ("event_free", True), ("uncensored", False), ("dead", False)],
)
def test_flags_of_no_event_are_distinguished(name, no_event):
    assert column_names.looks_like_no_event(name) == no_event


def test_spells_start_and_stop_and_acronyms_are_outcomes():
    assert [column_names.looks_like_late_entry(name) for name in ("tstart", "stop", "entry_age", "startle")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert column_names.looks_like_outcome("OS")  # an acronym, of the time or of the event
    assert column_names.is_cdisc_censoring("cnsr")
    assert not column_names.is_cdisc_censoring("censor")
