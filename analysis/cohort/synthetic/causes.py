"""The patients before magnesium, and what their covariates cause: the arrows into magnesium and the hazards, as tables.

Every arrow starts from a column of the cohort as it is written to the file, so adjustment for the terms of `ADJUSTMENT`
can succeed. The numbers are assumptions chosen for plausibility; none is an estimate from patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.synthetic.design import ADJUSTMENT, COHORT_SCHEMA, SEXES, SITES, TREATMENTS, CohortDesign


@dataclass(frozen=True)
class Cause:
    """One adjustment term: its centre, its slope on magnesium (mmol/L), its log hazard ratios on the transitions."""

    term: str
    centre: float
    magnesium: float
    progression: float
    death_without_progression: float
    death_after_progression: float


CAUSES = (
    Cause("age", 65.0, 0.0, 0.0, 0.025, 0.015),
    Cause("ecog", 0.8, 0.0, 0.20, 0.35, 0.30),
    Cause("log2(tumour_burden)", 3.0, -0.015, 0.28, 0.20, 0.20),
    Cause("log2(ldh_ratio)", 0.0, -0.012, 0.22, 0.22, 0.25),
    Cause("log2(crp)", 4.0, -0.011, 0.12, 0.14, 0.12),
    Cause("albumin", 36.5, 0.0024, -0.020, -0.035, -0.030),
    Cause("egfr", 80.0, -0.0007, 0.0, -0.005, -0.002),
    Cause("ppi", 0.4, -0.030, 0.15, 0.20, 0.18),
    Cause("diuretic", 0.3, -0.025, 0.05, 0.18, 0.10),
    Cause("platinum", 0.55, -0.025, 0.15, 0.12, 0.15),
)


@dataclass(frozen=True)
class Hazard:
    """A baseline hazard that fades: rate * exp(-t / fade) a month, so that its integral stays finite (a plateau)."""

    rate: float
    fade: float

    def times(self, exponentials: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """Event times, by inverting rate * fade * (1 - exp(-t / fade)) * exp(log_ratio); infinity if never reached."""
        spent = exponentials * np.exp(-log_ratio) / (self.rate * self.fade)
        reached = spent < 1
        times = np.full(len(spent), np.inf)
        times[reached] = -self.fade * np.log1p(-spent[reached])
        return times

    def times_by_period(self, exponentials: FloatArray, starts: FloatArray, log_ratio: FloatArray) -> FloatArray:
        """Event times when the log ratio changes: that of period j, shape (n, m), holds from starts[:, j] to the next.

        Starts rise along a row from 0; a period may be empty. The cumulative hazard is inverted in its period.
        """
        whole = self.rate * self.fade
        reached = whole * -np.expm1(-starts / self.fade)
        spent = np.diff(reached, axis=1, append=whole) * np.exp(log_ratio)
        total = np.cumsum(spent, axis=1)
        period = (total < exponentials[:, None]).sum(axis=1)
        comes, rows = period < starts.shape[1], np.arange(len(exponentials))
        period = np.minimum(period, starts.shape[1] - 1)
        within = exponentials - (total - spent)[rows, period]
        share = (reached[rows, period] + within * np.exp(-log_ratio[rows, period])) / whole
        times = np.full(len(exponentials), np.inf)
        comes &= share < 1
        times[comes] = -self.fade * np.log1p(-share[comes])
        return times


@dataclass(frozen=True)
class Disease:
    """One treatment's disease course at the centres of all causes."""

    progression: Hazard
    death_without_progression: Hazard
    death_after_progression: Hazard
    magnesium_mean: float
    magnesium_sd: float


DISEASES = {
    TREATMENTS[0]: Disease(Hazard(0.125, 26.0), Hazard(0.012, 60.0), Hazard(0.085, 50.0), 0.814, 0.074),
    TREATMENTS[1]: Disease(Hazard(0.125, 6.0), Hazard(0.013, 12.0), Hazard(0.125, 18.0), 0.792, 0.062),
}

TRANSITIONS = ("progression", "death_without_progression", "death_after_progression")


def term_values(covariates: pd.DataFrame, term: str) -> FloatArray:
    """The values of one adjustment term: a column, or its logarithm to base 2.

    Examples
    --------
    >>> term_values(pd.DataFrame({"crp": [8.0]}), "log2(crp)").tolist()
    [3.0]
    """
    if term.startswith("log2("):
        return np.log2(np.asarray(covariates[term[5:-1]], dtype=np.float64))
    return np.asarray(covariates[term], dtype=np.float64)


def adjustment_terms(cohort: pd.DataFrame) -> FloatArray:
    """The terms of `ADJUSTMENT` by patient, a column each."""
    return np.column_stack([term_values(cohort, term) for term in ADJUSTMENT])


def treatment_codes(cohort: pd.DataFrame) -> IntArray:
    """The treatment by patient, 0 or 1."""
    return np.asarray(cohort["treatment"].cat.codes, dtype=np.int64)


def effect_of_causes(covariates: pd.DataFrame, on: str) -> FloatArray:
    """The sum of slopes times centred terms on "magnesium" (mmol/L) or on a transition (log hazard ratio)."""
    effect = np.zeros(len(covariates))
    for cause in CAUSES:
        slope = getattr(cause, on)
        if slope:
            effect += slope * (term_values(covariates, cause.term) - cause.centre)
    return effect


def draw_covariates(design: CohortDesign, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the covariates of every patient, rounded as a chart holds them.

    One unseen severity makes burden, LDH, CRP, albumin, ECOG and acid-suppressing drugs go together, as in a clinic.

    Parameters
    ----------
    design : CohortDesign
        How many patients of each treatment.
    rng : numpy.random.Generator
        The stream of this component.

    Returns
    -------
    DataFrame
        treatment, age, sex, ecog, tumour_burden, ldh_ratio, crp, albumin, egfr, ppi, diuretic, platinum, site.

    Examples
    --------
    >>> draw_covariates(CohortDesign(), np.random.default_rng(1)).shape
    (480, 13)
    """
    n = design.n
    is_car_t = rng.permutation(np.repeat([0, 1], [design.n_checkpoint_inhibitor, design.n_car_t]))
    severity, by_crp = rng.standard_normal(n), rng.standard_normal(n)

    age = _bounded("age", _by(is_car_t, 68.0, 61.0) + _by(is_car_t, 9.0, 12.0) * rng.standard_normal(n), 0)
    male = _happens(_by(is_car_t, 0.70, 0.66), 0.0, rng)
    burden = _by(is_car_t, 8.0, 9.0) * np.exp2(0.9 * (0.6 * severity + 0.8 * rng.standard_normal(n)))
    ldh_ratio = _by(is_car_t, 0.95, 1.1) * np.exp(0.45 * (0.55 * severity + 0.835 * rng.standard_normal(n)))
    crp = _by(is_car_t, 15.0, 18.0) * np.exp(1.1 * (0.5 * severity + 0.866 * by_crp))
    albumin = 36.5 - 5.0 * (0.4 * severity + 0.35 * by_crp + 0.85 * rng.standard_normal(n))
    fitness = 0.5 * severity + 0.25 * (age - 65) / 10 + 0.83 * rng.standard_normal(n)
    ecog = (fitness > _by(is_car_t, -0.5, -0.2)).astype(np.int64) + (fitness > _by(is_car_t, 0.95, 1.5))
    platinum = _happens(_by(is_car_t, 0.55, 0.60), 0.0, rng)
    egfr = _bounded("egfr", 84.0 - 0.7 * (age - 65) - 5.0 * platinum + 16.0 * rng.standard_normal(n), 0)
    diuretic = _happens(_by(is_car_t, 0.29, 0.22), 0.3 * (age - 65) / 10 - 0.2 * (egfr - 80) / 15, rng)
    ppi = _happens(_by(is_car_t, 0.41, 0.36), 0.3 * severity + 0.1 * (age - 65) / 10, rng)

    return pd.DataFrame(
        {
            "treatment": _category(is_car_t, TREATMENTS),
            "age": age.astype(np.int64),
            "sex": _category(male, SEXES),
            "ecog": ecog,
            "tumour_burden": _bounded("tumour_burden", burden, 1),
            "ldh_ratio": _bounded("ldh_ratio", ldh_ratio, 2),
            "crp": _bounded("crp", crp, 1),
            "albumin": _bounded("albumin", albumin, 0).astype(np.int64),
            "egfr": egfr.astype(np.int64),
            "ppi": ppi,
            "diuretic": diuretic,
            "platinum": platinum,
            "site": _category(rng.integers(len(SITES), size=n), SITES),
        }
    )


def _by(is_car_t: IntArray, checkpoint_inhibitor: float, car_t: float) -> FloatArray:
    """A constant of each treatment, by row."""
    return np.array([checkpoint_inhibitor, car_t])[is_car_t]


def _category(codes: IntArray, levels: tuple[str, ...]) -> pd.Categorical:
    """Codes as a categorical in the order of its levels."""
    return pd.Categorical.from_codes(cast("Sequence[int]", codes), categories=pd.Index(levels))


def _bounded(name: str, values: FloatArray, decimals: int) -> FloatArray:
    """Values rounded as a chart holds them, inside the range that the schema gives their column."""
    column = COHORT_SCHEMA[name]
    return np.asarray(np.round(np.clip(values, column.low, column.high), decimals), dtype=np.float64)


def _happens(share: FloatArray, log_odds_ratio: FloatArray | float, rng: np.random.Generator) -> IntArray:
    """0/1 indicators: `share` is the probability where the log odds ratio is zero."""
    probability = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + log_odds_ratio)))
    return (rng.random(len(share)) < probability).astype(np.int64)
