"""Calls in a formula: their values, their names, and columns named as truth values."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import InputError
from analysis.survival.cox import read_design, read_term_design
from analysis.survival.formulas.grammar import parse_formula
from tests.survival.formulas.test_grammar import COHORT, PLAIN


@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("I(age^2)", lambda rows: rows.age**2),
        ("I(-age^2 / 10)", lambda rows: -(rows.age**2) / 10),
        ("log(crp^2 + 1)", lambda rows: np.log(rows.crp**2 + 1)),
        ("I(50 < age <= 60)", lambda rows: rows.age.gt(50) & rows.age.le(60)),
        ("I((age > 60) == True)", lambda rows: rows.age.gt(60)),
        ("I(age in (40, 41, 42, 43, 44, 45, 46, 47, 48, 49))", lambda rows: rows.age.lt(50)),
        ("I('m' == sex)", lambda rows: rows.sex.eq("m")),
        ("np.where(age > 60, 1, FALSE)", lambda rows: rows.age.gt(60)),
    ],
)
def test_expressions_within_a_call_are_those_of_r_and_python(formula, values):
    np.testing.assert_allclose(read_design(COHORT, PLAIN, formula).x[:, 0], values(COHORT).astype(float), rtol=1e-15)


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("I(sex not in ['f', 'x'])", "I(sex not in ['f', 'x'])"),
        ("I(~(sex not in ['not in', 'f']))", "I(~sex not in ['not in', 'f'])"),
        ("I(not age>60 and crp<5 or sex=='m')", "I(~age > 60 & crp < 5 | sex == 'm')"),
        ("I(age^2)", "I(age ** 2)"),
        ("I(40<age<60)", "I(40 < age < 60)"),
        ("I(smoker==True)", "I(smoker == True)"),
    ],
)
def test_the_name_of_a_term_is_the_term_again(formula, name):
    (term,) = parse_formula(formula)
    assert term.text == name
    assert parse_formula(name) == (term,)


@pytest.mark.parametrize("truth", ["True", "FALSE"])
def test_a_column_may_have_the_name_of_a_truth_value(truth):
    cohort = COHORT.rename(columns={"age": truth})
    for terms in (f"I({truth} / 10)", f"I(`{truth}` / 10)"):
        np.testing.assert_array_equal(read_design(cohort, PLAIN, terms).x[:, 0], COHORT.age / 10)
        np.testing.assert_array_equal(read_term_design(cohort, PLAIN, [terms]).x[:, 0], COHORT.age / 10)
    with pytest.raises(InputError, match=f"no column '{truth}'"):
        read_design(COHORT, PLAIN, f"I(`{truth}` + age)")
