"""Curves, milestones, restricted means, log-rank tests and competing risks against R, case by case."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    Endpoint,
    cumulative_incidence,
    gray_test,
    kaplan_meier,
    landmark,
    logrank_test,
    logrank_trend,
    median_follow_up,
    pairwise_logrank,
    restricted_mean,
    restricted_mean_difference,
    risk_table,
    survival_at,
    survival_difference,
    survival_quantile,
)
from tests.reference import Case, cases, cohort, floats, with_groups

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")

CONF_TYPES = {"log": "log", "log-log": "loglog", "plain": "plain"}
EXACT = {"rtol": 1e-8, "atol": 1e-10}


def assert_same(ours, theirs, **tolerance) -> None:
    np.testing.assert_allclose(floats(ours), floats(theirs), **(EXACT | tolerance))


def read(case: Case, *more) -> tuple[pd.DataFrame, Endpoint, str | None]:
    """The cohort, the endpoint and the group column of a case."""
    args = case.args
    held = cohort(case, args["time"], args["event"], args.get("entry"), args.get("group"), *more)
    held, by = with_groups(case, held)
    return held, Endpoint(args["time"], args["event"], entry=args.get("entry")), by


def stratum(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    return frame[frame["stratum"] == label]


def pair(frame: pd.DataFrame, a: str, b: str) -> pd.Series:
    return frame[(frame["stratum_a"] == a) & (frame["stratum_b"] == b)].iloc[0]


def limit(expected: dict, name: str) -> np.ndarray:
    """R's limit, undefined where S is 0 and 1 where S is 1."""
    survival, value = floats(expected["surv"]), floats(expected[name])
    return np.where(survival == 0, np.nan, np.where(survival == 1, 1.0, value))


def error(expected: dict) -> np.ndarray:
    """R's standard error of S, undefined where S is 0."""
    return np.where(floats(expected["surv"]) == 0, np.nan, floats(expected["se_surv"]))


@pytest.mark.parametrize("case", cases("km"), ids=str)
@pytest.mark.parametrize("engine", ["auto", "kernel"])
def test_curves(case, engine):
    weights = case.args["weights"]
    held, endpoint, by = read(case, weights)
    for conf_type, suffix in CONF_TYPES.items():
        curves = kaplan_meier(held, endpoint, by=by, weights=weights, conf_type=conf_type, engine=engine)
        medians = {q: survival_quantile(curves, p) for q, p in (("q25", 0.25), ("median", 0.5), ("q75", 0.75))}
        for label, expected in case.expected.items():
            rows = stratum(curves, label).iloc[1:]
            assert len(rows) == expected["n_times"]
            assert_same(rows["survival"].sum(), expected["sum_surv"])
            near = np.abs(rows["time"].to_numpy()[:, None] - floats(expected["time"])).argmin(axis=0)
            here = rows.iloc[near]
            for ours, theirs in {
                "n_risk": "n_risk",
                "n_event": "n_event_t",
                "n_censor": "n_censor",
                "survival": "surv",
            }.items():
                assert_same(here[ours], expected[theirs])
            assert_same(here["std_error"], error(expected))
            assert_same(here["conf_low"], limit(expected, f"lower_{suffix}"))
            assert_same(here["conf_high"], limit(expected, f"upper_{suffix}"))
            for name, table in medians.items():
                row = stratum(table, label)[["time", "conf_low", "conf_high"]]
                assert_same(row.to_numpy(), expected["quantiles"][suffix][name])


@pytest.mark.parametrize("case", cases("km_at"), ids=str)
def test_survival_at_given_times(case):
    weights, times = case.args["weights"], case.args["times"]
    held, endpoint, by = read(case, weights)
    for conf_type in ("log", "log-log"):
        curves = kaplan_meier(held, endpoint, by=by, weights=weights, conf_type=conf_type)
        table = survival_at(curves, times, extend=True)
        for label, expected in case.expected.items():
            rows = stratum(table, label)
            assert_same(rows["n_risk"], expected["n_risk"])
            assert_same(rows["survival"], expected["surv"])
            assert_same(rows["std_error"], error(expected))
            assert_same(rows["conf_low"], limit(expected, f"lower_{CONF_TYPES[conf_type]}"))
            assert_same(rows["conf_high"], limit(expected, f"upper_{CONF_TYPES[conf_type]}"))


@pytest.mark.parametrize(
    "case", [case for case in cases("km_at") if not (case.args["weights"] or case.args["entry"])], ids=str
)
def test_the_table_under_the_curve_counts_as_the_curve(case):
    held, endpoint, by = read(case)
    table = risk_table(held, endpoint, times=case.args["times"], by=by)
    for label, expected in case.expected.items():
        assert_same(stratum(table, label)["n_risk"], expected["n_risk"])


@pytest.mark.parametrize("case", cases("median_followup"), ids=str)
def test_median_follow_up(case):
    held, endpoint, by = read(case)
    for conf_type in ("log", "log-log"):
        table, suffix = median_follow_up(held, endpoint, by=by, conf_type=conf_type), CONF_TYPES[conf_type]
        for label, expected in case.expected.items():
            row = stratum(table, label)[["median", "conf_low", "conf_high"]]
            assert_same(row.to_numpy(), [expected["median"], expected[f"lower_{suffix}"], expected[f"upper_{suffix}"]])


@pytest.mark.parametrize("case", cases("surv_diff_at_time"), ids=str)
def test_difference_at_one_time(case):
    held, endpoint, by = read(case)
    row = pair(survival_difference(kaplan_meier(held, endpoint, by=by), case.args["t"]), *case.expected["groups"])
    ours = row[["difference", "std_error", "conf_low", "conf_high", "statistic"]]
    assert_same(ours, [case.expected[name] for name in ("diff", "se_diff", "lower", "upper", "z")])
    assert_same(row["p_value"], case.expected["p"], rtol=1e-7, atol=0)


@pytest.mark.parametrize("case", cases("rmst"), ids=str)
def test_restricted_means(case):
    held, endpoint, by = read(case)
    expected, horizon = case.expected, case.args["tau"]
    curves, beyond = kaplan_meier(held, endpoint, by=by), not expected["tau_within_followup"]
    table = restricted_mean(curves, horizon, extend=beyond)
    assert_same(table["restricted_mean"], expected["rmst"])
    assert_same(table["std_error"], expected["se"])
    if "diff" in expected:
        row = pair(restricted_mean_difference(curves, horizon, extend=beyond), *expected["groups"][:2])
        names = {
            "difference": "diff",
            "std_error": "se_diff",
            "conf_low": "lower",
            "conf_high": "upper",
            "statistic": "z",
        }
        names |= {"ratio": "ratio", "ratio_conf_low": "ratio_lower", "ratio_conf_high": "ratio_upper"}
        assert_same(row[list(names)], [expected[name] for name in names.values()])
        assert_same(row["p_value"], expected["p"], rtol=1e-7, atol=0)


@pytest.mark.parametrize("case", cases("logrank"), ids=str)
def test_logrank(case):
    held, endpoint, by = read(case, case.args["strata"])
    options = {"weighting": "fleming-harrington", "rho": 1} if case.args["rho"] else {}
    test, expected = logrank_test(held, endpoint, by=by, strata=case.args["strata"], **options), case.expected
    assert_same([test.statistic, test.df], [expected["chisq"], expected["df"]])
    assert_same(test.p_value, expected["p"], rtol=1e-7, atol=0)
    assert_same(test.log10_p, np.log10(expected["p"]), rtol=1e-7)
    assert_same(test.groups["observed"], expected["observed"])
    assert_same(test.groups["expected"], expected["expected"])
    assert test.groups["stratum"].tolist() == expected["groups"]
    assert test.groups["n"].sum() == test.n_used == expected["n"]


WEIGHTINGS = {
    "logrank": {},
    "gehan_breslow": {"weighting": "gehan-breslow"},
    "tarone_ware": {"weighting": "tarone-ware"},
    "peto": {"weighting": "peto"},
    "modified_peto": {"weighting": "modified-peto"},
    "fh_1_0": {"weighting": "fleming-harrington", "rho": 1},
    "fh_0_1": {"weighting": "fleming-harrington", "gamma": 1},
    "fh_1_1": {"weighting": "fleming-harrington", "rho": 1, "gamma": 1},
    "fh_05_05": {"weighting": "fleming-harrington", "rho": 0.5, "gamma": 0.5},
}


@pytest.mark.parametrize("case", cases("weighted_logrank"), ids=str)
def test_weighted_logrank(case):
    held, endpoint, by = read(case, case.args["strata"])
    for name, options in WEIGHTINGS.items():
        test, expected = logrank_test(held, endpoint, by=by, strata=case.args["strata"], **options), case.expected[name]
        assert_same([test.statistic, test.df], [expected["chisq"], expected["df"]])
        assert_same(test.p_value, expected["p"], rtol=1e-7, atol=0)


@pytest.mark.parametrize("case", cases("pairwise_logrank"), ids=str)
@pytest.mark.parametrize("adjust", ["holm", "bh", "bonferroni"])
def test_pairs(case, adjust):
    held, endpoint, by = read(case)
    table, expected = pairwise_logrank(held, endpoint, by=by, adjust=adjust), case.expected
    assert table["stratum_a"].tolist() == expected["group_a"]
    assert table["stratum_b"].tolist() == expected["group_b"]
    assert_same(table["statistic"], expected["chisq"])
    assert_same(table["p_value"], expected["p"], rtol=1e-7, atol=0)
    assert_same(table["p_adjusted"], expected[adjust], rtol=1e-7, atol=0)


@pytest.mark.parametrize("case", cases("logrank_trend"), ids=str)
def test_trend(case):
    held, endpoint, by = read(case)
    scores = case.args["scores"] if isinstance(case.args["scores"], list) else None
    test = logrank_trend(held, endpoint, by=by, scores=scores)
    assert_same([test.statistic, test.df], [case.expected["chisq"], case.expected["df"]])
    assert_same(test.p_value, case.expected["p"], rtol=1e-7, atol=0)


@pytest.mark.parametrize("case", cases("landmark"), ids=str)
def test_landmark(case):
    held, endpoint, by = read(case)
    later = landmark(held, endpoint, case.args["landmark"])
    assert (len(later), later[endpoint.event].sum()) == (case.expected["n"], case.expected["n_event"])
    test = logrank_test(later, endpoint, by=by)
    assert_same([test.statistic, test.df], [case.expected["logrank_chisq"], case.expected["df"]])


@pytest.mark.parametrize("case", cases("cuminc"), ids=str)
def test_competing_risks(case):
    causes = {int(code): name for code, name in case.args["codes"].items()}
    held, by = with_groups(case, cohort(case, case.args["time"], case.args["status"], case.args["group"]))
    endpoint = CompetingEndpoint(case.args["time"], case.args["status"], causes=causes)
    table = cumulative_incidence(held, endpoint, by=by)
    for label in (name for name in case.expected if name != ".gray"):
        for code, cause in causes.items():
            rows, expected = stratum(table, label), case.expected[label][f"cause{code}"]
            rows = rows[rows["cause"] == cause]
            at = np.searchsorted(rows["time"], case.args["times"], side="right") - 1
            assert_same(rows["incidence"].iloc[at], expected["aj"])
            assert_same(rows["std_error"].iloc[at], expected["aj_se"], rtol=1e-6)
    gray = case.expected[".gray"]
    for place, code in enumerate(gray["cause"]):
        test = gray_test(held, endpoint, by=by, cause=causes[int(code)])
        assert_same([test.statistic, test.df], [gray["stat"][place], gray["df"][place]], rtol=1e-6)
        assert_same(test.p_value, gray["p"][place], rtol=1e-6)
