"""What compiled loops are made of: the compiler, exponentials and logarithms, sums of products.

Nothing lets the compiler change the order of a sum or fuse a product with a sum: the same rows give the same bits on
every processor, from a fresh compilation and from the cache. For the same reason compiled loops take exponentials and
logarithms from here, not from the C library, which has several of each, and sum in lanes whose order is written down:
a sum in one line waits for each addition in turn, while four quarters of the rows side by side leave the compiler free
to fill a processor's widest registers.

A module whose functions are decorated with `jit` imports numba when it is imported itself; therefore it is imported
inside the functions that need it, where the rows or the resamples are many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from analysis.arrays import FloatArray, IntArray

Function = TypeVar("Function", bound=Callable[..., Any])

SHIFT = 6755399441055744.0
"""1.5 times 2**52: a double of this size has no room for a fraction, so adding it rounds to a whole number."""
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROOT_HALF = 0.7071067811865476
SMALLEST, LARGEST = -708.0, 709.0
"""What the exponential of is still a double."""
EXPONENT, FRACTION = 1023, 52
"""What is added to a power of two in the bits of a double, and how far to the left it stands."""


def jit(function: Function) -> Function:
    """The function as machine code, compiled at its first call and kept on disk."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@jit
def series(r: float) -> float:
    """e^r to the 13th power of r, which is at most half of log 2."""
    s = 1 / 6227020800
    s = s * r + 1 / 479001600
    s = s * r + 1 / 39916800
    s = s * r + 1 / 3628800
    s = s * r + 1 / 362880
    s = s * r + 1 / 40320
    s = s * r + 1 / 5040
    s = s * r + 1 / 720
    s = s * r + 1 / 120
    s = s * r + 1 / 24
    s = s * r + 1 / 6
    s = s * r + 0.5
    s = s * r + 1.0
    return s * r + 1.0


@jit
def exponential(value: float) -> float:
    """The exponential of one number; as `exponentiate` beyond the range of doubles."""
    if value > LARGEST:
        return np.inf
    x = max(value, SMALLEST)
    k = np.floor(x * LOG2_E + 0.5)
    return math.ldexp(series((x - k * LN2_HIGH) - k * LN2_LOW), int(k))


@jit
def natural_log(value: float) -> float:
    """The natural logarithm of one number, to the last bit but one.

    log(2^k (1 + f)) with 1 + f between the square roots of 1/2 and 2, and s = f / (2 + f), by the minimax polynomial in
    s^2 of the C library fdlibm (``__ieee754_log``).
    """
    if not 0.0 < value < np.inf:
        return value if value > 0.0 else (-np.inf if value == 0.0 else np.nan)
    fraction, k = math.frexp(value)
    if fraction < ROOT_HALF:
        fraction, k = 2.0 * fraction, k - 1
    f = fraction - 1.0
    s = f / (2.0 + f)
    z, half = s * s, 0.5 * f * f
    rest = 1.479819860511658591e-01
    rest = rest * z + 1.531383769920937332e-01
    rest = rest * z + 1.818357216161805012e-01
    rest = rest * z + 2.222219843214978396e-01
    rest = rest * z + 2.857142874366239149e-01
    rest = rest * z + 3.999999999940941908e-01
    rest = rest * z + 6.666666666666735130e-01
    return k * LN2_HIGH - ((half - (s * (half + z * rest) + k * LN2_LOW)) - f)


@jit
def exponentiate(values: FloatArray, bits: IntArray, result: FloatArray) -> None:
    """The exponentials of `values` into `result`, to the last bit but one; `bits` is room to work in.

    e^x = 2^k e^r with k whole and r at most half of log 2, whose series is summed to the 13th power. Beyond the range
    of doubles it is infinite above, and stays at the range's end below.
    """
    powers = bits.view(np.float64)
    for i in range(len(values)):
        x = min(max(values[i], SMALLEST), LARGEST)
        shifted = x * LOG2_E + SHIFT
        k = shifted - SHIFT
        powers[i] = shifted
        r = (x - k * LN2_HIGH) - k * LN2_LOW
        result[i] = series(r)
    for i in range(len(values)):
        bits[i] = (bits[i] + EXPONENT) << FRACTION
    for i in range(len(values)):
        result[i] *= powers[i] if values[i] <= LARGEST else np.inf


@jit
def dot(one: FloatArray, other: FloatArray, lanes: FloatArray) -> float:
    """The sum of products of two vectors of one length; `lanes` is room for a quarter of them."""
    n = len(one)
    q = n // 4
    second, third, fourth = q, 2 * q, 3 * q
    for i in range(q):
        lanes[i] = (one[i] * other[i] + one[second + i] * other[second + i]) + (
            one[third + i] * other[third + i] + one[fourth + i] * other[fourth + i]
        )
    total = sum_lanes(lanes[:q])
    for i in range(4 * q, n):
        total += one[i] * other[i]
    return total


@jit
def sum_lanes(lanes: FloatArray) -> float:
    """The sum of the lanes, four by four."""
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, len(lanes) // 4
    for i in range(whole):
        a += lanes[4 * i]
        b += lanes[4 * i + 1]
        c += lanes[4 * i + 2]
        d += lanes[4 * i + 3]
    total = (a + b) + (c + d)
    for i in range(4 * whole, len(lanes)):
        total += lanes[i]
    return total
