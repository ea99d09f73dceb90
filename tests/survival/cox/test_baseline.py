"""The baseline hazard by hand and by what follows from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, NotEstimable, baseline_hazard, cox_residuals, fit_cox
from tests.reference import rows

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN = Endpoint("time", "event")


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_steps_by_hand(ties: str) -> None:
    fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"], ties=ties)
    r = np.exp(fit.coef[0])
    at_six = 2 / (r + 3) if ties == "breslow" else 1 / (r + 3) + 1 / ((r + 1) / 2 + 2)
    steps = np.array([1 / (3 * r + 3), at_six, 1])
    table = baseline_hazard(fit)
    assert list(table.columns) == ["time", "cumulative_hazard"]
    assert list(table["time"]) == [1, 6, 9]
    np.testing.assert_allclose(table["cumulative_hazard"], np.cumsum(steps), rtol=1e-12)


def test_expected_events_are_hazard_times_risk() -> None:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame({"time": rng.random(40), "event": rng.random(40) < 0.7, "x": rng.normal(50, 3, 40)})
    fit = fit_cox(cohort, PLAIN, ["x"], engine="kernel")
    table = baseline_hazard(fit)
    hazard = np.r_[0, table["cumulative_hazard"]][np.searchsorted(table["time"], cohort["time"], side="right")]
    expected = hazard * np.exp(cohort["x"] * fit.coef[0])
    np.testing.assert_allclose(cohort["event"] - expected, cox_residuals(fit, "martingale")["residual"], atol=1e-12)


def test_strata_of_two_columns_stay_apart_when_commas_in_their_levels_make_them_look_alike() -> None:
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4] * 2, "event": 1, "x": [1.0, 0, 0, 1, 0, 1, 1, 0]})
    cohort["s"], cohort["u"] = ["a, b"] * 4 + ["a"] * 4, ["c"] * 4 + ["b, c"] * 4
    table = baseline_hazard(fit_cox(cohort, PLAIN, ["x"], strata=["s", "u"]))
    assert list(table["stratum"]) == ['a, "b, c"'] * 4 + ['"a, b", c'] * 4
    alone = baseline_hazard(fit_cox(cohort.assign(arm=cohort["s"].str.len()), PLAIN, ["x"], strata="arm"))
    assert table["cumulative_hazard"].tolist() == alone["cumulative_hazard"].tolist()


def test_strata_have_hazards_of_their_own() -> None:
    cohort = pd.DataFrame({"time": [1.0, 2, 3, 4] * 2, "event": 1, "x": [1.0, 0, 0, 1, 0, 1, 1, 0]})
    cohort["arm"] = ["b"] * 4 + ["a"] * 4
    table = baseline_hazard(fit_cox(cohort, PLAIN, ["x"], strata="arm"))
    assert list(table.columns) == ["time", "cumulative_hazard", "stratum"]
    assert list(table["stratum"]) == ["a"] * 4 + ["b"] * 4
    assert (table.groupby("stratum", observed=True)["cumulative_hazard"].diff().dropna() > 0).all()


def test_zero_beyond_all_numbers() -> None:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame({"time": rng.random(40), "event": 1, "year": 1e5 + rng.normal(size=40)})
    with pytest.raises(NotEstimable, match="covariates of zero lie too far from the data"):
        baseline_hazard(fit_cox(cohort, PLAIN, ["year"], engine="kernel"))
