"""The columns of an outcome; columns as arrays: every dtype that holds numbers is taken, everything else refused."""

import copy
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from analysis import CompetingEndpoint, Endpoint, InputError
from analysis.cohort.columns import (
    column_problems,
    first_few,
    holds_numbers,
    indicator,
    numbers,
    rows_where,
    stratum_label,
    with_columns,
)


def as_numbers(values, **options):
    problems = []
    return numbers(pd.DataFrame({"x": pd.Series(values, **options)}), "x", problems), problems


def as_indicator(values, **options):
    problems = []
    return indicator(pd.DataFrame({"x": pd.Series(values, **options)}), "x", problems), problems


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "Float64", "Float32", "double[pyarrow]", "float[pyarrow]", object],
)
def test_every_dtype_of_numbers_gives_the_same_array(dtype):
    values, problems = as_numbers([1.5, None, 2.0], dtype=dtype)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [1.5, np.nan, 2.0])
    assert problems == []


@pytest.mark.parametrize(
    "dtype", ["int64", "int8", "uint32", "Int64", "UInt8", "int64[pyarrow]", "bool", "boolean", object]
)
def test_whole_numbers_and_booleans_are_numbers(dtype):
    values, problems = as_numbers([1, 0, 1], dtype=dtype)
    np.testing.assert_array_equal(values, [1.0, 0.0, 1.0])
    assert problems == []


def test_decimals_and_booleans_among_objects_are_numbers():
    values, problems = as_numbers([Decimal("0.82"), True, np.float32(0.5), None], dtype=object)
    np.testing.assert_array_equal(values, [0.82, 1.0, 0.5, np.nan])
    assert problems == []


def test_a_column_without_values_is_all_missing():
    for dtype in (object, "float64", "Float64", "string"):
        values, problems = as_numbers([None, None], dtype=dtype)
        assert np.isnan(values).all()
        assert problems == []


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (
            ["0,82", 1, "high"],
            {},
            "column 'x': 2 values are not numbers ('0,82', 'high'); read the file with read_cohort",
        ),
        (["1", "2"], {"dtype": "string"}, "2 values are not numbers ('1', '2')"),
        (["a", "b"], {"dtype": "category"}, "holds categories, not numbers"),
        (pd.to_datetime(["2024-01-31"]), {}, "holds dates or time spans; a time must be a number: use time_from_dates"),
        (pd.to_timedelta([5], unit="D"), {}, "use time_from_dates"),
        ([1 + 2j], {}, "holds complex numbers"),
        ([1.0, np.inf, -np.inf], {}, "infinite values in 2 rows (2, 3); set them missing or correct them"),
    ],
)
def test_what_is_no_number_is_refused_in_words(values, options, message):
    _, (problem,) = as_numbers(values, **options)
    assert message in problem


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([1, 0, 1], {}),
        ([1.0, 0.0, 1.0], {}),
        ([True, False, True], {}),
        ([True, False, True], {"dtype": object}),
        ([np.True_, np.False_, np.True_], {"dtype": object}),
        ([True, False, True], {"dtype": "boolean"}),
        ([True, False, True], {"dtype": "bool[pyarrow]"}),
        ([1, 0, 1], {"dtype": "Int64"}),
        ([1, 0, 1], {"dtype": "int64[pyarrow]"}),
    ],
)
def test_every_kind_of_indicator_gives_the_same_array(values, options):
    found, problems = as_indicator(values, **options)
    np.testing.assert_array_equal(found, [1.0, 0.0, 1.0])
    assert problems == []


@pytest.mark.parametrize(
    "options", [{"dtype": "boolean"}, {"dtype": "Int64"}, {"dtype": object}, {"dtype": "bool[pyarrow]"}]
)
def test_a_missing_event_stays_missing(options):
    found, problems = as_indicator([1, None, 0] if options["dtype"] == "Int64" else [True, None, False], **options)
    np.testing.assert_array_equal(found, [1.0, np.nan, 0.0])
    assert problems == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 2], "values 1, 2, expected 0 and 1; read with event_codes={'x': {1: 0, 2: 1}} if 2 is the event"),
        ([0, 1, 2], "values 0, 1, 2, expected 0 and 1; several causes belong in CompetingEndpoint"),
        ([0, 0.5, 1], "values 0, 0.5, 1, not binary"),
        ([-1, 1], "values -1, 1, not binary"),
        ([3.2, 8.1, 12.0], "not binary; is this an event column?"),
        (
            ["dead", "alive"],
            "('dead', 'alive'); read with event_codes={'x': {'dead': 1, 'alive': 0}}",
        ),
        (["0", "1"], "event_codes={'x': {'0': 0, '1': 1}}"),
        (pd.to_datetime(["2024-01-31"]), "holds dates; give a column of 0 and 1"),
        (pd.Categorical(["dead", "alive"]), "2 values are text, not 0 and 1"),
    ],
)
def test_what_is_no_indicator_is_refused_in_words(values, message):
    _, problems = as_indicator(values)
    assert message in problems[0]


def test_all_names_are_checked_at_once():
    cohort = pd.DataFrame([[1, 2, 3]], columns=["os_months", "twice", "twice"])
    problems = column_problems(cohort, ["os_month", "twice", "os_months", "age"])
    assert problems == [
        "no column 'os_month'; did you mean 'os_months'?",
        "column 'twice' stands 2 times; rename or drop the copies",
        "no column 'age'; columns: os_months, twice, twice",
    ]


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        ({"x": [1]}, "expected a pandas DataFrame, got dict; read files with read_cohort"),
        (pd.DataFrame({"x": []}), "the cohort has no rows"),
    ],
)
def test_what_is_no_cohort_is_a_problem(cohort, message):
    assert column_problems(cohort, ["x"]) == [message]


def test_words_for_rows_and_values():
    assert rows_where(np.array([False, True])) == "1 row (2)"
    assert rows_where(np.ones(7, dtype=bool)) == "7 rows (1, 2, 3, 4, 5, ...)"
    assert first_few([]) == ""


@pytest.mark.parametrize(
    ("value", "label"), [(1.0, "1"), (np.float64(2), "2"), (1.5, "1.5"), (3, "3"), ("1.0", "1.0"), (True, "True")]
)
def test_labels_of_values(value, label):
    assert stratum_label(value) == label


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([pd.NaT, 2.0, None], [np.nan, 2.0, np.nan]),
        ([pd.NA, Decimal("1.25"), np.int8(3)], [np.nan, 1.25, 3.0]),
        ([Fraction(1, 4), np.float32(0.5), np.bool_(True)], [0.25, 0.5, 1.0]),
    ],
)
def test_an_object_column_of_numbers_is_read_whatever_marks_its_missing_values(values, expected):
    found, problems = as_numbers(values, dtype=object)
    np.testing.assert_array_equal(found, expected)
    assert problems == []


def test_sparse_columns_are_read():
    values, problems = as_numbers(pd.arrays.SparseArray([0.0, 2.0, np.nan]))
    np.testing.assert_array_equal(values, [0.0, 2.0, np.nan])
    assert problems == []


@pytest.mark.parametrize("dtype", [object, "float64", "Float64"])
@pytest.mark.parametrize("value", [1e101, -1e308])
def test_numbers_too_large_to_compute_with_are_refused(dtype, value):
    _, problems = as_numbers([1.0, value, 2.0], dtype=dtype)
    assert problems == [
        f"column 'x': {value:g} in 1 row (2): beyond 1e+100, too large to compute with; set them missing, correct them,"
        " or change the unit"
    ]


def test_a_whole_number_beyond_every_float_is_infinite():
    _, problems = as_numbers([1, -(10**400)], dtype=object)
    assert problems == ["column 'x': infinite values in 1 row (2); set them missing or correct them"]


@pytest.mark.parametrize(
    ("values", "options", "is_number"),
    [
        ([1, 2], {"dtype": object}, True),
        ([True, None], {"dtype": object}, True),
        ([Decimal(1), 2.0, np.float32(3), pd.NaT], {"dtype": object}, True),
        ([1, 0], {"dtype": "boolean"}, True),
        ([1, 2], {"dtype": "int64[pyarrow]"}, True),
        (["1", "2"], {}, False),
        (["1", 2], {"dtype": object}, False),
        ([1, 2], {"dtype": "category"}, False),
        ([None, None], {"dtype": object}, False),
        (pd.to_datetime(["2024-01-31"]), {}, False),
    ],
)
def test_numbers_in_any_dtype_are_numbers_and_text_stays_text(values, options, is_number):
    assert holds_numbers(pd.Series(values, **options)) is is_number


def test_columns_replaced_in_a_copy_keep_names_of_any_type():
    cohort = pd.DataFrame({0: [1, 2], ("a", 1): [3, 4], "x": [5, 6]})
    before = cohort.copy()
    changed = with_columns(cohort, {0: [7, 8], ("a", 1): [9, 9]})
    assert changed.to_dict("list") == {0: [7, 8], ("a", 1): [9, 9], "x": [5, 6]}
    pd.testing.assert_frame_equal(cohort, before)


def test_names_on_several_levels_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert column_problems(frame, ["a"]) == [
        "the columns have several levels of names; give each one name: cohort.columns = [...]"
    ]


def test_numbers_that_are_all_too_small_to_compute_with_are_refused():
    _, problems = as_numbers([1e-160, None, -3e-170])
    assert problems == ["column 'x': no value is larger than 1e-160, too small to compute with; change the unit"]
    assert as_numbers([1e-160, 1.0])[1] == as_numbers([0.0, None])[1] == []


# --- Outcomes as names of columns -------------------------------------------------------------------


def test_an_endpoint_names_the_columns_that_hold_it():
    assert Endpoint("months", "dead", entry="start").columns == ("months", "dead", "start")
    assert CompetingEndpoint("months", "status").columns == ("months", "status")
    assert [Endpoint("months", "dead", label=label).name for label in ("", "Survival")] == ["dead", "Survival"]
    assert CompetingEndpoint("months", "status").name == "status"


@pytest.mark.parametrize(
    "roles", [("months", "months", None), ("months", "dead", "months"), ("months", "dead", "dead")]
)
def test_one_column_in_two_roles_is_refused(roles):
    duration, event, entry = roles
    with pytest.raises(InputError, match="name one column twice; each role needs a column of its own"):
        Endpoint(duration, event, entry=entry)


@pytest.mark.parametrize("causes", [{}, {0: "none", 1: "death"}, {1: "death", 2: "death"}])
def test_causes_need_codes_and_labels_of_their_own(causes):
    with pytest.raises(InputError, match="give each code other than 0 a label of its own"):
        CompetingEndpoint("months", "status", causes=causes)


def test_causes_cannot_be_changed_and_travel_to_other_processes():
    causes = {1: "relapse", 2: "death"}
    endpoint = CompetingEndpoint("months", "status", causes=causes, label="Relapse", time_unit="days")
    causes[3] = "other"
    assert dict(endpoint.causes) == {1: "relapse", 2: "death"}
    with pytest.raises(TypeError, match="does not support item assignment"):
        endpoint.causes[3] = "other"
    for travelled in (pickle.loads(pickle.dumps(endpoint)), copy.deepcopy(endpoint)):
        assert travelled == endpoint
        assert hash(travelled) == hash(endpoint)
