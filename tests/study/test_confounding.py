"""The section on confounding, of the synthetic cohort and of cohorts of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import (
    NotComputed,
    StudyPlan,
    adjusted_curves,
    e_value,
    kaplan_meier,
    load_example,
    survival_at,
    write_cohort,
)
from analysis.present.pages.page import Prose, TableBlock
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyFigure, StudySection
from analysis.study.report.sections.bench import level_sentence, level_words
from analysis.study.report.sections.confounding import balance_words, confounding_section
from analysis.study.run import synthetic_plan
from analysis.study.study import Study
from tests.study.plans import LUNG_BY_AGE

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
PLAN = LUNG_BY_AGE
MODEL = '[model]\ncovariates = ["ecog", "sex"]\n[robustness]\nn_bootstrap = 50\n'


@pytest.fixture(scope="module")
def synthetic() -> Study:
    return prepare_study(synthetic_plan())


@pytest.fixture(scope="module")
def section(synthetic: Study) -> StudySection:
    import warnings

    with warnings.catch_warnings(action="ignore"):
        return confounding_section(synthetic)


def study_of(cohort: pd.DataFrame, folder: Path, text: str) -> Study:
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


def tables(section: StudySection) -> dict[str, pd.DataFrame]:
    return {block.name: block.frame for block in section.blocks if isinstance(block, TableBlock)}


def test_every_part_is_there_and_every_figure_says_what_it_shows(section):
    names = set(tables(section))
    each = (
        "adjusted-milestones",
        "adjusted-milestone-differences",
        "adjusted-mean-differences",
        "adjusted-log-rank",
        "weighted-cox",
    )
    wanted = {f"{name}-{part}" for name in ("overall-survival", "progression-free-survival") for part in each}
    assert wanted | {"balance", "weights", "e-values"} == names
    figures = [block for block in section.blocks if isinstance(block, StudyFigure)]
    assert [figure.name for figure in figures] == [
        "balance", "overlap", "adjusted-overall-survival", "adjusted-progression-free-survival", "confounder-bias",
    ]  # fmt: skip
    assert all(len(figure.alt) > 60 and figure.caption for figure in figures)
    for figure in figures:
        assert figure.draw().axes


def test_adjusted_estimates_stand_beside_their_own_targets(section, synthetic):
    table = tables(section)["overall-survival-adjusted-milestones"].set_index(["stratum", "time"])
    known = synthetic.truth.curves
    known = known[known["endpoint"] == "Overall survival"].set_index(["stratum", "time"])
    row = table.loc[("low", 12)]
    assert row["crude_target"] == known.loc[("low", 12), "survival"]
    assert row["adjusted_target"] == known.loc[("low", 12), "standardised_survival"]
    assert row["crude"] < row["adjusted_target"]
    differences = tables(section)["overall-survival-adjusted-milestone-differences"]
    pair = differences[(differences["stratum_b"] == "reference") & (differences["time"] == 12)].iloc[0]
    target = known.loc[("reference", 12), "standardised_survival"] - row["adjusted_target"]
    assert pair["adjusted_target"] == pytest.approx(target)


@quiet
def test_weighted_models_are_those_of_r(section):
    """R 4.2.2: coxph(Surv(os_months, os_event) ~ low + high, d, weights = w, robust = TRUE), + strata(treatment)."""
    table = tables(section)["overall-survival-weighted-cox"].set_index(["analysis", "term"])
    columns = ["hazard_ratio", "conf_low", "conf_high"]
    low, high = "low against reference", "high against reference"
    expected = {
        ("weighted", low): [1.0940074272, 0.73383526496, 1.6309549403],
        ("weighted", high): [1.1741946381, 0.42604654452, 3.2361089787],
        ("weighted, within Treatment", low): [1.0747651425, 0.69984448947, 1.6505382679],
        ("weighted, within Treatment", high): [1.1799794300, 0.42614009020, 3.2673561750],
    }
    for key, values in expected.items():
        assert_allclose(table.loc[key, columns].tolist(), values, rtol=1e-6)
    assert set(table["n"]) == {438}
    assert set(table["n_event"]) == {270}


def test_the_level_of_weighted_intervals_is_that_of_the_committed_bench(section):
    words = section.blocks[0].text
    assert (
        "exclude 0, where 5% is asked for, in 8.0% of 500 cohorts of 480 (weighted: rejects too often) and 6.8%"
        " (standardised: no departure shown)"
    ) in words
    assert "more often than the" not in words


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.05, "no departure shown"), (0.12, "rejects too often"), (0.01, "conservative")]
)
def test_the_sentence_on_the_level_follows_the_verdict_of_the_bench(share, verdict):
    row = {"score": "type-I error", "method": "weighting: months", "value": share, "n": 500}
    words = level_sentence(pd.DataFrame([row]), 100)
    assert words.endswith(f"in {100 * share:.1f}% of 500 cohorts of 100 (weighted: {verdict}).")


def test_a_simulated_cohort_of_ones_own_has_no_bench(synthetic, tmp_path):
    other = replace(synthetic.plan, data=replace(synthetic.plan.data, path=tmp_path / "cohort.csv"))
    assert level_words(synthetic)
    assert level_words(replace(synthetic, plan=other)) == ""


def test_the_balance_of_each_pair_of_strata_is_told_by_its_largest_difference():
    rows = [("a", "b", 0.5, -0.05), ("a", "b", -0.7, 0.02), ("a", "c", 0.2, -0.3)]
    balance = pd.DataFrame(rows, columns=["stratum_a", "stratum_b", "difference", "weighted_difference"])
    assert balance_words(balance) == (
        "The largest standardised difference: a and b 0.70 as it is, 0.05 weighted; a and c 0.20 as it is, 0.30"
        " weighted. Weighting leaves differences above 0.1 between a and c."
    )


@quiet
def test_the_table_holds_what_the_functions_give(section, synthetic):
    plan, cohort = synthetic.plan, synthetic.cohort
    found = adjusted_curves(
        cohort, synthetic.primary, plan.model.covariates, by=synthetic.stratum_column, strata=plan.model.strata,
        n_bootstrap=plan.robustness.n_bootstrap, seed=plan.robustness.seed,
    )  # fmt: skip
    table = tables(section)["overall-survival-adjusted-milestones"]
    wanted = survival_at(found.curves, sorted(set(table["time"])))
    assert_allclose(table["standardised"], wanted["survival"])
    assert_allclose(table["standardised_conf_low"], wanted["conf_low"])
    crude = survival_at(kaplan_meier(cohort, synthetic.primary, by=synthetic.stratum_column), [12])
    assert_allclose(table.loc[table["time"] == 12, "crude"], crude["survival"])


def test_weighting_brings_the_large_strata_together(section):
    table = tables(section)["balance"]
    pair = table[(table["stratum_a"] == "low") & (table["stratum_b"] == "reference")]
    assert pair["difference"].abs().max() > 0.4
    assert pair["weighted_difference"].abs().max() < 0.15
    assert "Treatment: checkpoint inhibitor" in set(pair["covariate"])


def test_e_values_are_of_the_adjusted_ratios(section):
    table = tables(section)["e-values"]
    for row in table.to_dict("records"):
        found = e_value(row["hazard_ratio"], conf_low=row["conf_low"], conf_high=row["conf_high"])
        assert (row["e_value"], row["e_value_of_limit"]) == (found.estimate, found.limit)


@quiet
def test_a_cohort_of_ones_own(tmp_path):
    section = confounding_section(study_of(load_example("lung"), tmp_path, PLAN + MODEL))
    table = tables(section)["overall-survival-adjusted-milestones"]
    assert "adjusted_target" not in table
    assert table["standardised"].between(0, 1).all()
    assert len(tables(section)["e-values"]) == 1


def test_a_plan_that_adjusts_for_nothing(tmp_path):
    section = confounding_section(study_of(load_example("lung"), tmp_path, PLAN))
    (words,) = section.blocks
    assert isinstance(words, Prose)
    assert "nothing can be adjusted" in words.text


@quiet
def test_what_cannot_be_done_is_said_and_the_rest_stands(tmp_path):
    """A covariate that tells the strata apart: no weights, and the standardisation still has its say."""
    cohort = load_example("lung")
    cohort = cohort.assign(ecog=np.where(cohort["age"] > cohort["age"].median(), 1.0, 0.0))
    study = study_of(cohort, tmp_path, PLAN + MODEL)
    with pytest.warns(NotComputed, match="Weighting the strata is not given: the covariates tell the strata"):
        section = confounding_section(study)
    assert "balance" not in tables(section)
