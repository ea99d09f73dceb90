"""lifelines and the kernel are two independent computations of one curve: they agree wherever both offer it."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import Endpoint, NotSupported, kaplan_meier
from tests.reference import cases, cohort, with_groups

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN, LATE = Endpoint("time", "event"), Endpoint("time", "event", entry="entry")
settings.register_profile("curves", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cohorts(draw, *, entry: bool = False, weighted: bool = False):
    """Small cohorts with ties, every censoring pattern, tiny groups; times whole or not."""
    n = draw(st.integers(1, 40))
    unit = draw(st.sampled_from([1.0, 0.5, 0.1, 30.4375]))
    whole = st.integers(1, draw(st.integers(1, 30)))
    frame = pd.DataFrame(
        {
            "time": np.array(draw(st.lists(whole, min_size=n, max_size=n))) * unit,
            "event": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
            "arm": draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n)),
        }
    )
    if entry:
        share = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
        frame["entry"] = np.floor(frame["time"] / unit * np.array(share) / 10) * unit
    if weighted:
        frame["weight"] = draw(st.lists(st.integers(1, 5), min_size=n, max_size=n))
    return frame


def assert_engines_agree(frame: pd.DataFrame, endpoint: Endpoint, **options) -> None:
    by_lifelines = kaplan_meier(frame, endpoint, engine="lifelines", **options)
    by_kernel = kaplan_meier(frame, endpoint, engine="kernel", **options)
    pd.testing.assert_frame_equal(by_lifelines, by_kernel, rtol=1e-8, atol=1e-14)


@given(cohorts())
@settings(settings.get_profile("curves"))
def test_engines_agree_on_any_cohort(frame):
    assert_engines_agree(frame, PLAIN, by="arm")


@given(cohorts(weighted=True))
@settings(settings.get_profile("curves"))
def test_engines_agree_with_whole_number_weights(frame):
    assert_engines_agree(frame, PLAIN, weights="weight")


@given(cohorts(entry=True, weighted=True), st.sampled_from([None, "weight"]))
@settings(settings.get_profile("curves"))
def test_engines_agree_with_late_entry_or_lifelines_is_refused(frame, weights):
    curves = kaplan_meier(frame, LATE, by="arm", weights=weights)
    staying = curves["n_risk"] - curves["n_event"] - curves["n_censor"]
    waiting = staying.groupby(curves["stratum"], observed=True).apply(lambda left: (left.iloc[1:-1] == 0).any())
    if waiting.any():
        with pytest.raises(NotSupported, match="empties while others are still to enter"):
            kaplan_meier(frame, LATE, by="arm", engine="lifelines")
    else:
        assert_engines_agree(frame, LATE, by="arm")


@pytest.mark.parametrize(
    "case", [case for case in cases("km") if case.args["weights"] not in {"w", "wtf", "iptw"}], ids=str
)
def test_engines_agree_on_published_data(case):
    args = case.args
    held, by = with_groups(case, cohort(case))
    assert_engines_agree(
        held, Endpoint(args["time"], args["event"], entry=args["entry"]), by=by, weights=args["weights"]
    )


def test_auto_takes_the_kernel_for_large_cohorts(monkeypatch):
    """lifelines is not even called above its limit."""
    # the module by its name: the shelf's face gives the function of the same name
    monkeypatch.setattr(sys.modules["analysis.survival.curves.kaplan_meier"], "_lifelines", None)
    frame = pd.DataFrame({"time": np.arange(1.0, 20_002.0), "event": 1})
    assert kaplan_meier(frame, PLAIN)["survival"].iloc[-1] == 0


def test_lifelines_leaves_numpy_as_it_was():
    before = np.geterr()
    kaplan_meier(pd.DataFrame({"time": [1.0, 2.0], "event": [1, 1]}), PLAIN, engine="lifelines")
    assert np.geterr() == before


def test_fractional_weights_are_refused_by_lifelines_and_taken_by_auto():
    frame = pd.DataFrame({"time": [1.0, 2.0, 3.0], "event": [1, 0, 1], "w": [0.5, 1.0, 2.0]})
    with pytest.raises(NotSupported, match="lifelines' does not offer fractional weights; use engine='kernel'"):
        kaplan_meier(frame, PLAIN, weights="w", engine="lifelines")
    assert kaplan_meier(frame, PLAIN, weights="w")["variance"].unique().tolist() == ["infinitesimal jackknife"]


def test_an_empty_risk_set_is_refused_by_lifelines():
    frame = pd.DataFrame({"time": [2.0, 6.0, 7.0], "entry": [0.0, 3.0, 3.0], "event": [1, 1, 0]})
    with pytest.raises(NotSupported, match="empties while others are still to enter"):
        kaplan_meier(frame, LATE, engine="lifelines")
