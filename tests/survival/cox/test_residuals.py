"""Residuals: their sums, their meaning, their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, InputError, NotSupported, cox_residuals, fit_cox
from tests.reference import rows

pytestmark = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAIN = Endpoint("time", "event")


def sample(n: int = 60) -> pd.DataFrame:
    """A cohort with ties and a missing value."""
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame(
        {"time": rng.integers(1, 15, n), "event": rng.random(n) < 0.7, "x": rng.normal(size=n), "z": rng.normal(size=n)}
    )
    cohort.loc[4, "x"] = np.nan
    return cohort


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_sums_are_zero(ties: str) -> None:
    fit = fit_cox(sample(), PLAIN, ["x", "z"], ties=ties)
    assert cox_residuals(fit, "martingale")["residual"].sum() == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(cox_residuals(fit, "score").sum(), 0, atol=1e-8)
    np.testing.assert_allclose(cox_residuals(fit, "schoenfeld")[["x", "z"]].sum(), 0, atol=1e-8)


def test_rows_are_those_of_the_cohort() -> None:
    cohort = sample()
    fit = fit_cox(cohort.set_index(np.zeros(60, dtype=int)), PLAIN, ["x", "z"])
    martingale, events = cox_residuals(fit, "martingale"), cox_residuals(fit, "schoenfeld")
    assert martingale.index.name == "row"
    assert list(martingale.index) == [row for row in range(60) if row != 4]
    assert list(events.columns) == ["time", "x", "z"]
    assert list(events["time"]) == sorted(cohort.drop(4).query("event")["time"])


def test_dfbeta_is_about_what_a_row_moves() -> None:
    cohort = sample(200).drop(4)
    fit = fit_cox(cohort, PLAIN, ["x", "z"], engine="kernel")
    approximate = cox_residuals(fit, "dfbeta").to_numpy()
    without = [
        fit.coef - fit_cox(cohort.drop(row), PLAIN, ["x", "z"], engine="kernel").coef for row in cohort.index[:40]
    ]
    np.testing.assert_allclose(approximate[:40], without, atol=0.01)
    assert np.corrcoef(approximate[:40, 0], np.array(without)[:, 0])[0, 1] > 0.99


def test_scaled_schoenfeld_average_to_the_coefficient() -> None:
    fit = fit_cox(sample(), PLAIN, ["x", "z"])
    np.testing.assert_allclose(cox_residuals(fit, "scaled-schoenfeld")[["x", "z"]].mean(), fit.coef, atol=1e-8)


def test_deviance_has_the_sign_and_order_of_martingale() -> None:
    fit = fit_cox(rows("test1"), Endpoint("time", "status"), ["x"])
    martingale, deviance = (cox_residuals(fit, kind)["residual"] for kind in ("martingale", "deviance"))
    assert (np.sign(martingale) == np.sign(deviance)).all()
    # a censored row's deviance is -sqrt(2 H): H is its cumulative hazard, and its martingale residual is -H
    censored = rows("test1")["status"] == 0
    for row in np.flatnonzero(censored):
        assert deviance[row] == pytest.approx(-np.sqrt(-2 * martingale[row]))


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"kind='martingal'; choose .*did you mean 'martingale'"):
        cox_residuals(fit_cox(sample(), PLAIN, ["x"]), "martingal")
    with pytest.raises(NotSupported, match="score residuals: not defined for ties='exact'"):
        cox_residuals(fit_cox(sample(), PLAIN, ["x"], ties="exact"), "score")
