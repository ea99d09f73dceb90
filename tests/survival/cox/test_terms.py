"""Formulas: what they expand to, how terms are named, what they refuse."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    Endpoint,
    InputError,
    NotEstimable,
    RowsDropped,
    adjusted_curves,
    balance_weights,
    bootstrap_cox,
    covariate_balance,
    dose_response,
    fit_cox,
    proportional_hazards_test,
    search_cutpoint,
)
from analysis.survival.cox import read_design, read_term_design

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


EP = Endpoint("t", "e")


def by_strata() -> pd.DataFrame:
    """Sixty rows with a category, two columns of strata and a number."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"t": rng.permutation(60) + 1, "e": 1, "x": list("abc") * 20, "z": list("pq") * 30})
    other = np.random.default_rng(5)
    return frame.assign(age=other.integers(40, 80, 60), y=other.choice(list("uv"), 60))


def ten() -> pd.DataFrame:
    """Ten rows."""
    return pd.DataFrame(
        {
            "t": [5, 8, 3, 9, 2, 7, 4, 6, 1, 10],
            "e": [1, 0, 1, 1, 1, 0, 1, 1, 1, 1],
            "stage": [1, 2, 3, 1, 4, 2, 3, 2, 4, 1],
            "1": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
            "arm": list("aababbabab"),
        }
    )


@pytest.mark.parametrize(
    ("formula", "strata", "coef"),
    [
        # coxph(Surv(t, e) ~ x*strata(z))
        ("x*z", "z", [0.3685671089, -0.1244693322, -1.1744565793, -1.0225010138]),
        ("x + x:z", "z", [0.3685671089, -0.1244693322, -1.1744565793, -1.0225010138]),
        ("z*x", "z", [0.3685671089, -0.1244693322, -1.1744565793, -1.0225010138]),
        ("x*z", ["z"], [0.3685671089, -0.1244693322, -1.1744565793, -1.0225010138]),
        ("x + x:C(z)", "z", [0.3685671089, -0.1244693322, -1.1744565793, -1.0225010138]),
        ("x:z", "z", [0.3685671089, -0.1244693322, 0.3685671089 - 1.1744565793, -0.1244693322 - 1.0225010138]),
        # coxph(Surv(t, e) ~ age*strata(z))
        ("age*z", "z", [-0.01448741739, 0.03783404910]),
        ("age + age:z", "z", [-0.01448741739, 0.03783404910]),
        # coxph(Surv(t, e) ~ x*strata(z) + strata(y))
        ("x*z", ["z", "y"], [0.05770042997, -0.64302026883, -0.84920343669, -0.43553870058]),
        # coxph(Surv(t, e) ~ x*strata(z, y)), its contrasts: v in p, q in u, both
        (
            "x*z*y", ["z", "y"],
            [-0.9086618696, -1.9624176618, 0.1313893129, 0.6474409648, 1.2857225710, 2.2027360000,
             0.1143172351 - 0.1313893129 - 1.2857225710, 1.0675031146 - 0.6474409648 - 2.2027360000],
        ),
        # coxph(Surv(t, e) ~ x*age*strata(z))
        (
            "x*age*z", "z",
            [-5.97574776363, -7.18778369019, -0.11211729102, 0.09901977301, 0.10984906896, 4.57383296185,
             6.53873768411, 0.13114342322, -0.09099150908, -0.11726826328],
        ),
    ],
)  # fmt: skip
def test_a_category_may_act_differently_between_strata(formula, strata, coef):
    np.testing.assert_allclose(fit_cox(by_strata(), EP, formula, strata=strata).coef, coef, rtol=2e-6)


def test_a_main_effect_of_strata_alone_is_still_refused():
    with pytest.raises(NotEstimable, match=r"'z\[q\]' does not vary among those at risk"):
        fit_cox(by_strata(), EP, "x + z", strata="z")


@pytest.mark.parametrize("strata", [None, "z"])
@pytest.mark.parametrize("formula", ["x*z", "x + x:z", "z/x", "x:z", "x*age*z", "(x + z + y)^2", "x:z:y", "age:x:z"])
def test_columns_span_the_cells_and_none_follows_from_the_others(formula, strata):
    cohort = by_strata()
    design = read_design(cohort, EP, formula, strata=strata)
    held = pd.get_dummies(cohort["z"]).to_numpy(dtype=float) if strata else np.ones((60, 1))
    whole = np.column_stack([held, design.x])
    assert np.linalg.matrix_rank(whole) == whole.shape[1]


def one_level() -> pd.DataFrame:
    """A category of whose two levels one is left once rows without x are gone."""
    x = [None, None, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    return pd.DataFrame({"t": range(1, 13), "e": 1, "x": x, "g": list("bb") + list("a" * 10), "arm": list("abab" * 3)})


@pytest.mark.parametrize(
    "call",
    [
        lambda rows: fit_cox(rows, EP, "x + g"),
        lambda rows: fit_cox(rows, EP, "x*g"),
        lambda rows: fit_cox(rows, EP, "x + C(g)"),
        lambda rows: fit_cox(rows, EP, "x + arm:g"),
        lambda rows: balance_weights(rows, ["x", "g"], by="arm"),
        lambda rows: covariate_balance(rows, ["x", "g"], by="arm"),
        lambda rows: dose_response(rows, EP, "x", adjust=["g"]),
        lambda rows: search_cutpoint(rows, EP, "x", adjust=["g"], seed=1),
        lambda rows: adjusted_curves(rows, EP, ["x", "g"], by="arm", n_bootstrap=0, seed=1),
    ],
)
def test_a_category_with_one_level_is_an_error_that_names_it(call):
    with pytest.raises(NotEstimable, match=r"'(C\()?g\)?' holds one level only \('a'\) in the 10 rows used"):
        call(one_level())


def test_a_comparison_that_holds_for_nobody_is_an_error():
    with pytest.raises(NotEstimable, match=r"'C\(x > 100\)' holds one level only \('False'\)"):
        fit_cox(one_level(), EP, "C(x > 100)")


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_column_called_1_is_no_intercept():
    # coxph(Surv(t, e) ~ stage + one); glm(arm == "b" ~ stage + one, binomial)
    fit = fit_cox(ten(), EP, "stage + `1`")
    assert fit.terms == ("stage", "1")
    np.testing.assert_allclose(fit.coef, [2.22904090723, -0.05521308526], rtol=1e-6)
    expected = [1.1501707153, 0.5057181400, 1.0347922548, 0.5168158301, 0.7529263565,
                0.5000195636, 0.5120905430, 0.5047034062, 1.4884300057, 0.8845143962]  # fmt: skip
    np.testing.assert_allclose(balance_weights(ten(), ["stage", "1"], by="arm").weights, expected, rtol=1e-6)


@pytest.mark.parametrize("formula", ["0 + arm", "arm - 1", "-1 + arm", "arm + 0", "1 + arm", "arm"])
def test_a_cox_model_has_no_intercept_to_leave_out(formula):
    fit = fit_cox(ten(), EP, formula)  # coxph(Surv(t, e) ~ 0 + arm)
    assert fit.terms == ("arm[b]",)
    assert float(fit.coef[0]) == pytest.approx(-0.3390891172, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "log_likelihood"),
    [
        # ns(age, knots = quantile(unique(age), 1:2/3), Boundary.knots = range(age)), and with 1:3/4
        ("cr(age, df=3)", -188.1210011),
        ("cr(age, df=4)", -188.159468),
        ("bs(age, df=4)", -188.0926864),
        ("poly(age, 2)", -188.2318101),
        ("age + I(age**2)", -188.2318101),
        ("I(age**2)", -188.5726163),
        ("x", -186.8666465),
    ],
)
def test_splines_and_powers_are_those_of_r(formula, log_likelihood):
    assert fit_cox(by_strata(), EP, formula).log_likelihood == pytest.approx(log_likelihood, abs=2e-7)


def test_levels_keep_the_text_that_they_have():
    cohort = pd.DataFrame(
        {"t": [5, 8, 3, 9, 2, 7, 4, 6, 1, 10, 11, 12], "e": 1, "g": ["1", "2", "2.0"] * 3 + ["2", "1", "2.0"]}
    )
    fit = fit_cox(cohort, EP, "g")  # coxph(Surv(t, e) ~ g)
    assert fit.terms == ("g[2]", "g[2.0]")
    np.testing.assert_allclose(fit.coef, [0.22635524357, -0.02721017765], rtol=1e-6)


@pytest.mark.parametrize("covariates", ["stage", ["stage"]])
def test_numbers_in_an_object_column_are_numbers(covariates):
    cohort = ten().assign(stage=pd.Series([1, 2, 2, 1, 1, 2, 1, 2, 1, 3], dtype=object))
    fit = fit_cox(cohort, EP, covariates)  # coxph(Surv(t, e) ~ stage)
    assert fit.terms == ("stage",)
    assert float(fit.coef[0]) == pytest.approx(-1.282456541, rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("C(x, levels=['c', 'a', 'b'])", ["C(x, levels=['c', 'a', 'b'])[a]", "C(x, levels=['c', 'a', 'b'])[b]"]),
        ("C(x, contr.treatment('b'))", ["C(x, contr.treatment('b'))[a]", "C(x, contr.treatment('b'))[c]"]),
        ("C(x, contr.sum)", ["C(x, contr.sum)[S.a]", "C(x, contr.sum)[S.b]"]),
        ("I(age > 60 & z == 'p')", ["I(age > 60 & z == 'p')"]),
        ("C(age > 60)", ["C(age > 60)[True]"]),
        ("np.where(age > 60, 1, 0)", ["np.where(age > 60, 1, 0)"]),
    ],
)
def test_codings_and_comparisons(formula, terms):
    assert list(read_design(by_strata(), EP, formula).terms) == terms


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("log(x)", r"'log\(x\)' computes with categories"),
        ("I(x + 1)", "computes with categories"),
        ("I(age == 'p')", "compares numbers with the text 'p'"),
        ("I(x == 'd')", "names the level 'd', which no row holds; levels: 'a', 'b', 'c'"),
        ("C(x, levels=['a', 'b'])", "must name every level once"),
        ("C(x, contr.treatment('d'))", "names the level 'd', which no row holds"),
        ("poly(bs(age, df=3), 2)", "computes with columns"),
        ("bs(age, df=1)", "cannot be computed"),
        ("bs(age, df=99)", "df of bs must be a whole number from 1 to 50"),
        ("bs(age, degrees=2)", "bs has no option 'degrees'"),
        ("bs(age, 3, df=4)", "bs is given 'df' twice"),
        ("C(x, contr.sum('a'))", "contr.sum takes no argument"),
        ("scale(age, 2)", "scale takes 1 value and no option"),
        ("np.where(age > 60)", "np.where takes 3 values"),
    ],
)
def test_what_a_function_does_not_take_is_an_error(formula, message):
    with pytest.raises(InputError, match=message):
        fit_cox(by_strata(), EP, formula)


@pytest.mark.parametrize("terms", [["log(stage)", "log(`stage`)"], ["arm", "C(arm)"], ["stage:1", "stage:`1`"]])
def test_two_terms_that_read_alike_are_an_error(terms):
    cohort = ten().assign(**{"log(stage)": range(10), "stage:1": range(10)})
    with pytest.raises(InputError, match="two terms have one name"):
        read_term_design(cohort, EP, terms)


def test_every_fault_of_a_list_of_terms_is_shown():
    with pytest.raises(InputError, match="no function 'floor'") as caught:
        read_term_design(ten(), EP, ["floor(stage)", "arm", "stage ~ arm"])
    assert len(caught.value.problems) == 2


def test_numeric_columns_of_a_list_have_the_design_of_their_formula():
    endpoint, cohort = (
        Endpoint("time", "event"),
        sample().assign(whole=np.arange(90) % 4, nullable=pd.array([1.5, None, *range(88)], dtype="Float64")),
    )
    names = ["age", "Mg (mmol/L)", "flag", "whole", "nullable"]
    plain = read_term_design(cohort, endpoint, names, strata="site", complete=["grade"])
    written = read_design(cohort, endpoint, " + ".join(f"`{name}`" for name in names), strata="site")
    np.testing.assert_array_equal(plain.x, written.x)
    assert (plain.terms, dict(plain.columns)) == (written.terms, dict(written.columns))
    assert plain.data.dropped == written.data.dropped == {"missing nullable": 1}
    with pytest.raises(InputError, match="none given"):
        read_term_design(cohort, endpoint, [])
    assert read_term_design(cohort, endpoint, ["age", "age", "crp"]).terms == ("age", "crp")
