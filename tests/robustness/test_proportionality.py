"""The rule that says which summary holds, case by case."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis import InputError, summary_that_holds


def periods(*ratios: float, n_event: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"hazard_ratio": ratios, "n_event": n_event})


@pytest.mark.parametrize(
    ("frame", "score", "period", "summary"),
    [
        (periods(1.4, 1.3), 0.4, 0.6, "hazard ratio"),
        (periods(1.4, 0.9), 0.4, 0.06, "hazard ratio and restricted mean"),
        (periods(2.4, 1.2), 0.01, 0.2, "restricted mean"),
        (periods(2.4, 1.2), 0.2, 0.01, "restricted mean"),
        (periods(1.5, 0.97), 0.01, 0.01, "restricted mean"),  # 0.97 is not clearly below 1
        (periods(1.5, 0.8), 0.01, 0.01, "milestones"),
        (periods(0.5, 1.2, 1.0), 0.04, 0.3, "milestones"),
        (periods(1.4, 1.3, n_event=24), 0.001, 0.001, "undecided"),
        (periods(1.4, float("nan")), 0.4, 0.4, "undecided"),
    ],
)
def test_each_case_of_the_rule(frame, score, period, summary):
    verdict = summary_that_holds(frame, score_p_value=score, period_p_value=period)
    assert verdict.summary == summary
    assert verdict.sentence.endswith(".")


def test_the_thresholds_themselves_belong_to_the_calmer_side():
    steady = periods(1.5, 1.0, n_event=25)
    assert summary_that_holds(steady, score_p_value=0.05, period_p_value=0.05).summary == "hazard ratio"


def test_a_frame_that_is_none_is_refused():
    with pytest.raises(InputError, match="piecewise_effects"):
        summary_that_holds(pd.DataFrame({"hazard_ratio": [1.0]}), score_p_value=0.5, period_p_value=0.5)
