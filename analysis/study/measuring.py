"""The marker's error of measurement as the plan states it, and log hazard ratios per step of the plan."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.present.text import format_share
from analysis.robustness.measurement import MAGNESIUM_ERROR, Attenuation, SimulationExtrapolation
from analysis.study.study import Study


@dataclass(frozen=True)
class StatedError:
    """The error of one measurement, as the functions of `robustness` take it, and where it comes from."""

    size: float
    scale: str
    words: str


def stated_error(study: Study) -> StatedError | None:
    """The plan's error of measurement; for magnesium without one the published coefficient of variation; else None.

    Parameters
    ----------
    study : Study
        A prepared study.

    Returns
    -------
    StatedError or None
    """
    planned = study.plan.robustness.measurement_error
    if planned is not None:
        unit = f" {study.unit}" if study.unit else ""
        return StatedError(planned, "absolute", f"standard deviation {planned:g}{unit}, as the plan says")
    if study.plan.marker.analyte == "magnesium":
        words = f"coefficient of variation {MAGNESIUM_ERROR:.1%}, as published for serum magnesium; the plan gives none"
        return StatedError(MAGNESIUM_ERROR, "relative", words)
    return None


def marker_step(study: Study) -> float:
    """What a log hazard ratio per unit of the marker is multiplied by, to be per step of the plan."""
    return study.plan.marker.per * (-1.0 if study.plan.marker.direction == "lower" else 1.0)


def reliability_words(found: Attenuation | SimulationExtrapolation) -> str:
    """A reliability with its interval, as in "87.2% (85.4% to 88.8%)"."""
    shares = (found.reliability, found.reliability_low, found.reliability_high)
    ratio, low, high = (format_share(share) for share in shares)
    return f"{ratio} ({low} to {high})"
