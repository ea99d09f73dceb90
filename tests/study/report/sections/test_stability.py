"""The sections on subgroups and on influence: of the synthetic cohort, of one's own, and where parts fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis import NotComputed, RowsDropped, load_example
from analysis.study.prepare import prepare_study
from analysis.study.report.sections.stability import influence_section, subgroups_section
from tests.study.plans import LUNG_BY_AGE, assert_figures_are_drawn_and_described, study_of, tables

quiet = pytest.mark.filterwarnings("ignore::analysis.errors.AnalysisWarning")


@pytest.fixture
def lung():
    cohort = load_example("lung")
    return cohort.assign(institution=np.where(np.arange(len(cohort)) % 3 == 0, "one", "two"))


def test_influence_in_the_synthetic_cohort(study):
    with pytest.warns(RowsDropped, match=r"42 of 480 rows dropped"):
        section = influence_section(study)
    frames = tables(section)
    assert list(frames) == ["without-each-site", "influence-by-patient", "simulation-extrapolation"]
    assert frames["without-each-site"]["left_out"].tolist() == ["nobody", "site A", "site B", "site C", "site D"]
    patients = frames["influence-by-patient"]
    assert patients["name"].str.match(r"MG-\d{4}").all()
    assert patients["value"].between(0.3, 1.6).all()  # mmol/L, not steps of the model
    ratios = frames["simulation-extrapolation"].set_index("measurement")["hazard_ratio"]
    assert ratios["corrected"] > ratios["as measured"] > 1
    assert ratios["true value for the true marker"] > ratios["true value for the measured marker"]
    whole = frames["without-each-site"]["hazard_ratio"][0]
    assert ratios["as measured"] == pytest.approx(whole)
    assert_figures_are_drawn_and_described(section)


@quiet
def test_sites_and_rows_of_ones_own_are_left_out_by_name(lung, tmp_path):
    lung.loc[:9, "age"] = np.nan
    text = LUNG_BY_AGE + '[model]\ncovariates = ["ecog"]\nstrata = ["sex"]\n[robustness]\nsite = "institution"\n'
    influence = tables(influence_section(study_of(lung, tmp_path, text)))
    assert influence["without-each-site"]["left_out"].tolist() == ["nobody", "one", "two"]
    assert influence["influence-by-patient"]["name"].str.startswith("row ").all()
    assert "simulation-extrapolation" not in influence


def test_without_a_site_patients_alone_are_left_out(lung, tmp_path):
    assert list(tables(influence_section(study_of(lung, tmp_path)))) == ["influence-by-patient"]


@pytest.mark.filterwarnings("ignore::analysis.errors.RowsDropped")
def test_a_part_that_cannot_be_computed_is_a_warning_and_the_others_stand(lung, tmp_path):
    text = LUNG_BY_AGE + '[robustness]\nsite = "institution"\nmeasurement_error = 40.0\n'
    study = study_of(lung.assign(institution="one"), tmp_path, text)
    with (
        pytest.warns(NotComputed, match=r"Leaving sites out is not given: column 'institution': one group only"),
        pytest.warns(NotComputed, match=r"Simulation-extrapolation is not given: .* is it in the same unit"),
    ):
        assert list(tables(influence_section(study))) == ["influence-by-patient"]


@quiet
def test_subgroups_of_the_synthetic_cohort(study):
    section = subgroups_section(study)
    assert_figures_are_drawn_and_described(section)
    frame = tables(section)["subgroups-overall-survival"]
    assert frame["subgroup"].iloc[0] == "everybody"
    ppi = frame[frame["subgroup"] == study.label("ppi")]
    assert ppi["level"].tolist() == ["no", "yes"]
    assert ppi["n"].sum() == frame["n"].iloc[0]


def test_a_plan_without_subgroups_says_so(study):
    plan = replace(study.plan, robustness=replace(study.plan.robustness, subgroups=()))
    assert "no subgroups" in subgroups_section(replace(study, plan=plan)).blocks[0].text


@quiet
@pytest.mark.parametrize("build", [subgroups_section, influence_section])
def test_a_marker_that_is_worse_when_higher_and_few_rows(study, build):
    plan = replace(study.plan, marker=replace(study.plan.marker, direction="higher"), truth=None)
    prepared = prepare_study(plan)
    assert build(replace(prepared, cohort=prepared.cohort.iloc[::8])).blocks
