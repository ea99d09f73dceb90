"""The section on missing values, of the synthetic cohort and of cohorts of one's own."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import MuchMissing, load_example
from analysis.present.pages.page import Prose
from analysis.study.report.sections.missing import imputation_terms, missing_section
from tests.study.plans import LUNG_BY_AGE, assert_figures_are_drawn_and_described, study_of, tables

PLAN = (
    LUNG_BY_AGE
    + """[model]
covariates = ["ecog", "log(meal_calories)", "bs(weight_loss, df=3)"]
strata = ["sex"]
[robustness]
n_imputations = 4
"""
)


@pytest.fixture
def lung():
    return load_example("lung")


def test_missing_magnesium_of_the_synthetic_cohort(study):
    section = missing_section(study)
    frames = tables(section)
    assert list(frames) == ["missing-with-whom", "missing-survival", "imputed", "imputed-shifts", "imputed-survival"]
    assert frames["imputed"]["analysis"].tolist() == ["complete rows", "imputed"] * 2
    assert frames["imputed"]["n"].tolist() == [438, 480, 438, 480]
    assert frames["imputed"]["target"].notna().all()
    shifts = frames["imputed-shifts"].set_index(["endpoint", "shift"])["hazard_ratio"]
    imputed = frames["imputed"].set_index(["analysis", "endpoint"]).loc["imputed", "hazard_ratio"]
    for endpoint in study.plan.endpoints:
        assert shifts[endpoint.name][0.0] == imputed[endpoint.name]
    shifts = shifts[study.primary.name]
    assert shifts[0.0] == frames["imputed"]["hazard_ratio"][1]
    assert shifts.is_monotonic_decreasing  # early deaths lack the marker: the lower theirs, the stronger the relation
    early = frames["missing-survival"].set_index(["stratum", "time"])["survival"]
    assert early[("missing", 6.0)] < early[("known", 6.0)]
    low = frames["imputed-survival"].query("stratum == 'low'").set_index(["time", "analysis"])
    complete, imputed = (low.loc[(6.0, key), "survival"] for key in ("complete rows", "imputed"))
    target = low.loc[(6.0, "imputed"), "target"]
    assert target < imputed < complete  # complete rows have lost early deaths
    assert (low["conf_low"] < low["survival"]).all()
    assert (low["survival"] < low["conf_high"]).all()
    assert_figures_are_drawn_and_described(section)


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_cohort_of_ones_own(lung, tmp_path):
    cohort = lung.copy()
    cohort.loc[:9, "age"] = np.nan
    study = study_of(cohort, tmp_path, PLAN)
    columns, predictors = imputation_terms(study)
    assert columns == ("age", "ecog", "log(meal_calories)", "weight_loss")
    assert predictors == ("sex",)
    with pytest.warns(MuchMissing, match=r"rows miss a value, and there are 4 imputations"):
        section = missing_section(study)
    frames = tables(section)["imputed"]
    assert "target" not in frames
    assert frames["n"][1] == len(cohort)
    assert frames["n"][0] < len(cohort) - 50


def test_a_cohort_with_nothing_missing_has_a_sentence(lung, tmp_path):
    section = missing_section(study_of(lung, tmp_path))
    (words,) = section.blocks
    assert isinstance(words, Prose)
    assert "No value is missing" in words.text


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_marker_that_is_missing_is_imputed_without_covariates(lung, tmp_path):
    lung.loc[:9, "age"] = np.nan
    study = study_of(lung, tmp_path, LUNG_BY_AGE + "[robustness]\nn_imputations = 4\n")
    assert tables(missing_section(study))["imputed"]["n"].tolist() == [218, 228]
