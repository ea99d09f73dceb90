"""Rows that are spells: what is counted by patient is that of the patients, however their follow-up is cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    CohortError,
    Endpoint,
    RowsDropped,
    SuspiciousValues,
    adjusted_curves,
    event_counts,
    kaplan_meier,
    logrank_test,
    median_follow_up,
    permutation_logrank,
    risk_table,
    search_cutpoint,
    start_stop,
)

OS = Endpoint("time", "event")
SPELLS = Endpoint("stop", "event", entry="start")
# Four patients: 10 with the event, 6 and 12 censored, 7 with the event; the first two cut in two.
FOUR = pd.DataFrame(
    {
        "start": [0, 2, 0, 3, 0, 0],
        "stop": [2, 10, 3, 6, 7, 12],
        "event": [0, 1, 0, 0, 1, 0],
        "who": list("aabbcd"),
    }
)
# The first patient leaves at 3 and comes back at 4; the last enters at 1.
GAP = pd.DataFrame(
    {
        "start": [0, 4, 0, 0, 0, 1],
        "stop": [3, 9, 5, 6, 7, 8],
        "event": [0, 1, 1, 0, 1, 0],
        "who": list("aabcde"),
    }
)
TEN = pd.DataFrame(
    {"time": range(1, 11), "event": [1, 1, 1, 1, 0, 1, 1, 0, 1, 1], "arm": list("aaabababbb"), "who": range(10)}
)


def unit_spells(cohort):
    """A row for each unit of time of each patient."""
    rows = cohort.loc[cohort.index.repeat(cohort["time"])].reset_index(drop=True)
    start = rows.groupby("who").cumcount()
    return rows.assign(start=start, stop=start + 1, event=rows["event"] * (rows["time"] == start + 1))


def test_a_censoring_is_the_end_of_a_patients_last_row():
    """R 4.2.2: survfit(Surv(start, stop, event) ~ 1, id = who): n.censor 1 at 6 and 12, none at 2 and 3."""
    curve = kaplan_meier(FOUR, SPELLS, cluster="who")
    assert curve["time"].tolist() == [0, 2, 3, 6, 7, 10, 12]
    assert curve["n_censor"].tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert curve["n_risk"].tolist() == [4, 4, 4, 4, 3, 2, 1]
    np.testing.assert_allclose(curve["survival"], [1, 1, 1, 1, 2 / 3, 1 / 3, 1 / 3], rtol=1e-12)
    table = risk_table(FOUR, SPELLS, times=[3, 6, 12], cluster="who")
    assert table["n_censor"].tolist() == [0, 1, 2]
    assert table["n_event"].tolist() == [0, 0, 2]


def test_median_follow_up_is_that_of_the_patients():
    """R: survfit(Surv(start, stop, last & !event) ~ 1, conf.type = "log-log"), last being each patient's last row."""
    row = median_follow_up(FOUR, SPELLS, cluster="who").iloc[0]
    assert (row["median"], row["conf_low"]) == (12, 6)
    assert np.isnan(row["conf_high"])
    row = median_follow_up(GAP, SPELLS, cluster="who").iloc[0]
    assert (row["median"], row["conf_low"]) == (8, 6)


def test_who_leaves_and_comes_back_is_censored_and_enters_again():
    """R: survfit(Surv(start, stop, event) ~ 1, id = who)."""
    curve = kaplan_meier(GAP, SPELLS, cluster="who").iloc[1:]
    assert curve["n_risk"].tolist() == [5, 5, 4, 3, 2, 1]
    assert curve["n_censor"].tolist() == [1, 0, 1, 0, 1, 0]
    np.testing.assert_allclose(curve["survival"], [1, 0.8, 0.8, 8 / 15, 8 / 15, 0], atol=1e-12)
    assert risk_table(GAP, SPELLS, times=[3, 9], cluster="who")["n_censor"].tolist() == [1, 3]


def test_who_changes_group_is_not_censored():
    spells = FOUR.assign(group=list("xyxxyy"))
    table = risk_table(spells, SPELLS, times=[12], by="group", cluster="who")
    assert table["n_censor"].tolist() == [1, 1]


@st.composite
def cut_cohorts(draw):
    """Patients, and the same with their follow-up cut in spells, the rows shuffled."""
    n = draw(st.integers(4, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    time = rng.integers(1, 15, n) * draw(st.sampled_from([0.1, 1.0, 365.25]))
    event = rng.random(n) < 0.6
    event[:2] = True
    whole = pd.DataFrame(
        {"time": time, "event": event, "arm": ["a", "b"] * (n // 2) + ["a"] * (n % 2), "who": range(n)}
    )
    pieces = []
    for row in whole.itertuples():
        edges = np.r_[0.0, np.sort(rng.uniform(0.05, 0.95, rng.integers(0, 4))) * row.time, row.time]
        had = np.arange(1, len(edges)) == len(edges) - 1
        pieces.append(
            pd.DataFrame(
                {"start": edges[:-1], "stop": edges[1:], "event": had & row.event, "arm": row.arm, "who": row.who}
            )
        )
    spells = pd.concat(pieces, ignore_index=True)
    return whole, spells.iloc[rng.permutation(len(spells))]


@settings(deadline=None, max_examples=50)
@given(cut_cohorts())
def test_cutting_follow_up_in_spells_changes_nothing(cohorts):
    whole, spells = cohorts
    at = np.unique(whole["time"])
    expected = risk_table(whole, OS, times=at, by="arm")
    pd.testing.assert_frame_equal(risk_table(spells, SPELLS, times=at, by="arm", cluster="who"), expected)
    curves = kaplan_meier(spells, SPELLS, by="arm", cluster="who")
    changes = curves[(curves["n_event"] + curves["n_censor"] > 0) | (curves["time"] == 0)].reset_index(drop=True)
    pd.testing.assert_frame_equal(changes, kaplan_meier(whole, OS, by="arm"), rtol=1e-12)
    pd.testing.assert_frame_equal(
        median_follow_up(spells, SPELLS, by="arm", cluster="who"), median_follow_up(whole, OS, by="arm"), rtol=1e-12
    )


def test_permutation_shuffles_patients():
    """coin: logrank_test(Surv(t, e) ~ g, distribution = exact()) of the ten patients: p 0.1270."""
    whole = permutation_logrank(TEN, OS, by="arm", n_permutations=4999, seed=1)
    rows = unit_spells(TEN)
    cut = permutation_logrank(rows.sample(frac=1, random_state=3), SPELLS, by="arm", n_permutations=4999, seed=1,
                              cluster="who")  # fmt: skip
    assert abs(cut.p_value - 0.1270) < 4 * cut.std_error
    np.testing.assert_allclose(
        [cut.statistic, cut.chi_square, cut.p_value], [whole.statistic, whole.chi_square, whole.p_value], rtol=1e-9
    )
    assert cut.groups["n"].tolist() == [5, 5]
    assert cut.n_used == len(rows)


def test_groups_that_change_within_a_patient_cannot_be_shuffled():
    rows = unit_spells(TEN)
    rows.loc[rows["start"] > 3, "arm"] = "b"
    with pytest.raises(CohortError, match=r"'arm' changes within 2 patients of 'who' \(4, 6\)"):
        permutation_logrank(rows, SPELLS, by="arm", n_permutations=9, seed=1, cluster="who")


PATIENT_ANSWERS = {
    "median_follow_up": lambda rows, **options: median_follow_up(rows, SPELLS, **options),
    "risk_table": lambda rows, **options: risk_table(rows, SPELLS, times=[3], **options),
    "permutation_logrank": lambda rows, **options: permutation_logrank(
        rows.assign(arm=["a", "b"] * (len(rows) // 2) + ["a"] * (len(rows) % 2)),
        SPELLS, by="arm", n_permutations=9, seed=1, **options,
    ),
}  # fmt: skip


def several_rows():
    """Cohorts of spells in which nobody is named: no column but the outcome, an index that repeats, a column."""
    late = pd.concat([FOUR, pd.DataFrame({"start": [1], "stop": [5], "event": [1], "who": ["e"]})])
    return {
        "row after row": FOUR.drop(columns="who"),
        "index": late.set_index("who"),
        "column": late.reset_index(drop=True),
        "with a gap": pd.concat([late, GAP.replace({"who": {"a": "f"}})[:2]], ignore_index=True),
    }


@pytest.mark.parametrize("answer", list(PATIENT_ANSWERS))
@pytest.mark.parametrize("rows", list(several_rows()))
def test_rows_that_look_like_spells_are_refused_when_nobody_is_named(answer, rows):
    with pytest.raises(CohortError, match=r"rows look like several spells a patient: .*name .* with cluster="):
        PATIENT_ANSWERS[answer](several_rows()[rows])


@pytest.mark.parametrize("answer", ["median_follow_up", "risk_table"])
def test_numbering_the_rows_says_that_each_is_a_patient(answer):
    rows = FOUR.assign(row=range(6))
    assert PATIENT_ANSWERS[answer](rows, cluster="row").notna().any(axis=None)


def test_curves_of_unnamed_spells_warn_and_survival_stands():
    with pytest.warns(SuspiciousValues, match="so n_censor counts ends of spells; name the column of the patients"):
        curve = kaplan_meier(FOUR.drop(columns="who"), SPELLS)
    assert curve["survival"].tolist() == kaplan_meier(FOUR, SPELLS, cluster="who")["survival"].tolist()


ROW_ANSWERS = {
    "event_counts": (lambda rows: event_counts(rows, SPELLS), "so n_censor counts ends of spells"),
    "adjusted_curves": (
        lambda rows: adjusted_curves(rows, SPELLS, ["age"], by="arm", n_bootstrap=0, seed=1),
        "so resamples draw rows, not patients; give one row a patient",
    ),
    "search_cutpoint": (
        lambda rows: search_cutpoint(rows, SPELLS, "age", n_permutations=9, n_bootstrap=0, seed=1),
        "so permutations and resamples are of rows, not patients; give one row a patient",
    ),
}


@pytest.mark.filterwarnings("ignore::analysis.FewEvents", "ignore::analysis.ManyTies")
@pytest.mark.parametrize("answer", list(ROW_ANSWERS))
def test_what_takes_a_row_for_a_patient_warns_of_spells(answer):
    cohort = pd.DataFrame({"time": np.arange(40) % 9 + 2, "event": [1, 0, 1, 1, 0] * 8, "who": range(40)})
    cohort = cohort.assign(arm=["a", "b"] * 20, age=np.arange(40) * 7 % 40)
    call, words = ROW_ANSWERS[answer]
    with pytest.warns(SuspiciousValues, match=f"rows look like several spells a patient: .*{words}"):
        call(unit_spells(cohort))


def test_start_stop_rows_are_counted_by_patient():
    cohort = pd.DataFrame({"patient_id": range(40), "months": np.arange(40) % 9 + 1.5, "event": [1, 0, 1, 1, 0] * 8})
    labs = pd.DataFrame(
        {"patient_id": np.repeat(range(40), 3), "month": [0.0, 1.0, 3.0] * 40, "mg": np.arange(120) % 7}
    )
    whole = Endpoint("months", "event")
    rows = start_stop(cohort, labs[labs["month"] < labs["patient_id"].map(cohort["months"])], whole,
                      key="patient_id", time="month", value="mg")  # fmt: skip
    with pytest.raises(CohortError, match="rows look like several spells a patient"):
        median_follow_up(rows, SPELLS)
    pd.testing.assert_frame_equal(median_follow_up(rows, SPELLS, cluster="patient_id"), median_follow_up(cohort, whole))
    pd.testing.assert_frame_equal(
        risk_table(rows, SPELLS, times=[2, 8], cluster="patient_id"), risk_table(cohort, whole, times=[2, 8])
    )


@pytest.mark.parametrize("seed", range(5))
def test_late_entry_alone_is_no_reason_to_refuse(seed):
    """Whole months, so that entries and ends coincide; each row is a patient, some columns repeat."""
    rng = np.random.default_rng(seed)
    start = np.where(rng.random(80) < 0.6, rng.integers(0, 12, 80), 0)
    rows = pd.DataFrame(
        {
            "start": start,
            "stop": start + rng.integers(1, 24, 80),
            "event": rng.integers(0, 2, 80),
            "age": rng.integers(40, 80, 80),
            "arm": rng.choice(["a", "b"], 80),
            "score": rng.normal(size=80).round(1),
        }
    )
    for answer in PATIENT_ANSWERS.values():
        answer(rows)
    kaplan_meier(rows, SPELLS)
    assert logrank_test(rows, SPELLS, by="arm").n_used == 80


def months(rng, n, n_late):
    """Patients followed for whole months, half of them censored, some of them from a later month on; a row each."""
    start = np.zeros(n, dtype=int)
    start[rng.choice(n, n_late, replace=False)] = rng.integers(1, 13, n_late)
    columns = {"age": rng.integers(40, 80, n), "arm": rng.choice(["a", "b"], n), "site": rng.integers(0, 12, n)}
    return pd.DataFrame(
        {"start": start, "stop": start + rng.geometric(1 / 18, n), "event": rng.integers(0, 2, n), **columns}
    )


@pytest.mark.parametrize(("n", "n_late"), [(20, 5), (100, 5), (200, 10), (400, 20), (100, 50)])
def test_late_entry_in_whole_months_is_seldom_taken_for_spells(n, n_late):
    """A patient a row: below 1 % refused, where an entry in the month of some other's censoring is the rule."""
    rng, n_refused = np.random.default_rng([n, n_late]), 0
    for _ in range(200):
        try:
            risk_table(months(rng, n, n_late), SPELLS, times=[3])
        except CohortError:
            n_refused += 1
    assert n_refused < 2


def test_two_who_enter_in_the_months_of_others_ends_are_no_spells():
    rows = pd.DataFrame(
        {
            "start": [0, 0, 0, 0, 0, 0, 6, 12],
            "stop": [6, 12, 8, 9, 20, 24, 18, 30],
            "event": [0, 0, 1, 1, 0, 1, 1, 0],
        }
    )
    assert median_follow_up(rows, SPELLS)["median"].notna().all()


@pytest.mark.parametrize("seed", range(3))
def test_spells_in_any_order_are_known_by_their_column(seed):
    rows = unit_spells(TEN).drop(columns="time").sample(frac=1, random_state=seed)
    with pytest.raises(CohortError, match="rows with the same 'who' follow on one another"):
        median_follow_up(rows, SPELLS)


@pytest.mark.parametrize("name", ["patient_id", "USUBJID"])
def test_a_number_of_its_own_makes_each_row_a_patient(name):
    rows = FOUR.drop(columns="who")
    for one_each in (rows.assign(**{name: range(6)}), rows.set_index(pd.Index(range(6), name=name))):
        assert risk_table(one_each, SPELLS, times=[12])["n_censor"].tolist() == [4]
    with pytest.raises(CohortError, match=rf"rows with the same '{name}' follow on one another"):
        risk_table(FOUR.rename(columns={"who": name})[::-1], SPELLS, times=[12])


@pytest.mark.parametrize("name", ["genes", "patient_id"])
@pytest.mark.parametrize("arrow", [True, False])
def test_a_column_of_lists_names_nobody(name, arrow):
    lists = [[place] for place in range(len(GAP))]
    kind = pd.ArrowDtype(pa.list_(pa.int64())) if arrow else object
    rows = GAP.drop(columns="who").assign(**{name: pd.Series(lists, dtype=kind)})
    assert kaplan_meier(rows, SPELLS)["n_risk"].iloc[0] == 4
    assert risk_table(rows, SPELLS, times=[9])["n_censor"].tolist() == [3]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": [0, 1, 0, 3, 0, 0]}, r"column 'who': rows that overlap in 1 patient \('a'\)"),
        ({"event": [1, 1, 0, 0, 1, 0]}, r"column 'who': rows after an event in 1 patient \('a'\)"),
    ],
)
def test_rows_that_cannot_be_one_patients_are_refused(change, words):
    with pytest.raises(CohortError, match=words):
        kaplan_meier(FOUR.assign(**change), SPELLS, cluster="who")


def test_two_rows_a_patient_without_entry_overlap():
    with pytest.raises(CohortError, match="rows that overlap in 1 patient"):
        risk_table(TEN.assign(who=[0, 0, *range(2, 10)]), OS, times=[3], cluster="who")


def test_a_row_without_a_patient_is_dropped_and_counted():
    with pytest.warns(RowsDropped, match="1 of 6 rows dropped: 1 for missing who"):
        risk_table(FOUR.assign(who=[*"aabbc", None]), SPELLS, times=[3], cluster="who")
