"""The exponential of many numbers at once, as machine code that fills a processor's widest registers."""

from __future__ import annotations

import numpy as np

from analysis.kernels.compiled import jit
from analysis.kernels.cox_risk_sets import IntArray
from analysis.kernels.times import FloatArray

SHIFT = 6755399441055744.0
"""1.5 times 2**52: a double of this size has no room for a fraction, so adding it rounds to a whole number."""
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SMALLEST, LARGEST = -708.0, 709.0
"""What the exponential of is still a double."""
EXPONENT, FRACTION = 1023, 52
"""What is added to a power of two in the bits of a double, and how far to the left it stands."""


@jit
def exponentiate(values: FloatArray, bits: IntArray, found: FloatArray) -> None:
    """The exponentials of `values` into `found`, to the last bit but one; `bits` is room to work in.

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
        found[i] = s * r + 1.0
    for i in range(len(values)):
        bits[i] = (bits[i] + EXPONENT) << FRACTION
    for i in range(len(values)):
        found[i] *= powers[i] if values[i] <= LARGEST else np.inf
