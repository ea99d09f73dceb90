"""Exponentials, logarithms and sums of products of the compiled kernels, against numpy and exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analysis.kernels.compiled import dot, exponential, exponentiate, natural_log


@pytest.mark.parametrize("reach", [1.0, 30.0, 700.0])
def test_exponentials_are_right_to_the_last_bit_but_one(reach):
    values = np.random.default_rng(2).uniform(-reach, reach, 256)
    bits, result = np.empty(256, np.int64), np.empty(256)
    exponentiate(values, bits, result)
    assert_allclose(result, np.exp(values), rtol=4.5e-16)
    assert_allclose([exponential(value) for value in values], np.exp(values), rtol=4.5e-16)


def test_an_exponential_beyond_the_doubles_is_infinite():
    result = np.empty(1)
    exponentiate(np.array([800.0]), np.empty(1, np.int64), result)
    assert result[0] == exponential(800.0) == np.inf


def test_logarithms_are_right_to_the_last_bit_but_one():
    rng = np.random.default_rng(3)
    values = np.concatenate([np.exp(rng.uniform(-700, 700, 200)), rng.uniform(0.5, 2.0, 200), [1.0, 5e-324, 1.7e308]])
    assert_allclose([natural_log(value) for value in values], np.log(values), rtol=4.5e-16, atol=0)


def test_logarithms_at_and_beyond_the_ends():
    assert natural_log(0.0) == -np.inf
    assert natural_log(np.inf) == np.inf
    assert np.isnan([natural_log(-1.0), natural_log(np.nan)]).all()


@pytest.mark.parametrize("n", [0, 1, 3, 4, 15, 16, 17, 67, 256])
def test_a_sum_of_products_is_the_exact_one_up_to_rounding(n):
    one, other = np.random.default_rng(n).normal(size=(2, n))
    exact = math.fsum(a * b for a, b in zip(one.tolist(), other.tolist(), strict=True))
    size = math.fsum(abs(a * b) for a, b in zip(one.tolist(), other.tolist(), strict=True))
    assert abs(dot(one, other, np.empty(n)) - exact) <= 1e-15 * size
