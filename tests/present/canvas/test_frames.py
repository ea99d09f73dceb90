"""What the figures ask of a frame before they draw it."""

import numpy as np
import pandas as pd
import pytest

from analysis import InputError
from analysis.present.canvas.frames import by_label, need_columns, need_numbers, ordered_labels


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1]}), "rows: no column b, c; its columns are a"),
        (pd.DataFrame(index=[0]), "rows: no column b, c; its columns are none"),
        (pd.DataFrame([[1, 2, 3]], columns=["b", "b", "c"]), "rows: column b stands twice"),
        (pd.DataFrame({"b": [], "c": []}), "rows: no rows to draw"),
    ],
)
def test_frames_without_what_is_drawn_are_refused(frame, message):
    with pytest.raises(InputError, match=message):
        need_columns(frame, "rows", ["b", "c"])


def test_a_column_that_stands_twice_and_is_not_drawn_does_no_harm():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    need_columns(frame, "rows", ["b"])
    assert need_numbers(frame, "rows", ["b"])["b"].tolist() == [3]


def test_numbers_of_any_dtype_become_floats_and_the_frame_stays():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": ["x", "y"]})
    numbers = need_numbers(frame, "cohort", ["a"])
    assert numbers["a"].dtype == np.float64
    assert numbers["a"].isna().tolist() == [False, True]
    assert frame["a"].dtype == "Int64"


def test_all_columns_that_are_no_numbers_are_named_at_once():
    frame = pd.DataFrame({"a": ["x", "y"], "b": [1.0, np.inf], "c": [1e99, 1.0], "d": [1e101, 1.0]})
    with pytest.raises(InputError, match="'a' is drawn as numbers") as caught:
        need_numbers(frame, "cohort", ["a", "b", "c", "d"])
    assert "'b' holds values that are infinite or beyond 1e+100" in str(caught.value)
    assert "'d' holds" in str(caught.value)
    assert "'c'" not in str(caught.value)


def test_labels_that_occur_stand_in_the_order_of_the_categorical_else_of_appearance():
    values = pd.Series(["b", None, "a", "b"])
    assert ordered_labels(values) == ["b", "a"]
    assert ordered_labels(values.astype(pd.CategoricalDtype(["z", "a", "b"]))) == ["a", "b"]
    groups = by_label(pd.DataFrame({"group": values, "n": range(4)}), "group")
    assert {label: rows["n"].tolist() for label, rows in groups.items()} == {"b": [0, 3], "a": [2]}
