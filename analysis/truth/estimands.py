"""What each method would find with a million patients: the targets that estimates are judged against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from analysis.arrays import FloatArray
from analysis.cohort import synthetic
from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL
from analysis.cohort.synthetic import CohortDesign
from analysis.kernels.cox import fit_arrays
from analysis.strata.cutpoints import Cutpoints, clinical_cutpoints

MONTHS = np.arange(61)
HORIZONS = (12, 24, 36)


@dataclass(frozen=True, eq=False)
class StratumCourses:
    """One stratum: the courses of the patients observed in it, and those of the whole cohort were it put there."""

    label: str
    observed: synthetic.Course
    standardised: synthetic.Course


def stratum_courses(
    patients: synthetic.Patients, design: CohortDesign, cutpoints: Cutpoints, *, seed: int
) -> list[StratumCourses]:
    """The courses of everybody ("all"), then of each stratum of measured magnesium, observed and standardised.

    Parameters
    ----------
    patients : Patients
        The large cohort.
    design : CohortDesign
        Its design.
    cutpoints : Cutpoints
        In mmol/L, closed on the left.
    seed : int
        Seed of the large cohort; the standardised courses draw from further streams of it.

    Returns
    -------
    list of StratumCourses
    """
    bounds = [-np.inf, *(_reported_from(edge) for edge in cutpoints.edges), np.inf]
    used = len(synthetic.STREAMS)
    streams = np.random.SeedSequence(seed).spawn(used + len(cutpoints.labels))[used:]
    strata = [StratumCourses("all", patients.course, patients.course)]
    for label, low, high, stream in zip(cutpoints.labels, bounds[:-1], bounds[1:], streams, strict=True):
        inside = (patients.measured > low) & (patients.measured < high)
        draw, transitions, scans = (np.random.default_rng(child) for child in stream.spawn(3))
        magnesium = magnesium_within(patients, design, low, high, draw)
        path = synthetic.magnesium_path(magnesium, design, draw.spawn(1)[0])
        put_there = synthetic.draw_course(patients.covariates, magnesium, design, transitions, scans, path=path)
        strata.append(StratumCourses(label, patients.course.take(inside), put_there))
    return strata


def magnesium_within(
    patients: synthetic.Patients, design: CohortDesign, low: float, high: float, rng: np.random.Generator
) -> FloatArray:
    """Everybody's true magnesium, drawn given their causes and a measurement between `low` and `high` (mmol/L).

    Given the causes, the true value is normal (mean m, variance s^2) and measuring adds error of variance e^2: the
    measurement is a truncated normal, and the true value given it has mean m + s^2 / (s^2 + e^2) (measurement - m) and
    variance s^2 e^2 / (s^2 + e^2).
    """
    mean, sd, error = patients.law.mean, patients.law.sd, design.measurement_error
    total = np.hypot(sd, error)
    below, up_to = ndtr((low - mean) / total), ndtr((high - mean) / total)
    measurement = mean + total * ndtri(below + rng.random(len(mean)) * (up_to - below))
    true_mean = mean + (sd / total) ** 2 * (measurement - mean)
    return np.asarray(true_mean + sd * error / total * rng.standard_normal(len(mean)), dtype=np.float64)


def _reported_from(edge: float) -> float:
    """The unrounded concentration from which a report to 0.01 mmol/L is at or above the edge."""
    return float(np.ceil(np.round(edge * 100, 6)) / 100 - 0.005)


def curve_table(strata: Sequence[StratumCourses]) -> pd.DataFrame:
    """Survival at whole months: endpoint stratum time survival standardised_survival, and their Monte-Carlo errors."""
    tables = []
    for names, observed, standardised in _times(strata):
        survival, after_setting = _survival(observed), _survival(standardised)
        columns = {
            **names,
            "time": MONTHS,
            "survival": survival,
            "standardised_survival": after_setting,
            "std_error": np.sqrt(survival * (1 - survival) / len(observed)),
            "standardised_std_error": np.sqrt(after_setting * (1 - after_setting) / len(standardised)),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def restricted_mean_table(strata: Sequence[StratumCourses]) -> pd.DataFrame:
    """Mean months up to each horizon: endpoint stratum horizon restricted_mean standardised_restricted_mean, errors."""
    rows = []
    for names, *times in _times(strata):
        for horizon in HORIZONS:
            observed, standardised = (np.minimum(months, horizon) for months in times)
            rows.append(
                {
                    **names,
                    "horizon": horizon,
                    "restricted_mean": observed.mean(),
                    "standardised_restricted_mean": standardised.mean(),
                    "std_error": observed.std() / np.sqrt(len(observed)),
                    "standardised_std_error": standardised.std() / np.sqrt(len(standardised)),
                }
            )
    return pd.DataFrame(rows)


def _times(strata: Sequence[StratumCourses]) -> Iterator[tuple[dict[str, str], FloatArray, FloatArray]]:
    """Times of each endpoint in each stratum, observed and standardised, with the names of both."""
    for endpoint, times in ((OVERALL_SURVIVAL, "death"), (PROGRESSION_FREE_SURVIVAL, "pfs")):
        for stratum in strata:
            names = {"endpoint": endpoint.name, "stratum": stratum.label}
            yield names, getattr(stratum.observed, times), getattr(stratum.standardised, times)


def _survival(times: FloatArray) -> FloatArray:
    """The share still without the event after each month of `MONTHS`."""
    month = np.ceil(np.minimum(times, MONTHS[-1] + 1)).astype(np.int64)
    failed = np.cumsum(np.bincount(month, minlength=len(MONTHS) + 1))[:-1]
    return np.asarray(1 - failed / len(times), dtype=np.float64)


ENDPOINTS = (OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL)
CUT = 0.75
"""mmol/L; the cut whose target is always given, the lower edge of the reference interval."""


@dataclass(frozen=True, eq=False)
class TrueEstimands:
    """The targets that follow from a design, each with its Monte-Carlo standard error.

    Attributes
    ----------
    log_hazard_ratios : DataFrame
        endpoint, target, log_hazard_ratio, std_error, hazard_ratio. Continuous magnesium: per 0.1 mmol/L lower.
        "crude" models hold magnesium alone; "conditional" and "adjusted" ones hold the terms of `ADJUSTMENT` too,
        stratified by treatment. What was planted has no error.
    curves : DataFrame
        endpoint, stratum, time (months), survival, standardised_survival, std_error, standardised_std_error; the strata
        of measured magnesium, and "all".
    restricted_means : DataFrame
        endpoint, stratum, horizon (months), restricted_mean, standardised_restricted_mean, std_error,
        standardised_std_error (months).
    design : CohortDesign
        What was planted.
    n, seed : int
        Simulated patients, and their seed.
    """

    log_hazard_ratios: pd.DataFrame
    curves: pd.DataFrame
    restricted_means: pd.DataFrame
    design: CohortDesign
    n: int
    seed: int


def true_estimands(design: CohortDesign, *, n: int = 1_000_000, seed: int) -> TrueEstimands:
    """What the usual analyses of this design estimate, found in a large simulated cohort with no magnesium missing.

    Hazard ratios come from Cox models (Efron) fitted to the large cohort with the design's censoring and scans, for a
    misspecified model's target depends on them. Curves and restricted means use the courses without censoring, which is
    independent of everything here, so they are what Kaplan-Meier estimates.

    ``survival`` is the curve of the patients observed in a stratum. ``standardised_survival`` is the target of
    standardisation over the confounders (the g-formula): the mean, over the confounders X and treatments of the whole
    cohort, of S(t | stratum, X). It is simulated: everybody is put in the stratum, true magnesium is drawn from its
    distribution given X and a measurement within the stratum (known exactly from the design), then the course.

    Parameters
    ----------
    design : CohortDesign
        The design; its sizes only set the share of each treatment.
    n : int
        Patients to simulate.
    seed : int
        Seed of the simulation.

    Returns
    -------
    TrueEstimands

    Examples
    --------
    >>> truth = true_estimands(CohortDesign(), n=2000, seed=1)
    >>> truth.log_hazard_ratios["target"].tolist()[:2]
    ['planted on death', 'planted on progression']
    """
    patients = synthetic.simulate_patients(design.of_size(n), seed=seed)
    cutpoints = clinical_cutpoints("nhanes-1")
    strata = stratum_courses(patients, design, cutpoints, seed=seed)
    return TrueEstimands(
        log_hazard_ratios=_log_hazard_ratios(patients, design, cutpoints),
        curves=curve_table(strata),
        restricted_means=restricted_mean_table(strata),
        design=design,
        n=n,
        seed=seed,
    )


def true_cutpoint_effects(
    design: CohortDesign, cuts: Sequence[float], *, n: int = 1_000_000, seed: int, adjusted: bool = False
) -> pd.DataFrame:
    """The log hazard ratio of measured magnesium at or above a cut against below it, for any cuts.

    Parameters
    ----------
    design : CohortDesign
        The design.
    cuts : sequence of float
        In mmol/L. For a rule that counts the cut itself as low, give the next 0.01 above it.
    n, seed : int
        As in `true_estimands`.
    adjusted : bool
        Adjusted for the terms of `ADJUSTMENT` and stratified by treatment, or crude.

    Returns
    -------
    DataFrame
        endpoint, cut, log_hazard_ratio, std_error, hazard_ratio.

    Examples
    --------
    >>> true_cutpoint_effects(CohortDesign(), [0.70, 0.75], n=2000, seed=1).shape
    (4, 5)
    """
    patients = synthetic.simulate_patients(design.of_size(n), seed=seed)
    cohort = synthetic.cohort_frame(patients, patients.measured)
    tables = [_fitted(cohort, _above(patients, cut), adjusted=adjusted).assign(cut=float(cut)) for cut in cuts]
    return _by_endpoint(tables)[["endpoint", "cut", "log_hazard_ratio", "std_error", "hazard_ratio"]]


def _log_hazard_ratios(patients: synthetic.Patients, design: CohortDesign, cutpoints: Cutpoints) -> pd.DataFrame:
    """Every target on the scale of a log hazard ratio, by endpoint."""
    cohort = synthetic.cohort_frame(patients, patients.measured)
    true, measured = _per_tenth_lower(patients.magnesium), _per_tenth_lower(patients.measured)
    tables = [
        _planted(design),
        _fitted(cohort, {"conditional, true magnesium": true}, adjusted=True),
        _fitted(cohort, {"conditional, measured magnesium": measured}, adjusted=True),
        _fitted(cohort, {"crude, measured magnesium": measured}, adjusted=False),
    ]
    cuts = [CUT, *([design.threshold] if design.world == "threshold" else [])]
    for terms in (_against_reference(patients, cutpoints), *(_above(patients, cut) for cut in cuts)):
        for words, adjusted in (("crude", False), ("adjusted", True)):
            named = {f"{term}, {words}": values for term, values in terms.items()}
            tables.append(_fitted(cohort, named, adjusted=adjusted))
    return _by_endpoint(tables)


def _by_endpoint(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The tables one under the other, endpoint by endpoint."""
    table = pd.concat(tables, ignore_index=True)
    parts = [table[table["endpoint"] == endpoint.name] for endpoint in ENDPOINTS]
    return pd.concat(parts, ignore_index=True)


def _planted(design: CohortDesign) -> pd.DataFrame:
    """What the design plants on the transitions, listed under both endpoints."""
    slopes = (design.hazard_ratio_death, design.hazard_ratio_progression)
    ratios = {
        "planted": ("", *slopes),
        "fading": (f", for {synthetic.EFFECT_MONTHS:g} months", *slopes),
        "moving": (", of current magnesium", *slopes),
        "moving with burden": (", of current magnesium", *slopes),
        "threshold": (
            f", below {design.threshold:.2f} against at or above",
            design.threshold_hazard_ratio_death,
            design.threshold_hazard_ratio_progression,
        ),
    }
    words, on_death, on_progression = ratios.get(design.world, ("", 1.0, 1.0))
    rows = [
        {"endpoint": endpoint.name, "target": f"planted on {transition}{words}", "hazard_ratio": ratio}
        for endpoint in ENDPOINTS
        for transition, ratio in (("death", on_death), ("progression", on_progression))
    ]
    table = pd.DataFrame(rows)
    table = table.assign(log_hazard_ratio=np.log(table["hazard_ratio"]), std_error=0.0)
    return table[["endpoint", "target", "log_hazard_ratio", "std_error", "hazard_ratio"]]


def _per_tenth_lower(magnesium: FloatArray) -> FloatArray:
    """Magnesium (mmol/L) in steps of 0.1 mmol/L down."""
    return (synthetic.REFERENCE_MAGNESIUM - magnesium) / 0.1


def _against_reference(patients: synthetic.Patients, cutpoints: Cutpoints) -> dict[str, FloatArray]:
    """Indicators of the lowest and the highest stratum; the one between is the reference."""
    low, reference, high = cutpoints.labels
    lower, upper = cutpoints.edges
    return {
        f"{low} against {reference}": (patients.measured < lower).astype(np.float64),
        f"{high} against {reference}": (patients.measured >= upper).astype(np.float64),
    }


def _above(patients: synthetic.Patients, cut: float) -> dict[str, FloatArray]:
    """The indicator of measured magnesium at or above a cut, named in words."""
    return {f"at or above {cut:.2f} against below": (patients.measured >= cut).astype(np.float64)}


def _fitted(cohort: pd.DataFrame, terms: Mapping[str, FloatArray], *, adjusted: bool) -> pd.DataFrame:
    """The coefficients of the named terms in one Cox model an endpoint, as targets."""
    x = np.column_stack([*terms.values(), *([synthetic.adjustment_terms(cohort)] if adjusted else [])])
    strata, tables = synthetic.treatment_codes(cohort) if adjusted else None, []
    for endpoint in ENDPOINTS:
        time, event = cohort[endpoint.duration].to_numpy(), cohort[endpoint.event].to_numpy() == 1
        coef, covariance, _ = fit_arrays(x, time, event, strata=strata)
        columns = {
            "endpoint": endpoint.name,
            "target": list(terms),
            "log_hazard_ratio": coef[: len(terms)],
            "std_error": np.sqrt(np.diag(covariance))[: len(terms)],
            "hazard_ratio": np.exp(coef[: len(terms)]),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
