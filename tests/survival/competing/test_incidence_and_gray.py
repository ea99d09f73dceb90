"""Competing risks: by hand, by their properties, and on codes without a cause."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis import (
    CohortError,
    CompetingEndpoint,
    Endpoint,
    InputError,
    NotEstimable,
    RowsDropped,
    cumulative_incidence,
    gray_test,
    kaplan_meier,
)

FIRST = CompetingEndpoint("time", "status")
COLUMNS = ["stratum", "cause", "time", "incidence", "std_error", "conf_low", "conf_high"]
# One cause at 2, the other twice at 3 and once at 6; censored at 1, 2, 3 and 5.
EIGHT = pd.DataFrame({"time": [1.0, 2, 2, 3, 3, 3, 5, 6], "status": [0, 1, 0, 2, 2, 0, 0, 2]})


def cohort(n: int = 90, seed: int = 5) -> pd.DataFrame:
    """Two arms with ties, different hazards, three ways to leave."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    return pd.DataFrame(
        {
            "time": np.ceil(rng.exponential(10 / (1 + arm))),
            "status": rng.choice([0, 1, 2], n, p=[0.3, 0.4, 0.3]),
            "arm": np.array(["a", "b"])[arm],
        }
    )


def test_eight_rows_by_hand():
    table = cumulative_incidence(EIGHT, FIRST)
    assert list(table.columns) == [*COLUMNS, "n_risk", "n_event", "conf_type", "conf_level"]
    first, second = (table[table["cause"] == cause] for cause in ("progression", "death"))
    np.testing.assert_allclose(first["incidence"], [0, 0, 1 / 7, 1 / 7, 1 / 7, 1 / 7], atol=1e-15)
    np.testing.assert_allclose(second["incidence"], [0, 0, 0, 12 / 35, 12 / 35, 6 / 7], atol=1e-15)
    assert first["n_risk"].tolist() == [8, 8, 7, 5, 2, 1]
    assert first["n_event"].tolist() == [0, 0, 1, 0, 0, 0]
    assert first.iloc[0][["conf_low", "conf_high"]].tolist() == [0, 0]


def test_the_causes_and_the_event_free_add_up():
    table = cumulative_incidence(cohort(), FIRST, by="arm")
    any_event = cohort().assign(any=cohort()["status"] > 0)
    curves = kaplan_meier(any_event, Endpoint("time", "any"), by="arm")
    total = table.groupby(["stratum", "time"], observed=True)["incidence"].sum()
    np.testing.assert_allclose(1 - total.to_numpy(), curves["survival"], atol=1e-12)


def test_one_cause_alone_has_the_error_of_greenwood():
    """The infinitesimal jackknife of a Kaplan-Meier curve without weights is Greenwood's formula."""
    held = cohort().assign(status=lambda rows: (rows["status"] == 1).astype(int))
    table = cumulative_incidence(held, CompetingEndpoint("time", "status", causes={1: "death"}))
    curves = kaplan_meier(held, Endpoint("time", "status"))
    np.testing.assert_allclose(table["incidence"], 1 - curves["survival"], atol=1e-12)
    seen = (curves["survival"] > 0).to_numpy()
    np.testing.assert_allclose(table["std_error"][seen], curves["std_error"][seen], rtol=1e-10)


def test_the_order_of_the_rows_and_the_unit_of_time_do_not_matter():
    held = cohort()
    ours = cumulative_incidence(held, FIRST, by="arm")
    other = cumulative_incidence(held.iloc[::-1].assign(time=held["time"] * 30.4375), FIRST, by="arm")
    pd.testing.assert_frame_equal(ours.assign(time=ours["time"] * 30.4375), other, rtol=1e-10)
    test, other_test = (gray_test(rows, FIRST, by="arm", cause="death") for rows in (held, held.iloc[::-1]))
    assert test.statistic == pytest.approx(other_test.statistic, rel=1e-12)


def test_a_missing_middle_code_and_any_labels_are_right():
    endpoint = CompetingEndpoint("time", "status", causes={7: "tod", 2: "R\u00fcckfall"})
    held = EIGHT.assign(status=EIGHT["status"].map({0: 0, 1: 7, 2: 2}))
    ours, plain = cumulative_incidence(held, endpoint), cumulative_incidence(EIGHT, FIRST)
    assert ours["cause"].cat.categories.tolist() == ["tod", "R\u00fcckfall"]
    np.testing.assert_array_equal(ours["incidence"], plain["incidence"])


def test_a_cause_that_never_came_stays_at_zero():
    table = cumulative_incidence(EIGHT.assign(status=EIGHT["status"].replace(1, 0)), FIRST)
    assert (table.loc[table["cause"] == "progression", ["incidence", "std_error", "conf_high"]] == 0).all(axis=None)


def test_missing_codes_are_dropped_and_told():
    held = EIGHT.assign(status=EIGHT["status"].astype("Int64").where(EIGHT["time"] > 1))
    with pytest.warns(RowsDropped, match="1 of 8 rows dropped: 1 for missing status"):
        assert cumulative_incidence(held, FIRST)["n_risk"].max() == 7


def test_gray_names_groups_and_cause():
    test = gray_test(cohort(), FIRST, by="arm", cause="progression")
    assert (test.df, test.test) == (1, "gray (progression)")
    assert test.groups["observed"].sum() == (cohort()["status"] == 1).sum()
    assert test.groups["expected"].sum() == pytest.approx(test.groups["observed"].sum())


def test_gray_does_not_see_the_names_of_the_groups():
    held = cohort()
    swapped = held.assign(arm=held["arm"].map({"a": "b", "b": "a"}))
    ours, theirs = (gray_test(rows, FIRST, by="arm", cause="death").statistic for rows in (held, swapped))
    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"status": [0, 1, 3, 2, 2, 0, 0, 3]},
            "codes 3 (2 rows) have no cause; name them in CompetingEndpoint(causes=...)",
        ),
        ({"status": ["death"] * 8}, "status column 'status': 8 values are not numbers ('death')"),
        ({"time": [-1.0, *range(7)]}, "negative values (-1) in 1 row (1)"),
    ],
)
def test_rows_that_cannot_be_used_are_named(change, words):
    with pytest.raises(CohortError, match=re.escape(words)):
        cumulative_incidence(EIGHT.assign(**change), FIRST)


def test_options_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="cause='relapse'; choose 'progression' or 'death'"):
        gray_test(cohort(), FIRST, by="arm", cause="relapse")
    with pytest.raises(InputError, match=r"did you mean 0\.9"):
        cumulative_incidence(EIGHT, FIRST, conf_level=90)
    with pytest.raises(CohortError, match="no column 'amr'; did you mean 'arm'"):
        gray_test(cohort(), FIRST, by="amr", cause="death")


def test_nothing_to_compare_is_an_error_in_words():
    with pytest.raises(NotEstimable, match="need at least 2 groups"):
        gray_test(cohort().assign(arm="a"), FIRST, by="arm", cause="death")
    with pytest.raises(NotEstimable, match="no events"):
        gray_test(cohort().assign(status=1), FIRST, by="arm", cause="death")


def test_the_cohort_is_not_changed():
    held = cohort()
    before = held.copy(deep=True)
    cumulative_incidence(held, FIRST, by="arm")
    gray_test(held, FIRST, by="arm", cause="death")
    pd.testing.assert_frame_equal(held, before)
