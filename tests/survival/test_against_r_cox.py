"""Cox models and what follows from them, against R's survival package."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    baseline_hazard,
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


def close(ours: object, theirs: object, *, rtol: float = 1e-6, atol: float = 1e-9) -> None:
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
    close(fit.log_likelihood_null, expected["loglik_null"])
    close(fit.log_likelihood, expected["loglik"], atol=1e-6)
    close(fit.likelihood_ratio_test.statistic, expected["lr_chisq"], atol=1e-6)
    close(fit.score_test.statistic, expected["score_chisq"])
    close(fit.concordance, expected["concordance"])
    close(fit.concordance_std_error, expected["concordance_se"])


FINITE = [case for case in cases("cox") if max(map(abs, case.expected["coef"].values())) < 15]


@pytest.mark.parametrize("case", FINITE, ids=str)
def test_coefficients_and_errors(case: Case) -> None:
    fit, expected = fitted(case), case.expected
    terms, table, ratios = expected["coef"], fit.coefficients, hazard_ratios(fit)
    columns = {"coef": "coef", "std_error": "se", "statistic": "z"}
    for ours, theirs in columns.items():
        close(in_order(table, ours, terms), list(expected[theirs].values()))
    close(in_order(table, "p_value", terms), list(expected["p"].values()), rtol=1e-5, atol=1e-300)
    if case.args["robust"]:
        close(in_order(table, "robust_std_error", terms), list(expected["robust_se"].values()))
    else:
        assert table["robust_std_error"].isna().all()
    close(fit.wald_test.statistic, expected["wald_chisq"])
    close(fit.covariance, np.ravel(expected["vcov"]), rtol=1e-5)
    for ours, theirs in {"hazard_ratio": "hr", "conf_low": "hr_lower", "conf_high": "hr_upper"}.items():
        close(in_order(ratios, ours, terms), list(expected[theirs].values()), rtol=5e-6)


@pytest.mark.parametrize("case", cases("cox_baseline"), ids=str)
def test_baseline_hazard(case: Case) -> None:
    table = baseline_hazard(fitted(referred(case)))
    steps = np.concatenate([[0.0], table["cumulative_hazard"]])
    place = np.searchsorted(table["time"], floats(case.expected["time"]) * (1 + 1e-9), side="right")
    close(steps[place], case.expected["cumhaz_x0"], rtol=1e-5, atol=0)


@pytest.mark.parametrize("case", cases("cox_zph"), ids=str)
def test_proportional_hazards(case: Case) -> None:
    table = proportional_hazards_test(fitted(referred(case)), transform=case.args["transform"])
    expected = case.expected
    assert list(table["term"]) == list(expected["chisq"])
    close(table["statistic"], list(expected["chisq"].values()), rtol=5e-6, atol=1e-8)
    close(table["df"], list(expected["df"].values()))
    close(table["p_value"], list(expected["p"].values()), rtol=5e-5, atol=1e-12)


@pytest.mark.parametrize("case", cases("cox_residuals"), ids=str)
def test_residuals(case: Case) -> None:
    fit, expected = fitted(referred(case)), case.expected
    for kind in ("martingale", "deviance"):
        close(cox_residuals(fit, kind)["residual"], expected[kind], atol=1e-7)
    for kind in ("score", "dfbeta", "schoenfeld", "scaled-schoenfeld"):
        frame = cox_residuals(fit, kind)
        for term, theirs in zip(fit.terms, expected[kind.replace("-", "_")], strict=True):
            close(frame[term], theirs, atol=1e-7)
    close(cox_residuals(fit, "schoenfeld")["time"], expected["schoenfeld_time"])


@pytest.mark.parametrize("case", cases("concordance"), ids=str)
def test_concordance_of_a_score(case: Case) -> None:
    args = case.args
    rows, endpoint = cohort(case), Endpoint(args["time"], args["event"])
    fit = fit_cox(rows, endpoint, args["covariates"])
    rows["score"] = fit.linear_predictor
    for weighting, key in (("harrell", "n"), ("uno", "n/G2")):
        found = concordance(rows, endpoint, "score", weighting=weighting)
        close(found.concordance, case.expected[key]["C"])
        close(found.std_error, case.expected[key]["se"])


@pytest.mark.parametrize("case", cases("cox_interaction"), ids=str)
def test_interaction(case: Case) -> None:
    args, expected = case.args, case.expected
    rows, endpoint = cohort(case), Endpoint(args["time"], args["event"])
    adjust = "".join(f" + {name}" for name in args["adjust"])
    full = fit_cox(rows, endpoint, f"{args['a']} * {args['b']}{adjust}")
    main = fit_cox(rows, endpoint, f"{args['a']} + {args['b']}{adjust}")
    terms = [args["a"], args["b"], f"{args['a']}:{args['b']}"]
    close(in_order(full.coefficients, "coef", terms), [expected[key] for key in ("coef_a", "coef_b", "coef_ab")])
    close(in_order(full.coefficients, "std_error", terms[2:]), expected["se_ab"])
    close(2 * (full.log_likelihood - main.log_likelihood), expected["lr_chisq"], atol=1e-7)


# A random cohort with everything at once: ties, late entry, strata, fractional weights, clusters, a category.
# R 4.2.2, survival 3.5-3: coxph(Surv(entry, time, event) ~ x + z + g + strata(s), weights = w, cluster = id).
