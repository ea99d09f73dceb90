"""Shuffled log-rank scores summed by group, as machine code; see `analysis.kernels.counts.logrank_permutation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.kernels.compiled import jit

if TYPE_CHECKING:
    from analysis.arrays import FloatArray
    from analysis.kernels.counts.logrank_permutation import Shuffles


@jit
def random_word(counter: np.uint64) -> np.uint64:
    """The two halves of `analysis.kernels.random_draws.random_halves`, as one."""
    word = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@jit
def draw(shuffled: FloatArray, i: np.uint64, end: np.uint64, half: np.uint64) -> float:
    """One of the scores from i to the end, which changes places with the i-th."""
    j = i + ((half * (end - i)) >> np.uint64(32))
    score: float = shuffled[j]
    shuffled[j] = shuffled[i]
    return score


@jit
def fill_statistics(drawn: Shuffles, first: int, statistics: FloatArray, key: np.uint64) -> None:
    """The statistics of some permutations, of which `first` is the number of the first, into `statistics`."""
    n_words, k = ((drawn.sizes + 1) // 2).sum(), len(drawn.inverse)
    shuffled, sums = np.empty(len(drawn.scores)), np.empty(k)
    for place in range(len(statistics)):
        counter = np.uint64(key) + np.uint64(first + place) * np.uint64(n_words) * np.uint64(0x9E3779B97F4A7C15)
        shuffled[:] = drawn.scores
        sums[:] = 0.0
        for block in range(len(drawn.rest)):
            # places are unsigned, like the words, so that none is taken for one counted from the end
            i, end = np.uint64(drawn.starts[block]), np.uint64(drawn.starts[block + 1])
            for part in range(drawn.parts[block], drawn.parts[block + 1]):
                total, other = 0.0, 0.0  # apart, so that neither addition waits for the other
                for _ in range(drawn.sizes[part] // 2):
                    counter += np.uint64(0x9E3779B97F4A7C15)
                    word = random_word(counter)
                    total += draw(shuffled, i, end, word >> np.uint64(32))
                    other += draw(shuffled, i + np.uint64(1), end, word & np.uint64(0xFFFFFFFF))
                    i += np.uint64(2)
                if drawn.sizes[part] % 2:
                    counter += np.uint64(0x9E3779B97F4A7C15)
                    total += draw(shuffled, i, end, random_word(counter) >> np.uint64(32))
                    i += np.uint64(1)
                total += other
                sums[drawn.groups[part]] += total
                sums[drawn.rest[block]] -= total
        statistic = 0.0
        for a in range(k):
            for b in range(k):
                statistic += sums[a] * drawn.inverse[a, b] * sums[b]
        statistics[place] = statistic
