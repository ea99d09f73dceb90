"""Who would change stratum if the marker were measured again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis import errors
from analysis.arrays import FloatArray, IntArray
from analysis.cohort.columns import column_problems, numbers
from analysis.robustness.measurement import error as measurement
from analysis.robustness.measurement.error import MAGNESIUM_ERROR, ErrorScale, MeasurementError
from analysis.strata.cutpoints import Cutpoints, column_precision, range_problems, stratum_codes
from analysis.survival.rows import label_column

__all__ = ["Reclassification", "reclassification"]

RANGE = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class Reclassification(errors.RowAccount):
    """How many patients change stratum when the marker is measured again, and the row account.

    Attributes
    ----------
    table : DataFrame
        from_stratum, to_stratum (ordered categoricals), n (patients in the first), share of them in the second later
        (mean over the draws), monte_carlo_error, share_low, share_high (where the share of 95 % of repeats lies).
    share_changed : float
        Of all patients, in another stratum at the next measurement.
    monte_carlo_error, share_changed_low, share_changed_high : float
        Of the share changed.
    reliability : float
        The share of the marker's variance that lies between patients, on the scale on which errors add.
    cutpoints : Cutpoints
    marker : str
    measurement_error : float
    error_scale : str
    n_draws, seed : int
    """

    table: pd.DataFrame
    share_changed: float
    monte_carlo_error: float
    share_changed_low: float
    share_changed_high: float
    reliability: float
    cutpoints: Cutpoints
    marker: str
    measurement_error: float
    error_scale: ErrorScale
    n_draws: int
    seed: int


def reclassification(
    cohort: pd.DataFrame,
    cutpoints: Cutpoints,
    *,
    marker: str,
    measurement_error: float = MAGNESIUM_ERROR,
    error_scale: ErrorScale = "relative",
    resolution: float | None = None,
    n_draws: int = 2000,
    seed: int,
) -> Reclassification:
    """Measure the marker again, many times over, and count who lands in another stratum.

    What was measured is x = u + e, the patient's usual value u with an error e of known variance s2; a second
    measurement is u + e', with an error of its own. Given x it is normal around m + r (x - m), with variance
    s2 (1 + r), where m and v are the mean and variance of x and r = 1 - s2/v its reliability: extreme values were
    extreme partly by error, and come back towards the mean. Relative errors are handled so on the logarithms.

    Parameters
    ----------
    cohort : DataFrame
        One row a patient; never changed.
    cutpoints : Cutpoints
        Any, in the marker's unit: clinical, quantile or searched.
    marker : str
        A numeric column.
    measurement_error : float
        Of one measurement around the patient's usual value: biological variation within a person and the assay's
        together. 0.035 by default, the coefficient of variation of serum magnesium.
    error_scale : {"relative", "absolute"}
        Whether it is a coefficient of variation or a standard deviation in the marker's unit.
    resolution : float, optional
        The step to which values are reported, 0.01 say; the second measurement is rounded to it.
    n_draws : int
        Second measurements of the whole cohort.
    seed : int

    Returns
    -------
    Reclassification

    Raises
    ------
    CohortError
        Faults of the column; no edge within the range of the values.
    InputError
        Options that cannot be; relative errors of values that are not positive.
    NotEstimable
        When the error is as large as the spread of the marker.

    Warns
    -----
    RowsDropped
        Rows that miss a value in a column used.

    Notes
    -----
    Normal usual values and errors are assumed. Carroll, Ruppert, Stefanski and Crainiceanu (2006), Measurement Error in
    Nonlinear Models, 2nd edition, chapter 1 and section 3.2 (classical error, reliability).

    Examples
    --------
    >>> from analysis import clinical_cutpoints, simulate_cohort
    >>> cohort = simulate_cohort(seed=1).cohort.dropna(subset=["magnesium"])
    >>> result = reclassification(cohort, clinical_cutpoints("nhanes-1"), marker="magnesium", n_draws=200, seed=1)
    >>> result.table.columns.tolist()[:4], len(result.table)
    (['from_stratum', 'to_stratum', 'n', 'share'], 9)
    """
    error = measurement.checked_error(measurement_error, error_scale, n_draws=n_draws, seed=seed)
    if resolution is not None:
        errors.raise_all(errors.number_problems("resolution", resolution, low=0, open_low=True), errors.InputError)
    values, precision = _marker_values(cohort, cutpoints, marker)
    n_read, n_used = len(cohort), len(values)
    dropped = {f"missing {marker}": n_read - n_used} if n_used < n_read else {}
    carried = errors.dropped_warnings(n_read, n_used, dropped)
    errors.warn_all(carried)
    measurement.refuse_nonpositive(values, error, marker)
    ratio = _reliability(values, error, marker)
    observed = stratum_codes(values, cutpoints, precision)
    draws = _second_measurements(values, error, ratio, n_draws, seed)
    counts = _counts(draws, observed, cutpoints, resolution)
    changed = 1 - np.trace(counts, axis1=1, axis2=2) / len(values)
    low, high = np.quantile(changed, RANGE)
    return Reclassification(
        table=_share_table(counts, cutpoints),
        share_changed=float(changed.mean()),
        monte_carlo_error=measurement.mean_error(changed),
        share_changed_low=float(low),
        share_changed_high=float(high),
        reliability=ratio,
        cutpoints=cutpoints,
        marker=marker,
        measurement_error=error.size,
        error_scale=error.scale,
        n_draws=n_draws,
        seed=seed,
        n_read=n_read,
        n_used=n_used,
        dropped=dropped,
        warnings=carried,
    )


def _marker_values(cohort: pd.DataFrame, cutpoints: Cutpoints, marker: str) -> tuple[FloatArray, float]:
    """The marker's values in increasing order, so that the order of the rows changes no draw, and their precision."""
    errors.raise_all(column_problems(cohort, [marker]))
    problems: list[str] = []
    values = numbers(cohort, marker, problems, role="marker column")
    errors.raise_all(problems)
    errors.raise_all(range_problems(values, cutpoints, marker))
    return np.sort(values[~np.isnan(values)]), column_precision(cohort[marker])


def _reliability(values: FloatArray, error: MeasurementError, marker: str) -> float:
    """The reliability of the values on the scale on which errors add."""
    if not error.size:
        return 1.0
    variance = float(error.spread(values).var(ddof=1)) if values[0] < values[-1] else 0.0
    return measurement.reliability(variance, error.deviation**2, marker)


def _second_measurements(
    values: FloatArray, error: MeasurementError, ratio: float, n_draws: int, seed: int
) -> Iterator[FloatArray]:
    """The whole cohort measured again, given what was measured first, draw by draw."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    spread = error.spread(values)
    centre = spread.mean() + ratio * (spread - spread.mean())
    deviation = error.deviation * np.sqrt(1 + ratio)
    for _ in range(n_draws):
        yield error.unspread(centre + deviation * rng.standard_normal(len(values)))


def _counts(
    draws: Iterable[FloatArray], observed: IntArray, cutpoints: Cutpoints, resolution: float | None
) -> IntArray:
    """Patients by stratum and stratum of the second measurement: shape (n_draws, k, k)."""
    k, counts = len(cutpoints.labels), []
    for again in draws:
        reported = again if resolution is None else np.round(again / resolution) * resolution
        counts.append(np.bincount(observed * k + stratum_codes(reported, cutpoints), minlength=k * k))
    return np.asarray(counts, dtype=np.int64).reshape(-1, k, k)


def _share_table(counts: IntArray, cutpoints: Cutpoints) -> pd.DataFrame:
    """A row for each stratum in use and each stratum that it may change to."""
    labels = cutpoints.labels
    rows = []
    for here, label in enumerate(labels):
        n = int(counts[0, here].sum())
        for there, other in enumerate(labels if n else ()):
            shares = counts[:, here, there] / n
            low, high = np.quantile(shares, RANGE)
            rows.append((label, other, n, shares.mean(), measurement.mean_error(shares), low, high))
    names = ["from_stratum", "to_stratum", "n", "share", "monte_carlo_error", "share_low", "share_high"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(**{name: label_column(table[name].tolist(), labels) for name in names[:2]})
