"""How much hangs on the choices: other cuts and adjustments, a second measurement, other worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, World, simulate_cohort
from analysis.errors import NotEstimable
from analysis.present.figures import plot_specification_curve
from analysis.present.text import display_frame, format_number, format_p, least_p, permutation_p
from analysis.robustness.measurement import attenuation, reclassification
from analysis.robustness.multiverse import Multiverse, cutpoint_multiverse
from analysis.strata.cutpoints import CLINICAL_NAMES, Cutpoints, clinical_cutpoints
from analysis.strata.search import search_cutpoint
from analysis.study import report
from analysis.study.models import StatedError, marker_step, reliability_words
from analysis.study.report import Block, Blocks, Prose, table
from analysis.study.study import Study, hazard_ratio_target

SEED = 20220106
N_PERMUTATIONS, N_BOOTSTRAP, N_MULTIVERSE = 9999, 200, 199
LEVEL = 0.05
P_VALUES = {"p_naive": "p", "p_corrected": "p"}
SHARES = dict.fromkeys(("share", "share_low", "share_high", "monte_carlo_error"), "share")
WORLDS: dict[str, tuple[World, str]] = {
    "planted": ("planted", "log-linear, confounded"),
    "no effect": ("null", "none, confounded"),
    "independent": ("independent", "none, not confounded"),
    "threshold": ("threshold", "below 0.70 mmol/L only, confounded"),
}
"""Worlds by the names that the benches print: readers of CSV take "null" for a missing value."""
WORLD_COLUMNS = ["world", "effect", "adjustment", "analysis", "contrast", *report.RATIO, "p_naive", "p_corrected"]
ANALYSES = ["cutpoint", "endpoint", "adjustment", "missing", "n", "n_event", "n_low", *report.RATIO]
TESTED = (
    "Each p-value, by permutation of the marker within the strata, tests that the marker is unrelated to everything"
    " else; confounding alone makes it small, most of all without adjustment."
)


def multiverse_blocks(study: Study) -> Blocks:
    """Every combination of published edge, endpoint and adjustment, with a p-value for each adjustment."""
    plan = study.plan
    multiverse = cutpoint_multiverse(
        study.cohort, plan.endpoints, plan.marker.column,
        cutpoints=_lower_cuts(study),
        adjustments={"none": ()} | ({"as planned": plan.model.covariates} if plan.model.covariates else {}),
        missing=["complete case", "median imputation"], strata=plan.model.strata or None, n_permutations=N_MULTIVERSE,
        seed=SEED,
    )  # fmt: skip
    if multiverse.curve.empty:
        raise NotEstimable(f"none of {len(multiverse.analyses)} analyses could be fitted")
    words = _multiverse_words(multiverse)
    yield report.figure(
        study, "multiverse", "Other cuts, endpoints, adjustments and rules for missing values",
        plot_specification_curve, multiverse.curve, multiverse.grid,
        alt=f"Specification curve. {words}",
        caption=f"Each column is one analysis: the lowest stratum against the rest. {words}",
    )  # fmt: skip
    yield _tests_block(multiverse)
    headings = {"n_low": "Patients below the cut", "cutpoint": "Cut-point"}
    yield table("multiverse", "Every analysis", multiverse.analyses[ANALYSES], headings=headings)


def _tests_block(multiverse: Multiverse) -> Block:
    """The p-value of each adjustment, as a bound where it is the least that the permutations can give."""
    tests = multiverse.tests[::-1]
    display = display_frame(tests, headings={"n_analyses": "Analyses"})
    cells = [
        least_p(p_value, multiverse.n_permutations) or cell
        for p_value, cell in zip(tests["p_value"], display["p"], strict=True)
    ]
    title = "All analyses of one adjustment together"
    return table("multiverse-tests", title, tests, note=TESTED, display=display.assign(p=cells))


def _multiverse_words(multiverse: Multiverse) -> str:
    """The median hazard ratio of each adjustment with its p-value, the most adjusted first."""
    parts = [
        f"adjustment {row['adjustment']}: median hazard ratio {format_number(row['median_hazard_ratio'])} over"
        f" {row['n_analyses']} analyses, {permutation_p(row['p_value'], multiverse.n_permutations)}"
        for row in multiverse.tests.to_dict("records")[::-1]
    ]
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}."


def _lower_cuts(study: Study) -> dict[str, float]:
    """Cuts that others might have taken: the lowest edge of each set of cut-points, the lower third and the median."""
    sets = [study.cutpoints]
    if study.plan.marker.analyte == "magnesium":
        sets += [clinical_cutpoints(name).to_unit(study.unit) for name in CLINICAL_NAMES]
    cuts: dict[str, float] = {}
    for edge in (cut.edges[0] for cut in sets):
        if not any(math.isclose(edge, other, rel_tol=0.005) for other in cuts.values()):
            cuts[f"{edge:.3g} {study.unit}".strip()] = edge
    values = study.cohort[study.plan.marker.column]
    return cuts | {"lower third": float(values.quantile(1 / 3)), "median": float(values.median())}


def measurement_blocks(study: Study, searched: Sequence[Cutpoints], error: StatedError) -> Blocks:
    """Who changes stratum when the marker is measured again, and what the error takes from the hazard ratio."""
    marker = study.plan.marker
    options: dict[str, Any] = {"measurement_error": error.size, "error_scale": error.scale, "seed": SEED}
    repeats = [
        reclassification(study.cohort, cut, marker=marker.column, **options) for cut in (study.cutpoints, *searched)
    ]
    lost = attenuation(study.cohort, study.primary, marker.column, **options, **study.adjustment)
    changed = ", ".join(f"{repeat.share_changed:.1%} at the {repeat.cutpoints.rule} cut-points" for repeat in repeats)
    shares = pd.concat([repeat.table.assign(cutpoints=repeat.cutpoints.rule) for repeat in repeats], ignore_index=True)
    yield table(
        "reclassification",
        f"Strata when {study.marker_label} is measured a second time",
        shares[["cutpoints", *repeats[0].table.columns]],
        display=display_frame(shares_in_words(shares), kinds=SHARES, headings={"cutpoints": "Cut-points"}),
        note=f"Patients who change stratum: {changed}. Error: {error.words}; {repeats[0].n_draws} second measurements.",
    )
    yield table(
        "attenuation",
        f"Attenuation of the hazard ratio per {study.step} by measurement error",
        _per_step(study, lost.table),
        kinds={"share": "share", "monte_carlo_error": "number3"},
        note=f"Shares and Monte-Carlo errors are of the log hazard ratio. Error: {error.words}. Reliability"
        f" {reliability_words(lost)} given the model's terms; the intervals of the hazard ratios take it as known.",
    )


def shares_in_words(shares: pd.DataFrame) -> pd.DataFrame:
    """Shares with their limits named as those of every estimate, so that one cell holds all three."""
    return shares.rename(columns={"share_low": "share_conf_low", "share_high": "share_conf_high"})


def _per_step(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Log hazard ratios as hazard ratios for the plan's step: measurement, hazard_ratio with limits, target, share."""
    step = marker_step(study)
    low, high = ("conf_low", "conf_high") if step > 0 else ("conf_high", "conf_low")
    values = {"hazard_ratio": "log_hazard_ratio", "conf_low": low, "conf_high": high}
    ratios = {name: np.exp(step * table[column]) for name, column in values.items()}
    errors = abs(step) * table["monte_carlo_error"]
    if study.truth is not None and study.adjusts:
        known = {"without error, expected": "true", "as measured": "measured"}
        named = [f"conditional, {known.get(row, 'no')} magnesium" for row in table["measurement"]]
        ratios["target"] = [hazard_ratio_target(study.truth, study.primary, name) for name in named]
    return table[["measurement"]].assign(**ratios, monte_carlo_error=errors, share=table["share"])


def world_blocks() -> Blocks:
    """The same search in four worlds, crude and adjusted, so that it is seen to find something where nothing acts."""
    parts = [_searched_world(world).assign(world=name, effect=effect) for name, (world, effect) in WORLDS.items()]
    rows = pd.concat(parts, ignore_index=True)[WORLD_COLUMNS]
    yield Prose(
        "The same search in four simulated worlds, one cohort each. Where magnesium is related to nothing, the search"
        " finds a cut all the same; the corrected p-value allows for the search. It does not allow for confounding: in"
        " the world without effect the crude search gives a small p-value even when corrected, and only adjustment"
        f" helps.{_threshold_words(rows)}"
    )
    note = (
        "Corrected: for the search, not for confounding. Adjusted: for all confounders, within treatment; the p-value"
        " alone, for its uncorrected hazard ratio would be overstated."
    )
    yield table("worlds", "A search in four worlds", rows, kinds=P_VALUES, note=note)


def _threshold_words(rows: pd.DataFrame) -> str:
    """That the adjusted search misses the planted threshold, where its p-value says so."""
    adjusted = rows[(rows["world"] == "threshold") & (rows["adjustment"] == "adjusted")].iloc[0]
    if adjusted["p_corrected"] < LEVEL:
        return ""
    design = CohortDesign(world="threshold")
    n = design.n_checkpoint_inhibitor + design.n_car_t
    return (
        f" In the world with a threshold the adjusted search does not detect it with {n} patients"
        f" (p {format_p(adjusted['p_corrected'])}): adjustment costs power."
    )


def _searched_world(world: World) -> pd.DataFrame:
    """The crude search of one cohort uncorrected and corrected, and the p-values of the adjusted one."""
    cohort = simulate_cohort(CohortDesign(world=world), seed=SEED).cohort
    search = partial(search_cutpoint, cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=N_PERMUTATIONS, seed=SEED)
    crude = search(n_bootstrap=N_BOOTSTRAP)
    adjusted = search(adjust=ADJUSTMENT, strata="treatment", n_bootstrap=0)
    tested = adjusted.summary()[1:2].assign(adjustment="adjusted")  # no resamples: its hazard ratio stays empty
    return pd.concat([crude.summary()[:2].assign(adjustment="crude"), tested], ignore_index=True)
