"""Shuffled log-rank scores summed by group, as machine code; see `analysis.kernels.logrank_permutation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.kernels.compiled import jit

if TYPE_CHECKING:
    from analysis.kernels.logrank_permutation import Shuffles
    from analysis.kernels.times import FloatArray


@jit
def fill_statistics(drawn: Shuffles, first: int, statistics: FloatArray, key: np.uint64) -> None:
    """The statistics of some permutations, of which `first` is the number of the first, into `statistics`."""
    depth, k = drawn.sizes.sum(), len(drawn.inverse)
    shuffled, sums = np.empty(len(drawn.scores)), np.empty(k)
    for place in range(len(statistics)):
        counter = np.uint64(key) + np.uint64(first + place) * np.uint64(depth) * np.uint64(0x9E3779B97F4A7C15)
        shuffled[:] = drawn.scores
        sums[:] = 0.0
        for block in range(len(drawn.rest)):
            # places are unsigned, like the words, so that none is taken for one counted from the end
            i, end = np.uint64(drawn.starts[block]), np.uint64(drawn.starts[block + 1])
            for part in range(drawn.parts[block], drawn.parts[block + 1]):
                total = 0.0
                for _ in range(drawn.sizes[part]):
                    counter += np.uint64(0x9E3779B97F4A7C15)
                    word = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                    word = (word ^ (word >> np.uint64(31))) >> np.uint64(32)
                    j = i + ((word * (end - i)) >> np.uint64(32))
                    total += shuffled[j]
                    shuffled[j] = shuffled[i]
                    i += np.uint64(1)
                sums[drawn.groups[part]] += total
                sums[drawn.rest[block]] -= total
        statistic = 0.0
        for a in range(k):
            for b in range(k):
                statistic += sums[a] * drawn.inverse[a, b] * sums[b]
        statistics[place] = statistic
