"""Benches by name: what a run gives, its sizes and its table."""

import re
from dataclasses import replace
from functools import partial
from inspect import signature

import numpy as np
import pandas as pd
import pytest

from analysis import BENCHES, InputError, run_bench
from analysis.truth.bench import benches
from analysis.truth.bench.benches import Bench, bench_sizes
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, bench_table


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


@pytest.mark.parametrize("name", list(BENCHES))
def test_worlds_plant_an_effect_and_an_error_as_their_names_say(name):
    designs = BENCHES[name].worlds.args[1]
    for world, design in designs.items():
        nothing = design.world in ("null", "independent") or (
            design.hazard_ratio_death == design.hazard_ratio_progression == 1
        )
        assert nothing == (world in BENCHES[name].null_worlds), world
        stated = re.search(r"error (\d.*)", world)
        assert stated is None or design.measurement_error == float(stated[1]), world
        assert (design.missing_share > 0) == (name == "missing" or world == "missing values"), world


FEW = {"n_bootstrap": 20, "n_imputations": 2, "n_simulations": 10}
"""Fewer draws than the benches make: what is tested is that all of it runs."""


def with_few_draws(method):
    return partial(method, **{name: n for name, n in FEW.items() if name in signature(method).parameters})


@pytest.mark.parametrize("name", list(BENCHES))
def test_every_bench_says_what_it_is_and_runs_small(name, monkeypatch):
    bench = BENCHES[name]
    few = replace(bench, methods=tuple(map(with_few_draws, bench.methods)))
    monkeypatch.setattr(benches, "BENCHES", {name: few})
    assert bench.title
    assert bench.about.endswith(".")
    scores = run_bench(name, n_replicates=2, n_population=3000)
    names = set(scores["world"])
    assert set(bench.null_worlds) <= names
    table = bench_table(scores)
    assert set(table["world"]) == names
    failed = scores[scores["score"] == "failed"]
    assert (failed["value"] == 0).all(), failed[failed["value"] > 0].to_string()
