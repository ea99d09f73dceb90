"""Errors that name every fault, warnings that travel with results, and the two ways to catch them."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest

from analysis import CohortError, FewEvents, InputError, PackageFault, PlanError, RowsDropped, errors
from analysis.errors import (
    RowAccount,
    but_for_dropped,
    collected,
    dropped_warnings,
    guarded,
    level_problems,
    raise_all,
    warn_all,
)


def test_an_error_names_every_problem_on_a_line_of_its_own():
    error = InputError(["no column 'age'", "no column 'sex'"])
    assert error.problems == ("no column 'age'", "no column 'sex'")
    assert str(error) == "no column 'age'\nno column 'sex'"
    assert InputError("one").problems == ("one",)


def test_all_problems_are_raised_at_once_and_none_is_silent():
    raise_all([])
    with pytest.raises(CohortError, match="first\nsecond"):
        raise_all(["first", "second"])
    with pytest.raises(PlanError, match="first"):
        raise_all(["first"], PlanError)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda warning: pickle.loads(pickle.dumps(warning))])
def test_the_account_of_dropped_rows_can_be_copied_and_sent_elsewhere(again):
    other = again(RowsDropped(10, 7, {"missing age": 2, "missing sex": 1}))
    assert str(other) == "3 of 10 rows dropped: 2 for missing age, 1 for missing sex"
    assert (other.n_read, other.n_used, other.dropped) == (10, 7, {"missing age": 2, "missing sex": 1})


def test_dropped_rows_warn_once_and_only_when_there_are_any():
    assert dropped_warnings(5, 5, {}) == ()
    (warning,) = dropped_warnings(5, 4, {"missing age": 1})
    few = FewEvents("3 events")
    assert but_for_dropped([warning, few]) == (few,)


def test_a_result_hands_on_its_account():
    account = RowAccount(n_read=5, n_used=4, dropped={"missing age": 1}, warnings=())
    assert vars(RowAccount(**account.account)) == vars(account)


@pytest.mark.parametrize(
    ("value", "shown"), [(np.float64(1.5), "1.5"), (np.array(0.95), "array(0.95)"), ("0.9", "'0.9'"), (None, "None")]
)
def test_an_option_is_shown_as_it_was_given(value, shown):
    (problem,) = level_problems(value)
    assert problem.startswith(f"conf_level={shown} ")


def test_warnings_of_a_block_are_collected_instead_of_emitted():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with collected() as outer:
            warn_all([FewEvents("outer")])
            with collected() as inner:
                warn_all([FewEvents("inner")])
            warn_all([FewEvents("outer again")])
    assert [str(one) for one in outer] == ["outer", "outer again"]
    assert [str(one) for one in inner] == ["inner"]
    with pytest.warns(FewEvents, match="^after$"):
        warn_all([FewEvents("after")])


def test_a_block_that_fails_stops_collecting():
    with pytest.raises(InputError, match="stop"), collected():
        raise InputError("stop")
    with pytest.warns(FewEvents, match="after"):
        warn_all([FewEvents("after")])


def test_each_thread_collects_its_own_warnings():
    caught = {}
    barrier = threading.Barrier(2)

    def work(name):
        with collected() as mine:
            barrier.wait()
            warn_all([FewEvents(name)])
            barrier.wait()
            caught[name] = [str(one) for one in mine]

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caught == {"a": ["a"], "b": ["b"]}


def test_what_nobody_foresaw_is_a_fault_of_the_package_with_its_traceback():
    assert guarded("a sum", lambda: 1 + 1) == 2
    with pytest.raises(PackageFault, match=r"a quotient: a fault of this package \(ZeroDivisionError") as caught:
        guarded("a quotient", lambda: 1 / 0)
    assert "1 / 0" in caught.value.details
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("error", [InputError("known"), KeyboardInterrupt("stopped")])
def test_errors_of_the_package_and_the_end_of_the_process_pass_the_guard(error):
    def compute():
        raise error

    with pytest.raises(type(error), match=str(error)) as caught:
        guarded("a part", compute)
    assert caught.value is error


def _each_kind():
    """One of every error and warning of the package, with the attributes of its class."""
    fault = PackageFault("The figure curves", ZeroDivisionError("by zero"))
    own = (errors.PartFailed, RowsDropped)
    yield from (fault, errors.PartFailed(fault), RowsDropped(5, 3, {"missing age": 2}))
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, InputError):
            yield kind(["no column 'age'", "no column 'sex'"])
        elif kind not in own and isinstance(kind, type) and issubclass(kind, errors.AnalysisWarning):
            yield kind("3 events")


@pytest.mark.parametrize("one", list(_each_kind()), ids=lambda one: type(one).__name__)
def test_errors_and_warnings_come_whole_out_of_another_process(one):
    again = pickle.loads(pickle.dumps(one))
    assert type(again) is type(one)
    assert (str(again), again.args, vars(again)) == (str(one), one.args, vars(one))
