"""Labels of groups: their order, and cells that cannot be labels."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import CohortError, Endpoint, SuspiciousValues, logrank_trend
from analysis.survival.rows.groups import group_rows, grouping_problems

ENDPOINT = Endpoint("time", "event")
quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def labels(values, **options):
    return group_rows(pd.DataFrame({"g": pd.Series(values, **options)}), ["g"]).labels


BINS = pd.IntervalIndex.from_breaks([0, 2, 10, 20, 100])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.arrays.IntervalArray(BINS[[3, 1, 0, 2]]), ("(0, 2]", "(2, 10]", "(10, 20]", "(20, 100]")),
        (np.array(list(BINS[[3, 1, 0, 2]]), dtype=object), ("(0, 2]", "(2, 10]", "(10, 20]", "(20, 100]")),
        (pd.to_timedelta([10, 2], unit="D"), ("2 days 00:00:00", "10 days 00:00:00")),
        ([timedelta(10), timedelta(2)], ("2 days, 0:00:00", "10 days, 0:00:00")),
        ([date(2024, 5, 1), date(2024, 1, 1)], ("2024-01-01", "2024-05-01")),
        ([Decimal("10"), Decimal("2.50"), 1.0], ("1", "2.50", "10")),
        ([np.bool_(True), np.bool_(False)], ("False", "True")),
        ([10, "b", 9, "a"], ("9", "10", "a", "b")),
        (["10", "9"], ("10", "9")),
        ([pd.Interval(0, 1), "other"], ("(0, 1]", "other")),
    ],
)
def test_labels_stand_in_the_order_of_their_values(values, expected):
    assert labels(values, **({"dtype": object} if isinstance(values, list) else {})) == expected


@pytest.mark.parametrize("dtype", [bool, "boolean", "bool[pyarrow]", object])
def test_true_and_false_have_the_same_labels_in_every_dtype(dtype):
    assert labels([True, False, True], dtype=dtype) == ("False", "True")


@quiet
def test_groups_of_intervals_are_tested_for_trend_in_their_order():
    n = [1, 1, 3, 5, 12, 15, 30, 40, 55, 2, 2, 18]
    cohort = pd.DataFrame({"time": [9, 8, 7, 6, 5, 4, 3, 2, 1, 10, 11, 12], "event": 1, "n": n})
    cut = pd.cut(cohort["n"], [0, 2, 10, 20, 100])
    for groups in (cut, pd.IntervalIndex(cut), cut.astype(object)):
        # R: fit <- survdiff(Surv(time, event) ~ g); s <- 1:4; sum(s * (fit$obs - fit$exp))^2 / (s %*% fit$var %*% s)
        assert logrank_trend(cohort.assign(g=groups), ENDPOINT, by="g").p_value == pytest.approx(0.0559, abs=5e-5)


def test_a_trend_over_text_that_reads_as_numbers_is_warned_of_unless_its_order_is_theirs():
    cohort = pd.DataFrame({"time": range(1, 31), "event": 1, "g": ["1", "2", "10"] * 10})
    with pytest.warns(SuspiciousValues, match="text in alphabetical order, 1, 10, 2, which is not that of the numbers"):
        logrank_trend(cohort, ENDPOINT, by="g")
    in_order = [cohort.astype({"g": int}), cohort.astype({"g": pd.CategoricalDtype(["1", "2", "10"])})]
    found = [logrank_trend(rows, ENDPOINT, by="g") for rows in in_order]
    assert [test.warnings for test in found] == [(), ()]
    assert found[0].statistic == found[1].statistic


@pytest.mark.parametrize(
    ("cells", "kind"),
    [([[1], [2], None], "list"), ([{"a": 1}, "x", None], "dict"), ([np.array([1.0]), 1, None], "ndarray")],
)
def test_cells_that_are_lists_cannot_be_labels(cells, kind):
    column = pd.Series(cells, name="g", dtype=object)
    (problem,) = grouping_problems(column)
    assert f"({kind}), in" in problem
    with pytest.raises(CohortError, match=r"column 'g': cells that are no single value"):
        group_rows(column.to_frame(), ["g"])


def test_an_object_column_of_many_numbers_is_a_measurement():
    (problem,) = grouping_problems(pd.Series(range(30), name="g", dtype=object))
    assert problem.startswith("column 'g' holds 30 different numbers: a measurement, not groups")


@given(
    st.lists(st.sampled_from(["a", "b", "10", "9"]), min_size=1, max_size=12), st.permutations(["a", "b", "10", "9"])
)
def test_codes_as_text_are_the_same_for_text_and_for_categories_in_any_order(labels, categories):
    as_text = group_rows(pd.DataFrame({"site": pd.Series(labels, dtype=object)}), ["site"])
    recoded = group_rows(pd.DataFrame({"site": pd.Categorical(labels, categories=categories)}), ["site"])
    ranks = {label: rank for rank, label in enumerate(sorted(set(labels)))}
    assert as_text.codes_as_text.tolist() == recoded.codes_as_text.tolist() == [ranks[label] for label in labels]


def test_only_the_labels_that_read_alike_are_named():
    with pytest.raises(CohortError, match=r"column 'g': values of different types read alike \(1\)$"):
        labels([1, "1", "a", 2], dtype=object)
