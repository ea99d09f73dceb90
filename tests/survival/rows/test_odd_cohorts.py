"""What must not change an estimate: odd names, labels, indexes, types, units; and cohorts that say little."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    CoxFit,
    Endpoint,
    NotEstimable,
    baseline_hazard,
    baseline_table,
    concordance,
    cox_residuals,
    cumulative_incidence,
    fit_cox,
    fit_fine_gray,
    gray_test,
    hazard_ratios,
    kaplan_meier,
    landmark,
    logrank_test,
    logrank_trend,
    median_follow_up,
    pairwise_logrank,
    proportional_hazards_test,
    restricted_mean,
    restricted_mean_difference,
    risk_table,
    survival_at,
    survival_difference,
    survival_quantile,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
NAMES = ("time", "event", "status", "entry", "arm", "s", "x", "z", "w")


def sample(n: int = 60) -> pd.DataFrame:
    """Ties everywhere, late entry at event times, two groups, fractional weights."""
    rng = np.random.default_rng(3)
    entry = rng.integers(0, 4, n).astype(float)
    event = rng.random(n) < 0.6
    return pd.DataFrame(
        {
            "time": entry + rng.integers(1, 15, n),
            "event": event.astype(int),
            "status": np.where(event, rng.integers(1, 3, n), 0),
            "entry": entry,
            "arm": rng.choice(["a", "b"], n),
            "s": rng.integers(0, 2, n),
            "x": rng.normal(size=n).round(2),
            "z": rng.integers(0, 2, n).astype(float),
            "w": rng.uniform(0.3, 3, n).round(2),
        }
    )


def everything(rows: pd.DataFrame, names: dict[str, str] | None = None) -> dict[str, np.ndarray]:
    """Every number that the estimators give of a cohort whose columns may have other names."""
    of = {name: (names or {}).get(name, name) for name in NAMES}
    late = Endpoint(of["time"], of["event"], entry=of["entry"])
    plain, causes = Endpoint(of["time"], of["event"]), CompetingEndpoint(of["time"], of["status"])
    by, terms = of["arm"], [of["x"], of["z"]]
    curves = kaplan_meier(rows, late, by=by)
    frames = {
        "curves": curves,
        "plain": kaplan_meier(rows, plain, by=by, weights=of["w"], conf_type="plain"),
        "at": survival_at(curves, [0, 0.5, 3, 8]),
        "quantile": survival_quantile(curves),
        "difference": survival_difference(curves, 8),
        "mean": restricted_mean(curves, 8),
        "means": restricted_mean_difference(curves, 8),
        "risk": risk_table(rows, late, times=[0, 3, 8], by=by),
        "follow-up": median_follow_up(rows, late, by=by),
        "pairs": pairwise_logrank(rows, late, by=by),
        "incidence": cumulative_incidence(rows, causes, by=by),
        "landmark": kaplan_meier(landmark(rows, late, 3), late, by=by),
        "baseline": baseline_table(rows, by=by, columns=terms),
    }
    tests = {
        "log-rank": logrank_test(rows, late, by=by, strata=of["s"]),
        "trend": logrank_trend(rows, late, by=by),
        "gray": gray_test(rows, causes, by=by, cause="death"),
    }
    numbers = {name: [test.statistic, *test.groups["expected"]] for name, test in tests.items()}
    score = concordance(rows, plain, of["x"], weighting="uno")
    numbers["concordance"] = [score.concordance, score.std_error]
    fits = {
        "cox": fit_cox(rows, late, terms, strata=of["s"], weights=of["w"], robust=True),
        "clusters": fit_cox(rows, plain, terms, ties="breslow", cluster=of["s"]),
        "fine-gray": fit_fine_gray(rows, causes, terms, cause="death"),
    }
    for name, fit in fits.items():
        frames |= {f"{name} {key}": frame for key, frame in of_fit(fit).items()}
        numbers[name] = [fit.log_likelihood, fit.score_test.statistic, fit.concordance]
    return {name: np.asarray(values, dtype=float) for name, values in numbers.items()} | {
        name: frame.select_dtypes("number").to_numpy(float) for name, frame in frames.items()
    }


def of_fit(fit: CoxFit) -> dict[str, pd.DataFrame]:
    """The frames that follow from a Cox model."""
    kinds = ("martingale", "deviance", "score", "schoenfeld", "scaled-schoenfeld", "dfbeta")
    return {kind: cox_residuals(fit, kind) for kind in kinds} | {
        "ratios": hazard_ratios(fit),
        "hazard": baseline_hazard(fit),
        "proportional": proportional_hazards_test(fit),
    }


def assert_same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], rtol: float = 1e-9) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=rtol, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    "given",
    [
        ["weights", "stratum", "_label", "n_risk", "time", "strata", "survival", "entry", "event"],
        ["stratum", "time", "residual", "cluster", "GLOBAL", "all", "term", "row", "position"],
        ["duration", "event_", "status ", "Entry (mo)", "groups", "a:b", "x0", "x1", "weight"],
    ],
)
def test_names_of_columns_mean_nothing(given: list[str]) -> None:
    names = dict(zip(NAMES, given, strict=True))
    assert_same(everything(sample().rename(columns=names), names), everything(sample()))


def with_index(index: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The rows under another index."""
    return lambda rows: rows.set_axis(index, axis=0)


SAME: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one label for every row": with_index([7] * 60),
    "dates": with_index(pd.date_range("2020-01-01", periods=60)),
    "two levels": with_index(pd.MultiIndex.from_product([range(6), range(10)], names=["time", "event"])),
    "backwards": with_index(range(60, 0, -1)),
    "named columns": lambda rows: rows.rename_axis(columns="time"),
    "groups of truth values": lambda rows: rows.assign(arm=rows["arm"] == "b"),
    "groups named like words of ours": lambda rows: rows.assign(arm=rows["arm"].map({"a": "GLOBAL", "b": "all"})),
    "groups as numbers": lambda rows: rows.assign(arm=rows["arm"].map({"a": 9.0, "b": 10.0})),
    "groups with empty categories": lambda rows: rows.assign(
        arm=pd.Categorical(rows["arm"], categories=["none", "a", "b", "last"])
    ),
    "events as truth values": lambda rows: rows.assign(event=rows["event"].astype("boolean")),
    "whole numbers that may be missing": lambda rows: rows.astype({"time": "Int64", "event": "Int8", "s": "Int64"}),
    "single precision": lambda rows: rows.astype({"time": "float32", "entry": "float32"}),
}


@pytest.mark.parametrize("change", SAME)
def test_what_holds_the_values_means_nothing(change: str) -> None:
    assert_same(everything(SAME[change](sample())), everything(sample()))


@pytest.mark.parametrize("engine", ["lifelines", "kernel"])
@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e9])
def test_weights_count_up_to_a_factor(factor: float, engine: str) -> None:
    rows, plain = sample(), Endpoint("time", "event")
    scaled = rows.assign(w=rows["w"] * factor)
    ours, theirs = (kaplan_meier(held, plain, by="arm", weights="w") for held in (scaled, rows))
    np.testing.assert_allclose(ours["survival"], theirs["survival"], rtol=1e-9, atol=1e-15)
    ours, theirs = (
        fit_cox(held, plain, ["x", "z"], weights="w", robust=True, engine=engine) for held in (scaled, rows)
    )
    columns = ["coef", "robust_std_error", "statistic"]
    np.testing.assert_allclose(ours.coefficients[columns], theirs.coefficients[columns], rtol=1e-7)
    np.testing.assert_allclose(
        ours.coefficients["std_error"], theirs.coefficients["std_error"] / np.sqrt(factor), rtol=1e-7
    )


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_of_time_means_nothing(unit: float) -> None:
    rows, late = sample(), Endpoint("time", "event", entry="entry")
    scaled = rows.assign(time=rows["time"] * unit, entry=rows["entry"] * unit)
    ours, theirs = (kaplan_meier(held, late, by="arm") for held in (scaled, rows))
    columns = ["n_risk", "n_event", "survival", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(ours[columns], theirs[columns], rtol=1e-12)
    ours, theirs = (survival_quantile(curves)["time"] for curves in (ours, theirs))
    np.testing.assert_allclose(ours, theirs * unit, rtol=1e-12)
    ours, theirs = (proportional_hazards_test(fit_cox(held, late, ["x", "z"])) for held in (scaled, rows))
    np.testing.assert_allclose(ours["statistic"], theirs["statistic"], rtol=1e-7)


# survfit(Surv(time, event) ~ arm, conf.type = "log-log"): S is 1/2 on a flat stretch in a, 0 at 3 in b.
FLAT = pd.DataFrame({"time": [1.0, 2, 3, 5, 1, 2, 3, 3], "event": [1, 1, 0, 1, 1, 1, 1, 1], "arm": list("aaaabbbb")})
OS = Endpoint("time", "event")


def test_a_quantile_on_a_flat_stretch_and_a_curve_that_ends_at_the_milestone() -> None:
    curves = kaplan_meier(FLAT, OS, by="arm")
    quantiles = survival_quantile(curves)
    assert quantiles["time"].tolist() == [3.5, 2.5]  # flat from 2 to 5, and from 2 to 3
    at = survival_at(curves, 3).set_index("stratum")
    assert at["survival"].tolist() == [0.5, 0.0]
    assert at.loc["b", ["std_error", "conf_low", "conf_high"]].isna().all()
    difference = survival_difference(curves, 3).iloc[0]
    assert difference["difference"] == -0.5
    assert np.isnan(difference["std_error"])  # Greenwood's error of a curve at zero is not known


def test_a_horizon_at_the_last_time() -> None:
    table = restricted_mean(kaplan_meier(FLAT, OS, by="arm"), 5)
    assert table["restricted_mean"].tolist() == [1 + 0.75 + 0.5 * 3, 1 + 0.75 + 0.5]
    a = (0.75 + 1.5) ** 2 / (4 * 3) + 1.5**2 / (3 * 2)
    assert table["std_error"].iloc[0] == pytest.approx(np.sqrt(a))


def test_before_the_first_time_nothing_has_happened() -> None:
    at = survival_at(kaplan_meier(FLAT, OS, by="arm"), [0, 0.999])
    assert at[["survival", "conf_low", "conf_high"]].eq(1).all(axis=None)
    assert at["std_error"].eq(0).all()
    assert at["n_risk"].eq(4).all()


def test_one_patient_a_stratum_holds_no_information() -> None:
    rows = sample().assign(own=range(60))
    with pytest.raises(NotEstimable, match="at no event time were two groups of 'arm' at risk together within"):
        logrank_test(rows, OS, by="arm", strata="own")
    with pytest.raises(NotEstimable, match="at every event time, everybody at risk had the event"):
        fit_cox(rows, OS, ["x"], strata="own")


def test_strata_without_events_change_nothing() -> None:
    rows = sample().assign(strata=0)
    more = pd.concat([rows, rows.assign(strata=1, event=0)])
    ours, theirs = (logrank_test(held, OS, by="arm", strata="strata").statistic for held in (more, rows))
    assert ours == pytest.approx(theirs, rel=1e-12)
    ours, theirs = (fit_cox(held, OS, ["x", "z"], strata="strata") for held in (more, rows))
    np.testing.assert_allclose(ours.coef, theirs.coef, rtol=1e-9)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-9)


def test_events_at_the_last_time_only() -> None:
    rows = pd.DataFrame({"time": [1.0, 2, 3, 4, 9, 9], "event": [0, 0, 0, 0, 1, 1], "arm": list("ababab")})
    curves = kaplan_meier(rows, OS, by="arm")
    assert curves.groupby("stratum", observed=True)["survival"].last().tolist() == [0.0, 0.0]
    with pytest.raises(NotEstimable, match="all events at one time"):
        logrank_test(rows, OS, by="arm")
