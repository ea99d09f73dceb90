"""What a marker adds: the apparent measures by other functions, the correction by hand, a search that costs more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    CohortError,
    Endpoint,
    InputError,
    NotEstimable,
    NotSupported,
    RowsDropped,
    added_value,
    kaplan_meier,
    load_example,
    survival_at,
)

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
SURVIVAL = Endpoint("os_days", "os_event")
LUNG = load_example("lung").dropna(subset=["ecog"])


def of_lung(**options: object):
    """The value of ECOG beside age and sex at one year."""
    given = {"times": 365, "n_bootstrap": 0, "seed": 1} | options
    return added_value(LUNG, SURVIVAL, "age + sex", "ecog", **given)


@pytest.fixture(scope="module")
def apparent() -> pd.DataFrame:
    """Its measures without a correction."""
    return of_lung().performance.set_index("measure")


def test_auc_brier_and_ipa_are_those_of_r(apparent):
    sides = ["without_marker", "with_marker", "difference"]
    # riskRegression::Score; see the tests of the kernel
    assert_allclose(
        apparent.loc["auc", sides].astype(float), [0.598087574242, 0.647397660015, 0.0493100857735], rtol=1e-9
    )
    assert_allclose(
        apparent.loc["brier", sides].astype(float), [0.2366087143, 0.2255963093, -0.01101240496930], rtol=1e-7
    )
    assert_allclose(apparent.loc["ipa", sides[:2]].astype(float), [0.02262904679, 0.06811851565], rtol=1e-8)
    assert_allclose(apparent.loc["auc", "difference_std_error"], 0.0346190162418, rtol=3e-3)


@pytest.fixture(scope="module")
def noise() -> pd.DataFrame:
    """A marker that has nothing to do with the outcome."""
    rng = np.random.default_rng(5)
    time = rng.exponential(10, 150)
    frame = pd.DataFrame({"time": np.minimum(time, 12), "event": (time < 12).astype(int), "age": rng.normal(size=150)})
    return frame.assign(marker=rng.normal(size=150))


def test_net_benefit_of_treating_all_and_none(noise):
    added = added_value(
        noise, Endpoint("time", "event"), "age", "marker", times=8, n_bootstrap=0, seed=1, thresholds=[0.5, 0.2]
    )
    table = added.net_benefit.set_index(["strategy", "threshold"])["net_benefit"]
    risk = 1 - survival_at(kaplan_meier(noise, Endpoint("time", "event")), 8)["survival"].iloc[0]
    assert_allclose(table["treat all"].loc[[0.2, 0.5]], [risk - (1 - risk) * 0.25, risk - (1 - risk)])
    assert (table["treat none"] == 0).all()
    # at 0.2 below every risk the models treat all
    assert_allclose(table["without_marker", 0.2], table["treat all", 0.2])


def test_rows_are_accounted_for():
    with pytest.warns(RowsDropped, match="1 of 228 rows"):
        added = added_value(load_example("lung"), SURVIVAL, "age + sex", "ecog", times=365, n_bootstrap=0, seed=1)
    assert (added.n_read, added.n_used, added.dropped) == (228, 227, {"missing ecog": 1})
    assert added.risks["row"].nunique() == 227
    assert added.risks["row"].max() == 227


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(NotEstimable, match="no event by 1; look later"):
        of_lung(times=[1, 365])
    with pytest.raises(NotEstimable, match="nobody is followed beyond 2000; look earlier"):
        of_lung(times=2000)
    with pytest.raises(InputError, match=r"n_bootstrap=-1[\s\S]*conf_level"):
        of_lung(n_bootstrap=-1, conf_level=95)
    with pytest.raises(InputError, match="thresholds=2 must be risks between 0 and 1"):
        of_lung(thresholds=2)
    with pytest.raises(InputError, match="base: 'ecog' holds the marker itself"):
        added_value(LUNG, SURVIVAL, ["age", "ecog"], "ecog", times=365, seed=1)
    with pytest.raises(InputError, match="is no column; a cut is searched in one"):
        added_value(LUNG, SURVIVAL, "age", "log(ecog + 1)", times=365, seed=1, search_cut=True)
    with pytest.raises(CohortError, match="no column 'mg'"):
        added_value(LUNG, SURVIVAL, "age", "mg", times=365, seed=1)
    late = Endpoint("os_days", "os_event", entry="age")
    with pytest.raises(NotSupported, match="entry times"):
        added_value(LUNG, late, "sex", "ecog", times=365, seed=1)
    apart = LUNG.assign(split=(LUNG["os_event"] == 1) * 1.0)
    with pytest.raises(NotEstimable, match="no finite estimate"):
        added_value(apart, SURVIVAL, "age", "split", times=365, n_bootstrap=0, seed=1)
