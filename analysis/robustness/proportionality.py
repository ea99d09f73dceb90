"""Which summary of a marker's effect holds over the follow-up, by a rule that is written down."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.cohort.columns import first_few
from analysis.errors import InputError

FEWEST_EVENTS = 50
DOUBT = 0.05
STEADY_FOLD = 1.5
CLEARLY_OFF_ONE = 1.1
NEEDED = ("hazard_ratio", "n_event")


@dataclass(frozen=True)
class Verdict:
    """Which summary to report, and the sentence that says why.

    Attributes
    ----------
    summary : str
        "hazard ratio", "hazard ratio and restricted mean", "restricted mean", "milestones" or "undecided".
    sentence : str
    """

    summary: str
    sentence: str


def summary_that_holds(periods: pd.DataFrame, *, score_p_value: float, period_p_value: float) -> Verdict:
    """Say which summary of an effect holds, from tests of proportional hazards and the hazard ratio by period.

    The rule, in this order: with fewer than 50 events, or an undefined period, nothing is decided. Neither test below
    0.05: one hazard ratio, alone when the ratios by period are within 1.5-fold of one another, with restricted means
    beside it when they are not. A test below 0.05: milestones when the ratios by period lie on both sides of 1, each by
    more than a tenth; otherwise restricted means.

    Parameters
    ----------
    periods : DataFrame
        hazard_ratio and n_event of each period, as `piecewise_effects` gives them.
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
    A rule of thumb, not a proof: a test that finds nothing is no proof of proportional hazards, and a summary should be
    named before the data are seen. Its thresholds are the constants of this module.

    Examples
    --------
    >>> periods = pd.DataFrame({"hazard_ratio": [1.4, 1.3], "n_event": [60, 50]})
    >>> summary_that_holds(periods, score_p_value=0.4, period_p_value=0.7).summary
    'hazard ratio'
    """
    missing = [name for name in NEEDED if name not in periods]
    if missing or periods.empty:
        raise InputError(f"periods: needs rows with {', '.join(NEEDED)}; give the frame of piecewise_effects")
    n_event, ratios = int(periods["n_event"].sum()), periods["hazard_ratio"]
    shown = first_few((f"{ratio:.2f}" for ratio in ratios), 12)
    tests = f"(p {score_p_value:.2g} by the score test, {period_p_value:.2g} by period)"
    if n_event < FEWEST_EVENTS or ratios.isna().any():
        return Verdict(
            "undecided",
            f"With {n_event} events in {len(ratios)} periods the data cannot tell whether hazards are proportional"
            " (fewer than 50 in all, or a period without a hazard ratio): report survival at milestones, and take a"
            " hazard ratio as an average.",
        )
    if min(score_p_value, period_p_value) >= DOUBT:
        return _no_departure(ratios, shown, tests)
    if ratios.min() < 1 / CLEARLY_OFF_ONE and ratios.max() > CLEARLY_OFF_ONE:
        return Verdict(
            "milestones",
            f"The hazard ratio changes sides over time ({shown} by period) {tests}: no single ratio holds. Report"
            " survival at milestones, and restricted means with their horizon.",
        )
    return Verdict(
        "restricted mean",
        f"The hazard ratio changes over time ({shown} by period) {tests}: a single one is an average over this"
        " follow-up, and another follow-up would give another. Report the difference in restricted means with its"
        " horizon, and the ratios by period beside it.",
    )


def _no_departure(ratios: pd.Series, shown: str, tests: str) -> Verdict:
    """Neither test finds a departure."""
    if ratios.max() <= STEADY_FOLD * ratios.min():
        return Verdict(
            "hazard ratio",
            f"No departure from proportional hazards was found {tests}, and by period the hazard ratio stays near one"
            f" value ({shown}): one hazard ratio describes this follow-up.",
        )
    return Verdict(
        "hazard ratio and restricted mean",
        f"No test finds a departure from proportional hazards {tests}, but by period the hazard ratio spreads widely"
        f" ({shown}), which so few events cannot settle: report one hazard ratio with the difference in restricted"
        " means beside it.",
    )
