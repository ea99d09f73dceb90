"""Cut-points on the bench: the synthetic worlds with the true effect of every cut, and what people do there."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, cohort_frame, simulate_patients
from analysis.kernels.cox import fit_arrays
from analysis.kernels.cutpoints import cut_rows, grouped_log_hazard_ratios, log_hazard_ratios
from analysis.kernels.tails import normal_quantile, two_sided
from analysis.strata.search import CutpointSearch, search_cutpoint
from analysis.truth.bench.scoring import BenchAnswer, BenchWorld, Target, quietly

CUT_EFFECT = "log hazard ratio above a cut"
SLOPE = "log hazard ratio per 0.1 mmol/L"
CUT_POINT = "cut-point"
MARKER = "magnesium"
CRUDE, WITHIN, BESIDE = "search, crude", "search within treatments", "search beside ten covariates"
_TIME, _EVENT = OVERALL_SURVIVAL.duration, OVERALL_SURVIVAL.event


def cutpoint_world(name: str, design: CohortDesign, *, n_population: int = 1_000_000, seed: int) -> BenchWorld:
    """A world of the synthetic cohort, overall survival by measured magnesium, with the true effect of every cut.

    The effects are crude log hazard ratios in a large cohort with the same censoring: of magnesium above a cut against
    at or below it, and along magnesium. In the threshold world the true cut-point is the last value below the
    threshold, for magnesium is reported to 0.01 mmol/L. In the independent world every effect is zero.

    Parameters
    ----------
    name : str
    design : CohortDesign
        Its sizes are those of the data sets; no magnesium is missing in them.
    n_population : int
        Patients of the large cohort.
    seed : int
        Of the large cohort.

    Returns
    -------
    BenchWorld

    Examples
    --------
    >>> world = cutpoint_world("nothing there", CohortDesign(world="independent").of_size(200), seed=1)
    >>> world.targets[CUT_EFFECT](0.75), len(world.draw(1))
    (0.0, 200)
    """
    population = _draw(design.of_size(n_population), seed) if design.world != "independent" else pd.DataFrame()
    return BenchWorld(name, partial(_draw, design), cut_targets(design, population))


def cut_targets(design: CohortDesign, population: pd.DataFrame) -> dict[str, Target]:
    """The true effects of every cut and along magnesium, and the cut-point, from a large cohort of a design."""
    if design.world == "independent":
        return {CUT_EFFECT: zero, SLOPE: zero}
    marker, time = population[MARKER].to_numpy(), population[_TIME].to_numpy()
    event = population[_EVENT].to_numpy() == 1
    rows = cut_rows(marker, time, event, min_fraction=0.005, max_fraction=0.995)
    slope = float(fit_arrays(marker[:, None] / 0.1, time, event)[0][0])
    targets: dict[str, Target] = {
        CUT_EFFECT: partial(_between, rows.cut, log_hazard_ratios(rows)),
        SLOPE: partial(constant, slope),
    }
    if design.world == "threshold":
        targets[CUT_POINT] = partial(constant, float(np.round(design.threshold - 0.01, 2)))
    return targets


def _draw(design: CohortDesign, seed: int) -> pd.DataFrame:
    """Magnesium and overall survival of one cohort."""
    patients = simulate_patients(design, seed=seed)
    return cohort_frame(patients, patients.measured)[[MARKER, _TIME, _EVENT]]


def _between(cuts: FloatArray, effects: FloatArray, at: float) -> float:
    """The effect at a cut, between those known."""
    return float(np.interp(at, cuts, effects))


def constant(value: float, _at: float) -> float:
    """A target that is the same everywhere."""
    return value


def zero(_at: float) -> float:
    """No effect."""
    return 0.0


def searched_cut(
    cohort: pd.DataFrame, seed: int, *, n_permutations: int = 999, n_bootstrap: int = 200
) -> list[BenchAnswer]:
    """A search with its naive reading, its corrections, and the range of its cut.

    The naive reading takes the log-rank p-value and the hazard ratio of the cut found as if nobody had searched.
    """
    with quietly():
        found = search_cutpoint(
            cohort, OVERALL_SURVIVAL, MARKER, n_permutations=n_permutations, n_bootstrap=n_bootstrap, seed=seed
        )
    naive, corrected = found.summary().to_dict("records")[:2]
    return [
        _hazard("searched cut, as found", found, naive, naive["p_naive"]),
        _hazard("searched cut, corrected", found, corrected, found.p_permutation),
        BenchAnswer("Lausen and Schumacher 1992", CUT_EFFECT, at=found.cut, p_value=found.p_lausen92),
        BenchAnswer("Lausen, Sauerbrei and Schumacher 1994", CUT_EFFECT, at=found.cut, p_value=found.p_lausen94),
        BenchAnswer(
            "range of the cut", CUT_POINT, estimate=found.cut, conf_low=found.cut_low, conf_high=found.cut_high
        ),
    ]


def adjusted_searches(cohort: pd.DataFrame, seed: int, *, n_permutations: int = 499) -> list[BenchAnswer]:
    """The permutation p-value of a crude search, of one within treatments, and of one beside covariates within them."""
    searches: Mapping[str, tuple[Sequence[str], str | None]] = {
        CRUDE: ((), None),
        WITHIN: ((), "treatment"),
        BESIDE: (ADJUSTMENT, "treatment"),
    }
    answers, options = [], {"n_permutations": n_permutations, "n_bootstrap": 0, "seed": seed}
    for method, (adjust, strata) in searches.items():
        with quietly():
            found = search_cutpoint(cohort, OVERALL_SURVIVAL, MARKER, adjust=adjust, strata=strata, **options)
        answers.append(BenchAnswer(method, CUT_EFFECT, at=found.cut, p_value=found.p_permutation))
    return answers


def _hazard(method: str, found: CutpointSearch, row: Mapping[Hashable, float], p_value: float) -> BenchAnswer:
    """A row of a search's summary on the scale of the logarithm."""
    estimate, low, high = (float(np.log(row[name])) for name in ("hazard_ratio", "conf_low", "conf_high"))
    return BenchAnswer(
        method,
        CUT_EFFECT,
        at=found.cut,
        estimate=estimate,
        conf_low=low,
        conf_high=high,
        p_value=p_value,
        direction=float(np.log(found.hazard_ratio_naive)),
    )


def median_split(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Above the median against at or below it: a cut that looks at no outcome."""
    marker, time, event = cohort[MARKER].to_numpy(), cohort[_TIME].to_numpy(), cohort[_EVENT].to_numpy() == 1
    cut = float(np.median(marker))
    estimate, std_error = grouped_log_hazard_ratios(time, event, (marker > cut)[None])
    return [wald("median split", CUT_EFFECT, float(estimate[0]), float(std_error[0]), at=cut)]


def continuous_marker(cohort: pd.DataFrame, _seed: int) -> Sequence[BenchAnswer]:
    """Magnesium as it is, in a Cox model."""
    marker, time, event = cohort[MARKER].to_numpy(), cohort[_TIME].to_numpy(), cohort[_EVENT].to_numpy() == 1
    coef, covariance, _ = fit_arrays(marker[:, None] / 0.1, time, event)
    return [wald("continuous marker", SLOPE, float(coef[0]), float(np.sqrt(covariance[0, 0])))]


def wald(method: str, estimand: str, estimate: float, std_error: float, *, at: float = float("nan")) -> BenchAnswer:
    """An estimate with its limits and the p-value of Wald's test."""
    half = normal_quantile(0.95) * std_error
    return BenchAnswer(
        method,
        estimand,
        at=at,
        estimate=estimate,
        conf_low=estimate - half,
        conf_high=estimate + half,
        p_value=two_sided(estimate / std_error),
    )
