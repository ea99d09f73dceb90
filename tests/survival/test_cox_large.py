"""fit_cox through the compiled passes over many rows: what it says of few."""

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, baseline_hazard, fit_cox, hazard_ratios
from analysis.errors import NotEstimable, Separation
from analysis.survival.cox import fit as cox_module
from tests.reference import cases, cohort

PLAIN = Endpoint("time", "event")
FEW, MANY = 20_000, 0

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture(params=[MANY])
def many(request, monkeypatch):
    """Every number of rows counts as many."""
    monkeypatch.setattr(cox_module, "LARGE", request.param)
    return monkeypatch


@pytest.mark.parametrize("case", [case for case in cases("cox") if case.args["ties"] != "exact"], ids=str)
def test_the_values_are_those_of_sorted_rows(case, many):
    args = case.args
    rows = cohort(case).astype(dict.fromkeys(args["covariates"], float))
    endpoint = Endpoint(args["time"], args["event"], entry=args.get("entry"))
    options = {name: args[name] for name in ("ties", "strata", "cluster", "weights", "robust")}
    found = fit_cox(rows, endpoint, args["covariates"], **options)
    many.setattr(cox_module, "LARGE", FEW)
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
