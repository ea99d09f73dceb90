"""A weighted Cox model beside weighted curves, and how often weighted intervals err where the answer is known."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.endpoints import Endpoint
from analysis.cohort.reading import synthetic_folder
from analysis.present.pages import TableBlock
from analysis.present.text import format_share
from analysis.robustness.confounding import BalanceWeights
from analysis.study.blocks import table
from analysis.study.report import FOLDER, read_benches, slug
from analysis.study.study import Study
from analysis.survival.cox import fit_cox, hazard_ratios

WEIGHT = "(weight of the stratum)"
NOTE = (
    "The strata alone in the model, on the rows that have a weight. Robust errors take the weights as known. A weighted"
    " hazard ratio averages over the cohort; the adjusted one above is given the covariates, and the two differ even"
    " where both are right."
)


def weighted_cox(study: Study, endpoint: Endpoint, weights: BalanceWeights) -> TableBlock:
    """Hazard ratios of the strata, crude and weighted by the inverse probability of the stratum, with robust errors."""
    frame = weighted_cox_table(study, endpoint, weights)
    title = f"{endpoint.name}: Cox models of the strata, crude and weighted"
    return table(f"{slug(endpoint.name)}-weighted-cox", title, frame, note=NOTE)


def weighted_cox_table(study: Study, endpoint: Endpoint, weights: BalanceWeights) -> pd.DataFrame:
    """The hazard ratio of each stratum by analysis.

    Parameters
    ----------
    study : Study
        A prepared study.
    endpoint : Endpoint
    weights : BalanceWeights
        Of the study's strata.

    Returns
    -------
    DataFrame
        analysis ("crude", "weighted", and "weighted, within" the plan's strata), term, n, n_event, hazard_ratio,
        conf_low, conf_high, statistic, p_value; errors are robust (the sandwich) in all of them.
    """
    terms = [study.contrast(label) for label in study.compared]
    known = weights.weights.notna()
    rows = study.cohort[known.reindex(study.cohort.index, fill_value=False)].copy()
    rows[WEIGHT] = weights.weights[known]
    strata = study.plan.model.strata if study.plan.model.covariates else ()
    asked: dict[str, tuple[str | None, tuple[str, ...]]] = {"crude": (None, ()), "weighted": (WEIGHT, ())}
    if strata:
        asked[f"weighted, within {' and '.join(map(study.label, strata))}"] = (WEIGHT, strata)
    parts = []
    for name, (weight, within) in asked.items():
        fit = fit_cox(rows, endpoint, terms, weights=weight, strata=within or None, robust=True)
        parts.append(hazard_ratios(fit).assign(analysis=name, n=fit.n_used, n_event=fit.n_event))
    order = ["analysis", "term", "n", "n_event"]
    found = pd.concat(parts, ignore_index=True)
    return found[[*order, *(name for name in found.columns if name not in order)]]


def level_words(study: Study) -> str:
    """How often adjusted differences in months rejected in the committed bench where the stratum does not act.

    Parameters
    ----------
    study : Study
        Only the synthetic cohort has a bench of its own worlds.

    Returns
    -------
    str
        A sentence; empty for another cohort, or where no such bench lies beside the cohort.
    """
    records = read_benches(synthetic_folder() / FOLDER) if study.plan.synthetic else ()
    scores = [record.scores for record in records if record.name == "confounding"]
    if not scores:
        return ""
    rows = scores[0]
    null = rows[rows["score"] == "type-I error"]  # scored only where nothing acts
    told = [
        f"{words} in {format_share(row['value'])} (Monte-Carlo error {format_share(row['std_error'])})"
        for method, words in (("weighting: months", "weighted ones"), ("standardisation: months", "standardised ones"))
        for row in null[null["method"].str.startswith(method)].to_dict("records")
    ]
    if not told:
        return ""
    return (
        " In the bench's world without effect, where the strata do not differ once adjusted, 95% intervals of"
        f" differences in months exclude 0 more often than the 5% asked for: {', '.join(told)} of cohorts of this size."
    )
