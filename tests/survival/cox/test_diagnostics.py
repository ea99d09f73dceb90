"""Residuals, baseline hazards and tests of proportional hazards: by hand, by definition, by what follows from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    Endpoint,
    InputError,
    NotEstimable,
    NotSupported,
    baseline_hazard,
    coefficient_over_time,
    cox_residuals,
    fit_cox,
    proportional_hazards_test,
)
from analysis.kernels.cox.at_risk import risk_sets
from analysis.kernels.cox.likelihood import cox_problem, evaluate
from analysis.survival.cox.diagnostics import natural_spline
from tests.reference import rows

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN = Endpoint("time", "event")


def sample(seed: int = 0, n: int = 50) -> pd.DataFrame:
    """A cohort with ties."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.integers(0, 2, n),
            "time": rng.integers(1, 15, n).astype(float),
            "event": rng.random(n) < 0.8,
            "site": rng.integers(0, 2, n),
            "weight": rng.uniform(0.5, 2, n),
        }
    )


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("transform", ["identity", "log"])
@pytest.mark.parametrize("options", [{}, {"strata": "site", "weights": "weight"}], ids=["plain", "stratified"])
def test_score_test_of_the_added_columns(ties: str, transform: str, options: dict[str, str]) -> None:
    """Split every row at every event time, add g(t) x, and take the score test at the fit: by definition."""
    cohort = sample()
    fit = fit_cox(cohort, PLAIN, ["x", "z"], ties=ties, engine="kernel", **options)
    found = proportional_hazards_test(fit, transform=transform)
    g = np.log if transform == "log" else np.asarray
    times = np.unique(cohort.loc[cohort["event"], "time"])
    spells = []
    for start, stop in zip(np.r_[0, times[:-1]], times, strict=True):
        alive = cohort[cohort["time"] > start]
        ends = (alive["time"] == stop) & alive["event"]
        spells.append(alive.assign(start=start, stop=np.minimum(alive["time"], stop), ends=ends, g=g(stop) * 1.0))
    split = pd.concat(spells)
    x = split[["x", "z"]].to_numpy(float)
    x = np.hstack([x, x * split[["g"]].to_numpy()])
    sets = risk_sets(
        split["stop"].to_numpy(), split["ends"].to_numpy(), entry=split["start"].to_numpy(float),
        strata=split["site"].to_numpy() if options else None,
    )  # fmt: skip
    problem = cox_problem(x, sets, weights=split["weight"].to_numpy() if options else None, ties=ties)
    point = evaluate(problem, np.r_[fit.coef, 0, 0] * problem.scale)
    np.testing.assert_allclose(point.gradient[:2], 0, atol=1e-6)
    for term, kept in (("x", [0, 1, 2]), ("z", [0, 1, 3]), ("GLOBAL", [0, 1, 2, 3])):
        score = point.gradient[kept]
        statistic = score @ np.linalg.solve(point.information[np.ix_(kept, kept)], score)
        row = found.set_index("term").loc[term]
        assert row["statistic"] == pytest.approx(statistic, rel=1e-6)
        assert row["df"] == len(kept) - 2


def test_robust_variances_change_nothing() -> None:
    tables = [proportional_hazards_test(fit_cox(sample(), PLAIN, ["x", "z"], robust=asked)) for asked in (True, False)]
    pd.testing.assert_frame_equal(*tables)


def test_from_time_zero_is_no_late_entry() -> None:
    cohort = rows("lung").assign(zero=0)
    endpoints = Endpoint("time", "status01"), Endpoint("time", "status01", entry="zero")
    if "status01" not in cohort:
        cohort["status01"] = cohort["status"] - cohort["status"].min()
    ours, theirs = (proportional_hazards_test(fit_cox(cohort, e, ["age", "sex"], engine="kernel")) for e in endpoints)
    np.testing.assert_allclose(ours["statistic"], theirs["statistic"], rtol=1e-10)


class TestRefusals:
    """What cannot be tested."""

    def test_transform(self) -> None:
        with pytest.raises(InputError, match="transform='km2'; choose"):
            proportional_hazards_test(fit_cox(sample(), PLAIN, ["x"]), transform="km2")

    def test_log_of_time_zero(self) -> None:
        cohort = sample()
        cohort.loc[0, ["time", "event"]] = [0.0, True]
        with pytest.raises(InputError, match="an event at time 0 has no logarithm"):
            proportional_hazards_test(fit_cox(cohort, PLAIN, ["x"]), transform="log")

    def test_exact_ties(self) -> None:
        with pytest.raises(NotSupported, match="proportional-hazards test: not defined for ties='exact'"):
            proportional_hazards_test(fit_cox(sample(), PLAIN, ["x"], ties="exact"))

    def test_one_event_time(self) -> None:
        cohort = pd.DataFrame({"time": [1, 1, 2, 2, 2.0], "event": [1, 1, 0, 0, 0], "x": [1.0, 2, 3, 1, 0]})
        with pytest.raises(NotEstimable, match="all events fall at one time"):
            proportional_hazards_test(fit_cox(cohort, PLAIN, ["x"]))


class TestCoefficientOverTime:
    """The smooth of the scaled Schoenfeld residuals."""

    def test_a_line_is_least_squares(self) -> None:
        fit = fit_cox(sample(), PLAIN, ["x", "z"])
        residuals = cox_residuals(fit, "scaled-schoenfeld")
        slope, intercept = np.polyfit(residuals["time"], residuals["z"], 1)
        found = coefficient_over_time(fit, "z", df=2, at=[2, 7, 12])
        np.testing.assert_allclose(found["coefficient"], intercept + slope * np.array([2, 7, 12]))
        assert list(found["time"]) == [2, 7, 12]

    def test_default_times_span_the_events_and_limits_widen(self) -> None:
        fit = fit_cox(sample(), PLAIN, ["x"])
        wide, narrow = (coefficient_over_time(fit, "x", transform="km", conf_level=level) for level in (0.95, 0.5))
        event_times = cox_residuals(fit, "schoenfeld")["time"]
        assert len(wide) == 40
        assert (wide["time"].min(), wide["time"].max()) == (event_times.min(), event_times.max())
        assert (np.diff(wide["time"]) > 0).all()
        assert ((wide["conf_high"] - wide["conf_low"]) > (narrow["conf_high"] - narrow["conf_low"])).all()

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"term": "xx"}, InputError, "term='xx'; choose 'x'"),
            ({"at": [500]}, InputError, "times must lie between the first and the last event"),
            ({"df": 1}, InputError, "df=1 must be a finite number of at least 2"),
            ({"df": 40}, NotEstimable, "different event times for df=40; lower df"),
            ({"conf_level": 95}, InputError, "did you mean 0.95"),
        ],
    )
    def test_refused(self, options: dict[str, object], error: type[Exception], message: str) -> None:
        fit = fit_cox(sample(), PLAIN, ["x"])
        with pytest.raises(error, match=message):
            coefficient_over_time(fit, **({"term": "x"} | options))

    def test_natural_splines_are_cubic_inside_and_linear_outside(self) -> None:
        knots = np.array([0.0, 1, 2.5, 4])
        step, at = 1e-2, np.array([-3.0, -1, 5, 9])
        bend = natural_spline(at + step, knots) - 2 * natural_spline(at, knots) + natural_spline(at - step, knots)
        np.testing.assert_allclose(bend, 0, atol=1e-9)
        smooth = np.linspace(0.1, 0.9, 9)
        fourth = sum(
            c * natural_spline(smooth + k * step, knots) for c, k in zip((1, -4, 6, -4, 1), range(-2, 3), strict=True)
        )
        np.testing.assert_allclose(fourth, 0, atol=1e-11)


def incomplete(n: int = 60) -> pd.DataFrame:
    """A cohort with ties and a missing value."""
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame(
        {"time": rng.integers(1, 15, n), "event": rng.random(n) < 0.7, "x": rng.normal(size=n), "z": rng.normal(size=n)}
    )
    cohort.loc[4, "x"] = np.nan
    return cohort


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_sums_are_zero(ties: str) -> None:
    fit = fit_cox(incomplete(), PLAIN, ["x", "z"], ties=ties)
    assert cox_residuals(fit, "martingale")["residual"].sum() == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(cox_residuals(fit, "score").sum(), 0, atol=1e-8)
    np.testing.assert_allclose(cox_residuals(fit, "schoenfeld")[["x", "z"]].sum(), 0, atol=1e-8)


def test_rows_are_those_of_the_cohort() -> None:
    cohort = incomplete()
    fit = fit_cox(cohort.set_index(np.zeros(60, dtype=int)), PLAIN, ["x", "z"])
    martingale, events = cox_residuals(fit, "martingale"), cox_residuals(fit, "schoenfeld")
    assert martingale.index.name == "row"
    assert list(martingale.index) == [row for row in range(60) if row != 4]
    assert list(events.columns) == ["time", "x", "z"]
    assert list(events["time"]) == sorted(cohort.drop(4).query("event")["time"])


def test_dfbeta_is_about_what_a_row_moves() -> None:
    cohort = incomplete(200).drop(4)
    fit = fit_cox(cohort, PLAIN, ["x", "z"], engine="kernel")
    approximate = cox_residuals(fit, "dfbeta").to_numpy()
    without = [
        fit.coef - fit_cox(cohort.drop(row), PLAIN, ["x", "z"], engine="kernel").coef for row in cohort.index[:40]
    ]
    np.testing.assert_allclose(approximate[:40], without, atol=0.01)
    assert np.corrcoef(approximate[:40, 0], np.array(without)[:, 0])[0, 1] > 0.99


def test_scaled_schoenfeld_average_to_the_coefficient() -> None:
    fit = fit_cox(incomplete(), PLAIN, ["x", "z"])
    np.testing.assert_allclose(cox_residuals(fit, "scaled-schoenfeld")[["x", "z"]].mean(), fit.coef, atol=1e-8)


def test_deviance_has_the_sign_and_order_of_martingale() -> None:
    fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"])
    martingale, deviance = (cox_residuals(fit, kind)["residual"] for kind in ("martingale", "deviance"))
    assert (np.sign(martingale) == np.sign(deviance)).all()
    # a censored row's deviance is -sqrt(2 H): H is its cumulative hazard, and its martingale residual is -H
    censored = rows("test1")["status"] == 0
    for row in np.flatnonzero(censored):
        assert deviance[row] == pytest.approx(-np.sqrt(-2 * martingale[row]))


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"kind='martingal'; choose .*did you mean 'martingale'"):
        cox_residuals(fit_cox(incomplete(), PLAIN, ["x"]), "martingal")
    with pytest.raises(NotSupported, match="score residuals: not defined for ties='exact'"):
        cox_residuals(fit_cox(incomplete(), PLAIN, ["x"], ties="exact"), "score")


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_steps_by_hand(ties: str) -> None:
    fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"], ties=ties)
    r = np.exp(fit.coef[0])
    at_six = 2 / (r + 3) if ties == "breslow" else 1 / (r + 3) + 1 / ((r + 1) / 2 + 2)
    steps = np.array([1 / (3 * r + 3), at_six, 1])
    table = baseline_hazard(fit)
    assert list(table.columns) == ["time", "cumulative_hazard"]
    assert list(table["time"]) == [1, 6, 9]
    np.testing.assert_allclose(table["cumulative_hazard"], np.cumsum(steps), rtol=1e-12)


def test_expected_events_are_hazard_times_risk() -> None:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame({"time": rng.random(40), "event": rng.random(40) < 0.7, "x": rng.normal(50, 3, 40)})
    fit = fit_cox(cohort, PLAIN, ["x"], engine="kernel")
    table = baseline_hazard(fit)
    hazard = np.r_[0, table["cumulative_hazard"]][np.searchsorted(table["time"], cohort["time"], side="right")]
    expected = hazard * np.exp(cohort["x"] * fit.coef[0])
    np.testing.assert_allclose(cohort["event"] - expected, cox_residuals(fit, "martingale")["residual"], atol=1e-12)


def test_strata_of_two_columns_stay_apart_when_commas_in_their_levels_make_them_look_alike() -> None:
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4] * 2, "event": 1, "x": [1.0, 0, 0, 1, 0, 1, 1, 0]})
    cohort["s"], cohort["u"] = ["a, b"] * 4 + ["a"] * 4, ["c"] * 4 + ["b, c"] * 4
    table = baseline_hazard(fit_cox(cohort, PLAIN, ["x"], strata=["s", "u"]))
    assert list(table["stratum"]) == ['a, "b, c"'] * 4 + ['"a, b", c'] * 4
    alone = baseline_hazard(fit_cox(cohort.assign(arm=cohort["s"].str.len()), PLAIN, ["x"], strata="arm"))
    assert table["cumulative_hazard"].tolist() == alone["cumulative_hazard"].tolist()


def test_strata_have_hazards_of_their_own() -> None:
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4] * 2, "event": 1, "x": [1.0, 0, 0, 1, 0, 1, 1, 0]})
    cohort["arm"] = ["b"] * 4 + ["a"] * 4
    table = baseline_hazard(fit_cox(cohort, PLAIN, ["x"], strata="arm"))
    assert list(table.columns) == ["time", "cumulative_hazard", "stratum"]
    assert list(table["stratum"]) == ["a"] * 4 + ["b"] * 4
    assert (table.groupby("stratum", observed=True)["cumulative_hazard"].diff().dropna() > 0).all()


def test_zero_beyond_all_numbers() -> None:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame({"time": rng.random(40), "event": 1, "year": 1e5 + rng.normal(size=40)})
    with pytest.raises(NotEstimable, match="covariates of zero lie too far from the data"):
        baseline_hazard(fit_cox(cohort, PLAIN, ["year"], engine="kernel"))
