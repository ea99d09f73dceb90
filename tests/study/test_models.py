"""Cohorts that a part of a study cannot be computed from: the part becomes a note, the rest of the report stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import CohortError, StudyPlan, load_example, run_study, write_cohort
from analysis.present.pages.page import Note
from analysis.study.models import fit_models
from analysis.study.prepare import prepare_study
from tests.study.plans import LUNG_BY_AGE

PLAN = (
    LUNG_BY_AGE
    + """[model]
covariates = ["ecog"]
"""
)


def plan_for(cohort: pd.DataFrame, folder: Path, text: str = PLAN) -> StudyPlan:
    write_cohort(cohort, folder / "cohort.csv")
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return StudyPlan.from_toml(folder / "plan.toml")


def notes_of(results, anchor: str) -> str:
    section = next(section for section in results.sections if section.anchor == anchor)
    return " ".join(block.text for block in section.blocks if isinstance(block, Note))


@pytest.fixture
def lung():
    return load_example("lung")[["os_days", "os_event", "age", "ecog", "sex"]]


def test_a_cohort_without_events_has_curves_and_notes_instead_of_models(lung, tmp_path):
    results = run_study(plan_for(lung.assign(os_event=0), tmp_path))
    assert results.tables["overall-survival-medians"]["n_event"].sum() == 0
    assert "hazard-ratios" not in results.tables
    assert "the log-rank test is not given" in notes_of(results, "survival")
    assert "no events among 228 rows" in notes_of(results, "models")
    for figure in results.figures.values():
        figure.draw()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"twice": lambda rows: 2.0 * rows["ecog"]}, "'ecog', 'twice' are collinear"),
        ({"twice": 1}, "'twice' is constant"),
        ({"twice": np.nan}, "227 dropped for missing twice"),
    ],
)
def test_a_covariate_that_cannot_be_used_costs_the_adjusted_models_only(changes, said, lung, tmp_path):
    text = PLAN.replace('"ecog"', '"ecog", "twice"')
    results = run_study(plan_for(lung.assign(**changes), tmp_path, text))
    assert said in notes_of(results, "models")
    assert set(results.tables["hazard-ratios"]["adjustment"]) == {"crude"}
    assert "overall-survival-proportional-hazards" in results.tables


def test_a_horizon_beyond_the_follow_up_costs_the_restricted_means_only(lung, tmp_path):
    results = run_study(plan_for(lung, tmp_path, "[study]\nhorizon = 99999\n" + PLAN))
    assert "horizon=99999 lies beyond the follow-up" in notes_of(results, "survival")
    assert "overall-survival-log-rank" in results.tables


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"os_days": 0}, "Overall survival: time column 'os_days': every follow-up time is 0"),
        ({"os_days": np.nan}, "Overall survival: .*os_days"),
        ({"os_event": 0.5}, "os_event.*0.5"),
    ],
)
def test_without_an_outcome_there_is_no_report(changes, said, lung, tmp_path):
    with pytest.raises(CohortError, match=said):
        prepare_study(plan_for(lung.assign(**changes), tmp_path))


def test_adjusted_models_of_fewer_rows_than_the_crude_ones_are_named(lung, tmp_path):
    results = run_study(plan_for(lung, tmp_path))
    said = "the adjusted models rest on 227 rows, the crude ones on 228 (1 for missing ecog left out)"
    assert said in notes_of(results, "models")
    counted = results.tables["hazard-ratios"].groupby("adjustment", observed=True)["n"].unique()
    assert {name: values.tolist() for name, values in counted.items()} == {"adjusted": [227], "crude": [228]}


@pytest.mark.filterwarnings("ignore:.*the adjusted models rest on 227 rows")
def test_names_with_stops_brackets_and_signs_are_adjusted_for(lung, tmp_path):
    """A full stop beside a bracket, in the marker's term and in a covariate, is neither a number nor a call."""
    renamed = lung.rename(columns={"age": "Age (at dx.)", "ecog": "=E.C.O.G. 'ps' & (x)"})
    text = PLAN.replace('"age"', '"Age (at dx.)"').replace('"ecog"', "\"`=E.C.O.G. 'ps' & (x)`\"")
    study = prepare_study(plan_for(renamed, tmp_path, text))
    plain = prepare_study(plan_for(lung, tmp_path))
    for odd, usual in zip(fit_models(study, study.primary), fit_models(plain, plain.primary), strict=True):
        assert odd.fit.coefficients["coef"].tolist() == usual.fit.coefficients["coef"].tolist()


@pytest.mark.filterwarnings("ignore:.*the adjusted models rest on 227 rows")
def test_a_backtick_in_a_label_does_not_end_a_quoted_term(lung, tmp_path):
    study = prepare_study(plan_for(lung, tmp_path, PLAN.replace('unit = "years"', 'unit = "years"\nlabel = "a`b"')))
    assert len(fit_models(study, study.primary)) == 4
