"""Columns as values: a formula and a condition read them by one rule."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import CohortError, Endpoint, InputError, cutpoint_multiverse
from analysis.survival.cox import read_design
from analysis.survival.formulas.values import Category, column_values, rows_that_meet

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


PATIENTS = pd.DataFrame(
    {
        "ecog": [0, 1, 2, None],
        "age": [50.0, 70.0, None, 90.0],
        "sex": ["f", "m", "m", None],
        "flag": [True, False, True, False],
        "a b": [1, 2, 3, 4],
        "Age..years.": [50.0, 70.0, None, 90.0],
    }
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("ecog == 2", [0, 0, 1, 0]),
        ("ecog != 2", [1, 1, 0, 0]),
        ("~(ecog == 2)", [1, 1, 0, 0]),
        ("not ecog == 2", [1, 1, 0, 0]),
        ("ecog == 2 | age > 80", [0, 0, 1, 1]),
        ("ecog == 2 or age > 80", [0, 0, 1, 1]),
        ("ecog < 2 & age > 60", [0, 1, 0, 0]),
        ("not (ecog < 2 and age > 60)", [1, 0, 1, 0]),
        ("ecog == 2 and age > 80", [0, 0, 0, 0]),
        ("not (ecog == 2 and age < 0)", [1, 1, 0, 1]),
        ("sex == 'm'", [0, 1, 1, 0]),
        ('sex != "m"', [1, 0, 0, 0]),
        ("sex in ['m', 'f'] and ecog in [0, 2]", [1, 0, 1, 0]),
        ("sex not in ['m']", [1, 0, 0, 0]),
        ("flag", [1, 0, 1, 0]),
        ("~flag", [0, 1, 0, 1]),
        ("`a b` + 1 > 3", [0, 0, 1, 1]),
        ("log2(`a b`) == 2", [0, 0, 0, 1]),
        ("flag == True", [1, 0, 1, 0]),
        ("False == flag", [0, 1, 0, 1]),
        ("flag != TRUE | ecog == 2", [0, 1, 1, 1]),
        ("flag in [True]", [1, 0, 1, 0]),
        ("True & flag", [1, 0, 1, 0]),
        ("sex in ('m',) or ecog == 0", [1, 1, 1, 0]),
        ("ecog in (0, 2)", [1, 0, 1, 0]),
        ("ecog not in (0, 2)", [0, 1, 0, 0]),
        ("60 < age < 80", [0, 1, 0, 0]),
        ("not 60 < age <= 90", [1, 0, 0, 0]),
        ("0 <= ecog < `a b` < 3", [1, 1, 0, 0]),
        ("'m' == sex", [0, 1, 1, 0]),
        ("'m' != sex", [1, 0, 0, 0]),
        ("Age..years.^2 > 2500", [0, 1, 0, 1]),
        (" | ".join(["ecog == 2"] * 80), [0, 0, 1, 0]),
        (f"ecog in {[*range(1, 200)]}", [0, 1, 1, 0]),
    ],
)
def test_a_condition_holds_where_r_says_so(condition, holds):
    """As ``with(rows, condition)`` of R, an NA being no TRUE."""
    assert rows_that_meet(PATIENTS, condition).tolist() == [bool(one) for one in holds]


def opposite(truth):
    """Not, of True, False and None row by row."""
    return [None if one is None else not one for one in truth]


def both(truth, other):
    """And, of True, False and None row by row."""
    pairs = zip(truth, other, strict=True)
    return [False if False in pair else None if None in pair else True for pair in pairs]


def joined(word, first, second):
    """Two conditions with their truth; one or the other holds where not both fail."""
    truth = both(first[1], second[1])
    if word in ("|", "or"):
        truth = opposite(both(opposite(first[1]), opposite(second[1])))
    return f"({first[0]}) {word} ({second[0]})", truth


CONDITIONS = st.recursive(
    st.sampled_from(
        [
            ("60 < age < 80", [False, True, None, False]),
            ("ecog == 2", [False, False, True, None]),
            ("ecog not in (0, 1)", [False, False, True, None]),
            ("'m' == sex", [False, True, True, None]),
            ("flag == False", [False, True, False, True]),
            ("`a b`^2 >= 9", [False, False, True, True]),
        ]
    ),
    lambda inner: st.one_of(
        st.builds(joined, st.sampled_from(["&", "|", "and", "or"]), inner, inner),
        st.builds(lambda sign, one: (f"{sign}({one[0]})", opposite(one[1])), st.sampled_from(["~", "not "]), inner),
    ),
    max_leaves=8,
)


@given(condition=CONDITIONS)
@settings(max_examples=100, deadline=None)
def test_conditions_join_by_the_logic_of_three_values(condition):
    text, truth = condition
    assert rows_that_meet(PATIENTS, text).tolist() == [one is True for one in truth]


@pytest.mark.parametrize(
    ("name", "condition"), [("True", "True == 2"), ("FALSE", "FALSE == 2"), ("True", "`True` > 1")]
)
def test_a_column_named_as_a_truth_value_is_that_column(name, condition):
    assert rows_that_meet(PATIENTS.rename(columns={"ecog": name}), condition).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("condition", "advice"),
    [
        ("ecog = 2", "write == for ="),
        ("(ecog = 2) & age > 60", "write == for ="),
        ("log(ecog = 2) > 0", "write == for ="),
        ("ecog == 2 && age > 60", "'&&' is not allowed in it; write &;"),
        ("ecog == 2 || age > 60", r"'\|\|' is not allowed in it; write \|;"),
        ("!flag", "'!' is not allowed in it; write ~;"),
        ("ecog <> 2", "'<>' is not allowed in it; write !=;"),
        ("sex %in% c('m', 'f')", r"'%in%' is not allowed in it; write in, as site in \['a', 'b'\]"),
        ("sex in c('m', 'f')", r"no function 'c'; write a list, as \['a', 'b'\]"),
        ("ecog == 2 AND age > 60", "it is not a valid expression;"),
    ],
)
def test_a_condition_that_cannot_be_read_says_how_conditions_are_written(condition, advice):
    with pytest.raises(InputError, match=f"^cannot read the condition .*{advice}.*compare with ==, .* join with & and"):
        rows_that_meet(PATIENTS, condition)


@pytest.mark.parametrize(
    "condition", ["ecog = 2", "ecog == 'm'", "sex == 2", "sex == 'x'", "age", "ecog ~ 2", "-(ecog in ['m'])"]
)
def test_no_message_on_a_condition_speaks_of_covariates(condition):
    with pytest.raises(InputError, match="condition") as raised:
        rows_that_meet(PATIENTS, condition)
    assert "covariate" not in str(raised.value)


RUNS_CODE = [
    "@np.savetxt('ran', [1])",
    "@__import__('os').system('touch ran')",
    "__import__('os').system('touch ran')",
    "ecog.to_csv('ran')",
    "ecog == @pd.io.common.os.system('touch ran')",
    "age.values.tofile('ran')",
    "ecog == 2 and open('ran', 'w')",
    "[open('ran', 'w') for x in ecog]",
    "ecog = 2",
    "age",
    "2",
    "ecog ==",
    "sex == 2",
    "ecog == 'm'",
    "sex == 'x'",
    "height > 2",
]


@pytest.mark.parametrize("condition", RUNS_CODE)
def test_what_is_no_condition_is_an_error_and_runs_nothing(condition, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"cannot read|no column|computes with|True or False|text 'm'|no row"):
        rows_that_meet(PATIENTS, condition)
    rng = np.random.default_rng(1)
    cohort = pd.concat([PATIENTS] * 10, ignore_index=True)
    cohort = cohort.assign(t=rng.permutation(40) + 1.0, e=1, mg=rng.normal(0.8, 0.1, 40))
    with pytest.raises(InputError, match="exclusion 'some': cannot be evaluated"):
        cutpoint_multiverse(
            cohort, Endpoint("t", "e"), "mg", cutpoints={"a": 0.8}, exclusions={"some": condition}, seed=1
        )
    assert not list(tmp_path.iterdir())
