"""Several cuts: against every partition there is, against the single search, by guards, and where there are two."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import Endpoint, InputError, NotEstimable, search_cutpoint, search_cutpoints, stratify
from analysis.kernels.cutpoints.scan import logrank_scores

OS = Endpoint("time", "event")
QUICK = {"n_permutations": 99, "seed": 1}


def drawn(n: int = 90, seed: int = 1, hazard=lambda marker: 1 + 0 * marker) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    marker = rng.uniform(size=n).round(2)
    died, followed = rng.exponential(10 / hazard(marker)), rng.exponential(25, n)
    event = (died <= followed).astype(int)
    return pd.DataFrame({"marker": marker, "time": np.minimum(died, followed).round(1) + 0.1, "event": event})


def bathtub(marker):
    return np.where((marker < 0.3) | (marker > 0.7), 4.0, 1.0)


def by_definition(rows: pd.DataFrame, cuts) -> float:
    scores = logrank_scores(rows["time"].to_numpy(), rows["event"].to_numpy() == 1)
    scores = scores - scores.mean()
    group = np.searchsorted(cuts, rows["marker"].to_numpy(), side="left")
    sums = sum(scores[group == g].sum() ** 2 / (group == g).sum() for g in range(len(cuts) + 1))
    return (len(rows) - 1) / (scores @ scores) * sums


def test_two_cuts_are_the_best_of_all_pairs():
    rows = drawn(60, hazard=bathtub)
    found = search_cutpoints(rows, OS, "marker", min_fraction=0.15, max_fraction=0.85, **QUICK)
    values = np.unique(rows["marker"])
    low = {value: (rows["marker"] <= value).sum() for value in values}
    allowed = [value for value in values if 9 <= low[value] <= 51]
    pairs = [pair for pair in combinations(allowed, 2) if low[pair[1]] - low[pair[0]] >= 9]
    best = max(pairs, key=lambda pair: by_definition(rows, pair))
    assert found.steps["cuts"].tolist()[1] == best
    assert_allclose(found.steps["statistic"].iloc[1], by_definition(rows, best))


def test_one_cut_is_the_single_search():
    rows = drawn(hazard=bathtub)
    single = search_cutpoint(rows, OS, "marker", n_bootstrap=0, n_permutations=999, seed=1)
    several = search_cutpoints(rows, OS, "marker", max_cuts=1, n_permutations=999, seed=1)
    assert several.cuts == (single.cut,)
    assert_allclose(several.steps["statistic"].iloc[0], single.statistic**2)
    assert abs(several.p_permutation - single.p_permutation) < 0.06
    assert several.p_permutation == several.steps["p_permutation"].iloc[0]


def test_a_bathtub_needs_two_cuts():
    found = search_cutpoints(drawn(400, hazard=bathtub), OS, "marker", n_permutations=199, seed=1)
    assert len(found.cuts) == 2
    assert_allclose(found.cuts, [0.3, 0.7], atol=0.06)
    assert found.p_permutation == 0.005


def test_the_whole_search_costs_more_than_its_best_part():
    found = search_cutpoints(drawn(seed=3), OS, "marker", max_cuts=3, **QUICK)
    assert found.p_permutation >= found.steps["p_permutation"][found.steps["excess"].idxmax()]
    assert found.steps["statistic"].is_monotonic_increasing
    assert found.steps["n_cuts"].tolist() == [1, 2, 3]


def test_shuffled_rows_give_the_same_seeded_answer():
    rows = drawn(hazard=bathtub)
    first, second = (
        search_cutpoints(held, OS, "marker", **QUICK) for held in (rows, rows.sample(frac=1, random_state=1))
    )
    assert (first.cuts, first.p_permutation) == (second.cuts, second.p_permutation)


def test_its_cuts_go_to_stratify():
    rows = drawn(hazard=bathtub)
    found = search_cutpoints(rows, OS, "marker", **QUICK)
    groups = stratify(rows, found.cutpoints(), marker="marker")["stratum"]
    assert groups.cat.categories.tolist() == [f"group {number}" for number in range(1, len(found.cuts) + 2)]


@pytest.mark.parametrize("max_cuts", [0, 5, 1.5, True])
def test_a_number_of_cuts_that_cannot_be_is_refused(max_cuts):
    with pytest.raises(InputError, match="must be a whole number from 1 to 4"):
        search_cutpoints(drawn(), OS, "marker", max_cuts=max_cuts, **QUICK)


def test_groups_that_cannot_be_filled_are_refused():
    with pytest.raises(NotEstimable, match="no 3 cuts leave 40% of the rows in every group"):
        search_cutpoints(drawn(), OS, "marker", max_cuts=3, min_fraction=0.4, max_fraction=0.9, **QUICK)


def test_late_entry_is_refused():
    with pytest.raises(InputError, match="late entry"):
        search_cutpoints(drawn().assign(entry=0.0), Endpoint("time", "event", entry="entry"), "marker", **QUICK)


def test_by_chance_it_rejects_as_often_as_it_says():
    p_values = [search_cutpoints(drawn(40, seed=seed), OS, "marker", **QUICK).p_permutation for seed in range(100)]
    rejected = np.mean(np.array(p_values) <= 0.1)
    assert abs(rejected - 0.1) < 4 * (0.1 * 0.9 / 100) ** 0.5
