"""Two engines, one answer: lifelines and the kernel agree wherever lifelines offers the estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import analysis.survival.cox.fit as cox_module
from analysis import Endpoint, NotEstimable, NotSupported, Separation, baseline_hazard, fit_cox, hazard_ratios
from tests.reference import Case, cases, cohort

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
EFRON = [case for case in cases("cox") if case.args["ties"] == "efron" and case.dataset != "infcox"]
PLAIN = Endpoint("time", "event")


def assert_agree(rows: pd.DataFrame, endpoint: Endpoint, covariates: list[str], **options: object) -> None:
    """Coefficients within 1e-8 of the larger of |coef| and standard error, log-likelihoods within 1e-8."""
    ours, theirs = (fit_cox(rows, endpoint, covariates, engine=name, **options) for name in ("kernel", "lifelines"))
    assert ours.model.engine == "kernel"
    if theirs.model.engine == "kernel":  # separation: lifelines has no estimate
        assert ours.coefficients["coef"].isna().any()
        return
    std_error = ours.coefficients["std_error"].to_numpy()
    unit = np.maximum(np.abs(ours.coef), std_error)
    assert (np.abs(ours.coef - theirs.coef) <= 1e-8 * unit).all()
    for name in ("std_error", "robust_std_error"):
        np.testing.assert_allclose(theirs.coefficients[name], ours.coefficients[name], rtol=1e-7)
    np.testing.assert_allclose(theirs.log_likelihood, ours.log_likelihood, rtol=1e-8)


@pytest.mark.parametrize("case", EFRON, ids=str)
def test_engines_agree_on_real_data(case: Case) -> None:
    args = case.args
    endpoint = Endpoint(args["time"], args["event"], entry=args["entry"])
    options = {name: args[name] for name in ("strata", "cluster", "weights", "robust")}
    assert_agree(cohort(case), endpoint, args["covariates"], **options)


@st.composite
def cohorts(draw: st.DrawFn) -> pd.DataFrame:
    """Random cohorts, small or not, with ties, censoring, late entry, strata and weights."""
    n = draw(st.integers(6, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = draw(st.sampled_from([0.5, 0.1, 0.001]))
    x = rng.normal(size=n)
    entry = np.floor(rng.exponential(0.3, n) / grid) * grid
    follow_up = np.ceil(rng.exponential(np.exp(-0.5 * x)) / grid) * grid
    return pd.DataFrame(
        {
            "x": x * draw(st.sampled_from([1e-4, 1.0, 1e3])) + 5,
            "z": rng.integers(0, 2, n),
            "entry": entry,
            "time": entry + follow_up,
            "event": rng.random(n) < draw(st.sampled_from([0.3, 0.7, 1.0])),
            "stratum": rng.integers(0, draw(st.integers(1, 3)), n),
            "weight": np.round(rng.uniform(0.2, 4, n), 2),
        }
    )


@settings(max_examples=40, deadline=None)
@given(cohorts(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_engines_agree_on_random_data(
    rows: pd.DataFrame, late: bool, stratified: bool, weighted: bool, robust: bool
) -> None:
    endpoint = Endpoint("time", "event", entry="entry" if late else None)
    options = {"strata": "stratum" if stratified else None, "weights": "weight" if weighted else None, "robust": robust}
    try:
        assert_agree(rows, endpoint, ["x", "z"], **options)
    except NotEstimable:
        assume(False)
    except NotSupported:  # lifelines' undamped steps can run away on a handful of rows
        assume(False)


def test_auto_takes_lifelines_then_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pd.DataFrame({"time": range(1, 13), "event": 1, "x": [1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1]})
    assert fit_cox(rows, PLAIN, ["x"]).model.engine == "lifelines"
    assert fit_cox(rows, PLAIN, ["x"], ties="breslow").model.engine == "kernel"
    monkeypatch.setattr(cox_module, "MOST_ROWS_FOR_LIFELINES", 10)
    assert fit_cox(rows, PLAIN, ["x"]).model.engine == "kernel"


@pytest.mark.parametrize("ties", ["breslow", "exact"])
def test_lifelines_by_name_is_refused_where_it_has_no_estimate(ties: str) -> None:
    rows = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": 1, "x": [1.0, 0, 0, 1]})
    with pytest.raises(NotSupported, match=f"lifelines does not offer ties='{ties}'"):
        fit_cox(rows, PLAIN, ["x"], ties=ties, engine="lifelines")


FEW, MANY = 20_000, 0


@pytest.fixture(params=[MANY])
def many(request, monkeypatch):
    """Every number of rows counts as many."""
    monkeypatch.setattr(cox_module, "MOST_ROWS_FOR_LIFELINES", request.param)
    return monkeypatch


@pytest.mark.parametrize("case", [case for case in cases("cox") if case.args["ties"] != "exact"], ids=str)
def test_the_values_are_those_of_sorted_rows(case, many):
    args = case.args
    rows = cohort(case).astype(dict.fromkeys(args["covariates"], float))
    endpoint = Endpoint(args["time"], args["event"], entry=args.get("entry"))
    options = {name: args[name] for name in ("ties", "strata", "cluster", "weights", "robust")}
    found = fit_cox(rows, endpoint, args["covariates"], **options)
    many.setattr(cox_module, "MOST_ROWS_FOR_LIFELINES", FEW)
    plain = fit_cox(rows, endpoint, args["covariates"], engine="kernel", **options)
    assert found.model.engine == "kernel"
    pd.testing.assert_frame_equal(found.coefficients, plain.coefficients, rtol=1e-8, atol=1e-10)
    pd.testing.assert_frame_equal(hazard_ratios(found), hazard_ratios(plain), rtol=1e-8, atol=1e-10)
    for name in ("log_likelihood", "log_likelihood_null", "concordance", "concordance_std_error"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-10)
    for name in ("likelihood_ratio_test", "wald_test", "score_test"):
        assert getattr(found, name).statistic == pytest.approx(getattr(plain, name).statistic, rel=1e-8, nan_ok=True)
    assert list(map(str, found.warnings)) == list(map(str, plain.warnings))
    if not found.coefficients["coef"].isna().any():
        pd.testing.assert_frame_equal(baseline_hazard(found), baseline_hazard(plain), rtol=1e-8)


def rows_of(n=400, seed=2):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"time": np.ceil(rng.exponential(30, n)), "event": 1, "x": rng.normal(size=n)})


def test_separation_is_told(many):
    rows = rows_of().assign(event=lambda table: (table["time"] < 40) & (table.index % 3 > 0))
    rows["group"] = (rows.index % 3 == 0).astype(int)
    with pytest.warns(Separation, match="'group'"):
        fit = fit_cox(rows, PLAIN, ["group", "x"])
    assert fit.coefficients["coef"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": lambda table: 3 * table["x"]}, "covariates 'x', 'y' are collinear"),
        ({"y": 2.0}, "covariate 'y' is constant"),
        ({"event": 0, "y": 1.0}, "no events among 400 rows"),
        ({"time": 5.0, "y": lambda table: table.index % 2}, "all events at one time"),
    ],
)
def test_what_cannot_be_says_so(change, words, many):
    with pytest.raises(NotEstimable, match=words):
        fit_cox(rows_of().assign(**change), PLAIN, ["x", "y"])


def test_a_column_constant_in_its_first_thousand_rows_is_not_constant():
    rows = rows_of(1500).assign(y=lambda table: (table.index > 1200).astype(float))
    assert fit_cox(rows, PLAIN, ["x", "y"]).coefficients["coef"].notna().all()
