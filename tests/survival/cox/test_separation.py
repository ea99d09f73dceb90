"""Coefficients at infinity: found exactly, the limit reached, the finite side of the interval given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar
from scipy.special import logsumexp

from analysis import Endpoint, NotEstimable, Separation, baseline_hazard, cox_residuals, fit_cox, hazard_ratios
from analysis import proportional_hazards_test as ph_test
from analysis.survival.cox import result
from tests.reference import rows

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN = Endpoint("time", "event")
# Four patients: both with x = 1 fail before both with x = 0. logL = 2b - log(2e^b + 2) - log(e^b + 2) + ..., by hand.
FOUR = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 1, 0, 0], "x": [1.0, 1, 0, 0]})


@quiet
@pytest.mark.parametrize("engine", ["auto", "kernel", "lifelines"])
def test_infcox(engine: str) -> None:
    fit = fit_cox(rows("infcox"), Endpoint("futime", "fustat"), ["x1", "x2"], engine=engine)
    assert fit.log_likelihood == pytest.approx(-np.log(6), rel=1e-12)
    assert fit.likelihood_ratio_test.statistic == pytest.approx(10.15034763, rel=1e-9)  # R, at the limit
    assert fit.coefficients[["coef", "std_error", "statistic", "p_value"]].isna().all(axis=None)
    assert np.isnan(fit.wald_test.statistic)
    assert np.isnan(fit.wald_test.p_value)
    assert isinstance(fit.warnings[0], Separation)


def test_the_warning_names_the_terms() -> None:
    words = r"not estimable: 'x' \(monotone likelihood: the estimate is infinite.*one-sided limits of hazard_ratios"
    with pytest.warns(Separation, match=words), pytest.warns(match="events per parameter"):
        fit_cox(FOUR, PLAIN, ["x"])


@quiet
def test_profile_limit_by_hand() -> None:
    fit = fit_cox(FOUR, PLAIN, ["x"])
    assert fit.log_likelihood == pytest.approx(-np.log(2))  # the limit: 1/2 times 1
    table = hazard_ratios(fit)
    r = table["conf_low"].iloc[0]
    # at the limit the profile is the likelihood itself: r/(2r + 2) times r/(r + 2)
    profile = 2 * np.log(r) - np.log(2 * r + 2) - np.log(r + 2)
    assert 2 * (-np.log(2) - profile) == pytest.approx(3.841458820694124)
    assert table[["hazard_ratio", "conf_high", "statistic", "p_value"]].isna().all(axis=None)


@quiet
def test_the_other_way_round() -> None:
    low = hazard_ratios(fit_cox(FOUR, PLAIN, ["x"]))["conf_low"].iloc[0]
    table = hazard_ratios(fit_cox(FOUR.assign(x=-FOUR["x"]), PLAIN, ["x"]))
    assert table["conf_high"].iloc[0] == pytest.approx(1 / low)
    assert np.isnan(table["conf_low"].iloc[0])


@quiet
def test_a_group_without_events_leaves_the_other_terms() -> None:
    rng = np.random.default_rng(3)
    n = 80
    cohort = pd.DataFrame({"time": rng.random(n), "age": rng.normal(size=n), "arm": np.repeat(["a", "b"], n // 2)})
    cohort["event"] = (cohort["arm"] == "a") & (rng.random(n) < 0.8)
    cohort.loc[cohort["arm"] == "b", "time"] += 2  # in group b everybody outlives the last event
    fit = fit_cox(cohort, PLAIN, "age + arm")
    alone = fit_cox(cohort[cohort["arm"] == "a"], PLAIN, "age")
    table = fit.coefficients.set_index("term")
    assert np.isnan(table.loc["arm[b]", "coef"])
    assert table.loc["age", "coef"] == pytest.approx(alone.coef[0], rel=1e-9)
    assert table.loc["age", "std_error"] == pytest.approx(alone.coefficients["std_error"].iloc[0], rel=1e-9)
    assert fit.log_likelihood == pytest.approx(alone.log_likelihood)
    ratios = hazard_ratios(fit).set_index("term")
    assert np.isfinite(ratios.loc["age"]).all()
    assert 0 < ratios.loc["arm[b]", "conf_high"] < 1
    assert 0.5 < fit.concordance < 1


@quiet
def test_other_terms_can_follow_so_neither_side_is_bounded() -> None:
    # x and z together order the events perfectly, in many ways: each may go either way if the other makes up for it
    cohort = pd.DataFrame({"time": range(1, 7), "event": 1, "x": [6.0, 5, 4, 3, 2, 1], "z": [6.1, 5, 4, 3, 2, 0.9]})
    table = hazard_ratios(fit_cox(cohort, PLAIN, ["x", "z"]))
    assert table[["hazard_ratio", "conf_low", "conf_high"]].isna().all(axis=None)


@quiet
def test_exact_ties() -> None:
    cohort = pd.DataFrame({"time": [1, 1, 2, 2, 2], "event": [1, 1, 0, 0, 0], "x": [2.0, 1, 0, 0, 0]})
    fit = fit_cox(cohort, PLAIN, ["x"], ties="exact")
    assert np.isnan(fit.coef[0])
    assert fit.log_likelihood == pytest.approx(0, abs=1e-12)
    # Breslow compares the two events with one another, which bounds the coefficient
    assert np.isfinite(fit_cox(cohort, PLAIN, ["x"], ties="breslow").coef[0])


@quiet
@pytest.mark.parametrize(
    "diagnostic",
    [baseline_hazard, ph_test, lambda fit: cox_residuals(fit, "martingale")],
    ids=["baseline", "ph", "res"],
)
def test_diagnostics_need_finite_coefficients(diagnostic: object) -> None:
    fit = fit_cox(FOUR, PLAIN, ["x"])
    with pytest.raises(NotEstimable, match=r"the coefficients of 'x' are not finite \(separation\)"):
        diagnostic(fit)


@quiet
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_found_if_and_only_if_the_linear_program_of_all_pairs_finds_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(4, 14)), int(rng.integers(1, 4))
    x = rng.normal(size=(n, p)) if rng.random() < 0.5 else rng.integers(0, 3, (n, p)).astype(float)
    entry = rng.integers(0, 3, n).astype(float)
    time, event = entry + rng.integers(1, 9, n), rng.random(n) < 0.6
    names = [f"x{k}" for k in range(p)]
    cohort = pd.DataFrame(x, columns=names).assign(time=time, event=event, entry=entry)
    try:
        fit = fit_cox(cohort, Endpoint("time", "event", entry="entry"), names, engine="kernel")
    except NotEstimable:
        return
    pairs = [x[i] - x[(entry < time[i]) & (time >= time[i])] for i in np.flatnonzero(event)]
    above = np.vstack(pairs)
    program = linprog(-above.sum(axis=0), A_ub=-above, b_ub=np.zeros(len(above)), bounds=(-1, 1))
    assert np.isnan(fit.coef).any() == (above.sum(axis=0) @ program.x > 1e-6)


@quiet
def test_robust_errors_of_the_other_terms() -> None:
    rng = np.random.default_rng(4)
    n = 60
    cohort = pd.DataFrame({"time": rng.random(n), "age": rng.normal(size=n), "late": np.repeat([0, 1], n // 2)})
    cohort["event"] = (cohort["late"] == 0) & (rng.random(n) < 0.8)
    cohort.loc[cohort["late"] == 1, "time"] += 2
    fit = fit_cox(cohort, PLAIN, ["age", "late"], robust=True)
    alone = fit_cox(cohort[cohort["late"] == 0], PLAIN, ["age"], robust=True, engine="kernel")
    table = fit.coefficients
    assert table["robust_std_error"].iloc[0] == pytest.approx(alone.coefficients["robust_std_error"].iloc[0], rel=1e-9)
    assert table["statistic"].iloc[0] == pytest.approx(alone.coefficients["statistic"].iloc[0], rel=1e-9)
    assert np.isnan(table["robust_std_error"].iloc[1])


FAR = pd.DataFrame({"time": [2, 3, 1, 5, 4, 6], "event": [1, 1, 1, 1, 0, 0], "x": [9.4, 6.2, 1119.2, 0.7, 4.1, 2.3]})


@quiet
@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
@pytest.mark.parametrize("far", [1048.0, 1119.2, 1e4, 1e5])
def test_one_large_value_that_leaves_first_hides_no_finite_estimate(ties: str, far: float) -> None:
    # coxph(Surv(time, event) ~ x): 0.67881, 0.49338; whoever fails first with the largest value adds nothing
    fit = fit_cox(FAR.replace({"x": {1119.2: far}}), PLAIN, ["x"], ties=ties)
    row = fit.coefficients.iloc[0]
    assert (row["coef"], row["std_error"]) == pytest.approx((0.678813, 0.493383), abs=1e-6)
    assert baseline_hazard(fit)["cumulative_hazard"].iloc[-1] == pytest.approx(0.1695133, rel=1e-6)
    without = fit_cox(FAR[FAR["x"] < 1000], PLAIN, ["x"], ties=ties)
    assert cox_residuals(fit, "martingale")["residual"].drop(2).to_numpy() == pytest.approx(
        cox_residuals(without, "martingale")["residual"].to_numpy(), abs=1e-7
    )


@quiet
@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_a_value_too_far_for_the_digits_of_a_number_is_refused(ties: str) -> None:
    with pytest.raises(NotEstimable, match="so far from the others that rounding hides them"):
        fit_cox(FAR.replace({"x": {1119.2: 1e10}}), PLAIN, ["x"], ties=ties)


def log_likelihood(cohort: pd.DataFrame, eta: np.ndarray) -> float:
    """Of rows in order of time, without ties."""
    return sum(eta[row] - logsumexp(eta[row:]) for row in np.flatnonzero(cohort["event"]))


def profile(cohort: pd.DataFrame, coef: float) -> float:
    """The largest log-likelihood over the coefficient of z: concave, so any search by halves finds it."""
    eta, z = coef * cohort["x"].to_numpy(), cohort["z"].to_numpy()

    def loss(other: float) -> float:
        return -log_likelihood(cohort, eta + other * z)

    reach = 1.0
    while min(loss(-2 * reach), loss(2 * reach)) < min(loss(-reach), loss(reach)):
        reach *= 2
    return -minimize_scalar(loss, bounds=(-4 * reach, 4 * reach), method="bounded", options={"xatol": 1e-10}).fun


@quiet
@pytest.mark.parametrize(
    ("cohort", "limit"),
    [
        (pd.DataFrame({"event": [1, 0, 1, 1, 1, 1, 1, 1, 1, 0], "x": [3628, 71, 39, 22, 16, 12, 7, 4, 3, 2]}), 1.6106),
        (pd.DataFrame({"event": 1, "x": range(350, 200, -1)}), 78.07),
        (pd.DataFrame({"event": 1, "x": range(400, 200, -1)}), 104.10),
    ],
)
def test_one_sided_limits_of_a_marker_with_a_wide_range(cohort: pd.DataFrame, limit: float) -> None:
    cohort = cohort.assign(time=np.arange(1, len(cohort) + 1))
    fit = fit_cox(cohort, PLAIN, ["x"])
    low = hazard_ratios(fit)["conf_low"].iloc[0]
    assert low == pytest.approx(limit, rel=1e-4)
    at_limit = log_likelihood(cohort, np.log(low) * cohort["x"].to_numpy())
    assert 2 * (fit.log_likelihood - at_limit) == pytest.approx(3.841458820694124, abs=1e-8)


@quiet
@pytest.mark.parametrize("seed", range(30))
def test_one_sided_limits_of_a_skewed_marker_beside_another_covariate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 12))
    cohort = pd.DataFrame({"time": range(n), "event": rng.random(n) < 0.9, "z": rng.normal(size=n)})
    cohort["x"] = np.sort(rng.lognormal(3, 2, n))[::-1]
    fit = fit_cox(cohort, PLAIN, ["x", "z"])
    assert np.isnan(fit.coef[0])
    low = hazard_ratios(fit)["conf_low"].iloc[0]
    if np.isnan(low):  # z can make up for any coefficient of x
        return
    assert 2 * (fit.log_likelihood - profile(cohort, np.log(low))) == pytest.approx(3.841458820694124, abs=1e-6)


def test_a_limit_that_is_not_reached_leaves_the_other_terms_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise NotEstimable("the model did not converge")

    with pytest.warns(Separation), pytest.warns(match="events per parameter"):
        fit = fit_cox(FOUR, PLAIN, ["x"])
    monkeypatch.setattr(result, "profile_limits", fails)
    with pytest.warns(Separation, match="the one-sided limit of 'x' was not reached"):
        table = hazard_ratios(fit)
    assert table[["conf_low", "conf_high"]].isna().all(axis=None)
