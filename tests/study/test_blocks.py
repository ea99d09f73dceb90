"""Parts of a study made one by one: what fails is None and a warning, and what they warn of is in hand, each once."""

from __future__ import annotations

import warnings

import pytest

from analysis.errors import FewEvents, InputError, NotComputed, NotWritten, PartFailed, warn_all
from analysis.study.blocks import attempted, computed, recorded


def refused() -> list[int]:
    raise InputError(["one", "two"])


def test_what_is_made_comes_back_as_it_is():
    assert computed("the sum", sum, [1, 2], start=3) == 6
    assert attempted("the pairs", enumerate, "ab") == [(0, "a"), (1, "b")]


def test_a_part_that_the_rows_do_not_allow_is_none_and_a_warning_with_every_problem():
    with pytest.warns(NotComputed, match="the test is not given: one; two"):
        assert computed("the test", refused) is None
    with pytest.warns(NotComputed, match="the test is not given: one; two"):
        assert attempted("the test", refused) == []


def test_what_fails_halfway_through_several_things_fails_whole():
    def two_then_a_fault():
        yield 1
        yield 1 / 0

    with pytest.warns(PartFailed, match="ZeroDivisionError"):
        assert attempted("the list", two_then_a_fault) == []


def test_a_file_that_cannot_be_written_ends_the_run():
    def full():
        raise NotWritten("no room")

    with pytest.raises(NotWritten, match="no room"):
        computed("the file", full)


def test_warnings_are_in_hand_each_once_and_not_emitted():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, found = recorded("the part", warn_all, [FewEvents("3 events"), FewEvents("3 events"), FewEvents("4")])
        assert made is None
        assert [str(warning) for warning in found] == ["3 events", "4"]
        assert recorded("the part", refused)[0] is None


def test_an_unforeseen_fault_is_in_hand_and_emitted_too():
    with pytest.warns(PartFailed, match="the part is not given: .*IndexError"):
        made, found = recorded("the part", lambda: [][1])
    assert made is None
    assert [type(warning) for warning in found] == [PartFailed]
    assert "IndexError" in found[0].details
