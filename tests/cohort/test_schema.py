"""Schemas that cannot contradict themselves; cohorts checked against them, all faults at once."""

import numpy as np
import pandas as pd
import pytest

from analysis import (
    COHORT_SCHEMA,
    CohortError,
    Column,
    InputError,
    Schema,
    SuspiciousValues,
    load_cohort,
    validate_cohort,
)

AGE = Column("age", "integer", "Age.")


def test_columns_are_accessed_by_name_and_in_order():
    schema = Schema("patients", (Column("id", "identifier", "Who."), AGE), key="id")
    assert schema.names == ("id", "age")
    assert schema["age"] is AGE
    assert list(schema)[1] is AGE


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Schema("patients", (AGE, AGE)), r"schema 'patients': a column name stands twice"),
        (lambda: Schema("patients", (AGE,), key="id"), r"key 'id' is not one of its columns"),
        (lambda: Schema("patients", (AGE,))["agee"], r"schema 'patients' has no column 'agee'; did you mean 'age'\?"),
        (lambda: Column("sex", "category", "Sex."), r"column 'sex': a category needs levels"),
        (lambda: Column("sex", "category", "Sex.", levels=("f", "f")), r"column 'sex': levels stand twice"),
        (lambda: Column("age", "integer", "Age.", levels=("1",)), r"column 'age': only a category has levels"),
        (lambda: Column("age", "whole", "Age."), r"column 'age': type 'whole'; choose one of 'identifier'"),
        (lambda: Column("age", "integer", "Age.", low=9, high=1), r"column 'age': low 9 is above high 1"),
    ],
)
def test_contradictions_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


SCHEMA = Schema(
    "patients",
    (
        Column("patient_id", "identifier", "Who."),
        Column("sex", "category", "Sex.", levels=("male", "female")),
        Column("magnesium", "number", "Mg.", unit="mmol/L", low=0.3, high=1.6, required=False, analyte="magnesium"),
        Column("os_months", "number", "Time.", unit="months", low=0, required=False),
        Column("os_event", "indicator", "Death.", required=False),
        Column("age", "integer", "Age.", unit="years", low=18, high=100),
    ),
    key="patient_id",
)


def sound(n=12, **changes):
    """A cohort that the schema accepts, with columns replaced; a dictionary replaces single rows, counted from 0."""
    cohort = pd.DataFrame(
        {
            "patient_id": [f"P{place}" for place in range(n)],
            "sex": ["male", "female"] * (n // 2),
            "magnesium": np.linspace(0.70, 0.92, n),
            "os_months": np.arange(1.0, n + 1),
            "os_event": [0, 1] * (n // 2),
            "age": range(50, 50 + n),
        }
    )
    for name, values in changes.items():
        if isinstance(values, dict):
            column = cohort[name].astype(object)
            for place, value in values.items():
                column.iloc[place] = value
            values = column.tolist()
        cohort[name] = values
    return cohort


def test_columns_are_typed_as_described():
    given = sound(magnesium={3: None}, os_event=[True, False] * 6, age=[60.0] * 12).assign(site="north")
    before = given.copy(deep=True)
    cohort = validate_cohort(given, SCHEMA)
    assert cohort["sex"].cat.categories.tolist() == ["male", "female"]
    assert [str(cohort[name].dtype) for name in ("magnesium", "os_event", "age")] == ["float64", "int64", "int64"]
    assert cohort["magnesium"].isna().sum() == 1
    assert cohort.columns.tolist() == given.columns.tolist()
    pd.testing.assert_frame_equal(given, before)


def test_missing_values_where_they_may_be_keep_the_column_numeric():
    cohort = validate_cohort(sound(os_event={0: None}), SCHEMA)
    assert cohort["os_event"].dtype == "float64"
    assert np.isnan(cohort["os_event"][0])


@pytest.mark.parametrize("dtype", ["int64", "Int64", "int64[pyarrow]", "float64", object])
def test_numbers_of_any_dtype_are_labels_and_names_without_a_decimal_point(dtype):
    schema = Schema("s", (Column("id", "identifier", ""), Column("grade", "category", "", levels=("1", "2"))), key="id")
    given = pd.DataFrame({"id": pd.Series([7, 8], dtype=dtype), "grade": pd.Series([2, 1], dtype=dtype)})
    cohort = validate_cohort(given, schema)
    assert cohort["id"].tolist() == ["7", "8"]
    assert cohort["grade"].tolist() == ["2", "1"]


@pytest.mark.parametrize("index", [list("lkjihgfedcba"), [3] * 12, range(12, 0, -1)])
def test_the_index_is_kept_and_changes_nothing(index):
    given = sound().set_axis(index, axis=0)
    pd.testing.assert_frame_equal(
        validate_cohort(given, SCHEMA).reset_index(drop=True), validate_cohort(sound(), SCHEMA)
    )
    assert validate_cohort(given, SCHEMA).index.tolist() == list(index)


def test_the_committed_cohort_is_sound_and_a_second_time_too():
    cohort = load_cohort()
    pd.testing.assert_frame_equal(validate_cohort(cohort, COHORT_SCHEMA), cohort)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # numbers
        ({"os_months": {2: -1, 5: -2}}, r"column 'os_months': -1, -2 is below 0 months in 2 rows \(3, 6\)"),
        ({"age": {0: 17}}, r"column 'age': 17 is below 18 years in 1 row \(1\)"),
        ({"age": {0: 170}}, r"column 'age': 170 is above 100 years in 1 row \(1\)"),
        ({"age": {0: 60.5}}, r"column 'age': 60.5 no whole numbers in 1 row \(1\)"),
        ({"age": {4: None}}, r"column 'age': missing in 1 row \(5\)"),
        ({"os_months": {1: np.inf}}, r"time column 'os_months': infinite values in 1 row \(2\)"),
        ({"magnesium": {1: "0,82"}}, r"column 'magnesium': text in a numeric column, first '0,82' .*decimal=\",\""),
        ({"magnesium": {1: "<0.5"}}, r"column 'magnesium': text in a numeric column, first '<0.5' .*limits=\"bound\""),
        (
            {"magnesium": {1: "high"}},
            r"column 'magnesium': 1 of 12 values are not numbers \('high'\); .*missing=\{'magnesium': \['high'\]\}",
        ),
        # labels
        (
            {"sex": {1: "Female"}},
            r"column 'sex': 'Female' is none of 'male', 'female' in 1 row \(2\); did you mean 'female'\?",
        ),
        ({"sex": {1: "x"}}, r"column 'sex': 'x' is none of"),
        # events
        (
            {"os_event": ["dead", "alive"] * 6},
            r"'os_event': 12 values are text.*read with event_codes=\{'os_event': \{'dead': 1, 'alive': 0\}\}",
        ),
        ({"os_event": ["0", "1"] * 6}, r"'os_event': 12 values are text.*event_codes="),
        (
            {"os_event": [1, 2] * 6},
            r"values 1, 2, expected 0 and 1; read with event_codes=\{'os_event': \{1: 0, 2: 1\}\}",
        ),
        ({"os_event": [0, 1, 2] * 4}, r"several causes belong in CompetingEndpoint"),
        ({"os_event": {0: 0.5}}, r"values 0, 0.5, 1, not binary"),
        ({"os_event": np.arange(1.0, 13.0)}, r"not binary; is this an event column"),
        # who
        (
            {"patient_id": {1: "P0", 5: "P3"}},
            r"'patient_id': 2 ids stand more than once \(P0, P3\) in 4 rows .*cluster='patient_id'",
        ),
        ({"patient_id": {1: None}}, r"column 'patient_id': missing in 1 row \(2\)"),
        # units
        (
            {"magnesium": np.linspace(1.5, 2.6, 12)},
            r"median 2.05 mmol/L looks like mg/dL or mEq/L; read with units=\{'magnesium': 'mg/dL'\} or",
        ),
        ({"magnesium": np.linspace(2.5, 3.1, 12)}, r"median 2.8 mmol/L looks like mg/dL; read with units="),
        ({"magnesium": np.linspace(15, 26, 12)}, r"median 20.5 fits none of mmol/L, mg/dL, mEq/L; correct the column"),
        # dates as times
        (
            {"os_months": 43831.0 + np.arange(12)},
            r"time column 'os_months': values such as 43831 are dates .*use time_from_dates",
        ),
        ({"os_months": pd.to_datetime(["2024-01-31"] * 12)}, r"a time must be a number: use time_from_dates"),
        ({"os_months": ["2024-01-31"] * 12}, r"time column 'os_months': 12 values are not numbers \('2024-01-31'\)"),
    ],
)
def test_faults_name_column_rows_values_and_what_to_do(changes, message):
    with pytest.raises(CohortError, match=message):
        validate_cohort(sound(**changes), SCHEMA)


def test_names_are_checked_with_everything_else():
    cohort = sound(age={0: 5}, sex={1: "x"}).rename(columns={"magnesium": "magnesum"})
    cohort.insert(0, "os_event", 1, allow_duplicates=True)
    with pytest.raises(CohortError, match="did you mean 'magnesum'") as caught:
        validate_cohort(cohort, SCHEMA)
    assert [problem.split(":")[0].split(";")[0] for problem in caught.value.problems] == [
        "no column 'magnesium'",
        "column 'os_event' stands 2 times",
        "column 'sex'",
        "column 'age'",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [([1, 2], r"expected a pandas DataFrame, got list"), (sound().iloc[:0], r"the cohort has no rows")],
)
def test_what_is_no_cohort_is_refused(given, message):
    with pytest.raises(CohortError, match=message):
        validate_cohort(given, SCHEMA)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"os_event": 1}, r"event column 'os_event' looks like a censoring flag: 100 % of 12 rows have the event"),
        ({"os_months": {3: 700.0}}, r"'os_months': the longest follow-up is 700 months; are the times in days\?"),
        (
            {"magnesium": {0: 1.45, 1: 1.5}},
            r"16.7 % of 12 values lie above 1.4 mmol/L, in 2 rows \(1, 2\); are units mixed\?",
        ),
    ],
)
def test_likely_data_errors_are_warned_of(changes, message):
    with pytest.warns(SuspiciousValues, match=message):
        validate_cohort(sound(**changes), SCHEMA)


def test_copies_of_rows_are_counted_in_a_warning():
    cohort = pd.concat([sound().drop(columns="patient_id")] * 2, ignore_index=True)
    schema = Schema("no key", tuple(SCHEMA)[1:])
    with pytest.warns(SuspiciousValues, match=r"12 rows \(13, 14, 15, 16, 17, ...\) equal an earlier row"):
        validate_cohort(cohort, schema)


def test_values_that_another_unit_would_explain_are_warned_of_even_above_the_range():
    with pytest.warns(SuspiciousValues, match=r"25.0 % of 12 values lie above 1.4 mmol/L.*are units mixed"):
        cohort = validate_cohort(sound(magnesium={0: 1.9, 1: 2.0, 2: 2.2}), SCHEMA)
    assert cohort["magnesium"].tolist()[:3] == [1.9, 2.0, 2.2]
    with pytest.raises(CohortError, match=r"'magnesium': 8.2 is above 1.6 mmol/L in 1 row \(1\)"):
        validate_cohort(sound(magnesium={0: 8.2}), SCHEMA)


def test_a_schema_in_another_unit_is_judged_in_that_unit():
    schema = Schema("mg/dL", (Column("mg", "number", "Mg.", unit="mg/dL", analyte="magnesium"),))
    assert validate_cohort(pd.DataFrame({"mg": [1.7, 2.0, 2.3]}), schema)["mg"].tolist() == [1.7, 2.0, 2.3]
    with pytest.raises(CohortError, match=r"median 0.8 mg/dL looks like mmol/L or mEq/L"):
        validate_cohort(pd.DataFrame({"mg": [0.7, 0.8, 0.9]}), schema)
