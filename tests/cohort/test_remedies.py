"""Remedies in the language of their reader, and that what they say can be typed."""

from __future__ import annotations

import threading
import tomllib

import pytest

from analysis.cohort.remedies import argument, remedies_for, toml, worded


@pytest.mark.parametrize(
    "value",
    ["a", 'with "quotes" and \\', "Größe", 9, -9, 0.25, True, ["n.d.", 9], {"a b": {"1:DEAD": 1, "x": 0}, "c": [-9]}],
)
def test_what_is_written_for_a_plan_is_read_back_as_it_was(value):
    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}


def test_numbers_as_keys_are_the_text_that_toml_makes_of_them():
    assert tomllib.loads(f"value = {toml({1: 0, 2: 1, -1: 0})}") == {"value": {"1": 0, "2": 1, "-1": 0}}


@pytest.mark.parametrize(
    ("language", "codes", "unit", "encoding", "words"),
    [
        ("Python", "event_codes={'status': {1: 0}}", "units={'Mg': 'mEq/L'}", 'encoding="cp932"', "cluster="),
        ("plan", 'event_codes = { "status" = { 1 = 0 } } in [data]', 'unit = "mEq/L" in [marker]',
         'encoding = "cp932" in [data]', "id = "),
        ("command line", 'event_codes = { "status" = { 1 = 0 } } in [data]', 'unit = "mEq/L" in [marker]',
         "--encoding cp932", "id = "),
    ],
)  # fmt: skip
def test_one_remedy_in_three_languages(language, codes, unit, encoding, words):
    with remedies_for(language):
        assert argument("event_codes", {"status": {1: 0}}) == codes
        assert argument("units", {"Mg": "mEq/L"}) == unit
        assert argument("encoding", "cp932") == encoding
        assert worded("cluster=", "id = ") == words
    assert argument("encoding", "cp932") == 'encoding="cp932"'


def test_the_language_of_one_thread_is_not_that_of_another():
    heard = []
    with remedies_for("plan"):
        thread = threading.Thread(target=lambda: heard.append(worded("Python", "plan")))
        thread.start()
        thread.join()
    assert heard == ["Python"]
