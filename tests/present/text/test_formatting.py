"""Numbers as words."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import (
    InputError,
    format_count,
    format_interval,
    format_number,
    format_p,
    format_ratio,
    format_share,
    format_time,
    inline,
)

NAN = float("nan")


@pytest.mark.parametrize("nothing", [None, NAN, np.float64("nan"), pd.NA, pd.NaT])
def test_what_is_missing_is_a_dash_or_not_reached(nothing):
    assert {format_number(nothing), format_count(nothing), format_share(nothing), format_p(nothing)} == {"–"}
    assert format_ratio(nothing) == "–"
    assert format_time(nothing) == "NR"
    assert format_interval(1, nothing) == "1.00 to NR"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234.567, 2, "1234.57"), (-0.004, 2, "0.00"), (-0.006, 2, "−0.01"), (0.0, 1, "0.0"), (-3, 0, "−3"),
     (math.inf, 2, "∞"),
     (-math.inf, 2, "−∞"), (1e-9, 2, "0.00"), (1e22, 0, "10000000000000000000000")],
)  # fmt: skip
def test_numbers_have_a_point_a_minus_and_no_negative_zero(value, digits, text):
    assert format_number(value, digits=digits) == text


@pytest.mark.parametrize(
    ("p_value", "text"),
    [(1, "1.000"), (0.99951, ">0.999"), (0.9994, "0.999"), (0.05, "0.050"), (0.0494, "0.049"), (0.001, "0.001"),
     (0.000999, "<0.001"), (1e-200, "<0.001"), (1e-301, "<1e-300"), (0, "<1e-300")],
)  # fmt: skip
def test_p_values_have_three_digits_and_are_never_zero(p_value, text):
    assert format_p(p_value) == text


@given(st.floats(0, 1))
def test_no_p_value_is_printed_as_zero_or_as_more_than_it_is(p_value):
    for text in (format_p(p_value), format_p(p_value, exact=True)):
        assert text not in {"0.000", "−0.000"}
        if text.startswith("<"):
            assert p_value < float(text[1:])
        if text == "1.000":
            assert p_value == 1


@pytest.mark.parametrize("p_value", [-0.1, 1.0001, 5])
def test_what_is_no_p_value_is_refused(p_value):
    with pytest.raises(InputError, match="lies between 0 and 1"):
        format_p(p_value)


def test_small_p_values_may_be_exact():
    assert format_p(3.14e-15, exact=True) == "3.1e-15"
    assert format_p(0.5, exact=True) == "0.500"


def test_counts_keep_thousands_and_weights():
    assert [format_count(n) for n in (0, 999, 1441, 1234567, 2.5, np.int64(3))] == [
        "0",
        "999",
        "1,441",
        "1,234,567",
        "2.5",
        "3",
    ]


def test_shares_are_percentages():
    assert [format_share(x) for x in (0, 0.0004, 0.12345, 1)] == ["0.0%", "0.0%", "12.3%", "100.0%"]
    assert format_share(-0.05, digits=0) == "−5%"


@pytest.mark.parametrize(
    ("ratio", "text"), [(0, "<0.01"), (0.004, "<0.01"), (0.006, "0.01"), (1, "1.00"), (1000, "1000.00"), (1e9, ">1000")]
)
def test_ratios_do_not_pretend_to_precision(ratio, text):
    assert format_ratio(ratio) == text


def test_ratios_and_times_take_their_interval_along():
    assert format_ratio(0.5, 0.25, 1) == "0.50 (0.25 to 1.00)"
    assert format_ratio(0.5, NAN, NAN) == "0.50"
    assert format_ratio(0.5, NAN, 2) == "0.50 (– to 2.00)"
    assert format_time(10.26, 8.1, NAN, unit="months") == "10.3 months (8.1 to NR)"
    assert format_interval(-2, -1, digits=0) == "−2 to −1"


def test_sentences_are_filled_by_kind():
    row = pd.Series({"hr": 1.234, "p": 0.0004, "q": 0.04, "median": NAN, "n": 1441.0, "share": 0.123, "name": "low"})
    text = inline("{name}: {hr:ratio} {p:p} {p:p=} {q:p=} {median:time} {n:count} {share:share0} {hr:.1f}", row)
    assert text == "low: 1.23 <0.001 < 0.001 = 0.040 NR 1,441 12% 1.2"


def test_names_given_by_hand_win():
    assert inline("{n:count}", {"n": 1}, n=2) == "2"
    assert inline("{x:time2}", x=1.234) == "1.23"


def test_an_unknown_name_raises_with_the_known_ones():
    with pytest.raises(InputError, match=re.escape("asks for 'hrr'; the names given are: hr, p")):
        inline("{hrr:ratio}", {"hr": 1, "p": 2})
