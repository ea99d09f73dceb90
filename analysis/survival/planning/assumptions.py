"""What a plan takes for granted, and what follows: the share with the event, an event's information, patients drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.arrays import BoolArray, FloatArray
from analysis.errors import choice_problems, number_problems

Design = Literal["marker", "cut", "groups", "interaction", "stratum"]
NODES = 41
"""Of the quadrature over a normal marker."""


@dataclass(frozen=True)
class Assumptions:
    """What a plan takes for granted about patients, follow-up and the marker."""

    design: Design
    marker_sd: float
    r_squared: float
    allocation: float
    prevalence: float
    event_rate: float | None
    accrual: float
    follow_up: float | None
    drop_out: float

    def problems(self) -> list[str]:
        """What is wrong with them, all at once."""
        problems = choice_problems("design", self.design, get_args(Design))
        problems += share_problems("allocation", self.allocation) + share_problems("prevalence", self.prevalence)
        wrong = number_problems("r_squared", self.r_squared, low=0)
        problems += wrong or ([f"r_squared={self.r_squared} must be below 1"] if self.r_squared >= 1 else [])
        problems += number_problems("accrual", self.accrual, low=0) + number_problems("drop_out", self.drop_out, low=0)
        positive = {"marker_sd": self.marker_sd, "event_rate": self.event_rate, "follow_up": self.follow_up}
        for name, value in positive.items():
            if value is not None:
                wrong = number_problems(name, value, low=0)
                problems += wrong or ([f"{name}=0 must be above 0"] if value == 0 else [])
        if (self.event_rate is None) != (self.follow_up is None):
            problems.append("event_rate and follow_up are needed together, for how many patients have the event")
        return problems

    def covariates(self, rng: np.random.Generator, n: int, log_ratio: float) -> tuple[FloatArray, FloatArray]:
        """Covariates of patients, the one that is tested first, and their log hazards against the reference."""
        if self.design in ("marker", "cut"):
            other, own = rng.standard_normal((2, n))
            marker = self.marker_sd * (np.sqrt(self.r_squared) * other + np.sqrt(1 - self.r_squared) * own)
            tested = marker
            if self.design == "cut":
                tested = (marker > normal_cut(self.allocation) * self.marker_sd).astype(np.float64)
            return np.column_stack([tested, other] if self.r_squared else [tested]), marker * log_ratio
        group = (np.arange(n) < round(self.allocation * n)).astype(np.float64)
        rng.shuffle(group)
        if self.design == "interaction":
            low = (rng.random(n) < self.prevalence).astype(np.float64)
            return np.column_stack([group * low, group, low]), group * low * log_ratio
        return group[:, None], group * log_ratio

    def follow(self, rng: np.random.Generator, ratio: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Follow-up times and events."""
        n = len(ratio)
        assert self.event_rate is not None
        assert self.follow_up is not None
        time = rng.exponential(1.0, n) / (self.event_rate * ratio)
        censored = self.follow_up + self.accrual * rng.random(n)
        if self.drop_out:
            censored = np.minimum(censored, rng.exponential(1 / self.drop_out, n))
        return np.minimum(time, censored), time <= censored

    def event_share(self, log_ratio: float) -> float:
        """The share of patients with the event: NaN without a rate."""
        if self.event_rate is None:
            return float("nan")
        if self.design in ("marker", "cut"):
            nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
            ratios = np.exp(nodes * self.marker_sd * log_ratio)
            return float(weights @ [self._share(self.event_rate * ratio) for ratio in ratios] / weights.sum())
        changed = self.allocation * (self.prevalence if self.design == "interaction" else 1.0)
        moved = self._share(self.event_rate * float(np.exp(log_ratio)))
        return (1 - changed) * self._share(self.event_rate) + changed * moved

    def _share(self, rate: float) -> float:
        """Of patients with this rate: the integral over uniform entry of rate times survival of event and drop-out."""
        assert self.follow_up is not None
        both = rate + self.drop_out
        early = np.exp(-both * self.follow_up)
        if self.accrual:
            early *= -np.expm1(-both * self.accrual) / (both * self.accrual)
        return float(rate / both * (1 - early))

    @property
    def information(self) -> float:
        """What an event tells of the log hazard ratio: the variance of the covariate given the others."""
        if self.design == "marker":
            return self.marker_sd**2 * (1 - self.r_squared)
        if self.design == "cut":
            density = np.exp(-(normal_cut(self.allocation) ** 2) / 2) / np.sqrt(2 * np.pi)
            spread = self.allocation * (1 - self.allocation)
            kept = float(density**2) / spread  # the squared correlation of a normal marker and its groups
            return self.marker_sd**2 * kept * (1 - self.r_squared) ** 2 / (1 - self.r_squared * kept)
        spread = self.allocation * (1 - self.allocation)
        if self.design == "interaction":
            return spread * self.prevalence * (1 - self.prevalence)
        return spread


def normal_cut(share_above: float) -> float:
    """The cut of a standard normal marker with this share above it."""
    from scipy.special import ndtri

    return float(ndtri(1 - share_above))


def share_problems(name: str, value: float) -> list[str]:
    """What is wrong with a share.

    Examples
    --------
    >>> share_problems("power", 90)
    ['power=90 must lie between 0 and 1']
    """
    problems = number_problems(name, value, low=0)
    return problems or ([] if 0 < value < 1 else [f"{name}={value} must lie between 0 and 1"])
