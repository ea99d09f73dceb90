"""Hazard ratios of a fit: a limit that is not reached is missing, and named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis import Endpoint, Separation, fit_cox, hazard_ratios
from analysis.errors import NotEstimable
from analysis.survival.cox import result


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_limit_that_does_not_converge_is_missing_and_named(monkeypatch):
    """The group without events has no finite ratio; its limits come from the profile likelihood."""
    cohort = pd.DataFrame({"time": range(1, 13), "event": [1, 0] * 6, "x": [1, 0] * 6, "z": [3, 1, 4, 1, 5, 9] * 2})
    fit = fit_cox(cohort, Endpoint("time", "event", label="Overall survival"), ["x", "z"])
    assert np.isnan(fit.coefficients["coef"][0])

    def fail(*_, **__):
        raise NotEstimable("the model did not converge")

    monkeypatch.setattr(result, "profile_limits", fail)
    with pytest.warns(Separation, match="Overall survival: the one-sided limit of 'x' was not reached"):
        ratios = hazard_ratios(fit).set_index("term")
    assert ratios.loc["x", ["hazard_ratio", "conf_low", "conf_high"]].isna().all()
    assert ratios.loc["z", ["hazard_ratio", "conf_low", "conf_high"]].notna().all()
