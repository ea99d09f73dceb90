"""Sums of products, as machine code: in lanes of their own, whose order is written down and the same on any processor.

A compiler may not change the order of a sum, and a sum in one line waits for each addition in turn. Four quarters of
the rows side by side leave it free to fill a processor's widest registers with what stands in the same place of each.
"""

from __future__ import annotations

from analysis.arrays import FloatArray
from analysis.kernels.compiled import jit


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
