"""Benches by name: what a run gives, its table and verdicts by hand, and its files there and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import BENCHES, InputError, run_bench
from analysis.truth.bench import benches
from analysis.truth.bench.benches import Bench, bench_sizes
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld
from analysis.truth.bench.table import bench_table, errors_away, level_verdict


def worlds(n_population: int, seed: int) -> list[BenchWorld]:
    def draw(own: int) -> pd.DataFrame:
        return pd.DataFrame({"x": np.random.default_rng(own).normal(size=30)})

    return [BenchWorld("nothing", draw, {"mean": lambda at: 0.0}), BenchWorld("shift", draw, {"mean": lambda at: 0.2})]


def mean(data: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
    centre, half = data["x"].mean(), 1.96 / np.sqrt(30)
    p_value = 0.01 if abs(centre) > half else 0.5
    limits = {"conf_low": centre - half, "conf_high": centre + half, "p_value": p_value}
    return [BenchAnswer("mean", "mean", estimate=centre, **limits), BenchAnswer("unjudged", "other", estimate=centre)]


@pytest.fixture
def small(monkeypatch):
    bench = Bench("Means", "About means.", worlds, (mean,), ("nothing",), n_replicates=400, seed=3, n_population=10)
    monkeypatch.setattr(benches, "BENCHES", {"means": bench})
    return bench


def test_a_run_names_rejections_by_what_they_mean_and_what_each_score_should_be(small):
    told = []
    scores = run_bench("means", progress=told.append)
    assert list(scores.columns) == [
        *("world", "method", "score", "value", "std_error", "n", "estimand", "target", "wanted"),
    ]
    named = scores.groupby("world")["score"].agg(set)
    assert "type-I error" in named["nothing"]
    assert "power" not in named["nothing"]
    assert "power" in named["shift"]
    wanted = scores.drop_duplicates("score").set_index("score")["wanted"]
    assert wanted[["bias", "coverage", "type-I error", "failed"]].tolist() == [0, 0.95, 0.05, 0]
    assert np.isnan(wanted["power"])
    assert told == ["targets of 2 worlds", "Means: 400 cohorts of each world"]


def test_sizes_given_are_those_that_run(small):
    assert run_bench("means", n_replicates=6, seed=5)["n"].max() == 6
    assert bench_sizes("means", seed=9) == {"n_replicates": 400, "seed": 9, "n_population": 10}
    with pytest.raises(InputError, match="no bench 'mean': use one of means"):
        run_bench("mean")


def test_the_table_of_a_run_has_a_verdict_for_what_its_world_judges(small):
    table = bench_table(run_bench("means")).set_index("world")
    assert table["method"].tolist() == ["mean", "mean"]
    assert table.loc["nothing", "verdict"] == "no departure shown"
    assert table.loc["shift", "verdict"] == "biased; intervals too narrow"
    assert table.loc["shift", "relative_bias"] == pytest.approx(-0.2 * np.sqrt(30), rel=0.1)


def scored(n: int = 500, **values: float) -> pd.DataFrame:
    """Scores of one method; the errors are 0.01."""
    rows = [("w", "m", score, value, 0.01, n, "effect", 0.5) for score, value in values.items()]
    return pd.DataFrame(rows, columns=["world", "method", "score", "value", "std_error", "n", "estimand", "target"])


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ({"bias away from zero": 0.06, "root mean squared error": 0.10}, "biased"),
        ({"bias away from zero": -0.06, "root mean squared error": 0.10}, "biased"),
        ({"bias away from zero": 0.03, "root mean squared error": 0.10}, "slightly biased"),
        ({"bias away from zero": -0.03, "root mean squared error": 0.10}, "slightly biased"),
        ({"bias away from zero": 0.019, "root mean squared error": 0.10}, "no departure shown"),
        ({"coverage": 0.92}, "intervals too narrow"),
        ({"coverage": 0.98}, "intervals too wide"),
        ({"type-I error": 0.08}, "rejects too often"),
        ({"type-I error": 0.02}, "conservative"),
        ({"type-I error": 0.06, "coverage": 0.95}, "no departure shown"),
        ({"type-I error": 0.08, "coverage": 0.92}, "intervals too narrow; rejects too often"),
        ({"power": 0.9}, ""),
    ],
)
def test_verdicts_by_hand(scores, verdict):
    assert bench_table(scored(**scores))["verdict"].tolist() == [verdict]


# Shares, numbers of cohorts, and the exact two-sided p-value of each by R's binom.test(round(n * share), n, wanted).
SHARES = [
    ("type-I error", 0.085, 200, "rejects too often"),  # 0.033
    ("type-I error", 0.03, 300, "no departure shown"),  # 0.14
    ("type-I error", 0.02, 100, "no departure shown"),  # 0.25
    ("type-I error", 0.0, 100, "conservative"),  # 0.014
    ("coverage", 0.915, 200, "intervals too narrow"),  # 0.033
    ("coverage", 0.91, 200, "intervals too narrow"),  # 0.014
    ("coverage", 0.928, 500, "intervals too narrow"),  # 0.030
    ("coverage", 0.92, 300, "intervals too narrow"),  # 0.023
    ("coverage", 0.907, 150, "intervals too narrow"),  # 0.024
    ("coverage", 0.975, 200, "no departure shown"),  # 0.14
    ("coverage", 0.98, 100, "no departure shown"),  # 0.25
    ("coverage", 1.0, 100, "intervals too wide"),  # 0.014
]


@pytest.mark.parametrize(("score", "share", "n", "verdict"), SHARES)
def test_a_share_departs_by_the_error_of_the_share_that_should_be(score, share, n, verdict):
    assert bench_table(scored(n, **{score: share}))["verdict"].tolist() == [verdict]


@given(st.integers(50, 2000), st.floats(0, 0.3))
def test_no_side_is_favoured(n, share):
    def errors(count):
        return errors_away(count / n, 0.05, n)

    few, many = np.floor(0.05 * n * (1 - share)), np.ceil(0.05 * n * (1 + share))
    for count in (few, many):
        too_far = abs(errors(count)) > 2
        assert (level_verdict(count / n, n) != "no departure shown") == too_far
    assert errors(0.05 * n + 3) == pytest.approx(-errors(0.05 * n - 3))


def test_each_score_is_judged_by_its_own_number_of_cohorts():
    both = pd.concat([scored(200, coverage=0.92), scored(1000, **{"type-I error": 0.05})])
    assert bench_table(both)["verdict"].tolist() == ["no departure shown"]  # 92 % of 1000 would be too few


def test_bias_is_also_told_in_standard_deviations():
    row = bench_table(scored(**{"bias away from zero": 0.06, "root mean squared error": 0.10})).iloc[0]
    assert row["standard_deviation"] == pytest.approx(0.08)
    assert row["relative_bias"] == pytest.approx(0.75)
    assert row["relative_bias_error"] == pytest.approx(0.125)


@pytest.mark.parametrize("name", list(BENCHES))
def test_every_bench_says_what_it_is_and_runs_small(name):
    bench = BENCHES[name]
    assert bench.title
    assert bench.about.endswith(".")
    scores = run_bench(name, n_replicates=2, n_population=3000)
    names = set(scores["world"])
    assert set(bench.null_worlds) <= names
    table = bench_table(scores)
    assert set(table["world"]) == names
    failed = scores[scores["score"] == "failed"]
    assert (failed["value"] == 0).all(), failed[failed["value"] > 0].to_string()
