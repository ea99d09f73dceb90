"""The patients of the synthetic cohort before magnesium: treatment, demographics, disease, other labs, drugs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.cohort.synthetic.design import CohortDesign
from analysis.cohort.synthetic.dictionary import COHORT_SCHEMA, SEXES, SITES, TREATMENTS


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
