"""Both models: a cut searched anew, a resample that misses a level, strata, terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    Endpoint,
    added_value,
    kaplan_meier,
    load_example,
    search_cutpoint,
    survival_at,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")
LUNG = load_example("lung").dropna(subset=["ecog"])


def of_lung(**options: object):
    """The value of ECOG beside age and sex at one year."""
    given = {"times": 365, "n_bootstrap": 0, "seed": 1} | options
    return added_value(LUNG, SURVIVAL, "age + sex", "ecog", **given)


@pytest.fixture(scope="module")
def noise() -> pd.DataFrame:
    """A marker that has nothing to do with the outcome."""
    rng = np.random.default_rng(5)
    time = rng.exponential(10, 150)
    frame = pd.DataFrame({"time": np.minimum(time, 12), "event": (time < 12).astype(int), "age": rng.normal(size=150)})
    return frame.assign(marker=rng.normal(size=150))


def test_a_searched_cut_is_searched_again_and_corrected_more(noise):
    endpoint = Endpoint("time", "event")
    options = {"times": 8, "n_bootstrap": 60, "seed": 1}
    plain, searched = (
        added_value(noise, endpoint, "age", "marker", search_cut=search, **options) for search in (False, True)
    )
    assert np.isnan(plain.cut)
    found = search_cutpoint(noise, endpoint, "marker", n_permutations=99, n_bootstrap=0, seed=1)
    assert searched.cut == found.cut
    optimism = [
        one.performance.set_index("measure").loc["concordance", "difference_optimism"] for one in (plain, searched)
    ]
    assert optimism[1] > optimism[0] > 0
    assert "marker above the searched cut" in searched.with_marker.terms


def test_strata_have_censoring_and_baselines_of_their_own():
    added = added_value(LUNG, SURVIVAL, ["age"], "ecog", times=[180, 365], n_bootstrap=0, seed=1, strata="sex")
    assert added.without_marker.model.strata == ("sex",)
    by_sex = survival_at(kaplan_meier(LUNG, SURVIVAL, by="sex"), 365)["survival"].to_numpy()
    share = np.average(1 - by_sex, weights=LUNG["sex"].value_counts().sort_index())
    row = added.performance.query("measure == 'observed_over_expected' and time == 365").iloc[0]
    expected = added.risks.query("model == 'without_marker' and time == 365")["risk"].mean()
    assert_allclose(row["without_marker"], share / expected)
