"""Scans of the cuts of a marker: rows in one order, and searches of resamples beside covariates."""

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint
from analysis.strata.search.scans import AdjustedScan, LogRankScan, search_rows

OS = Endpoint("time", "event")
FRACTIONS = (0.1, 0.9)


def drawn(n: int = 120, seed: int = 1) -> pd.DataFrame:
    """A marker whose hazard steps up above 0.6."""
    rng = np.random.default_rng(seed)
    marker = rng.uniform(size=n).round(3)
    died, followed = rng.exponential(20 * np.exp(-2 * (marker > 0.6))), rng.exponential(40, n)
    rows = {"marker": marker, "time": np.minimum(died, followed).round(1) + 0.1, "event": (died <= followed) * 1}
    return pd.DataFrame(rows | {"site": np.arange(n) % 2, "age": rng.normal(60, 9, n)})


@pytest.mark.parametrize(
    ("options", "way"), [({}, LogRankScan), ({"strata": ["site"]}, AdjustedScan), ({"adjust": ["age"]}, AdjustedScan)]
)
def test_rows_stand_in_the_order_of_the_marker_whatever_theirs_was(options, way):
    rows = drawn()
    first, second = (
        search_rows(cohort, OS, "marker", fractions=FRACTIONS, **options).scan
        for cohort in (rows, rows.sample(frac=1, random_state=2))
    )
    assert type(first) is way
    assert (np.diff(first.marker) >= 0).all()
    for name in ("marker", "time", "event", "strata", "x"):
        np.testing.assert_array_equal(getattr(first.rows, name), getattr(second.rows, name))
    assert first.n_low.tolist() == [(rows["marker"] <= cut).sum() for cut in first.cut]


@pytest.mark.parametrize("options", [{"strata": ["site"]}, {"adjust": ["age"]}])
def test_a_resample_is_searched_at_fifty_cuts_evenly_spread(options):
    scan = search_rows(drawn(), OS, "marker", fractions=FRACTIONS, **options).scan
    assert len(scan.cut) > 60
    table = scan.table()
    spread = np.unique(np.floor(np.linspace(0, len(table) - 1, 50)).astype(int))
    best = table["cut"][table["statistic"].iloc[spread].idxmax()]
    assert best > table["cut"].iloc[spread[5]]
    everybody_once = np.ones((1, len(scan.marker)))
    assert scan.cuts_of(everybody_once).tolist() == [best]


def test_a_resample_with_few_cuts_is_searched_at_all_of_them():
    rows = drawn().assign(marker=lambda all_rows: (all_rows["marker"] * 3).astype(int))
    scan = search_rows(rows, OS, "marker", fractions=FRACTIONS, strata=["site"]).scan
    assert scan.cut.tolist() == [0, 1]
    assert scan.table().set_index("cut")["statistic"].idxmax() == 1
    only_the_lowest = (scan.marker == 0).astype(float)
    assert scan.cuts_of(np.array([np.ones(120), only_the_lowest])).tolist() == pytest.approx([1, np.nan], nan_ok=True)


def test_another_choice_of_cuts_keeps_the_rows():
    scan = search_rows(drawn(), OS, "marker", fractions=FRACTIONS).scan
    few = scan.at(np.array([20, 60]))
    assert few.cut.tolist() == scan.marker[[19, 59]].tolist()
    whole = scan.table().set_index("n_low")
    pd.testing.assert_frame_equal(few.table().set_index("n_low"), whole.loc[few.n_low])
