"""How much hangs on the choices: other cuts and adjustments, a second measurement, other worlds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from analysis.cohort.design import CohortDesign, World
from analysis.cohort.endpoints import OVERALL_SURVIVAL
from analysis.cohort.simulation import simulate_cohort
from analysis.errors import NotEstimable
from analysis.present.page import Prose
from analysis.present.specification import plot_specification_curve
from analysis.present.words import format_number, format_p, in_sentence
from analysis.robustness.attenuation import attenuation
from analysis.robustness.multiverse import cutpoint_multiverse
from analysis.robustness.reclassification import reclassification
from analysis.strata.cutpoints import CLINICAL_NAMES, Cutpoints, clinical_cutpoints
from analysis.strata.search import search_cutpoint
from analysis.study.blocks import table
from analysis.study.measuring import StatedError, marker_step, reliability_words
from analysis.study.results import Block, StudyFigure
from analysis.study.study import Study
from analysis.study.targets import hazard_ratio_target

SEED = 20220106
N_PERMUTATIONS, N_BOOTSTRAP, N_MULTIVERSE = 9999, 200, 99
P_VALUES = {"p_naive": "p", "p_corrected": "p", "hazard_ratio_as_found": "ratio", "hazard_ratio_corrected": "ratio"}
SHARES = dict.fromkeys(("share", "share_low", "share_high", "monte_carlo_error"), "share")
WORLDS: dict[World, str] = {
    "planted": "log-linear, confounded",
    "independent": "none at all",
    "threshold": "below 0.70 mmol/L only, confounded",
}


def multiverse_blocks(study: Study) -> list[Block]:
    """Every combination of published edge, endpoint and adjustment, with one p-value for all."""
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
    words = (
        f"Median hazard ratio {format_number(found.median_hazard_ratio)} over {len(found.curve)} analyses;"
        f" p {format_p(found.p_value)} for all of them together, by {found.n_permutations} permutations of the marker."
    )
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
    return [figure, table("multiverse", "Every analysis", found.analyses[kept], note=words)]


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
            kinds={"share": "share"},
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
    """The same search in three worlds, so that it is seen to find something where there is nothing."""
    rows = []
    for world, effect in WORLDS.items():
        cohort = simulate_cohort(CohortDesign(world=world), seed=SEED).cohort
        found = search_cutpoint(
            cohort, OVERALL_SURVIVAL, "magnesium", n_permutations=N_PERMUTATIONS, n_bootstrap=N_BOOTSTRAP, seed=SEED
        )
        as_found, corrected = found.summary().iloc[0], found.summary().iloc[1]
        rows.append(
            (
                world,
                effect,
                found.cut,
                as_found["hazard_ratio"],
                corrected["hazard_ratio"],
                as_found["p_naive"],
                found.p_permutation,
            )
        )
    names = ["world", "effect", "cut", "hazard_ratio_as_found", "hazard_ratio_corrected", "p_naive", "p_corrected"]
    return [
        Prose(
            "The same search in three simulated worlds, one cohort each. Where magnesium is related to nothing, the"
            " search finds a cut all the same; only the corrected p-value knows that it searched. How often each"
            " p-value misleads is measured in docs/calibration.md, over thousands of cohorts."
        ),
        table("worlds", "A search in three worlds", pd.DataFrame(rows, columns=names), kinds=P_VALUES),
    ]
