"""Every public function with odd inputs: a result or an `InputError`, no other warning, the frames given as before."""

import zlib

import pytest

from benchmarks.fuzz import fault_of, uncovered
from benchmarks.fuzz_calls import CALLS
from benchmarks.fuzz_inputs import CHANGES, odd_draw

N_CALLS = 12
N_FIGURES = 2


def test_every_public_function_is_called_or_said_not_to_take_a_cohort():
    assert uncovered() == []


@pytest.mark.parametrize("name", CALLS)
def test_odd_inputs_end_in_a_result_or_in_words(name):
    n_calls = N_FIGURES if name.startswith("plot_") else N_CALLS
    first = zlib.crc32(name.encode())
    faults = [fault_of(name, first + place) for place in range(n_calls)]
    assert [fault for fault in faults if fault is not None] == []


def test_the_inputs_are_as_odd_as_they_are_meant_to_be():
    done = [words.split(": ")[-1] for seed in range(600) for words in odd_draw(seed).done]
    assert set(CHANGES) <= set(done)
    assert {"integer names", "a doubled name", "several levels", "doubled index", "index of dates", "n=0"} <= set(done)


def test_what_a_function_may_not_do_is_a_fault(monkeypatch):
    def changes_its_input(draw):
        draw.cohort["new"] = 1

    monkeypatch.setitem(CALLS, "landmark", changes_its_input)
    assert fault_of("landmark", 5).what == "the frame given was changed"
    monkeypatch.setitem(CALLS, "landmark", lambda draw: 1 / 0)
    assert fault_of("landmark", 5).what == "ZeroDivisionError: division by zero"
