"""Fifty cohorts of 480 against the committed targets: no bias beyond chance, and intervals that cover as they say."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from analysis.cohort.columns import OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL
from analysis.cohort.reading.examples import synthetic_folder
from analysis.cohort.synthetic.design import ADJUSTMENT, DEFAULT_DESIGN
from analysis.cohort.synthetic.simulation import simulate_cohort
from analysis.errors import SmallStratum
from analysis.strata.cutpoints import clinical_cutpoints, stratify
from analysis.study.synthetic_data.write import read_truth
from analysis.survival.cox import fit_cox, hazard_ratios
from analysis.survival.curves.kaplan_meier import kaplan_meier
from analysis.survival.curves.milestones import restricted_mean, survival_at

N_REPLICATES = 50
MOST_STANDARD_ERRORS = 3.3
ENDPOINTS = (OVERALL_SURVIVAL, PROGRESSION_FREE_SURVIVAL)
STRATA = ["low", "reference", "high"]


@pytest.fixture(scope="module")
def estimates():
    """Every estimate of every cohort beside its target."""
    truth = read_truth(synthetic_folder() / "truth.json")
    design = replace(DEFAULT_DESIGN, missing_share=0.0)
    rows = [row for seed in range(N_REPLICATES) for row in analysed(simulate_cohort(design, seed=seed).cohort, truth)]
    return pd.DataFrame(rows, columns=["target", "estimate", "conf_low", "conf_high", "truth", "truth_error"])


def analysed(cohort, truth):
    """One cohort's estimates beside their targets."""
    cohort = cohort.assign(lower=(0.80 - cohort["magnesium"]) / 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallStratum)
        cohort = stratify(cohort, clinical_cutpoints("nhanes-1"), marker="magnesium")
    for endpoint in ENDPOINTS:
        yield from from_models(cohort, endpoint, truth.log_hazard_ratios)
        curves = kaplan_meier(cohort, endpoint, by="stratum", engine="kernel")
        yield from from_curves(curves, endpoint, truth.curves)
        yield from from_areas(curves, endpoint, truth.restricted_means)


def from_models(cohort, endpoint, targets):
    """The adjusted and the crude log hazard ratio of measured magnesium, per 0.1 mmol/L lower."""
    targets = targets[targets["endpoint"] == endpoint.name].set_index("target")
    models = {
        "conditional, measured magnesium": {"covariates": " + ".join(["lower", *ADJUSTMENT]), "strata": "treatment"},
        "crude, measured magnesium": {"covariates": ["lower"]},
    }
    for name, options in models.items():
        found = hazard_ratios(fit_cox(cohort, endpoint, engine="kernel", **options)).set_index("term").loc["lower"]
        limits = np.log(found[["hazard_ratio", "conf_low", "conf_high"]].to_numpy(dtype=float))
        yield f"{endpoint.name}: {name}", *limits, *targets.loc[name, ["log_hazard_ratio", "std_error"]]


def from_curves(curves, endpoint, targets):
    """Kaplan-Meier at 12 and 24 months by stratum."""
    targets = targets[targets["endpoint"] == endpoint.name].set_index(["stratum", "time"])
    for row in survival_at(curves, [12, 24], extend=True).itertuples():
        truth = targets.loc[(row.stratum, row.time), ["survival", "std_error"]]
        yield f"{endpoint.name}: {row.stratum} at {row.time:g}", row.survival, row.conf_low, row.conf_high, *truth


def from_areas(curves, endpoint, targets):
    """Restricted means to 24 months by stratum."""
    targets = targets[targets["endpoint"] == endpoint.name].set_index(["stratum", "horizon"])
    for row in restricted_mean(curves, 24, extend=True).itertuples():
        truth = targets.loc[(row.stratum, 24), ["restricted_mean", "std_error"]]
        yield f"{endpoint.name}: {row.stratum} to 24", row.restricted_mean, row.conf_low, row.conf_high, *truth


def test_the_mean_of_fifty_estimates_lies_at_its_target(estimates):
    groups = estimates.groupby("target")
    error = np.hypot(groups["estimate"].std() / np.sqrt(N_REPLICATES), groups["truth_error"].first())
    distance = (groups["estimate"].mean() - groups["truth"].first()) / error
    assert len(distance) == len(ENDPOINTS) * (2 + 2 * len(STRATA) + len(STRATA))
    assert distance.abs().max() < MOST_STANDARD_ERRORS, distance.round(2).to_string()


def test_intervals_cover_their_targets_as_often_as_they_say(estimates):
    covered = (estimates["conf_low"] <= estimates["truth"]) & (estimates["truth"] <= estimates["conf_high"])
    counts = covered.groupby(estimates["target"]).sum()
    fewest = binom.ppf(1e-4, N_REPLICATES, 0.95)
    assert counts.min() >= fewest, counts.to_string()
    n_independent = 6 * N_REPLICATES  # the targets of one cohort are related: far fewer than 22 are independent
    assert abs(covered.mean() - 0.95) < 2.5 * np.sqrt(0.95 * 0.05 / n_independent)
