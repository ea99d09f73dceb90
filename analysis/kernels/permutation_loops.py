"""Scores shuffled among rows, as machine code: the sums of groups and the maxima over cuts.

The draws are those of `analysis.kernels.random_draws`, number by number: what numpy does in step for few permutations
is done here one permutation after another, with the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.arrays import FloatArray
from analysis.kernels import random_draws
from analysis.kernels.compiled import jit
from analysis.kernels.random_draws import GOLDEN

if TYPE_CHECKING:
    from analysis.kernels.counts.logrank import Shuffles

random_bits = jit(random_draws.random_bits)


@jit
def draw(shuffled: FloatArray, i: np.uint64, end: np.uint64, half: np.uint64) -> float:
    """One of the scores from i to the end, which changes places with the i-th.

    Indices are unsigned, like the random bits, so that none is taken for one counted from the end.
    """
    j = i + ((half * (end - i)) >> np.uint64(32))
    score: float = shuffled[j]
    shuffled[j] = shuffled[i]
    return score


@jit
def fill_statistics(drawn: Shuffles, first: int, statistics: FloatArray, key: np.uint64) -> None:
    """The statistics of some permutations, of which `first` is the number of the first, into `statistics`."""
    n_words, k = ((drawn.sizes + 1) // 2).sum(), len(drawn.inverse)
    shuffled, sums = np.empty(len(drawn.scores)), np.empty(k)
    for number in range(len(statistics)):
        counter = np.uint64(key) + np.uint64(first + number) * np.uint64(n_words) * GOLDEN
        shuffled[:] = drawn.scores
        sums[:] = 0.0
        for block in range(len(drawn.rest)):
            i, end = np.uint64(drawn.starts[block]), np.uint64(drawn.starts[block + 1])
            for part in range(drawn.parts[block], drawn.parts[block + 1]):
                total, other = 0.0, 0.0  # apart, so that neither addition waits for the other
                for _ in range(drawn.sizes[part] // 2):
                    counter += GOLDEN
                    bits = random_bits(counter)
                    total += draw(shuffled, i, end, bits >> np.uint64(32))
                    other += draw(shuffled, i + np.uint64(1), end, bits & np.uint64(0xFFFFFFFF))
                    i += np.uint64(2)
                if drawn.sizes[part] % 2:
                    counter += GOLDEN
                    total += draw(shuffled, i, end, random_bits(counter) >> np.uint64(32))
                    i += np.uint64(1)
                total += other
                sums[drawn.groups[part]] += total
                sums[drawn.rest[block]] -= total
        statistic = 0.0
        for a in range(k):
            for b in range(k):
                statistic += sums[a] * drawn.inverse[a, b] * sums[b]
        statistics[number] = statistic


@jit
def permuted_maxima_loop(scores: FloatArray, weight: FloatArray, n_permutations: int, key: np.uint64) -> FloatArray:
    """The largest statistic of each permutation of the scores; see `analysis.kernels.cutpoints.permuted_maxima`.

    `weight[i]` is what the absolute sum of i + 1 scores is multiplied by: zero but at admissible cuts.
    """
    shuffled, maxima, end = np.empty_like(scores), np.zeros(n_permutations), np.uint64(len(scores))
    for permutation in range(n_permutations):
        counter = key + np.uint64(permutation) * np.uint64(len(weight)) * GOLDEN
        total, largest = 0.0, 0.0
        shuffled[:] = scores
        for i in range(len(weight)):
            counter += GOLDEN
            total += draw(shuffled, np.uint64(i), end, random_bits(counter) >> np.uint64(32))
            size = abs(total) * weight[i]
            if size > largest:
                largest = size
        maxima[permutation] = largest
    return maxima
