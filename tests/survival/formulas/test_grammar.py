"""A formula is data: what it may say, what is refused, and that nothing of it is ever run."""

from __future__ import annotations

import ast
import builtins
import os
import re
from itertools import product
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import Endpoint, InputError, balance_weights, dose_response, fit_cox, fit_cox_counts, fit_cox_file
from analysis.survival.cox import formula_columns, read_design, read_term_design
from analysis.survival.formulas.calls import quoted
from analysis.survival.formulas.expressions import CODINGS, FUNCTIONS
from analysis.survival.formulas.grammar import parse_formula
from analysis.survival.formulas.values import rows_that_meet

PLAIN = Endpoint("time", "event")
RUNS_CODE = [
    "scale(age + 0*__import__('os').system('touch ran'))",
    "bs(age, df=(__import__('os').system('touch ran') or 4))",
    "age + np.savetxt('ran', age)",
    "log(age + 0*np.memmap('ran', mode='w+', shape=200))",
    "getattr(__import__('os'), 'system')('touch ran')()",
]
SNEAKY = [
    "{__import__('os').system('touch ran')}",
    "{age}",
    "Q('age')",
    'Q("__import__")',
    "I(().__class__)",
    "I(np.load('ran'))",
    "np.log.__self__.system(age)",
    "I(age.tofile('ran'))",
    "I(lambda: age)",
    "I([x for x in age])",
    "I(age[0])",
    "I((age, sex))",
    "I(age if sex else age)",
    "I(f'{age}')",
    "I('age')",
    "I(age := 3)",
    "C(sex, levels=[__import__('os')])",
    "C(sex, levels=['a', open('ran', 'w')])",
    "C(sex, contr.treatment(open('ran', 'w')))",
    "C(sex, contrasts={'a': [1, 2]})",
    "C(sex, np.ones((2, 2)))",
    "hashed(sex, levels=10)",
    "lag(age, 1)",
    "bs(age, df=1000000)",
    "bs(age, df=10**10)",
    "bs(age, df=age)",
    "bs(age, knots=[age])",
    "poly(age, 10**9)",
    "poly(age, degree=2, raw=True)",
    "log(age, out=age)",
    "log(age, where=age)",
    "np.log(age, age)",
    "log(*age)",
    "log(**age)",
    "log(age, **sex)",
    "scale(age, _state={})",
    "ｌｏｇ(age)",
    "log(age)(age)",
    "log(age).real",
    "log (age)",
    "C(sex)[0]",
    "age | sex",
    "[age ~ sex]",
    "age ~ sex",
    "age; sex",
    "age, sex",
    "age @ sex",
    "age\x00",
    "log(age\x00)",
    "log(age\\n)",
    "age == 60",
    "'age'",
    "age sex",
    "age sex(",
    "log(age",
    "log(`age)",
    "`age",
    "``",
    "log('age)",
    "age))",
    "* age",
    "age - sex",
    "-age + sex",
    "age - agee",
    "age +",
    "age ^",
    "age ^ sex",
    "(age + sex) ^ 0",
    "(age + sex) ^ 1.5",
    "2 * age",
    "2",
    ".",
    "5fu",
    "I(5fu)",
    "I(40 < age < open('ran', 'w'))",
    "I(age in (40, open('ran', 'w')))",
    "I(age ^ open('ran', 'w'))",
    "I(True)",
    "I(True(age))",
    "I(age @ age)",
    "I(age << 2)",
    "I(3)",
    "log(10)",
    "(" * 10_000 + "age" + ")" * 10_000,
    "-" * 10_000 + "age",
    "I(" + "(" * 450 + "age" + ")" * 450 + ")",
    "I(" + "-" * 900 + "age)",
    "I(age" + "+age" * 10_000 + ")",
    "log(" * 100 + "age" + ")" * 100,
    "a" * 200_000,
    "*".join(f"v{place}" for place in range(12)),
    "(" + "+".join(f"v{place}" for place in range(60)) + ")**50",
    "(" + "+".join(f"v{place}" for place in range(200)) + "):(" + "+".join(f"w{place}" for place in range(200)) + ")",
]


def sample() -> pd.DataFrame:
    """Numbers and a category."""
    rng = np.random.default_rng(0)
    n = 40
    return pd.DataFrame(
        {
            "time": rng.permutation(n) + 1.0,
            "event": 1,
            "age": rng.integers(40, 80, n) * 1.0,
            "crp": rng.exponential(5, n),
            "sex": rng.choice(["f", "m"], n),
            "n": 1,
        }
    )


COHORT = sample()


@pytest.fixture
def nothing_runs(tmp_path, monkeypatch):
    """An empty working directory that must stay empty."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("formula", [*RUNS_CODE, *SNEAKY], ids=lambda formula: formula[:40])
def test_what_is_not_on_the_list_is_refused_before_anything_is_computed(formula, nothing_runs):
    with mock.patch.object(builtins, "eval", side_effect=AssertionError), pytest.raises(InputError, match="covariates"):
        parse_formula(formula)
    with pytest.raises(InputError, match="covariates"):
        fit_cox(COHORT, PLAIN, formula)


@pytest.mark.parametrize(
    "formula",
    [
        "I(age.__class__)",
        "age.__class__.__mro__",
        "__builtins__",
        "np.pi",
        "ph.ecog",
        "age.",
        "log(age..)",
        "I(True.__class__)",
    ],
)
def test_a_name_with_full_stops_is_a_column_or_an_error(formula):
    with pytest.raises(
        InputError, match=r"no column '(age\.__class__|__builtins__|np\.pi|ph\.ecog|age\.|True\.__class__)"
    ):
        fit_cox(COHORT, PLAIN, formula)


@pytest.mark.parametrize("formula", RUNS_CODE)
@pytest.mark.parametrize(
    "use",
    [
        lambda formula: fit_cox_counts(COHORT, PLAIN, formula),
        lambda formula: read_term_design(COHORT, PLAIN, ["age", formula]),
        lambda formula: balance_weights(COHORT, [formula], by="sex"),
        lambda formula: dose_response(COHORT, PLAIN, "age", adjust=[formula]),
        lambda formula: formula_columns(formula, COHORT),
    ],
    ids=["counts", "terms", "weights", "adjust", "columns"],
)
def test_the_same_gate_stands_everywhere(formula, use, nothing_runs):
    with pytest.raises(InputError, match=r"cannot read the (term|formula)|holds the marker"):
        use(formula)


@pytest.mark.parametrize("formula", RUNS_CODE)
def test_roles_and_files_take_names_of_columns_only(formula, nothing_runs):
    with pytest.raises(InputError, match="no column"):
        fit_cox(COHORT, PLAIN, "age", strata=formula)
    with pytest.raises(InputError, match="no column"):
        fit_cox(COHORT, PLAIN, [formula])
    with pytest.raises(InputError, match="give a list of numeric columns"):
        fit_cox_file("cohort.parquet", PLAIN, formula)


@pytest.mark.parametrize(
    "name",
    [
        "`", "a`b", "``", "{age}", "__import__('os').system('touch ran')", "1", "0", "Intercept", "C", "I", "Q", "log",
        "exp", "np", "bs", "poly", "scale", "center", "lag", "hashed", "a~b", "a|b", "ph.ecog", "x y", "_c0", "q0",
        "class", "None", "True", "µg", "ﬁ", "a\\b", "'", '"', "(", "a:b", "T.x", "x[T.a]", "np.log", "-1", "",
    ],
)  # fmt: skip
def test_a_column_of_any_name_is_that_column(name, nothing_runs):
    cohort = COHORT.rename(columns={"age": name})
    expected = fit_cox(COHORT, PLAIN, "age + crp")
    for terms in ([name, "crp"], ["crp", name]):
        design = read_term_design(cohort, PLAIN, terms)
        assert design.terms == tuple(terms)
        np.testing.assert_array_equal(design.x[:, design.columns[name][0]], COHORT["age"])
    if name:
        fit = fit_cox(cohort, PLAIN, f"{quoted(name)} + crp")
        assert fit.terms == (name, "crp")
        np.testing.assert_array_equal(fit.coef, expected.coef)
        inside = read_design(cohort, PLAIN, f"I({quoted(name)} ** 2)")
        np.testing.assert_array_equal(inside.x[:, 0], COHORT["age"] ** 2)


@pytest.mark.parametrize(
    "name", ["ph.ecog", "Age..years.", "Mg..mmol.L.", "C", "log", "np", "class", "µg", "Intercept", "_", "T"]
)
def test_a_plain_name_needs_no_backticks(name):
    cohort = COHORT.rename(columns={"age": name})
    assert read_design(cohort, PLAIN, f"{name} + log({name})").terms == (name, f"log({name})")


def test_numbers_as_names_stand_in_lists_and_in_backticks():
    cohort = COHORT.rename(columns={"age": 7})
    assert read_term_design(cohort, PLAIN, [7, "crp"]).terms == ("7", "crp")
    assert read_design(cohort, PLAIN, "`7` + log(`7`)").terms == ("7", "log(7)")
    with pytest.raises(InputError, match="the number 7 is no term; write a column of that name in backticks"):
        fit_cox(cohort, PLAIN, "crp + 7")


PIECES = st.sampled_from(
    [
        *(
            "age",
            "crp",
            "sex",
            "`age`",
            "1",
            "0",
            "2",
            "60.5",
            "1e3",
            "'m'",
            '"f"',
            "True",
            "TRUE",
            "None",
            "df",
            "q0",
            "q1",
        ),
        *("__import__", "os", "np", "np.log", "np.savetxt", "np.load", "open", "eval", "getattr", "system", "'os'"),
        *("log", "scale", "bs", "C", "I", "poly", "cr", "contr.sum", "contr.treatment", "Treatment", "Q", "hashed"),
        *("+", "-", "*", "/", ":", "^", "**", "//", "%", "&", "|", "~", "==", "!=", "<", "=", ",", ".", ";", "@", ":="),
        *("!", "&&", "||", "%in%", "<>", " in ", " not ", " and ", " or "),
        *("(", ")", "(", ")", "[", "]", "{", "}", "`", "'", " ", "lambda", "for", "in", "if", "else", "\x00", "\n"),
    ]
)
CALLS = st.recursive(
    st.sampled_from(
        ["age", "crp", "sex", "`age`", "2", "60.5", "True", "'m'", "('f', 'm')", "x.y", "__class__", "__builtins__"]
    ),
    lambda inner: st.one_of(
        st.builds(lambda sign, a, b: f"({a} {sign} {b})", st.sampled_from([*"+-*/%<>&|@^", "==", "in"]), inner, inner),
        st.builds(lambda a, b, c: f"({a} < {b} <= {c})", inner, inner, inner),
        st.builds(
            lambda name, a: f"{name}({a})",
            st.sampled_from([*FUNCTIONS, *CODINGS, "np.savetxt", "open", "eval", "__import__", "getattr", "np.load"]),
            inner,
        ),
        st.builds(
            lambda name, a, option, b: f"{name}({a}, {option}={b})",
            st.sampled_from([*FUNCTIONS, "np.memmap", "exec"]),
            inner,
            st.sampled_from(["df", "degree", "knots", "levels", "contrasts", "out", "where", "_state"]),
            st.one_of(inner, st.sampled_from(["3", "[50]", "['f', 'm']", "contr.sum", "open('ran', 'w')"])),
        ),
        st.builds(lambda a, b: f"{a}.{b}", inner, st.sampled_from(["system", "__class__", "values", "tofile"])),
    ),
    max_leaves=6,
)
FORMULAS = st.one_of(
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(PIECES, max_size=10).map(" ".join),
    st.lists(CALLS, min_size=1, max_size=3).map(" + ".join),
    st.builds("{}:{}".format, CALLS, CALLS),
    st.text(max_size=30),
)


@pytest.fixture(autouse=True, scope="module")
def _loaded():
    """Loads what splines and codings need, for loading modules calls exec, which the property forbids."""
    read_design(COHORT, PLAIN, "C(sex) + bs(age, df=3) + cr(age, df=4) + poly(age, 2) + scale(crp)")


def forbidden(*_args, **_kwargs):
    """What must never be called."""
    raise AssertionError("code of a formula ran")


@given(formula=FORMULAS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_formula_is_a_design_or_an_error_and_never_runs(formula):
    with (
        mock.patch.object(os, "system", forbidden),
        mock.patch.object(np, "savetxt", forbidden),
        mock.patch.object(np, "memmap", forbidden),
        mock.patch.object(builtins, "eval", forbidden),
        mock.patch.object(builtins, "exec", forbidden),
    ):
        try:
            design = read_design(COHORT, PLAIN, formula)
        except InputError:
            return
    assert np.isfinite(design.x).all()
    assert design.x.shape == (len(COHORT), len(design.terms))
    assert _allowed(formula)


@given(condition=FORMULAS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_condition_is_rows_or_an_error_and_never_runs(condition):
    with (
        mock.patch.object(os, "system", forbidden),
        mock.patch.object(np, "savetxt", forbidden),
        mock.patch.object(builtins, "eval", forbidden),
        mock.patch.object(builtins, "exec", forbidden),
    ):
        try:
            rows = rows_that_meet(COHORT, condition)
        except InputError:
            return
    assert rows.dtype == bool
    assert rows.shape == (len(COHORT),)
    assert _allowed(condition)


def _allowed(formula: str) -> bool:
    """A second reading: every name that is called is on the list, every other is a column or an option.

    A term that is subtracted again, as in "age + (b - b)", is never looked up, so its columns need not be there.
    """
    subtracted = "-" in formula
    signs = formula.strip().removeprefix("~").replace(":", "*").replace("^", "**").replace("`", "")
    signs = re.sub(r"(\w)\.+(?!\w)", r"\1", signs)
    for node in ast.walk(ast.parse(signs.strip(), mode="eval")):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) not in {*FUNCTIONS, *CODINGS}:
                return False
        elif isinstance(node, ast.Attribute):
            if ast.unparse(node) not in {*FUNCTIONS, *CODINGS} and not subtracted:
                return False
        elif isinstance(node, ast.Name):
            if node.id not in {*FUNCTIONS, *CODINGS, *COHORT.columns, "np", "contr", "TRUE"} and not subtracted:
                return False
        elif isinstance(node, (ast.Subscript, ast.Lambda, ast.comprehension, ast.JoinedStr, ast.Dict, ast.IfExp)):
            return False
    return True


@pytest.mark.parametrize(("left", "right"), [*product(["age", "sex", "crp"], repeat=2)])
def test_operators_are_those_of_r(left, right):
    def terms(formula):
        """The terms as sets of columns."""
        return [frozenset(term.text.split(":")) for term in parse_formula(formula)]

    both = list(dict.fromkeys([frozenset([left]), frozenset([right]), frozenset([left, right])]))
    assert terms(f"{left} * {right}") == both
    assert terms(f"{left} + {right} + {left}:{right}") == both
    assert terms(f"({left} + {right}) * {right} - {right}") == [one for one in both if one != {right}]
    assert terms(f"{left} / {right}") == [one for one in both if one != {right} or left == right]
    assert terms(f"0 + {left} + 1 - 1") == [{left}]


def test_a_power_of_terms_is_their_interactions_and_of_one_term_an_error():
    assert [term.text for term in parse_formula("(age + sex + crp)^2")] == [
        "age", "sex", "crp", "age:sex", "age:crp", "sex:crp",
    ]  # fmt: skip
    assert parse_formula("(age + sex)**99") == parse_formula("age * sex")
    for formula in ("age**2", "age^2", "crp + age^3"):
        with pytest.raises(InputError, match=r"is age itself.*write I\(age\*\*[23]\)"):
            fit_cox(COHORT, PLAIN, formula)


def test_long_sums_are_read():
    names = [f"gene{place}" for place in range(2_000)]
    assert len(parse_formula(" + ".join(names))) == 2_000


@pytest.mark.parametrize(("formula", "got"), [("(a + b)^", "nothing"), ("(a + b)^0", "0"), ("(a + b)^c", "c")])
def test_a_power_that_is_no_whole_number_is_shown(formula, got):
    with pytest.raises(InputError, match=f"a power of terms is a whole number above zero, got {got};"):
        parse_formula(formula)
