"""The design matrix: which levels of a category have a column, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import InputError
from analysis.survival.formulas import coded_against, column_values, matrix_of, parse_formula, term_columns

ROWS = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "sex": list("fmfmfm"), "site": list("aabbcc")})


def filled(formula: str, strata: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """The names of the columns of each term."""
    variables = {name: column_values(ROWS, name, [], np.arange(len(ROWS))) for name in ROWS}
    terms = term_columns(parse_formula(formula), variables, strata)
    return {term.text: [name for name, _ in columns] for term, columns in terms}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("sex + site", {"sex": ["sex[m]"], "site": ["site[b]", "site[c]"]}),
        ("x:sex", {"x:sex": ["x:sex[f]", "x:sex[m]"]}),
        ("x + x:sex", {"x": ["x"], "x:sex": ["x:sex[m]"]}),
        ("x*sex", {"x": ["x"], "sex": ["sex[m]"], "x:sex": ["x:sex[m]"]}),
        ("sex/site", {"sex": ["sex[m]"], "sex:site": [f"sex[{sex}]:site[{site}]" for site in "bc" for sex in "fm"]}),
    ],
)
def test_a_level_has_a_column_unless_what_came_before_spans_it(formula, expected):
    assert filled(formula) == expected


def test_baselines_by_stratum_absorb_the_main_effect_of_the_stratum():
    assert filled("x*sex", ("sex",)) == {"x": ["x"], "x:sex": ["x:sex[m]"]}
    assert filled("sex", ("site",)) == {"sex": ["sex[m]"]}


def test_products_are_taken_row_by_row():
    variables = {name: column_values(ROWS, name, [], np.arange(6)) for name in ROWS}
    terms = term_columns(parse_formula("x:sex + site"), variables)
    assert matrix_of(terms, 6).T.tolist() == [
        [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1], [1, 0, 3, 0, 5, 0], [0, 2, 0, 4, 0, 6],
    ]  # fmt: skip
    assert coded_against(terms, variables) == {"site": "site[a]"}


def test_too_many_columns_are_refused():
    levels = pd.DataFrame({name: [f"{name}{row}" for row in range(101)] for name in ("a", "b")})
    variables = {name: column_values(levels, name, [], np.arange(101)) for name in levels}
    with pytest.raises(InputError, match="more than 10,000 columns; join levels"):
        term_columns(parse_formula("a*b"), variables)
