"""What tests and hazard ratios by period can say of proportional hazards, by a rule that is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.cohort.columns import first_few, numbers
from analysis.errors import InputError, raise_all

FEWEST_EVENTS = 50
DOUBT = 0.05
N_TESTS = 2
NEEDED = ("hazard_ratio", "conf_low", "conf_high", "n_event")

Departure = Literal["undecided", "not shown", "shown", "opposite sides"]


@dataclass(frozen=True)
class Verdict:
    """Whether a departure from proportional hazards was shown, and the sentence that says how far the data go.

    Attributes
    ----------
    departure : {"undecided", "not shown", "shown", "opposite sides"}
    sentence : str
    """

    departure: Departure
    sentence: str


def proportional_hazards_verdict(periods: pd.DataFrame, *, score_p_value: float, period_p_value: float) -> Verdict:
    """Say whether tests and hazard ratios by period show a departure from proportional hazards.

    The rule, in this order: with fewer than 50 events, or a period without an interval, nothing is decided. When twice
    the smaller p-value (Bonferroni, for two tests) is 0.05 or more, no departure could be shown, and the sentence names
    the hazard ratios by period that the data are compatible with. Otherwise a departure was shown; to opposite sides
    only when the interval of one period lies below 1 and that of another above 1.

    Parameters
    ----------
    periods : DataFrame
        hazard_ratio, conf_low, conf_high and n_event of each period, as `piecewise_effects` gives them.
    score_p_value : float
        Of the marker in `proportional_hazards_test`.
    period_p_value : float
        Of the likelihood-ratio test by period.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        When a column is missing, or there is no period.

    Notes
    -----
    A test that finds nothing is no proof of proportional hazards. The verdict chooses no summary of the effect: an
    estimand that a test chose has no known error rates, so the plan names it before the outcome is seen. Campbell and
    Dean (2014), Stat Med 33:1042, on conclusions after a test of proportional hazards. The thresholds are the
    constants of this module.

    Examples
    --------
    >>> periods = pd.DataFrame(
    ...     {"hazard_ratio": [1.4, 1.3], "conf_low": [1.1, 0.9], "conf_high": [1.8, 1.9], "n_event": [60, 50]}
    ... )
    >>> verdict = proportional_hazards_verdict(periods, score_p_value=0.4, period_p_value=0.7)
    >>> verdict.departure
    'not shown'
    >>> verdict.sentence.split(": ")[1]
    'the hazard ratio by period (1.40, 1.30) is compatible with values from 0.90 to 1.90.'
    """
    missing = [name for name in NEEDED if name not in periods]
    if missing or periods.empty:
        raise InputError(f"periods: needs rows with {', '.join(NEEDED)}; give the frame of piecewise_effects")
    problems: list[str] = []
    columns = {name: numbers(periods, name, problems) for name in NEEDED}
    raise_all([f"periods: {problem}" for problem in problems], InputError)
    periods = pd.DataFrame(columns)
    n_event, limits = int(np.nansum(periods["n_event"])), periods[["conf_low", "conf_high"]]
    shown = first_few((f"{ratio:.2f}" for ratio in periods["hazard_ratio"]), 12)
    tests = f"p {score_p_value:.2g} by the score test, {period_p_value:.2g} by period, the smaller to be doubled"
    if n_event < FEWEST_EVENTS or periods.isna().any(axis=None):
        return Verdict(
            "undecided",
            f"With {n_event} events in {len(periods)} periods the data cannot tell whether hazards are proportional"
            " (fewer than 50 in all, or a period without an interval): a hazard ratio is an average over this"
            " follow-up.",
        )
    if N_TESTS * min(score_p_value, period_p_value) >= DOUBT:
        return Verdict(
            "not shown",
            f"No departure from proportional hazards could be shown with {n_event} events ({tests}): the hazard ratio"
            f" by period ({shown}) is compatible with values from {limits['conf_low'].min():.2f} to"
            f" {limits['conf_high'].max():.2f}.",
        )
    if (limits["conf_high"] < 1).any() and (limits["conf_low"] > 1).any():
        return Verdict(
            "opposite sides",
            f"The hazard ratio changes over time, to opposite sides of 1: {shown} by period, the intervals of two"
            f" periods excluding 1 on opposite sides ({tests}). A single one is an average over this follow-up that"
            " describes no part of it; see the ratios by period and survival at milestones beside it.",
        )
    return Verdict(
        "shown",
        f"The hazard ratio changes over time: {shown} by period ({tests}). A single one is an average over this"
        " follow-up, and another follow-up would give another; see the ratios by period and the difference in"
        " restricted means beside it.",
    )
