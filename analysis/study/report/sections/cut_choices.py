"""How much hangs on the choices: other cuts and adjustments, a second measurement, other worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.columns import OVERALL_SURVIVAL
from analysis.cohort.synthetic import ADJUSTMENT, CohortDesign, World, simulate_cohort
from analysis.errors import NotEstimable
from analysis.present.figures import plot_specification_curve
from analysis.present.pages import Prose, TableBlock
from analysis.present.text import format_number, format_p, in_sentence, least_p, permutation_p
from analysis.robustness.measurement import attenuation, reclassification
from analysis.robustness.multiverse import Multiverse, cutpoint_multiverse
from analysis.strata.cutpoints import CLINICAL_NAMES, Cutpoints, clinical_cutpoints
from analysis.strata.search import search_cutpoint
from analysis.study.blocks import table
from analysis.study.models import StatedError, marker_step, reliability_words
from analysis.study.report import Block, StudyFigure
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
WORLD_COLUMNS = [
    "world", "effect", "adjustment", "analysis", "contrast",
    "hazard_ratio", "conf_low", "conf_high", "p_naive", "p_corrected",
]  # fmt: skip
TESTED = (
    "Each p, by permutation of the marker, tests that the marker is related to nothing, within the strata; confounding"
    " makes it small, and most of all where nothing is adjusted for."
)


def multiverse_blocks(study: Study) -> list[Block]:
    """Every combination of published edge, endpoint and adjustment, with a p-value for each adjustment."""
    plan = study.plan
    adjustments = {"none": ()} | ({"as planned": plan.model.covariates} if plan.model.covariates else {})
    found = cutpoint_multiverse(
        study.cohort,
        plan.endpoints,
        plan.marker.column,
        cutpoints=_lower_cuts(study),
        adjustments=adjustments,
        missing=["complete case", "median imputation"],
        strata=plan.model.strata or None,
        n_permutations=N_MULTIVERSE,
        seed=SEED,
    )
    if found.curve.empty:
        raise NotEstimable(f"none of {len(found.analyses)} analyses could be fitted")
    words = _multiverse_words(found)
    figure = StudyFigure(
        name="multiverse",
        title="Other cuts, endpoints, adjustments and rules for missing values",
        alt=f"Specification curve. {words}",
        caption=f"Each column is one analysis: the lowest stratum against the rest. {words}",
        draw=partial(plot_specification_curve, found.curve, found.grid, synthetic=plan.synthetic),
    )
    kept = [
        "cutpoint",
        "endpoint",
        "adjustment",
        "missing",
        "n",
        "n_event",
        "n_low",
        "hazard_ratio",
        "conf_low",
        "conf_high",
    ]
    return [
        figure,
        _tests_block(found),
        table("multiverse", "Every analysis", found.analyses[kept], note=words),
    ]


def _tests_block(found: Multiverse) -> TableBlock:
    """The p-value of each adjustment, as a bound where it is the least that the permutations can give."""
    tests = found.tests[::-1]
    block = table("multiverse-tests", "All analyses of one adjustment together", tests, note=TESTED)
    cells = [
        least_p(p_value, found.n_permutations) or cell
        for p_value, cell in zip(tests["p_value"], block.display["p"], strict=True)
    ]
    return replace(block, display=block.display.assign(p=cells))


def _multiverse_words(found: Multiverse) -> str:
    """The median hazard ratio of each adjustment with its p-value, the most adjusted first."""
    parts = [
        f"adjustment {row['adjustment']}: median hazard ratio {format_number(row['median_hazard_ratio'])} over"
        f" {row['n_analyses']} analyses, {permutation_p(row['p_value'], found.n_permutations)}"
        for row in found.tests.to_dict("records")[::-1]
    ]
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}. {TESTED}"


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


def measurement_blocks(study: Study, searched: Sequence[Cutpoints], error: StatedError) -> list[Block]:
    """Who changes stratum when the marker is measured again, and what the error takes from the hazard ratio."""
    plan, marker = study.plan, study.plan.marker.column
    size, scale = error.size, error.scale
    repeats = [
        reclassification(study.cohort, cut, marker=marker, measurement_error=size, error_scale=scale, seed=SEED)
        for cut in (study.cutpoints, *searched)
    ]
    lost = attenuation(
        study.cohort, study.primary, marker, measurement_error=size, error_scale=scale,
        adjust=plan.model.covariates, strata=plan.model.strata or None, seed=SEED,
    )  # fmt: skip
    changed = ", ".join(f"{repeat.share_changed:.1%} at the {repeat.cutpoints.rule} cut-points" for repeat in repeats)
    note = f"Patients who change stratum: {changed}. Error: {error.words}; {repeats[0].n_draws} second measurements."
    shares = pd.concat([repeat.table.assign(cutpoints=repeat.cutpoints.rule) for repeat in repeats], ignore_index=True)
    shares = shares[["cutpoints", *repeats[0].table.columns]]
    title = f"Share of each stratum found in another when {in_sentence(plan.marker.label)} is measured again"
    return [
        table("reclassification", title, shares, note=note, kinds=SHARES),
        table(
            "attenuation",
            f"What an error of measurement takes from the hazard ratio per {study.step}",
            _per_step(study, lost.table),
            kinds={"share": "share", "monte_carlo_error": "number3"},
            note=f"Shares and Monte-Carlo errors are of the log hazard ratio. Error: {error.words}. Reliability"
            f" {reliability_words(lost)} given the model's terms; the intervals of the hazard ratios take it as known.",
        ),
    ]


def _per_step(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Log hazard ratios as hazard ratios for the plan's step: measurement, hazard_ratio with limits, target, share."""
    step = marker_step(study)
    low, high = ("conf_low", "conf_high") if step > 0 else ("conf_high", "conf_low")
    values = {"hazard_ratio": "log_hazard_ratio", "conf_low": low, "conf_high": high}
    ratios = {name: np.exp(step * table[column]) for name, column in values.items()}
    errors = abs(step) * table["monte_carlo_error"]
    if study.truth is not None and (study.plan.model.covariates or study.plan.model.strata):
        known = {"without error, expected": "true", "as measured": "measured"}
        named = [f"conditional, {known.get(row, 'no')} magnesium" for row in table["measurement"]]
        ratios["target"] = [hazard_ratio_target(study.truth, study.primary, name) for name in named]
    return table[["measurement"]].assign(**ratios, monte_carlo_error=errors, share=table["share"])


def world_blocks() -> list[Block]:
    """The same search in four worlds, crude and adjusted, so that it is seen to find something where nothing acts."""
    parts = [_searched_world(world).assign(world=name, effect=effect) for name, (world, effect) in WORLDS.items()]
    rows = pd.concat(parts, ignore_index=True)[WORLD_COLUMNS]
    words = (
        "The same search in four simulated worlds, one cohort each. Where magnesium is related to nothing, the search"
        " finds a cut all the same; the corrected p-value knows that it searched. It knows nothing of confounding: in"
        " the world without effect, where magnesium does not act, the crude search gives a small p even when corrected."
        " Only adjustment helps there. How often each p-value misleads is measured in docs/calibration.md, over"
        " thousands of cohorts."
    )
    words += _threshold_words(rows)
    note = (
        "Corrected: for the search, not for confounding. Adjusted: for all confounders, within treatment; the p-value"
        " alone, for its hazard ratio as found would be overstated."
    )
    return [Prose(words), table("worlds", "A search in four worlds", rows, kinds=P_VALUES, note=note)]


def _threshold_words(rows: pd.DataFrame) -> str:
    """That the adjusted search misses the planted threshold, where its p-value says so."""
    adjusted = rows[(rows["world"] == "threshold") & (rows["adjustment"] == "adjusted")].iloc[0]
    if adjusted["p_corrected"] < LEVEL:
        return ""
    design = CohortDesign(world="threshold")
    n = design.n_checkpoint_inhibitor + design.n_car_t
    return (
        f" In the world with a threshold the adjusted search does not see it with {n} patients"
        f" (p {format_p(adjusted['p_corrected'])}): adjustment costs power."
    )


def _searched_world(world: World) -> pd.DataFrame:
    """The crude search of one cohort as found and corrected, and the p-values of the adjusted one."""
    cohort = simulate_cohort(CohortDesign(world=world), seed=SEED).cohort
    crude = search_cutpoint(
        cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=N_PERMUTATIONS, n_bootstrap=N_BOOTSTRAP, seed=SEED
    )
    adjusted = search_cutpoint(
        cohort, OVERALL_SURVIVAL, "magnesium", adjust=ADJUSTMENT, strata="treatment",
        n_permutations=N_PERMUTATIONS, n_bootstrap=0, seed=SEED,
    )  # fmt: skip
    tested = adjusted.summary()[1:2].assign(adjustment="adjusted")  # no resamples: its hazard ratio stays empty
    parts = [crude.summary()[:2].assign(adjustment="crude"), tested]
    return pd.concat(parts, ignore_index=True)
