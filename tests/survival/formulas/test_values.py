"""Columns as values: a formula and a condition read them by one rule."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, Endpoint
from analysis.survival.cox import read_design
from analysis.survival.formulas.conditions import rows_that_meet
from analysis.survival.formulas.values import Category, column_values

DAYS = pd.to_datetime(["2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01"])
ROWS = pd.DataFrame(
    {
        "time": [1.0, 2, 3, 4],
        "event": 1,
        "dates": DAYS,
        "zoned": DAYS.tz_localize("UTC"),
        "spans": DAYS - DAYS[0],
        "infinite": [1.0, 2, 3, np.inf],
        "huge": [1.0, 2, 1e200, 3],
    }
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dates", "holds dates or time spans"),
        ("zoned", "holds dates or time spans"),
        ("spans", "holds dates or time spans"),
        ("infinite", r"infinite values in 1 row \(4\)"),
        ("huge", r"1e\+200 in 1 row \(3\): beyond"),
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda name: read_design(ROWS, Endpoint("time", "event"), name),
        lambda name: read_design(ROWS, Endpoint("time", "event"), f"I({name} == 2)"),
        lambda name: rows_that_meet(ROWS, f"{name} == 2"),
        lambda name: rows_that_meet(ROWS, f"{name} == 'x' | time > 2"),
    ],
    ids=["term", "within I()", "condition", "condition with text"],
)
def test_formulas_and_conditions_refuse_the_same_columns(use, name, message):
    with pytest.raises(CohortError, match=f"column '{name}': {message}"):
        use(name)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([3, 1, None, 2], dtype=object),
        pd.Series([3, 1, None, 2], dtype="Int64"),
        pd.Series([Decimal(3), Decimal(1), None, Decimal(2)]),
    ],
    ids=["object", "nullable", "Decimal"],
)
def test_numbers_of_any_dtype_are_numbers_in_the_rows_asked_for(column):
    values = column_values(column.to_frame("x"), "x", [], np.array([3, 0]))
    np.testing.assert_array_equal(values, [2.0, 3.0])


@pytest.mark.parametrize(
    ("column", "levels", "codes"),
    [
        (pd.Series(["b", "a", None, "c"]), ("b", "c"), [1, 0]),
        (pd.Series(pd.Categorical(["b", "a", None, "c"], categories=["c", "b", "a"])), ("c", "b"), [0, 1]),
        (pd.Series(["10", "9", None, "9"]), ("10", "9"), [1, 0]),
    ],
    ids=["text", "categories", "digits"],
)
def test_labels_are_a_category_of_the_levels_in_the_rows_asked_for(column, levels, codes):
    values = column_values(column.to_frame("x"), "x", [], np.array([3, 0]))
    assert isinstance(values, Category)
    assert values.levels == levels
    assert values.codes.tolist() == codes
