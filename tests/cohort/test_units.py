"""Magnesium in its three units, by the atomic mass and the charge."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import InputError, convert_magnesium

UNITS = ["mmol/L", "mg/dL", "mEq/L"]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(24.305, "mg/dL", 10.0), (2.4305, "mg/dL", 1.0), (2.0, "mEq/L", 1.0), (0.8, "mmol/L", 0.8)],
)
def test_the_factors_are_the_atomic_mass_and_the_charge(value, unit, expected):
    assert convert_magnesium(value, unit=unit) == pytest.approx(expected, rel=1e-15)


@given(st.floats(0.1, 10), st.sampled_from(UNITS), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_the_way_round_comes_back_and_a_detour_changes_nothing(value, unit, to, by):
    there = convert_magnesium(value, unit=unit, to=to)
    assert convert_magnesium(there, unit=to, to=unit) == pytest.approx(value, rel=1e-14)
    detour = convert_magnesium(convert_magnesium(value, unit=unit, to=by), unit=by, to=to)
    assert detour == pytest.approx(there, rel=1e-14)


def test_the_same_kind_comes_back():
    assert type(convert_magnesium(2, unit="mEq/L")) is float
    assert isinstance(convert_magnesium([1, 2], unit="mEq/L"), np.ndarray)
    assert convert_magnesium(np.ones((2, 3)), unit="mEq/L").shape == (2, 3)
    series = pd.Series([1.0, np.nan], index=["b", "a"], name="Mg²⁺ (mEq/L)")
    expected = pd.Series([0.5, np.nan], index=["b", "a"], name="Mg²⁺ (mEq/L)")
    pd.testing.assert_series_equal(convert_magnesium(series, unit="mEq/L"), expected)


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "double[pyarrow]"])
def test_missing_stays_missing_in_nullable_columns(dtype):
    converted = convert_magnesium(pd.Series([2, None], dtype=dtype), unit="mEq/L")
    assert converted.dtype == "Float64"
    assert converted.isna().tolist() == [False, True]
    assert converted[0] == 1.0


def test_what_is_given_is_never_changed():
    values, series = np.array([1.0, 2.0]), pd.Series([1.0, 2.0])
    for same in (values, series):
        converted = convert_magnesium(same, unit="mmol/L")
        converted[0] = 9.0
        assert same[0] == 1.0


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (1.7, {"unit": "mg/L"}, r"unit='mg/L' is no unit of magnesium; did you mean 'mg/dL'\? use one of 'mmol/L', "),
        (1.7, {"unit": "mmol / l"}, r"did you mean 'mmol/L'\?"),
        (1.7, {"unit": "stone"}, r"unit='stone' is no unit of magnesium; use one of 'mmol/L', 'mg/dL', 'mEq/L'"),
        (1.7, {"unit": "x", "to": "y"}, r"unit='x' is no unit(.|\n)*to='y' is no unit"),
        (["0,82"], {"unit": "mmol/L"}, r"1 values are not numbers \('0,82'\)"),
        ([np.inf], {"unit": "mmol/L"}, r"infinite values in 1 row \(1\)"),
        (pd.DataFrame({"mg": [1.0]}), {"unit": "mg/dL"}, r"got a DataFrame; choose the magnesium column"),
    ],
)
def test_what_is_no_unit_or_no_number_is_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        convert_magnesium(values, **options)
