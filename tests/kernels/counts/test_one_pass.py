"""Exits counted in one pass: against their definition, and the same counts as row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.kernels.counts import life_table, one_pass
from analysis.kernels.counts.life_table import count
from analysis.kernels.counts.one_pass import count_exits
from analysis.kernels.times import merge_near_ties

N = 24


def columns(values, **size):
    return st.lists(values, min_size=N, max_size=N, **size)


TIMES = st.one_of(
    columns(st.sampled_from([0.0, 1.0, 2.0, 7.0, np.nan])),
    columns(st.sampled_from([0.0, -0.0, 0.1 + 0.2, 0.3, 1.5, 1e9, np.nan])),
)
EVENTS = columns(st.sampled_from([0.0, 1.0, np.nan]))
CODES = columns(st.integers(-1, 2))


@given(TIMES, EVENTS, CODES)
@settings(deadline=None, max_examples=80)
def test_exits_follow_their_definition(times, events, codes):
    time, event, code = np.array(times), np.array(events), np.array(codes)
    result = count_exits(time, event, code, n_codes=3)
    known = [~np.isnan(time), ~np.isnan(event), code >= 0]
    complete = np.all(known, axis=0)
    if not complete.any():
        assert result is None
        return
    merged = merge_near_ties(time[complete])[0]
    assert result.time.tolist() == sorted(set(merged))
    for i, t in enumerate(result.time):
        for c in range(3):
            here = (merged == t) & (code[complete] == c)
            assert result.n_leave[i, c] == here.sum()
            assert result.n_event[i, c] == event[complete][here].sum()
    first = [int((~known[0]).sum()), int((known[0] & ~known[1]).sum()), int((known[0] & known[1] & ~known[2]).sum())]
    assert result.missing.tolist() == first


@pytest.mark.parametrize("time_kind", [np.int64, np.int32, np.float64])
@pytest.mark.parametrize(("event_kind", "code_kind"), [(np.int64, np.int8), (np.bool_, np.int16), (np.float64, None)])
def test_columns_may_be_of_any_type_and_stride(time_kind, event_kind, code_kind):
    time = np.array([3, 9, 1, 9, 3, 9], dtype=time_kind)[::2]
    event = np.array([1, 9, 0, 9, 0, 9]).astype(event_kind)[::2]
    code = None if code_kind is None else np.array([1, 0, 0], dtype=code_kind)
    result = count_exits(time, event, code, n_codes=2)
    assert result.time.tolist() == [1.0, 3.0]
    assert result.n_leave.sum(axis=1).tolist() == [1, 2]
    assert result.n_event.sum(axis=1).tolist() == [0, 1]
    assert result.n_leave[:, 1].tolist() == ([0, 0] if code is None else [0, 1])


def test_codes_of_one_byte_and_columns_of_common_types_are_not_copied():
    column = np.array([0, 1, 1])
    assert np.shares_memory(one_pass._codes(codes := column.astype(np.int8), 3), codes)
    assert np.shares_memory(one_pass._codes(column, 3), column)
    for kind in (np.int64, np.float64, np.uint8, np.bool_):
        given = column.astype(kind)
        assert np.shares_memory(one_pass._of_few_types(given), given)


@pytest.mark.parametrize("times", [[1, 2, 3], [1.5, 2.5, 0.3]])
@pytest.mark.parametrize(
    ("wrong", "value"), [("time", -1), ("time", np.inf), ("time", -np.inf), ("event", 2), ("event", 0.5), ("event", -1)]
)
def test_values_that_are_not_plain_are_left_to_the_slower_way(times, wrong, value):
    table = {"time": np.array(times, dtype=float), "event": np.ones(3)}
    for nearby in (1.0, np.nan):  # a fault counts in a row that misses something else, too
        other = "event" if wrong == "time" else "time"
        faulty = {name: column.copy() for name, column in table.items()}
        faulty[wrong][1], faulty[other][1] = value, nearby
        assert count_exits(faulty["time"], faulty["event"]) is None


def test_more_distinct_times_than_the_table_has_are_left_to_the_slower_way():
    assert count_exits(np.arange(70_000) + 0.5, np.ones(70_000)) is None
    assert count_exits(np.arange(2_000) + 0.5, np.ones(2_000), np.zeros(2_000, dtype=np.int64), n_codes=5_000) is None
    assert len(count_exits(np.arange(60_000) + 0.5, np.ones(60_000)).time) == 60_000


@pytest.mark.parametrize("unit", [1.0, 1 / 30.4375, 1e8])
@pytest.mark.parametrize("by", ["segment", "group", "both"])
def test_many_rows_are_counted_as_few_are(monkeypatch, unit, by):
    rng = np.random.default_rng(8)
    time, event = rng.integers(0, 40, 3_000) * unit, rng.random(3_000) < 0.6
    codes = {
        name: np.where(time == 0, 0, rng.integers(0, 3, 3_000))
        for name in ("segment", "group") if by in (name, "both")
    }  # fmt: skip
    sizes = {f"n_{name}s": 3 for name in codes}
    slow = count(time, event, **codes, **sizes)
    monkeypatch.setattr(life_table, "MANY_ROWS", 1)
    fast = count(time, event, **codes, **sizes)
    for name in ("time", "start", "n_risk", "n_event", "n_censor", "n_entry"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
