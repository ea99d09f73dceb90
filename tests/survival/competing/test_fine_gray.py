"""Fine and Gray's model: against R, against a Cox model, by recovery, and on bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    CompetingEndpoint,
    Endpoint,
    InputError,
    NotEstimable,
    RowsDropped,
    fit_cox,
    fit_fine_gray,
    hazard_ratios,
)
from tests.reference import cases, cohort

FIRST = CompetingEndpoint("time", "status")


def simulated(n: int = 200, seed: int = 6, effect: float = 0.0) -> pd.DataFrame:
    """Cumulative incidence 1 - (1 - p (1 - exp(-t)))^exp(effect x) of the first cause, after Fine and Gray (1999)."""
    rng = np.random.default_rng(seed)
    x, p = rng.integers(0, 2, n).astype(float), 0.6
    risk = np.exp(effect * x)
    first = rng.random(n) < 1 - (1 - p) ** risk
    u = rng.random(n) * (1 - (1 - p) ** risk)
    time = np.where(first, -np.log(1 - (1 - (1 - u) ** (1 / risk)) / p), rng.exponential(1.0, n))
    censored = rng.uniform(0.5, 3.0, n)
    status = np.where(censored < time, 0, np.where(first, 1, 2))
    return pd.DataFrame({"time": np.minimum(time, censored), "status": status, "x": x, "z": rng.normal(size=n)})


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
@pytest.mark.parametrize("case", cases("finegray"), ids=str)
def test_coefficients_and_sandwich_are_those_of_r(case):
    args, expected = case.args, case.expected
    held = cohort(case, args["time"], args["status"], args["covariates"])
    held[args["status"]] = held[args["status"]].astype(int)
    endpoint = CompetingEndpoint(args["time"], args["status"], causes={1: "one", 2: "two"})
    fit = fit_fine_gray(held, endpoint, args["covariates"], cause={1: "one", 2: "two"}[args["cause"]])
    table = fit.coefficients.set_index("term")
    np.testing.assert_allclose(table["coef"], list(expected["coxph_finegray_coef"].values()), rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], list(expected["coxph_finegray_robust_se"].values()), rtol=1e-6)
    np.testing.assert_array_equal(table["std_error"], table["robust_std_error"])
    assert (fit.n, fit.n_event) == (expected["n"], expected["n_event"])


def test_without_competing_events_it_is_a_cox_model():
    held = simulated().assign(status=lambda rows: (rows["status"] == 1).astype(int))
    ours = fit_fine_gray(held, CompetingEndpoint("time", "status", causes={1: "death"}), ["x", "z"], cause="death")
    theirs = fit_cox(held, Endpoint("time", "status"), ["x", "z"], ties="breslow", robust=True)
    np.testing.assert_allclose(ours.coefficients["coef"], theirs.coefficients["coef"], rtol=1e-10)
    np.testing.assert_allclose(ours.coefficients["std_error"], theirs.coefficients["robust_std_error"], rtol=1e-10)
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-12)


def test_the_planted_effect_is_recovered():
    """One large cohort: within three standard errors of the planted log subdistribution hazard ratio."""
    fit = fit_fine_gray(simulated(4000, effect=0.5), FIRST, ["x", "z"], cause="progression")
    x, z = fit.coefficients.itertuples()
    assert abs(x.coef - 0.5) < 3 * x.std_error
    assert abs(z.coef) < 3 * z.std_error


def test_the_order_of_the_rows_and_the_unit_of_time_do_not_matter():
    held = simulated()
    ours = fit_fine_gray(held, FIRST, ["x", "z"], cause="death")
    other = fit_fine_gray(held.iloc[::-1].assign(time=held["time"] * 365.25), FIRST, ["x", "z"], cause="death")
    pd.testing.assert_frame_equal(ours.coefficients, other.coefficients, rtol=1e-9)


def test_a_formula_is_read_and_ratios_follow():
    fit = fit_fine_gray(simulated(), FIRST, "x + z", cause="death")
    assert hazard_ratios(fit)["term"].tolist() == ["x", "z"]
    assert fit.model.endpoint.label == "death"


def test_rows_are_counted_as_in_the_cohort():
    held = simulated()
    held.loc[3, "x"] = np.nan
    with pytest.warns(RowsDropped, match="1 of 200 rows dropped: 1 for missing x"):
        fit = fit_fine_gray(held, FIRST, ["x"], cause="death")
    assert (fit.n_read, fit.n_used, fit.n, fit.dropped) == (200, 199, 199, {"missing x": 1})


def test_the_cohort_is_not_changed():
    held = simulated()
    before = held.copy(deep=True)
    fit_fine_gray(held, FIRST, ["x"], cause="death")
    pd.testing.assert_frame_equal(held, before)


def test_what_means_nothing_is_refused():
    held = simulated()
    with pytest.raises(InputError, match="cause='relapse'; choose 'progression' or 'death'"):
        fit_fine_gray(held, FIRST, ["x"], cause="relapse")
    with pytest.raises(CohortError, match=r"codes 3 .* have no cause"):
        fit_fine_gray(held.assign(status=held["status"].replace(2, 3)), FIRST, ["x"], cause="death")
    with pytest.raises(CohortError, match="no column 'status'"):
        fit_fine_gray(held.drop(columns="status"), FIRST, ["x"], cause="death")
    with pytest.raises(NotEstimable, match="no events"):
        fit_fine_gray(held.assign(status=held["status"].replace(2, 0)), FIRST, ["x"], cause="death")
    with pytest.raises(NotEstimable, match="'x' is constant"):
        fit_fine_gray(held.assign(x=1.0), FIRST, ["x"], cause="death")
