"""The bench: its scores by hand, the same numbers however the work is shared out, and its guards."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose

from analysis import InputError
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, simulation_study


def numbers(seed: int, *, centre: float = 1.0, n: int = 25) -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(seed).normal(centre, 1.0, n)})


def mean(data: pd.DataFrame, _seed: int, *, shift: float = 0.0, name: str = "mean") -> list[BenchAnswer]:
    estimate, half = data["x"].mean() + shift, 1.96 / 5
    p_value = 0.01 if abs(estimate) > half else 0.5
    return [
        BenchAnswer(
            name, "mean", estimate=estimate, conf_low=estimate - half, conf_high=estimate + half, p_value=p_value
        )
    ]


def guess(_data: pd.DataFrame, seed: int) -> list[BenchAnswer]:
    return [BenchAnswer("guess", "mean", estimate=float(np.random.default_rng(seed).normal()))]


def constant(value: float, _at: float) -> float:
    return value


def world(name: str = "one", centre: float = 1.0) -> BenchWorld:
    return BenchWorld(name, partial(numbers, centre=centre), {"mean": partial(constant, centre)})


def score(scores: pd.DataFrame, name: str, method: str = "mean") -> pd.Series:
    return scores.set_index(["method", "score"]).loc[(method, name)]


def test_scores_lie_within_monte_carlo_limits_of_what_theory_says():
    scores = simulation_study([world()], [mean, partial(mean, shift=0.5, name="shifted")], n_replicates=400, seed=1)
    assert list(scores.columns) == ["world", "method", "score", "value", "std_error", "n", "estimand", "target"]
    assert set(scores["estimand"]) == {"mean"}
    assert set(scores["target"]) == {1.0}
    for method, bias in (("mean", 0.0), ("shifted", 0.5)):
        for name in ("bias", "bias away from zero"):
            found = score(scores, name, method)
            assert abs(found["value"] - bias) < 4 * found["std_error"]
            assert_allclose(found["std_error"], 0.2 / 20, rtol=0.15)
        found = score(scores, "standard deviation", method)
        assert abs(found["value"] - 0.2) < 4 * found["std_error"]
        assert_allclose(found["std_error"], 0.2 / np.sqrt(800), rtol=0.25)
        assert score(scores, "root mean squared error", method)["value"] == pytest.approx(
            np.hypot(score(scores, "bias", method)["value"], found["value"])
        )
    covered = score(scores, "coverage")
    assert abs(covered["value"] - 0.95) < 4 * covered["std_error"]
    assert score(scores, "rejection rate")["value"] > 0.99
    assert score(scores, "failed")["value"] == 0


def test_scores_by_hand():
    answers = {0: (1.5, 1.0, 2.0), 1: (0.5, 0.2, 0.8)}
    calls = iter([0, 1])

    def fixed(_data: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
        estimate, low, high = answers[next(calls)]
        return [BenchAnswer("fixed", "mean", estimate=estimate, conf_low=low, conf_high=high)]

    scores = simulation_study([world(centre=1.2)], [fixed], n_replicates=2, seed=1)
    assert score(scores, "bias", "fixed")["value"] == pytest.approx((0.3 - 0.7) / 2)
    assert score(scores, "bias", "fixed")["std_error"] == pytest.approx(0.5)  # 1 / sqrt(2) over sqrt(2)
    assert score(scores, "coverage", "fixed")["value"] == 0.5
    assert score(scores, "root mean squared error", "fixed")["value"] == pytest.approx(np.sqrt((0.09 + 0.49) / 2))
    assert "rejection rate" not in set(scores["score"])


def test_where_the_target_is_zero_bias_is_counted_in_the_direction_given():
    def two(_data: pd.DataFrame, seed: int) -> list[BenchAnswer]:
        sign = 1.0 if seed % 2 else -1.0
        own = BenchAnswer("own", "mean", estimate=0.3 * sign)
        return [own, BenchAnswer("given", "mean", estimate=-0.1 * sign, direction=sign)]

    scores = simulation_study([world(centre=0.0)], [two], n_replicates=30, seed=1)
    away, signed = (score(scores, name, "own")["value"] for name in ("bias away from zero", "bias"))
    assert away == pytest.approx(signed)
    assert score(scores, "bias away from zero", "given")["value"] == pytest.approx(-0.1)


def test_answers_that_fail_are_counted_and_left_out():
    def sometimes(data: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
        return [BenchAnswer("mean", "mean", estimate=data["x"].mean() if data["x"].iloc[0] > 1 else float("nan"))]

    scores = simulation_study([world()], [sometimes], n_replicates=100, seed=2)
    failed = score(scores, "failed")["value"]
    assert 0.3 < failed < 0.7
    assert score(scores, "bias")["n"] == round(100 * (1 - failed))


def test_a_test_without_an_estimate_has_a_rejection_rate_only():
    scores = simulation_study(
        [world()], [lambda data, seed: [BenchAnswer("test", p_value=0.02)]], n_replicates=10, seed=1
    )
    assert set(scores["score"]) == {"rejection rate", "failed"}


def test_parallel_work_gives_the_same_numbers_to_the_last_bit():
    study = partial(simulation_study, [world("one"), world("two", 0.0)], [mean, guess], n_replicates=60, seed=3)
    serial = study()
    with parallel_config(backend="threading", n_jobs=2):
        pd.testing.assert_frame_equal(study(), serial, check_exact=True)


def test_a_method_with_several_estimands_is_scored_on_each_beside_its_own_target():
    def both(data: pd.DataFrame, _seed: int) -> list[BenchAnswer]:
        centre = data["x"].mean()
        return [BenchAnswer("both", "mean", estimate=centre), BenchAnswer("both", "twice", at=2.0, estimate=2 * centre)]

    two = BenchWorld("one", numbers, {"mean": partial(constant, 1.0), "twice": lambda at: 1.0 * at})
    scores = simulation_study([two], [both], n_replicates=100, seed=5)
    bias = scores[scores["score"] == "bias"].set_index("estimand")
    assert bias["target"].to_dict() == {"mean": 1.0, "twice": 2.0}
    assert bias.loc["twice", "value"] == pytest.approx(2 * bias.loc["mean", "value"])


def test_another_method_changes_no_other_number():
    alone = simulation_study([world()], [mean], n_replicates=30, seed=4)
    beside = simulation_study([world()], [mean, guess], n_replicates=30, seed=4)
    pd.testing.assert_frame_equal(beside[beside["method"] == "mean"], alone, check_exact=True)


def test_every_fault_is_told_at_once():
    with pytest.raises(InputError, match="n_replicates=1 must be a whole number of at least 2") as caught:
        simulation_study([world(), world()], [], n_replicates=1, seed=1)
    assert caught.value.problems[:2] == ("world 'one' is given twice", "methods: none given")
