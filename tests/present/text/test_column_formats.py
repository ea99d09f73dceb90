"""What each column of a frame is called and how its cells are printed."""

import numpy as np
import pandas as pd
import pytest

from analysis.present.text.column_formats import ESTIMATES, FORMATS, KNOWN_COLUMNS, format_of, heading_of


def test_every_known_column_has_a_format():
    assert {name for _, name in KNOWN_COLUMNS.values()} <= set(FORMATS)
    assert set(ESTIMATES) <= set(KNOWN_COLUMNS)


@pytest.mark.parametrize(
    ("column", "heading"), [("n_risk", "At risk"), ("p_value", "p"), ("tumour_burden", "Tumour burden"), ("x", "X")]
)
def test_headings_are_the_known_ones_or_the_name_in_words(column, heading):
    assert heading_of(column) == heading


@pytest.mark.parametrize(
    ("frame", "column", "expected"),
    [
        ({"n_risk": [1]}, "n_risk", "count"),
        ({"n_risk": ["1"]}, "n_risk", "text"),
        ({"median": [99.9]}, "median", "time"),
        ({"median": [99.9, 100.0]}, "median", "long time"),
        ({"time": [1.0]}, "time", "plain"),
        ({"time": [1.0], "probability": [0.5]}, "time", "time"),
        ({"target": [1.0], "hazard_ratio": [1.0]}, "target", "ratio"),
        ({"target": [1.0]}, "target", "number"),
        ({"new": [True]}, "new", "yes"),
        ({"new": [1]}, "new", "count"),
        ({"new": [1.5]}, "new", "number"),
        ({"new": ["a"]}, "new", "text"),
    ],
)
def test_a_format_follows_the_name_then_what_the_column_holds(frame, column, expected):
    assert format_of(pd.DataFrame(frame), column) == expected


@pytest.mark.parametrize(
    ("name", "value", "cell"),
    [("plain", 12.0, "12"), ("edge", 0.123456, "0.1235"), ("digits", -0.5, "−0.5"), ("tiny", 0.0, "0"),
     ("tiny", 1.23e-9, "1.2e-09"), ("yes", False, "no"), ("time", np.nan, "NR"), ("share", 0.5, "50.0%"),
     ("number", np.nan, "–"), ("text", None, "–")],
)  # fmt: skip
def test_cells_by_format(name, value, cell):
    assert FORMATS[name].cell(value) == cell
