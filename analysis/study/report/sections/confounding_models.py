"""A weighted Cox model beside weighted curves, and how often weighted intervals err where the answer is known."""

from __future__ import annotations

import pandas as pd

from analysis.cohort.columns import Endpoint
from analysis.cohort.reading import synthetic_folder
from analysis.present.pages import TableBlock
from analysis.present.text import format_share
from analysis.robustness.confounding import BalanceWeights
from analysis.study.blocks import table
from analysis.study.report import FOLDER, read_benches, slug
from analysis.study.study import Study
from analysis.survival.cox import fit_cox, hazard_ratios
from analysis.truth.bench import level_verdict

WEIGHT = "(weight of the stratum)"
NOTE = (
    "The strata alone in the model, on the rows that have a weight. Errors are robust in every row, so that the crude"
    " intervals differ a little from those under Models; they take the weights as known. A weighted hazard ratio"
    " averages over the cohort; the adjusted one above is given the covariates, and the two differ even where both are"
    " right."
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
    records = read_benches(synthetic_folder() / FOLDER) if is_committed(study) else ()
    scores = [record.scores for record in records if record.name == "confounding"]
    return level_sentence(scores[0], len(study.cohort)) if scores else ""


def is_committed(study: Study) -> bool:
    """Whether a study is that of the committed synthetic cohort: its rows are those of the committed file."""
    path = study.plan.data.path
    committed = synthetic_folder() / "cohort.csv"
    return study.plan.synthetic and committed.is_file() and path.resolve() == committed.resolve()


def level_sentence(scores: pd.DataFrame, size: int) -> str:
    """How often intervals of differences in months exclude 0 in the world without effect, by the bench's own verdict.

    Parameters
    ----------
    scores : DataFrame
        Of the bench on confounding.
    size : int
        Patients in each of its cohorts.

    Returns
    -------
    str
        A sentence; empty without such scores.
    """
    null = scores[scores["score"] == "type-I error"]  # scored only where nothing acts
    shares: list[str] = []
    for method, name in (("weighting: months", "weighted"), ("standardisation: months", "standardised")):
        for row in null[null["method"].str.startswith(method)].to_dict("records"):
            of_cohorts = "" if shares else f" of {row['n']:g} cohorts of {size}"
            verdict = level_verdict(row["value"], row["n"])
            shares.append(f"{format_share(row['value'])}{of_cohorts} ({name}: {verdict})")
    if not shares:
        return ""
    return (
        " In the bench's world without effect, where the strata do not differ once adjusted, 95% intervals of"
        f" differences in months exclude 0, where 5% is asked for, in {' and '.join(shares)}."
    )
