"""What the text in a cell says: numbers in every notation, values beyond a limit, words among numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cohort import cell_text

NUMBERS = st.floats(-1e15, 1e15, allow_nan=False)


@given(NUMBERS)
def test_a_number_written_out_is_that_number(number):
    assert cell_text.cell_number(repr(number), ".") == number
    assert cell_text.cell_number(f"  {number!r} ", ".") == number
    assert cell_text.cell_number(repr(number).replace(".", ","), ",") == number
    assert cell_text.cell_number(number, ".") == number


@given(st.integers(1_000, 10**12), st.sampled_from([",", " ", "'"]))
def test_a_separator_before_three_digits_each_time_is_of_thousands(number, mark):
    written = f"{number:,}".replace(",", mark)
    assert cell_text.in_thousands(written, mark)
    assert cell_text.cell_number(written, ".", thousands=mark) == number
    assert math.isnan(cell_text.cell_number(written, "."))
    assert not cell_text.in_thousands(written[:-1], mark)


@pytest.mark.parametrize(
    "cell", ["", "1,5", "0x10", "1_000", "1.2.3", "12 000", "\u0661", True, None, "lost", "1e", "--1", "<0.5", "2 mg"]
)
def test_what_reads_as_no_number_is_none(cell):
    assert math.isnan(cell_text.cell_number(cell, "."))


def test_text_that_was_written_with_an_apostrophe_is_no_number():
    assert math.isnan(cell_text.cell_number(cell_text.LiteralText("12"), "."))


@pytest.mark.parametrize(("beside", "may"), [(99, False), (100, True), (-100, True)])
def test_commas_may_separate_thousands_beside_numbers_above_99(beside, may):
    assert cell_text.may_separate_thousands(["1,284"], [beside], ",") == may


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["0.8", "0,9"], 'read with decimal=","'),
        (["300", "1,284"], 'read with thousands=","'),
        (["0.8", "<0.5"], 'limits="bound"'),
        (["0.8", "≥ 9"], 'limits="bound"'),
        (["<0.5", ">9"], ""),  # no number at all
        (["0.8", "0.9"], ""),
        (["0.8", "0,9", "lost"], ""),  # words too
    ],
)
def test_the_other_decimal_mark_and_limits_are_named_with_a_remedy(cells, said):
    text = cell_text.text_in_numbers("crp", cells)
    assert said in text
    assert bool(text) == bool(said)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1.8 mg/dL", "2.0 mg/dL"], "2 values carry a unit or a flag"),
        (["1.8", "2.0*"], "1 values carry a unit or a flag ('2.0*')"),
        (["1.8", "2.0", "lost"], "1 of 3 values are not numbers ('lost')"),
        (["1.8", "lost"], ""),  # half of them: no column of numbers
        (["1.8", "2.0"], ""),
    ],
)
def test_units_and_stray_words_among_numbers_are_named(cells, said):
    text = cell_text.words_in_numbers("mg", cells)
    assert said in text
    assert bool(text) == bool(said)
