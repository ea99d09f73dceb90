"""The section on confounding, of the synthetic cohort and of cohorts of one's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import NotComputed, e_value, load_example
from analysis.errors import collected
from analysis.present.pages.page import Prose
from analysis.study.report.results import StudySection
from analysis.study.report.sections.confounding import balance_words, confounding_section
from analysis.study.study import Study
from tests.study.plans import LUNG_BY_AGE, assert_figures_are_drawn_and_described, figures, study_of, tables

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
MODEL = LUNG_BY_AGE + '[model]\ncovariates = ["ecog", "sex"]\n[robustness]\nn_bootstrap = 50\n'


@pytest.fixture(scope="module")
def section(study: Study) -> StudySection:
    few = replace(study.plan.robustness, n_bootstrap=20)
    with collected():
        return confounding_section(replace(study, plan=replace(study.plan, robustness=few)))


def test_every_part_is_there_and_every_figure_says_what_it_shows(section):
    names = set(tables(section))
    each = (
        "adjusted-milestones",
        "adjusted-milestone-differences",
        "adjusted-mean-differences",
        "adjusted-log-rank",
        "weighted-cox",
    )
    expected = {f"{name}-{part}" for name in ("overall-survival", "progression-free-survival") for part in each}
    assert expected | {"balance", "weights", "e-values"} == names
    assert list(figures(section)) == [
        "balance", "overlap", "adjusted-overall-survival", "adjusted-progression-free-survival", "confounder-bias",
    ]  # fmt: skip
    assert_figures_are_drawn_and_described(section)


def test_the_balance_of_each_pair_of_strata_is_its_largest_difference():
    rows = [("a", "b", 0.5, -0.05), ("a", "b", -0.7, 0.02), ("a", "c", 0.2, -0.3)]
    balance = pd.DataFrame(rows, columns=["stratum_a", "stratum_b", "difference", "weighted_difference"])
    assert balance_words(balance) == (
        "Largest standardised differences: a and b 0.70 before weighting, 0.05 after; a and c 0.20 before weighting,"
        " 0.30 after. Weighting leaves differences above 0.1 between a and c."
    )


def test_weighting_brings_the_large_strata_together(section):
    table = tables(section)["balance"]
    pair = table[(table["stratum_a"] == "low") & (table["stratum_b"] == "reference")]
    assert pair["difference"].abs().max() > 0.4
    assert pair["weighted_difference"].abs().max() < 0.15
    assert "Treatment: checkpoint inhibitor" in set(pair["covariate"])


def test_e_values_are_of_the_adjusted_ratios(section):
    table = tables(section)["e-values"]
    for row in table.to_dict("records"):
        expected = e_value(row["hazard_ratio"], conf_low=row["conf_low"], conf_high=row["conf_high"])
        assert (row["e_value"], row["e_value_of_limit"]) == (expected.estimate, expected.limit)


@quiet
def test_a_cohort_of_ones_own(tmp_path):
    section = confounding_section(study_of(load_example("lung"), tmp_path, MODEL))
    table = tables(section)["overall-survival-adjusted-milestones"]
    assert "adjusted_target" not in table
    assert table["standardised"].between(0, 1).all()
    assert len(tables(section)["e-values"]) == 1


def test_a_plan_that_adjusts_for_nothing(tmp_path):
    section = confounding_section(study_of(load_example("lung"), tmp_path))
    (words,) = section.blocks
    assert isinstance(words, Prose)
    assert "nothing can be adjusted" in words.text


@quiet
def test_without_weights_the_standardised_curves_stand(tmp_path):
    """A covariate that tells the strata apart: no weights, and the standardisation still has its say."""
    cohort = load_example("lung")
    cohort = cohort.assign(ecog=np.where(cohort["age"] > cohort["age"].median(), 1.0, 0.0))
    study = study_of(cohort, tmp_path, MODEL)
    with pytest.warns(NotComputed, match="Weighting the strata is not given: the covariates tell the strata"):
        section = confounding_section(study)
    assert "balance" not in tables(section)
