"""What a formula says is what is fitted: categories, strata, numbers in object columns; values of R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    InputError,
    NotEstimable,
    adjusted_curves,
    balance_weights,
    covariate_balance,
    dose_response,
    fit_cox,
    search_cutpoint,
)
from analysis.survival.cox.design import read_design, read_term_design

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
