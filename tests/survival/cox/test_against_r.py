"""Cox models and what follows from them, against R's survival package."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    baseline_hazard,
    coefficient_over_time,
    concordance,
    cox_residuals,
    fit_cox,
    hazard_ratios,
    proportional_hazards_test,
)
from analysis.survival.cox import CoxFit
from tests.reference import Case, cases, cohort, floats, referred

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


def fitted(case: Case) -> CoxFit:
    """The fit that a case of kind cox describes, made once."""
    return _fitted(case.dataset, case.id)


@functools.cache
def _fitted(dataset: str, name: str) -> CoxFit:
    (case,) = (case for case in cases("cox", dataset=dataset) if case.id == name)
    args = case.args
    rows = cohort(case).astype(dict.fromkeys(args["covariates"], float))
    endpoint = Endpoint(args["time"], args["event"], entry=args.get("entry"))
    options = {name: args[name] for name in ("ties", "strata", "cluster", "weights", "robust")}
    return fit_cox(rows, endpoint, args["covariates"], **options)


def assert_close(ours: object, theirs: object, *, rtol: float = 1e-6, atol: float = 1e-9) -> None:
    """Equal but for the digits that R's values were written with."""
    np.testing.assert_allclose(np.asarray(ours, dtype=float).ravel(), floats(theirs), rtol=rtol, atol=atol)


def in_order(frame: pd.DataFrame, column: str, terms: object) -> np.ndarray:
    """A column of a frame with a row a term, in the order of the terms."""
    return frame.set_index("term")[column].loc[list(terms)].to_numpy(float)


@pytest.mark.parametrize("case", cases("cox"), ids=str)
def test_likelihood_tests_and_concordance(case: Case) -> None:
    fit, expected = fitted(case), case.expected
    assert (fit.n, fit.n_event) == (expected["n"], expected["n_event"])
    assert fit.likelihood_ratio_test.df == expected["df"]
    assert_close(fit.log_likelihood_null, expected["loglik_null"])
    assert_close(fit.log_likelihood, expected["loglik"], atol=1e-6)
    assert_close(fit.likelihood_ratio_test.statistic, expected["lr_chisq"], atol=1e-6)
    assert_close(fit.score_test.statistic, expected["score_chisq"])
    assert_close(fit.concordance, expected["concordance"])
    assert_close(fit.concordance_std_error, expected["concordance_se"])


FINITE = [case for case in cases("cox") if max(map(abs, case.expected["coef"].values())) < 15]


@pytest.mark.parametrize("case", FINITE, ids=str)
def test_coefficients_and_errors(case: Case) -> None:
    fit, expected = fitted(case), case.expected
    terms, table, ratios = expected["coef"], fit.coefficients, hazard_ratios(fit)
    columns = {"coef": "coef", "std_error": "se", "statistic": "z"}
    for ours, theirs in columns.items():
        assert_close(in_order(table, ours, terms), list(expected[theirs].values()))
    assert_close(in_order(table, "p_value", terms), list(expected["p"].values()), rtol=1e-5, atol=1e-300)
    if case.args["robust"]:
        assert_close(in_order(table, "robust_std_error", terms), list(expected["robust_se"].values()))
    else:
        assert table["robust_std_error"].isna().all()
    assert_close(fit.wald_test.statistic, expected["wald_chisq"])
    assert_close(fit.covariance, np.ravel(expected["vcov"]), rtol=1e-5)
    for ours, theirs in {"hazard_ratio": "hr", "conf_low": "hr_lower", "conf_high": "hr_upper"}.items():
        assert_close(in_order(ratios, ours, terms), list(expected[theirs].values()), rtol=5e-6)


@pytest.mark.parametrize("case", cases("cox_baseline"), ids=str)
def test_baseline_hazard(case: Case) -> None:
    table = baseline_hazard(fitted(referred(case)))
    steps = np.concatenate([[0.0], table["cumulative_hazard"]])
    place = np.searchsorted(table["time"], floats(case.expected["time"]) * (1 + 1e-9), side="right")
    assert_close(steps[place], case.expected["cumhaz_x0"], rtol=1e-5, atol=0)


@pytest.mark.parametrize("case", cases("cox_zph"), ids=str)
def test_proportional_hazards(case: Case) -> None:
    table = proportional_hazards_test(fitted(referred(case)), transform=case.args["transform"])
    expected = case.expected
    assert list(table["term"]) == list(expected["chisq"])
    assert_close(table["statistic"], list(expected["chisq"].values()), rtol=5e-6, atol=1e-8)
    assert_close(table["df"], list(expected["df"].values()))
    assert_close(table["p_value"], list(expected["p"].values()), rtol=5e-5, atol=1e-12)


@pytest.mark.parametrize("case", cases("cox_residuals"), ids=str)
def test_residuals(case: Case) -> None:
    fit, expected = fitted(referred(case)), case.expected
    for kind in ("martingale", "deviance"):
        assert_close(cox_residuals(fit, kind)["residual"], expected[kind], atol=1e-7)
    for kind in ("score", "dfbeta", "schoenfeld", "scaled-schoenfeld"):
        frame = cox_residuals(fit, kind)
        for term, theirs in zip(fit.terms, expected[kind.replace("-", "_")], strict=True):
            assert_close(frame[term], theirs, atol=1e-7)
    assert_close(cox_residuals(fit, "schoenfeld")["time"], expected["schoenfeld_time"])


@pytest.mark.parametrize("case", cases("concordance"), ids=str)
def test_concordance_of_a_score(case: Case) -> None:
    args = case.args
    rows, endpoint = cohort(case), Endpoint(args["time"], args["event"])
    fit = fit_cox(rows, endpoint, args["covariates"])
    rows["score"] = fit.linear_predictor
    for weighting, key in (("harrell", "n"), ("uno", "n/G2")):
        found = concordance(rows, endpoint, "score", weighting=weighting)
        assert_close(found.concordance, case.expected[key]["C"])
        assert_close(found.std_error, case.expected[key]["se"])


@pytest.mark.parametrize("case", cases("cox_interaction"), ids=str)
def test_interaction(case: Case) -> None:
    args, expected = case.args, case.expected
    rows, endpoint = cohort(case), Endpoint(args["time"], args["event"])
    adjust = "".join(f" + {name}" for name in args["adjust"])
    full = fit_cox(rows, endpoint, f"{args['a']} * {args['b']}{adjust}")
    main = fit_cox(rows, endpoint, f"{args['a']} + {args['b']}{adjust}")
    terms = [args["a"], args["b"], f"{args['a']}:{args['b']}"]
    assert_close(in_order(full.coefficients, "coef", terms), [expected[key] for key in ("coef_a", "coef_b", "coef_ab")])
    assert_close(in_order(full.coefficients, "std_error", terms[2:]), expected["se_ab"])
    assert_close(2 * (full.log_likelihood - main.log_likelihood), expected["lr_chisq"], atol=1e-7)


def everything_at_once() -> pd.DataFrame:
    """Sixty rows with ties, late entry, strata, clusters, fractional weights and a category."""
    i = np.arange(60)
    entry = (i * 29 % 7) / 2
    return pd.DataFrame(
        {
            "x": (i * 37 % 61) / 20,
            "z": (i * 7 % 5 > 2).astype(int),
            "g": np.array(["a", "b", "c"])[(i * 5 + i // 7) % 3],
            "s": (i * 11 + i // 3) % 2,
            "id": i * 13 % 20,
            "w": 1 + (i * 17 % 10) / 4,
            "entry": entry,
            "time": entry + 1 + (i * 43 % 23) / 2,
            "event": i * 19 % 5 != 0,
        }
    )


SPELLS = Endpoint("time", "event", entry="entry")


@pytest.mark.parametrize("engine", ["kernel", "lifelines"])
def test_everything_at_once(engine: str) -> None:
    # coxph(Surv(entry, time, event) ~ x + z + g + strata(s), weights = w, cluster = id)
    fit = fit_cox(everything_at_once(), SPELLS, "x + z + g", strata="s", weights="w", cluster="id", engine=engine)
    assert list(fit.coefficients["term"]) == ["x", "z", "g[b]", "g[c]"]
    assert_close(fit.coefficients["coef"], [0.108502052546, 0.185246598340, -0.414559380313, -0.121976377006])
    assert_close(fit.coefficients["std_error"], [0.137057062686, 0.222373319653, 0.257994358118, 0.241291545346])
    assert_close(fit.coefficients["robust_std_error"], [0.196766839341, 0.237075728068, 0.496558517359, 0.313892413765])
    assert_close([fit.log_likelihood_null, fit.log_likelihood], [-352.916557909, -351.067287489])
    assert_close([fit.wald_test.statistic, fit.score_test.statistic], [1.72224781855, 3.57850061204])
    assert_close([fit.concordance, fit.concordance_std_error], [0.552388379801, 0.0626900693282])


ZPH = {  # cox.zph(fit, transform): a category is one term of two degrees of freedom
    "km": [0.0134309418163, 2.9524193410931, 1.2266961204787, 3.6136644522201],
    "log": [0.410255389663, 1.883510994298, 0.699242934906, 2.477094093504],
    "rank": [0.00937056835593, 2.69673285695326, 1.25173706276188, 3.39521303258967],
}


@pytest.mark.parametrize("transform", ZPH)
def test_proportional_hazards_of_everything_at_once(transform: str) -> None:
    fit = fit_cox(everything_at_once(), SPELLS, "x + z + g", strata="s", weights="w")
    table = proportional_hazards_test(fit, transform=transform)
    assert list(table["term"]) == ["x", "z", "g", "GLOBAL"]
    assert list(table["df"]) == [1, 1, 2, 4]
    assert_close(table["statistic"], ZPH[transform])


def test_diagnostics_of_everything_at_once() -> None:
    fit = fit_cox(everything_at_once(), SPELLS, "x + z + g", strata="s", weights="w")
    # basehaz(fit, centered = FALSE); colSums of |residuals(fit, type)|, or of their squares
    hazard = baseline_hazard(fit).set_index(["stratum", "time"])["cumulative_hazard"]
    assert_close(hazard.loc["0"].loc[[3.0, 6.0, 9.0]], [0.093497244976, 0.290156719047, 0.475991136843])
    assert_close(hazard.loc["1"].loc[[3.0, 6.0]], [0.207058979349, 0.452661469317])
    dfbeta = cox_residuals(fit, "dfbeta").abs().sum()
    assert_close(dfbeta, [1.01506690216, 1.77590203931, 1.90626846021, 1.63302759684])
    assert_close(cox_residuals(fit, "deviance")["residual"].abs().sum(), 49.1168840443)
    squares = {kind: (cox_residuals(fit, kind).iloc[:, 1:] ** 2).sum() for kind in ("schoenfeld", "scaled-schoenfeld")}
    assert_close(squares["schoenfeld"], [30.99446605702, 11.87694785644, 9.64170312978, 9.04914078272])
    assert_close(squares["scaled-schoenfeld"], [24.8697572534, 63.4694811782, 87.5050558721, 59.6015114484])


SMOOTH = {  # the curve that plot(cox.zph(fit, transform), df = 4) draws, at 4 of its 40 points, and its error
    "identity": ([-0.2073198816231, 0.4104624025106, 0.4846094959177, 0.0416158816504],
                 [0.659061219029, 0.345480444319, 0.309633559576, 0.782584898744]),
    "km": ([-0.173004214061, 0.539599217454, 0.392734146126, 0.242811364241],
           [0.551410112445, 0.352144868364, 0.295548713079, 0.830611110431]),
}  # fmt: skip


@pytest.mark.parametrize("transform", SMOOTH)
def test_coefficient_over_time(transform: str) -> None:
    fit = fit_cox(everything_at_once(), Endpoint("time", "event"), "x + z")
    curve = coefficient_over_time(fit, "x", transform=transform).iloc[[0, 9, 19, 39]]
    coefficient, std_error = SMOOTH[transform]
    assert_close(curve["coefficient"], coefficient)
    assert_close((curve["conf_high"] - curve["conf_low"]) / (2 * 1.959963984540054), std_error)


def test_weighted_and_stratified_concordance() -> None:
    rows, plain = everything_at_once(), Endpoint("time", "event")
    # concordance(Surv(...) ~ score, weights = w, reverse = TRUE), and with timewt = "n/G2"
    stratified = concordance(rows, SPELLS, "x", strata="s", weights="w")
    assert_close([stratified.concordance, stratified.std_error], [0.53704425814, 0.0509293053126])
    uno = concordance(rows, plain, "x", weights="w", weighting="uno")
    assert_close([uno.concordance, uno.std_error], [0.5322469738834, 0.0505300541018])
    tied = concordance(rows, plain, "z", weighting="uno")
    assert_close([tied.concordance, tied.std_error], [0.5373433142434, 0.0417269461028])
