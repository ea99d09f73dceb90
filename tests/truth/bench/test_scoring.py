"""Scores by hand, the same numbers however the work is shared out; the table and its verdicts by hand."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from numpy.testing import assert_allclose

from analysis import InputError
from analysis.truth.bench.scoring import (
    BenchAnswer,
    BenchWorld,
    bench_table,
    errors_away,
    level_verdict,
    simulation_study,
)


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


def test_one_error_lists_all_invalid_arguments():
    with pytest.raises(InputError, match="n_replicates=1 must be a whole number of at least 2") as caught:
        simulation_study([world(), world()], [], n_replicates=1, seed=1)
    assert caught.value.problems[:2] == ("world 'one' is given twice", "methods: none given")


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


def test_bias_is_also_given_in_standard_deviations():
    row = bench_table(scored(**{"bias away from zero": 0.06, "root mean squared error": 0.10})).iloc[0]
    assert row["standard_deviation"] == pytest.approx(0.08)
    assert row["relative_bias"] == pytest.approx(0.75)
    assert row["relative_bias_error"] == pytest.approx(0.125)
