"""Every pair of groups, and the adjustments by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, FewEvents, InputError, NotEstimable, RowsDropped, logrank_test, pairwise_logrank
from analysis.survival.group_tests.pairwise import adjusted
from tests.survival.group_tests.test_logrank import OS, arms


def test_each_pair_is_the_test_of_its_rows_alone():
    cohort = arms()
    table = pairwise_logrank(cohort, OS, by="arm")
    assert list(table.columns) == ["stratum_a", "stratum_b", "statistic", "p_value", "p_adjusted"]
    for row in table.itertuples():
        alone = logrank_test(cohort[cohort["arm"].isin([row.stratum_a, row.stratum_b])], OS, by="arm")
        assert (row.statistic, row.p_value) == pytest.approx((alone.statistic, alone.p_value), rel=1e-12)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("bonferroni", [0.04, 0.16, 0.12, 1.0]),
        ("holm", [0.04, 0.09, 0.09, 0.5]),
        ("bh", [0.04, 0.16 / 3, 0.16 / 3, 0.5]),
    ],
)
def test_adjustments_by_hand(method, expected):
    np.testing.assert_allclose(adjusted(np.array([0.01, 0.04, 0.03, 0.5]), method), expected, rtol=1e-12)


def test_an_undefined_p_value_does_not_count():
    np.testing.assert_allclose(adjusted(np.array([0.01, np.nan, 0.03]), "bonferroni"), [0.02, np.nan, 0.06])


def test_a_pair_without_information_is_undefined_and_said():
    cohort = arms()
    cohort["event"] = cohort["event"] & (cohort["arm"] == "a")
    with pytest.warns(FewEvents, match="pairs of 'arm' that hold no information, left undefined: b and c"):
        table = pairwise_logrank(cohort, OS, by="arm")
    assert table["p_adjusted"].isna().tolist() == [False, False, True]


def test_rows_dropped_are_told():
    cohort = arms()
    cohort.loc[0, "time"] = np.nan
    with pytest.warns(RowsDropped, match="1 of 60 rows dropped: 1 for missing time"):
        pairwise_logrank(cohort, OS, by="arm")


def test_what_means_nothing_is_refused():
    with pytest.raises(InputError, match="adjust='tukey'; choose 'holm', 'bh' or 'bonferroni'"):
        pairwise_logrank(arms(), OS, by="arm", adjust="tukey")
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        pairwise_logrank(arms().assign(arm="a"), Endpoint("time", "event"), by="arm")
    with pytest.raises(NotEstimable, match="no events"):
        pairwise_logrank(arms().assign(event=False), OS, by="arm")


def test_groups_keep_their_order():
    cohort = arms()
    cohort["arm"] = pd.Categorical(cohort["arm"], categories=["c", "a", "b"], ordered=True)
    assert pairwise_logrank(cohort, OS, by="arm")["stratum_a"].tolist() == ["c", "c", "a"]
