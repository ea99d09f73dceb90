"""Which keys of an endpoint go together."""

from __future__ import annotations

import pytest

from analysis.study.plan.endpoints import combination_problems, endpoints_of

DATES = {"start": "a", "end": "b", "event": "d"}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"event": "d"}, "no 'duration'"),
        ({"event": "d", "start": "a"}, "no 'duration'"),
        ({"duration": "t"}, "no 'event'"),
        (DATES | {"duration": "t"}, "duration beside start or end"),
        ({"duration": "t", "event": "d", "negative": "censored"}, "event beside negative"),
        ({"start": "a", "end": "b", "negative": "censored"}, "negative needs duration"),
        ({"duration": "t", "event": "d", "format": "excel"}, "format is of the dates"),
        ({"duration": [], "event": "d"}, "an empty list names no column"),
        (DATES | {"time_unit": "cycles"}, "time_unit = 'cycles': times made from dates are in days"),
    ],
)
def test_keys_that_do_not_go_together_are_named(table, problem):
    problems = combination_problems([{"duration": "t", "event": "d"}, table])
    assert len(problems) == 1
    assert problems[0].startswith(f"[[endpoints]] number 2: {problem}")


@pytest.mark.parametrize(
    "table", [DATES, {"duration": ["t", "u"], "event": "d"}, {"duration": "t", "negative": "event"}]
)
def test_each_way_of_saying_an_outcome_is_enough(table):
    assert combination_problems([table]) == []


def test_columns_of_the_file_are_taken_as_they_are():
    problems: list[str] = []
    endpoints, made = endpoints_of([{"name": "OS", "duration": "t", "event": "d", "entry": "e"}], problems)
    assert (endpoints[0].columns, endpoints[0].label, endpoints[0].time_unit) == (("t", "d", "e"), "OS", "months")
    assert (made, problems) == ((), [])


def test_one_column_in_two_roles_is_refused():
    problems: list[str] = []
    endpoints_of([{"duration": "t", "event": "t"}], problems)
    assert "name one column twice" in problems[0]
