"""Errors of measurement: how they are stated, drawn, and told apart from differences between patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from analysis.arrays import FloatArray
from analysis.cohort.columns import first_few
from analysis.errors import InputError, NotEstimable, raise_all
from analysis.survival.rows import choice_problems, count_problems, number_problems

ErrorScale = Literal["relative", "absolute"]
MAGNESIUM_ERROR = 0.035
"""Serum magnesium varies by 3 to 4 % of itself when the same person is measured again (coefficient of variation)."""


@dataclass(frozen=True)
class MeasurementError:
    """The error of one measurement around a patient's usual value.

    Attributes
    ----------
    size : float
        "relative": its coefficient of variation, 0.035 for 3.5 %; "absolute": its standard deviation in the marker's
        unit.
    scale : {"relative", "absolute"}
        Relative errors multiply the value by a log-normal factor of mean 1; absolute ones add a normal number.
    """

    size: float
    scale: ErrorScale

    @property
    def deviation(self) -> float:
        """The standard deviation on the scale on which errors add: logarithmic for relative ones."""
        return float(np.sqrt(np.log1p(self.size**2))) if self.scale == "relative" else self.size

    def spread(self, values: FloatArray) -> FloatArray:
        """The values on the scale on which errors add."""
        return np.log(values) if self.scale == "relative" else values

    def unspread(self, values: FloatArray) -> FloatArray:
        """Back to the marker's unit."""
        return np.exp(values) if self.scale == "relative" else values

    def times(self, multiple: float) -> MeasurementError:
        """An error of so many times the variance, on the scale on which errors add."""
        if self.scale == "relative":
            return MeasurementError(float(np.sqrt(np.expm1(multiple * self.deviation**2))), self.scale)
        return MeasurementError(float(np.sqrt(multiple)) * self.size, self.scale)

    def variance_added(self, values: FloatArray) -> float:
        """What one more error adds, on average, to the variance of the values in their own unit."""
        return float(self.size**2 * (values @ values) / len(values) if self.scale == "relative" else self.size**2)

    def added(self, values: FloatArray, rng: np.random.Generator) -> FloatArray:
        """The values with one more error each, its mean zero given the value."""
        noise = self.deviation * rng.standard_normal(len(values))
        if self.scale == "relative":
            return np.asarray(values * np.exp(noise - self.deviation**2 / 2), dtype=np.float64)
        return values + noise


def checked_error(size: float, scale: ErrorScale, *, n_draws: int, seed: int) -> MeasurementError:
    """The error as asked for, once it and the options of the draws are known to be sound.

    Raises
    ------
    InputError
        With every fault at once.

    Examples
    --------
    >>> checked_error(0.035, "relative", n_draws=10, seed=1)
    MeasurementError(size=0.035, scale='relative')
    """
    problems = choice_problems("error_scale", scale, get_args(ErrorScale))
    size_problems = number_problems("measurement_error", size, low=0)
    if not size_problems and scale == "relative" and size >= 1:
        size_problems = [
            f"measurement_error={size:g} is a share of the value (coefficient of variation) and must lie below 1;"
            f' did you mean {size / 100:g}, or error_scale="absolute"?'
        ]
    problems += size_problems + count_problems("n_draws", n_draws) + count_problems("seed", seed, low=0)
    raise_all(problems, InputError)
    return MeasurementError(float(size), scale)


def refuse_nonpositive(values: FloatArray, error: MeasurementError, marker: str) -> None:
    """An error when a relative error is asked of values that are not positive."""
    unfit = values[values <= 0]
    if error.scale == "relative" and len(unfit):
        raise InputError(
            f"{marker!r}: {len(unfit)} values are zero or negative ({first_few(f'{value:g}' for value in unfit)}), and"
            ' a relative error needs positive ones; give a standard deviation with error_scale="absolute"'
        )


def reliability(variance: float, error_variance: float, marker: str) -> float:
    """The share of a measurement's variance that lies between patients: 1 - error variance / variance.

    Raises
    ------
    NotEstimable
        When the error is as large as the spread of the values, so that nothing is left.

    Examples
    --------
    >>> reliability(0.01, 0.001, "mg")
    0.9
    """
    if error_variance >= variance:
        raise NotEstimable(
            f"measurement_error: a standard deviation of {error_variance**0.5:.3g} is as large as that of {marker!r}"
            f" itself ({variance**0.5:.3g}); is it in the same unit?"
        )
    return 1 - error_variance / variance


def reliability_limits(ratio: float, df: int, conf_level: float) -> tuple[float, float]:
    """Limits of a reliability whose error variance is known and whose total variance has so many degrees of freedom.

    The marker, given the adjustment, is taken to be normal: df times its estimated variance over the true one is
    chi-square.

    Examples
    --------
    >>> [round(limit, 4) for limit in reliability_limits(0.9, 100, 0.95)]
    [0.8704, 0.9258]
    """
    from scipy.special import gammaincinv

    tail = (1 - conf_level) / 2
    high, low = (2 * float(gammaincinv(df / 2, share)) for share in (tail, 1 - tail))
    return 1 - (1 - ratio) * low / df, 1 - (1 - ratio) * high / df


def mean_error(draws: FloatArray) -> float:
    """The Monte-Carlo standard error of the mean of some draws; NaN for a single one.

    Examples
    --------
    >>> mean_error(np.array([1.0, 3.0]))
    1.0
    """
    return float(draws.std(ddof=1) / np.sqrt(len(draws))) if len(draws) > 1 else float("nan")
