"""Formulas: what they expand to, how terms are named, what they refuse."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, Endpoint, InputError, RowsDropped, bootstrap_cox, fit_cox, proportional_hazards_test
from analysis.survival.cox.design import read_design

PLAIN = Endpoint("time", "event")


def sample() -> pd.DataFrame:
    """Columns of every kind."""
    rng = np.random.default_rng(0)
    n = 90
    return pd.DataFrame(
        {
            "time": rng.permutation(n) + 1.0,
            "event": rng.random(n) < 0.8,
            "age": rng.normal(60, 9, n),
            "sex": rng.choice(["male", "female"], n),
            "crp": rng.exponential(5, n),
            "Mg (mmol/L)": rng.normal(0.8, 0.1, n),
            "Mg²⁺": rng.normal(0.8, 0.1, n),
            "grade": pd.Categorical(rng.choice(["III", "I"], n), categories=["III", "II", "I"], ordered=True),
            "site": rng.integers(1, 4, n).astype(float),
            "flag": rng.random(n) < 0.5,
        }
    )


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("age + sex", ["age", "sex[male]"]),
        ("~ age", ["age"]),
        ("sex * age", ["sex[male]", "age", "sex[male]:age"]),
        ("log2(crp) + log(age)", ["log2(crp)", "log(age)"]),
        ("`Mg (mmol/L)` + age", ["Mg (mmol/L)", "age"]),
        ("log(`Mg (mmol/L)`)", ["log(Mg (mmol/L))"]),
        ("Mg²⁺", ["Mg²⁺"]),
        ("grade", ["grade[I]"]),
        ("C(site)", ["site[2]", "site[3]"]),
        ("flag + age", ["flag", "age"]),
        ("bs(age, df=3)", ["bs(age, df=3)[1]", "bs(age, df=3)[2]", "bs(age, df=3)[3]"]),
    ],
)
def test_terms(formula: str, terms: list[str]) -> None:
    if formula == "Mg²⁺":
        formula = "`Mg²⁺`"
    assert list(fit_cox(sample(), PLAIN, formula, engine="kernel").terms) == terms


def test_a_list_takes_columns_as_they_are() -> None:
    by_list = fit_cox(sample(), PLAIN, ["Mg (mmol/L)", "flag"], engine="kernel")
    by_formula = fit_cox(sample(), PLAIN, "`Mg (mmol/L)` + flag", engine="kernel")
    assert by_list.terms == by_formula.terms
    np.testing.assert_array_equal(by_list.coef, by_formula.coef)


def test_categories_count_against_their_first_level() -> None:
    cohort = sample().assign(male=lambda rows: (rows["sex"] == "male").astype(int))
    formula, column = fit_cox(cohort, PLAIN, "sex", engine="kernel"), fit_cox(cohort, PLAIN, ["male"], engine="kernel")
    np.testing.assert_array_equal(formula.coef, column.coef)
    ordered = fit_cox(cohort.assign(low=(cohort["grade"] == "I") * 1.0), PLAIN, ["low"], engine="kernel")
    np.testing.assert_array_equal(fit_cox(cohort, PLAIN, "grade", engine="kernel").coef, ordered.coef)


def test_levels_are_tested_together() -> None:
    table = proportional_hazards_test(fit_cox(sample(), PLAIN, "C(site) + age", engine="kernel"))
    assert list(table["term"]) == ["site", "age", "GLOBAL"]
    assert list(table["df"]) == [2, 1, 3]


def test_missing_values_are_dropped_and_counted() -> None:
    cohort = sample()
    cohort.loc[[1, 2], "sex"] = None
    cohort.loc[[2, 5, 6], "crp"] = np.nan
    with pytest.warns(RowsDropped, match="4 of 90 rows dropped: 2 for missing sex, 2 for missing crp"):
        fit = fit_cox(cohort, PLAIN, "sex + log2(crp)", engine="kernel")
    assert (fit.n_read, fit.n_used) == (90, 86)
    assert fit.dropped == {"missing sex": 2, "missing crp": 2}


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("age ~ sex", InputError, "has a left side; give the right-hand side only"),
        ("age +", InputError, r"cannot read the formula 'age \+'"),
        ("Mg (mmol/L)", InputError, "names with blanks or signs in backticks"),
        ("1", InputError, "names no column"),
        ("", InputError, "names no column"),
        (
            "floor(age)",
            InputError,
            r"cannot read the term 'floor\(age\)': no function 'floor'; .* the functions are log, log2",
        ),
        ("age + sexx", CohortError, "no column 'sexx'; did you mean 'sex'"),
        ("time + age", CohortError, "covariate 'time' is the follow-up time itself"),
        ("log2(age - 60)", CohortError, "log of 0 or of negative values in 'age - 60'"),
        ("np.sqrt(age - 60)", CohortError, r"the term 'np.sqrt\(age - 60\)' is infinite or undefined in \d+ rows"),
    ],
)
def test_refused(formula: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit_cox(sample(), PLAIN, formula)


@pytest.mark.parametrize("function", ["log", "log2", "log10", "np.log"])
def test_log_of_zero_names_column_and_rows(function: str) -> None:
    cohort = sample()
    cohort.loc[[3, 7], "crp"] = 0
    with pytest.raises(CohortError, match=r"log of 0 in 'crp', 2 rows \(4, 8\); correct the values"):
        fit_cox(cohort, PLAIN, f"age + {function}(crp)")


def test_zero_in_a_row_that_is_dropped_is_no_fault() -> None:
    cohort = sample()
    cohort.loc[3, ["crp", "age"]] = [0, np.nan]
    with pytest.warns(RowsDropped, match="1 of 90 rows dropped: 1 for missing age"):
        fit = fit_cox(cohort, PLAIN, "age + log(crp)", engine="kernel")
    assert fit.n_used == 89


def test_the_design_keeps_the_terms_columns() -> None:
    design = read_design(sample(), PLAIN, "age + C(site)")
    assert dict(design.columns) == {"age": (0,), "C(site)": (1, 2)}
    assert design.x.shape == (90, 3)


@pytest.mark.parametrize("names", [[1, "1"], ["x", "1", 1], [1.5, "1.5"], [None, "None"]])
def test_covariates_of_a_list_of_one_name_are_refused(names: list[object]) -> None:
    """As terms of a formula: a table of coefficients would not say which is which."""
    cohort = pd.DataFrame(np.random.default_rng(1).normal(size=(30, len(names))))
    cohort = cohort.set_axis(names, axis=1).assign(time=range(1, 31), event=1)
    calls = (read_design, fit_cox, partial(bootstrap_cox, n_bootstrap=39, seed=1))
    for call in calls:
        with pytest.raises(InputError, match=rf"two terms have one name \('{names[-1]}'\); leave one out, or rename"):
            call(cohort, Endpoint("time", "event"), names)
