"""Slips between the roles of columns are found before any column is read."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from analysis import (
    CompetingEndpoint,
    Endpoint,
    InputError,
    concordance,
    cumulative_incidence,
    dose_response,
    fit_cox,
    fit_fine_gray,
    gray_test,
    kaplan_meier,
    logrank_test,
    search_cutpoint,
    search_cutpoints,
)

COHORT = pd.DataFrame({"time": [1.0, 2, 3, 4], "event": [1, 0, 1, 1], "status": [1, 0, 2, 1], "arm": list("abab")})
OS, FIRST = Endpoint("time", "event"), CompetingEndpoint("time", "status")

SLIPS = {
    "a name for an endpoint": (
        lambda: kaplan_meier(COHORT, "event"),
        "endpoint: expected Endpoint(duration, event), got str 'event'",
    ),
    "several causes": (lambda: kaplan_meier(COHORT, FIRST), "'status' has several causes; use cumulative_incidence"),
    "one cause": (lambda: cumulative_incidence(COHORT, OS), "expected CompetingEndpoint(duration, status, causes=...)"),
    "one cause in a test": (lambda: gray_test(COHORT, OS, by="arm", cause="death"), "got Endpoint"),
    "one cause in a model": (lambda: fit_fine_gray(COHORT, OS, ["event"], cause="death"), "got Endpoint"),
    "groups of two columns": (
        lambda: kaplan_meier(COHORT, OS, by=["arm", "status"]),
        "by=['arm', 'status']: name one column",
    ),
    "weights in a list": (lambda: kaplan_meier(COHORT, OS, weights=["arm"]), "weights=['arm']: name one column"),
    "groups that are the event": (
        lambda: logrank_test(COHORT, OS, by="event"),
        "by='event' is the event of the endpoint",
    ),
    "strata that are the time": (
        lambda: logrank_test(COHORT, OS, by="arm", strata="time"),
        "strata='time' is the follow-up time of the endpoint itself",
    ),
    "groups that are the status": (
        lambda: cumulative_incidence(COHORT, FIRST, by="status"),
        "by='status' is the event of the endpoint itself",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_are_named(slip):
    call, words = SLIPS[slip]
    with pytest.raises(InputError, match=re.escape(words)):
        call()


PAIR = ("time", "event")
PAIRS = {
    "curves": lambda: kaplan_meier(COHORT, PAIR),
    "a model": lambda: fit_cox(COHORT, PAIR, ["time"]),
    "Harrell's concordance": lambda: concordance(COHORT, PAIR, "status"),
    "Uno's concordance": lambda: concordance(COHORT, PAIR, "status", weighting="uno"),
    "a search": lambda: search_cutpoint(COHORT, PAIR, "status", seed=1),
    "a search of several cuts": lambda: search_cutpoints(COHORT, PAIR, "status", seed=1),
    "a curve along a marker": lambda: dose_response(COHORT, PAIR, "status"),
}


@pytest.mark.parametrize("call", PAIRS.values(), ids=PAIRS)
def test_a_pair_of_names_is_no_endpoint_and_is_shown_how_to_be_one(call):
    wanted = "got tuple ('time', 'event'); write Endpoint('time', 'event')"
    with pytest.raises(InputError, match=re.escape(wanted)):
        call()
