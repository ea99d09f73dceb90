"""The sections on missing values and on influence, of the synthetic cohort and of cohorts of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from analysis import LowReliability, MuchMissing, NotComputed, RowsDropped, StudyPlan, load_example, write_cohort
from analysis.present.pages.page import Prose, TableBlock
from analysis.study.models import stated_error
from analysis.study.prepare import prepare_study
from analysis.study.report.results import StudyFigure, StudySection
from analysis.study.report.sections.cut_choices import measurement_blocks
from analysis.study.report.sections.missing import imputation_terms, missing_section
from analysis.study.report.sections.stability import influence_section
from analysis.study.run import synthetic_plan
from analysis.study.study import Study
from tests.study.plans import LUNG_BY_AGE

PLAN = (
    LUNG_BY_AGE
    + """[model]
covariates = ["ecog", "log(meal_calories)", "bs(weight_loss, df=3)"]
strata = ["sex"]
[robustness]
site = "institution"
n_imputations = 4
"""
)


@pytest.fixture(scope="module")
def synthetic() -> Study:
    return prepare_study(synthetic_plan())


def lung() -> pd.DataFrame:
    cohort = load_example("lung")
    return cohort.assign(institution=np.where(np.arange(len(cohort)) % 3 == 0, "one", "two"))


def study_of(cohort: pd.DataFrame, folder: Path, text: str = PLAN) -> Study:
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return prepare_study(StudyPlan.from_toml(folder / "plan.toml"))


def tables(section: StudySection) -> dict[str, pd.DataFrame]:
    return {block.name: block.frame for block in section.blocks if isinstance(block, TableBlock)}


def figures(section: StudySection) -> dict[str, StudyFigure]:
    return {block.name: block for block in section.blocks if isinstance(block, StudyFigure)}


def test_missing_magnesium_of_the_synthetic_cohort(synthetic):
    section = missing_section(synthetic)
    found = tables(section)
    assert list(found) == ["missing-with-whom", "missing-survival", "imputed", "imputed-shifts", "imputed-survival"]
    assert found["imputed"]["analysis"].tolist() == ["complete rows", "imputed"] * 2
    assert found["imputed"]["n"].tolist() == [438, 480, 438, 480]
    assert found["imputed"]["target"].notna().all()
    shifts = found["imputed-shifts"].set_index(["endpoint", "shift"])["hazard_ratio"]
    imputed = found["imputed"].set_index(["analysis", "endpoint"]).loc["imputed", "hazard_ratio"]
    for endpoint in synthetic.plan.endpoints:
        assert shifts[endpoint.name][0.0] == imputed[endpoint.name]
    shifts = shifts[synthetic.primary.name]
    assert shifts[0.0] == found["imputed"]["hazard_ratio"][1]
    assert shifts.is_monotonic_decreasing  # early deaths lack the marker: the lower theirs, the stronger the relation
    early = found["missing-survival"].set_index(["stratum", "time"])["survival"]
    assert early[("missing", 6.0)] < early[("known", 6.0)]
    low = found["imputed-survival"].query("stratum == 'low'").set_index(["time", "analysis"])
    complete, imputed = (low.loc[(6.0, key), "survival"] for key in ("complete rows", "imputed"))
    target = low.loc[(6.0, "imputed"), "target"]
    assert target < imputed < complete  # complete rows have lost early deaths
    assert (low["conf_low"] < low["survival"]).all()
    assert (low["survival"] < low["conf_high"]).all()
    for figure in figures(section).values():
        assert figure.alt
        assert figure.draw().axes


def test_influence_in_the_synthetic_cohort(synthetic):
    with pytest.warns(RowsDropped, match=r"42 of 480 rows dropped"):
        section = influence_section(synthetic)
    found = tables(section)
    assert list(found) == ["without-each-site", "influence-by-patient", "simulation-extrapolation"]
    assert found["without-each-site"]["left_out"].tolist() == ["nobody", "site A", "site B", "site C", "site D"]
    patients = found["influence-by-patient"]
    assert patients["name"].str.match(r"MG-\d{4}").all()
    assert patients["value"].between(0.3, 1.6).all()  # mmol/L, not steps of the model
    ratios = found["simulation-extrapolation"].set_index("measurement")["hazard_ratio"]
    assert ratios["corrected"] > ratios["as measured"] > 1
    assert ratios["target, true value"] > ratios["target, measured value"]
    whole = found["without-each-site"]["hazard_ratio"][0]
    assert ratios["as measured"] == pytest.approx(whole)
    for figure in figures(section).values():
        assert figure.alt
        assert figure.draw().axes


@pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")
def test_a_cohort_of_ones_own(tmp_path):
    cohort = lung()
    cohort.loc[:9, "age"] = np.nan
    study = study_of(cohort, tmp_path)
    columns, predictors = imputation_terms(study)
    assert columns == ("age", "ecog", "log(meal_calories)", "weight_loss")
    assert predictors == ("sex",)
    with pytest.warns(MuchMissing, match=r"rows miss a value, and there are 4 imputations"):
        section = missing_section(study)
    found = tables(section)["imputed"]
    assert "target" not in found
    assert found["n"][1] == len(cohort)
    assert found["n"][0] < len(cohort) - 50
    influence = tables(influence_section(study))
    assert influence["without-each-site"]["left_out"].tolist() == ["nobody", "one", "two"]
    assert influence["influence-by-patient"]["name"].str.startswith("row ").all()
    assert "simulation-extrapolation" not in influence


def test_nothing_missing_and_nothing_asked_for(tmp_path):
    text = PLAN.split("[model]")[0]
    section = missing_section(study_of(lung(), tmp_path, text))
    assert [type(block) for block in section.blocks] == [Prose]
    assert "No value is missing" in section.blocks[0].text
    influence = influence_section(study_of(lung(), tmp_path, text))
    assert list(tables(influence)) == ["influence-by-patient"]


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_a_part_that_cannot_be_computed_is_a_note(tmp_path):
    text = PLAN.split("[model]")[0] + '[robustness]\nsite = "institution"\nmeasurement_error = 40.0\n'
    cohort = lung().assign(institution="one")
    cohort.loc[:9, "age"] = np.nan
    study = study_of(cohort, tmp_path, text)
    with (
        pytest.warns(NotComputed, match=r"Leaving sites out is not given: column 'institution': one group only"),
        pytest.warns(NotComputed, match=r"Simulation-extrapolation is not given: .* is it in the same unit"),
    ):
        assert list(tables(influence_section(study))) == ["influence-by-patient"]
    assert tables(missing_section(study))["imputed"]["n"].tolist() == [218, 228]


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_the_plans_error_of_measurement_is_the_one_error_of_the_report(synthetic):
    plan = synthetic.plan
    wider = replace(synthetic, plan=replace(plan, robustness=replace(plan.robustness, measurement_error=0.06)))
    again, lost = measurement_blocks(wider, [], stated_error(wider))
    with pytest.warns(LowReliability, match=r"reliability 0.44, below 0.8"):
        corrected = tables(influence_section(wider))["simulation-extrapolation"].set_index("measurement")
    expected = lost.frame.set_index("measurement")
    columns = ["hazard_ratio", "conf_low", "conf_high"]
    for before, after in (("without error, expected", "as measured, over the reliability"), ("as measured",) * 2):
        assert_allclose(corrected.loc[after, columns].tolist(), expected.loc[before, columns].tolist(), rtol=1e-6)
    assert "standard deviation 0.06 mmol/L, as the plan says" in again.note
    assert "standard deviation 0.06 mmol/L, as the plan says" in lost.note
    stays = again.frame[again.frame["from_stratum"].astype(str) == again.frame["to_stratum"].astype(str)]
    assert stays["share"].max() < 0.8  # 0.89 under half the error


def test_an_error_of_measurement_is_the_plans_then_the_published_one_then_none(synthetic, tmp_path):
    bare = replace(synthetic.plan.robustness, measurement_error=None)
    without = replace(synthetic, plan=replace(synthetic.plan, robustness=bare))
    assert (stated_error(synthetic).size, stated_error(synthetic).scale) == (0.028, "absolute")
    assert (stated_error(without).size, stated_error(without).scale) == (0.035, "relative")
    assert stated_error(study_of(lung(), tmp_path)) is None
