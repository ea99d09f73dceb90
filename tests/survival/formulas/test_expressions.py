"""Functions that are not on the list are answered with what to write instead."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import InputError, fit_cox
from analysis.survival.cox import read_design
from tests.survival.formulas.test_grammar import COHORT, PLAIN


@pytest.mark.parametrize(
    ("formula", "advice"),
    [
        ("factor(sex)", r"write C\(x\)"),
        ("age + as.factor(sex, levels=c('m', 'f'))", r"write C\(x\)"),
        ("strata(sex) + age", "name the column in strata="),
        ("age * strata(sex)", "name the column in strata="),
        ("cluster(sex)", "name the column in cluster="),
        ("offset(log(n))", "offsets are not offered"),
        ("ns(age, df=3)", r"write cr\(x, df=3\)"),
        ("rcs(age, 4)", r"write cr\(x, df=3\), or use dose_response"),
        ("Q('age')", "write the name in backticks"),
        ("log1p(crp)", r"write np\.log1p\(x\)"),
        ("I(floor(age))", r"write np\.floor\(x\)"),
        ("ifelse(age > 60, 1, 0)", r"write np\.where\(x > 5, 1, 0\)"),
        ("relevel(sex, ref='m')", r"write C\(x, Treatment\('b'\)\)"),
        ("cut(age, c(40, 60, Inf))", "make a column of groups with stratify"),
        ("C(sex, levels=c('m', 'f'))", r"write a list, as \['a', 'b'\]"),
        ("I(age = 60)", "write == for ="),
        ("C(sex, Sum, 'm', 'f')", r"reference level is given as .C\(stage, Treatment\('II'\)\)"),
    ],
)
def test_what_other_programs_call_otherwise_is_answered_by_the_name_here(formula, advice):
    with pytest.raises(InputError, match=f"^covariates: cannot read the term .*{advice}"):
        fit_cox(COHORT, PLAIN, formula)


@pytest.mark.parametrize(
    "formula", ["C(sex)", "C(sex, Treatment('m'))", "cr(age, df=3)", "np.log1p(crp)", "np.where(age > 5, 1, crp)"]
)
def test_what_the_answers_advise_can_be_fitted(formula):
    assert np.isfinite(read_design(COHORT, PLAIN, formula).x).all()
