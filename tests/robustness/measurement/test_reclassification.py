"""A second measurement: against its exact probabilities, against twice-measured patients, and by its properties."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from analysis import (
    CohortError,
    Cutpoints,
    InputError,
    NotEstimable,
    RowsDropped,
    clinical_cutpoints,
    convert_magnesium,
    quantile_cutpoints,
    reclassification,
)

CUTS = clinical_cutpoints("nhanes-1")


def cohort_of(n=200, seed=1):
    return pd.DataFrame({"mg": np.random.default_rng(seed).normal(0.81, 0.09, n).clip(0.5)})


def exact_shares(values, cutpoints, deviation, *, log=False):
    """P(second measurement in stratum b | first), averaged over the patients of stratum a, by the normal integral."""
    x, edges = (np.log(part) if log else np.asarray(part) for part in (values, cutpoints.edges))
    ratio = 1 - deviation**2 / x.var(ddof=1)
    centre, spread = x.mean() + ratio * (x - x.mean()), deviation * np.sqrt(1 + ratio)
    below = norm.cdf((edges[None, :] - centre[:, None]) / spread)
    inside = np.diff(np.column_stack([np.zeros(len(x)), below, np.ones(len(x))]), axis=1)
    stratum = np.searchsorted(edges, x, side="right")
    return np.array([inside[stratum == a].mean(axis=0) for a in range(len(edges) + 1)])


@pytest.mark.parametrize(("scale", "size"), [("absolute", 0.03), ("relative", 0.035)])
def test_shares_are_their_exact_probabilities_but_for_monte_carlo_error(scale, size):
    cohort = cohort_of()
    found = reclassification(cohort, CUTS, marker="mg", measurement_error=size, error_scale=scale, n_draws=3000, seed=5)
    deviation = size if scale == "absolute" else np.sqrt(np.log1p(size**2))
    exact = exact_shares(cohort["mg"].to_numpy(), CUTS, deviation, log=scale == "relative").ravel()
    table = found.table
    assert (np.abs(table["share"] - exact) <= 4.5 * table["monte_carlo_error"] + 1e-4).all()
    stays = (table["from_stratum"].astype(str) == table["to_stratum"].astype(str)).to_numpy()
    changed = (table["n"].to_numpy() * exact)[~stays].sum() / len(cohort)
    assert abs(found.share_changed - changed) < 4.5 * found.monte_carlo_error
    assert found.share_changed_low < changed < found.share_changed_high


def test_it_foretells_what_a_second_measurement_finds():
    rng, n, error = np.random.default_rng(3), 40_000, 0.03
    usual = rng.normal(0.82, 0.08, n)
    first, second = usual + rng.normal(0, error, n), usual + rng.normal(0, error, n)
    found = reclassification(
        pd.DataFrame({"mg": first}), CUTS, marker="mg", measurement_error=error, error_scale="absolute",
        n_draws=20, seed=1,
    )  # fmt: skip
    strata = [np.searchsorted(CUTS.edges, values, side="right") for values in (first, second)]
    assert found.reliability == pytest.approx(0.08**2 / (0.08**2 + error**2), abs=0.005)
    for here in range(3):
        for there in range(3):
            seen = strata[1][strata[0] == here] == there
            share = found.table["share"].iloc[3 * here + there]
            assert abs(share - seen.mean()) < 4 * np.sqrt(share * (1 - share) / len(seen)) + 1e-3


def test_without_error_nobody_moves():
    found = reclassification(cohort_of(), CUTS, marker="mg", measurement_error=0, n_draws=3, seed=1)
    assert (found.share_changed, found.monte_carlo_error, found.reliability) == (0, 0, 1)
    assert found.table["share"].tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_shares_of_a_stratum_sum_to_one_in_the_order_of_the_labels():
    found = reclassification(cohort_of(), CUTS, marker="mg", n_draws=50, seed=1)
    assert_allclose(found.table.groupby("from_stratum", observed=True)["share"].sum(), 1)
    assert found.table["from_stratum"].cat.categories.tolist() == list(CUTS.labels)
    assert (found.table["share_low"] <= found.table["share_high"]).all()
    counts = found.table.drop_duplicates("from_stratum").set_index("from_stratum")["n"]
    assert counts.sum() == found.n_used == 200


def test_a_stratum_nobody_is_in_has_no_row_to_leave_from():
    cohort = pd.DataFrame({"mg": np.linspace(0.6, 0.9, 60)})
    found = reclassification(cohort, CUTS, marker="mg", n_draws=50, seed=1)
    assert found.table["from_stratum"].astype(str).unique().tolist() == ["low", "reference"]
    assert found.table["to_stratum"].astype(str).tolist() == ["low", "reference", "high"] * 2


def test_seed_and_row_order():
    cohort = cohort_of()
    first, again, other = (reclassification(cohort, CUTS, marker="mg", n_draws=40, seed=seed) for seed in (1, 1, 2))
    shuffled = reclassification(cohort.sample(frac=1, random_state=9), CUTS, marker="mg", n_draws=40, seed=1)
    pd.testing.assert_frame_equal(first.table, again.table)
    pd.testing.assert_frame_equal(first.table, shuffled.table)
    assert not first.table.equals(other.table)


def test_another_unit_moves_nobody_else():
    cohort = cohort_of()
    there = cohort.assign(mg=convert_magnesium(cohort["mg"], unit="mmol/L", to="mg/dL"))
    ours = reclassification(cohort, CUTS, marker="mg", n_draws=100, seed=4)
    theirs = reclassification(there, CUTS.to_unit("mg/dL"), marker="mg", n_draws=100, seed=4)
    assert_allclose(theirs.table["share"], ours.table["share"], atol=1e-12)


def test_a_coarse_scale_reports_the_second_measurement_as_coarsely():
    # with a step of 0.01, what is reported as 0.75 or more was 0.745 or more: the edge lies half a step lower
    cohort = cohort_of().round(2)
    coarse = reclassification(
        cohort, CUTS, marker="mg", error_scale="absolute", measurement_error=0.03, resolution=0.01, n_draws=3000, seed=2
    )
    lower = Cutpoints((0.745, 0.945), CUTS.labels, source="half a step below")
    exact = exact_shares(cohort["mg"].to_numpy(), lower, 0.03).ravel()
    assert (np.abs(coarse.table["share"] - exact) <= 4.5 * coarse.table["monte_carlo_error"] + 1e-4).all()


def test_missing_markers_are_counted_and_any_cutpoints_will_do():
    cohort = cohort_of()
    cohort.loc[:4, "mg"] = np.nan
    before = cohort.copy()
    quarters = quantile_cutpoints(cohort["mg"], 4)
    with pytest.warns(RowsDropped, match="5 of 200 rows dropped: 5 for missing mg"):
        found = reclassification(cohort, quarters, marker="mg", n_draws=20, seed=1)
    assert (found.n_read, found.n_used, found.dropped) == (200, 195, {"missing mg": 5})
    assert len(found.table) == 16
    pd.testing.assert_frame_equal(cohort, before)


@pytest.mark.parametrize(
    ("changes", "options", "error", "message"),
    [
        ({}, {"measurement_error": 3.5}, InputError, r"must lie below 1; did you mean 0.035, or error_scale="),
        ({}, {"measurement_error": -0.1}, InputError, r"measurement_error=-0.1 must be a finite number of at least 0"),
        (
            {},
            {"error_scale": "relativ"},
            InputError,
            r"error_scale='relativ'; choose 'relative' or 'absolute'; did you",
        ),
        ({}, {"measurement_error": 0.3}, NotEstimable, r"is as large as that of 'mg' itself \(.*\); is it in the same"),
        ({}, {"seed": None}, InputError, r"seed=None must be a whole number of at least 0"),
        ({}, {"n_draws": 0}, InputError, r"n_draws=0 must be a whole number of at least 1"),
        ({}, {"resolution": 0}, InputError, r"resolution=0 must be a finite number above 0"),
        ({}, {"marker": "magnesium"}, CohortError, r"no column 'magnesium'"),
        ({"mg": np.nan}, {}, CohortError, r"no non-missing values in 'mg'"),
        ({"mg": 1.9}, {}, CohortError, r"cuts 0.75, 0.95 mmol/L: outside the range 1.9-1.9 of column 'mg'"),
        ({"mg": lambda rows: rows["mg"] - 0.8}, {}, CohortError, r"outside the range"),
        (
            {"mg": lambda rows: rows["mg"] - rows["mg"].min()},
            {"edge": 0.1},
            InputError,
            r"1 values are zero or negative",
        ),
        ({"mg": 0.75}, {}, NotEstimable, r"as large as that of 'mg' itself \(0\)"),
    ],
)
def test_invalid_arguments_raise(changes, options, error, message):
    options = {"marker": "mg", "n_draws": 5, "seed": 1} | options
    edge = options.pop("edge", None)
    cut = Cutpoints((edge,), ("low", "high"), source="by hand") if edge else CUTS
    with pytest.raises(error, match=message):
        reclassification(cohort_of().assign(**changes), cut, **options)
